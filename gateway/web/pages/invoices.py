"""The invoices: the list with its search, one invoice with all that happened to it, its documents."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from fastapi import Response
from sqlalchemy import SelectBase
from sqlmodel import Session

from gateway.access.errors import PermissionDeniedError
from gateway.access.roles import Permission
from gateway.alerts.model import Alert
from gateway.alerts.repository import AlertFilter, invoices_with_unsettled_alerts, list_alerts
from gateway.collection.model import ActionState, CollectionAction
from gateway.collection.repository import ActionFilter, worklist
from gateway.collection.same_matter import Told, by_matter, urgency
from gateway.collection.worklist.comments import Subject
from gateway.database.paging import LONGEST_PAGE
from gateway.flows.awaiting import awaited_of
from gateway.flows.model import Flow
from gateway.invoices.rendering import stylesheet
from gateway.kernel.clock import paris_date
from gateway.lifecycle.model import Direction, InvoiceRecord
from gateway.lifecycle.repository import InvoiceFilter, invoice_by_id, search_invoices
from gateway.lifecycle.statuses import status
from gateway.lifecycle.timeline import Timeline, timeline_of
from gateway.treasury.receipt_rows import receipts_page
from gateway.treasury.views import ReceiptView, views_of
from gateway.treasury.write_off_rows import left_of
from gateway.validation.report import Report
from gateway.web import repository
from gateway.web.downloads import download
from gateway.web.errors import PageNotFoundError
from gateway.web.figures import OpenedFigure, open_figure
from gateway.web.pages import calls
from gateway.web.pages.agreements import of_invoice
from gateway.web.readable import readable_invoice
from gateway.web.rendering import invoice_stylesheet
from gateway.web.security import Anyone, FlowReplayer, Reader, Visit

_WEEK = 7 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Task:
    """An action on an invoice, and the alerts that tell of the same matter again: done with it, not shown apart."""

    action: CollectionAction
    assigned_to: UUID | None
    also: Sequence[Alert] = ()


def search(
    visit: Reader,
    q: str = "",
    status_code: str = "",
    direction: str = "",
    alert: str = "",
    figure: str = "",
    after: str = "",
) -> Response:
    """The list. `figure` names a figure of the overview: the list then holds the invoices behind it."""
    scope = visit.principal.scope
    with visit.transaction() as session:
        opened = _figure(visit, session, figure) if figure else None
        among: SelectBase | None = invoices_with_unsettled_alerts() if alert == "open" else None
        if opened is not None:
            among = opened.behind.invoices
        wanted = InvoiceFilter(
            text=q,
            statuses=(status_code,) if status_code else (),
            direction=Direction(direction) if direction in set(Direction) else None,
            among=among,
        )
        page = search_invoices(session, scope, wanted, cursor=after or None)
        values = {
            "page": page,
            "left": left_of(session, page.items),
            "alerts": repository.open_alerts_of(session, (row.id for row in page.items)),
            "statuses": [status(code) for code in repository.statuses_in_use(session, scope)],
            "figure": opened,
        }
    filters = {"q": q, "status_code": status_code, "direction": direction, "alert": alert, "figure": figure}
    return visit.render("invoices.html", filters=filters, **values)


def show(visit: Reader, invoice_id: UUID) -> Response:
    """One invoice: where it stands, what happened, what it says, what validation found, what is to be done."""
    scope = visit.principal.scope
    with visit.transaction() as session:
        invoice = invoice_by_id(session, scope, invoice_id)
        flow = session.get(Flow, invoice.flow_id) if invoice.flow_id else None
        report = Report.from_data(flow.report) if flow and flow.report else None
        alerts = list_alerts(session, scope, AlertFilter(states=(), invoice_id=invoice.id)).items
        actions = worklist(session, scope, ActionFilter(states=(), invoice_id=invoice.id)).items
        values = {
            "invoice": invoice,
            "status": status(invoice.status) if invoice.status else None,
            "timeline": _timeline(visit, session, invoice),
            "receipts": _receipts(visit, session, invoice),
            "agreements": of_invoice(session, visit, invoice) if invoice.direction == Direction.RECEIVABLE else None,
            "comments": calls.comments_on(session, visit, Subject.INVOICE, invoice.id),
            "report": report,
            "alerts": alerts,
            "tasks": _tasks(actions, alerts),
            "names": repository.user_names(
                session, [*(each.assigned_to for each in actions), *(each.acknowledged_by for each in alerts)]
            ),
        }
    readable = readable_invoice(visit, invoice.document_sha256, report)
    return visit.render("invoice.html", readable=readable, invoice_stylesheet=invoice_stylesheet(), **values)


def _tasks(actions: Sequence[CollectionAction], alerts: Iterable[Alert]) -> list[Task]:
    """One task for each matter to do, led as in the worklist, in the place of its first; what is over stays apart."""
    told_by = {alert.id: alert for alert in alerts}
    by_id = {each.id: each for each in actions}
    doing = [each for each in actions if each.state == ActionState.TODO and each.alert_id in told_by]
    groups = by_matter(
        Told(each.id, told_by[each.alert_id].condition, each.invoice_id, each.created_at) for each in doing
    )
    tasks: dict[UUID, Task] = {}
    for group in groups:
        leader, *others = sorted((by_id[each.action_id] for each in group), key=lambda each: _urgency(each, told_by))
        owner = next((each.assigned_to for each in (leader, *others) if each.assigned_to), None)
        task = Task(leader, owner, [told_by[each.alert_id] for each in others])
        tasks |= {each.action_id: task for each in group}
    shown = (tasks.get(each.id) or Task(each, each.assigned_to) for each in actions)
    return list({task.action.id: task for task in shown}.values())


def _urgency(action: CollectionAction, told_by: Mapping[UUID, Alert]) -> tuple[int, date, str]:
    return urgency(told_by[action.alert_id].severity, action.due_on, action.id)


def document(visit: Reader, invoice_id: UUID) -> Response:
    """The invoice's own file, as received."""
    with visit.transaction() as session:
        invoice = invoice_by_id(session, visit.principal.scope, invoice_id)
    return download(visit, invoice.document_sha256, invoice.number)


