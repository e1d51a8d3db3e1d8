"""Text for people: sentences in the two languages of the product, French first; names that are safe to show."""

import os
from dataclasses import dataclass
from typing import Literal
from unicodedata import category

Language = Literal["fr", "en"]
DEFAULT_LANGUAGE: Language = "fr"


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

    def format(self, **values: object) -> "Text":
        """A copy with `{name}` placeholders filled in both languages."""
        return Text(self.fr.format(**values), self.en.format(**values))


def printable(name: str) -> str:
    """A text without bytes that are no text and without control characters, which could act on a terminal.

    Spaces of every width stay: French numbers are written with narrow and no-break ones.
    """
    text = os.fsencode(name).decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() or category(c) == "Zs" else c.encode("unicode_escape").decode() for c in text)
