"""`/api/v1/receivables`: what is owed, by customer, agency, entity or group, down to invoices and money."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from gateway.access.principal import Principal
from gateway.collection.receivables import Books, names_of, page_of_cells
from gateway.collection.receivables_items import open_figure
from gateway.collection.receivables_views import EncoursView, ItemsPage, ItemView, ReceivablesPage
from gateway.customers.repository import find_customer
from gateway.database.engine import Database
from gateway.database.paging import LONGEST_PAGE
from gateway.kernel.clock import Clock, paris_date
from gateway.kernel.problems import problems
from gateway.treasury.receivable_rows import Origins, origins_of
from gateway.treasury.receivables import Dimension, Family, totals_of

_Cursor = Annotated[str | None, Query(max_length=500, description="`next_cursor` of the page before.")]
_Limit = Annotated[int, Query(ge=1, le=LONGEST_PAGE)]


@dataclass(frozen=True, slots=True)
class ReceivablesApiContext:
    """What the routes need; `reader` is a FastAPI dependency that says who calls or raises a GatewayError."""

    database: Database
    clock: Clock
    reader: Callable[..., Any]


def router(context: ReceivablesApiContext) -> APIRouter:
    """The routes; their errors are GatewayErrors, which the assembly says as problem details."""
    routes = APIRouter(prefix="/api/v1/receivables", tags=["Receivables"], responses=problems(401, 403, 404, 422))
    reader = Annotated[Principal, Depends(context.reader)]

    @routes.get("", summary="What is owed, the largest balance first")
    def receivables(
        principal: reader,
        by: Annotated[Dimension, Query(description="Along what it is added up.")] = Dimension.CUSTOMER,
        customer: Annotated[
            str, Query(max_length=400, description="Identifier or key of a customer: of this one only.")
        ] = "",
        cursor: _Cursor = None,
        limit: _Limit = 50,
    ) -> ReceivablesPage:
        """Each currency apart; computed now, from the statuses and receipts known. Only what you may see counts."""
        as_of = paris_date(context.clock())
        with context.database.transaction(principal.organisation_id) as session:
            scope = principal.scope
            if customer:
                books = Books.read(session, scope, as_of, [find_customer(session, scope, customer).id])
            else:
                books = Books.summed(session, scope, as_of, by)
            cells = books.cells(by)
            page = page_of_cells(cells, cursor, limit)
            names = names_of(session, by, (cell.of for cell in page.items))
        return ReceivablesPage(
            by=by,
            as_of=as_of,
            totals=tuple(EncoursView.of_cell(cell, {}) for cell in totals_of(cells)),
            cells=tuple(EncoursView.of_cell(cell, names) for cell in page.items),
            next_cursor=page.next_cursor,
        )

    @routes.get("/items", summary="The invoices and the money behind a figure")
    def items(
        principal: reader,
        by: Dimension,
        currency: Annotated[str, Query(pattern=r"^[A-Z]{3}$")],
        of: Annotated[
            str | None, Query(max_length=400, description="`of` of the cell; left out when it is null.")
        ] = None,
        figure: Family = Family.BALANCE,
        cursor: _Cursor = None,
        limit: _Limit = 50,
    ) -> ItemsPage:
        """Each with the 212 statuses and the receipts behind its payments."""
        scope = principal.scope
        as_of = paris_date(context.clock())
        with context.database.transaction(principal.organisation_id) as session:
            if by is Dimension.CUSTOMER and of:
                of = str(find_customer(session, scope, of).id)
            opened = open_figure(
                session, scope, as_of, by=by, of=of, currency=currency, family=figure, cursor=cursor, limit=limit
            )
            page = opened.page
            origins = origins_of(session, [part.item.invoice_id for part in page.items if part.item.invoice_id])
        views = [
            ItemView.of_part(part, origins.get(part.item.invoice_id, Origins()) if part.item.invoice_id else Origins())
            for part in page.items
        ]
        return ItemsPage(total=opened.total, items=tuple(views), next_cursor=page.next_cursor)

    return routes
