"""Receipts as programs read them."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlmodel import Session

from gateway.access.scope import Scope
from gateway.kernel.money import ZERO
from gateway.treasury import receipt_rows
from gateway.treasury.allocating import undeclared
from gateway.treasury.model import Receipt


class _View(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class AllocationView(_View):
    """What of a receipt pays one invoice."""

    invoice_id: UUID
    number: str = Field(description="BT-1")
    amount: Decimal
    undeclared: Decimal = Field(description="What no status 212 tells of it")
    event_ids: tuple[UUID, ...] = Field(description="The 212 statuses that tell of it")


class ReceiptView(_View):
    """Money received, or given back when negative."""

    id: UUID
    amount: Decimal = Field(description="VAT included, in `currency`")
    currency: str
    received_on: date = Field(description="Europe/Paris")
    payer_reference: str
    source: str = Field(description="api, person or file")
    reference: str = Field(description="Its name at the source")
    comment: str
    customer_id: UUID | None = Field(description="Who paid, when that was told")
    recorded_at: datetime
    reverses: UUID | None = Field(description="The receipt that it undoes")
    reversed_by: UUID | None = Field(description="The receipt that undoes it")
    allocations: tuple[AllocationView, ...] = Field(description="Those whose invoice you may see")


class ReceiptPage(_View):
    """Some receipts, the latest day first."""

    receipts: tuple[ReceiptView, ...]
    next_cursor: str | None = Field(description="Give it back as `cursor` for the next page; null on the last one")


def views_of(session: Session, scope: Scope, receipts: list[Receipt]) -> list[ReceiptView]:
    """Receipts as programs read them, with the allocations in scope, whatever their number in four queries."""
    ids = [receipt.id for receipt in receipts]
    reversals = receipt_rows.reversals_of(session, ids)
    parts = receipt_rows.parts_of_receipts(session, scope, ids)
    left = undeclared([part for part, _ in parts])
    events = receipt_rows.events_telling(session, [part.id for part, _ in parts])
    allocations: dict[UUID, list[AllocationView]] = {}
    for part, number in parts:
        shown = AllocationView(
            invoice_id=part.invoice_id,
            number=number,
            amount=part.amount,
            undeclared=left.get(part.id, ZERO),
            event_ids=tuple(events.get(part.id, ())),
        )
        allocations.setdefault(part.receipt_id, []).append(shown)
    return [
        ReceiptView(
            **receipt.model_dump(include=set(ReceiptView.model_fields)),
            reference=receipt.external_reference,
            reverses=receipt.reverses_id,
            reversed_by=reversals.get(receipt.id),
            allocations=tuple(allocations.get(receipt.id, ())),
        )
        for receipt in receipts
    ]
