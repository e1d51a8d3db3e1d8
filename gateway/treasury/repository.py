"""Queries of the treasury's figures: what of receivables is open and what was sold, added up by the database."""

from collections.abc import Collection, Iterator
from datetime import date
from uuid import UUID

from sqlalchemy import ColumnElement, CompoundSelect, Subquery, false, func, or_, select, type_coerce
from sqlmodel import Session, col

from gateway.access.scope import Scope
from gateway.database.columns import Amount
from gateway.lifecycle.model import Direction, InvoiceRecord
from gateway.lifecycle.repository import visible_invoices
from gateway.treasury.aged_balance import OpenItem
from gateway.treasury.definitions import Bucket
from gateway.treasury.dso import Sale
from gateway.treasury.left_rows import contested, contested_ids, due_on, left_of_each
from gateway.treasury.receivables import disputed_by_statuses


def open_sums(session: Session, scope: Scope, as_of: date) -> Iterator[OpenItem]:
    """What is open of receivables issued by then: what is contested one by one, the rest summed by due date and sign.

    A sum of both signs could be nil, and its invoices would count for none. Two statements.
    """
    found = left_of_each(scope)
    due_date, is_credit = due_on(found, as_of).label("due_date"), (found.c.left < 0).label("is_credit")
    alike = [found.c.currency, due_date, is_credit]
    rows = session.execute(
        select(*alike, type_coerce(func.sum(found.c.left), Amount), func.count())
        .where(*_is_open(found, as_of), found.c.id.not_in(contested_ids()))
        .group_by(*alike)
    )
    for currency, day, _, amount, invoices in rows:
        yield OpenItem(currency, day, amount, invoices=invoices)
    yield from _contested_items(session, scope, as_of).values()


def invoices_behind(
    session: Session, scope: Scope, as_of: date, currency: str, buckets: Collection[Bucket], *, disputed: bool
) -> CompoundSelect[UUID]:
    """A query of the invoices that some columns of an aged balance add up, and its `disputed` figure if so."""
    found = left_of_each(scope)
    due_date = due_on(found, as_of)
    in_buckets = or_(false(), *(due_date.between(*bucket.due_dates(as_of)) for bucket in buckets))
    alike = select(found.c.id).where(
        *_is_open(found, as_of), found.c.currency == currency, in_buckets, found.c.id.not_in(contested_ids())
    )

    def counts(item: OpenItem) -> bool:
        days_late = (as_of - item.due_date).days
        in_column = item.amount != item.disputed and any(bucket.holds(days_late) for bucket in buckets)
        return item.currency == currency and (in_column or (disputed and bool(item.disputed)))

    apart = [key for key, item in _contested_items(session, scope, as_of).items() if counts(item)]
    return alike.union_all(select(col(InvoiceRecord.id)).where(col(InvoiceRecord.id) == func.any(apart)))


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


def _contested_items(session: Session, scope: Scope, as_of: date) -> dict[UUID, OpenItem]:
    """What is open of each invoice that has open issues, with the part that the buyer contests."""
    found, apart = left_of_each(scope), contested().subquery()
    rows = session.execute(
        select(found.c.id, found.c.currency, due_on(found, as_of), found.c.left, apart.c.issues)
        .join(apart, apart.c.id == found.c.id)
        .where(*_is_open(found, as_of))
    )
    return {
        key: OpenItem(currency, day, left, disputed_by_statuses(issues, left))
        for key, currency, day, left, issues in rows
    }


def _is_open(found: Subquery, as_of: date) -> tuple[ColumnElement[bool], ...]:
    """Issued by `as_of`, with something left; neither rejected, cancelled nor refused."""
    return found.c.is_closed.is_(False), found.c.left != 0, found.c.issue_date <= as_of
