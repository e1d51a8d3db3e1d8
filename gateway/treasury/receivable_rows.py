"""Queries of what is open: some statements for invoices and credit notes, one for money that nothing takes."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, or_, select, type_coerce
from sqlalchemy.orm import aliased
from sqlmodel import Session, col
from sqlmodel import select as sqlmodel_select

from gateway.access.scope import Scope
from gateway.customers.model import Customer, CustomerInvoice
from gateway.database.columns import Amount
from gateway.kernel.money import ZERO
from gateway.lifecycle.model import InvoiceRecord, LifecycleEvent
from gateway.treasury.accounting.opening_rows import opening_items
from gateway.treasury.invoice_rows import open_invoices, summed_invoices
from gateway.treasury.left_rows import invoices_of
from gateway.treasury.model import Receipt, ReceiptAllocation, ReceiptUse
from gateway.treasury.receivables import Dimension, Item, ItemKind

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
    yield from open_invoices(session, scope, as_of, customer_ids)
    yield from unallocated_money(session, scope, customer_ids)
    yield from opening_items(session, scope, as_of, customer_ids)


def open_sums(session: Session, scope: Scope, as_of: date, apart: Select[UUID], by: Dimension) -> Iterator[Item]:
    """The same, with the invoices that add to the same figures along a dimension added up by the database.

    Those of which the buyer contests an amount, and those of the customers `apart` (a query of them), are items of
    their own.
    """
    yield from summed_invoices(session, scope, as_of, apart, by)
    yield from unallocated_money(session, scope)
    yield from opening_items(session, scope, as_of)


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
            col(ReceiptAllocation.invoice_id).in_(invoices_of(customer_ids))
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
