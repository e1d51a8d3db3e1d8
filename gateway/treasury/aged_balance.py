"""The aged balance: what customers still owe, by how late it is. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from gateway.kernel.money import ZERO
from gateway.treasury.definitions import Bucket


@dataclass(frozen=True, slots=True)
class OpenItem:
    """What is still open of one invoice, or of several alike, added up; negative for credit notes and overpayments.

    Attributes:
        currency: BT-5.
        due_date: BT-9, or the default term.
        amount: amount due (BT-115, negative for a credit note) less what was collected, received or written off.
        disputed: the part of `amount` that the buyer contests.
        invoices: how many it stands for; several are of one sign, and all disputed whole or not at all; 0: the books
            alone know it.
    """

    currency: str
    due_date: date
    amount: Decimal
    disputed: Decimal = ZERO
    invoices: int = 1


@dataclass(frozen=True, slots=True)
class Figure:
    """An amount, how many invoices it adds up, and the part of it that only the books know."""

    amount: Decimal = ZERO
    invoices: int = 0
    books_only: Decimal = ZERO

    @classmethod
    def of(cls, parts: Iterable[tuple[Decimal, int]]) -> "Figure":
        """The sum of amounts, each of so many invoices, none for what the books alone know; nil amounts count none."""
        counted = [(amount, invoices) for amount, invoices in parts if amount]
        return cls(
            amount=sum((amount for amount, _ in counted), ZERO),
            invoices=sum(invoices for _, invoices in counted),
            books_only=sum((amount for amount, invoices in counted if not invoices), ZERO),
        )


@dataclass(frozen=True, slots=True)
class AgedColumn:
    """One bucket and what it holds."""

    bucket: Bucket
    figure: Figure


@dataclass(frozen=True, slots=True)
class AgedBalance:
    """The open items of one currency on a day.

    Attributes:
        balance: all that is open: every column and the disputed parts.
        columns: by how late it is, without what is disputed.
        disputed: the disputed parts, which are in no column.
    """

    currency: str
    as_of: date
    balance: Figure
    columns: tuple[AgedColumn, ...]
    disputed: Figure

    @property
    def total(self) -> Decimal:
        """The amount of all that is open."""
        return self.balance.amount


def age(items: Iterable[OpenItem], as_of: date, buckets: Sequence[Bucket]) -> list[AgedBalance]:
    """One aged balance for each currency met, in alphabetical order.

    An item due on `as_of` is not late yet: it is late from the day after.
    """
    by_currency: dict[str, list[OpenItem]] = {}
    for item in items:
        by_currency.setdefault(item.currency, []).append(item)
    return [_balance(currency, by_currency[currency], as_of, buckets) for currency in sorted(by_currency)]


def _balance(currency: str, items: list[OpenItem], as_of: date, buckets: Sequence[Bucket]) -> AgedBalance:
    found: dict[str, list[OpenItem]] = {bucket.code: [] for bucket in buckets}
    for item in items:
        days_late = (as_of - item.due_date).days
        found[next(bucket.code for bucket in buckets if bucket.holds(days_late))].append(item)
    return AgedBalance(
        currency=currency,
        as_of=as_of,
        balance=Figure.of((item.amount, item.invoices) for item in items),
        columns=tuple(
            AgedColumn(bucket, Figure.of((item.amount - item.disputed, item.invoices) for item in found[bucket.code]))
            for bucket in buckets
        ),
        disputed=Figure.of((item.disputed, item.invoices) for item in items),
    )
