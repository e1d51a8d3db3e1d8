"""What is owed: by customer, agency, entity or group, and the items behind a figure."""

from fastapi import Response

from gateway.collection.receivables import Books, names_of, page_of_cells
from gateway.collection.receivables_items import identified, open_figure
from gateway.customers.repository import customers_by_id
from gateway.kernel.clock import paris_date
from gateway.treasury.receivable_rows import origins_of
from gateway.treasury.receivables import Dimension, Family, totals_of
from gateway.web.errors import PageNotFoundError
from gateway.web.security import Reader

#: Items behind a figure on one page.
_SHOWN = 100


def show(visit: Reader, by: str = "customer", after: str = "") -> Response:
    """The sums along a dimension, the largest balance first, with those of everything above them."""
    dimension = _dimension(by)
    with visit.transaction() as session:
        today = paris_date(visit.context.clock())
        cells = Books.summed(session, visit.principal.scope, today, dimension).cells(dimension)
        page = page_of_cells(cells, after or None, 50)
        names = names_of(session, dimension, (cell.of for cell in page.items))
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
        opened = open_figure(
            session,
            visit.principal.scope,
            today,
            by=dimension,
            of=of or None,
            currency=currency,
            family=Family(figure),
            cursor=after or None,
            limit=_SHOWN,
        )
        page = opened.page
        origins = origins_of(session, [part.item.invoice_id for part in page.items if part.item.invoice_id])
        whose = identified(dimension, of or None)
        names = names_of(session, dimension, [whose])
        customers = customers_by_id(session, (part.item.customer_id for part in page.items))
    return visit.render(
        "receivable_items.html",
        page=page,
        total=opened.total,
        count=opened.count,
        origins=origins,
        customers=customers,
        name=names.get(whose, of) if whose else None,
        currency=currency,
        family=Family(figure),
        filters={"by": by, "of": of, "currency": currency, "figure": figure},
    )


def _dimension(by: str) -> Dimension:
    if by not in set(Dimension):
        raise PageNotFoundError
    return Dimension(by)
