"""Queries of the treasury's figures: what of receivables is open and what was sold, added up by the database."""

from collections.abc import Collection, Iterator
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, CompoundSelect, Subquery, case, false, func, or_, select, type_coerce
from sqlmodel import Session, col

from gateway.access.scope import Scope
from gateway.database.columns import Amount
from gateway.lifecycle.model import Direction, InvoiceRecord
from gateway.lifecycle.repository import visible_invoices
from gateway.treasury.aged_balance import OpenItem
from gateway.treasury.definitions import Bucket
from gateway.treasury.dso import Sale
from gateway.treasury.left_rows import contested, due_on, left_of_each
from gateway.treasury.receivables import disputed_by_statuses


def open_sums(session: Session, scope: Scope, as_of: date) -> Iterator[OpenItem]:
    """What is open of receivables issued by then, summed by due date, sign and issues, in one statement.

    An invoice of which the buyer contests an amount is an item of its own. A sum of both signs could be nil, and its
    invoices would count for none.
    """
    found, apart = left_of_each(scope), contested()
    due_date, is_credit = due_on(found, as_of).label("due_date"), (found.c.left < 0).label("is_credit")
    its_own = case((apart.c.tells_amount, found.c.id)).label("its_own")
    alike = [found.c.currency, due_date, is_credit, apart.c.issues, its_own]
    rows = session.execute(
        select(*alike, type_coerce(func.sum(found.c.left), Amount), func.count())
        .outerjoin(apart, apart.c.id == found.c.id)
        .where(*_is_open(found, as_of))
        .group_by(*alike)
    )
    for currency, day, _, issues, _, amount, invoices in rows:
        yield OpenItem(currency, day, amount, disputed_by_statuses(issues or (), amount), invoices)


def invoices_behind(
    session: Session, scope: Scope, as_of: date, currency: str, buckets: Collection[Bucket], *, disputed: bool
) -> CompoundSelect[UUID]:
    """A query of the invoices that some columns of an aged balance add up, and its `disputed` figure if so."""
    found, apart = left_of_each(scope), contested()
    due_date = due_on(found, as_of)
    every = (
        select(found.c.id)
        .outerjoin(apart, apart.c.id == found.c.id)
        .where(*_is_open(found, as_of), found.c.currency == currency)
    )
    in_buckets = or_(false(), *(due_date.between(*bucket.due_dates(as_of)) for bucket in buckets))
    alike = every.where(apart.c.id.is_(None), in_buckets)

    def counts(day: date, left: Decimal, issues: list[dict[str, Any]]) -> bool:
        contested_part, days_late = disputed_by_statuses(issues, left), (as_of - day).days
        in_column = left != contested_part and any(bucket.holds(days_late) for bucket in buckets)
        return in_column or (disputed and bool(contested_part))

    told = every.add_columns(due_date, found.c.left, apart.c.issues).where(apart.c.id.is_not(None))
    counted = [key for key, *facts in session.execute(told) if counts(*facts)]
    return alike.union_all(select(col(InvoiceRecord.id)).where(col(InvoiceRecord.id) == func.any(counted)))


def sales(session: Session, scope: Scope, first: date, last: date) -> Iterator[Sale]:
    """Invoices and credit notes that stand, issued between two days, both included, added up by day; nil ones left out.

    Read from the index `ix_invoice_issue` alone.
    """
    day = [col(InvoiceRecord.currency), col(InvoiceRecord.issue_date), col(InvoiceRecord.total_with_vat) < 0]
    rows = session.execute(
        select(*day, type_coerce(func.sum(col(InvoiceRecord.total_with_vat)), Amount), func.count())
        .where(
            visible_invoices(scope),
            col(InvoiceRecord.direction) == Direction.RECEIVABLE.value,
            col(InvoiceRecord.is_closed).is_(False),
            col(InvoiceRecord.total_with_vat) != 0,
            col(InvoiceRecord.issue_date).between(first, last),
        )
        .group_by(*day)
    )
    return (Sale(currency, issued_on, amount, invoices) for currency, issued_on, _, amount, invoices in rows)


def _is_open(found: Subquery, as_of: date) -> tuple[ColumnElement[bool], ...]:
    """Issued by `as_of`, with something left; neither rejected, cancelled nor refused."""
    return found.c.is_closed.is_(False), found.c.left != 0, found.c.issue_date <= as_of
