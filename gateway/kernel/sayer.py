"""Days, instants, amounts and numbers in words, as each language of the product writes them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from babel.dates import format_date, format_datetime
from babel.numbers import format_currency, format_decimal, format_percent

from gateway.kernel.clock import PARIS
from gateway.kernel.text import Language, Text

LOCALES: Mapping[Language, str] = {"fr": "fr_FR", "en": "en_GB"}


@dataclass(frozen=True, slots=True)
class Sayer:
    """How one language says facts. Nothing is rounded unless it is asked for."""

    language: Language

    @property
    def locale(self) -> str:
        """The locale that dates and numbers follow."""
        return LOCALES[self.language]

    def say(self, text: Text) -> str:
        """A bilingual text in this language."""
        return text.in_language(self.language)

    def money(self, amount: Decimal, currency: str) -> str:
        """An amount with its currency (ISO 4217), cents shown; a currency that is no such code stays as written."""
        return format_currency(amount, currency, locale=self.locale, decimal_quantization=False)

    def number(self, value: Decimal | int, *, decimals: int | None = None) -> str:
        """A number with its thousands apart; with `decimals`, rounded to so many."""
        if decimals is None:
            return format_decimal(value, locale=self.locale, decimal_quantization=False)
        return format_decimal(value, f"#,##0.{'0' * decimals}".rstrip("."), locale=self.locale)

    def percent(self, share: Decimal) -> str:
        """A share from 0 to 1 in whole hundredths."""
        return format_percent(share, locale=self.locale)

    def day(self, day: date) -> str:
        """A day with the name of its month: 5 octobre 2026, 1er octobre 2026."""
        return format_date(day, f"{self._number_of(day)} MMMM y", locale=self.locale)

    def short_day(self, day: date) -> str:
        """The same where room is short: 5 oct. 2026."""
        return format_date(day, f"{self._number_of(day)} MMM y", locale=self.locale)

    def figures(self, day: date) -> str:
        """A day in figures: 05/10/2026."""
        return format_date(day, "dd/MM/y", locale=self.locale)

    def moment(self, instant: datetime) -> str:
        """An instant in Paris time, to the minute: 5 oct. 2026, 14:05."""
        day = self._number_of(instant.astimezone(PARIS).date())
        return format_datetime(instant, f"{day} MMM y, HH:mm", tzinfo=PARIS, locale=self.locale)

    def _number_of(self, day: date) -> str:
        """The pattern of a day in its month: French says the first one as an ordinal."""
        return "d'er'" if self.language == "fr" and day.day == 1 else "d"

    def is_one(self, count: int) -> bool:
        """Whether so many are said in the singular."""
        return count <= 1 if self.language == "fr" else count == 1


class PageSayer(Sayer):
    """Says sentences as a page, a mail or a letter shows them."""

    def say(self, text: Text) -> str:
        """A bilingual text in this language, its spaces as French wants them beside double marks."""
        return text.on_page(self.language)


FRENCH, ENGLISH = Sayer("fr"), Sayer("en")


def in_both(said: Callable[[Sayer], str]) -> Text:
    """The same in French and in English."""
    return Text(said(FRENCH), said(ENGLISH))


def filled(sentence: Text, facts: Callable[[Sayer], Mapping[str, str]]) -> Text:
    """A sentence whose `{name}` placeholders are filled with facts as each language says them."""
    return in_both(lambda say: say.say(sentence).format_map(facts(say)))
