"""Record money received, undo mistakes, and know which of it the statuses tell.

Every writer first takes its turn on the organisation's ledger, so that none allocates what another just did.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlmodel import Session

from gateway.access.scope import Scope
from gateway.alerts.deadlines import Receipt as ReceiptKnown
from gateway.customers.repository import find_customer
from gateway.database.engine import organisation_of
from gateway.kernel.clock import paris_date
from gateway.kernel.money import ZERO
from gateway.ledger.service import append, take_turn
from gateway.lifecycle.model import Direction, InvoiceRecord
from gateway.lifecycle.projection import COLLECTED
from gateway.lifecycle.records import key_of_invoice
from gateway.lifecycle.repository import invoice_by_id
from gateway.lifecycle.service import RecordedEvent
from gateway.treasury import receipt_rows
from gateway.treasury.accounting.opening_rows import look_again, paid_by_receipt
from gateway.treasury.allocating import NewReceipt, Part, require_room, require_sound, told, undeclared
from gateway.treasury.errors import (
    InvoiceNotReceivableError,
    ReceiptConflictError,
    ReceiptCurrencyError,
    ReceiptNotReversibleError,
    ReversalWithoutReasonError,
)
from gateway.treasury.model import Receipt, ReceiptAllocation, ReceiptDeclaration, ReceiptSource
from gateway.treasury.write_off_rows import written_off
from gateway.treasury.writing_off import give_way_to_money

_RECEIVED = "212"
_TELLING_OF = "receipt_allocation"


@dataclass(frozen=True, slots=True)
class RecordedReceipt:
    """The receipt as recorded; `known` when it had been before, and nothing was written."""

    receipt: Receipt
    known: bool


def record_receipt(
    session: Session, scope: Scope, new: NewReceipt, *, source: ReceiptSource, by: str, now: datetime
) -> RecordedReceipt:
    """Record money received, once for each reference of a source, and what it pays among the invoices in scope.

    Raises ReceiptConflictError when the reference names other content, InvoiceNotFoundError, or another ReceiptError.
    """
    take_turn(session)
    known = receipt_rows.receipt_of_reference(session, source, new.reference)
    if known is not None:
        if _content(session, known) != new:
            raise ReceiptConflictError(new.reference, known.id)
        return RecordedReceipt(known, known=True)
    require_sound(new, paris_date(now))
    paid = [(_payable_by(session, scope, new, each), amount) for each, amount in new.allocations.items()]
    receipt = Receipt(
        organisation_id=organisation_of(session),
        amount=new.amount,
        currency=new.currency,
        received_on=new.received_on,
        payer_reference=new.payer_reference,
        source=source.value,
        external_reference=new.reference,
        comment=new.comment,
        recorded_at=now,
        recorded_by=by,
        customer_id=None if new.customer_id is None else find_customer(session, scope, str(new.customer_id)).id,
    )
    _write(session, receipt, now)
    for invoice, amount in paid:
        _allocate(session, receipt, invoice, amount, now)
        give_way_to_money(session, invoice, now)
    return RecordedReceipt(receipt, known=False)


def reverse_receipt(
    session: Session, scope: Scope, receipt_id: UUID, *, reason: str, by: str, now: datetime
) -> Receipt:
    """Undo a receipt that pays invoices in scope only, by a counter-entry of today: what it paid is open again.

    What a 212 told of it stays told until a negative one tells the counter-entry. Raises ReceiptNotFoundError,
    InvoiceNotFoundError, ReceiptNotReversibleError, ReversalWithoutReasonError.
    """
    take_turn(session)
    receipt = receipt_rows.receipt_by_id(session, receipt_id)
    reversal = receipt_rows.reversal_of(session, receipt_id)
    other = reversal.id if reversal else receipt.reverses_id
    if other is not None:
        raise ReceiptNotReversibleError(receipt_id, other)
    if not reason.strip():
        raise ReversalWithoutReasonError
    counter = Receipt(
        organisation_id=receipt.organisation_id,
        amount=-receipt.amount,
        currency=receipt.currency,
        received_on=paris_date(now),
        payer_reference=receipt.payer_reference,
        source=receipt.source,
        external_reference=receipt.external_reference,
        comment=reason.strip(),
        recorded_at=now,
        recorded_by=by,
        reverses_id=receipt.id,
        customer_id=receipt.customer_id,
    )
    _write(session, counter, now)
    for each in receipt_rows.allocations_of(session, receipt_id):
        invoice = invoice_by_id(session, scope, each.invoice_id)
        _allocate(session, counter, invoice, -each.amount, now, reverses=each.id)
    look_again(session, paid_by_receipt(session, receipt_id), now)
    return counter


def pay_from_rest(
    session: Session, receipt: Receipt, invoice: InvoiceRecord, amount: Decimal, now: datetime, *, known_at: datetime
) -> None:
    """Have unallocated money of a receipt pay an invoice, as far as it is open. The caller holds its turn.

    `known_at`: since when it is known to be for that invoice.
    """
    parts = receipt_rows.parts_of_invoices(session, [invoice.id]).get(invoice.id, [])
    paid = min(amount, invoice.remaining - sum(undeclared(parts).values(), ZERO))
    if paid > 0:
        _allocate(session, receipt, invoice, paid, now, known_at=known_at)
        give_way_to_money(session, invoice, now)


def undeclared_parts(session: Session, receipt_id: UUID) -> list[tuple[Part, Decimal]]:
    """What a receipt pays and no 212 tells, with the amount to tell, kept from other writers."""
    take_turn(session)
    parts = [part for part, _ in receipt_rows.parts_of_receipts(session, Scope.everything(), [receipt_id])]
    left = undeclared(parts)
    return [(part, left[part.id]) for part in parts if part.id in left and part.receipt_id == receipt_id]


@contextmanager
def telling_of(session: Session, allocation_id: UUID) -> Iterator[None]:
    """Inside, a 212 recorded in this session tells of that allocation, and not of what was received longest ago."""
    session.info[_TELLING_OF] = allocation_id
    try:
        yield
    finally:
        del session.info[_TELLING_OF]


def follow_collection(session: Session, recorded: RecordedEvent, now: datetime) -> None:
    """A new 212 tells the money of receipts; what it tells of them does not count twice (see `allocating`)."""
    invoice, event = recorded.invoice, recorded.event
    if recorded.is_duplicate or event.code != _RECEIVED or invoice is None:
        return
    parts = receipt_rows.parts_of_invoices(session, [invoice.id]).get(invoice.id, [])
    meant = session.info.get(_TELLING_OF)
    parts.sort(key=lambda part: part.id != meant)
    total = sum(
        (each.amount or ZERO for each in event.data(COLLECTED) if each.currency in ("", invoice.currency)), ZERO
    )
    for allocation_id, amount in told(total, parts, undeclared(parts)).items():
        row = ReceiptDeclaration(
            organisation_id=invoice.organisation_id,
            allocation_id=allocation_id,
            event_id=recorded.id,
            amount=amount,
            recorded_at=now,
        )
        session.add(row)
        append(
            session,
            at=now,
            kind="receipt.declared",
            subject=f"invoice:{key_of_invoice(invoice)}",
            content={"allocation_id": str(allocation_id), "event_id": str(recorded.id), "amount": str(amount)},
        )
    give_way_to_money(session, invoice, now)


def receipts_known(session: Session, invoices: Sequence[InvoiceRecord]) -> Mapping[UUID, ReceiptKnown]:
    """What no 212 tells, for the review of deadlines: write-offs, money with its first day and what the 212 tell."""
    known = {}
    ids = [invoice.id for invoice in invoices]
    lost, parts = written_off(session, ids), receipt_rows.parts_of_invoices(session, ids)
    for invoice in invoices:
        paid = parts.get(invoice.id, ())
        left = undeclared(paid)
        missing = sum(left.values(), ZERO)
        if missing or invoice.id in lost:
            day = min((part.received_on for part in paid if part.id in left), default=invoice.issue_date)
            known[invoice.id] = ReceiptKnown(invoice.collected + missing, day, lost.get(invoice.id, ZERO))
    return known


def _payable_by(session: Session, scope: Scope, new: NewReceipt, invoice_id: UUID) -> InvoiceRecord:
    """The invoice, when the money may pay it."""
    invoice = invoice_by_id(session, scope, invoice_id)
    if invoice.direction != Direction.RECEIVABLE:
        raise InvoiceNotReceivableError(invoice.number)
    if invoice.currency != new.currency:
        raise ReceiptCurrencyError(invoice.number, invoice.currency, new.currency)
    parts = receipt_rows.parts_of_invoices(session, [invoice_id]).get(invoice_id, [])
    open_amount = invoice.remaining - sum(undeclared(parts).values(), ZERO)
    require_room(invoice.number, new.allocations[invoice_id], due=invoice.amount_due, open_amount=open_amount)
    return invoice


def _write(session: Session, receipt: Receipt, now: datetime) -> None:
    session.add(receipt)
    append(
        session,
        at=now,
        kind="receipt.reversed" if receipt.reverses_id else "receipt.recorded",
        subject=f"receipt:{receipt.id}",
        content={
            "amount": str(receipt.amount),
            "currency": receipt.currency,
            "received_on": receipt.received_on.isoformat(),
            "payer_reference": receipt.payer_reference,
            "source": receipt.source,
            "reference": receipt.external_reference,
            "comment": receipt.comment,
            "by": receipt.recorded_by,
            "reverses": str(receipt.reverses_id) if receipt.reverses_id else None,
            "customer_id": str(receipt.customer_id) if receipt.customer_id else None,
        },
    )


def _allocate(
    session: Session,
    receipt: Receipt,
    invoice: InvoiceRecord,
    amount: Decimal,
    now: datetime,
    *,
    known_at: datetime | None = None,
    reverses: UUID | None = None,
) -> None:
    """Give the invoice its part, and have its deadlines looked at."""
    row = ReceiptAllocation(
        organisation_id=receipt.organisation_id,
        receipt_id=receipt.id,
        invoice_id=invoice.id,
        amount=amount,
        allocated_at=known_at or now,
        reverses_id=reverses,
    )
    invoice.next_check_at = now
    session.add_all([row, invoice])
    append(
        session,
        at=now,
        kind="receipt.allocated",
        subject=f"invoice:{key_of_invoice(invoice)}",
        content={"receipt_id": str(receipt.id), "allocation_id": str(row.id), "amount": str(amount)},
    )


def _content(session: Session, receipt: Receipt) -> NewReceipt:
    """What was told when the receipt was recorded."""
    rows = receipt_rows.allocations_of(session, receipt.id)
    return NewReceipt(
        amount=receipt.amount,
        currency=receipt.currency,
        received_on=receipt.received_on,
        reference=receipt.external_reference,
        payer_reference=receipt.payer_reference,
        comment=receipt.comment,
        allocations={row.invoice_id: row.amount for row in rows},
        customer_id=receipt.customer_id,
    )
