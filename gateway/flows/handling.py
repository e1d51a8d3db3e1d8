"""What happens to one readable flow, in the caller's transaction: validate, acknowledge, register, send or record.

The slow part (validation) comes before the first write to the ledger, whose head orders the writers.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from gateway.access.model import Organisation
from gateway.access.repository import agencies_by_siret
from gateway.alerts.refused_flows import RefusedFlow
from gateway.database.engine import organisation_of
from gateway.flows.acknowledgement import AckDetail, Acknowledgement, acknowledge, as_warnings, refuse, remark_on_syntax
from gateway.flows.classification import (
    direction_of_invoice,
    direction_of_message,
    is_for_portal,
    is_ours_to_send,
    is_said_by_another,
    processing_rule_of,
    processing_rule_of_message,
    profile_of,
    type_of_invoice,
    type_of_message,
)
from gateway.flows.consequences import follow_refusal, follow_registration, follow_statuses, follow_unaddressable
from gateway.flows.context import FlowsContext
from gateway.flows.delivery import require_taken, routed_invoice, send_to_platform
from gateway.flows.directory.preflight import PreflightDecision, preflight
from gateway.flows.errors import (
    InvoiceConflictError,
    UnreadablePlatformFlowError,
    UnusableFlowError,
    ValidationIncompleteError,
)
from gateway.flows.metrics import PROCESSED
from gateway.flows.model import Flow, FlowState
from gateway.flows.platforms.routing import RoutedDocument
from gateway.flows.repository import next_update
from gateway.flows.terms import AckStatus, FlowProfile, ProcessingRule
from gateway.invoices.detection import Syntax
from gateway.invoices.errors import UnreadableInvoiceError
from gateway.invoices.model import Invoice
from gateway.invoices.parties import Party
from gateway.invoices.reading import read_invoice
from gateway.kernel.clock import Clock, paris_date
from gateway.kernel.identifiers import SCHEME_SIRET
from gateway.kernel.text import Text
from gateway.ledger.service import append, take_turn
from gateway.lifecycle.cdar.reading import read_cdar
from gateway.lifecycle.errors import InvoiceWithoutKeyError
from gateway.lifecycle.events import events_of
from gateway.lifecycle.model import Direction
from gateway.lifecycle.records import InvoiceDocument
from gateway.lifecycle.repository import invoice_of_key
from gateway.lifecycle.service import RecordedEvent, RegistrationOutcome, record_message, register_invoice
from gateway.validation.report import Report, SendingPolicy, Verdict
from gateway.validation.service import validate
from gateway.validation.settings import service_options


def handle_flow(session: Session, context: FlowsContext, flow: Flow, data: bytes, report: Report | None = None) -> None:
    """Bring a flow to its end: acknowledged, and everything that follows from it written.

    `report`: the one on `data` as of today, of a caller that has validated it already.

    Raises UnusableFlowError when only a person can help, ValidationIncompleteError when nothing may be sent yet.
    """
    now = context.clock()
    if report is None:
        report = validate(data, path=flow.name, on=paris_date(now), options=service_options(context.settings))
    flow.report = report.model_dump(mode="json")
    remarks = remark_on_syntax(flow.flow_syntax, report.syntax)
    if report.syntax is not None:
        flow.flow_syntax = report.syntax
    if flow.platform is None:
        _refuse_unchecked(report, context)
    if report.verdict is Verdict.UNREADABLE:
        acknowledgement = _unreadable(flow, report)
    elif report.verdict is Verdict.INVALID and not _is_heard(session, context, flow, data, report):
        acknowledgement = acknowledge(report)
    else:
        acknowledgement = _take(session, context, flow, data, report, now)
    if acknowledgement.status is AckStatus.ERROR:
        refused = _refused(session, context, flow, data, acknowledgement)
        follow_refusal(session, refused, context.settings, now)
    _settle(session, flow, acknowledgement.with_remarks(remarks), context.clock)


def _is_heard(session: Session, context: FlowsContext, flow: Flow, data: bytes, report: Report) -> bool:
    """True for what others say: it is recorded whatever our rules remark. What we say ourselves has to be right.

    A message comes from a platform, or is handed to us by a program or a person who received it elsewhere.
    """
    if flow.platform is not None or report.syntax != Syntax.CDAR:
        return flow.platform is not None
    try:
        message = read_cdar(data, context.limits)
    except UnreadableInvoiceError:
        return False
    return is_said_by_another(message, _own_siren(session))


def _refuse_unchecked(report: Report, context: FlowsContext) -> None:
    """On "not run" nothing is sent: a valid document waits until every required layer has run."""
    blocking = report.blocking_layers(SendingPolicy(context.settings.validation_required_layers))
    if report.verdict is Verdict.VALID and blocking:
        raise ValidationIncompleteError(blocking)


def _unreadable(flow: Flow, report: Report) -> Acknowledgement:
    if flow.platform is None:
        return acknowledge(report)
    finding = report.findings[0]
    raise UnreadablePlatformFlowError(Text(finding.explanation, finding.explanation_en), finding.location)


def _take(
    session: Session, context: FlowsContext, flow: Flow, data: bytes, report: Report, now: datetime
) -> Acknowledgement:
    """A pushed flow that cannot be taken is refused to its sender; one of a platform needs a person.

    What our rules remark on what others say is kept with it and refuses nothing.
    """
    remarks = as_warnings(acknowledge(report).details)
    take = _take_message if report.syntax == Syntax.CDAR else _take_invoice
    try:
        found = take(session, context, flow, data, now)
    except (UnusableFlowError, UnreadableInvoiceError, InvoiceWithoutKeyError) as error:
        if flow.platform is None:
            return refuse(error, remarks)
        raise
    return Acknowledgement(AckStatus.OK, (*remarks, *found))


def _take_invoice(
    session: Session, context: FlowsContext, flow: Flow, data: bytes, now: datetime
) -> tuple[AckDetail, ...]:
    """Register an invoice, send it when it is ours to send, and give what the directory remarks on its address."""
    read = read_invoice(data, context.limits)
    invoice, document = read.invoice, read.document
    direction = direction_of_invoice(invoice, _own_siren(session))
    flow.flow_type = type_of_invoice(direction).value
    flow.flow_profile = profile_of(document.profile).value
    flow.processing_rule = flow.processing_rule or processing_rule_of(invoice).value
    flow.agency_id = _agency_of(session, invoice.seller if direction is Direction.RECEIVABLE else invoice.buyer)
    leaves = direction is Direction.RECEIVABLE and flow.platform is None
    checked = preflight(context, flow, invoice) if leaves else PreflightDecision()
    registration = register_invoice(
        session,
        invoice=invoice,
        document=InvoiceDocument(document.syntax.value, document.profile, flow.document_sha256 or ""),
        flow_id=flow.id,
        agency_id=flow.agency_id,
        direction=direction,
        now=now,
    )
    if registration.outcome is RegistrationOutcome.CONFLICT:
        raise InvoiceConflictError(invoice.number)
    follow_registration(session, registration, invoice.buyer, now)
    if leaves and registration.outcome is RegistrationOutcome.CREATED:
        document_to_send = RoutedDocument(invoice.seller_siren, flow.agency_id, flow.processing_rule)
        send_to_platform(session, flow, document_to_send, context.settings, now=now)
        if checked.told is not None:
            follow_unaddressable(session, registration.invoice, checked.told, context.settings, now)
    return checked.remarks


def _take_message(
    session: Session, context: FlowsContext, flow: Flow, data: bytes, now: datetime
) -> tuple[AckDetail, ...]:
    """Record a message and send it when it is ours to send; the directory is not asked about it."""
    message = read_cdar(data, context.limits)
    siren = _own_siren(session)
    direction = direction_of_message(message, siren, flow.flow_type)
    flow.flow_type = type_of_message(direction, for_portal=is_for_portal(message)).value
    flow.flow_profile = FlowProfile.UNDEFINED.value
    leaves = flow.platform is None and is_ours_to_send(message, siren)
    if leaves:
        for event in events_of(message, now):
            spoken_of = invoice_of_key(session, direction, event.key)
            if spoken_of is not None:
                require_taken(session, spoken_of, event.status.code, context.settings)
    recorded = record_message(
        session,
        message=message,
        direction=direction,
        document_sha256=flow.document_sha256,
        flow_id=flow.id,
        now=now,
        source=flow.source,
    )
    flow.processing_rule = flow.processing_rule or _rule_of_message(session, recorded).value
    follow_statuses(session, recorded, context.settings, now)
    if leaves and _is_news(session, flow, recorded):
        told_by = next((event.flow_id for event in recorded), None)
        about = next((event.invoice for event in recorded if event.invoice), None)
        document = routed_invoice(session, about) if about else RoutedDocument(processing_rule=flow.processing_rule)
        send_to_platform(session, flow, document, context.settings, now=now, about=told_by)
    return ()


def _rule_of_message(session: Session, recorded: Sequence[RecordedEvent]) -> ProcessingRule:
    brought_by = [event.invoice.flow_id for event in recorded if event.invoice and event.invoice.flow_id]
    rules = session.exec(select(Flow.processing_rule).where(col(Flow.id).in_(brought_by))) if brought_by else ()
    return processing_rule_of_message(rules)


def _is_news(session: Session, flow: Flow, recorded: Sequence[RecordedEvent]) -> bool:
    """Whether a status is told for the first time, or for the first time to whom this flow is for.

    The other party and the public portal each get a message of their own about one event, in any order.
    """
    if any(not event.is_duplicate for event in recorded):
        return True
    first = session.get(Flow, recorded[0].flow_id) if recorded[0].flow_id else None
    return first is not None and first.flow_type != flow.flow_type


def _refused(
    session: Session, context: FlowsContext, flow: Flow, data: bytes, acknowledgement: Acknowledgement
) -> RefusedFlow:
    """What is known of a refused file: as much of the invoice as can be read."""
    try:
        invoice = read_invoice(data, context.limits).invoice
    except UnreadableInvoiceError:
        invoice = Invoice()
    flow.agency_id = flow.agency_id or _agency_of(session, invoice.seller)
    return RefusedFlow(
        flow_id=flow.id,
        name=flow.name,
        problems=acknowledgement.problems,
        number=invoice.number,
        agency_id=flow.agency_id,
        customer_siren=invoice.buyer_siren,
    )


def _settle(session: Session, flow: Flow, acknowledgement: Acknowledgement, clock: Clock) -> None:
    """The flow shows as updated from the end of its processing on, not from its start: clients page by that date."""
    take_turn(session)
    now = clock()
    flow.updated_at = next_update(session, now)  # asked first: the row is then written once
    flow.state = FlowState.PROCESSED.value
    flow.problem = None
    flow.ack_status = acknowledgement.status.value
    flow.ack_details = [detail.as_json() for detail in acknowledgement.details]
    session.add(flow)
    append(
        session,
        at=now,
        kind="flow.acknowledged",
        subject=f"flow:{flow.id}",
        content={"source": flow.source, "status": flow.ack_status, "remarks": len(flow.ack_details)},
        documents=[flow.document_sha256] if flow.document_sha256 else [],
    )
    PROCESSED.labels(flow.flow_syntax or "unknown", flow.ack_status).inc()


def _own_siren(session: Session) -> str:
    with session.no_autoflush:  # nothing written here concerns it
        return session.exec(select(Organisation.siren).where(Organisation.id == organisation_of(session))).one()


def _agency_of(session: Session, party: Party) -> UUID | None:
    """The agency whose SIRET the party bears, when it is one of ours."""
    known = (party.legal_id, *party.identifiers) if party.legal_id else party.identifiers
    sirets = [identifier.value for identifier in known if identifier.scheme == SCHEME_SIRET]
    with session.no_autoflush:  # nothing written here concerns them
        return next(iter(agencies_by_siret(session, sirets).values()), None)
