"""Money of receipts pays what only the books know, and goes over to the invoice itself when that arrives.

A payment that the books letter needs no receipt: this is for money that is told here first.
"""

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlmodel import Session

from gateway.access.scope import Scope
from gateway.database.engine import organisation_of
from gateway.kernel.clock import paris_date
from gateway.kernel.money import CENT
from gateway.ledger.service import append, take_turn
from gateway.lifecycle.model import InvoiceRecord
from gateway.treasury.accounting.errors import OpeningNotFoundError, OpeningPaymentError
from gateway.treasury.accounting.opening_rows import OPENING, look_again, opening_items, paid_of_openings, told_at
from gateway.treasury.errors import ReceiptNotFoundError
from gateway.treasury.model import Receipt, ReceiptUse
from gateway.treasury.receipt_rows import free_of_receipt, receipt_by_id
from gateway.treasury.receipts import pay_from_rest

#: Who moves money when an invoice arrives.
_GATEWAY = "gateway"


def pay_opening(
    session: Session, scope: Scope, entry_id: UUID, amount: Decimal, receipt_id: UUID, *, by: str, now: datetime
) -> Decimal:
    """Have money of a receipt pay a line that only the books know, no more than is left of either; what is left then.

    Raises OpeningNotFoundError, OpeningPaymentError, ReceiptNotFoundError.
    """
    take_turn(session)
    found = (item for item in opening_items(session, scope, paris_date(now)) if item.entry_id == entry_id)
    item = next(found, None)
    if item is None:
        raise OpeningNotFoundError(entry_id)
    receipt = receipt_by_id(session, receipt_id)
    if not scope.is_everything and receipt.customer_id != item.customer_id:
        raise ReceiptNotFoundError(receipt_id)
    free = free_of_receipt(session, receipt) if receipt.currency == item.currency else Decimal(0)
    most = min(free, item.remaining)
    if amount <= 0 or amount > most or amount % CENT:
        raise OpeningPaymentError(item.number, amount, max(most, Decimal("0.00")))
    _use(session, receipt_id, entry_id, amount, by, now)
    look_again(session, [entry_id], now)
    return item.remaining - amount


def move_to_invoices(session: Session, arrived: Collection[tuple[UUID, UUID]], now: datetime) -> None:
    """Money that paid lines pays the invoices that they turned out to be: pairs of line and invoice.

    Of those of a line the oldest receipt pays first; what the invoice has no room for stays unallocated. It was known
    when it was told to pay the line: it keeps no promise that was made later. The caller holds its turn.
    """
    wanted = dict(arrived)
    for entry_id, paid in paid_of_openings(session, wanted).items():
        invoice = session.get_one(InvoiceRecord, wanted[entry_id])
        for receipt_id, amount in paid.items():
            known_at = told_at(session, entry_id, receipt_id) or now
            _use(session, receipt_id, entry_id, -amount, _GATEWAY, now)
            pay_from_rest(session, session.get_one(Receipt, receipt_id), invoice, amount, now, known_at=known_at)


def _use(session: Session, receipt_id: UUID, entry_id: UUID, amount: Decimal, by: str, now: datetime) -> None:
    row = ReceiptUse(
        organisation_id=organisation_of(session),
        receipt_id=receipt_id,
        purpose=OPENING,
        purpose_id=entry_id,
        amount=amount,
        used_at=now,
        used_by=by,
    )
    session.add(row)
    append(
        session,
        at=now,
        kind="accounting.paid",
        subject=f"receipt:{receipt_id}",
        content={"entry_id": str(entry_id), "amount": str(amount), "by": by},
    )
