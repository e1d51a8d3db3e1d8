"""The worklist: what to do today so that cash comes in, the most useful first."""

from typing import Annotated
from uuid import UUID

from fastapi import Form, Query, Response

from gateway.access.repository import agencies
from gateway.collection import service
from gateway.collection.agreements.policy import agreement_policy
from gateway.collection.model import ActionState
from gateway.collection.repository import ActionFilter
from gateway.collection.repository import worklist as find_actions
from gateway.collection.worklist.listing import WorklistFilter, worklist_of
from gateway.collection.worklist.matters import Viewer, matters
from gateway.collection.worklist.policy import CallOutcome, worklist_policy
from gateway.kernel.clock import paris_date
from gateway.web import repository
from gateway.web.errors import ReasonMissingError
from gateway.web.security import ActionWorker, Reader, Visit

#: Without control characters, which no text of ours holds.
_Word = Annotated[str, Query(pattern=r"^[^\x00-\x1f]*$")]
_OVER = {"done": ActionState.DONE, "cancelled": ActionState.CANCELLED}


def show(
    visit: Reader,
    q: _Word = "",
    whose: str = "",
    team: _Word = "",
    state: str = "",
    agency: str = "",
    customer: str = "",
    key: str = "",
    after: str = "",
) -> Response:
    """The list. `whose` is empty for everyone's, `mine` or `nobody`; `key` is given for key accounts only.

    `state` is empty for what is to be done today, `later` for what comes back, `done` or `cancelled` for actions over.
    """
    person, today = visit.principal, paris_date(visit.context.clock())
    filters = {"q": q, "whose": whose, "team": team, "state": state, "agency": agency, "customer": customer, "key": key}
    if state in _OVER:
        return _over(visit, _OVER[state], filters, after)
    wanted = WorklistFilter(
        person=person.id if whose == "mine" else None,
        unowned=whose == "nobody",
        agency_id=_identifier(agency),
        customer_id=_identifier(customer),
        key_accounts_only=bool(key),
        teams=(team,) if team else (),
        later=state == "later",
        text=q,
    )
    with visit.transaction() as session:
        found = worklist_of(
            matters(session, Viewer.of(person)), wanted, today, worklist_policy(today), cursor=after or None
        )
        shown = [line.matter for line in found.page.items]
        names = repository.user_names(session, (each.assigned_to or each.collector_id for each in shown))
        mine = person.scope.agencies
        offered = [each for each in agencies(session) if mine is None or each.id in mine]
    return visit.render(
        "worklist.html",
        filters=filters,
        list=found,
        names=names,
        agencies=offered,
        outcomes=CallOutcome,
        categories=agreement_policy(today).categories,
    )


def _over(visit: Visit, state: ActionState, filters: dict[str, str], after: str) -> Response:
    """Actions that are done, or that nobody needs any more."""
    person = visit.principal
    wanted = ActionFilter(
        states=(state,),
        teams=(filters["team"],) if filters["team"] else (),
        assigned_to=person.id if filters["whose"] == "mine" else None,
        unassigned=filters["whose"] == "nobody",
        text=filters["q"],
    )
    with visit.transaction() as session:
        page = find_actions(session, person.scope, wanted, cursor=after or None)
        values = {
            "page": page,
            "invoices": repository.invoices_by_id(session, (action.invoice_id for action in page.items)),
            "names": repository.user_names(session, (action.assigned_to for action in page.items)),
        }
    return visit.render("worklist.html", filters=filters, list=None, agencies=(), **values)


def _identifier(text: str) -> UUID | None:
    """An identifier of a filter; None without one, or when it is none."""
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


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
