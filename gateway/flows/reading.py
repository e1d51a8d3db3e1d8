"""What the file of a flow says, found before its transaction takes a turn on the ledger: the slow part.

Here a file is validated and read, and whoever has to be asked about it (the directory) is asked. Nothing is written.
"""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, select

from gateway.access.model import Organisation
from gateway.access.repository import agencies_by_siret
from gateway.database.engine import organisation_of
from gateway.flows.acknowledgement import (
    AckDetail,
    Acknowledgement,
    acknowledge,
    as_warnings,
    refuse,
    remark_on_self_billing,
    remark_on_syntax,
)
from gateway.flows.classification import (
    direction_of_invoice,
    direction_of_message,
    is_for_portal,
    is_issued_by,
    is_ours_to_send,
    is_said_by_another,
    processing_rule_of,
    profile_of,
    type_of_invoice,
    type_of_message,
)
from gateway.flows.context import FlowsContext
from gateway.flows.directory.preflight import PreflightDecision, PreflightMode, preflight
from gateway.flows.directory.service import Asking
from gateway.flows.errors import UnreadablePlatformFlowError, UnusableFlowError, ValidationIncompleteError
from gateway.flows.model import Flow
from gateway.flows.reports.errors import NotOurReportError
from gateway.flows.reports.reading import TransmissionReport, report_of
from gateway.flows.reports.service import is_about_reports
from gateway.flows.terms import AckStatus, FlowProfile, FlowType
from gateway.invoices.detection import Syntax
from gateway.invoices.errors import UnreadableInvoiceError
from gateway.invoices.model import Invoice
from gateway.invoices.parties import Party
from gateway.invoices.reading import read_document, read_invoice
from gateway.kernel.clock import paris_date
from gateway.kernel.identifiers import SCHEME_SIRET
from gateway.kernel.text import Text
from gateway.lifecycle.cdar.model import CdarMessage
from gateway.lifecycle.cdar.reading import read_cdar
from gateway.lifecycle.correlation import key_of, normalised_number
from gateway.lifecycle.model import Direction
from gateway.lifecycle.records import InvoiceDocument
from gateway.validation.report import Report, SendingPolicy, Verdict
from gateway.validation.service import validate
from gateway.validation.settings import service_options


@dataclass(frozen=True, slots=True)
class TakenInvoice:
    """An invoice that can be registered.

    Attributes:
        leaves: it is ours to send; `checked`: what the directory says of its address then.
    """

    invoice: Invoice
    document: InvoiceDocument
    direction: Direction
    flow_type: FlowType
    flow_profile: FlowProfile
    processing_rule: str
    agency_id: UUID | None
    leaves: bool
    checked: PreflightDecision = field(default_factory=PreflightDecision)

    @property
    def numbers(self) -> tuple[str, ...]:
        """The invoice numbers that its registration looks at."""
        return (normalised_number(self.invoice.number),)


@dataclass(frozen=True, slots=True)
class TakenMessage:
    """A lifecycle message that can be recorded; `leaves`: it is ours to send."""

    message: CdarMessage
    direction: Direction
    flow_type: FlowType
    leaves: bool

    @property
    def numbers(self) -> tuple[str, ...]:
        """The invoice numbers that its recording looks at."""
        return tuple(key_of(document).number for document in self.message.documents)


@dataclass(frozen=True, slots=True)
class TakenReport:
    """An e-reporting transmission that can be followed; `leaves`: it is ours to send."""

    report: TransmissionReport
    flow_type: FlowType
    processing_rule: str
    leaves: bool
    numbers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TakenReportStatus:
    """What the public portal says of e-reporting transmissions."""

    message: CdarMessage
    numbers: tuple[str, ...] = ()


Taken = TakenInvoice | TakenMessage | TakenReport | TakenReportStatus


@dataclass(frozen=True, slots=True)
class ReadFlow:
    """A flow whose file has been read.

    Attributes:
        at: instant of the reading.
        taken: what is to be written; None when the file is refused to its sender.
        acknowledgement: the answer as far as the file decides it, without `remarks`, which come first.
        invoice: as much of the invoice as can be read, for those who mend a refused file.
        agency_id: of its seller, for the same.
    """

    flow: Flow
    report: Report
    at: datetime
    taken: Taken | None
    acknowledgement: Acknowledgement
    remarks: tuple[AckDetail, ...] = ()
    invoice: Invoice = field(default_factory=Invoice)
    agency_id: UUID | None = None


