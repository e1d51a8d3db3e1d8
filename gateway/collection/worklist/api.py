"""`/api/v1/worklist`, calls and comments: what to do today, what came of it, what people say about it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from gateway.access.principal import Principal
from gateway.alerts.conditions import Team
from gateway.collection.worklist.calls import LONGEST_NOTE, NewCall, calls_of, record_call
from gateway.collection.worklist.comments import LONGEST_COMMENT, Subject, comment, comments_of
from gateway.collection.worklist.listing import WorklistFilter, worklist_of
from gateway.collection.worklist.matters import Viewer, matters
from gateway.collection.worklist.policy import CallOutcome, worklist_policy
from gateway.collection.worklist.ranking import Source
from gateway.collection.worklist.views import CallList, CallView, CommentList, CommentView, WorklistView
from gateway.customers.repository import find_customer
from gateway.database.engine import Database
from gateway.database.paging import LONGEST_PAGE
from gateway.kernel.clock import Clock, paris_date
from gateway.kernel.problems import problems
from gateway.notifications.service import Channels

_PRINTABLE = r"^[^\x00-\x08\x0b-\x1f]*$"
_Line = r"^[^\x00-\x1f]*$"
_Search = Annotated[str, Query(max_length=200, pattern=_Line)]


@dataclass(frozen=True, slots=True)
class WorklistApiContext:
    """What the routes need; `reader` and `writer` are FastAPI dependencies that say who calls, or raise.

    `channels`: how people are told of a dispute or a mention.
    """

    database: Database
    clock: Clock
    reader: Callable[..., Any]
    writer: Callable[..., Any]
    channels: Channels


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CallBody(_Body):
    """A call and what came of it."""

    outcome: CallOutcome
    contact: Annotated[str, Field(max_length=200, pattern=_Line)] = ""
    note: Annotated[str, Field(max_length=LONGEST_NOTE, pattern=_PRINTABLE)] = ""
    amount: Annotated[Decimal, Field(max_digits=19, decimal_places=2)] | None = Field(
        default=None, description="Promised or contested, VAT included; null: all that is at stake, the whole invoice"
    )
    due_on: date | None = Field(default=None, description="Of a promise")
    reason: Annotated[str, Field(max_length=100, pattern=_Line)] = Field(default="", description="Of a dispute")
    invoice_id: UUID | None = Field(default=None, description="Contested; null: the line’s invoice")


class CommentBody(_Body):
    """What someone says; `@` and an e-mail address, or what comes before its at sign, tells that person."""

    text: Annotated[str, Field(min_length=1, max_length=LONGEST_COMMENT, pattern=_PRINTABLE)]


def router(context: WorklistApiContext) -> APIRouter:
    """The routes; their errors are GatewayErrors, which the assembly says as problem details."""
    routes = APIRouter(prefix="/api/v1", tags=["Worklist"], responses=problems(401, 403, 404, 422))
    reader = Annotated[Principal, Depends(context.reader)]
    writer = Annotated[Principal, Depends(context.writer)]

    @routes.get("/worklist", summary="What to do today, the most expected cash first")
    def worklist(
        principal: reader,
        q: _Search = "",
        person: Annotated[UUID | None, Query(description="Given to them, or of a customer they follow.")] = None,
        unowned: bool = False,
        agency: UUID | None = None,
        customer: Annotated[str, Query(max_length=200, pattern=_Line, description="Identifier, key or SIREN.")] = "",
        key_accounts: Annotated[bool, Query(description="Key accounts only.")] = False,
        team: Annotated[list[Team] | None, Query(description="May be repeated.")] = None,
        kind: Annotated[list[str] | None, Query(description="May be repeated.")] = None,
        later: Annotated[bool, Query(description="What comes back another day, after a call.")] = False,
        cursor: Annotated[str | None, Query(max_length=500, description="`next_cursor` of the page before.")] = None,
        limit: Annotated[int, Query(ge=1, le=LONGEST_PAGE)] = 50,
    ) -> WorklistView:
        """Only what the caller may see; counts are of the same."""
        today = paris_date(context.clock())
        with context.database.transaction(principal.organisation_id) as session:
            wanted = WorklistFilter(
                person=person,
                unowned=unowned,
                agency_id=agency,
                customer_id=find_customer(session, principal.scope, customer).id if customer else None,
                key_accounts_only=key_accounts,
                teams=tuple(team or ()),
                kinds=tuple(kind or ()),
                later=later,
                text=q,
            )
            found = matters(session, Viewer.of(principal))
        policy = worklist_policy(today)
        return WorklistView.of(worklist_of(found, wanted, today, policy, cursor=cursor, limit=limit))

    @routes.post(
        "/worklist/{source}/{matter_id}/calls", status_code=201, summary="Record a call", responses=problems(409)
    )
    def call(principal: writer, source: Source, matter_id: UUID, body: CallBody) -> CallView:
        """A promise or a dispute is recorded too; after any other outcome the line comes back some days later."""
        with context.database.transaction(principal.organisation_id) as session:
            new, now = NewCall(**body.model_dump()), context.clock()
            return CallView.of(record_call(session, principal, source, matter_id, new, context.channels, now))

    @routes.get("/customers/{customer}/calls", summary="The latest calls to a customer")
    def calls(principal: reader, customer: str) -> CallList:
        """Those about what the caller may see, and their own."""
        with context.database.transaction(principal.organisation_id) as session:
            found = find_customer(session, principal.scope, customer)
            return CallList.of(calls_of(session, Viewer.of(principal), found.id))

    for subject in Subject:
        _comment_routes(routes, context, subject)
    return routes


def _comment_routes(routes: APIRouter, context: WorklistApiContext, subject: Subject) -> None:
    """Comments on one kind of matter: `/customers/{customer_id}/comments` and so on."""
    reader = Annotated[Principal, Depends(context.reader)]
    writer = Annotated[Principal, Depends(context.writer)]
    subject_id = Annotated[UUID, Path(alias=f"{subject.value}_id")]
    path = f"/{subject.value}s/{{{subject.value}_id}}/comments"

    @routes.get(path, summary=f"Comments on one of the {subject.value}s", name=f"{subject.value}_comments")
    def read(principal: reader, about: subject_id) -> CommentList:
        """The latest hundred, the newest first."""
        with context.database.transaction(principal.organisation_id) as session:
            return CommentList.of(comments_of(session, principal.scope, subject, about))

    @routes.post(
        path,
        status_code=201,
        summary=f"Comment on one of the {subject.value}s, and tell whom you mention",
        name=f"comment_{subject.value}",
    )
    def write(principal: writer, about: subject_id, body: CommentBody) -> CommentView:
        """Only people who may see the matter can be mentioned."""
        with context.database.transaction(principal.organisation_id) as session:
            told = (subject, about, body.text, context.channels, context.clock())
            return CommentView.of(comment(session, principal, *told))
