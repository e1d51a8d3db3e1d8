"""`/api/v1/invoices` and `/api/v1/events`: what programs and people read of the lifecycle."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from sqlmodel import Session

from gateway.access.errors import UnknownAgencyError
from gateway.access.principal import Principal
from gateway.access.repository import agencies_by_siret
from gateway.database.engine import Database
from gateway.database.paging import LONGEST_PAGE
from gateway.kernel.clock import Clock
from gateway.kernel.problems import problems
from gateway.lifecycle.errors import LimitedViewError
from gateway.lifecycle.etags import conditional
from gateway.lifecycle.expectations import Awaited
from gateway.lifecycle.left import Left
from gateway.lifecycle.model import Direction
from gateway.lifecycle.repository import InvoiceFilter, events_after, invoice_by_id, search_invoices
from gateway.lifecycle.timeline import Timeline, timeline_of
from gateway.lifecycle.views import EventFeed, InvoicePage, InvoiceView, event_view, invoice_view

_SIREN = r"^\d{9}$"
_SIRET = r"^\d{14}$"
_LARGEST_SEQUENCE = 2**63 - 1
_UNCHANGED: dict[int | str, dict[str, Any]] = {304: {"description": "What `If-None-Match` names has not changed."}}


@dataclass(frozen=True, slots=True)
class LifecycleApiContext:
    """What the routes need: FastAPI dependencies that say who reads invoices, and who follows the feed of events.

    They raise a GatewayError to whoever may not. `awaited` tells what should come next for an invoice, by when; `left`
    what is left to pay of invoices.
    """

    database: Database
    authenticate: Callable[..., Any]
    authenticate_follower: Callable[..., Any]
    clock: Clock
    awaited: Awaited
    left: Left


def router(context: LifecycleApiContext) -> APIRouter:
    """The routes; their errors are GatewayErrors, which the assembly says as problem details."""
    routes = APIRouter(prefix="/api/v1", tags=["Lifecycle"], responses=_UNCHANGED | problems(401, 403, 404, 422))
    caller = Annotated[Principal, Depends(context.authenticate)]
    follower = Annotated[Principal, Depends(context.authenticate_follower)]

    @routes.get("/invoices", response_model=InvoicePage, summary="Invoices, latest issue date first")
    def invoices(
        request: Request,
        principal: caller,
        status: Annotated[list[str] | None, Query(description="Current status (MDT-105); may be repeated.")] = None,
        direction: Direction | None = None,
        buyer_siren: Annotated[str, Query(pattern=_SIREN, description="BT-47")] = "",
        seller_siren: Annotated[str, Query(pattern=_SIREN, description="BT-30")] = "",
        buyer_name: Annotated[str, Query(max_length=200, description="Part of BT-44, in any case or accent.")] = "",
        seller_name: Annotated[str, Query(max_length=200, description="Part of BT-27, in any case or accent.")] = "",
        agency: Annotated[str, Query(pattern=_SIRET, description="SIRET of one of our agencies.")] = "",
        issued_from: Annotated[date | None, Query(description="First issue date (BT-2).")] = None,
        issued_to: Annotated[date | None, Query(description="Last issue date (BT-2).")] = None,
        due_from: Annotated[date | None, Query(description="First due date (BT-9).")] = None,
        due_to: Annotated[date | None, Query(description="Last due date (BT-9).")] = None,
        q: Annotated[str, Query(max_length=200, description="Part of the number or of the buyer’s name.")] = "",
        cursor: Annotated[str | None, Query(max_length=500, description="`next_cursor` of the page before.")] = None,
        limit: Annotated[int, Query(ge=1, le=LONGEST_PAGE)] = 50,
    ) -> Response:
        """Every filter narrows the list; an invoice registered meanwhile never shifts the pages."""
        with context.database.transaction(principal.organisation_id) as session:
            wanted = InvoiceFilter(
                text=q,
                buyer_siren=buyer_siren,
                seller_siren=seller_siren,
                buyer_name=buyer_name,
                seller_name=seller_name,
                due_from=due_from,
                due_to=due_to,
                issued_from=issued_from,
                issued_to=issued_to,
                statuses=tuple(status or ()),
                agency_id=_agency(session, agency),
                direction=direction,
            )
            page = search_invoices(session, principal.scope, wanted, cursor=cursor, limit=limit)
            left = context.left(session, page.items)
            views = tuple(invoice_view(each, left[each.id]) for each in page.items)
            found = InvoicePage(invoices=views, next_cursor=page.next_cursor)
        return conditional(request, found)

    @routes.get("/invoices/{invoice_id}", response_model=InvoiceView, summary="An invoice and where it stands")
    def invoice(request: Request, principal: caller, invoice_id: UUID) -> Response:
        with context.database.transaction(principal.organisation_id) as session:
            record = invoice_by_id(session, principal.scope, invoice_id)
            found = invoice_view(record, context.left(session, [record])[record.id])
        return conditional(request, found)

    @routes.get("/invoices/{invoice_id}/timeline", response_model=Timeline, summary="Everything that happened to it")
    def timeline(request: Request, principal: caller, invoice_id: UUID) -> Response:
        """Its three state lines: the invoice's own, the attempts to hand it over, the reports to the public portal."""
        scope = principal.scope
        with context.database.transaction(principal.organisation_id) as session:
            record = invoice_by_id(session, scope, invoice_id)
            found = timeline_of(session, scope, record, context.clock(), context.awaited, context.left)
        return conditional(request, found)

    @routes.get("/events", response_model=EventFeed, summary="Every status, in the order recorded, none ever missed")
    def events(
        request: Request,
        principal: follower,
        after: Annotated[int, Query(ge=0, le=_LARGEST_SEQUENCE, description="`next_after` of the last answer.")] = 0,
        limit: Annotated[int, Query(ge=1, le=LONGEST_PAGE)] = 100,
    ) -> Response:
        """Keep `next_after`, ask again with it: no event is ever recorded behind it."""
        if not principal.scope.is_everything:
            raise LimitedViewError
        with context.database.transaction(principal.organisation_id) as session:
            found = tuple(map(event_view, events_after(session, after, limit)))
        return conditional(request, EventFeed(events=found, next_after=found[-1].sequence if found else after))

    return routes


def _agency(session: Session, siret: str) -> UUID | None:
    if not siret:
        return None
    known = agencies_by_siret(session, [siret])
    if siret not in known:
        raise UnknownAgencyError(siret)
    return known[siret]
