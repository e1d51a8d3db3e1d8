"""The aged balance: what customers still owe, by how late it is. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from gateway.kernel.money import ZERO
from gateway.treasury.definitions import Bucket


@dataclass(frozen=True, slots=True)
class OpenItem:
    """What is still open of one invoice; negative for a credit note or an overpayment.

    Attributes:
        invoice_id: the invoice; None for what only the books know.
        currency: BT-5.
        due_date: BT-9, or the default term.
        amount: amount due (BT-115, negative for a credit note) less what was collected or received.
        disputed: the part of `amount` that the buyer contests.
    """

    invoice_id: UUID | None
    currency: str
    due_date: date
    amount: Decimal
    disputed: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Figure:
    """An amount, the invoices it adds up, and the part of it that only the books know."""

    amount: Decimal = ZERO
    invoices: tuple[UUID, ...] = ()
    books_only: Decimal = ZERO

    @classmethod
    def of(cls, parts: Iterable[tuple[Decimal, UUID | None]]) -> "Figure":
        """The sum of amounts, each of one invoice; nil amounts do not count."""
        counted = [(amount, invoice_id) for amount, invoice_id in parts if amount]
        return cls(
            amount=sum((amount for amount, _ in counted), ZERO),
            invoices=tuple(invoice_id for _, invoice_id in counted if invoice_id),
            books_only=sum((amount for amount, invoice_id in counted if not invoice_id), ZERO),
        )


@dataclass(frozen=True, slots=True)
class AgedColumn:
    """One bucket and what it holds."""

    bucket: Bucket
    figure: Figure


@dataclass(frozen=True, slots=True)
class AgedBalance:
    """The open items of one currency on a day. Disputed parts are apart: they are in no column."""

    currency: str
    as_of: date
    columns: tuple[AgedColumn, ...]
    disputed: Figure

    @property
    def total(self) -> Decimal:
        """Every column and the disputed part: all that is open."""
        return sum((column.figure.amount for column in self.columns), self.disputed.amount)


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
        columns=tuple(
            AgedColumn(bucket, Figure.of((item.amount - item.disputed, item.invoice_id) for item in found[bucket.code]))
            for bucket in buckets
        ),
        disputed=Figure.of((item.disputed, item.invoice_id) for item in items),
    )
