"""Queries of receipts. The database keeps organisations apart; a `Scope` narrows what a person sees further."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import Subquery, func
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import Select, SelectOfScalar

from gateway.access.scope import Scope
from gateway.database.paging import Page, SortKey, fetch_page
from gateway.kernel.money import ZERO
from gateway.lifecycle.model import InvoiceRecord
from gateway.lifecycle.repository import visible_invoices
from gateway.treasury.allocating import Part
from gateway.treasury.errors import ReceiptNotFoundError
from gateway.treasury.model import Receipt, ReceiptAllocation, ReceiptDeclaration, ReceiptSource, ReceiptUse

_BY_DAY = (SortKey(col(Receipt.received_on), date.fromisoformat), SortKey(col(Receipt.id), UUID))


def receipt_by_id(session: Session, receipt_id: UUID) -> Receipt:
    """One receipt. Raises ReceiptNotFoundError."""
    found = session.get(Receipt, receipt_id)
    if found is None:
        raise ReceiptNotFoundError(receipt_id)
    return found


def receipt_of_reference(session: Session, source: ReceiptSource, reference: str) -> Receipt | None:
    """The receipt that a source told under that reference."""
    return session.exec(
        select(Receipt).where(
            Receipt.source == source.value,
            Receipt.external_reference == reference,
            col(Receipt.reverses_id).is_(None),
        )
    ).one_or_none()


def reversal_of(session: Session, receipt_id: UUID) -> Receipt | None:
    """The counter-entry of a receipt."""
    return session.exec(select(Receipt).where(Receipt.reverses_id == receipt_id)).one_or_none()


def reversals_of(session: Session, receipt_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """The counter-entry of each receipt that has one."""
    rows = session.exec(select(Receipt.reverses_id, Receipt.id).where(col(Receipt.reverses_id).in_(receipt_ids)))
    return {reversed_id: reversal for reversed_id, reversal in rows if reversed_id}


def allocations_of(session: Session, receipt_id: UUID) -> Sequence[ReceiptAllocation]:
    """What a receipt pays."""
    return session.exec(
        select(ReceiptAllocation)
        .where(ReceiptAllocation.receipt_id == receipt_id)
        .order_by(col(ReceiptAllocation.allocated_at), col(ReceiptAllocation.id))
    ).all()


def receipts_page(
    session: Session, scope: Scope, *, invoice_id: UUID | None, cursor: str | None, limit: int
) -> Page[Receipt]:
    """Receipts, the latest day first: all of them, or those that pay one invoice. Raises InvalidCursorError.

    Who sees a part of the organisation sees the receipts that pay an invoice of that part.
    """
    statement = select(Receipt)
    if invoice_id is not None or not scope.is_everything:
        paying = select(ReceiptAllocation.receipt_id).join(
            InvoiceRecord, col(InvoiceRecord.id) == ReceiptAllocation.invoice_id
        )
        paying = paying.where(visible_invoices(scope))
        if invoice_id is not None:
            paying = paying.where(InvoiceRecord.id == invoice_id)
        statement = statement.where(col(Receipt.id).in_(paying))
    return fetch_page(session, statement, _BY_DAY, cursor=cursor, limit=limit, descending=True)


def parts_of_receipts(session: Session, scope: Scope, receipt_ids: Collection[UUID]) -> list[tuple[Part, str]]:
    """The parts of these receipts, and of what they undo or what undoes them, each with its invoice's number (BT-1)."""
    mine = select(ReceiptAllocation.id, ReceiptAllocation.reverses_id).where(
        col(ReceiptAllocation.receipt_id).in_(receipt_ids)
    )
    known = {each for pair in session.exec(mine) for each in pair if each}
    rows = session.exec(
        select(ReceiptAllocation, col(Receipt.received_on), col(InvoiceRecord.number))
        .join(Receipt, col(Receipt.id) == ReceiptAllocation.receipt_id)
        .join(InvoiceRecord, col(InvoiceRecord.id) == ReceiptAllocation.invoice_id)
        .where(
            col(ReceiptAllocation.id).in_(known) | col(ReceiptAllocation.reverses_id).in_(known),
            visible_invoices(scope),
        )
        .order_by(col(ReceiptAllocation.allocated_at), col(ReceiptAllocation.id))
    ).all()
    declared = _declared(session, [row.id for row, _, _ in rows])
    return [(_part(row, day, declared), number) for row, day, number in rows]


