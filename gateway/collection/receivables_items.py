"""The items behind a figure of what is owed, a page at a time."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlmodel import Session

from gateway.access.scope import Scope
from gateway.collection.receivables import Books, FigurePart, spoken_of
from gateway.database.errors import InvalidCursorError
from gateway.database.paging import LONGEST_PAGE, Page
from gateway.kernel.money import ZERO
from gateway.treasury.invoice_rows import Place, alike_behind
from gateway.treasury.receivable_rows import customers_of_group
from gateway.treasury.receivables import Dimension, Due, Family, contributions


@dataclass(frozen=True, slots=True)
class OpenedFigure:
    """A figure of a cell, how many items it adds up, and a page of them, the first due first."""

    total: Decimal
    count: int
    page: Page[FigurePart]


def open_figure(
    session: Session,
    scope: Scope,
    as_of: date,
    *,
    by: Dimension,
    of: str | None,
    currency: str,
    family: Family,
    cursor: str | None,
    limit: int,
) -> OpenedFigure:
    """What is behind a figure of the cell `of` in a currency. Raises InvalidCursorError.

    Of a customer or a group every item is read. What an agency or an entity is owed is added up by the database, which
    then gives the invoices of the page; only what something tells apart is read one by one.
    """
    limit, after = max(1, min(limit, LONGEST_PAGE)), _read(cursor)
    customers = _customers(session, by, of)
    if customers is None:
        books = Books.summed(session, scope, as_of, by)
    else:
        books = Books.read(session, scope, as_of, customers)
    parts = books.parts(by, of, currency, family)
    shown = [part for part in parts if part.item.identity and (after is None or part.item.due > after)][: limit + 1]
    place = _place(by, of, currency) if customers is None else None
    if place is not None:
        alike = alike_behind(session, scope, as_of, spoken_of(), place, family, after=after, limit=limit + 1)
        shown += [
            FigurePart(item, amount)
            for item in alike
            for each, amount in contributions(item, {}, as_of)
            if each is family
        ]
        shown.sort(key=lambda part: part.item.due)
    following = _written(shown[limit - 1].item.due) if len(shown) > limit else None
    return OpenedFigure(
        total=sum((part.amount for part in parts), ZERO),
        count=sum(part.item.stands_for for part in parts),
        page=Page(shown[:limit], following),
    )


def identified(by: Dimension, of: str | None) -> UUID | str | None:
    """Whose a cell is, as it bears it: the identifier of a customer or an agency, as written when it is none."""
    if of is None or by not in (Dimension.CUSTOMER, Dimension.AGENCY):
        return of
    try:
        return UUID(of)
    except ValueError:
        return of


def _customers(session: Session, by: Dimension, of: str | None) -> Collection[UUID] | None:
    """The customers of a cell; None when it is not that of a customer or a group."""
    if of is None or by not in (Dimension.CUSTOMER, Dimension.GROUP):
        return None
    if by is Dimension.GROUP:
        return customers_of_group(session, of)
    whose = identified(by, of)
    return [whose] if isinstance(whose, UUID) else []


def _place(by: Dimension, of: str | None, currency: str) -> Place | None:
    """The cell as the database knows it; None for an agency that is none."""
    whose = identified(by, of)
    return None if by is Dimension.AGENCY and isinstance(whose, str) else Place(by, whose, currency)


def _written(last: Due) -> str:
    written = json.dumps([last.due_date.isoformat(), last.number, str(last.identity)])
    return urlsafe_b64encode(written.encode()).decode().rstrip("=")


def _read(cursor: str | None) -> Due | None:
    if cursor is None:
        return None
    try:
        due_date, number, identity = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        return Due(date.fromisoformat(due_date), str(number), UUID(identity))
    except (ValueError, TypeError, AttributeError) as error:
        raise InvalidCursorError(cursor) from error
