"""One received file that became no invoice: what validation says of it, the invoice it holds, and the file itself."""

from uuid import UUID

from fastapi import Response

from gateway.flows.model import Flow
from gateway.invoices.detection import Syntax
from gateway.validation.report import Report
from gateway.web import repository
from gateway.web.downloads import download
from gateway.web.errors import PageNotFoundError
from gateway.web.readable import ReadableInvoice, readable_invoice
from gateway.web.rendering import invoice_stylesheet
from gateway.web.security import Reader, Visit

_INVOICES = (Syntax.UBL, Syntax.CII, Syntax.FACTUR_X)


def show(visit: Reader, flow_id: UUID) -> Response:
    """The flow, its validation report, the alert it opened, and the invoice where it can be read."""
    with visit.transaction() as session:
        flow = repository.visible_flow(session, visit.principal.scope, flow_id)
        alerts = repository.alerts_of_flow(session, visit.principal.scope, flow_id)
        names = repository.user_names(session, (alert.acknowledged_by for alert in alerts))
    report = Report.from_data(flow.report) if flow.report else None
    return visit.render(
        "flow.html",
        flow=flow,
        alerts=alerts,
        names=names,
        report=report,
        readable=_readable(visit, flow, report),
        invoice_stylesheet=invoice_stylesheet(),
    )


def document(visit: Reader, flow_id: UUID) -> Response:
    """The file as received."""
    with visit.transaction() as session:
        flow = repository.visible_flow(session, visit.principal.scope, flow_id)
    if flow.document_sha256 is None:
        raise PageNotFoundError
    return download(visit, flow.document_sha256, flow.name)


def _readable(visit: Visit, flow: Flow, report: Report | None) -> ReadableInvoice | None:
    """The refused invoice, with what is wrong next to its fields; None for a file that holds no invoice."""
    if report is None or report.syntax not in _INVOICES or flow.document_sha256 is None:
        return None
    return readable_invoice(visit, flow.document_sha256, report)
