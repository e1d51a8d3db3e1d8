"""Queries of what is open: some statements for invoices and credit notes, one for money that nothing takes.

Of many invoices, what is left is read from the index of the open ones alone: a row of an invoice is wide, its state
holds its whole history.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Integer,
    and_,
    case,
    exists,
    func,
    literal,
    or_,
    select,
    type_coerce,
    union_all,
)
from sqlalchemy.orm import aliased
from sqlmodel import Session, col
from sqlmodel import select as sqlmodel_select
from sqlmodel.sql.expression import SelectOfScalar

from gateway.access.scope import Scope
from gateway.customers.model import Customer, CustomerInvoice
from gateway.database.columns import Amount
from gateway.invoices.codes import DEPOSIT_TYPES
from gateway.kernel.money import ZERO
from gateway.lifecycle.model import Direction, InvoiceRecord, LifecycleEvent
from gateway.lifecycle.repository import visible_invoices
from gateway.treasury.accounting.opening_rows import opening_items
from gateway.treasury.definitions import definitions
from gateway.treasury.model import Receipt, ReceiptAllocation, ReceiptUse
from gateway.treasury.receipt_rows import undeclared_by_invoice
from gateway.treasury.receivables import Item, ItemKind
from gateway.treasury.write_off_rows import written_off_by_invoice

_COLLECTED = "212"


@dataclass(frozen=True, slots=True)
class Origins:
    """What is behind the payments of an invoice: the 212 statuses, and the receipts that pay it."""

    event_ids: tuple[UUID, ...] = ()
    receipt_ids: tuple[UUID, ...] = ()


def open_items(
    session: Session, scope: Scope, as_of: date, customer_ids: Collection[UUID] | None = None
) -> Iterator[Item]:
    """Everything open that may be seen: invoices, credit notes, money that nothing takes, what only the books know.

    `as_of` gives the term. `customer_ids`: of these customers only. A few statements, whatever the number of items.
    """
    yield from _open_invoices(session, scope, as_of, customer_ids)
    yield from unallocated_money(session, scope, customer_ids)
    yield from opening_items(session, scope, as_of, customer_ids)


def open_sums(session: Session, scope: Scope, as_of: date, apart: Collection[UUID]) -> Iterator[Item]:
    """The same, with the invoices that add to the same figures added up by the database, one item for all of them.

    Those that are contested, and those of the customers `apart`, are items of their own.
    """
    yield from _summed_invoices(session, scope, as_of, apart)
    yield from unallocated_money(session, scope)
    yield from opening_items(session, scope, as_of)


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
    found = _looked_at(Scope.everything(), customer_ids).subquery()
    statement = select(
        found.c.id,
        col(CustomerInvoice.customer_id),
        found.c.currency,
        found.c.is_closed,
        found.c.remaining,
        found.c.left,
    ).join(CustomerInvoice, col(CustomerInvoice.invoice_id) == found.c.id)
    return (Left(*row) for row in session.execute(statement))


def groups_of(session: Session) -> dict[UUID, str]:
    """The group of each customer: the name given to it, else its SIREN, else its own key."""
    return dict(session.execute(select(col(Customer.id), _group())).all())


def _group() -> ColumnElement[str]:
    return func.coalesce(col(Customer.group_name), col(Customer.siren), col(Customer.key))


def customers_of_group(session: Session, group: str) -> list[UUID]:
    """The customers of one group."""
    return list(session.execute(select(col(Customer.id)).where(_group() == group)).scalars())


def origins_of(session: Session, invoice_ids: Collection[UUID]) -> dict[UUID, Origins]:
    """The statuses and receipts behind the payments of these invoices, in two statements."""
    wanted = list(invoice_ids)
    told = session.execute(
        select(col(InvoiceRecord.id), col(LifecycleEvent.id))
        .join(
            LifecycleEvent,
            and_(
                col(LifecycleEvent.organisation_id) == InvoiceRecord.organisation_id,
                col(LifecycleEvent.direction) == InvoiceRecord.direction,
                col(LifecycleEvent.number) == InvoiceRecord.number,
                col(LifecycleEvent.seller_siren) == InvoiceRecord.seller_siren,
                col(LifecycleEvent.year) == InvoiceRecord.year,
                col(LifecycleEvent.status) == _COLLECTED,
            ),
        )
        .where(col(InvoiceRecord.id) == func.any(wanted))
        .order_by(col(LifecycleEvent.sequence))
    )
    received = session.execute(
        select(col(ReceiptAllocation.invoice_id), col(ReceiptAllocation.receipt_id))
        .where(col(ReceiptAllocation.invoice_id) == func.any(wanted))
        .order_by(col(ReceiptAllocation.allocated_at), col(ReceiptAllocation.id))
    )
    events, receipts = dict[UUID, list[UUID]](), dict[UUID, list[UUID]]()
    for invoice_id, event_id in told:
        events.setdefault(invoice_id, []).append(event_id)
    for invoice_id, receipt_id in received:
        receipts.setdefault(invoice_id, []).append(receipt_id)
    return {each: Origins(tuple(events.get(each, ())), tuple(receipts.get(each, ()))) for each in wanted}


def _open_invoices(
    session: Session, scope: Scope, as_of: date, customer_ids: Collection[UUID] | None
) -> Iterator[Item]:
    found = _looked_at(scope, customer_ids).subquery()
    statement = select(found, col(CustomerInvoice.customer_id)).outerjoin(
        CustomerInvoice, col(CustomerInvoice.invoice_id) == found.c.id
    )
    contested = _contested(session, customer_ids)
    term = timedelta(days=definitions(as_of).default_term_days)
    for row in session.execute(statement.where(found.c.left != 0)):
        yield Item(
            kind=_kind(row.is_closed, is_deposit=row.type_code in DEPOSIT_TYPES, is_credit=row.amount_due < 0),
            currency=row.currency,
            customer_id=row.customer_id,
            agency_id=row.agency_id,
            seller_siren=row.seller_siren,
            invoice_id=row.id,
            receipt_id=None,
            number=row.number,
            due_date=row.due_date or row.issue_date + term,
            asked=row.left if row.is_closed else row.amount_due,
            remaining=row.left,
            issues=contested.get(row.id),
            written_off=row.written_off,
        )


def _summed_invoices(session: Session, scope: Scope, as_of: date, apart: Collection[UUID]) -> Iterator[Item]:
    contested = _contested(session, None)
    found = _looked_at(scope, None).subquery()
    customer_id = col(CustomerInvoice.customer_id)
    on_its_own = or_(customer_id == func.any(list(apart)), found.c.id == func.any(list(contested)))
    asked = case((found.c.is_closed, found.c.left), else_=found.c.amount_due)
    term = definitions(as_of).default_term_days
    due_date = func.coalesce(found.c.due_date, found.c.issue_date + literal(term, Integer))
    alike = {
        "customer_id": customer_id,
        "agency_id": found.c.agency_id,
        "seller_siren": found.c.seller_siren,
        "currency": found.c.currency,
        "is_closed": found.c.is_closed,
        "is_deposit": found.c.type_code.in_(DEPOSIT_TYPES),
        "is_credit": found.c.amount_due < 0,
        "is_late": due_date < as_of,
        "is_left_over": found.c.left < 0,
        "paid": func.sign(asked - found.c.written_off - found.c.left),
        "is_written_off": found.c.written_off != 0,
        "invoice_id": case((on_its_own, found.c.id)),
    }
    told = {
        "number": found.c.number,
        "due_date": due_date,
        "asked": asked,
        "left": found.c.left,
        "lost": found.c.written_off,
    }
    rows = (
        select(*(what.label(name) for name, what in (alike | told).items()))
        .outerjoin(CustomerInvoice, col(CustomerInvoice.invoice_id) == found.c.id)
        .where(found.c.left != 0)
        .subquery()
    )
    statement = select(
        *(rows.c[name] for name in alike),
        func.max(rows.c.number).label("number"),
        func.min(rows.c.due_date).label("due_date"),
        *(type_coerce(func.sum(rows.c[name]), Amount).label(name) for name in ("asked", "left", "lost")),
        func.count().label("invoices"),
    ).group_by(*(rows.c[name] for name in alike))
    for row in session.execute(statement):
        yield Item(
            kind=_kind(row.is_closed, is_deposit=row.is_deposit, is_credit=row.is_credit),
            currency=row.currency,
            customer_id=row.customer_id,
            agency_id=row.agency_id,
            seller_siren=row.seller_siren,
            invoice_id=row.invoice_id,
            receipt_id=None,
            number=row.number,
            due_date=row.due_date,
            asked=row.asked,
            remaining=row.left,
            issues=contested.get(row.invoice_id) if row.invoice_id else None,
            written_off=row.lost,
            stands_for=row.invoices,
        )


def _looked_at(scope: Scope, customer_ids: Collection[UUID] | None) -> CompoundSelect[Any]:
    """The receivables that may be open, with what is `left` of each, nothing perhaps.

    First those that their statuses leave open; then those that statuses settle and that receipts pay besides.
    """
    theirs = None if customer_ids is None else _invoices_of(customer_ids)
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
    )


def _left_open() -> ColumnElement[bool]:
    """Its statuses leave the invoice open; the condition is that of the index `ix_invoice_open`, word for word."""
    paid_in_vain = and_(col(InvoiceRecord.is_closed), col(InvoiceRecord.collected) != 0)
    return or_(col(InvoiceRecord.remaining) != 0, paid_in_vain)


def _contested(session: Session, customer_ids: Collection[UUID] | None) -> dict[UUID, list[dict[str, Any]]]:
    """The open issues of every invoice that has any; the condition is that of the index `ix_invoice_issues`."""
    issues = col(InvoiceRecord.state)["issues"]
    statement = select(col(InvoiceRecord.id), issues).where(func.jsonb_array_length(issues) > 0)
    if customer_ids is not None:
        statement = statement.where(col(InvoiceRecord.id).in_(_invoices_of(customer_ids)))
    return dict(session.execute(statement).all())


def _invoices_of(customer_ids: Collection[UUID]) -> SelectOfScalar[UUID]:
    return sqlmodel_select(CustomerInvoice.invoice_id).where(
        col(CustomerInvoice.customer_id) == func.any(list(customer_ids))
    )


def unallocated_money(session: Session, scope: Scope, customer_ids: Collection[UUID] | None = None) -> Iterator[Item]:
    """Money that nothing takes, in one statement.

    Of a receipt whose customer was not told, the rest is of the customer whose invoices it pays, if it is one.
    Who sees a part of the organisation sees that of its key accounts only: such money has no agency.
    """
    undone = aliased(Receipt)
    used = select(func.sum(col(ReceiptUse.amount))).where(col(ReceiptUse.receipt_id) == Receipt.id).scalar_subquery()
    allocated = func.coalesce(func.sum(col(ReceiptAllocation.amount)), ZERO) + func.coalesce(used, ZERO)
    payers = func.array_agg(col(CustomerInvoice.customer_id).distinct())
    payer = func.coalesce(
        col(Receipt.customer_id), case((func.count(col(CustomerInvoice.customer_id).distinct()) == 1, payers[1]))
    )
    grouped = (
        select(
            col(Receipt.id),
            payer.label("customer_id"),
            col(Receipt.currency),
            col(Receipt.received_on),
            col(Receipt.external_reference),
            type_coerce(allocated - col(Receipt.amount), Amount).label("rest"),
        )
        .outerjoin(ReceiptAllocation, col(ReceiptAllocation.receipt_id) == Receipt.id)
        .outerjoin(CustomerInvoice, col(CustomerInvoice.invoice_id) == ReceiptAllocation.invoice_id)
        .where(col(Receipt.reverses_id).is_(None), ~exists().where(col(undone.reverses_id) == Receipt.id))
        .group_by(col(Receipt.id))
        .having(allocated != col(Receipt.amount))
    )
    if customer_ids is not None:
        paying = sqlmodel_select(ReceiptAllocation.receipt_id).where(
            col(ReceiptAllocation.invoice_id).in_(_invoices_of(customer_ids))
        )
        told = col(Receipt.customer_id) == func.any(list(customer_ids))
        grouped = grouped.where(or_(told, col(Receipt.id).in_(paying)))
    statement = grouped.subquery()
    found = select(*statement.c)
    if customer_ids is not None:
        found = found.where(statement.c.customer_id == func.any(list(customer_ids)))
    if not scope.is_everything:
        key_accounts = select(col(Customer.id)).where(col(Customer.siren).in_(scope.key_accounts))
        found = found.where(statement.c.customer_id.in_(key_accounts))
    for receipt_id, customer_id, currency, received_on, reference, rest in session.execute(found):
        yield Item(
            kind=ItemKind.MONEY,
            currency=currency,
            customer_id=customer_id,
            agency_id=None,
            seller_siren=None,
            invoice_id=None,
            receipt_id=receipt_id,
            number=reference,
            due_date=received_on,
            asked=rest,
            remaining=rest,
            issues=None,
        )


def _kind(is_closed: bool, *, is_deposit: bool, is_credit: bool) -> ItemKind:
    if is_closed:
        return ItemKind.MONEY
    if is_deposit:
        return ItemKind.DEPOSIT
    return ItemKind.CREDIT_NOTE if is_credit else ItemKind.INVOICE
