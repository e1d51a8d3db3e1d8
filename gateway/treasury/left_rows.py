"""Queries of what is left of receivables, after their statuses, their receipts and their write-offs.

What is left is read from the index of the open ones alone: a row of an invoice is wide, its state holds its whole
history.
"""

from collections.abc import Collection, Iterator
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Integer,
    Subquery,
    and_,
    case,
    func,
    literal,
    literal_column,
    or_,
    select,
    type_coerce,
    union_all,
)
from sqlmodel import Session, col
from sqlmodel import select as sqlmodel_select
from sqlmodel.sql.expression import SelectOfScalar

from gateway.access.scope import Scope
from gateway.customers.model import CustomerInvoice
from gateway.database.columns import Amount, Json
from gateway.kernel.money import ZERO
from gateway.lifecycle.model import Direction, InvoiceRecord
from gateway.lifecycle.repository import visible_invoices
from gateway.treasury.definitions import definitions
from gateway.treasury.receipt_rows import undeclared_by_invoice
from gateway.treasury.write_off_rows import written_off_by_invoice

#: The open issues of an invoice: of each its code and the amount it contests, null when it tells none.
_IN_SHORT: ColumnElement[Any] = literal_column(
    "(SELECT jsonb_agg(jsonb_build_object('code', issue -> 'code', 'disputed', issue -> 'disputed')) "
    "FROM jsonb_array_elements(invoice.state -> 'issues') AS issue)",
    Json,
).label("issues")
_TELLS_AMOUNT: ColumnElement[bool] = literal_column(
    "jsonb_path_exists(invoice.state -> 'issues', '$[*].disputed ? (@ != null)')", Boolean
).label("tells_amount")


class Left(NamedTuple):
    """What is left of a customer's invoice.

    `remaining`: as its statuses tell. `amount`: as the treasury counts it: less what receipts paid besides; of a closed
    invoice, which nobody owes, what was paid all the same, negative.
    """

    invoice_id: UUID
    customer_id: UUID
    currency: str
    is_closed: bool
    remaining: Decimal
    amount: Decimal


def left_of_invoices(session: Session, customer_ids: Collection[UUID] | None = None) -> Iterator[Left]:
    """What is left, nothing perhaps, of the invoices of these customers, of all when None, in one statement.

    Invoices that are settled in every respect are left out.
    """
    found = left_of_each(Scope.everything(), customer_ids)
    statement = select(
        found.c.id,
        col(CustomerInvoice.customer_id),
        found.c.currency,
        found.c.is_closed,
        found.c.remaining,
        found.c.left,
    ).join(CustomerInvoice, col(CustomerInvoice.invoice_id) == found.c.id)
    return (Left(*row) for row in session.execute(statement))


def left_of_each(scope: Scope, customer_ids: Collection[UUID] | None = None) -> Subquery:
    """The receivables that may be open, with what is `left` of each, nothing perhaps, and what is `written_off`.

    First those that their statuses leave open; then those that statuses settle and that receipts pay besides. Of a
    closed one, which nobody owes, what was paid all the same is left, negative. `customer_ids`: of these only.
    """
    theirs = None if customer_ids is None else invoices_of(customer_ids)
    received = select(undeclared_by_invoice(theirs)).cte("received")
    lost = written_off_by_invoice(theirs)
    got, closed = func.coalesce(received.c.amount, ZERO), col(InvoiceRecord.is_closed)
    given_up = case((closed, ZERO), else_=func.coalesce(lost.c.amount, ZERO))
    left = case((closed, -col(InvoiceRecord.collected) - got), else_=col(InvoiceRecord.remaining) - got - given_up)
    facts = select(
        col(InvoiceRecord.id),
        col(InvoiceRecord.agency_id),
        col(InvoiceRecord.seller_siren),
        col(InvoiceRecord.currency),
        col(InvoiceRecord.number),
        col(InvoiceRecord.type_code),
        closed,
        col(InvoiceRecord.issue_date),
        col(InvoiceRecord.due_date),
        col(InvoiceRecord.amount_due),
        col(InvoiceRecord.remaining),
        type_coerce(left, Amount).label("left"),
        type_coerce(given_up, Amount).label("written_off"),
    )
    facts = facts.outerjoin(lost, lost.c.invoice_id == InvoiceRecord.id).where(
        col(InvoiceRecord.direction) == Direction.RECEIVABLE.value, visible_invoices(scope)
    )
    if theirs is not None:
        facts = facts.where(col(InvoiceRecord.id).in_(theirs))
    of_invoice = received.c.invoice_id == InvoiceRecord.id
    return union_all(
        facts.outerjoin(received, of_invoice).where(_left_open()),
        facts.join(received, of_invoice).where(~_left_open()),
    ).subquery()


def due_on(found: Subquery, as_of: date) -> ColumnElement[date]:
    """The due date (BT-9) of each row of `left_of_each`, or the end of the default term in force on `as_of`."""
    term = definitions(as_of).default_term_days
    return func.coalesce(found.c.due_date, found.c.issue_date + literal(term, Integer))


def contested(customer_ids: Collection[UUID] | None = None) -> Subquery:
    """The invoices that have open issues: their `issues`, of each its code and the amount it contests, and whether one
    of them `tells_amount`. Without any, an invoice is contested whole or not at all, as others with the same issues.

    `customer_ids`: of these customers only.
    """
    # `state -> 'issues'` and the condition are written as the index `ix_invoice_issues` writes them, to be found by it
    issues = col(InvoiceRecord.state).op("->")(literal_column("'issues'"))
    statement = select(col(InvoiceRecord.id), _IN_SHORT, _TELLS_AMOUNT).where(
        func.jsonb_array_length(issues) > literal_column("0")
    )
    if customer_ids is not None:
        statement = statement.where(col(InvoiceRecord.id).in_(invoices_of(customer_ids)))
    return statement.subquery()


def invoices_of(customer_ids: Collection[UUID]) -> SelectOfScalar[UUID]:
    """A query of the invoices of some customers."""
    return sqlmodel_select(CustomerInvoice.invoice_id).where(
        col(CustomerInvoice.customer_id) == func.any(list(customer_ids))
    )


def _left_open() -> ColumnElement[bool]:
    """Its statuses leave the invoice open; the condition is that of the index `ix_invoice_open`, word for word."""
    paid_in_vain = and_(col(InvoiceRecord.is_closed), col(InvoiceRecord.collected) != 0)
    return or_(col(InvoiceRecord.remaining) != 0, paid_in_vain)
