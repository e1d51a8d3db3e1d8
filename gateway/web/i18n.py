"""The words of the pages in French and English (`texts.toml`), and dates and amounts as each language writes them."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from importlib.resources import files

from babel.dates import format_date, format_datetime
from babel.numbers import format_currency, format_decimal

from gateway.kernel.clock import PARIS, paris_date
from gateway.kernel.text import Language, Text

_LOCALES: dict[Language, str] = {"fr": "fr_FR", "en": "en_GB"}


@cache
def texts() -> Mapping[str, Text]:
    """Every text of the pages under its dotted key, such as `alerts.title`."""
    tables = tomllib.loads(files("gateway.web").joinpath("texts.toml").read_text(encoding="utf-8"))
    return {
        f"{page}.{name}": Text(entry["fr"], entry["en"])
        for page, table in tables.items()
        for name, entry in table.items()
    }


@dataclass(frozen=True, slots=True)
class Words:
    """How one language says things; templates call these methods as functions and filters."""

    language: Language

    @property
    def locale(self) -> str:
        """The locale that dates and numbers follow."""
        return _LOCALES[self.language]

    def t(self, key: str, **values: object) -> str:
        """The text of `key`, its placeholders filled. Raises KeyError for a key that no one wrote."""
        return texts()[key].in_language(self.language).format(**values)

    def tn(self, key: str, count: int) -> str:
        """The text of `key.one` or `key.many`, by how the language counts, `{n}` being the count."""
        one = count <= 1 if self.language == "fr" else count == 1
        return self.t(f"{key}_{'one' if one else 'many'}", n=self.number(count))

    def say(self, text: Text) -> str:
        """A bilingual text in this language."""
        return text.in_language(self.language)

    def said(self, row: object, name: str) -> str:
        """The column `name_fr` or `name_en` of a row, empty when it is null."""
        return str(getattr(row, f"{name}_{self.language}") or "")

    def money(self, amount: Decimal, currency: str) -> str:
        """An amount with its currency, cents shown; a currency that is no ISO code stays as written."""
        return format_currency(amount, currency, locale=self.locale, decimal_quantization=False)

    def number(self, value: Decimal | int) -> str:
        """A number with its thousands apart."""
        return format_decimal(value, locale=self.locale)

    def day(self, value: date) -> str:
        """A legal date, short: 5 oct. 2026."""
        return format_date(value, "d MMM y", locale=self.locale)

    def moment(self, value: datetime) -> str:
        """An instant in Paris time, to the minute."""
        return format_datetime(value, "d MMM y, HH:mm", tzinfo=PARIS, locale=self.locale)

    def deadline(self, due_on: date, today: date) -> str:
        """How far a deadline is: late by so many days, today, or the date."""
        late = (today - due_on).days
        if late > 0:
            return self.tn("when.late", late)
        return self.t("when.today") if late == 0 else self.day(due_on)

    def age(self, since: datetime, now: datetime) -> str:
        """How many calendar days of Paris ago an instant was."""
        days = (paris_date(now) - paris_date(since)).days
        return self.t("when.today") if days <= 0 else self.tn("when.ago", days)
