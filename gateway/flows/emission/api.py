"""`POST /api/v1/invoices/{id}/statuses`: give a status of ours to an invoice."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Header
from pydantic import BaseModel, ConfigDict, Field

from gateway.access.principal import Principal
from gateway.flows.context import FlowsContext
from gateway.flows.emission.orders import StatusOrder
from gateway.flows.emission.service import GivenStatus, give_status
from gateway.kernel.problems import problems
from gateway.lifecycle.repository import invoice_by_id
from gateway.lifecycle.views import EventView, InvoiceView, event_view, invoice_view


@dataclass(frozen=True, slots=True)
class EmissionApiContext:
    """What the route needs; `authenticate` is a FastAPI dependency that says who calls or raises a GatewayError."""

    flows: FlowsContext
    authenticate: Callable[..., Any]


class GivenStatusView(BaseModel):
    """The status as recorded, and the invoice after it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    event: EventView
    invoice: InvoiceView
    flow_ids: tuple[UUID, ...] = Field(
        description="Flows that carry it to the platform: for the other party, then, when owed, for the public portal"
    )


def router(context: EmissionApiContext) -> APIRouter:
    """The route; its errors are GatewayErrors, which the assembly says as problem details."""
    routes = APIRouter(prefix="/api/v1", tags=["Lifecycle"], responses=problems(401, 403, 404, 409, 422))
    caller = Annotated[Principal, Depends(context.authenticate)]

    @routes.post("/invoices/{invoice_id}/statuses", status_code=201, summary="Give a status of ours to an invoice")
    def give(
        principal: caller,
        invoice_id: UUID,
        order: StatusOrder,
        idempotency_key: Annotated[
            str | None, Header(max_length=255, description="The same order under the same key is given once.")
        ] = None,
    ) -> GivenStatusView:
        """As buyer 204 to 208, 210, 211; as seller 207, 209, 211 (refund), 212, 220, 224, 225, 227, 228.

        201: recorded, and on its way to the platform.
        """
        with context.flows.database.transaction(principal.organisation_id) as session:
            invoice = invoice_by_id(session, principal.scope, invoice_id)
            now = context.flows.clock()
            given = give_status(session, context.flows, invoice, order, now=now, idempotency_key=idempotency_key)
            return _view(given)

    return routes


def _view(given: GivenStatus) -> GivenStatusView:
    return GivenStatusView(
        event=event_view(given.event),
        invoice=invoice_view(given.invoice),
        flow_ids=tuple(flow.id for flow in given.flows),
    )
