"""`/api/v1/penalties`: late-payment interest and the indemnity, read and claimed by programs."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from gateway.access.errors import PermissionDeniedError
from gateway.access.principal import Principal
from gateway.collection.law.claiming import (
    agree_on_rate,
    choose_treatment,
    claim_penalties,
    pay_penalty,
    waive_penalty,
)
from gateway.collection.law.context import LawContext
from gateway.collection.law.correcting import correct_claims
from gateway.collection.law.model import Treatment
from gateway.collection.law.positions import position_of, positions_of
from gateway.collection.law.repository import due_invoices, receivable_by_id
from gateway.collection.law.views import ClaimView, PenaltyPage, PenaltyView, claim_view, penalty_view
from gateway.customers.repository import find_customer
from gateway.database.paging import LONGEST_PAGE
from gateway.kernel.clock import paris_date
from gateway.kernel.problems import problems

_PRINTABLE = r"^[^\x00-\x08\x0b-\x1f]*$"
Words = Annotated[str, Field(min_length=1, max_length=2000, pattern=_PRINTABLE)]
Comment = Annotated[str, Field(max_length=2000, pattern=_PRINTABLE)]
Name = Annotated[str, Field(max_length=200, pattern=_PRINTABLE)]
Money = Annotated[Decimal, Field(gt=0, max_digits=19, decimal_places=2)]
Until = Annotated[date | None, Query(description="Last day that bears interest (Europe/Paris); today when left out.")]


@dataclass(frozen=True, slots=True)
class LawApiContext:
    """What the routes need; `reader` and `writer`: FastAPI dependencies that say who calls or raise a GatewayError."""

    parts: LawContext
    reader: Callable[..., Any]
    writer: Callable[..., Any]


class Body(BaseModel):
    """What is told; unknown members are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ClaimBody(Body):
    """Claim what has run on an invoice."""

    until: date | None = Field(default=None, description="Last day that bears interest; today when left out")


class PaymentBody(Body):
    """Money of a receipt pays a claimed penalty."""

    amount: Money
    receipt_id: UUID


class WaiverBody(Body):
    """A claimed penalty is given up."""

    amount: Money | None = Field(default=None, description="All that is left when null")
    reason: Words


class CorrectionBody(Body):
    """What was claimed too much is taken back."""

    reason: Words


class ChoiceBody(Body):
    """What is to become of penalties: of an invoice, of a customer, of all when neither is named."""

    treatment: Treatment
    customer: Name | None = Field(default=None, description="Identifier, key or SIREN")
    invoice_id: UUID | None = None
    reason: Comment = ""


class RateBody(Body):
    """A rate of your terms of sale, or agreed with one customer."""

    percent: Decimal | None = Field(
        ge=0, le=100, max_digits=7, decimal_places=4, description="A year; null: nothing is agreed from that day on"
    )
    valid_from: date
    customer: Name | None = Field(default=None, description="Identifier, key or SIREN; all when null")
    source: Words = Field(description="The contract or the terms of sale that say so")


def acting(principal: Principal) -> str:
    """Who acts, as rows and ledger name it."""
    return f"{principal.kind}:{principal.id}"


def require_everything(principal: Principal) -> None:
    """What holds for the whole organisation is told by whoever sees all of it. Raises PermissionDeniedError."""
    if not principal.scope.is_everything:
        raise PermissionDeniedError


