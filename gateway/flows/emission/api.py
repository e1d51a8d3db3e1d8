"""What programs ask us to say: `POST /api/v1/invoices/{id}/statuses`, `POST /api/v1/deliveries/{id}/resend`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Header
from pydantic import BaseModel, ConfigDict, Field
from sqlmodel import Session

from gateway.access.principal import Principal
from gateway.flows.context import FlowsContext
from gateway.flows.emission.orders import StatusOrder
from gateway.flows.emission.resending import resend
from gateway.flows.emission.service import GivenStatus, give_status
from gateway.kernel.problems import problems
from gateway.lifecycle.repository import invoice_by_id
from gateway.lifecycle.views import EventView, InvoiceView, event_view, invoice_view
from gateway.treasury.write_off_rows import left_of


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


class ResentView(BaseModel):
    """The new attempt: under its tracking id the platform will list it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    delivery_id: UUID
    tracking_id: str
    platform: str


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
            return _view(session, given)

    @routes.post("/deliveries/{delivery_id}/resend", status_code=201, summary="Send again what was refused")
    def resend_refused(principal: caller, delivery_id: UUID) -> ResentView:
        """A new attempt of what was taken and then refused, once for each.

        Refused by its platform (acknowledgement Error): the same file. Refused by the public portal (601): the same
        status in a new message, to the portal alone.
        """
        now = context.flows.clock()
        with context.flows.database.transaction(principal.organisation_id) as session:
            sent = resend(session, context.flows, delivery_id, by=principal.name, now=now)
            return ResentView(delivery_id=sent.id, tracking_id=sent.idempotency_key, platform=sent.payload["platform"])

    return routes


def _view(session: Session, given: GivenStatus) -> GivenStatusView:
    return GivenStatusView(
        event=event_view(given.event),
        invoice=invoice_view(given.invoice, left_of(session, [given.invoice])[given.invoice.id]),
        flow_ids=tuple(flow.id for flow in given.flows),
    )
