"""Give a status of ours to an invoice, in the caller's transaction: everything of it is written, or nothing."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from sqlmodel import Session, select

from gateway.flows.checking import require_sendable
from gateway.flows.context import FlowsContext
from gateway.flows.delivery import portal_signature, require_taken
from gateway.flows.emission.errors import (
    StatusAlreadyGivenError,
    StatusImpossibleError,
    StatusInTheFutureError,
)
from gateway.flows.emission.orders import StatusOrder, Subject, messages_of
from gateway.flows.handling import handle_flow
from gateway.flows.intake import Submission, accept_flow
from gateway.flows.model import Flow
from gateway.flows.repository import flow_by_tracking_id
from gateway.flows.terms import FlowSyntax
from gateway.invoices.reading import read_invoice
from gateway.kernel.clock import paris_date
from gateway.ledger.service import take_turn
from gateway.lifecycle.cdar.model import CdarMessage
from gateway.lifecycle.cdar.writing import write_cdar
from gateway.lifecycle.events import StatusEvent, events_of
from gateway.lifecycle.model import Direction, InvoiceRecord, LifecycleEvent
from gateway.lifecycle.records import key_of_invoice, status_event
from gateway.lifecycle.repository import events_of_key, lock_invoice
from gateway.lifecycle.transitions import TransitionKind, assess
from gateway.validation.report import Report
from gateway.validation.settings import service_options

#: Where our own statuses come from, as flows and events tell it.
SOURCE = "api"
#: MDT-78 counts whole seconds.
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class GivenStatus:
    """A status of ours as recorded, and the flows that carry it: to the other party, then to the public portal."""

    event: LifecycleEvent
    invoice: InvoiceRecord
    flows: tuple[Flow, ...]


@dataclass(frozen=True, slots=True)
class _Checked:
    """A message that may leave, under its file name, with the report that lets it pass."""

    name: str
    data: bytes
    report: Report


def give_status(
    session: Session,
    context: FlowsContext,
    invoice: InvoiceRecord,
    order: StatusOrder,
    *,
    now: datetime,
    idempotency_key: str | None = None,
) -> GivenStatus:
    """Build, check, record and hand over a status; the same order under the same key is given once.

    Without `at` in the order the status is set now, in a second of its own: two equal receipts are two facts, and what
    was said last comes last. Raises a FlowError, an InvalidStatusMessageError, or MessageNotSendableError when our
    own validation refuses a message; nothing is written then.

    The slow part, validation, comes before the turn on the ledger, for which the organisation's other writers wait.
    When the history has changed meanwhile, the messages are made again under the turn.
    """
    tracking_id = _tracking_id(invoice, order, idempotency_key)
    known = _given_before(session, tracking_id, invoice) if idempotency_key else None
    if known is not None:
        return known
    require_taken(session, invoice, order.status, context.settings)
    number = portal_signature(session, invoice, context.settings)
    subject = Subject(invoice, read_invoice(context.store.get(invoice.document_sha256), context.limits).invoice)
    history = _history(session, invoice)
    checked = _checked(context, order, subject, history, number, now)
    take_turn(session)
    lock_invoice(session, invoice.id)
    if (latest := _history(session, invoice)) != history:  # another status came meanwhile
        known = _given_before(session, tracking_id, invoice) if idempotency_key else None
        if known is not None:
            return known
        checked = _checked(context, order, subject, latest, number, now)
    flows = [
        _hand_over(session, context, each, f"{tracking_id}-{place}" if idempotency_key else None, now)
        for place, each in enumerate(checked)
    ]
    return _given(session, invoice, flows)


def _checked(
    context: FlowsContext,
    order: StatusOrder,
    subject: Subject,
    history: list[StatusEvent],
    number: str,
    now: datetime,
) -> list[_Checked]:
    """The messages that say the status after that history, each let pass by our own validation."""
    messages = _messages(order, subject, history, number, now)
    _require_sensible(history, events_of(messages[0], now)[0])
    return [_check(context, message, now) for message in messages]


def _check(context: FlowsContext, message: CdarMessage, now: datetime) -> _Checked:
    data, options = write_cdar(message), service_options(context.settings)
    name = f"{sha256(message.message_id.encode()).hexdigest()[:8]}-{message.documents[0].status_code}.xml"
    return _Checked(
        name, data, require_sendable(data, context.settings, on=paris_date(now), options=options, name=name)
    )


def _messages(
    order: StatusOrder, subject: Subject, history: list[StatusEvent], number: str, now: datetime
) -> list[CdarMessage]:
    """The messages at the instant ordered; else at the first second from now on that no other status has."""
    if order.at is not None and order.at > now:
        raise StatusInTheFutureError(order.at)
    at = order.at or now
    taken = {event.status_at for event in history} if order.at is None else set()
    while at.replace(microsecond=0) in taken:
        at += _SECOND
    return list(messages_of(order, subject, at=at, now=max(at, now), platform_number=number))


def _require_sensible(history: list[StatusEvent], event: StatusEvent) -> None:
    """What comes from others is never refused; what we say ourselves must be new and make sense."""
    transition = assess(history, event)
    if transition.kind is TransitionKind.DUPLICATE:
        raise StatusAlreadyGivenError(event.status_at)
    if transition.kind is TransitionKind.IMPOSSIBLE:
        raise StatusImpossibleError(transition.reason)


def _history(session: Session, invoice: InvoiceRecord) -> list[StatusEvent]:
    rows = events_of_key(session, Direction(invoice.direction), key_of_invoice(invoice))
    return [status_event(row) for row in rows]


def _hand_over(
    session: Session, context: FlowsContext, checked: _Checked, tracking_id: str | None, now: datetime
) -> Flow:
    """Bring the flow of a message to its end, as for a message that is pushed to us."""
    submission = Submission(
        data=checked.data,
        name=checked.name,
        source=SOURCE,
        tracking_id=tracking_id,
        flow_syntax=FlowSyntax.CDAR.value,
    )
    flow = accept_flow(session, context.store, submission, now=now).flow
    handle_flow(session, context, flow, checked.data, checked.report)
    return flow


def _tracking_id(invoice: InvoiceRecord, order: StatusOrder, key: str | None) -> str:
    content = f"{invoice.id} {order.model_dump_json()} {key}"
    return f"status-{sha256(content.encode()).hexdigest()[:40]}"


def _given_before(session: Session, tracking_id: str, invoice: InvoiceRecord) -> GivenStatus | None:
    found = (flow_by_tracking_id(session, SOURCE, f"{tracking_id}-{place}") for place in range(2))
    flows = [flow for flow in found if flow is not None]
    return _given(session, invoice, flows) if flows else None


def _given(session: Session, invoice: InvoiceRecord, flows: list[Flow]) -> GivenStatus:
    session.flush()
    event = session.exec(select(LifecycleEvent).where(LifecycleEvent.flow_id == flows[0].id)).one()
    return GivenStatus(event, lock_invoice(session, invoice.id), tuple(flows))
