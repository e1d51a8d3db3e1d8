"""Flows that could not be processed: why, and back to work once the cause is gone."""

from uuid import UUID

from fastapi import Response

from gateway.web import repository
from gateway.web.security import FlowReplayer


def show(visit: FlowReplayer, after: str = "") -> Response:
    """The quarantine, the latest first."""
    with visit.transaction() as session:
        page = repository.quarantined(session, visit.principal.scope, after or None)
    return visit.render("quarantine.html", page=page)


def replay(visit: FlowReplayer, flow_id: UUID) -> Response:
    """Let one flow be tried again from the beginning."""
    with visit.transaction() as session:
        repository.visible_flow(session, visit.principal.scope, flow_id)
        visit.context.replay_flow(session, flow_id)
    return visit.go_to("/quarantine", "replayed")
