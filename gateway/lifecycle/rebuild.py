"""Compute every projection again from the immutable events."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from sqlmodel import Session

from gateway.lifecycle import repository
from gateway.lifecycle.model import InvoiceRecord
from gateway.lifecycle.service import store_projection


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """How many invoices were computed again, and which ones had not stood where their events say."""

    invoices: int
    corrected: tuple[UUID, ...]


def rebuild(session: Session, progress: Callable[[int], None] | None = None) -> Rebuilt:
    """Compute the projection of every invoice of the session's organisation again.

    The service may go on reading; a status of an invoice already done waits until the transaction ends. `progress` is
    called with the number of invoices done so far, batch by batch.
    """
    done, corrected = 0, list[UUID]()
    for batch in repository.invoice_ids(session):
        for invoice_id in batch:
            invoice = repository.lock_invoice(session, invoice_id)
            before = _projection(invoice)
            store_projection(session, invoice, repository.events_of(session, invoice))
            if _projection(invoice) != before:
                corrected.append(invoice_id)
        done += len(batch)
        session.expunge_all()
        if progress is not None:
            progress(done)
    return Rebuilt(done, tuple(corrected))


def _projection(invoice: InvoiceRecord) -> tuple[object, ...]:
    return (
        invoice.status,
        invoice.status_at,
        invoice.collected,
        invoice.remaining,
        invoice.is_closed,
        invoice.state,
    )
