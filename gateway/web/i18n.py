"""The words of the pages in French and English (`texts.toml`), and dates and amounts as each language writes them."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from importlib.resources import files

from gateway.kernel.clock import paris_date
from gateway.kernel.sayer import PageSayer
from gateway.kernel.text import Text, french_spaces


@cache
def texts() -> Mapping[str, Text]:
    """Every text of the pages under its dotted key, such as `alerts.title`."""
    tables = tomllib.loads(files("gateway.web").joinpath("texts.toml").read_text(encoding="utf-8"))
    return {
        f"{page}.{name}": Text(french_spaces(entry["fr"]), entry["en"])
        for page, table in tables.items()
        for name, entry in table.items()
    }


@dataclass(frozen=True, slots=True)
class Words(PageSayer):
    """How one language says things; templates call these methods as functions and filters."""

    def t(self, key: str, **values: object) -> str:
        """The text of `key`, its placeholders filled. Raises KeyError for a key that no one wrote."""
        return texts()[key].in_language(self.language).format(**values)

    def tn(self, key: str, count: int) -> str:
        """The text of `key.one` or `key.many`, by how the language counts, `{n}` being the count."""
        return self.t(f"{key}_{'one' if self.is_one(count) else 'many'}", n=self.number(count))

    def said(self, row: object, name: str) -> str:
        """The column `name_fr` or `name_en` of a row, empty when it is null."""
        return self.shown(getattr(row, f"{name}_{self.language}"))

    def shown(self, said: str | None) -> str:
        """What is said in this language already, as a page shows it; empty for nothing."""
        return self.say(Text.of(said or ""))

    def deadline(self, due_on: date, today: date) -> str:
        """How far a deadline is: late by so many days, today, or the date."""
        late = (today - due_on).days
        if late > 0:
            return self.tn("when.late", late)
        return self.t("when.today") if late == 0 else self.short_day(due_on)

    def age(self, since: datetime, now: datetime) -> str:
        """How many calendar days of Paris ago an instant was."""
        days = (paris_date(now) - paris_date(since)).days
        return self.t("when.today") if days <= 0 else self.tn("when.ago", days)
