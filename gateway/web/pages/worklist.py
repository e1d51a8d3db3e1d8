"""The worklist: what to do today so that cash comes in, the most useful first."""

from typing import Annotated
from uuid import UUID

from fastapi import Form, Response

from gateway.collection import service
from gateway.collection.model import ActionState
from gateway.collection.repository import ActionFilter
from gateway.collection.repository import worklist as find_actions
from gateway.web import repository
from gateway.web.errors import ReasonMissingError
from gateway.web.security import ActionWorker, Reader

_STATES = {"done": ActionState.DONE, "cancelled": ActionState.CANCELLED}


def show(visit: Reader, q: str = "", whose: str = "", team: str = "", state: str = "", after: str = "") -> Response:
    """The list. `whose` is empty for everyone's, `mine` or `nobody`; `state` is empty for what is still to do."""
    person = visit.principal
    wanted = ActionFilter(
        states=(_STATES.get(state, ActionState.TODO),),
        teams=(team,) if team else (),
        assigned_to=person.id if whose == "mine" else None,
        unassigned=whose == "nobody",
        text=q,
    )
    with visit.transaction() as session:
        page = find_actions(session, person.scope, wanted, cursor=after or None)
        values = {
            "page": page,
            "invoices": repository.invoices_by_id(session, (action.invoice_id for action in page.items)),
            "names": repository.user_names(session, (action.assigned_to for action in page.items)),
        }
    filters = {"q": q, "whose": whose, "team": team, "state": state}
    return visit.render("worklist.html", filters=filters, **values)


def assign(visit: ActionWorker, action_id: UUID, next: Annotated[str, Form()] = "/worklist") -> Response:
    """Take an action for oneself."""
    person, now = visit.principal, visit.context.clock()
    with visit.transaction() as session:
        service.assign(session, person.scope, action_id, to_user=person.id, by_user=person.id, now=now)
    return visit.go_to(next, "assigned")


def complete(
    visit: ActionWorker,
    action_id: UUID,
    outcome: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = "/worklist",
) -> Response:
    """Say what came of an action."""
    person, now = visit.principal, visit.context.clock()
    if not outcome.strip():
        raise ReasonMissingError
    with visit.transaction() as session:
        service.complete(session, person.scope, action_id, user_id=person.id, outcome=outcome.strip(), now=now)
    return visit.go_to(next, "completed")
