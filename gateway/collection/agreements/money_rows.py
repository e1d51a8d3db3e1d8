"""What came in for invoices and what is left to pay of them, from receipts and statuses 212, each amount once."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import and_, func, or_
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from gateway.access.scope import Scope
from gateway.collection.agreements.money import Money
from gateway.customers.model import CustomerInvoice
from gateway.kernel.clock import paris_date
from gateway.kernel.money import ZERO
from gateway.lifecycle.model import Direction, InvoiceRecord, LifecycleEvent
from gateway.lifecycle.projection import COLLECTED
from gateway.lifecycle.records import status_event
from gateway.lifecycle.repository import visible_invoices
from gateway.treasury.model import Receipt, ReceiptAllocation, ReceiptDeclaration
from gateway.treasury.write_off_rows import written_off

_RECEIVED = "212"


@dataclass(frozen=True, slots=True)
class Owed:
    """An invoice and what is left to pay of it: nothing once it is rejected, cancelled or refused."""

    invoice: InvoiceRecord
    amount: Decimal


def money_of(session: Session, invoice_ids: Collection[UUID]) -> list[Money]:
    """All that came in for these invoices or went back, in three statements.

    A receipt counts on its day, and what a 212 tells of it does not count again. A receipt undone by a counter-entry
    never came.
    """
    if not invoice_ids:
        return []
    return [*_receipts(session, invoice_ids), *_statuses(session, invoice_ids)]


def owed_of(session: Session, invoice_ids: Collection[UUID]) -> dict[UUID, Owed]:
    """What is left to pay of each of these invoices, in three statements."""
    found = _owed(session, select(InvoiceRecord).where(col(InvoiceRecord.id) == func.any(list(invoice_ids))))
    return {each.invoice.id: each for each in found}


def open_invoices_of(session: Session, scope: Scope, customer_id: UUID, currency: str) -> list[Owed]:
    """The open receivables of a customer in one currency that may be seen, the first due first; no credit notes."""
    mine = select(CustomerInvoice.invoice_id).where(CustomerInvoice.customer_id == customer_id)
    went_back = (
        select(ReceiptAllocation.id)
        .where(ReceiptAllocation.invoice_id == InvoiceRecord.id, col(ReceiptAllocation.amount) < 0)
        .exists()
    )
    statement = select(InvoiceRecord).where(
        col(InvoiceRecord.id).in_(mine),
        InvoiceRecord.direction == Direction.RECEIVABLE.value,
        InvoiceRecord.currency == currency,
        or_(col(InvoiceRecord.remaining) > 0, went_back),
        visible_invoices(scope),
    )
    by_due_date = (func.coalesce(InvoiceRecord.due_date, InvoiceRecord.issue_date), col(InvoiceRecord.id))
    return [each for each in _owed(session, statement.order_by(*by_due_date)) if each.amount > 0]


def _owed(session: Session, statement: SelectOfScalar[InvoiceRecord]) -> list[Owed]:
    invoices = session.exec(statement.execution_options(populate_existing=True)).all()
    ids = [each.id for each in invoices]
    untold, lost = _untold(session, ids), written_off(session, ids)
    left = {each.id: each.remaining - untold.get(each.id, ZERO) - lost.get(each.id, ZERO) for each in invoices}
    return [Owed(each, ZERO if each.is_closed else left[each.id]) for each in invoices]


def _untold(session: Session, invoice_ids: Sequence[UUID]) -> dict[UUID, Decimal]:
    """Received for each invoice and told by no 212; looked up by invoice, not added up over all receipts."""
    told = (
        select(func.sum(ReceiptDeclaration.amount))
        .where(ReceiptDeclaration.allocation_id == ReceiptAllocation.id)
        .scalar_subquery()
    )
    rows = session.exec(
        select(ReceiptAllocation.invoice_id, func.sum(ReceiptAllocation.amount - func.coalesce(told, ZERO)))
        .where(col(ReceiptAllocation.invoice_id) == func.any(list(invoice_ids)))
        .group_by(col(ReceiptAllocation.invoice_id))
    )
    return dict(rows.all())


def _receipts(session: Session, invoice_ids: Collection[UUID]) -> Iterator[Money]:
    rows = session.exec(
        select(ReceiptAllocation, col(Receipt.received_on))
        .join(Receipt, col(Receipt.id) == ReceiptAllocation.receipt_id)
        .where(col(ReceiptAllocation.invoice_id) == func.any(list(invoice_ids)))
    ).all()
    undone = {part.reverses_id for part, _ in rows}
    for part, day in rows:
        if part.reverses_id is None and part.id not in undone:
            yield Money(part.invoice_id, day, part.allocated_at, part.amount)


def _statuses(session: Session, invoice_ids: Collection[UUID]) -> Iterator[Money]:
    """What the 212 tell beyond receipts, on the day of the payment (MDT-219), else of the status."""
    same_key = and_(
        col(LifecycleEvent.direction) == InvoiceRecord.direction,
        col(LifecycleEvent.number) == InvoiceRecord.number,
        col(LifecycleEvent.seller_siren) == InvoiceRecord.seller_siren,
        col(LifecycleEvent.year) == InvoiceRecord.year,
    )
    rows = session.exec(
        select(InvoiceRecord.id, InvoiceRecord.currency, LifecycleEvent)
        .join(LifecycleEvent, same_key)
        .where(col(InvoiceRecord.id) == func.any(list(invoice_ids)), LifecycleEvent.status == _RECEIVED)
    ).all()
    told = _told_of_receipts(session, [row.id for _, _, row in rows])
    for invoice_id, currency, row in rows:
        by_day: dict[date, Decimal] = {}
        for each in status_event(row).data(COLLECTED):
            day = (each.on.day if each.on else None) or paris_date(row.status_at)
            if each.currency in ("", currency):
                by_day[day] = by_day.get(day, ZERO) + (each.amount or ZERO)
        untold = told.get(row.id, ZERO)
        for day, amount in sorted(by_day.items()):
            covered = min(untold, amount, key=abs) if untold * amount > 0 else ZERO
            untold -= covered
            if amount != covered:
                yield Money(invoice_id, day, row.recorded_at, amount - covered)


def _told_of_receipts(session: Session, event_ids: Collection[UUID]) -> dict[UUID, Decimal]:
    if not event_ids:
        return {}
    rows = session.exec(
        select(ReceiptDeclaration.event_id, func.sum(ReceiptDeclaration.amount))
        .where(col(ReceiptDeclaration.event_id) == func.any(list(event_ids)))
        .group_by(col(ReceiptDeclaration.event_id))
    )
    return dict(rows.all())
