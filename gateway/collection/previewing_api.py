"""`/api/v1/reminders/…/message` and `…/documents`: what a reminder says, before it leaves, and what left with it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Response

from gateway.access.principal import Principal
from gateway.collection.holds import Reason
from gateway.collection.messages.values import Paper
from gateway.collection.previewing import Previews, one_of
from gateway.collection.reminder_rows import reminder_by_id
from gateway.collection.reminder_views import MessageView, WithdrawnView
from gateway.collection.reminding import instant_of
from gateway.customers.repository import customers_by_id, find_customer
from gateway.database.engine import Database
from gateway.kernel.clock import Clock
from gateway.kernel.problems import problems

_Customer = Annotated[str, Query(max_length=200, pattern=r"^[^\x00-\x1f]*$", description="Identifier, key or SIREN.")]
_Currency = Annotated[str, Query(pattern="^[A-Z]{3}$", description="Of the account (ISO 4217).")]
_On = Annotated[date | None, Query(description="A day instead of now, at the hour messages leave.")]
_Position = Annotated[int, Path(ge=1, le=1000, description="As the message lists its documents.")]
_FILE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/pdf": {}, "application/zip": {}}, "description": "The document."}
}


@dataclass(frozen=True, slots=True)
class PreviewsApiContext:
    """What the routes need; `reader` is a FastAPI dependency that says who calls, or raises."""

    database: Database
    clock: Clock
    reader: Callable[..., Any]
    previews: Previews


def router(context: PreviewsApiContext) -> APIRouter:
    """The routes; their errors are GatewayErrors, which the assembly says as problem details."""
    routes = APIRouter(prefix="/api/v1/reminders", tags=["Reminders"], responses=problems(401, 403, 404, 422))
    reader = Annotated[Principal, Depends(context.reader)]
    database, previews = context.database, context.previews

    @routes.get("/preview/message", summary="The message that the next round would send to an account")
    def foreseen(principal: reader, customer: _Customer, currency: _Currency = "EUR", on: _On = None) -> MessageView:
        """As it would leave: subject, body, documents; nothing is written."""
        with database.transaction(principal.organisation_id) as session:
            row = find_customer(session, principal.scope, customer)
            at = context.clock() if on is None else instant_of(session, on)
            draft = previews.of_decision(session, principal.scope, row.id, currency, at)
            return MessageView.of(draft, principal.scope, row.siren)

    @routes.get(
        "/preview/documents/{position}",
        summary="A document of that message",
        response_class=Response,
        responses=_FILE,
    )
    def foreseen_document(
        principal: reader, position: _Position, customer: _Customer, currency: _Currency = "EUR", on: _On = None
    ) -> Response:
        """Such as the letter."""
        with database.transaction(principal.organisation_id) as session:
            row = find_customer(session, principal.scope, customer)
            at = context.clock() if on is None else instant_of(session, on)
            draft = previews.of_decision(session, principal.scope, row.id, currency, at)
        return _file(one_of(draft.papers, position, principal.scope, row.siren))

    @routes.get("/{reminder_id}/message", summary="A reminder as it would leave now")
    def message(principal: reader, reminder_id: UUID) -> MessageView | WithdrawnView:
        """What left already is read from the reminder itself."""
        with database.transaction(principal.organisation_id) as session:
            row = reminder_by_id(session, principal.scope, reminder_id)
            draft = previews.of_reminder(session, principal.scope, row)
            if isinstance(draft, Reason):
                return WithdrawnView.of(draft)
            siren = customers_by_id(session, [row.customer_id])[row.customer_id].siren
            return MessageView.of(draft, principal.scope, siren)

    @routes.get(
        "/{reminder_id}/documents/{position}",
        summary="A document of a reminder: letter, statement, invoice, evidence file",
        response_class=Response,
        responses=_FILE,
    )
    def document(principal: reader, reminder_id: UUID, position: _Position) -> Response:
        """As it was kept when the reminder was worded; before that, as it would leave now."""
        with database.transaction(principal.organisation_id) as session:
            return _file(previews.document(session, principal.scope, reminder_id, position))

    return routes


def _file(paper: Paper) -> Response:
    disposition = f"attachment; filename*=UTF-8''{quote(paper.name, safe='')}"
    return Response(paper.content, media_type=paper.media_type, headers={"Content-Disposition": disposition})
