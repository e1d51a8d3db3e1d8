"""Queries of what is open: one statement for invoices and credit notes, one for money that nothing takes."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from sqlalchemy import Select, and_, case, exists, func, null, or_, select, type_coerce
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
    yield from _unallocated(session, scope, customer_ids)
    yield from opening_items(session, scope, as_of, customer_ids)


def groups_of(session: Session) -> dict[UUID, str]:
    """The group of each customer: the name given to it, else its SIREN, else its own key."""
    group = func.coalesce(col(Customer.group_name), col(Customer.siren), col(Customer.key))
    return dict(session.execute(select(col(Customer.id), group)).all())


def open_invoice_ids() -> Select[UUID]:
    """Invoices that their statuses leave open; the condition is that of the index `ix_invoice_open`, word for word."""
    paid_in_vain = and_(col(InvoiceRecord.is_closed), col(InvoiceRecord.collected) != 0)
    return select(col(InvoiceRecord.id)).where(or_(col(InvoiceRecord.remaining) != 0, paid_in_vain))


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
    theirs = None if customer_ids is None else _invoices_of(customer_ids)
    received = select(undeclared_by_invoice(theirs)).cte("received")
    lost = written_off_by_invoice(theirs)
    looked_at = open_invoice_ids().union(select(received.c.invoice_id)) if theirs is None else theirs
    got = func.coalesce(received.c.amount, ZERO)
    closed = col(InvoiceRecord.is_closed)
    given_up = case((closed, ZERO), else_=func.coalesce(lost.c.amount, ZERO))
    remaining = case((closed, -col(InvoiceRecord.collected) - got), else_=col(InvoiceRecord.remaining) - got - given_up)
    issues = col(InvoiceRecord.state)["issues"]
    statement = (
        select(
            col(InvoiceRecord.id),
            col(CustomerInvoice.customer_id),
            col(InvoiceRecord.agency_id),
            col(InvoiceRecord.seller_siren),
            col(InvoiceRecord.currency),
            col(InvoiceRecord.number),
            col(InvoiceRecord.type_code),
            closed,
            col(InvoiceRecord.issue_date),
            col(InvoiceRecord.due_date),
            col(InvoiceRecord.amount_due),
            type_coerce(remaining, Amount),
            case((func.jsonb_array_length(issues) > 0, issues), else_=null()),
            type_coerce(given_up, Amount),
        )
        .outerjoin(CustomerInvoice, col(CustomerInvoice.invoice_id) == InvoiceRecord.id)
        .outerjoin(received, received.c.invoice_id == InvoiceRecord.id)
        .outerjoin(lost, lost.c.invoice_id == InvoiceRecord.id)
        .where(
            col(InvoiceRecord.id).in_(looked_at),
            remaining != 0,
            col(InvoiceRecord.direction) == Direction.RECEIVABLE.value,
            visible_invoices(scope),
        )
    )
    term = timedelta(days=definitions(as_of).default_term_days)
    for (
        invoice_id,
        customer_id,
        agency_id,
        seller,
        currency,
        number,
        code,
        is_closed,
        issued,
        due,
        asked,
        left,
        held,
        written_off,
    ) in session.execute(statement):
        yield Item(
            kind=_kind(code, asked, is_closed),
            currency=currency,
            customer_id=customer_id,
            agency_id=agency_id,
            seller_siren=seller,
            invoice_id=invoice_id,
            receipt_id=None,
            number=number,
            due_date=due or issued + term,
            asked=left if is_closed else asked,
            remaining=left,
            issues=held,
            written_off=written_off,
        )


def _invoices_of(customer_ids: Collection[UUID]) -> SelectOfScalar[UUID]:
    return sqlmodel_select(CustomerInvoice.invoice_id).where(
        col(CustomerInvoice.customer_id) == func.any(list(customer_ids))
    )


def _unallocated(session: Session, scope: Scope, customer_ids: Collection[UUID] | None) -> Iterator[Item]:
    """Of a receipt whose customer was not told, the rest is of the customer whose invoices it pays, if it is one.

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


def _kind(type_code: str, asked: Decimal, is_closed: bool) -> ItemKind:
    if is_closed:
        return ItemKind.MONEY
    if type_code in DEPOSIT_TYPES:
        return ItemKind.DEPOSIT
    return ItemKind.CREDIT_NOTE if asked < 0 else ItemKind.INVOICE
