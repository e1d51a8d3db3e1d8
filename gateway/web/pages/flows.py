"""One received file that became no invoice: what validation says of it, and the file itself."""

from uuid import UUID

from fastapi import Response

from gateway.validation.report import Report
from gateway.web import repository
from gateway.web.downloads import download
from gateway.web.errors import PageNotFoundError
from gateway.web.security import Reader


def show(visit: Reader, flow_id: UUID) -> Response:
    """The flow, its validation report and the alert it opened."""
    with visit.transaction() as session:
        flow = repository.visible_flow(session, visit.principal.scope, flow_id)
        alerts = repository.alerts_of_flow(session, visit.principal.scope, flow_id)
        names = repository.user_names(session, (alert.acknowledged_by for alert in alerts))
    report = Report.from_data(flow.report) if flow.report else None
    return visit.render("flow.html", flow=flow, alerts=alerts, names=names, report=report)


def document(visit: Reader, flow_id: UUID) -> Response:
    """The file as received."""
    with visit.transaction() as session:
        flow = repository.visible_flow(session, visit.principal.scope, flow_id)
    if flow.document_sha256 is None:
        raise PageNotFoundError
    return download(visit, flow.document_sha256, flow.name)
