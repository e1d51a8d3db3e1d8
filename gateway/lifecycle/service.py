"""Follow invoices: register them, record the statuses given to them, keep their projection up to date.

Every writer first takes its turn on the organisation's ledger, so that an invoice and its events recorded at the same
instant always see each other.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlmodel import Session

from gateway.database.engine import organisation_of
from gateway.invoices.model import Invoice
from gateway.ledger.service import append, take_turn
from gateway.lifecycle import repository
from gateway.lifecycle.cdar.model import CdarMessage
from gateway.lifecycle.events import StatusEvent, events_of
from gateway.lifecycle.events_proof import RECORDED, entry_content
from gateway.lifecycle.links import references_of
from gateway.lifecycle.model import Direction, InvoiceRecord, LifecycleEvent
from gateway.lifecycle.projection import InvoiceState, project
from gateway.lifecycle.records import (
    InvoiceDocument,
    MessageOrigin,
    amounts_of,
    event_row,
    invoice_record,
    key_of_event,
    key_of_invoice,
    status_event,
)
from gateway.lifecycle.transitions import Transition, TransitionKind, assess


class RegistrationOutcome(StrEnum):
    """What became of an invoice that was to be registered."""

    CREATED = "created"
    #: The same document again: nothing changed.
    KNOWN = "known"
    #: Another document bears the same number, seller and year: nothing changed, the first one stands.
    CONFLICT = "conflict"


@dataclass(frozen=True, slots=True)
class Registration:
    """The invoice as followed, and how it came to be.

    `waiting`: identifiers of the events that had come before the invoice; empty unless created.
    """

    invoice: InvoiceRecord
    outcome: RegistrationOutcome
    waiting: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """One status as recorded.

    Attributes:
        id: identifier of the event's row, that of the first recording for a duplicate.
        event: what was said.
        direction: ours to collect, or ours to pay.
        transition: how it fits what was known; its kind is DUPLICATE when the event was recorded before.
        invoice: the invoice it speaks of; None while unknown, or when several agree with an incomplete key.
        state: where that invoice stands now; without invoice, where the events of the key lead.
        flow_id: the flow it came in.
    """

    id: UUID
    event: StatusEvent
    direction: Direction
    transition: Transition
    invoice: InvoiceRecord | None
    state: InvoiceState
    flow_id: UUID | None

    @property
    def is_duplicate(self) -> bool:
        """True when the event had been recorded before: nothing was written."""
        return self.transition.kind is TransitionKind.DUPLICATE


def register_invoice(
    session: Session,
    *,
    invoice: Invoice,
    document: InvoiceDocument,
    flow_id: UUID | None,
    agency_id: UUID | None,
    direction: Direction,
    now: datetime,
) -> Registration:
    """Start to follow an invoice; events that came before it take effect.

    Idempotent on direction, number (BT-1), seller SIREN (BT-30) and year of BT-2. Raises InvoiceWithoutKeyError when
    one of them, or an amount to follow, is missing.
    """
    record = invoice_record(
        invoice,
        document,
        organisation_id=organisation_of(session),
        flow_id=flow_id,
        agency_id=agency_id,
        direction=direction,
        now=now,
    )
    key = key_of_invoice(record)
    take_turn(session)
    first = repository.invoice_of_key(session, direction, key)
    if first is not None:
        same = first.document_sha256 == document.sha256
        return Registration(first, RegistrationOutcome.KNOWN if same else RegistrationOutcome.CONFLICT)
    append(
        session,
        at=now,
        kind="invoice.registered",
        subject=f"invoice:{key}",
        content={
            "direction": direction.value,
            "type_code": record.type_code,
            "issue_date": record.issue_date.isoformat(),
            "amount_due": str(record.amount_due),
            "currency": record.currency,
            "buyer_siren": record.buyer_siren,
        },
        documents=[document.sha256],
    )
    events = repository.events_of(session, record)
    store_projection(session, record, events)
    preceding = ((each.number, each.issue_date) for each in invoice.preceding_invoices)
    session.add_all(references_of(record, preceding))
    return Registration(record, RegistrationOutcome.CREATED, tuple(event.id for event in events))


def record_message(
    session: Session,
    *,
    message: CdarMessage,
    direction: Direction,
    document_sha256: str | None,
    flow_id: UUID | None,
    now: datetime,
    source: str | None = None,
) -> list[RecordedEvent]:
    """Record each status of a message, once, and bring the invoices concerned up to date.

    A status whose invoice is unknown is kept and takes effect when the invoice is registered. `source` says where the
    message came from (`platform:<name>`, `api`, `file`). One result for each referenced document, in message order.
    """
    origin = MessageOrigin(direction, document_sha256, flow_id, source)
    take_turn(session)
    return [_record(session, event, origin, now) for event in events_of(message, now)]


def store_projection(session: Session, invoice: InvoiceRecord, rows: Iterable[LifecycleEvent]) -> InvoiceState:
    """Compute where an invoice stands from its events and keep it in its row, locked or made by the caller."""
    state = project((status_event(row) for row in rows), amounts_of(invoice))
    invoice.status = state.status
    invoice.status_at = state.status_at
    invoice.collected = state.collected_total
    invoice.remaining = invoice.amount_due if state.remaining is None else state.remaining
    invoice.is_closed = state.closed
    invoice.state = state.model_dump(mode="json")
    session.add(invoice)
    session.flush()
    return state


def _record(session: Session, event: StatusEvent, origin: MessageOrigin, now: datetime) -> RecordedEvent:
    row = repository.event_of_fingerprint(session, event.fingerprint)
    whole = event.key.is_complete  # one look at the events then serves the history and the invoice
    read = repository.events_about if whole else repository.events_of_key
    about = read(session, origin.direction, event.key)
    history = [status_event(each) for each in about if key_of_event(each) == event.key]
    transition = assess(history, event)
    if row is None:
        row = event_row(event, transition, origin, organisation_id=organisation_of(session), now=now)
        session.add(row)
        session.flush()  # draws its place in the feed, which the entry states
        append(
            session,
            at=now,
            kind=RECORDED,
            subject=f"invoice:{event.key}",
            content=entry_content(row),
            documents=[origin.document_sha256] if origin.document_sha256 else [],
        )
        history.append(event)
        about.append(row)
    invoices = repository.lock_invoices_of(session, origin.direction, event.key, event.line)
    for each in invoices:
        each.next_check_at = now if origin.direction is Direction.RECEIVABLE else None
    states = [
        store_projection(session, each, about if whole else repository.events_of(session, each)) for each in invoices
    ]
    alone = len(invoices) == 1
    return RecordedEvent(
        id=row.id,
        event=event,
        direction=origin.direction,
        transition=transition,
        invoice=invoices[0] if alone else None,
        state=states[0] if alone else project(history),
        flow_id=row.flow_id,
    )
