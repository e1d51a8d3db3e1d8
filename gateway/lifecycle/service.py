"""Follow invoices: register them, record the statuses given to them, keep their projection up to date.

Every writer first takes its turn on the organisation's ledger, so that an invoice and its events recorded at the same
instant always see each other. Whoever registers and records several at once reads them once (`Following`), hands that
in with each, and has it written at the end.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlmodel import Session

from gateway.database.engine import organisation_of
from gateway.invoices.model import Invoice
from gateway.ledger.service import append
from gateway.lifecycle.cdar.model import CdarMessage
from gateway.lifecycle.events import StatusEvent, events_of
from gateway.lifecycle.following import Following
from gateway.lifecycle.model import Direction, InvoiceRecord
from gateway.lifecycle.projection import InvoiceState, project
from gateway.lifecycle.records import (
    InvoiceDocument,
    MessageOrigin,
    amounts_of,
    event_row,
    invoice_record,
    key_of_invoice,
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

    `waiting`: identifiers of the events that had come before the invoice; empty unless created. `refers_to`: numbers of
    the preceding invoices that it names (BT-25).
    """

    invoice: InvoiceRecord
    outcome: RegistrationOutcome
    waiting: tuple[UUID, ...] = ()
    refers_to: tuple[str, ...] = ()


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
    following: Following | None = None,
) -> Registration:
    """Start to follow an invoice; events that came before it take effect.

    Idempotent on direction, number (BT-1), seller SIREN (BT-30) and year of BT-2. `following`: that of the caller, who
    has it written. Raises InvoiceWithoutKeyError when one of them, or an amount to follow, is missing.
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
    at_hand = following or Following(session, [key.number])
    first = at_hand.invoice_of(direction, key)
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
    events = at_hand.events_about(direction, key)
    store_projection(record, map(at_hand.read, events))
    at_hand.add_invoice(record, ((each.number, each.issue_date) for each in invoice.preceding_invoices))
    if following is None:
        at_hand.write(now)
    refers_to = tuple(each.number for each in invoice.preceding_invoices)
    return Registration(record, RegistrationOutcome.CREATED, tuple(event.id for event in events), refers_to)


def record_message(
    session: Session,
    *,
    message: CdarMessage,
    direction: Direction,
    document_sha256: str | None,
    flow_id: UUID | None,
    now: datetime,
    source: str | None = None,
    following: Following | None = None,
) -> list[RecordedEvent]:
    """Record each status of a message, once, and bring the invoices concerned up to date.

    A status whose invoice is unknown is kept and takes effect when the invoice is registered. `source` says where the
    message came from (`platform:<name>`, `api`, `file`). `following`: that of the caller, who has it written. One
    result for each referenced document, in message order.
    """
    origin = MessageOrigin(direction, document_sha256, flow_id, source)
    events = events_of(message, now)
    at_hand = following or Following(session, [event.key.number for event in events])
    recorded = [_record(session, at_hand, event, origin, now) for event in events]
    if following is None:
        at_hand.write(now)
    return recorded


def store_projection(invoice: InvoiceRecord, events: Iterable[StatusEvent]) -> InvoiceState:
    """Compute where an invoice stands from its events and keep it in its row, locked or made by the caller."""
    state = project(events, amounts_of(invoice))
    invoice.status = state.status
    invoice.status_at = state.status_at
    invoice.collected = state.collected_total
    invoice.remaining = invoice.amount_due if state.remaining is None else state.remaining
    invoice.is_closed = state.closed
    invoice.state = state.model_dump(mode="json")
    return state


def _record(
    session: Session, following: Following, event: StatusEvent, origin: MessageOrigin, now: datetime
) -> RecordedEvent:
    direction = origin.direction
    history = [following.read(row) for row in following.events_of_key(direction, event.key)]
    transition = assess(history, event)
    row = following.event_of(event)
    if row is None:
        row = event_row(event, transition, origin, organisation_id=organisation_of(session), now=now)
        following.add_event(row)
        history.append(event)
    invoices = following.spoken_of(direction, event.key, event.line)
    states = []
    for each in invoices:
        each.next_check_at = now if direction is Direction.RECEIVABLE else None
        about = following.events_about(direction, key_of_invoice(each))
        states.append(store_projection(each, map(following.read, about)))
    alone = len(invoices) == 1
    return RecordedEvent(
        id=row.id,
        event=event,
        direction=direction,
        transition=transition,
        invoice=invoices[0] if alone else None,
        state=states[0] if alone else project(history),
        flow_id=row.flow_id,
    )
