"""Messages as they will leave, before anyone confirms them, and the documents of those that left."""

from uuid import UUID

from fastapi import Response

from gateway.collection.messages.values import Draft, Paper
from gateway.collection.previewing import one_of
from gateway.collection.reminder_views import MessageView
from gateway.collection.reminding import instant_of
from gateway.customers.repository import find_customer
from gateway.web.downloads import saved
from gateway.web.pages.reminders import day_given
from gateway.web.security import Reader, Visit


def foreseen(visit: Reader, customer: UUID, currency: str = "EUR", on: str = "") -> Response:
    """The message that the round would send to an account, on another day when `on` says so."""
    draft, name, siren = _foreseen(visit, customer, currency, on)
    return visit.render(
        "reminder_message.html",
        message=MessageView.of(draft, visit.principal.scope, siren),
        customer={"id": customer, "name": name},
        asked={"customer": customer, "currency": currency, "on": on},
    )


def foreseen_document(visit: Reader, position: int, customer: UUID, currency: str = "EUR", on: str = "") -> Response:
    """A document of that message."""
    draft, _, siren = _foreseen(visit, customer, currency, on)
    return _saved(one_of(draft.papers, position, visit.principal.scope, siren))


def document(visit: Reader, reminder_id: UUID, position: int) -> Response:
    """A document of a reminder, as it left or as it would leave now."""
    with visit.transaction() as session:
        return _saved(visit.context.previews.document(session, visit.principal.scope, reminder_id, position))


def _foreseen(visit: Visit, customer: UUID, currency: str, on: str) -> tuple[Draft, str, str | None]:
    """The message, the name of the customer, its SIREN."""
    scope, day = visit.principal.scope, day_given(on)
    with visit.transaction() as session:
        row = find_customer(session, scope, str(customer))
        at = visit.context.clock() if day is None else instant_of(session, day)
        return visit.context.previews.of_decision(session, scope, row.id, currency, at), row.name, row.siren


def _saved(paper: Paper) -> Response:
    return saved(paper.content, paper.media_type, paper.name)
