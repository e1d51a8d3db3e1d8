"""The life of an invoice for people and programs: what happened, who said it, when, why, and what should come next."""

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlmodel import Session

from gateway.access.scope import Scope
from gateway.kernel.text import Text
from gateway.lifecycle import reasons, repository
from gateway.lifecycle.deliveries import Deliveries, Delivery, Report, deliveries_of
from gateway.lifecycle.expectations import Awaited, Expectation, nothing_awaited
from gateway.lifecycle.labels import Labelled, current_status, labelled_status
from gateway.lifecycle.left import Left, left_by_statuses
from gateway.lifecycle.links import LinkedInvoice, corrected_by_it, corrections_of
from gateway.lifecycle.model import InvoiceRecord, LifecycleEvent
from gateway.lifecycle.projection import AnnouncedPayment, InvoiceState
from gateway.lifecycle.records import status_event
from gateway.lifecycle.statuses import StateLine
from gateway.lifecycle.transitions import TransitionKind


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Datum(_Part):
    """One piece of data of a status (MDG-43): an amount, a rate, a wrong or an expected value.

    Attributes:
        kind: MDT-207. term: MDT-206. name: MDT-211.
        on: day of the fact (MDT-219), such as the payment date that a 211 announces; None when absent or unreadable.
    """

    kind: Labelled
    term: str
    name: str
    value: str
    amount: Decimal | None
    currency: str
    percent: Decimal | None
    on: date | None


class TimelineEntry(_Part):
    """One event.

    Attributes:
        at: when the status was set (MDT-78), UTC.
        recorded_at: when the gateway recorded it, UTC.
        status: code and label (MDT-105).
        line: invoice, transmission or reporting.
        issuer: role of who set it (MDT-40), None when the message tells none; `issuer_name`: MDT-39.
        reasons, actions: MDT-113 and MDT-121.
        comment: MDT-126.
        data: amounts and values.
        source: the platform or channel it came through.
        message_id: MDT-4.
        document_sha256: the raw message.
        verdict, verdict_reason: how the status fitted what was known when it was recorded.
    """

    event_id: UUID
    at: datetime
    recorded_at: datetime
    status: Labelled
    line: StateLine
    issuer: Labelled | None
    issuer_name: str
    reasons: tuple[Labelled, ...]
    actions: tuple[Labelled, ...]
    comment: str
    data: tuple[Datum, ...]
    source: str | None
    message_id: str
    document_sha256: str | None
    flow_id: UUID | None
    verdict: TransitionKind
    verdict_reason: Text


class Timeline(_Part):
    """An invoice and everything that happened to it, oldest first, on its three state lines.

    Attributes:
        status: current status on the invoice line, None before the first.
        remaining: still to pay, in `currency`; negative for a credit note, nothing once it is closed.
        announced: the payment that the buyer says it sent (211), until a receipt (212) answers it; it proves nothing.
        entries: every event; its `line` says whether it speaks of the invoice, of an attempt or of a report.
        transmission: the attempts at handing the invoice and our statuses over, with what answered them.
        reporting: our mandatory statuses as told to the public portal, with what it made of them.
        expected_next: usual next statuses, empty when nothing more is expected.
        awaited: what should come by when, and what happens otherwise; the most pressing first.
        corrects: what it refers to (BT-25), and what that refers to in turn; the nearest first.
        corrected_by: the invoices that refer to it, and those that refer to them; the nearest first.
    """

    invoice_id: UUID
    direction: str
    number: str
    seller_siren: str
    year: int
    seller_name: str
    buyer_name: str
    buyer_siren: str | None
    issue_date: date
    due_date: date | None
    type_code: str
    currency: str
    total_with_vat: Decimal
    amount_due: Decimal
    collected: Decimal
    remaining: Decimal
    announced: AnnouncedPayment | None
    is_closed: bool
    document_sha256: str
    received_at: datetime
    status: Labelled | None
    status_at: datetime | None
    entries: tuple[TimelineEntry, ...]
    transmission: tuple[Delivery, ...]
    reporting: tuple[Report, ...]
    expected_next: tuple[Labelled, ...]
    awaited: tuple[Expectation, ...]
    corrects: tuple[LinkedInvoice, ...] = ()
    corrected_by: tuple[LinkedInvoice, ...] = ()


def timeline_of(
    session: Session,
    scope: Scope,
    invoice: InvoiceRecord,
    now: datetime,
    awaited: Awaited = nothing_awaited,
    left: Left = left_by_statuses,
) -> Timeline:
    """The timeline of a followed invoice as of `now`, with the linked invoices that the asker may see."""
    rows = repository.events_of(session, invoice)
    return build_timeline(
        invoice,
        rows,
        deliveries_of(session, invoice, rows, now),
        left(session, [invoice])[invoice.id],
        awaited=awaited(session, invoice, now),
        corrects=corrected_by_it(session, scope, invoice),
        corrected_by=corrections_of(session, scope, invoice),
    )


def build_timeline(
    invoice: InvoiceRecord,
    rows: Iterable[LifecycleEvent],
    deliveries: Deliveries,
    remaining: Decimal,
    *,
    awaited: tuple[Expectation, ...] = (),
    corrects: tuple[LinkedInvoice, ...] = (),
    corrected_by: tuple[LinkedInvoice, ...] = (),
) -> Timeline:
    """The timeline of an invoice from its events, in the order given, its deliveries, what is left, its links. Pure."""
    state = InvoiceState.model_validate(invoice.state)
    computed = {"status", "remaining", "announced", "entries", "transmission", "reporting", "expected_next", "awaited"}
    return Timeline(
        invoice_id=invoice.id,
        **invoice.model_dump(include=set(Timeline.model_fields) - computed),
        status=current_status(invoice),
        remaining=remaining,
        announced=state.announced,
        entries=tuple(entry_of(row) for row in rows),
        transmission=deliveries.transmission,
        reporting=deliveries.reporting,
        expected_next=tuple(labelled_status(code) for code in state.expected_next),
        awaited=awaited,
        corrects=corrects,
        corrected_by=corrected_by,
    )


def entry_of(row: LifecycleEvent) -> TimelineEntry:
    """One event as people and programs read it. Pure."""
    event = status_event(row)
    on = event.day
    return TimelineEntry(
        event_id=row.id,
        at=event.status_at,
        recorded_at=row.recorded_at,
        status=labelled_status(event.code, on),
        line=event.line,
        issuer=Labelled(code=event.issuer_role, label=reasons.label("role", event.issuer_role, on))
        if event.issuer_role
        else None,
        issuer_name=event.issuer_name,
        reasons=tuple(Labelled(code=code, label=reasons.reason(code, on).label) for code in event.reasons),
        actions=tuple(Labelled(code=code, label=reasons.label("action", code, on)) for code in event.actions),
        comment=event.comment,
        data=tuple(
            Datum(
                kind=Labelled(code=each.type_code, label=reasons.label("characteristic", each.type_code, on)),
                term=each.term,
                name=each.name,
                value=each.value,
                amount=each.amount,
                currency=each.currency,
                percent=each.percent,
                on=each.on.day if each.on else None,
            )
            for detail in event.own_details
            for each in detail.characteristics
        ),
        source=row.source,
        message_id=event.message_id,
        document_sha256=row.document_sha256,
        flow_id=row.flow_id,
        verdict=TransitionKind(row.assessment["kind"]),
        verdict_reason=Text(**row.assessment["reason"]),
    )