def message(visit: Reader, invoice_id: UUID, event_id: UUID) -> Response:
    """The raw message behind one event of an invoice the person may see."""
    with visit.transaction() as session:
        timeline = _timeline(visit, session, invoice_by_id(session, visit.principal.scope, invoice_id))
    entry = next((each for each in timeline.entries if each.event_id == event_id), None)
    if entry is None or entry.document_sha256 is None:
        raise PageNotFoundError
    return download(visit, entry.document_sha256, f"{timeline.number}-{entry.status.code}")


def resend_delivery(visit: FlowReplayer, invoice_id: UUID, delivery_id: UUID) -> Response:
    """Send again what the platform of an invoice, or the public portal, refused after taking it."""
    with visit.transaction() as session:
        timeline = _timeline(visit, session, invoice_by_id(session, visit.principal.scope, invoice_id))
        if delivery_id not in {each.id for each in (*timeline.transmission, *timeline.reporting)}:
            raise PageNotFoundError
        visit.context.resend_delivery(session, delivery_id, visit.principal.name)
    return visit.go_to(f"/invoices/{invoice_id}", "resent")


def styles(visit: Anyone) -> Response:
    """The style sheet of the readable invoice."""
    return Response(stylesheet(), media_type="text/css", headers={"Cache-Control": f"public, max-age={_WEEK}"})


def _timeline(visit: Visit, session: Session, invoice: InvoiceRecord) -> Timeline:
    return timeline_of(session, visit.principal.scope, invoice, visit.context.clock(), awaited_of, left_of)


def _receipts(visit: Visit, session: Session, invoice: InvoiceRecord) -> list[ReceiptView]:
    """The money that pays an invoice, the latest day first."""
    scope = visit.principal.scope
    page = receipts_page(session, scope, invoice_id=invoice.id, cursor=None, limit=LONGEST_PAGE)
    return views_of(session, scope, page.items) if page.items else []


def _figure(visit: Visit, session: Session, name: str) -> OpenedFigure:
    """The figure whose invoices are asked for. Raises PermissionDeniedError or PageNotFoundError."""
    if not visit.principal.may(Permission.READ_TREASURY):
        raise PermissionDeniedError
    return open_figure(session, visit.principal.scope, name, paris_date(visit.context.clock()))
