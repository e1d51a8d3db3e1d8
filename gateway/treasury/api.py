"""`/api/v1/receipts`: money received, told by programs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from sqlmodel import Session

from gateway.access.errors import MissingScopeError
from gateway.access.principal import Principal
from gateway.access.roles import ApiScope
from gateway.database.engine import Database
from gateway.database.paging import LONGEST_PAGE
from gateway.kernel.clock import Clock
from gateway.kernel.problems import problems
from gateway.lifecycle.repository import invoice_by_id
from gateway.treasury.allocating import NewReceipt
from gateway.treasury.model import Receipt, ReceiptSource
from gateway.treasury.receipt_rows import receipts_page
from gateway.treasury.receipts import record_receipt, reverse_receipt
from gateway.treasury.views import ReceiptPage, ReceiptView, views_of

_Money = Annotated[Decimal, Field(max_digits=19, decimal_places=2)]
_PRINTABLE = r"^[^\x00-\x1f]*$"

#: Gives the 212 that a receipt calls for, in the session's transaction.
Declare = Callable[[Session, Receipt, datetime], object]


@dataclass(frozen=True, slots=True)
class ReceiptsApiContext:
    """What the routes need; `reader` and `writer` are FastAPI dependencies that say who calls or raise a GatewayError.

    `declare`: gives the statuses of a receipt; it lives in a room above this one.
    """

    database: Database
    clock: Clock
    reader: Callable[..., Any]
    writer: Callable[..., Any]
    declare: Declare


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class AllocationBody(_Body):
    """The part of a receipt that pays one invoice."""

    invoice_id: UUID
    amount: _Money = Field(description="VAT included; negative for a credit note")


def _each_invoice_once(allocations: Sequence[AllocationBody]) -> Sequence[AllocationBody]:
    if len({each.invoice_id for each in allocations}) < len(allocations):
        raise ValueError("an invoice is named twice")
    return allocations


class ReceiptBody(_Body):
    """Money received."""

    amount: _Money = Field(description="VAT included; negative when money went back to the customer")
    currency: str = Field(default="EUR", pattern=r"^[A-Z]{3}$")
    received_on: date = Field(description="Day the money came in (Europe/Paris)")
    reference: str = Field(
        description="Your own name of it: told twice, it is one receipt",
        min_length=1,
        max_length=200,
        pattern=_PRINTABLE,
    )
    payer_reference: str = Field(default="", description="What the payer wrote", max_length=500, pattern=_PRINTABLE)
    comment: str = Field(default="", description="Why money went back", max_length=2000, pattern=_PRINTABLE)
    allocations: Annotated[tuple[AllocationBody, ...], AfterValidator(_each_invoice_once)] = Field(
        default=(), description="What it pays; the rest is unallocated", max_length=200
    )
    customer_id: UUID | None = Field(default=None, description="Who paid: what no invoice takes is this customer’s")
    declare: bool = Field(
        default=False,
        description="Give the status 212 it calls for, split by VAT rate; needs flows:write too",
    )


class ReversalBody(_Body):
    """A mistake undone."""

    reason: str = Field(min_length=1, max_length=2000, pattern=_PRINTABLE)
    declare: bool = Field(
        default=False, description="Tell it by a negative 212 as far as the receipt was told; needs flows:write too"
    )


def router(context: ReceiptsApiContext) -> APIRouter:
    """The routes; their errors are GatewayErrors, which the assembly says as problem details."""
    routes = APIRouter(prefix="/api/v1", tags=["Receipts"], responses=problems(401, 403, 404, 422))
    reader = Annotated[Principal, Depends(context.reader)]
    writer = Annotated[Principal, Depends(context.writer)]

    @routes.post(
        "/receipts",
        status_code=201,
        summary="Record money received",
        responses={200: {"model": ReceiptView, "description": "The same receipt was told before."}, **problems(409)},
    )
    def record(principal: writer, body: ReceiptBody, response: Response) -> ReceiptView:
        """Once for each `reference`: 201 when recorded, 200 when it was before, 409 when it was with other content."""
        now = context.clock()
        with context.database.transaction(principal.organisation_id) as session:
            recorded = record_receipt(
                session, principal.scope, _told(body), source=ReceiptSource.API, by=_name(principal), now=now
            )
            response.status_code = 200 if recorded.known else 201
            return _answer(session, principal, recorded.receipt, body.declare, now)

    @routes.post("/receipts/{receipt_id}/reversal", status_code=201, summary="Undo a receipt", responses=problems(409))
    def reverse(principal: writer, receipt_id: UUID, body: ReversalBody) -> ReceiptView:
        """By a counter-entry, which is answered; nothing is erased."""
        now = context.clock()
        with context.database.transaction(principal.organisation_id) as session:
            counter = reverse_receipt(
                session, principal.scope, receipt_id, reason=body.reason, by=_name(principal), now=now
            )
            return _answer(session, principal, counter, body.declare, now)

    @routes.get("/receipts", summary="Money received, the latest day first")
    def receipts(
        principal: reader,
        invoice: Annotated[UUID | None, Query(description="Only what pays this invoice.")] = None,
        cursor: Annotated[str | None, Query(max_length=500, description="`next_cursor` of the page before.")] = None,
        limit: Annotated[int, Query(ge=1, le=LONGEST_PAGE)] = 50,
    ) -> ReceiptPage:
        """Counter-entries are in the list, beside what they undo."""
        with context.database.transaction(principal.organisation_id) as session:
            if invoice is not None:
                invoice_by_id(session, principal.scope, invoice)
            page = receipts_page(session, principal.scope, invoice_id=invoice, cursor=cursor, limit=limit)
            found = views_of(session, principal.scope, page.items)
        return ReceiptPage(receipts=tuple(found), next_cursor=page.next_cursor)

    def _answer(session: Session, principal: Principal, receipt: Receipt, declare: bool, now: datetime) -> ReceiptView:
        if declare:
            if ApiScope.FLOWS_WRITE.value not in principal.scopes:
                raise MissingScopeError(ApiScope.FLOWS_WRITE.value)
            context.declare(session, receipt, now)
        session.flush()
        return views_of(session, principal.scope, [receipt])[0]

    return routes


def _told(body: ReceiptBody) -> NewReceipt:
    told = body.model_dump(exclude={"allocations", "declare"})
    return NewReceipt(**told, allocations={each.invoice_id: each.amount for each in body.allocations})


def _name(principal: Principal) -> str:
    return f"{principal.kind}:{principal.id}"