def parts_of_invoices(session: Session, invoice_ids: Iterable[UUID]) -> dict[UUID, list[Part]]:
    """Every part that pays each invoice, the longest received first."""
    rows = session.exec(
        select(ReceiptAllocation, col(Receipt.received_on))
        .join(Receipt, col(Receipt.id) == ReceiptAllocation.receipt_id)
        .where(col(ReceiptAllocation.invoice_id).in_(invoice_ids))
        .order_by(col(Receipt.received_on), col(ReceiptAllocation.allocated_at), col(ReceiptAllocation.id))
    ).all()
    declared = _declared(session, [row.id for row, _ in rows])
    found: dict[UUID, list[Part]] = {}
    for row, day in rows:
        found.setdefault(row.invoice_id, []).append(_part(row, day, declared))
    return found


def events_telling(session: Session, allocation_ids: Collection[UUID]) -> dict[UUID, list[UUID]]:
    """The 212 statuses that tell of each allocation."""
    rows = session.exec(
        select(ReceiptDeclaration.allocation_id, ReceiptDeclaration.event_id)
        .where(col(ReceiptDeclaration.allocation_id).in_(allocation_ids))
        .order_by(col(ReceiptDeclaration.recorded_at), col(ReceiptDeclaration.id))
    )
    found: dict[UUID, list[UUID]] = {}
    for allocation_id, event_id in rows:
        found.setdefault(allocation_id, []).append(event_id)
    return found


def free_of_receipt(session: Session, receipt: Receipt) -> Decimal:
    """What of a receipt pays nothing yet; nothing once it is undone."""
    undone = session.exec(select(Receipt.id).where(Receipt.reverses_id == receipt.id)).first()
    if undone is not None or receipt.reverses_id is not None:
        return ZERO
    sums = (
        select(func.sum(ReceiptAllocation.amount)).where(ReceiptAllocation.receipt_id == receipt.id),
        select(func.sum(ReceiptUse.amount)).where(ReceiptUse.receipt_id == receipt.id),
    )
    return receipt.amount - sum((Decimal(session.exec(each).one() or ZERO) for each in sums), ZERO)


def undeclared_by_invoice(among: SelectOfScalar[UUID] | None = None) -> Subquery:
    """Received and told by no 212, by invoice: columns `invoice_id` and `amount`, the invoices with any only.

    `among`: of these invoices only, without a look at the money of the others.
    """
    sums = _declared_sums()
    if among is not None:
        parts = select(ReceiptAllocation.id).where(col(ReceiptAllocation.invoice_id).in_(among))
        sums = sums.where(col(ReceiptDeclaration.allocation_id).in_(parts))
    declared = sums.subquery()
    amount = func.sum(col(ReceiptAllocation.amount) - func.coalesce(declared.c.amount, ZERO))
    received = select(ReceiptAllocation.invoice_id, amount.label("amount")).outerjoin(
        declared, declared.c.allocation_id == ReceiptAllocation.id
    )
    if among is not None:
        received = received.where(col(ReceiptAllocation.invoice_id).in_(among))
    return received.group_by(col(ReceiptAllocation.invoice_id)).having(amount != 0).subquery()


def _declared_sums() -> Select[UUID, Decimal]:
    sums = select(col(ReceiptDeclaration.allocation_id), func.sum(ReceiptDeclaration.amount).label("amount"))
    return sums.group_by(col(ReceiptDeclaration.allocation_id))


def _declared(session: Session, allocation_ids: Collection[UUID]) -> dict[UUID, Decimal]:
    if not allocation_ids:
        return {}
    wanted = _declared_sums().where(col(ReceiptDeclaration.allocation_id).in_(allocation_ids))
    return dict(session.exec(wanted).all())


def _part(row: ReceiptAllocation, received_on: date, declared: dict[UUID, Decimal]) -> Part:
    return Part(
        id=row.id,
        receipt_id=row.receipt_id,
        invoice_id=row.invoice_id,
        received_on=received_on,
        amount=row.amount,
        declared=declared.get(row.id, ZERO),
        reverses_id=row.reverses_id,
    )
