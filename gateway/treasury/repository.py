"""Queries of the treasury's figures: receivables only, as the lifecycle and the receipts left them."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import func, select, type_coerce
from sqlmodel import Session, col

from gateway.access.scope import Scope
from gateway.database.columns import Amount
from gateway.kernel.money import ZERO
from gateway.lifecycle.model import Direction, InvoiceRecord
from gateway.lifecycle.repository import visible_invoices
from gateway.treasury.write_off_rows import settled_by_invoice


class OpenInvoice(NamedTuple):
    """An invoice with something left to pay; `issues` are the open issues of its projected state.

    `remaining`: less what the 212 tell, less the receipts that no 212 tells, and less what is written off.
    """

    id: UUID
    currency: str
    issue_date: date
    due_date: date | None
    remaining: Decimal
    issues: list[dict[str, Any]]


class InvoicedAmount(NamedTuple):
    """An invoice as turnover, total with VAT."""

    id: UUID
    currency: str
    issue_date: date
    total_with_vat: Decimal


def open_invoices(session: Session, scope: Scope, issued_until: date) -> Iterator[OpenInvoice]:
    """Collectable invoices and credit notes issued by then, with something left to pay."""
    settled = settled_by_invoice()
    remaining = col(InvoiceRecord.remaining) - func.coalesce(settled.c.amount, ZERO)
    rows = session.execute(
        select(
            col(InvoiceRecord.id),
            col(InvoiceRecord.currency),
            col(InvoiceRecord.issue_date),
            col(InvoiceRecord.due_date),
            type_coerce(remaining, Amount),
            col(InvoiceRecord.state)["issues"],
        )
        .outerjoin(settled, settled.c.invoice_id == InvoiceRecord.id)
        .where(*_collectable(scope), remaining != 0, col(InvoiceRecord.issue_date) <= issued_until)
        .order_by(col(InvoiceRecord.issue_date), col(InvoiceRecord.id))
    )
    return (OpenInvoice(*row) for row in rows)


def invoiced(session: Session, scope: Scope, first: date, last: date) -> Iterator[InvoicedAmount]:
    """Invoices and credit notes that stand, issued between two days, both included."""
    rows = session.execute(
        select(
            col(InvoiceRecord.id),
            col(InvoiceRecord.currency),
            col(InvoiceRecord.issue_date),
            col(InvoiceRecord.total_with_vat),
        )
        .where(*_collectable(scope), col(InvoiceRecord.issue_date).between(first, last))
        .order_by(col(InvoiceRecord.issue_date), col(InvoiceRecord.id))
    )
    return (InvoicedAmount(*row) for row in rows)


def _collectable(scope: Scope) -> tuple[Any, ...]:
    """Ours, and neither rejected, cancelled nor refused."""
    return (
        visible_invoices(scope),
        col(InvoiceRecord.direction) == Direction.RECEIVABLE.value,
        col(InvoiceRecord.is_closed).is_(False),
    )
