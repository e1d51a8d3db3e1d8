"""Compute every projection again from the immutable events.

What is a projection, and what is a fact with a history of its own in the ledger: `docs/explanation/lifecycle.md`.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, func, select

from gateway.database.engine import Database
from gateway.ledger.service import Progress, take_turn
from gateway.lifecycle import repository
from gateway.lifecycle.model import Direction, InvoiceRecord
from gateway.lifecycle.records import status_event
from gateway.lifecycle.service import store_projection


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """How many invoices were computed again, and which ones had not stood where their events say."""

    invoices: int
    corrected: tuple[UUID, ...]


def rebuild(database: Database, organisation: UUID, *, now: datetime, progress: Progress | None = None) -> Rebuilt:
    """Compute the projection of every invoice of an organisation again.

    Batch by batch, each a turn and a transaction of its own: the service goes on, whoever records a status waits for
    one batch at most. The deadlines of a corrected invoice, and what was agreed on it, were judged by a wrong state:
    they are looked at from `now` on. `progress` is called after each batch with the number of invoices done and the
    number to do.
    """
    done, corrected = 0, list[UUID]()
    with database.transaction(organisation) as reading:
        total = reading.exec(select(func.count()).select_from(InvoiceRecord)).one()
        for batch in repository.invoice_ids(reading):
            with database.transaction(organisation) as session:
                take_turn(session)  # before the invoices, as every writer does: nobody waits for another in a circle
                corrected += [invoice_id for invoice_id in batch if _rebuilt(session, invoice_id, now)]
            done += len(batch)
            if progress is not None:
                progress(done, max(done, total))
    return Rebuilt(done, tuple(corrected))


def _rebuilt(session: Session, invoice_id: UUID, now: datetime) -> bool:
    """Whether an invoice had not stood where its events say; it stands there now."""
    invoice = repository.lock_invoice(session, invoice_id)
    before = _projection(invoice)
    store_projection(invoice, map(status_event, repository.events_of(session, invoice)))
    if _projection(invoice) == before:
        return False
    invoice.next_check_at = now if invoice.direction == Direction.RECEIVABLE else None
    return True


def _projection(invoice: InvoiceRecord) -> tuple[object, ...]:
    return (
        invoice.status,
        invoice.status_at,
        invoice.collected,
        invoice.remaining,
        invoice.is_closed,
        invoice.state,
    )