def router(context: LawApiContext) -> APIRouter:
    """The routes; their errors are GatewayErrors, which the assembly says as problem details."""
    routes = APIRouter(prefix="/api/v1", tags=["Penalties"], responses=problems(401, 403, 404, 422))
    reader = Annotated[Principal, Depends(context.reader)]
    writer = Annotated[Principal, Depends(context.writer)]
    database, clock = context.parts.database, context.parts.clock

    @routes.get("/penalties", summary="Penalties of late invoices, the longest due first")
    def penalties(
        principal: reader,
        customer: Annotated[str | None, Query(max_length=200, description="Identifier, key or SIREN.")] = None,
        until: Until = None,
        cursor: Annotated[str | None, Query(max_length=500, description="`next_cursor` of the page before.")] = None,
        limit: Annotated[int, Query(ge=1, le=LONGEST_PAGE)] = 50,
    ) -> PenaltyPage:
        """Paid invoices too: what ran before the payment is not lost. Invoices paid in time have nothing to show."""
        day = until or paris_date(clock())
        with database.transaction(principal.organisation_id) as session:
            found = find_customer(session, principal.scope, customer).id if customer else None
            page = due_invoices(session, principal.scope, day, customer_id=found, cursor=cursor, limit=limit)
            positions = positions_of(session, page.items, day, context.parts.law)
            shown = tuple(penalty_view(each) for each in positions if not each.is_nothing)
        return PenaltyPage(penalties=shown, next_cursor=page.next_cursor)

    @routes.get("/invoices/{invoice_id}/penalties", summary="The penalty sheet of an invoice", responses=problems(409))
    def sheet(principal: reader, invoice_id: UUID, until: Until = None) -> PenaltyView:
        """Day by day on what was really outstanding."""
        with database.transaction(principal.organisation_id) as session:
            day = until or paris_date(clock())
            return penalty_view(position_of(session, principal.scope, invoice_id, day, context.parts.law))

    @routes.post(
        "/invoices/{invoice_id}/penalties",
        status_code=201,
        summary="Claim the penalties of an invoice",
        responses=problems(409),
    )
    def claim(principal: writer, invoice_id: UUID, body: ClaimBody) -> PenaltyView:
        """What was not claimed before, and the indemnity once: each a receivable of its own, with its sheet."""
        now = clock()
        until, law, by = body.until or paris_date(now), context.parts.law, acting(principal)
        with database.transaction(principal.organisation_id) as session:
            claim_penalties(session, principal.scope, invoice_id, law, until=until, by=by, now=now)
            session.flush()
            return penalty_view(position_of(session, principal.scope, invoice_id, until, law))

    @routes.post(
        "/invoices/{invoice_id}/penalties/corrections",
        status_code=201,
        summary="Lower claims that exceed what is due",
        responses=problems(409),
    )
    def correct(principal: writer, invoice_id: UUID, body: CorrectionBody) -> PenaltyView:
        """Down to what is due today; what was paid too much is unallocated money of its receipt again."""
        with database.transaction(principal.organisation_id) as session:
            corrected = correct_claims(
                session,
                principal.scope,
                invoice_id,
                context.parts.law,
                reason=body.reason,
                by=acting(principal),
                now=clock(),
            )
            return penalty_view(corrected)

    @routes.post("/penalties/{penalty_id}/payments", status_code=201, summary="Have money pay a claimed penalty")
    def pay(principal: writer, penalty_id: UUID, body: PaymentBody) -> ClaimView:
        """No more than is left of the penalty and than the receipt holds unallocated."""
        with database.transaction(principal.organisation_id) as session:
            paid = pay_penalty(
                session,
                principal.scope,
                penalty_id,
                body.amount,
                body.receipt_id,
                by=acting(principal),
                now=clock(),
            )
            return claim_view(paid)

    @routes.post("/penalties/{penalty_id}/waivers", status_code=201, summary="Give up a claimed penalty")
    def waive(principal: writer, penalty_id: UUID, body: WaiverBody) -> ClaimView:
        """All that is left of it, or a part."""
        with database.transaction(principal.organisation_id) as session:
            waived = waive_penalty(
                session,
                principal.scope,
                penalty_id,
                body.amount,
                reason=body.reason,
                by=acting(principal),
                now=clock(),
            )
            return claim_view(waived)

    @routes.post("/penalty-choices", status_code=204, summary="Choose what becomes of penalties")
    def choose(principal: writer, body: ChoiceBody) -> None:
        """Announced unless chosen otherwise; an invoice's choice goes before its customer's."""
        with database.transaction(principal.organisation_id) as session:
            customer_id = find_customer(session, principal.scope, body.customer).id if body.customer else None
            invoice = receivable_by_id(session, principal.scope, body.invoice_id) if body.invoice_id else None
            if customer_id is None and invoice is None:
                require_everything(principal)
            choose_treatment(
                session,
                body.treatment,
                customer_id=None if invoice else customer_id,
                invoice_id=invoice.id if invoice else None,
                reason=body.reason,
                by=acting(principal),
                now=clock(),
            )

    @routes.post("/agreed-rates", status_code=204, summary="Tell an agreed late-payment rate")
    def agree(principal: writer, body: RateBody) -> None:
        """At least three times the legal interest rate; without one the default rate of the law holds."""
        with database.transaction(principal.organisation_id) as session:
            customer_id = find_customer(session, principal.scope, body.customer).id if body.customer else None
            if customer_id is None:
                require_everything(principal)
            agree_on_rate(
                session,
                context.parts.law,
                body.percent,
                body.valid_from,
                customer_id=customer_id,
                source=body.source,
                by=acting(principal),
                now=clock(),
            )

    return routes
