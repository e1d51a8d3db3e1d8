"""Invoices and events as programs read them: the shapes of `/api/v1`, a public contract."""

import json
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from gateway.kernel.clock import paris_date
from gateway.lifecycle.labels import Labelled, current_status, labelled_status
from gateway.lifecycle.model import Direction, InvoiceRecord, LifecycleEvent
from gateway.lifecycle.projection import AmountByRate, AnnouncedPayment, InvoiceState
from gateway.lifecycle.timeline import TimelineEntry, entry_of


class _View(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class InvoiceView(_View):
    """An invoice and where it stands. Amounts of a credit note are negative; instants are UTC."""

    id: UUID
    direction: Direction = Field(description="receivable: ours to collect; payable: ours to pay")
    number: str = Field(description="BT-1")
    seller_siren: str = Field(description="BT-30")
    seller_name: str = Field(description="BT-27")
    buyer_siren: str | None = Field(description="BT-47")
    buyer_name: str = Field(description="BT-44")
    type_code: str = Field(description="BT-3")
    issue_date: date = Field(description="BT-2")
    due_date: date | None = Field(description="BT-9")
    currency: str = Field(description="BT-5")
    total_without_vat: Decimal = Field(description="BT-109")
    total_with_vat: Decimal = Field(description="BT-112")
    amount_due: Decimal = Field(description="BT-115")
    collected: Decimal = Field(description="Sum of the 212, VAT included")
    remaining: Decimal = Field(
        description="Still to pay: less what the 212 tell, what was received besides and what is written off; "
        "nothing once it is closed; negative for a credit note"
    )
    collected_by_rate: tuple[AmountByRate, ...] = Field(description="Sum of the 212 by VAT rate")
    remaining_by_rate: tuple[AmountByRate, ...] = Field(
        description="Still to pay by VAT rate as the statuses tell; empty when unknown"
    )
    announced: AnnouncedPayment | None = Field(description="Payment that the buyer announces (211), not yet received")
    status: Labelled | None = Field(description="Current status (MDT-105); null before the first")
    status_at: datetime | None = Field(description="When it was set (MDT-78)")
    is_closed: bool = Field(description="Rejected (213), cancelled (220) or refused (210)")
    issues: tuple[Labelled, ...] = Field(description="Statuses that hold the invoice back now: 206, 207, 208, 210…")
    expected_next: tuple[Labelled, ...] = Field(description="Usual next statuses")
    syntax: str
    profile: str = Field(description="BT-24, as the gateway names it")
    document_sha256: str = Field(description="The invoice’s file")
    agency_id: UUID | None
    flow_id: UUID | None
    received_at: datetime = Field(description="When the gateway registered it")


class InvoicePage(_View):
    """Some invoices, latest issue date first."""

    invoices: tuple[InvoiceView, ...]
    next_cursor: str | None = Field(description="Give it back as `cursor` for the next page; null on the last one")


class EventView(TimelineEntry):
    """One status as recorded, for programs that follow all of them."""

    sequence: int = Field(description="Place in the feed: grows with each event, with holes; give the last one back")
    direction: Direction
    number: str = Field(description="MDT-87, the invoice number")
    seller_siren: str = Field(description="MDT-129; empty when the message names no seller (allowed for a 501)")
    year: int = Field(description="Year of MDT-100; 0 when absent (allowed for a 501)")


class EventFeed(_View):
    """Events in the order they were recorded."""

    events: tuple[EventView, ...]
    next_after: int = Field(description="Give it back as `after`, also when `events` is empty")


def invoice_view(invoice: InvoiceRecord, remaining: Decimal) -> InvoiceView:
    """An invoice as programs read it, with what is left of it. Pure."""
    state = InvoiceState.model_validate(invoice.state)
    facts = invoice.model_dump(include=set(InvoiceView.model_fields) - {"status", "remaining"})
    return InvoiceView(
        **facts,
        status=current_status(invoice),
        remaining=remaining,
        collected_by_rate=state.collected,
        remaining_by_rate=state.remaining_by_rate,
        announced=state.announced,
        issues=tuple(labelled_status(issue.code, paris_date(issue.at)) for issue in state.issues),
        expected_next=tuple(map(labelled_status, state.expected_next)),
    )


def event_view(row: LifecycleEvent) -> EventView:
    """A recorded event as programs read it. Pure."""
    key = row.model_dump(include={"sequence", "direction", "number", "seller_siren", "year"})
    return EventView(**dict(entry_of(row)), **key)


def event_schema() -> str:
    """The JSON Schema of an event, as `schemas/lifecycle-event.schema.json` publishes it."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "lifecycle-event.schema.json",
        **EventView.model_json_schema(mode="serialization"),
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
