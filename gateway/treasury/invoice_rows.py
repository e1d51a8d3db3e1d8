"""Queries of open invoices and credit notes as items of receivables: one by one, or added up where nothing tells them
apart, and then a page at a time behind a figure.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple, Self
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    SQLColumnExpression,
    Subquery,
    and_,
    case,
    collate,
    false,
    func,
    literal,
    or_,
    select,
    true,
    tuple_,
    type_coerce,
)
from sqlmodel import Session, col

from gateway.access.scope import Scope
from gateway.customers.model import CustomerInvoice
from gateway.database.columns import Amount
from gateway.invoices.codes import DEPOSIT_TYPES
from gateway.treasury.left_rows import contested, due_on, left_of_each
from gateway.treasury.receivables import DISPUTED, Dimension, Due, Family, Item, ItemKind


class Place(NamedTuple):
    """A cell of receivables: along what, whose, in which currency. `of` None: what cannot be told."""

    by: Dimension
    of: UUID | str | None
    currency: str


def open_invoices(
    session: Session, scope: Scope, as_of: date, customer_ids: Collection[UUID] | None = None
) -> Iterator[Item]:
    """Each of them; `customer_ids`: of these customers only."""
    return map(_item, session.execute(_Facts.of_invoices(scope, as_of, customer_ids).each()))


def summed_invoices(session: Session, scope: Scope, as_of: date, apart: Select[UUID], by: Dimension) -> Iterator[Item]:
    """Those that add to the same figures along a dimension, as one item; those of which the buyer contests an amount,
    and those of the customers `apart` (a query of them), are items of their own.
    """
    facts = _Facts.of_invoices(scope, as_of)
    found, alone = facts.found, facts.is_alone(apart)

    def along(dimensions: Collection[Dimension], column: SQLColumnExpression[Any]) -> SQLColumnExpression[Any]:
        return column if by in dimensions else case((alone, column))

    alike = {
        "customer_id": along((Dimension.CUSTOMER, Dimension.GROUP), facts.customer_id),
        "agency_id": along((Dimension.AGENCY,), found.c.agency_id),
        "seller_siren": along((Dimension.ENTITY,), found.c.seller_siren),
        "currency": found.c.currency,
        "kind": facts.kind,
        "is_late": facts.due_date < as_of,
        "is_left_over": found.c.left < 0,
        "paid": func.sign(facts.paid),
        "is_written_off": found.c.written_off != 0,
        "issues": facts.contested.c.issues,
        "id": case((alone, found.c.id)),
    }
    told = {"number": found.c.number, "due_date": facts.due_date, "asked": facts.asked}
    rows = facts.select((alike | told).items(), found.c.left, found.c.written_off).subquery()
    sums = ("asked", "left", "written_off")
    statement = select(
        *(rows.c[name] for name in alike),
        func.max(rows.c.number).label("number"),
        func.min(rows.c.due_date).label("due_date"),
        *(type_coerce(func.sum(rows.c[name]), Amount).label(name) for name in sums),
        func.count().label("stands_for"),
    ).group_by(*(rows.c[name] for name in alike))
    for row in session.execute(statement):
        yield _item(row)


def alike_behind(
    session: Session,
    scope: Scope,
    as_of: date,
    apart: Select[UUID],
    place: Place,
    family: Family,
    *,
    after: Due | None,
    limit: int,
) -> list[Item]:
    """Of the invoices that `summed_invoices` adds up, those behind a figure of a cell, the first due first.

    At most `limit` of those after `after`. Not for a group: its customers are asked for one by one.
    """
    facts = _Facts.of_invoices(scope, as_of)
    order = (facts.due_date, collate(facts.found.c.number, "C"), facts.found.c.id)
    statement = (
        facts.each()
        .where(facts.is_alone(apart).is_not(true()), facts.is_at(place), facts.adds_to(family, as_of))
        .order_by(*order)
        .limit(limit)
    )
    if after is not None:
        statement = statement.where(tuple_(*order) > tuple_(*after))
    return [_item(row) for row in session.execute(statement)]


@dataclass(frozen=True, slots=True)
class _Facts:
    """What is open, as columns of a query."""

    found: Subquery
    contested: Subquery
    customer_id: SQLColumnExpression[UUID]
    kind: ColumnElement[str]
    due_date: ColumnElement[date]
    asked: ColumnElement[Any]
    paid: ColumnElement[Any]

    @classmethod
    def of_invoices(cls, scope: Scope, as_of: date, customer_ids: Collection[UUID] | None = None) -> Self:
        """Everything that may be seen, or what is open of some customers."""
        found = left_of_each(scope, customer_ids)
        asked = type_coerce(case((found.c.is_closed, found.c.left), else_=found.c.amount_due), Amount)
        kind = case(
            (found.c.is_closed, ItemKind.MONEY.value),
            (found.c.type_code.in_(DEPOSIT_TYPES), ItemKind.DEPOSIT.value),
            (found.c.amount_due < 0, ItemKind.CREDIT_NOTE.value),
            else_=ItemKind.INVOICE.value,
        )
        paid = asked - found.c.written_off - found.c.left
        return cls(
            found, contested(customer_ids), col(CustomerInvoice.customer_id), kind, due_on(found, as_of), asked, paid
        )

    def select(self, named: Any, *columns: ColumnElement[Any]) -> Select[Any]:
        """Columns by name and others of what has something left."""
        return (
            select(*(what.label(name) for name, what in named), *columns)
            .select_from(self.found)
            .outerjoin(CustomerInvoice, col(CustomerInvoice.invoice_id) == self.found.c.id)
            .outerjoin(self.contested, self.contested.c.id == self.found.c.id)
            .where(self.found.c.left != 0)
        )

    def each(self) -> Select[Any]:
        """What `_item` reads of each."""
        found = self.found
        named = {
            "kind": self.kind,
            "customer_id": self.customer_id,
            "due_date": self.due_date,
            "asked": self.asked,
            "stands_for": literal(1),
        }
        same = (found.c.id, found.c.number, found.c.currency, found.c.agency_id, found.c.seller_siren)
        return self.select(named.items(), *same, found.c.left, found.c.written_off, self.contested.c.issues)

    def is_alone(self, apart: Select[UUID]) -> ColumnElement[bool]:
        """The buyer contests an amount of it, or it is of a customer apart; null, which is not true, when unknown."""
        return or_(self.customer_id.in_(apart), self.contested.c.tells_amount)

    def is_at(self, place: Place) -> ColumnElement[bool]:
        """In that cell."""
        columns = {Dimension.AGENCY: self.found.c.agency_id, Dimension.ENTITY: self.found.c.seller_siren}
        where = columns.get(place.by, self.customer_id)
        return and_(self.found.c.currency == place.currency, where.is_(None) if place.of is None else where == place.of)

    def adds_to(self, family: Family, as_of: date) -> ColumnElement[bool]:
        """What `contributions` says of an invoice that is not alone."""
        left, is_disputed = self.found.c.left, self.contested.c.issues.contains([{"code": DISPUTED}])
        families: dict[Family, ColumnElement[bool]] = {
            Family.BALANCE: true(),
            Family.INVOICED: self.kind == ItemKind.INVOICE.value,
            Family.DEPOSITS: self.kind == ItemKind.DEPOSIT.value,
            Family.CREDIT_NOTES: self.kind == ItemKind.CREDIT_NOTE.value,
            Family.UNALLOCATED: self.kind == ItemKind.MONEY.value,
            Family.PAYMENTS: self.paid != 0,
            Family.WRITTEN_OFF: self.found.c.written_off != 0,
            Family.TO_DEDUCT: left < 0,
            Family.OVERDUE: and_(left > 0, self.due_date < as_of),
            Family.NOT_DUE: and_(left > 0, self.due_date >= as_of),
            Family.DISPUTED: and_(left > 0, is_disputed),
            Family.FREE: and_(left > 0, is_disputed.is_not(true())),
        }
        return families.get(family, false())


def _item(row: Row[Any]) -> Item:
    return Item(
        kind=ItemKind(row.kind),
        currency=row.currency,
        customer_id=row.customer_id,
        agency_id=row.agency_id,
        seller_siren=row.seller_siren,
        invoice_id=row.id,
        receipt_id=None,
        number=row.number,
        due_date=row.due_date,
        asked=row.asked,
        remaining=row.left,
        issues=row.issues,
        written_off=row.written_off,
        stands_for=row.stands_for,
    )
