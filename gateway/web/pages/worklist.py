"""The worklist: what to do today so that cash comes in, the most useful first."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import Form, Query, Response

from gateway.access.repository import agencies
from gateway.collection import service
from gateway.collection.agreements.policy import agreement_policy
from gateway.collection.model import ActionState
from gateway.collection.repository import ActionFilter
from gateway.collection.repository import worklist as find_actions
from gateway.collection.worklist.comments import latest_comments
from gateway.collection.worklist.listing import WorklistFilter, worklist_of
from gateway.collection.worklist.matters import Viewer, matters
from gateway.collection.worklist.policy import CallOutcome, kind_label, worklist_policy
from gateway.customers.model import CustomerContact
from gateway.customers.repository import contact_rows
from gateway.customers.values import ContactRole
from gateway.kernel.clock import paris_date
from gateway.kernel.text import Text
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
    kind: _Word = "",
    state: str = "",
    agency: str = "",
    customer: str = "",
    key: str = "",
    after: str = "",
) -> Response:
    """The list. `whose` is empty for everyone's, `mine`, `nobody`, or whose portfolio; `key`: key accounts only.

    `state` is empty for what is to be done today, `later` for what comes back, `done` or `cancelled` for actions over.
    """
    person, today = visit.principal, paris_date(visit.context.clock())
    filters = {"q": q, "whose": whose, "team": team, "kind": kind, "state": state, "agency": agency, "key": key}
    filters["customer"] = customer
    if state in _OVER:
        return _over(visit, _OVER[state], filters, after)
    wanted = WorklistFilter(
        person=person.id if whose == "mine" else _identifier(whose),
        unowned=whose == "nobody",
        agency_id=_identifier(agency),
        customer_id=_identifier(customer),
        key_accounts_only=bool(key),
        teams=(team,) if team else (),
        kinds=(kind,) if kind else (),
        later=state == "later",
        text=q,
    )
    with visit.transaction() as session:
        every = matters(session, Viewer.of(person))
        found = worklist_of(every, wanted, today, worklist_policy(today), cursor=after or None)
        shown = [line.matter for line in found.page.items]
        names = repository.user_names(session, (each.assigned_to or each.collector_id for each in every))
        customers = {each.customer_id for each in shown if each.customer_id}
        contacts = contact_rows(session, list(customers))
        about = {each.invoice_id for each in shown if each.invoice_id} | customers
        comments = latest_comments(session, about)
        mine = person.scope.agencies
        offered = [each for each in agencies(session) if mine is None or each.id in mine]
    return visit.render(
        "worklist.html",
        filters=filters,
        list=found,
        names=names,
        people=dict(sorted(names.items(), key=lambda named: named[1])),
        kinds=sorted({each.kind for each in every}),
        kind_label=kind_label,
        contacts={of: [_Called.of(row) for row in rows] for of, rows in contacts.items()},
        comments=comments,
        agencies=offered,
        outcomes=CallOutcome,
        categories=agreement_policy(today).categories,
        promised_on=agreement_policy(today).promise_proposed_on(today),
    )


@dataclass(frozen=True, slots=True)
class _Called:
    """Someone at the customer who may be called."""

    name: str
    role_label: Text
    phone: str | None
    email: str | None

    @classmethod
    def of(cls, row: CustomerContact) -> "_Called":
        return cls(row.name, ContactRole(row.role).label, row.phone, row.email)


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
    return visit.render(
        "worklist.html", filters=filters, list=None, agencies=(), people={}, kinds=(), kind_label=kind_label, **values
    )


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
