"""What of a receipt pays what, and which part of it the statuses tell. Pure.

Every amount of money is counted once: collected, when a 212 tells it; else received, when a receipt does. A 212 given
by the gateway for a receipt tells that receipt's money. Any other 212 that comes after a receipt tells the money of
the invoice's receipts not told yet, the longest received first; what it tells beyond them is money of its own.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from uuid import UUID

from gateway.kernel.money import CENT, ZERO
from gateway.treasury.errors import (
    AllocationExceedsInvoiceError,
    AllocationExceedsReceiptError,
    ReceiptAmountError,
    ReceiptInTheFutureError,
)


@dataclass(frozen=True, slots=True)
class NewReceipt:
    """Money as it is told.

    Attributes:
        amount: VAT included; negative when money went back to the customer.
        currency: of the money, that of every invoice it pays.
        received_on: day it came in (Europe/Paris).
        reference: its name at the source; told twice, it is one receipt.
        payer_reference: what the payer wrote.
        comment: why money went back.
        allocations: the part that pays each invoice; the rest is unallocated.
        customer_id: who paid, for the rest; None when it is not told.
    """

    amount: Decimal
    currency: str
    received_on: date
    reference: str
    payer_reference: str = ""
    comment: str = ""
    allocations: Mapping[UUID, Decimal] = field(default_factory=dict)
    customer_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """The part of a receipt that pays one invoice, and how much of it the statuses tell.

    Attributes:
        id: of the allocation.
        declared: sum told by 212 statuses.
        reverses_id: the allocation that it undoes.
    """

    id: UUID
    receipt_id: UUID
    invoice_id: UUID
    received_on: date
    amount: Decimal
    declared: Decimal = ZERO
    reverses_id: UUID | None = None


def require_sound(new: NewReceipt, today: date) -> None:
    """Raises ReceiptAmountError, ReceiptInTheFutureError or AllocationExceedsReceiptError."""
    for amount in (new.amount, *new.allocations.values()):
        if amount == 0 or amount % CENT:
            raise ReceiptAmountError(amount)
    if new.received_on > today:
        raise ReceiptInTheFutureError(new.received_on)
    allocated = sum(new.allocations.values(), ZERO)
    if allocated * new.amount < 0 or abs(allocated) > abs(new.amount):
        raise AllocationExceedsReceiptError(allocated, new.amount)


def require_room(number: str, amount: Decimal, *, due: Decimal, open_amount: Decimal) -> None:
    """Invoice `number` takes `amount`: no more than is open, or back no more than came in.

    `due`: BT-115, negative for a credit note; `open_amount`: what is left of it. Raises AllocationExceedsInvoiceError.
    """
    pays = (amount > 0) == (due > 0)
    most = open_amount if pays else open_amount - due
    if most * amount <= 0 or abs(amount) > abs(most):
        raise AllocationExceedsInvoiceError(number, amount, most if most * amount > 0 else ZERO)


def undeclared(parts: Sequence[Part]) -> dict[UUID, Decimal]:
    """What no 212 tells of each part, by allocation; parts told in full are left out.

    A part and its counter-entry tell nothing together: what is told of the first is to be told back by the second.
    """
    undone = {part.reverses_id: part for part in parts if part.reverses_id}
    declared = {part.id: part.declared for part in parts}
    left = {
        part.id: -part.declared - declared[part.reverses_id] if part.reverses_id else part.amount - part.declared
        for part in parts
        if part.id not in undone
    }
    return {part_id: amount for part_id, amount in left.items() if amount}


def told(amount: Decimal, parts: Iterable[Part], left: Mapping[UUID, Decimal]) -> dict[UUID, Decimal]:
    """Which money a 212 of `amount` tells: how much of each part, by allocation, in the order of `parts`.

    `left`: what no 212 tells of each (see `undeclared`). Money of the other direction is not told.
    """
    shares: dict[UUID, Decimal] = {}
    for part in parts:
        untold = left.get(part.id, ZERO)
        if untold * amount > 0:
            share = min(amount, untold, key=abs)
            shares[part.id] = share
            amount -= share
    return shares
