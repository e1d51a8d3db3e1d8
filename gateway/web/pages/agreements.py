"""Promises, disputes and instalment plans: their lists, the thread of a dispute, and the forms that record them."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import Form, Response
from sqlmodel import Session

from gateway.access.roles import Role
from gateway.alerts.repository import active_people
from gateway.collection.agreements import disputing, planning, promising, repository
from gateway.collection.agreements.disputing import NewDispute
from gateway.collection.agreements.errors import UnknownOwnerError
from gateway.collection.agreements.model import Settlement
from gateway.collection.agreements.owing import open_to
from gateway.collection.agreements.planning import EvenSpread, NewPlan
from gateway.collection.agreements.policy import agreement_policy
from gateway.collection.agreements.promising import NewPromise
from gateway.collection.agreements.repository import DisputeFilter, PlanFilter, PromiseFilter, PromiseList
from gateway.collection.agreements.values import PlanState
from gateway.collection.agreements.views import dispute_views, plan_views, promise_views
from gateway.collection.worklist.comments import Subject
from gateway.customers.fields import read_amount, read_currency, read_day
from gateway.customers.model import Customer
from gateway.customers.repository import find_customer
from gateway.kernel.clock import paris_date
from gateway.lifecycle.model import InvoiceRecord
from gateway.lifecycle.reasons import allowed_reasons, reason
from gateway.notifications.service import channels_of
from gateway.web.pages.calls import comments_on
from gateway.web.security import ActionWorker, Reader, Visit

_COLLECTING = (Role.ADMINISTRATOR, Role.AR_MANAGER, Role.COLLECTOR)
_SHOWN_OF_ONE = 20
#: Items that may be ticked in a form.
_NAMED_AT_MOST = 200
_Text = Annotated[str, Form(max_length=2000)]
_About = Annotated[list[UUID] | None, Form(max_length=_NAMED_AT_MOST)]


def promises(visit: Reader, view: str = PromiseList.LATE.value, after: str = "") -> Response:
    """The list; `view` is late, at_risk, open, over or all."""
    chosen = PromiseList(view) if view in set(PromiseList) else PromiseList.LATE
    with visit.transaction() as session:
        page = repository.promises_page(session, visit.principal.scope, _promises(visit, chosen), cursor=after or None)
        views = promise_views(session, page.items)
    filters = {"view": chosen.value}
    return visit.render("promises.html", page=page, promises=views, filters=filters, lists=PromiseList)


def disputes(visit: Reader, whose: str = "", team: str = "", state: str = "", after: str = "") -> Response:
    """The list. `whose` is empty for everyone's, `mine` or `nobody`; `state` is empty for open ones, else `closed`."""
    person = visit.principal
    wanted = DisputeFilter(
        is_open=state != "closed",
        team=team,
        owner_id=person.id if whose == "mine" else None,
        unowned=whose == "nobody",
    )
    with visit.transaction() as session:
        page = repository.disputes_page(session, person.scope, wanted, cursor=after or None)
        views = dispute_views(session, page.items)
    filters = {"whose": whose, "team": team, "state": state}
    return visit.render("disputes.html", page=page, disputes=views, filters=filters)


def dispute(visit: Reader, dispute_id: UUID) -> Response:
    """One dispute: what is contested, its thread, and what may be done about it."""
    scope = visit.principal.scope
    with visit.transaction() as session:
        (view,) = dispute_views(session, [repository.dispute_by_id(session, scope, dispute_id)])
        people = active_people(session, _COLLECTING)
        said = comments_on(session, visit, Subject.DISPUTE, dispute_id)
    return visit.render("dispute.html", dispute=view, people=people, settlements=Settlement, comments=said)


def plans(visit: Reader, state: str = "", after: str = "") -> Response:
    """The list; `state` is empty for those that run or are broken, else `over`."""
    over = (PlanState.DONE, PlanState.CANCELLED)
    states = over if state == "over" else (PlanState.ACTIVE, PlanState.BROKEN)
    with visit.transaction() as session:
        page = repository.plans_page(session, visit.principal.scope, PlanFilter(states), cursor=after or None)
        views = plan_views(session, page.items)
    return visit.render("plans.html", page=page, plans=views, filters={"state": state})


