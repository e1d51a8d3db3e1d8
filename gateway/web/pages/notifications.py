"""What the gateway said to the person."""

from fastapi import Response

from gateway.notifications.repository import notifications_of
from gateway.notifications.service import mark_read
from gateway.web.security import Reader


def show(visit: Reader) -> Response:
    """The latest notifications, the newest first."""
    with visit.transaction() as session:
        found = notifications_of(session, visit.principal.id)
    return visit.render("notifications.html", notifications=found)


def read_all(visit: Reader) -> Response:
    """Take note that the person has seen them."""
    with visit.transaction() as session:
        mark_read(session, visit.principal.id, now=visit.context.clock())
    return visit.go_to("/notifications", "read")
