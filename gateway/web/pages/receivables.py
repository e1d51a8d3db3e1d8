"""What is owed: by customer, agency, entity or group, and the items behind a figure."""

from fastapi import Response

from gateway.collection.receivables import Books, names_of, page_of_cells, page_of_parts
from gateway.customers.repository import customers_by_id
from gateway.kernel.clock import paris_date
from gateway.treasury.receivable_rows import origins_of
from gateway.treasury.receivables import Dimension, Family, totals_of
from gateway.web.errors import PageNotFoundError
from gateway.web.security import Reader


def show(visit: Reader, by: str = "customer", after: str = "") -> Response:
    """The sums along a dimension, the largest balance first, with those of everything above them."""
    dimension = _dimension(by)
    with visit.transaction() as session:
        cells = Books.summed(session, visit.principal.scope, paris_date(visit.context.clock())).cells(dimension)
        page = page_of_cells(cells, after or None, 50)
        names = names_of(session, dimension, page.items)
    return visit.render(
        "receivables.html",
        page=page,
        names=names,
        totals=totals_of(cells),
        by=dimension,
        dimensions=Dimension,
        families=Family,
        filters={"by": dimension.value},
    )


def items(
    visit: Reader, by: str = "customer", of: str = "", currency: str = "EUR", figure: str = "balance", after: str = ""
) -> Response:
    """The invoices, credit notes and money behind a figure, the first due first."""
    dimension = _dimension(by)
    if figure not in set(Family):
        raise PageNotFoundError
    with visit.transaction() as session:
        today = paris_date(visit.context.clock())
        books = Books.of_cell(session, visit.principal.scope, today, dimension, of or None)
        parts = books.parts(dimension, of or None, currency, Family(figure))
        page = page_of_parts(parts, after or None, 100)
        origins = origins_of(session, [part.item.invoice_id for part in page.items if part.item.invoice_id])
        names = names_of(session, dimension, [cell for cell in books.cells(dimension) if str(cell.of) == of])
        customers = customers_by_id(session, (part.item.customer_id for part in page.items))
    return visit.render(
        "receivable_items.html",
        page=page,
        total=sum(part.amount for part in parts),
        count=len(parts),
        origins=origins,
        customers=customers,
        name=next(iter(names.values()), of),
        currency=currency,
        family=Family(figure),
        filters={"by": by, "of": of, "currency": currency, "figure": figure},
    )


def _dimension(by: str) -> Dimension:
    if by not in set(Dimension):
        raise PageNotFoundError
    return Dimension(by)
