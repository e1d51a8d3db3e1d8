"""Tables of the lifecycle: invoices (a projection), what they refer to, and the immutable events behind them."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, Identity, Index, UniqueConstraint
from sqlmodel import Field

from gateway.database.columns import Amount, IdentifiedRow, Json, OrganisationRow, UtcDateTime
from gateway.invoices.codes import CREDIT_NOTE_TYPES
from gateway.kernel.money import ZERO


class Direction(StrEnum):
    """Ours to collect, or ours to pay. The two are never mixed."""

    RECEIVABLE = "receivable"
    PAYABLE = "payable"


#: What receivables add up of open invoices, kept in their index: so many rows are not read for it.
_OPEN_FACTS = (
    "direction",
    "agency_id",
    "seller_siren",
    "buyer_siren",
    "currency",
    "number",
    "type_code",
    "is_closed",
    "issue_date",
    "due_date",
    "amount_due",
    "collected",
    "remaining",
)
#: What sales add up, kept in the index of issue dates for the same reason.
_SALES_FACTS = ("direction", "is_closed", "agency_id", "buyer_siren", "currency", "total_with_vat")


class InvoiceRecord(IdentifiedRow, table=True):
    """An invoice as the gateway follows it. Facts of the document, then the projection of its events.

    The key is the one the public portal uses for uniqueness: number (BT-1), seller SIREN (BT-30), year of BT-2.
    """

    __tablename__ = "invoice"
    __table_args__ = (
        UniqueConstraint("organisation_id", "direction", "number", "seller_siren", "year"),
        Index("ix_invoice_issue", "organisation_id", "issue_date", "id", postgresql_include=_SALES_FACTS),
        Index("ix_invoice_status", "organisation_id", "status", "direction"),
        Index("ix_invoice_buyer", "organisation_id", "buyer_name"),
        Index("ix_invoice_seller", "organisation_id", "seller_name"),
        Index("ix_invoice_due", "organisation_id", "due_date"),
        Index(
            "ix_invoice_open",
            "organisation_id",
            "id",
            postgresql_where="remaining <> 0 OR is_closed AND collected <> 0",
            postgresql_include=_OPEN_FACTS,
        ),
        Index(
            "ix_invoice_issues",
            "organisation_id",
            "id",
            postgresql_where="jsonb_array_length(state -> 'issues') > 0",
        ),
        Index("ix_invoice_check", "organisation_id", "next_check_at", postgresql_where="next_check_at IS NOT NULL"),
    )

    direction: str = Field(default=Direction.RECEIVABLE.value)
    number: str = Field(description="BT-1")
    seller_siren: str = Field(max_length=9, description="BT-30, scheme 0002")
    year: int = Field(description="Year of BT-2")

    # Facts of the document; amounts of a credit note are negative
    issue_date: date = Field(description="BT-2")
    due_date: date | None = Field(default=None, description="BT-9")
    type_code: str = Field(description="BT-3")
    currency: str = Field(description="BT-5")
    seller_name: str = Field(description="BT-27")
    buyer_name: str = Field(description="BT-44")
    buyer_siren: str | None = Field(default=None, index=True, max_length=9, description="BT-47, scheme 0002")
    total_without_vat: Decimal = Field(sa_type=Amount, description="BT-109")
    total_with_vat: Decimal = Field(sa_type=Amount, description="BT-112")
    amount_due: Decimal = Field(sa_type=Amount, description="BT-115")
    totals_by_rate: dict[str, str] = Field(
        default_factory=dict, sa_type=Json, description="BT-116 + BT-117 of each BG-23 by VAT rate (BT-119, percent)"
    )
    tax_point_code: str | None = Field(default=None, description="BT-8: when VAT falls due; None when not told")
    process: str | None = Field(default=None, description="BT-23: what is sold and how it is paid; None when not told")
    syntax: str
    profile: str
    document_sha256: str = Field(max_length=64)
    flow_id: UUID | None = Field(default=None, index=True)
    agency_id: UUID | None = Field(default=None, index=True)
    received_at: datetime = Field(sa_type=UtcDateTime)

    # Projection of its events (recomputed by the rebuild command)
    status: str | None = Field(default=None, description="Last status code on the invoice line, none before the first.")
    status_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    collected: Decimal = Field(default=ZERO, sa_type=Amount, description="Sum of MEN of the 212 events")
    remaining: Decimal = Field(
        default=ZERO, sa_type=Amount, description="Still to pay as its statuses tell; negative for a credit note."
    )
    is_closed: bool = Field(default=False, description="Rejected (213), cancelled (220) or refused (210).")
    state: dict[str, Any] = Field(default_factory=dict, sa_type=Json, description="The whole projected state.")

    # Kept by the review of deadlines; an event asks for a look at once
    next_check_at: datetime | None = Field(
        default=None, sa_type=UtcDateTime, description="When its deadlines are looked at next; none: nothing can pass."
    )

    @property
    def is_credit_note(self) -> bool:
        """Whether its type (BT-3) is one by which the seller gives money back."""
        return self.type_code in CREDIT_NOTE_TYPES


class PrecedingReference(OrganisationRow, table=True):
    """One preceding invoice that an invoice names (BG-3): what it credits, corrects or completes.

    It carries the number and not a row identifier: what is referred to may be registered later, or never.
    """

    __tablename__ = "preceding_reference"
    __table_args__ = (Index("ix_preceding_reference", "organisation_id", "number"),)

    invoice_id: UUID = Field(primary_key=True, foreign_key="invoice.id")
    number: str = Field(primary_key=True, description="BT-25")
    year: int = Field(primary_key=True, description="Year of BT-26; 0 when absent")


class LifecycleEvent(IdentifiedRow, table=True):
    """One status as received or emitted. Never changed, never deleted: the database refuses both.

    It carries the invoice key and not a row identifier, so that a status may come before its invoice.
    """

    __tablename__ = "lifecycle_event"
    __table_args__ = (
        UniqueConstraint("organisation_id", "fingerprint"),
        UniqueConstraint("sequence"),
        Index("ix_event_feed", "organisation_id", "sequence"),
        Index("ix_event_key", "organisation_id", "direction", "number", "seller_siren", "year"),
    )

    sequence: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(always=True), nullable=False))
    fingerprint: str = Field(max_length=64, description="Hash of what makes the event: the same message twice is one.")
    direction: str = Field(default=Direction.RECEIVABLE.value)
    number: str = Field(description="MDT-87")
    seller_siren: str = Field(description="MDT-129, empty when the message names no seller")
    year: int = Field(description="Year of MDT-100; 0 when absent (allowed for 501)")
    line: str = Field(description="invoice, transmission or reporting")
    status: str = Field(description="MDT-105")
    status_at: datetime = Field(sa_type=UtcDateTime, description="MDT-78")
    message_at: datetime = Field(sa_type=UtcDateTime, description="MDT-8")
    recorded_at: datetime = Field(sa_type=UtcDateTime)
    issuer_role: str | None = Field(default=None, description="MDT-40")
    issuer_name: str | None = Field(default=None, description="MDT-39")
    issuer_id: str | None = Field(default=None, description="MDT-38")
    message_id: str = Field(description="MDT-4: shown, never used alone as a key")
    content: dict[str, Any] = Field(sa_type=Json, description="The event as the pure rules read it: reasons, amounts…")
    assessment: dict[str, Any] = Field(sa_type=Json, description="The transition decision when it was recorded.")
    document_sha256: str | None = Field(default=None, max_length=64)
    flow_id: UUID | None = Field(default=None, index=True)
    source: str | None = Field(default=None, description="Where it came from: platform:<name>, api or file.")
