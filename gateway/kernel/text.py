"""Text for people: sentences in the two languages of the product, French first; names that are safe to show."""

import os
import re
from dataclasses import dataclass
from typing import Literal
from unicodedata import category

Language = Literal["fr", "en"]
DEFAULT_LANGUAGE: Language = "fr"
_NO_BREAK, _NARROW_NO_BREAK = "\u00a0", "\u202f"
_BREAKING = re.compile(rf"[^\S{_NO_BREAK}{_NARROW_NO_BREAK}]+")
#: The space comes first, so that most of a text is passed over at once.
_BESIDE_A_MARK = re.compile(r" (?:(?<=« )|(?<!\s )(?=[»:;?!%]+(?:[\s.,)\]»…]|$))(?P<narrow>(?=[;?!%]))?)")


@dataclass(frozen=True, slots=True)
class Text:
    """The same sentence in French and in English, for people."""

    fr: str
    en: str

    @classmethod
    def of(cls, said: "Text | str") -> "Text":
        """A sentence; what a person or another machine wrote is shown as it is, in both languages."""
        return said if isinstance(said, Text) else cls(said, said)

    def in_language(self, language: Language) -> str:
        """The sentence in `language`."""
        return self.fr if language == "fr" else self.en

    def on_page(self, language: Language) -> str:
        """The sentence in `language` as a page, a mail or a letter shows it; see `french_spaces`."""
        return french_spaces(self.fr) if language == "fr" else self.en

    def format(self, **values: object) -> "Text":
        """A copy with `{name}` placeholders filled in both languages."""
        return Text(self.fr.format(**values), self.en.format(**values))


def french_spaces(text: str) -> str:
    """A French text whose double marks cannot leave their words at the end of a line.

    No-break spaces stand inside « » and before a colon, narrow ones before ; ? ! and %, where ordinary ones were.
    Only what is laid out for eyes is given so: a program, a search or a terminal is given the ordinary spaces.
    """
    return _BESIDE_A_MARK.sub(lambda space: _NARROW_NO_BREAK if space["narrow"] is not None else _NO_BREAK, text)


def one_line(text: str) -> str:
    """A text without line ends and doubled spaces, such as a subject; its no-break spaces stay."""
    return _BREAKING.sub(" ", text).strip()


def printable(name: str) -> str:
    """A text without bytes that are no text and without control characters, which could act on a terminal.

    Spaces of every width stay: French numbers are written with narrow and no-break ones.
    """
    text = os.fsencode(name).decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() or category(c) == "Zs" else c.encode("unicode_escape").decode() for c in text)
