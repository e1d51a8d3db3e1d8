"""What is written to customers: the default texts (`schemas/reminder-texts.toml`), or an organisation's own.

A text names the facts it is filled with in braces. A book is read whole: a word that nothing fills is refused by name.
"""

import string
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from gateway.collection.contents import read_content
from gateway.collection.messages.errors import InvalidTextsError, NoTextError
from gateway.kernel.dated import data_file, in_force, text_of
from gateway.kernel.sayer import PageSayer
from gateway.kernel.text import Language, Text

#: Everything a text may be filled with.
FACTS = frozenset(
    {"customer", "contact", "seller", "total", "today", "count", "invoices", "of_invoices"}
    | {"oldest", "oldest_due", "days_late", "pay_by", "reply_to"}
)
_LONGEST = 4000
_Said = Annotated[str, Field(min_length=1, max_length=_LONGEST)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Words(_Part):
    """The same words in French and in English, with the facts they are filled with in braces."""

    fr: _Said
    en: _Said

    @field_validator("fr", "en")
    @classmethod
    def _known_facts(cls, said: str) -> str:
        try:
            named = [(name, spec, conversion) for _, name, spec, conversion in string.Formatter().parse(said)]
        except ValueError as error:
            raise ValueError(f"braces do not match: {error}") from error
        for name, spec, conversion in named:
            if name is not None and (name not in FACTS or spec or conversion):
                raise ValueError(f"{{{name}}} is not one of {', '.join(sorted(FACTS))}")
        return said

    def filled(self, language: Language, facts: Mapping[str, str]) -> str:
        """The words in a language."""
        return Text(self.fr, self.en).on_page(language).format_map(facts)


class MessageText(_Part):
    """The text of one template.

    Attributes:
        key: the template, as scenarios name it.
        opening, closing: the paragraphs before and after the table of invoices.
        firmer: added when the buyer has approved (205) all that is claimed.
        law: what the law adds to the sum follows the closing.
        evidence: the evidence file of each invoice is kept with the message.
        claims: money is asked for; else the message thanks, and carries neither an account to pay to nor papers.
    """

    key: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
    subject: Words
    opening: Annotated[tuple[Words, ...], Field(max_length=20)]
    closing: Annotated[tuple[Words, ...], Field(max_length=20)] = ()
    firmer: Words | None = None
    law: bool = False
    evidence: bool = False
    claims: bool = True


class TextBook(_Part):
    """Every text of an organisation; `days_to_pay`: what a formal notice leaves."""

    days_to_pay: Annotated[int, Field(ge=1, le=90)]
    texts: Annotated[tuple[MessageText, ...], Field(alias="text", min_length=1, max_length=200)]

    @model_validator(mode="after")
    def _once(self) -> Self:
        keys = [each.key for each in self.texts]
        if len(set(keys)) < len(keys):
            raise ValueError("two texts have the same key")
        return self

    def text(self, key: str) -> MessageText:
        """The text of a template, of the default book when this one has none. Raises NoTextError."""
        found = next((each for each in self.texts if each.key == key), None)
        found = found or next((each for each in default_texts().texts if each.key == key), None)
        if found is None:
            raise NoTextError(key)
        return found


@cache
def default_texts(on: date | None = None) -> TextBook:
    """The texts that hold on a day for whoever stores none."""
    books = data_file("reminder-texts.toml")["book"]
    found = in_force(books, on) or in_force(books)
    assert found is not None
    return TextBook.model_validate({key: value for key, value in found.items() if key != "valid_from"})


def read_texts(content: Mapping[str, Any]) -> TextBook:
    """A book from the content of a TOML or JSON document. Raises InvalidTextsError, which names each fault."""
    return read_content(TextBook, content, InvalidTextsError)


@dataclass(frozen=True, slots=True)
class LetterSayer(PageSayer):
    """Says facts, and the words that stand around every text, in the language of a letter."""

    def words(self, key: str, **values: object) -> str:
        """Standing words, such as `greeting`, filled."""
        return self.say(text_of(data_file("reminder-texts.toml")["words"][key])).format(**values)

    def days(self, count: int) -> str:
        """So many days."""
        return self.words("one_day" if self.is_one(count) else "days", count=count)


def words_of_law(treatment: str) -> Text:
    """The sentence on penalties and the indemnity, by what was chosen to become of them."""
    return text_of(data_file("reminder-texts.toml")["law"][treatment])
