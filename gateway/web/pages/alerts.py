"""The alerts inbox: what needs a person, the gravest and most pressing first."""

from typing import Annotated
from uuid import UUID

from fastapi import Form, Response

from gateway.alerts import service
from gateway.alerts.conditions import Severity
from gateway.alerts.model import AlertState
from gateway.alerts.repository import UNSETTLED, AlertFilter, alert_by_id, count_alerts, list_alerts
from gateway.collection.service import cancel_for_closed_alert
from gateway.web import repository
from gateway.web.addresses import subject_path
from gateway.web.errors import ReasonMissingError
from gateway.web.security import AlertHandler, Reader

_STATES = {"": UNSETTLED, "closed": (AlertState.CLOSED,), "all": ()}


def inbox(visit: Reader, q: str = "", severity: str = "", team: str = "", state: str = "", after: str = "") -> Response:
    """The list with its filters; `state` is empty for what still needs someone, `closed` or `all`."""
    wanted = AlertFilter(
        states=_STATES.get(state, UNSETTLED),
        severities=(Severity(severity),) if severity in set(Severity) else (),
        teams=(team,) if team else (),
        text=q,
    )
    scope = visit.principal.scope
    with visit.transaction() as session:
        page = list_alerts(session, scope, wanted, cursor=after or None)
        values = {
            "page": page,
            "counts": count_alerts(session, scope),
            "invoices": repository.invoices_by_id(session, (alert.invoice_id for alert in page.items)),
            "names": repository.user_names(session, (alert.acknowledged_by for alert in page.items)),
        }
    filters = {"q": q, "severity": severity, "team": team, "state": state}
    return visit.render("alerts.html", filters=filters, severities=list(reversed(Severity)), **values)


def show(visit: Reader, alert_id: UUID) -> Response:
    """One alert leads to what it is about: its invoice, else the flow that was refused."""
    with visit.transaction() as session:
        alert = alert_by_id(session, visit.principal.scope, alert_id)
    return visit.go_to(subject_path(alert.invoice_id, alert.flow_id))


def acknowledge(visit: AlertHandler, alert_id: UUID, next: Annotated[str, Form()] = "/alerts") -> Response:
    """Say that someone looks after it."""
    principal = visit.principal
    with visit.transaction() as session:
        service.acknowledge(session, principal.scope, alert_id, user_id=principal.id, now=visit.context.clock())
    return visit.go_to(next, "acknowledged")


def close(
    visit: AlertHandler, alert_id: UUID, because: Annotated[str, Form()] = "", next: Annotated[str, Form()] = "/alerts"
) -> Response:
    """Close it with the person's reason; its collection action has nothing to do any more."""
    principal, now = visit.principal, visit.context.clock()
    if not because.strip():
        raise ReasonMissingError
    with visit.transaction() as session:
        alert = service.close(
            session, principal.scope, alert_id, user_id=principal.id, because=because.strip(), now=now
        )
        cancel_for_closed_alert(session, alert, now)
    return visit.go_to(next, "closed")
