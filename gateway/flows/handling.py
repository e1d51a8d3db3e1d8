"""What happens to readable flows, in the caller's transaction: register, record, send, acknowledge.

Flows are brought to their end together: each step is done for all of them before the next one, so that the turn on the
ledger, which the organisation's other writers wait for, is held for a few statements and not for a few for each flow.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlmodel import Session, col, select

from gateway.alerts.refused_flows import RefusedFlow
from gateway.flows.acknowledgement import Acknowledgement, acknowledge, as_warnings, refuse
from gateway.flows.announcing import announce_flow
from gateway.flows.classification import processing_rule_of_message, type_of_report_status
from gateway.flows.consequences import (
    OpenAlerts,
    follow_refusal,
    follow_registration,
    follow_statuses,
    follow_unaddressable,
)
from gateway.flows.context import FlowsContext
from gateway.flows.delivery import Sending, require_taken, routed_invoice, send_to_platforms
from gateway.flows.errors import InvoiceConflictError, UnusableFlowError
from gateway.flows.metrics import PROCESSED
from gateway.flows.model import Flow, FlowState
from gateway.flows.platforms.routing import RoutedDocument
from gateway.flows.reading import FlowReader, ReadFlow, TakenInvoice, TakenMessage, TakenReport, TakenReportStatus
from gateway.flows.reports.following import follow_report_statuses
from gateway.flows.reports.model import EReportStatus
from gateway.flows.reports.service import record_statuses, register_report
from gateway.flows.repository import next_updates
from gateway.flows.terms import AckStatus, FlowProfile, ProcessingRule
from gateway.ledger.service import append
from gateway.lifecycle.correlation import normalised_number
from gateway.lifecycle.errors import InvoiceWithoutKeyError
from gateway.lifecycle.events import events_of
from gateway.lifecycle.following import Following
from gateway.lifecycle.records import key_of_invoice
from gateway.lifecycle.service import (
    RecordedEvent,
    Registration,
    RegistrationOutcome,
    record_message,
    register_invoice,
)
from gateway.validation.report import Report


@dataclass(frozen=True, slots=True)
class _Written:
    """What was written of a flow before anything followed from it."""

    read: ReadFlow
    acknowledgement: Acknowledgement
    registration: Registration | None = None
    recorded: tuple[RecordedEvent, ...] = ()
    is_new_report: bool = False
    report_statuses: tuple[EReportStatus, ...] = ()


def handle_flow(session: Session, context: FlowsContext, flow: Flow, data: bytes, report: Report | None = None) -> None:
    """Bring one flow to its end: acknowledged, and everything that follows from it written. See `FlowReader.read`."""
    write_flows(session, context, [FlowReader(session, context).read(flow, data, report)])


def write_flows(session: Session, context: FlowsContext, reads: Sequence[ReadFlow]) -> None:
    """Bring flows that were read to their end, in their order.

    Raises an error of the first flow that cannot be brought to its end; all of them are then to be undone.
    """
    following = Following(session, [number for read in reads if read.taken for number in read.taken.numbers])
    written = [_write(session, context, read, following) for read in reads]
    following.write(context.clock())
    _follow(session, context, written, following)
    _choose_rules(session, written)
    _send(session, context, written)
    _settle(session, context, written)


def _write(session: Session, context: FlowsContext, read: ReadFlow, following: Following) -> _Written:
    """Register or record what a flow brings. A pushed flow that cannot be taken after all is refused to its sender."""
    flow = read.flow
    flow.report = read.report.to_data()
    flow.flow_syntax = read.report.syntax or flow.flow_syntax
    try:
        match read.taken:
            case None:
                return _Written(read, read.acknowledgement)
            case TakenInvoice() as taken:
                return _write_invoice(session, read, taken, following)
            case TakenMessage() as taken:
                return _write_message(session, context, read, taken, following)
            case TakenReport() as taken:
                return _write_report(session, read, taken)
            case TakenReportStatus() as taken:
                return _write_report_status(session, read, taken)
    except (UnusableFlowError, InvoiceWithoutKeyError) as error:
        if flow.platform is not None:
            raise
        return _Written(read, refuse(error, as_warnings(acknowledge(read.report).details)))


def _write_invoice(session: Session, read: ReadFlow, taken: TakenInvoice, following: Following) -> _Written:
    flow = read.flow
    flow.flow_type, flow.flow_profile = taken.flow_type.value, taken.flow_profile.value
    flow.processing_rule, flow.agency_id = taken.processing_rule, taken.agency_id
    registration = register_invoice(
        session,
        invoice=taken.invoice,
        document=taken.document,
        flow_id=flow.id,
        agency_id=taken.agency_id,
        direction=taken.direction,
        now=read.at,
        following=following,
    )
    if registration.outcome is RegistrationOutcome.CONFLICT:
        raise InvoiceConflictError(taken.invoice.number)
    said = read.acknowledgement
    return _Written(read, replace(said, details=(*said.details, *taken.checked.remarks)), registration)


def _write_message(
    session: Session, context: FlowsContext, read: ReadFlow, taken: TakenMessage, following: Following
) -> _Written:
    """Record a message; one that is ours to send has to be one that the platform takes."""
    flow = read.flow
    flow.flow_type, flow.flow_profile = taken.flow_type.value, FlowProfile.UNDEFINED.value
    for event in events_of(taken.message, read.at) if taken.leaves else ():
        spoken_of = following.invoice_of(taken.direction, event.key)
        if spoken_of is not None:
            require_taken(session, spoken_of, event.status.code, context.settings)
    recorded = record_message(
        session,
        message=taken.message,
        direction=taken.direction,
        document_sha256=flow.document_sha256,
        flow_id=flow.id,
        now=read.at,
        source=flow.source,
        following=following,
    )
    return _Written(read, read.acknowledgement, recorded=tuple(recorded))


def _write_report(session: Session, read: ReadFlow, taken: TakenReport) -> _Written:
    """Follow an e-reporting transmission, which is no invoice and has a line of its own."""
    flow = read.flow
    flow.flow_type, flow.flow_profile = taken.flow_type.value, FlowProfile.UNDEFINED.value
    flow.processing_rule = taken.processing_rule
    is_new = taken.leaves and register_report(session, flow, taken.report, now=read.at)
    return _Written(read, read.acknowledgement, is_new_report=is_new)


def _write_report_status(session: Session, read: ReadFlow, taken: TakenReportStatus) -> _Written:
    """Keep what the public portal says of transmissions."""
    flow = read.flow
    flow.flow_type, flow.flow_profile = type_of_report_status(flow.flow_type).value, FlowProfile.UNDEFINED.value
    flow.processing_rule = flow.processing_rule or ProcessingRule.NOT_APPLICABLE.value
    return _Written(
        read,
        read.acknowledgement,
        report_statuses=tuple(record_statuses(session, flow, taken.message, now=read.at)),
    )


def _follow(session: Session, context: FlowsContext, written: Sequence[_Written], following: Following) -> None:
    """Alerts and actions, in the order of the flows."""
    settings, now = context.settings, context.clock()
    alerts = OpenAlerts(session, following.numbers_by_id())
    for each in written:
        read, registration = each.read, each.registration
        if registration is not None and isinstance(read.taken, TakenInvoice):
            follow_registration(session, registration, read.taken.invoice.buyer, now, alerts)
            told = read.taken.checked.told
            if told is not None and _leaves(each):
                follow_unaddressable(session, registration.invoice, told, settings, now)
                alerts.opened(registration.invoice.number)
        follow_statuses(session, each.recorded, settings, now, alerts)
        follow_report_statuses(session, each.report_statuses, settings, now)
        if each.acknowledgement.status is AckStatus.ERROR:
            follow_refusal(session, _refused(each), settings, now)
            alerts.opened(normalised_number(read.invoice.number))


def _refused(written: _Written) -> RefusedFlow:
    """What is known of a refused file: as much of the invoice as can be read."""
    read, flow = written.read, written.read.flow
    flow.agency_id = flow.agency_id or read.agency_id
    return RefusedFlow(
        flow_id=flow.id,
        name=flow.name,
        problems=written.acknowledgement.problems,
        number=read.invoice.number,
        agency_id=flow.agency_id,
        customer_siren=read.invoice.buyer_siren,
        is_credit_note=read.invoice.is_credit_note,
    )


def _choose_rules(session: Session, written: Sequence[_Written]) -> None:
    """The processing rule of each message: that of the invoices it speaks of."""
    brought_by = {
        each.read.flow.id: [event.invoice.flow_id for event in each.recorded if event.invoice and event.invoice.flow_id]
        for each in written
        if each.recorded and each.read.flow.processing_rule is None
    }
    wanted = {flow_id for flow_ids in brought_by.values() for flow_id in flow_ids}
    asked = select(Flow.id, Flow.processing_rule).where(col(Flow.id).in_(wanted))
    rules = dict(session.exec(asked).all()) if wanted else {}
    for each in written:
        flow = each.read.flow
        if flow.id in brought_by:
            flow.processing_rule = processing_rule_of_message(rules.get(each) for each in brought_by[flow.id]).value


def _send(session: Session, context: FlowsContext, written: Sequence[_Written]) -> None:
    """Put in the outbox what is ours to send and was not sent before."""
    sendings = []
    for each in written:
        if not _leaves(each) and not _is_told_on(session, each):
            continue
        flow, about, key = each.read.flow, None, None
        if isinstance(each.read.taken, TakenReport):
            document = RoutedDocument(each.read.taken.report.issuer_siren, None, flow.processing_rule)
        elif each.registration is not None:
            document = RoutedDocument(each.registration.invoice.seller_siren, flow.agency_id, flow.processing_rule)
            key = key_of_invoice(each.registration.invoice)
        else:
            about = next((event.flow_id for event in each.recorded), None)
            invoice = next((event.invoice for event in each.recorded if event.invoice), None)
            document = (
                routed_invoice(session, invoice) if invoice else RoutedDocument(processing_rule=flow.processing_rule)
            )
            key = key_of_invoice(invoice) if invoice else each.recorded[0].event.key
        sendings.append(Sending(flow, document, about, key if key and key.is_complete else None))
    send_to_platforms(session, sendings, context.settings, now=context.clock())


def _leaves(written: _Written) -> bool:
    """Whether a flow brought a new invoice or transmission of ours."""
    if written.is_new_report:
        return True
    taken, registration = written.read.taken, written.registration
    created = registration is not None and registration.outcome is RegistrationOutcome.CREATED
    return isinstance(taken, TakenInvoice) and taken.leaves and created


def _is_told_on(session: Session, written: _Written) -> bool:
    """Whether a flow brought a status of ours that is told for the first time, or for the first time to whom it is for.

    The other party and the public portal each get a message of their own about one event, in any order.
    """
    taken, recorded = written.read.taken, written.recorded
    if not (isinstance(taken, TakenMessage) and taken.leaves and recorded):
        return False
    if any(not event.is_duplicate for event in recorded):
        return True
    first = session.get(Flow, recorded[0].flow_id) if recorded[0].flow_id else None
    return first is not None and first.flow_type != written.read.flow.flow_type


def _settle(session: Session, context: FlowsContext, written: Sequence[_Written]) -> None:
    """The flows show as updated from the end of their processing on, not from its start: clients page by that date."""
    now = context.clock()
    for each, updated_at in zip(written, next_updates(session, now, len(written)), strict=True):
        flow, acknowledgement = each.read.flow, each.acknowledgement.with_remarks(each.read.remarks)
        flow.updated_at = updated_at
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
        if flow.platform is None:
            announce_flow(session, flow, now)
        PROCESSED.labels(flow.flow_syntax or "unknown", flow.ack_status).inc()
