"""Write off what is left of an invoice, undo it, and let money that comes after all undo it.

A write-off is a decision of ours, not of the customer's: nothing is told to the platforms, the invoice is no longer
chased, and what is left of it falls. Every writer first takes its turn on the organisation's ledger.
"""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlmodel import Session

from gateway.access.scope import Scope
from gateway.database.engine import organisation_of
from gateway.kernel.clock import paris_date
from gateway.kernel.money import CENT, ZERO
from gateway.kernel.text import Text
from gateway.ledger.service import append, take_turn
from gateway.lifecycle.model import Direction, InvoiceRecord
from gateway.lifecycle.records import key_of_invoice
from gateway.lifecycle.repository import invoice_by_id
from gateway.treasury import write_off_rows
from gateway.treasury.allocating import undeclared
from gateway.treasury.definitions import definitions
from gateway.treasury.errors import (
    InvoiceNotReceivableError,
    SmallDifferenceTooLargeError,
    WriteOffAmountError,
    WriteOffNotReversibleError,
    WriteOffWithoutReasonError,
)
from gateway.treasury.model import WriteOff, WriteOffKind
from gateway.treasury.receipt_rows import parts_of_invoices

#: Who undoes a write-off when money comes.
_GATEWAY = "gateway"
_PAID_AFTER_ALL = Text("De l’argent est arrivé après tout.", "Money came after all.")


def write_off(
    session: Session,
    scope: Scope,
    invoice_id: UUID,
    amount: Decimal | None,
    *,
    kind: WriteOffKind,
    reason: str,
    by: str,
    now: datetime,
    entry_id: UUID | None = None,
    on: date | None = None,
) -> WriteOff:
    """Write off a part of what is left of an invoice or of a credit note, all of it when `amount` is None.

    `amount` bears the sign of what is left. `entry_id`: the line of the books that tells it; `on`: its day, today when
    None. Raises InvoiceNotFoundError, InvoiceNotReceivableError, WriteOffAmountError, SmallDifferenceTooLargeError,
    WriteOffWithoutReasonError.
    """
    take_turn(session)
    invoice = invoice_by_id(session, scope, invoice_id)
    if invoice.direction != Direction.RECEIVABLE:
        raise InvoiceNotReceivableError(invoice.number)
    left = write_off_rows.left_of(session, [invoice])[invoice.id]
    given_up = left if amount is None else amount
    if given_up * left <= 0 or abs(given_up) > abs(left) or given_up % CENT:
        raise WriteOffAmountError(invoice.number, given_up, left)
    day = on or paris_date(now)
    most = definitions(day).small_difference
    if kind is WriteOffKind.SMALL_DIFFERENCE and abs(given_up) > most:
        raise SmallDifferenceTooLargeError(given_up, most)
    row = WriteOff(
        organisation_id=organisation_of(session),
        invoice_id=invoice.id,
        amount=given_up,
        kind=kind.value,
        reason=_required(reason),
        written_off_on=day,
        recorded_at=now,
        recorded_by=by,
        entry_id=entry_id,
    )
    _keep(session, invoice, row, now)
    return row


def undo_write_off(
    session: Session,
    scope: Scope,
    write_off_id: UUID,
    *,
    reason: str,
    by: str,
    now: datetime,
    entry_id: UUID | None = None,
) -> WriteOff:
    """Undo a write-off by a counter-entry of today: what it wrote off is awaited again.

    `entry_id`: the line of the books that made it and tells it no more. Raises WriteOffNotFoundError,
    WriteOffNotReversibleError, WriteOffWithoutReasonError.
    """
    take_turn(session)
    row = write_off_rows.write_off_by_id(session, scope, write_off_id)
    other = write_off_rows.undone_by(session, [row.id]).get(row.id) or row.reverses_id
    if other is not None:
        raise WriteOffNotReversibleError(row.id, other)
    return _undo(session, session.get_one(InvoiceRecord, row.invoice_id), row, _required(reason), by, now, entry_id)


def give_way_to_money(session: Session, invoice: InvoiceRecord, now: datetime) -> None:
    """Undo the latest write-offs that leave less than nothing, once money came in: nobody owes less than nothing.

    The caller holds its turn and has written the money.
    """
    standing = write_off_rows.standing_of_invoices(session, [invoice.id]).get(invoice.id, [])
    if not standing or invoice.is_closed:
        return
    parts = parts_of_invoices(session, [invoice.id]).get(invoice.id, ())
    unpaid = invoice.remaining - sum(undeclared(parts).values(), ZERO)
    for row in too_many(standing, unpaid):
        _undo(session, invoice, row, _PAID_AFTER_ALL.fr, _GATEWAY, now)


def too_many(standing: Sequence[WriteOff], unpaid: Decimal) -> list[WriteOff]:
    """Which write-offs, the latest first, are to be undone so that the others fit into what is unpaid. Pure."""
    total = sum((row.amount for row in standing), ZERO)
    found = []
    for row in reversed(standing):
        if total * unpaid > 0 and abs(total) <= abs(unpaid):
            break
        found.append(row)
        total -= row.amount
    return found


def _undo(
    session: Session,
    invoice: InvoiceRecord,
    row: WriteOff,
    reason: str,
    by: str,
    now: datetime,
    entry_id: UUID | None = None,
) -> WriteOff:
    counter = WriteOff(
        organisation_id=row.organisation_id,
        invoice_id=row.invoice_id,
        amount=-row.amount,
        kind=row.kind,
        reason=reason,
        written_off_on=paris_date(now),
        recorded_at=now,
        recorded_by=by,
        reverses_id=row.id,
        entry_id=entry_id,
    )
    _keep(session, invoice, counter, now)
    return counter


def _keep(session: Session, invoice: InvoiceRecord, row: WriteOff, now: datetime) -> None:
    """Write the row and its entry of the ledger, and have the deadlines and agreements of the invoice looked at."""
    invoice.next_check_at = now
    session.add_all([row, invoice])
    append(
        session,
        at=now,
        kind="write_off.undone" if row.reverses_id else "write_off.recorded",
        subject=f"invoice:{key_of_invoice(invoice)}",
        content={
            "write_off_id": str(row.id),
            "amount": str(row.amount),
            "currency": invoice.currency,
            "kind": row.kind,
            "reason": row.reason,
            "on": row.written_off_on.isoformat(),
            "by": row.recorded_by,
            "reverses": str(row.reverses_id) if row.reverses_id else None,
            "entry_id": str(row.entry_id) if row.entry_id else None,
        },
    )


def _required(reason: str) -> str:
    if not reason.strip():
        raise WriteOffWithoutReasonError
    return reason.strip()
