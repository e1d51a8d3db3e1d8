"""The treasury's figures from the invoices as the lifecycle left them, and the invoices behind them."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from sqlalchemy import SelectBase
from sqlmodel import Session

from gateway.access.scope import Scope
from gateway.kernel.money import ZERO
from gateway.treasury import repository
from gateway.treasury.accounting.opening_rows import opening_items
from gateway.treasury.aged_balance import AgedBalance, OpenItem, age
from gateway.treasury.definitions import Bucket, definitions
from gateway.treasury.dso import Dso, count_back


@dataclass(frozen=True, slots=True)
class Figures:
    """What the treasury looks at first, one of each for each currency."""

    balances: list[AgedBalance]
    dsos: list[Dso]


@dataclass(frozen=True, slots=True)
class Behind:
    """What a figure adds up: its invoices, as a query of them, and the part of it that only the books know."""

    invoices: SelectBase
    books_only: Decimal


def figures(session: Session, scope: Scope, as_of: date) -> Figures:
    """The aged balances and the DSO on `as_of` (Europe/Paris), from one reading of what is open.

    Amounts are those of now: a past `as_of` ages today's open items, it does not bring back yesterday's. What only the
    books know is in the balances; it is not in the DSO, whose sales are those of the gateway.
    """
    items, counted = list(repository.open_sums(session, scope, as_of)), definitions(as_of)
    openings = (
        OpenItem(each.currency, each.due_date, each.remaining, invoices=0)
        for each in opening_items(session, scope, as_of)
    )
    sales = repository.sales(session, scope, _first_day(as_of, counted.dso_months), as_of)
    return Figures(age([*items, *openings], as_of, counted.buckets), count_back(items, sales, as_of))


def aged_balance(session: Session, scope: Scope, as_of: date) -> list[AgedBalance]:
    """What customers owe today by how late it is on `as_of`; see `figures`."""
    return figures(session, scope, as_of).balances


def days_sales_outstanding(session: Session, scope: Scope, as_of: date) -> list[Dso]:
    """Count-back DSO on `as_of`; see `figures`."""
    return figures(session, scope, as_of).dsos


def behind(
    session: Session, scope: Scope, as_of: date, currency: str, buckets: Collection[Bucket], *, disputed: bool
) -> Behind:
    """What some columns of an aged balance add up, and its `disputed` figure if so."""
    days_late = (
        ((as_of - each.due_date).days, each.remaining)
        for each in opening_items(session, scope, as_of)
        if each.currency == currency
    )
    return Behind(
        invoices=repository.invoices_behind(session, scope, as_of, currency, buckets, disputed=disputed),
        books_only=sum((left for days, left in days_late if any(bucket.holds(days) for bucket in buckets)), ZERO),
    )


def _first_day(as_of: date, months: int) -> date:
    """The first day of the oldest of so many months, that of `as_of` being the latest."""
    first = as_of.replace(day=1)
    for _ in range(months - 1):
        first = (first - timedelta(days=1)).replace(day=1)
    return first
