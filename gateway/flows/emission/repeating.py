"""Tell the public portal again what it refused (601): the same status in a new message, linked to the one refused.

Between the parties the status stands, so nothing is told them again, and the amounts of a receipt count once. The new
message names what it replaces; when silence accepts it, the refusal is cured (`gateway.lifecycle.deliveries`).
"""

from datetime import datetime

from sqlmodel import Session, select

from gateway.flows.checking import require_sendable
from gateway.flows.context import FlowsContext
from gateway.flows.delivery import Sending, portal_signature, routed_invoice, send_to_platforms
from gateway.flows.emission.errors import DeliveryNotRefusedError
from gateway.flows.handling import handle_flow
from gateway.flows.intake import Submission, accept_flow
from gateway.flows.terms import FlowSyntax
from gateway.jobs.model import OutboxMessage
from gateway.kernel.clock import paris_date
from gateway.kernel.text import Text
from gateway.ledger.service import append, take_turn
from gateway.lifecycle.cdar.building import told_again
from gateway.lifecycle.cdar.reading import read_cdar
from gateway.lifecycle.cdar.writing import write_cdar
from gateway.lifecycle.correlation import InvoiceKey
from gateway.lifecycle.deliveries import INSTEAD_OF, Report, deliveries_of
from gateway.lifecycle.model import Direction, InvoiceRecord, LifecycleEvent
from gateway.lifecycle.records import key_of_event
from gateway.lifecycle.repository import events_of, invoice_of_key
from gateway.validation.settings import service_options

_NOT_REFUSED = Text("le portail public ne l’a pas refusé", "the public portal has not refused it")
_REPEATED = Text("il a déjà été transmis de nouveau", "it was told again before")


def repeat_report(
    session: Session, context: FlowsContext, refused: OutboxMessage, *, by: str, now: datetime
) -> OutboxMessage:
    """Hand over the copy of a status that the portal refused once more; the row is held by the caller.

    The message is made anew: another identifier (MDT-4), date (MDT-8) and, when it has changed, number of the platform
    that signs. `by`: who decided it, for the ledger. Raises DeliveryNotRefusedError unless the portal has refused it
    and it was not repeated before, MessageNotSendableError when our own validation refuses the message now.
    """
    invoice = _invoice_of(session, refused)
    report = _report(session, invoice, refused, now)
    if report is None or not report.answers:
        raise DeliveryNotRefusedError(str(refused.id), _NOT_REFUSED)
    if not report.may_be_resent:
        raise DeliveryNotRefusedError(str(refused.id), _REPEATED)
    told = read_cdar(context.store.get(refused.payload["document"]))
    message = told_again(told, sent_at=now, sending_platform=portal_signature(session, invoice, context.settings))
    data, name = write_cdar(message), refused.payload["name"]
    options = service_options(context.settings)
    checked = require_sendable(data, context.settings, on=paris_date(now), options=options, name=name)
    submission = Submission(data=data, name=name, source="api", flow_syntax=FlowSyntax.CDAR.value)
    take_turn(session)
    flow = accept_flow(session, context.store, submission, now=now).flow
    handle_flow(session, context, flow, data, checked)
    key = InvoiceKey(invoice.number, invoice.seller_siren, invoice.year)
    again = Sending(flow, routed_invoice(session, invoice), about=refused.subject_id, invoice=key)
    send_to_platforms(session, [again], context.settings, now=now)  # nothing when handling has asked for it
    sent = session.exec(select(OutboxMessage).where(OutboxMessage.idempotency_key == f"flow-{flow.id}")).one()
    sent.payload = {**sent.payload, INSTEAD_OF: str(refused.id)}
    content = {"key": sent.idempotency_key, "instead_of": refused.idempotency_key, "by": by}
    append(session, at=now, kind="report.repeated", subject=f"delivery:{refused.id}", content=content)
    return sent


def _invoice_of(session: Session, message: OutboxMessage) -> InvoiceRecord:
    """The invoice that a report is about. Raises DeliveryNotRefusedError when it is not followed here."""
    event = session.exec(select(LifecycleEvent).where(LifecycleEvent.flow_id == message.subject_id)).first()
    invoice = invoice_of_key(session, Direction(event.direction), key_of_event(event)) if event else None
    if invoice is None:
        raise DeliveryNotRefusedError(str(message.id), _NOT_REFUSED)
    return invoice


def _report(session: Session, invoice: InvoiceRecord, message: OutboxMessage, now: datetime) -> Report | None:
    reporting = deliveries_of(session, invoice, events_of(session, invoice), now).reporting
    return next((each for each in reporting if each.id == message.id), None)
