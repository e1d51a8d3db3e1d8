"""Queries of the treasury: receivables only, as the lifecycle left them."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session, col

from gateway.access.scope import Scope
from gateway.lifecycle.model import Direction, InvoiceRecord
from gateway.lifecycle.repository import visible_invoices


class OpenInvoice(NamedTuple):
    """An invoice with something left to pay; `issues` are the open issues of its projected state."""

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
    rows = session.execute(
        select(
            col(InvoiceRecord.id),
            col(InvoiceRecord.currency),
            col(InvoiceRecord.issue_date),
            col(InvoiceRecord.due_date),
            col(InvoiceRecord.remaining),
            col(InvoiceRecord.state)["issues"],
        )
        .where(*_collectable(scope), col(InvoiceRecord.remaining) != 0, col(InvoiceRecord.issue_date) <= issued_until)
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