def of_customer(session: Session, visit: Visit, customer: Customer) -> dict[str, Any]:
    """What `customer_agreements.html` shows: the customer's promises, plans and open disputes, and what it owes."""
    scope, wanted = visit.principal.scope, _promises(visit, PromiseList.ALL, customer.id)
    today = paris_date(visit.context.clock())
    asked: dict[str, Any] = {"limit": _SHOWN_OF_ONE}
    return {
        "owing": open_to(session, scope, customer.id, customer.credit_currency, today)[:_NAMED_AT_MOST],
        "promises": promise_views(session, repository.promises_page(session, scope, wanted, **asked).items),
        "plans": plan_views(
            session, repository.plans_page(session, scope, PlanFilter(customer_id=customer.id), **asked).items
        ),
        "disputes": dispute_views(
            session, repository.disputes_page(session, scope, DisputeFilter(customer_id=customer.id), **asked).items
        ),
    }


def of_invoice(session: Session, visit: Visit, invoice: InvoiceRecord) -> dict[str, Any]:
    """What `invoice_agreements.html` shows: what is agreed on or contested of an invoice."""
    scope, today = visit.principal.scope, paris_date(visit.context.clock())
    asked: dict[str, Any] = {"limit": _SHOWN_OF_ONE}
    wanted = PromiseFilter(today, today, PromiseList.ALL, invoice_id=invoice.id)
    mine = DisputeFilter(is_open=None, invoice_id=invoice.id)
    return {
        "promises": promise_views(session, repository.promises_page(session, scope, wanted, **asked).items),
        "plans": plan_views(
            session, repository.plans_page(session, scope, PlanFilter(invoice_id=invoice.id), **asked).items
        ),
        "disputes": dispute_views(session, repository.disputes_page(session, scope, mine, **asked).items),
        "categories": agreement_policy(today).categories,
        "reasons": [reason(code) for code in sorted(allowed_reasons("207"))],
    }


def make_promise(
    visit: ActionWorker,
    customer_id: UUID,
    amount: Annotated[str, Form()] = "",
    due_on: Annotated[str, Form()] = "",
    currency: Annotated[str, Form()] = "EUR",
    contact: Annotated[str, Form(max_length=200)] = "",
    comment: _Text = "",
    about: _About = None,
) -> Response:
    """A promise about what is ticked, else about all that the customer owes, the first due first."""
    with visit.transaction() as session:
        find_customer(session, visit.principal.scope, str(customer_id))
        invoices, entries = _ticked(session, visit, customer_id, read_currency(currency), about or ())
        new = NewPromise(
            customer_id,
            read_amount(amount),
            read_day(due_on),
            currency=read_currency(currency),
            invoice_ids=invoices,
            entry_ids=entries,
            contact=contact,
            comment=comment,
        )
        promising.make_promise(session, visit.principal.scope, new, **_acting(visit))
    return visit.go_to(f"/customers/{customer_id}", "promise_made")


def cancel_promise(
    visit: ActionWorker, promise_id: UUID, because: _Text = "", next: Annotated[str, Form()] = "/promises"
) -> Response:
    """The promise is off."""
    return _done(visit, next, "promise_cancelled", promising.cancel_promise, promise_id, because=because)


def make_plan(
    visit: ActionWorker,
    customer_id: UUID,
    count: Annotated[str, Form()] = "3",
    first_on: Annotated[str, Form()] = "",
    currency: Annotated[str, Form()] = "EUR",
    suspends_penalties: Annotated[str, Form()] = "",
    comment: _Text = "",
    about: _About = None,
) -> Response:
    """What is ticked, else all that the customer owes in one currency, in equal monthly instalments."""
    with visit.transaction() as session:
        find_customer(session, visit.principal.scope, str(customer_id))
        invoices, entries = _ticked(session, visit, customer_id, read_currency(currency), about or ())
        new = NewPlan(
            customer_id,
            EvenSpread(int(read_amount(count)), read_day(first_on)),
            currency=read_currency(currency),
            invoice_ids=invoices,
            entry_ids=entries,
            suspends_penalties=suspends_penalties == "yes",
            comment=comment,
        )
        planning.make_plan(session, visit.principal.scope, new, **_acting(visit))
    return visit.go_to(f"/customers/{customer_id}", "plan_made")


