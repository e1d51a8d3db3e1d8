"""`/api/v1/reminders`, `/api/v1/exclusions`, `/api/v1/scenarios`: what is sent to customers."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from gateway.access.principal import Principal
from gateway.collection import confirming, exclusions, scenario_books
from gateway.collection.address_faults import fault_rows, lift_fault
from gateway.collection.model import Reminder, ReminderState
from gateway.collection.reminder_rows import ReminderFilter, reminder_by_id, reminders_page
from gateway.collection.reminder_views import (
    AddressFaultView,
    DecisionPage,
    ExclusionView,
    ReminderPage,
    ReminderView,
    decision_view,
    reminder_views,
    seen_by,
)
from gateway.collection.reminding import instant_of, preview, preview_page
from gateway.collection.returning import came_back
from gateway.collection.scenarios import Channel
from gateway.customers.repository import find_customer
from gateway.database.engine import Database
from gateway.kernel.clock import Clock, paris_date
from gateway.kernel.problems import problems

_PRINTABLE = r"^[^\x00-\x08\x0b-\x1f]*$"
_Sentence = Annotated[str, Field(min_length=1, max_length=2000, pattern=_PRINTABLE)]
_Named = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]*$")]
_Cursor = Annotated[str | None, Query(max_length=500, description="`next_cursor` of the page before.")]
_Limit = Annotated[int, Query(ge=1, le=100)]
_CustomerQuery = Annotated[
    str | None, Query(max_length=200, pattern=r"^[^\x00-\x1f]*$", description="Identifier, key or SIREN.")
]


@dataclass(frozen=True, slots=True)
class RemindersApiContext:
    """What the routes need; `reader` and `writer` are FastAPI dependencies that say who calls, or raise."""

    database: Database
    clock: Clock
    reader: Callable[..., Any]
    writer: Callable[..., Any]


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ConfirmBody(_Body):
    """What a person changes while confirming."""

    note: Annotated[str, Field(max_length=confirming.LONGEST_NOTE, pattern=_PRINTABLE)] = Field(
        default="", description="Words of one’s own in the message"
    )
    email: Annotated[str, Field(max_length=254, pattern=r"^[^\x00-\x1f]*$")] = Field(
        default="", description="Another address of the customer"
    )


class ReasonBody(_Body):
    """Why."""

    reason: _Sentence


class OutcomeBody(_Body):
    """What came of a call or a task, or the number of a registered letter."""

    outcome: _Sentence


class SettleBody(_Body):
    """What a person knows of a message in doubt."""

    arrived: bool = Field(description="False: it is sent again")
    email: Annotated[str, Field(max_length=254, pattern=r"^[^\x00-\x1f]*$")] = Field(
        default="", description="Sent again to this address, when it was the address that was wrong"
    )


class ExclusionBody(_Body):
    """Whom reminders are to spare."""

    customer: _Named = Field(description="Identifier, key or SIREN")
    invoice_id: UUID | None = Field(default=None, description="Null with no `entry_id` either: the whole customer")
    entry_id: UUID | None = Field(default=None, description="Instead of an invoice, what only the books know")
    until: date | None = Field(default=None, description="Last day, included; null: until it is lifted")
    reason: _Sentence


class BookBody(_Body):
    """Scenarios to follow from a day on."""

    valid_from: date | None = Field(default=None, description="Europe/Paris; null: today")
    comment: Annotated[str, Field(max_length=2000, pattern=_PRINTABLE)] = ""
    scenario: list[dict[str, Any]] = Field(description="As `GET /api/v1/scenarios` shows them", max_length=50)


class BookView(_Body):
    """The scenarios in force."""

    scenario: list[dict[str, Any]]


def router(context: RemindersApiContext) -> APIRouter:
    """The routes; their errors are GatewayErrors, which the assembly says as problem details."""
    routes = APIRouter(prefix="/api/v1", tags=["Reminders"], responses=problems(401, 403, 404, 422))
    _add_reading(routes, context)
    _add_deciding(routes, context)
    _add_exclusions(routes, context)
    _add_faults(routes, context)
    _add_scenarios(routes, context)
    return routes


def _add_reading(routes: APIRouter, context: RemindersApiContext) -> None:
    reader = Annotated[Principal, Depends(context.reader)]

    @routes.get("/reminders/preview", summary="What the next round would do, and why or why not")
    def foresee(
        principal: reader,
        on: Annotated[date | None, Query(description="A day instead of now, at the hour messages leave.")] = None,
        customer: _CustomerQuery = None,
        due_only: Annotated[bool, Query(description="Leave out accounts about which nothing is done.")] = True,
        cursor: _Cursor = None,
        limit: _Limit = 50,
    ) -> DecisionPage:
        """The same decisions as the real run; nothing is written."""
        with context.database.transaction(principal.organisation_id) as session:
            now = context.clock() if on is None else instant_of(session, on)
            if customer is not None:
                row = find_customer(session, principal.scope, customer)
                seen = (seen_by(each, principal.scope) for each in preview(session, now, [row.id]))
                found = tuple(decision_view(each) for each in seen if each is not None)
                return DecisionPage(decisions=found, next_cursor=None)
            page = preview_page(session, principal.scope, now, due_only=due_only, cursor=cursor, limit=limit)
            return DecisionPage(
                decisions=tuple(decision_view(each) for each in page.items), next_cursor=page.next_cursor
            )

    @routes.get("/reminders", summary="Reminders, the latest first")
    def reminders(
        principal: reader,
        state: Annotated[list[ReminderState] | None, Query()] = None,
        channel: Annotated[list[Channel] | None, Query()] = None,
        customer: _CustomerQuery = None,
        invoice: Annotated[UUID | None, Query(description="Only those about this invoice.")] = None,
        cursor: _Cursor = None,
        limit: _Limit = 50,
    ) -> ReminderPage:
        """Those about an invoice you may see, with the lines you may see."""
        with context.database.transaction(principal.organisation_id) as session:
            row = find_customer(session, principal.scope, customer) if customer is not None else None
            wanted = ReminderFilter(tuple(state or ()), tuple(channel or ()), row.id if row else None, invoice)
            page = reminders_page(session, principal.scope, wanted, cursor=cursor, limit=limit)
            found = reminder_views(session, principal.scope, page.items)
        return ReminderPage(reminders=tuple(found), next_cursor=page.next_cursor)

    @routes.get("/reminders/{reminder_id}", summary="One reminder")
    def reminder(principal: reader, reminder_id: UUID) -> ReminderView:
        """With its lines, and the text as it left."""
        with context.database.transaction(principal.organisation_id) as session:
            found = reminder_by_id(session, principal.scope, reminder_id)
            return reminder_views(session, principal.scope, [found])[0]


def _add_deciding(routes: APIRouter, context: RemindersApiContext) -> None:
    writer = Annotated[Principal, Depends(context.writer)]

    def decided(
        principal: Principal, deed: Callable[..., Reminder], reminder_id: UUID, **named: object
    ) -> ReminderView:
        now = context.clock()
        with context.database.transaction(principal.organisation_id) as session:
            made = deed(session, principal.scope, reminder_id, by=_name(principal), now=now, **named)
            session.flush()
            return reminder_views(session, principal.scope, [made])[0]

    @routes.post("/reminders/{reminder_id}/confirm", summary="Let a reminder leave", responses=problems(409))
    def confirm(principal: writer, reminder_id: UUID, body: ConfirmBody) -> ReminderView:
        """It is checked once more before it does."""
        return decided(principal, confirming.confirm, reminder_id, note=body.note, email=body.email)

    @routes.post("/reminders/{reminder_id}/refuse", summary="Let a reminder not leave", responses=problems(409))
    def refuse(principal: writer, reminder_id: UUID, body: ReasonBody) -> ReminderView:
        """Its steps count as taken."""
        return decided(principal, confirming.refuse, reminder_id, reason=body.reason)

    @routes.post("/reminders/{reminder_id}/complete", summary="It was posted, called or done", responses=problems(409))
    def complete(principal: writer, reminder_id: UUID, body: OutcomeBody) -> ReminderView:
        """With what came of it."""
        return decided(principal, confirming.complete, reminder_id, outcome=body.outcome)

    @routes.post("/reminders/{reminder_id}/settle", summary="Settle a doubt about a message", responses=problems(409))
    def settle(principal: writer, reminder_id: UUID, body: SettleBody) -> ReminderView:
        """It has arrived, or it is sent again."""
        return decided(principal, confirming.settle, reminder_id, arrived=body.arrived, email=body.email)

    @routes.post("/reminders/{reminder_id}/bounce", summary="An e-mail came back", responses=problems(409))
    def bounce(principal: writer, reminder_id: UUID, body: ReasonBody) -> ReminderView:
        """Its step reached nobody, and nothing goes to that address any more until someone corrects it."""
        return decided(principal, came_back, reminder_id, words=body.reason)


def _add_exclusions(routes: APIRouter, context: RemindersApiContext) -> None:
    reader = Annotated[Principal, Depends(context.reader)]
    writer = Annotated[Principal, Depends(context.writer)]

    @routes.get("/exclusions", summary="Whom reminders spare, the latest first")
    def listed(
        principal: reader, customer: Annotated[str, Query(max_length=200, pattern=r"^[^\x00-\x1f]*$")]
    ) -> list[ExclusionView]:
        """The exclusions of a customer (identifier, key or SIREN), the lifted and past ones too."""
        with context.database.transaction(principal.organisation_id) as session:
            return [ExclusionView.of(row) for row in exclusions.exclusions_of(session, principal.scope, customer)]

    @routes.post("/exclusions", status_code=201, summary="Spare a customer or an invoice")
    def exclude(principal: writer, body: ExclusionBody) -> ExclusionView:
        """Until a day included, or until it is lifted."""
        with context.database.transaction(principal.organisation_id) as session:
            made = exclusions.exclude(
                session, principal.scope, **body.model_dump(), by=_name(principal), now=context.clock()
            )
            return ExclusionView.of(made)

    @routes.post("/exclusions/{exclusion_id}/lift", summary="Let reminders go on")
    def lift(principal: writer, exclusion_id: UUID) -> ExclusionView:
        """The exclusion stays in the history."""
        with context.database.transaction(principal.organisation_id) as session:
            made = exclusions.lift(session, principal.scope, exclusion_id, by=_name(principal), now=context.clock())
            return ExclusionView.of(made)


def _add_faults(routes: APIRouter, context: RemindersApiContext) -> None:
    reader = Annotated[Principal, Depends(context.reader)]
    writer = Annotated[Principal, Depends(context.writer)]

    @routes.get("/address-faults", summary="Addresses of a customer to which nothing is sent any more")
    def listed(
        principal: reader, customer: Annotated[str, Query(max_length=200, pattern=r"^[^\x00-\x1f]*$")]
    ) -> list[AddressFaultView]:
        """Those that hold, the oldest first."""
        with context.database.transaction(principal.organisation_id) as session:
            found = find_customer(session, principal.scope, customer)
            return [AddressFaultView.of(row) for row in fault_rows(session, [found.id]).get(found.id, [])]

    @routes.post("/address-faults/{fault_id}/lift", summary="Say that an address is right")
    def lift(principal: writer, fault_id: UUID) -> AddressFaultView:
        """It is used again."""
        with context.database.transaction(principal.organisation_id) as session:
            made = lift_fault(session, principal.scope, fault_id, by=_name(principal), now=context.clock())
            return AddressFaultView.of(made)


def _add_scenarios(routes: APIRouter, context: RemindersApiContext) -> None:
    reader = Annotated[Principal, Depends(context.reader)]
    writer = Annotated[Principal, Depends(context.writer)]

    @routes.get("/scenarios", summary="The scenarios in force")
    def scenarios(
        principal: reader, on: Annotated[date | None, Query(description="A day; by default today.")] = None
    ) -> BookView:
        """Those of the organisation, else the default ones."""
        with context.database.transaction(principal.organisation_id) as session:
            book = scenario_books.book_in_force(session, on or paris_date(context.clock()))
        return BookView(**scenario_books.book_content(book))

    @routes.post("/scenarios", status_code=201, summary="Follow other scenarios from a day on")
    def store(principal: writer, body: BookBody) -> BookView:
        """What was sent stays sent; earlier books stay in the history."""
        now: datetime = context.clock()
        with context.database.transaction(principal.organisation_id) as session:
            row = scenario_books.store_book(
                session,
                principal.scope,
                {"scenario": body.scenario},
                valid_from=body.valid_from or paris_date(now),
                comment=body.comment,
                by=_name(principal),
                now=now,
            )
            return BookView(**row.content)


def _name(principal: Principal) -> str:
    return f"{principal.kind}:{principal.id}"
