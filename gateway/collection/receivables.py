"""Who owes what: the treasury's open items with what collection knows of them, added up and opened down again."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import Select, union
from sqlalchemy import select as select_columns
from sqlmodel import Session, col, select

from gateway.access.model import Agency, Organisation
from gateway.access.scope import Scope
from gateway.collection.agreements.model import Dispute, Plan, Promise
from gateway.collection.agreements.promises import promised_by_invoice
from gateway.collection.agreements.reading import agreements_of
from gateway.collection.agreements.values import Agreements
from gateway.collection.law.model import HandOver
from gateway.collection.law.receivable_penalties import penalty_items
from gateway.collection.law.repository import InLitigation, in_litigation
from gateway.customers.model import CustomerInvoice
from gateway.customers.repository import customers_by_id
from gateway.database.errors import InvalidCursorError
from gateway.database.paging import LONGEST_PAGE, Page
from gateway.treasury.receivable_rows import groups_of, open_items, open_sums
from gateway.treasury.receivables import (
    Dimension,
    Encours,
    Family,
    Item,
    ItemKind,
    Mark,
    contributions,
    place_of,
    sum_up,
)


@dataclass(frozen=True, slots=True)
class FigurePart:
    """What one item adds to a figure."""

    item: Item
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Books:
    """Everything open that may be seen, claimed penalties too, and what collection says of it, on a day."""

    items: Sequence[Item]
    marks: Mapping[UUID, Mark]
    groups: Mapping[UUID, str]
    as_of: date

    @classmethod
    def read(cls, session: Session, scope: Scope, as_of: date, customer_ids: Collection[UUID] | None = None) -> "Books":
        """A bounded number of statements, whatever the number of items; `customer_ids`: of these customers only."""
        items = [*open_items(session, scope, as_of, customer_ids), *penalty_items(session, scope, customer_ids)]
        return cls(items, marks_of(session, items, as_of), groups_of(session), as_of)

    @classmethod
    def summed(cls, session: Session, scope: Scope, as_of: date, by: Dimension) -> "Books":
        """The same of everybody, for sums along one dimension: what nothing tells apart is added up where it lies."""
        items = [*open_sums(session, scope, as_of, spoken_of(), by), *penalty_items(session, scope)]
        return cls(items, marks_of(session, items, as_of), groups_of(session), as_of)

    def cells(self, by: Dimension) -> list[Encours]:
        """What is owed along a dimension, the largest balance first."""
        return sum_up(self.items, self.marks, by=by, groups=self.groups, as_of=self.as_of)

    def parts(self, by: Dimension, of: str | None, currency: str, family: Family) -> list[FigurePart]:
        """The items behind one figure of a cell, the first due first; their amounts add up to it.

        Of summed books some items stand for several, and are no item of their own.
        """
        found = [
            FigurePart(item, amount)
            for item in self.items
            if item.currency == currency and _named(place_of(item, by, self.groups)) == of
            for each, amount in contributions(item, self.marks, self.as_of)
            if each is family
        ]
        return sorted(found, key=lambda part: part.item.due)


def marks_of(session: Session, items: Collection[Item], as_of: date) -> dict[UUID, Mark]:
    """What collection says of `items` on a day; those it says nothing of are left out."""
    owed: dict[UUID, dict[UUID, Decimal]] = {}
    for item in items:
        if item.customer_id and item.debt_id and item.remaining > 0 and item.kind is not ItemKind.PENALTY:
            owed.setdefault(item.customer_id, {})[item.debt_id] = item.remaining
    agreed = agreements_of(session, list(owed), as_of)
    handed = in_litigation(session)
    marks: dict[UUID, Mark] = {}
    for customer_id, remaining in owed.items():
        agreements = agreed.get(customer_id)
        if agreements or customer_id in handed.customers or handed.invoices.intersection(remaining):
            marks.update(_marks(customer_id, remaining, agreements or Agreements(), handed))
    return marks


def names_of(session: Session, by: Dimension, places: Iterable[UUID | str | None]) -> dict[UUID | str, str]:
    """What people call these customers, agencies or entities, the `of` of cells; a group is its own name."""
    ids = {each for each in places if isinstance(each, UUID)}
    if by is Dimension.CUSTOMER:
        return {customer_id: row.name for customer_id, row in customers_by_id(session, ids).items()}
    if by is Dimension.AGENCY:
        return dict(session.exec(select(Agency.id, Agency.name).where(col(Agency.id).in_(ids))).all())
    if by is Dimension.ENTITY:
        return dict(session.exec(select(Organisation.siren, Organisation.name)).all())
    return {}


def page_of_cells(cells: Sequence[Encours], cursor: str | None, limit: int) -> Page[Encours]:
    """Some cells, those after the cell that the cursor names, or after its place. Raises InvalidCursorError."""

    def name(cell: Encours) -> str:
        return f"{_named(cell.of)}|{cell.currency}"

    limit, start = max(1, min(limit, LONGEST_PAGE)), 0
    if cursor is not None:
        try:
            place, seen = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
            start = next((number for number, cell in enumerate(cells, start=1) if name(cell) == seen), int(place))
        except (ValueError, TypeError) as error:
            raise InvalidCursorError(cursor) from error
    shown = cells[start : start + limit]
    if start + limit >= len(cells):
        return Page(list(shown), None)
    last = json.dumps([start + limit, name(shown[-1])])
    return Page(list(shown), urlsafe_b64encode(last.encode()).decode().rstrip("="))


def spoken_of() -> Select[UUID]:
    """A query of the customers of whose invoices collection says something, or said so once: a few among all."""
    handed_over = select(HandOver.customer_id).where(col(HandOver.closed_on).is_(None))
    disputing = select(CustomerInvoice.customer_id).join(Dispute, col(Dispute.invoice_id) == CustomerInvoice.invoice_id)
    said = union(handed_over, disputing, select(Promise.customer_id), select(Plan.customer_id)).subquery()
    return select_columns(said.c.customer_id)


def _marks(
    customer_id: UUID, remaining: Mapping[UUID, Decimal], agreements: Agreements, handed: InLitigation
) -> dict[UUID, Mark]:
    promised = promised_by_invoice(agreements.promises, remaining)
    return {
        invoice_id: Mark(
            disputed=agreements.disputed(invoice_id, amount),
            promised=promised.get(invoice_id, Decimal(0)),
            planned=amount if agreements.plan_of(invoice_id) else Decimal(0),
            answered=agreements.answered(invoice_id),
            in_litigation=customer_id in handed.customers or invoice_id in handed.invoices,
        )
        for invoice_id, amount in remaining.items()
    }


def _named(of: UUID | str | None) -> str | None:
    return None if of is None else str(of)