def cancel_plan(
    visit: ActionWorker, plan_id: UUID, because: _Text = "", next: Annotated[str, Form()] = "/plans"
) -> Response:
    """The plan is off."""
    return _done(visit, next, "plan_cancelled", planning.cancel_plan, plan_id, because=because)


def open_dispute(
    visit: ActionWorker,
    invoice_id: UUID,
    reason_code: Annotated[str, Form()] = "",
    amount: Annotated[str, Form()] = "",
    comment: _Text = "",
) -> Response:
    """What the customer contests of an invoice; without amount, all of it."""
    with visit.transaction() as session:
        new = NewDispute(invoice_id, reason_code, read_amount(amount) if amount.strip() else None, comment)
        channels = channels_of(visit.context.settings)
        disputing.open_dispute(session, visit.principal.scope, new, channels, **_acting(visit))
    return visit.go_to(f"/invoices/{invoice_id}", "dispute_opened")


def say(visit: ActionWorker, dispute_id: UUID, text: _Text = "") -> Response:
    """A message in the thread."""
    return _done(visit, f"/disputes/{dispute_id}", "dispute_said", disputing.say, dispute_id, text=text)


def assign(
    visit: ActionWorker,
    dispute_id: UUID,
    owner: Annotated[str, Form()] = "",
    team: Annotated[str, Form()] = "",
    deadline: Annotated[str, Form()] = "",
) -> Response:
    """Who settles it, by when; `owner` is empty for nobody."""
    given = {
        "owner_id": _person(owner),
        "team": team,
        "deadline": read_day(deadline) if deadline else None,
    }
    return _done(visit, f"/disputes/{dispute_id}", "dispute_assigned", disputing.assign, dispute_id, **given)


def settle(
    visit: ActionWorker,
    dispute_id: UUID,
    settlement: Annotated[Settlement, Form()],
    because: _Text = "",
) -> Response:
    """It is over."""
    given = {"settlement": settlement, "because": because}
    return _done(visit, f"/disputes/{dispute_id}", "dispute_settled", disputing.settle, dispute_id, **given)


def reopen(visit: ActionWorker, dispute_id: UUID, because: _Text = "") -> Response:
    """It goes on."""
    given = {"because": because, "channels": channels_of(visit.context.settings)}
    return _done(visit, f"/disputes/{dispute_id}", "dispute_reopened", disputing.reopen, dispute_id, **given)


def _ticked(
    session: Session, visit: Visit, customer_id: UUID, currency: str, about: Sequence[UUID]
) -> tuple[tuple[UUID, ...], tuple[UUID, ...]]:
    """Invoices, and lines of the books, among what was ticked; what is open no more counts as an invoice."""
    today = paris_date(visit.context.clock())
    owing = open_to(session, visit.principal.scope, customer_id, currency, today) if about else []
    booked = {each.item_id for each in owing if each.invoice is None}
    return tuple(each for each in about if each not in booked), tuple(each for each in about if each in booked)


def _person(owner: str) -> UUID | None:
    try:
        return UUID(owner) if owner else None
    except ValueError as error:
        raise UnknownOwnerError(owner[:80]) from error


def _done(
    visit: Visit, path: str, notice: str, act: Callable[..., object], agreement_id: UUID, **told: object
) -> Response:
    with visit.transaction() as session:
        act(session, visit.principal.scope, agreement_id, **told, **_acting(visit))
    return visit.go_to(path, notice)


def _acting(visit: Visit) -> dict[str, Any]:
    """Who does it and when."""
    return {"by": f"user:{visit.principal.id}", "now": visit.context.clock()}


def _promises(visit: Visit, view: PromiseList, customer_id: UUID | None = None) -> PromiseFilter:
    today = paris_date(visit.context.clock())
    return PromiseFilter(today, agreement_policy(today).at_risk_until(today), view, customer_id)
