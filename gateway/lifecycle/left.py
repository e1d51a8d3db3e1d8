"""What is left to pay of invoices.

The shape alone: statuses tell a part of what was paid; the room of the treasury, which lies above, knows the money
received besides and what is written off, and hands its answer in.
"""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from uuid import UUID

from sqlmodel import Session

from gateway.kernel.money import ZERO
from gateway.lifecycle.model import InvoiceRecord

#: What is left of each invoice, in its currency, VAT included; negative for a credit note, nothing once it is closed.
Left = Callable[[Session, Iterable[InvoiceRecord]], Mapping[UUID, Decimal]]


def left_by_statuses(_session: Session, invoices: Iterable[InvoiceRecord]) -> Mapping[UUID, Decimal]:
    """For those who know no money but that of the 212."""
    return {invoice.id: ZERO if invoice.is_closed else invoice.remaining for invoice in invoices}
