"""How the treasury counts and what it calls its figures. Data: `schemas/treasury.toml`."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cache

from gateway.kernel.dated import Table, data_file, in_force, text_of
from gateway.kernel.text import Text


@dataclass(frozen=True, slots=True)
class Bucket:
    """A column of the aged balance: from `first` to `last` days late, both included, None without end."""

    code: str
    label: Text
    first: int | None
    last: int | None

    def holds(self, days_late: int) -> bool:
        """True when an item so many days late (negative before its due date) belongs here."""
        return (self.first is None or self.first <= days_late) and (self.last is None or days_late <= self.last)

    def due_dates(self, as_of: date) -> tuple[date, date]:
        """The first and the last due date that it holds on `as_of`, both included."""
        earliest = date.min if self.last is None else as_of - timedelta(days=self.last)
        latest = date.max if self.first is None else as_of - timedelta(days=self.first)
        return earliest, latest

    @property
    def is_late(self) -> bool:
        """True when what it holds is past its due date."""
        return self.first is not None and self.first > 0


@dataclass(frozen=True, slots=True)
class FigureWords:
    """What a figure of receivables is called, and what it means, for people."""

    label: Text
    means: Text


@dataclass(frozen=True, slots=True)
class Definitions:
    """The definitions in force.

    Attributes:
        buckets: columns of the aged balance, the youngest first; they leave no gap.
        default_term_days: days from issue to due date for an invoice that gives no due date.
        dso_months: how many months of sales the count-back reads.
        small_difference: the largest remainder that may be written off as one, in any currency.
    """

    buckets: tuple[Bucket, ...]
    default_term_days: int
    dso_months: int
    small_difference: Decimal


@cache
def definitions(on: date | None = None) -> Definitions:
    """The definitions in force `on` a day, the latest when None or when the day is before the first version."""
    aged, dso = _version("aged_balance", on), _version("dso", on)
    return Definitions(
        buckets=tuple(
            Bucket(each["code"], text_of(each), each.get("from"), each.get("to")) for each in aged["buckets"]
        ),
        default_term_days=aged["default_term_days"],
        dso_months=dso["months"],
        small_difference=Decimal(_version("small_difference", on)["most"]),
    )


@cache
def figure_words(code: str) -> FigureWords:
    """The words of a figure of receivables, by its code."""
    table = data_file("treasury.toml")["figure"][code]
    return FigureWords(text_of(table), text_of(table["means"]))


def _version(name: str, on: date | None) -> Table:
    entry = data_file("treasury.toml")[name]
    return in_force(entry, on) or in_force(entry) or {}