class FlowReader:
    """Reads the flows of one transaction; what they share is looked up once."""

    def __init__(self, session: Session, context: FlowsContext) -> None:
        self._session = session
        self._context = context
        directory = context.directory
        self._asking = Asking(directory, session, organisation_of(session)) if directory else None
        self._siren: str | None = None
        self._agencies: dict[str, UUID | None] = {}

    def read(self, flow: Flow, data: bytes, report: Report | None = None) -> ReadFlow:
        """What a flow says; `report`: the one on `data` as of today, of a caller that has validated it already.

        Raises UnusableFlowError when only a person can help, ValidationIncompleteError when nothing may be sent yet.
        """
        context, now = self._context, self._context.clock()
        if report is None:
            report = validate(data, path=flow.name, on=paris_date(now), options=service_options(context.settings))
        if flow.platform is None:
            _refuse_unchecked(report, context)
        taken, acknowledgement = self._decide(flow, data, report)
        remarks = remark_on_syntax(flow.flow_syntax, report.syntax)
        if taken is not None and not isinstance(taken, TakenInvoice):
            return ReadFlow(flow, report, now, taken, acknowledgement, remarks)
        invoice = taken.invoice if taken else self._what_is_readable(data)
        agency_id = self._agency_of(invoice.seller)
        if taken and flow.platform is None and taken.direction is Direction.RECEIVABLE and not taken.leaves:
            remarks += (remark_on_self_billing(invoice.type_code),)
        return ReadFlow(flow, report, now, taken, acknowledgement, remarks, invoice, agency_id)

    def _decide(self, flow: Flow, data: bytes, report: Report) -> tuple[Taken | None, Acknowledgement]:
        """What is to be written, and the answer: a pushed flow that cannot be taken is refused to its sender.

        One of a platform needs a person. What our rules remark on what others say is kept and refuses nothing.
        """
        told = acknowledge(report)
        if report.verdict is Verdict.UNREADABLE:
            if flow.platform is None:
                return None, told
            finding = report.findings[0]
            raise UnreadablePlatformFlowError(Text(finding.explanation, finding.explanation_en), finding.location)
        if report.verdict is Verdict.INVALID and not self._is_heard(flow, data, report):
            return None, told
        remarks = as_warnings(told.details)
        try:
            return self._take(flow, data, report), Acknowledgement(AckStatus.OK, remarks)
        except (UnusableFlowError, UnreadableInvoiceError) as error:
            if flow.platform is None:
                return None, refuse(error, remarks)
            raise

    def _take(self, flow: Flow, data: bytes, report: Report) -> Taken:
        if report.syntax == Syntax.CDAR:
            return self._message(flow, data)
        return self._report(flow, data) if report.syntax == Syntax.E_REPORTING else self._invoice(flow, data)

    def _is_heard(self, flow: Flow, data: bytes, report: Report) -> bool:
        """True for what others say: it is recorded whatever our rules remark. What we say ourselves has to be right.

        A message comes from a platform, or is handed to us by a program or a person who received it elsewhere.
        """
        if flow.platform is not None or report.syntax != Syntax.CDAR:
            return flow.platform is not None
        try:
            message = read_cdar(data, self._context.limits)
        except UnreadableInvoiceError:
            return False
        return is_said_by_another(message, self._own_siren())

    def _invoice(self, flow: Flow, data: bytes) -> TakenInvoice:
        read = read_invoice(data, self._context.limits)
        invoice, document = read.invoice, read.document
        direction = direction_of_invoice(invoice, self._own_siren())
        leaves = flow.platform is None and is_issued_by(invoice, self._own_siren())
        rule = flow.processing_rule or processing_rule_of(invoice).value
        mode = PreflightMode(self._context.settings.preflight)
        checked = preflight(self._asking, mode, rule, invoice) if leaves else PreflightDecision()
        if flow.processing_rule is None and checked.rule is not None:
            rule = checked.rule.value
        return TakenInvoice(
            invoice=invoice,
            document=InvoiceDocument(document.syntax.value, document.profile, flow.document_sha256 or ""),
            direction=direction,
            flow_type=type_of_invoice(direction),
            flow_profile=profile_of(document.profile),
            processing_rule=rule,
            agency_id=self._agency_of(invoice.seller if direction is Direction.RECEIVABLE else invoice.buyer),
            leaves=leaves,
            checked=checked,
        )

    def _report(self, flow: Flow, data: bytes) -> TakenReport:
        report = report_of(read_document(data, self._context.limits).tree)
        if report.issuer_siren != self._own_siren():
            raise NotOurReportError(self._own_siren(), report.issuer_siren)
        rule = flow.processing_rule or report.processing_rule.value
        return TakenReport(report, report.flow_type, rule, leaves=flow.platform is None)

    def _message(self, flow: Flow, data: bytes) -> TakenMessage | TakenReportStatus:
        message = read_cdar(data, self._context.limits)
        if is_about_reports(message):
            return TakenReportStatus(message)
        siren = self._own_siren()
        direction = direction_of_message(message, siren, flow.flow_type)
        return TakenMessage(
            message=message,
            direction=direction,
            flow_type=type_of_message(direction, for_portal=is_for_portal(message)),
            leaves=flow.platform is None and is_ours_to_send(message, siren),
        )

    def _what_is_readable(self, data: bytes) -> Invoice:
        try:
            return read_invoice(data, self._context.limits).invoice
        except UnreadableInvoiceError:
            return Invoice()

    def _own_siren(self) -> str:
        if self._siren is None:
            mine = select(Organisation.siren).where(Organisation.id == organisation_of(self._session))
            self._siren = self._session.exec(mine).one()
        return self._siren

    def _agency_of(self, party: Party) -> UUID | None:
        """The agency whose SIRET the party bears, when it is one of ours."""
        known = (party.legal_id, *party.identifiers) if party.legal_id else party.identifiers
        sirets = [identifier.value for identifier in known if identifier.scheme == SCHEME_SIRET]
        missing = [siret for siret in sirets if siret not in self._agencies]
        if missing:
            self._agencies |= dict.fromkeys(missing) | agencies_by_siret(self._session, missing)
        return next((agency for siret in sirets if (agency := self._agencies[siret]) is not None), None)


def _refuse_unchecked(report: Report, context: FlowsContext) -> None:
    """On "not run" nothing is sent: a valid document waits until every required layer has run."""
    blocking = report.blocking_layers(SendingPolicy(context.settings.validation_required_layers))
    if report.verdict is Verdict.VALID and blocking:
        raise ValidationIncompleteError(blocking)
