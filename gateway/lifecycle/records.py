"""Between the rows of the tables and what the pure rules read. Pure."""

import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from gateway.invoices.model import Invoice, VatBreakdown
from gateway.kernel.money import ZERO
from gateway.lifecycle.correlation import InvoiceKey, normalised_number
from gateway.lifecycle.errors import InvoiceWithoutKeyError
from gateway.lifecycle.events import StatusEvent
from gateway.lifecycle.model import Direction, InvoiceRecord, LifecycleEvent
from gateway.lifecycle.projection import InvoiceAmounts
from gateway.lifecycle.transitions import Transition


@dataclass(frozen=True, slots=True)
class InvoiceDocument:
    """The file an invoice was read from: syntax, profile, sha256 of its bytes (hexadecimal)."""

    syntax: str
    profile: str
    sha256: str


@dataclass(frozen=True, slots=True)
class MessageOrigin:
    """Where a lifecycle message came from: whose invoices it is about, its file, its flow, the platform or channel."""

    direction: Direction
    document_sha256: str | None = None
    flow_id: UUID | None = None
    source: str | None = None


def invoice_record(
    invoice: Invoice,
    document: InvoiceDocument,
    *,
    organisation_id: UUID,
    flow_id: UUID | None,
    agency_id: UUID | None,
    direction: Direction,
    now: datetime,
) -> InvoiceRecord:
    """The row of an invoice before any event. Amounts of a credit note are negative.

    Raises InvoiceWithoutKeyError when a term that identifies the invoice, or an amount to follow, is missing.
    """
    number, seller_siren = normalised_number(invoice.number), _siren(invoice.seller_siren)
    issued, with_vat, due = invoice.issue_date, invoice.totals.with_vat, invoice.totals.due
    if not (number and invoice.currency and seller_siren) or issued is None or with_vat is None or due is None:
        terms = {
            "BT-1": number,
            "BT-2": issued,
            "BT-5": invoice.currency,
            "BT-30": seller_siren,
            "BT-112": with_vat,
            "BT-115": due,
        }
        raise InvoiceWithoutKeyError(number, [term for term, value in terms.items() if value in (None, "")])
    sign = -1 if invoice.is_credit_note else 1
    without_vat = invoice.totals.without_vat
    return InvoiceRecord(
        organisation_id=organisation_id,
        direction=direction.value,
        number=number,
        seller_siren=seller_siren,
        year=issued.year,
        issue_date=issued,
        due_date=invoice.due_date,
        type_code=invoice.type_code,
        currency=invoice.currency,
        seller_name=invoice.seller.name or "",
        buyer_name=invoice.buyer.name or "",
        buyer_siren=_siren(invoice.buyer_siren),
        total_without_vat=sign * (with_vat if without_vat is None else without_vat),
        total_with_vat=sign * with_vat,
        amount_due=sign * due,
        totals_by_rate=_totals_by_rate(invoice.vat_breakdown, sign),
        tax_point_code=invoice.tax_point_code,
        process=invoice.process,
        syntax=document.syntax,
        profile=document.profile,
        document_sha256=document.sha256,
        flow_id=flow_id,
        agency_id=agency_id,
        received_at=now,
        next_check_at=now if direction is Direction.RECEIVABLE else None,
    )


def event_row(
    event: StatusEvent, transition: Transition, origin: MessageOrigin, *, organisation_id: UUID, now: datetime
) -> LifecycleEvent:
    """The row of an event, with the decision taken when it was recorded."""
    return LifecycleEvent(
        organisation_id=organisation_id,
        fingerprint=event.fingerprint,
        direction=origin.direction.value,
        number=event.key.number,
        seller_siren=event.key.seller_siren,
        year=event.key.year,
        line=event.line.value,
        status=event.code,
        status_at=event.status_at,
        message_at=event.message_at,
        recorded_at=now,
        issuer_role=event.issuer_role or None,
        issuer_name=event.issuer_name or None,
        issuer_id=event.issuer_id or None,
        message_id=event.message_id,
        content=event.model_dump(mode="json"),
        assessment={
            "kind": transition.kind.value,
            "reason": {"fr": transition.reason.fr, "en": transition.reason.en},
            "after": transition.after,
        },
        document_sha256=origin.document_sha256,
        flow_id=origin.flow_id,
        source=origin.source,
    )


def status_event(row: LifecycleEvent) -> StatusEvent:
    """The event of a row, as the pure rules read it."""
    return StatusEvent.model_validate(row.content)


def key_of_invoice(invoice: InvoiceRecord) -> InvoiceKey:
    """The key of a followed invoice."""
    return InvoiceKey(invoice.number, invoice.seller_siren, invoice.year)


def key_of_event(row: LifecycleEvent) -> InvoiceKey:
    """The key that an event was recorded under, maybe incomplete."""
    return InvoiceKey(row.number, row.seller_siren, row.year)


def amounts_of(invoice: InvoiceRecord) -> InvoiceAmounts:
    """What a followed invoice asks for, as the projection reads it."""
    return InvoiceAmounts(
        due=invoice.amount_due,
        currency=invoice.currency,
        by_rate={Decimal(rate): Decimal(amount) for rate, amount in invoice.totals_by_rate.items()},
    )


def _siren(value: str | None) -> str | None:
    """Nine digits, or nothing: a key made of anything else would never meet its events."""
    compact = (value or "").replace(" ", "")
    return compact if re.fullmatch("[0-9]{9}", compact) else None


def _totals_by_rate(breakdown: tuple[VatBreakdown, ...], sign: int) -> dict[str, str]:
    totals: dict[Decimal, Decimal] = {}
    for group in breakdown:
        if group.rate is not None:
            amount = (group.taxable_amount or ZERO) + (group.tax_amount or ZERO)
            totals[group.rate] = totals.get(group.rate, ZERO) + sign * amount
    return {str(rate): str(amount) for rate, amount in totals.items()}
