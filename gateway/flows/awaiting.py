"""What should come next for an invoice, with all that is known here of money received and of disputes."""

from datetime import datetime

from sqlmodel import Session

from gateway.alerts.awaiting import awaited_next
from gateway.collection.agreements.answers import disputes_known
from gateway.lifecycle.expectations import Expectation
from gateway.lifecycle.model import InvoiceRecord
from gateway.treasury.receipts import receipts_known


def awaited_of(session: Session, invoice: InvoiceRecord, now: datetime) -> tuple[Expectation, ...]:
    """What is waited for on an invoice, a receipt without its 212 included; the most pressing first."""
    return awaited_next(session, invoice, now, receipts_known, disputes_known)
