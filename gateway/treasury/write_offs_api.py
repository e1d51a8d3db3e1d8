"""`/api/v1/write-offs`: what is not awaited any more of invoices, written off and undone by programs."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field
from sqlmodel import Session

from gateway.access.principal import Principal
from gateway.customers.repository import find_customer
from gateway.database.engine import Database
from gateway.database.paging import LONGEST_PAGE
from gateway.kernel.clock import Clock
from gateway.kernel.problems import problems
from gateway.lifecycle.repository import invoice_by_id
from gateway.treasury.model import WriteOff, WriteOffKind
from gateway.treasury.write_off_rows import write_offs_page
from gateway.treasury.write_off_views import WriteOffPage, WriteOffView, write_off_views
from gateway.treasury.writing_off import undo_write_off, write_off

_Reason = Annotated[str, Field(min_length=1, max_length=2000, pattern=r"^[^\x00-\x08\x0b-\x1f]*$")]


@dataclass(frozen=True, slots=True)
class WriteOffsApiContext:
    """What the routes need; `reader` and `writer` are dependencies that say who calls or raise a GatewayError."""

    database: Database
    clock: Clock
    reader: Callable[..., Any]
    writer: Callable[..., Any]


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class WriteOffBody(_Body):
    """What is not awaited any more of an invoice."""

    amount: Annotated[Decimal, Field(max_digits=19, decimal_places=2)] | None = Field(
        default=None, description="VAT included; negative for a credit note; all that is left when null"
    )
    kind: WriteOffKind = WriteOffKind.LOSS
    reason: _Reason


class UndoingBody(_Body):
    """A write-off undone."""

    reason: _Reason


def router(context: WriteOffsApiContext) -> APIRouter:
    """The routes; their errors are GatewayErrors, which the assembly says as problem details."""
    routes = APIRouter(prefix="/api/v1", tags=["Write-offs"], responses=problems(401, 403, 404, 422))
    reader = Annotated[Principal, Depends(context.reader)]
    writer = Annotated[Principal, Depends(context.writer)]

    @routes.post("/invoices/{invoice_id}/write-offs", status_code=201, summary="Write off what is left of an invoice")
    def make(principal: writer, invoice_id: UUID, body: WriteOffBody) -> WriteOffView:
        """It is no longer chased; money that comes after all undoes it."""
        with context.database.transaction(principal.organisation_id) as session:
            row = write_off(
                session,
                principal.scope,
                invoice_id,
                body.amount,
                kind=body.kind,
                reason=body.reason,
                by=_by(principal),
                now=context.clock(),
            )
            return _view(session, row)

    @routes.post(
        "/write-offs/{write_off_id}/reversal", status_code=201, summary="Undo a write-off", responses=problems(409)
    )
    def undo(principal: writer, write_off_id: UUID, body: UndoingBody) -> WriteOffView:
        """By a counter-entry, which is answered; nothing is erased, and the amount is awaited again."""
        with context.database.transaction(principal.organisation_id) as session:
            row = undo_write_off(
                session,
                principal.scope,
                write_off_id,
                reason=body.reason,
                by=_by(principal),
                now=context.clock(),
            )
            return _view(session, row)

    @routes.get("/write-offs", summary="Write-offs, the latest first")
    def write_offs(
        principal: reader,
        invoice: Annotated[UUID | None, Query(description="Only of this invoice.")] = None,
        customer: Annotated[str | None, Query(max_length=400, description="Only of this customer.")] = None,
        cursor: Annotated[str | None, Query(max_length=500, description="`next_cursor` of the page before.")] = None,
        limit: Annotated[int, Query(ge=1, le=LONGEST_PAGE)] = 50,
    ) -> WriteOffPage:
        """Counter-entries are in the list, beside what they undo."""
        with context.database.transaction(principal.organisation_id) as session:
            if invoice is not None:
                invoice_by_id(session, principal.scope, invoice)
            owner = find_customer(session, principal.scope, customer).id if customer else None
            page = write_offs_page(
                session, principal.scope, invoice_id=invoice, customer_id=owner, cursor=cursor, limit=limit
            )
            views = write_off_views(session, page.items)
        return WriteOffPage(write_offs=tuple(views), next_cursor=page.next_cursor)

    return routes


def _view(session: Session, row: WriteOff) -> WriteOffView:
    session.flush()
    return write_off_views(session, [row])[0]


def _by(principal: Principal) -> str:
    return f"{principal.kind}:{principal.id}"
