"""Queries of write-offs, and of what they and money leave of invoices."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import Subquery, func, type_coerce, union_all
from sqlalchemy import select as select_columns
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from gateway.access.scope import Scope
from gateway.customers.model import CustomerInvoice
from gateway.database.columns import Amount
from gateway.database.paging import Page, SortKey, fetch_page
from gateway.kernel.money import ZERO
from gateway.lifecycle.model import InvoiceRecord
from gateway.lifecycle.repository import visible_invoices
from gateway.treasury.errors import WriteOffNotFoundError
from gateway.treasury.model import WriteOff, WriteOffKind
from gateway.treasury.receipt_rows import undeclared_by_invoice


@dataclass(slots=True)
class MadeByEntry:
    """The write-offs that a line of the books made.

    Attributes:
        standing: those that stand, by invoice. undone: whether one was undone otherwise than by the books.
    """

    standing: dict[UUID, WriteOff] = field(default_factory=dict)
    undone: bool = False


_LATEST = (SortKey(col(WriteOff.recorded_at), datetime.fromisoformat), SortKey(col(WriteOff.id), UUID))


def write_off_by_id(session: Session, scope: Scope, write_off_id: UUID) -> WriteOff:
    """One write-off. Raises WriteOffNotFoundError, also when its invoice lies outside the scope."""
    found = session.exec(
        select(WriteOff)
        .join(InvoiceRecord, col(InvoiceRecord.id) == WriteOff.invoice_id)
        .where(WriteOff.id == write_off_id, visible_invoices(scope))
    ).one_or_none()
    if found is None:
        raise WriteOffNotFoundError(write_off_id)
    return found


def undone_by(session: Session, write_off_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """The counter-entry of each write-off that has one."""
    rows = session.exec(select(WriteOff.reverses_id, WriteOff.id).where(col(WriteOff.reverses_id).in_(write_off_ids)))
    return {undone: counter for undone, counter in rows if undone}


def standing_of_invoices(session: Session, invoice_ids: Collection[UUID]) -> dict[UUID, list[WriteOff]]:
    """The write-offs of each invoice that were not undone, the first made first."""
    rows = session.exec(_standing().where(col(WriteOff.invoice_id) == func.any(list(invoice_ids))))
    return _by_invoice(rows)


def of_entries(session: Session, entry_ids: Collection[UUID]) -> dict[UUID, MadeByEntry]:
    """What stands of the write-offs that lines of the books made; lines that made none are left out."""
    rows = session.exec(
        select(WriteOff)
        .where(col(WriteOff.entry_id) == func.any(list(entry_ids)))
        .order_by(col(WriteOff.recorded_at), col(WriteOff.id))
    ).all()
    counters = {
        row.reverses_id: row
        for row in session.exec(select(WriteOff).where(col(WriteOff.reverses_id).in_([row.id for row in rows])))
    }
    found: dict[UUID, MadeByEntry] = {}
    for row in rows:
        if row.entry_id is None or row.reverses_id is not None:
            continue
        made = found.setdefault(row.entry_id, MadeByEntry())
        counter = counters.get(row.id)
        if counter is None:
            made.standing[row.invoice_id] = row
        elif counter.entry_id is None:  # not by the books, but by a person, or by money that came
            made.undone = True
    return found


def write_offs_page(
    session: Session,
    scope: Scope,
    *,
    invoice_id: UUID | None = None,
    customer_id: UUID | None = None,
    cursor: str | None = None,
    limit: int = 50,
) -> Page[WriteOff]:
    """Write-offs and counter-entries of invoices in scope, the latest first. Raises InvalidCursorError."""
    statement = (
        select(WriteOff)
        .join(InvoiceRecord, col(InvoiceRecord.id) == WriteOff.invoice_id)
        .where(visible_invoices(scope))
    )
    if invoice_id is not None:
        statement = statement.where(WriteOff.invoice_id == invoice_id)
    if customer_id is not None:
        theirs = select(CustomerInvoice.invoice_id).where(CustomerInvoice.customer_id == customer_id)
        statement = statement.where(col(WriteOff.invoice_id).in_(theirs))
    return fetch_page(session, statement, _LATEST, cursor=cursor, limit=limit, descending=True)


def written_off(session: Session, invoice_ids: Collection[UUID]) -> dict[UUID, Decimal]:
    """What is written off of each invoice; those of which nothing is are left out."""
    rows = session.exec(
        select(WriteOff.invoice_id, func.sum(WriteOff.amount))
        .where(col(WriteOff.invoice_id) == func.any(list(invoice_ids)))
        .group_by(col(WriteOff.invoice_id))
    )
    return {invoice_id: amount for invoice_id, amount in rows if amount}


def left_of(session: Session, invoices: Iterable[InvoiceRecord]) -> dict[UUID, Decimal]:
    """What is left of each invoice after its 212, its receipts and its write-offs; nothing once it is closed.

    One statement, whatever their number.
    """
    known = list(invoices)
    wanted = func.any([invoice.id for invoice in known])
    settled = settled_by_invoice(select(InvoiceRecord.id).where(col(InvoiceRecord.id) == wanted))
    amount = type_coerce(settled.c.amount, Amount)
    lowered = dict(session.execute(select_columns(settled.c.invoice_id, amount)).all())
    return {
        invoice.id: ZERO if invoice.is_closed else invoice.remaining - lowered.get(invoice.id, ZERO)
        for invoice in known
    }


def written_off_by_invoice(among: SelectOfScalar[UUID] | None = None) -> Subquery:
    """What is written off by invoice: columns `invoice_id` and `amount`; `among`: of these invoices only."""
    amount = func.sum(col(WriteOff.amount))
    statement = select(WriteOff.invoice_id, amount.label("amount")).group_by(col(WriteOff.invoice_id))
    if among is not None:
        statement = statement.where(col(WriteOff.invoice_id).in_(among))
    return statement.having(amount != 0).subquery()


def settled_by_invoice(among: SelectOfScalar[UUID] | None = None) -> Subquery:
    """What lowers an invoice beyond its statuses, received or written off: columns `invoice_id` and `amount`."""
    received, lost = undeclared_by_invoice(among), written_off_by_invoice(among)
    both = union_all(select_columns(received), select_columns(lost)).subquery()
    amount = func.sum(both.c.amount)
    totals = select_columns(both.c.invoice_id, amount.label("amount")).group_by(both.c.invoice_id)
    return totals.having(amount != 0).subquery()


def invoices_lost() -> SelectOfScalar[UUID]:
    """The invoices of which something stands written off as a bad debt."""
    loss = col(WriteOff.kind) == WriteOffKind.LOSS.value
    return (
        select(WriteOff.invoice_id)
        .where(loss)
        .group_by(col(WriteOff.invoice_id))
        .having(func.sum(col(WriteOff.amount)) != 0)
    )


def _standing() -> SelectOfScalar[WriteOff]:
    counter = aliased(WriteOff)
    undone = select(counter.id).where(col(counter.reverses_id) == WriteOff.id).exists()
    return (
        select(WriteOff)
        .where(col(WriteOff.reverses_id).is_(None), ~undone)
        .order_by(col(WriteOff.recorded_at), col(WriteOff.id))
    )


def _by_invoice(rows: Iterable[WriteOff]) -> dict[UUID, list[WriteOff]]:
    found: dict[UUID, list[WriteOff]] = {}
    for row in rows:
        found.setdefault(row.invoice_id, []).append(row)
    return found
