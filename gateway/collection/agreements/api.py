"""`/api/v1/promises`, `/disputes` and `/plans`: what was agreed with customers, told and read by programs."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from gateway.access.principal import Principal
from gateway.alerts.conditions import Team
from gateway.collection.agreements import disputing, planning, promising, repository
from gateway.collection.agreements.disputing import NewDispute
from gateway.collection.agreements.model import PromiseOrigin, Settlement
from gateway.collection.agreements.planning import EvenSpread, NewPlan
from gateway.collection.agreements.plans import NewInstalment
from gateway.collection.agreements.policy import agreement_policy
from gateway.collection.agreements.promising import NewPromise
from gateway.collection.agreements.repository import DisputeFilter, PlanFilter, PromiseFilter, PromiseList
from gateway.collection.agreements.values import PlanState
from gateway.collection.agreements.views import (
    DisputePage,
    DisputeView,
    PlanPage,
    PlanView,
    PromisePage,
    PromiseView,
    dispute_views,
    plan_views,
    promise_views,
)
from gateway.customers.repository import find_customer
from gateway.database.engine import Database
from gateway.database.paging import LONGEST_PAGE
from gateway.kernel.clock import Clock, paris_date
from gateway.kernel.problems import problems
from gateway.notifications.service import Channels

_PRINTABLE = r"^[^\x00-\x08\x0b-\x1f]*$"
_Money = Annotated[Decimal, Field(max_digits=19, decimal_places=2, description="VAT included")]
_Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
_Words = Annotated[str, Field(min_length=1, max_length=2000, pattern=_PRINTABLE)]
_Comment = Annotated[str, Field(max_length=2000, pattern=_PRINTABLE)]
_Name = Annotated[str, Field(max_length=200, pattern=_PRINTABLE)]
_Cursor = Annotated[str | None, Query(max_length=500, description="`next_cursor` of the page before.")]
_Limit = Annotated[int, Query(ge=1, le=LONGEST_PAGE)]
_Customer = Annotated[str, Query(max_length=200, description="Identifier, key or SIREN of a customer.")]
_InvoiceIds = Annotated[
    tuple[UUID, ...],
    Field(max_length=200, description="The first to be paid first; nothing named: all that is open, by due date"),
]
_EntryIds = Annotated[
    tuple[UUID, ...], Field(max_length=200, description="Lines of the books that are no invoice here; paid after these")
]


@dataclass(frozen=True, slots=True)
class AgreementsApiContext:
    """What the routes need; `reader` and `writer` are FastAPI dependencies that say who calls or raise a GatewayError.

    `channels`: how people are told of a dispute.
    """

    database: Database
    clock: Clock
    reader: Callable[..., Any]
    writer: Callable[..., Any]
    channels: Channels


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PromiseBody(_Body):
    """A promise to pay, about what one customer owes."""

    customer: _Name = Field(description="Identifier, key or SIREN")
    amount: _Money
    currency: _Currency = "EUR"
    due_on: date = Field(description="Day by which the money is to come (Europe/Paris)")
    invoices: _InvoiceIds = ()
    entries: _EntryIds = ()
    contact: _Name = ""
    comment: _Comment = ""
    origin: PromiseOrigin = PromiseOrigin.PERSON


class BecauseBody(_Body):
    """Why, in words that stay in the history."""

    because: _Words


class MessageBody(_Body):
    """A message in the thread of a dispute."""

    text: _Words


class DisputeBody(_Body):
    """What a customer contests of an open invoice."""

    invoice_id: UUID
    reason: _Name = Field(description="MDT-113, or price, quantity, delivery, quality, reference, bank_details, other")
    amount: _Money | None = Field(default=None, description="The contested part; null for the whole invoice")
    comment: _Comment = ""
    owner_id: UUID | None = Field(default=None, description="Who follows it")
    deadline: date | None = Field(default=None, description="By when; null: as the policy says")


class AssignmentBody(_Body):
    """Who settles a dispute, by when."""

    owner_id: UUID | None = Field(description="A person, or null for nobody")
    team: Team | None = None
    deadline: date | None = None


class SettlementBody(_Body):
    """How a person ends a dispute."""

    outcome: Settlement
    because: _Words


class InstalmentBody(_Body):
    """One payment of a plan."""

    due_on: date
    amount: _Money


class PlanBody(_Body):
    """What a customer has left to pay, spread over days: by `instalments`, or evenly by `count` and `first_on`."""

    customer: _Name = Field(description="Identifier, key or SIREN")
    currency: _Currency = "EUR"
    invoices: _InvoiceIds = ()
    entries: _EntryIds = ()
    instalments: tuple[InstalmentBody, ...] = Field(default=(), max_length=120)
    count: int | None = Field(default=None, ge=1, le=120, description="Equal monthly instalments")
    first_on: date | None = Field(default=None, description="Day of the first of them")
    suspends_penalties: bool = False
    comment: _Comment = ""


def router(context: AgreementsApiContext) -> APIRouter:
    """The routes; their errors are GatewayErrors, which the assembly says as problem details."""
    routes = APIRouter(prefix="/api/v1", responses=problems(401, 403, 404, 422))
    _promise_routes(routes, context)
    _dispute_routes(routes, context)
    _plan_routes(routes, context)
    return routes


def _promise_routes(routes: APIRouter, context: AgreementsApiContext) -> None:
    reader = Annotated[Principal, Depends(context.reader)]
    writer = Annotated[Principal, Depends(context.writer)]

    @routes.get("/promises", tags=["Promises"], summary="Promises to pay, the nearest day first")
    def promises(
        principal: reader,
        view: PromiseList = PromiseList.OPEN,
        customer: _Customer = "",
        invoice: UUID | None = None,
        cursor: _Cursor = None,
        limit: _Limit = 50,
    ) -> PromisePage:
        """`late`: past their day and something is missing; `at_risk`: for one of the next working days."""
        today = paris_date(context.clock())
        with context.database.transaction(principal.organisation_id) as session:
            customer_id = find_customer(session, principal.scope, customer).id if customer else None
            until = agreement_policy(today).at_risk_until(today)
            wanted = PromiseFilter(today, until, view, customer_id, invoice)
            page = repository.promises_page(session, principal.scope, wanted, cursor=cursor, limit=limit)
            found = tuple(promise_views(session, page.items))
        return PromisePage(promises=found, next_cursor=page.next_cursor)

    @routes.get("/promises/{promise_id}", tags=["Promises"], summary="A promise and its history")
    def promise(principal: reader, promise_id: UUID) -> PromiseView:
        with context.database.transaction(principal.organisation_id) as session:
            return promise_views(session, [repository.promise_by_id(session, principal.scope, promise_id)])[0]

    @routes.post("/promises", status_code=201, tags=["Promises"], summary="Record a promise to pay")
    def make(principal: writer, body: PromiseBody) -> PromiseView:
        with context.database.transaction(principal.organisation_id) as session:
            told = body.model_dump(exclude={"customer", "invoices", "entries"})
            customer_id = find_customer(session, principal.scope, body.customer).id
            new = NewPromise(customer_id=customer_id, invoice_ids=body.invoices, entry_ids=body.entries, **told)
            made = promising.make_promise(session, principal.scope, new, by=_name(principal), now=context.clock())
            return promise_views(session, [made])[0]

    @routes.post(
        "/promises/{promise_id}/cancellation", tags=["Promises"], summary="Cancel a promise", responses=problems(409)
    )
    def cancel(principal: writer, promise_id: UUID, body: BecauseBody) -> PromiseView:
        with context.database.transaction(principal.organisation_id) as session:
            scope, by, now = principal.scope, _name(principal), context.clock()
            row = promising.cancel_promise(session, scope, promise_id, because=body.because, by=by, now=now)
            return promise_views(session, [row])[0]


def _dispute_routes(routes: APIRouter, context: AgreementsApiContext) -> None:
    reader = Annotated[Principal, Depends(context.reader)]
    writer = Annotated[Principal, Depends(context.writer)]

    @routes.get("/disputes", tags=["Disputes"], summary="Disputes, the nearest deadline first")
    def disputes(
        principal: reader,
        is_open: Annotated[bool | None, Query(alias="open", description="Leave out for both.")] = None,
        team: Team | None = None,
        owner: UUID | None = None,
        customer: _Customer = "",
        invoice: UUID | None = None,
        cursor: _Cursor = None,
        limit: _Limit = 50,
    ) -> DisputePage:
        """Those that statuses 206, 207 and 210 opened, and those that people told."""
        with context.database.transaction(principal.organisation_id) as session:
            customer_id = find_customer(session, principal.scope, customer).id if customer else None
            wanted = DisputeFilter(is_open, team or "", owner, customer_id=customer_id, invoice_id=invoice)
            page = repository.disputes_page(session, principal.scope, wanted, cursor=cursor, limit=limit)
            found = tuple(dispute_views(session, page.items))
        return DisputePage(disputes=found, next_cursor=page.next_cursor)

    @routes.get("/disputes/{dispute_id}", tags=["Disputes"], summary="A dispute and its thread")
    def dispute(principal: reader, dispute_id: UUID) -> DisputeView:
        with context.database.transaction(principal.organisation_id) as session:
            return dispute_views(session, [repository.dispute_by_id(session, principal.scope, dispute_id)])[0]

    @routes.post("/disputes", status_code=201, tags=["Disputes"], summary="Record a dispute", responses=problems(409))
    def open_one(principal: writer, body: DisputeBody) -> DisputeView:
        with context.database.transaction(principal.organisation_id) as session:
            scope, by, now = principal.scope, _name(principal), context.clock()
            row = disputing.open_dispute(
                session, scope, NewDispute(**body.model_dump()), context.channels, by=by, now=now
            )
            return dispute_views(session, [row])[0]

    @routes.post("/disputes/{dispute_id}/messages", tags=["Disputes"], summary="Write in the thread of a dispute")
    def say(principal: writer, dispute_id: UUID, body: MessageBody) -> DisputeView:
        with context.database.transaction(principal.organisation_id) as session:
            scope, by, now = principal.scope, _name(principal), context.clock()
            disputing.say(session, scope, dispute_id, body.text, by=by, now=now)
            return dispute_views(session, [repository.dispute_by_id(session, scope, dispute_id)])[0]

    @routes.post(
        "/disputes/{dispute_id}/assignment",
        tags=["Disputes"],
        summary="Say who settles a dispute, by when",
        responses=problems(409),
    )
    def assign(principal: writer, dispute_id: UUID, body: AssignmentBody) -> DisputeView:
        """A team or a deadline that is left out stays as it is."""
        with context.database.transaction(principal.organisation_id) as session:
            row = disputing.assign(
                session,
                principal.scope,
                dispute_id,
                owner_id=body.owner_id,
                team=body.team or "",
                deadline=body.deadline,
                by=_name(principal),
                now=context.clock(),
            )
            return dispute_views(session, [row])[0]

    @routes.post(
        "/disputes/{dispute_id}/settlement", tags=["Disputes"], summary="End a dispute", responses=problems(409)
    )
    def settle(principal: writer, dispute_id: UUID, body: SettlementBody) -> DisputeView:
        """`refused`: we hold it to be unfounded, and chasing resumes."""
        with context.database.transaction(principal.organisation_id) as session:
            scope, by, now = principal.scope, _name(principal), context.clock()
            row = disputing.settle(session, scope, dispute_id, body.outcome, body.because, by=by, now=now)
            return dispute_views(session, [row])[0]

    @routes.post(
        "/disputes/{dispute_id}/reopening", tags=["Disputes"], summary="Open a dispute again", responses=problems(409)
    )
    def reopen(principal: writer, dispute_id: UUID, body: BecauseBody) -> DisputeView:
        with context.database.transaction(principal.organisation_id) as session:
            scope, by, now = principal.scope, _name(principal), context.clock()
            row = disputing.reopen(session, scope, dispute_id, body.because, context.channels, by=by, now=now)
            return dispute_views(session, [row])[0]


def _plan_routes(routes: APIRouter, context: AgreementsApiContext) -> None:
    reader = Annotated[Principal, Depends(context.reader)]
    writer = Annotated[Principal, Depends(context.writer)]

    @routes.get("/plans", tags=["Plans"], summary="Instalment plans")
    def plans(
        principal: reader,
        state: Annotated[list[PlanState] | None, Query(description="May be repeated.")] = None,
        customer: _Customer = "",
        invoice: UUID | None = None,
        cursor: _Cursor = None,
        limit: _Limit = 50,
    ) -> PlanPage:
        with context.database.transaction(principal.organisation_id) as session:
            customer_id = find_customer(session, principal.scope, customer).id if customer else None
            wanted = PlanFilter(tuple(state or ()), customer_id, invoice)
            page = repository.plans_page(session, principal.scope, wanted, cursor=cursor, limit=limit)
            found = tuple(plan_views(session, page.items))
        return PlanPage(plans=found, next_cursor=page.next_cursor)

    @routes.get("/plans/{plan_id}", tags=["Plans"], summary="A plan, its instalments and its history")
    def plan(principal: reader, plan_id: UUID) -> PlanView:
        with context.database.transaction(principal.organisation_id) as session:
            return plan_views(session, [repository.plan_by_id(session, principal.scope, plan_id)])[0]

    @routes.post(
        "/plans", status_code=201, tags=["Plans"], summary="Record an instalment plan", responses=problems(409)
    )
    def make(principal: writer, body: PlanBody) -> PlanView:
        """Its instalments sum to what is left to pay of what it names, to the cent."""
        with context.database.transaction(principal.organisation_id) as session:
            new = NewPlan(
                customer_id=find_customer(session, principal.scope, body.customer).id,
                spread=_spread(body),
                currency=body.currency,
                invoice_ids=body.invoices,
                entry_ids=body.entries,
                suspends_penalties=body.suspends_penalties,
                comment=body.comment,
            )
            made = planning.make_plan(session, principal.scope, new, by=_name(principal), now=context.clock())
            return plan_views(session, [made])[0]

    @routes.post("/plans/{plan_id}/cancellation", tags=["Plans"], summary="Cancel a plan", responses=problems(409))
    def cancel(principal: writer, plan_id: UUID, body: BecauseBody) -> PlanView:
        """Its invoices fall due again as they were."""
        with context.database.transaction(principal.organisation_id) as session:
            scope, by, now = principal.scope, _name(principal), context.clock()
            row = planning.cancel_plan(session, scope, plan_id, because=body.because, by=by, now=now)
            return plan_views(session, [row])[0]


def _spread(body: PlanBody) -> EvenSpread | tuple[NewInstalment, ...]:
    if body.count is not None and body.first_on is not None and not body.instalments:
        return EvenSpread(body.count, body.first_on)
    return tuple(NewInstalment(each.due_on, each.amount) for each in body.instalments)


def _name(principal: Principal) -> str:
    return f"{principal.kind}:{principal.id}"
