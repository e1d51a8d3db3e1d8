"""Tables of what the law gives and takes: penalties, acts on claims, insolvencies, hand-overs, order blocks."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field

from gateway.database.columns import Amount, IdentifiedRow, Json, OrganisationRow, UtcDateTime
from gateway.kernel.text import Text


class Treatment(StrEnum):
    """What becomes of the penalties of an invoice."""

    #: Shown in reminders and letters, asked for by nobody.
    ANNOUNCED = "announced"
    #: Asked for: each claim is a receivable of its own.
    CLAIMED = "claimed"
    #: Given up; neither shown nor asked for.
    WAIVED = "waived"

    @property
    def label(self) -> Text:
        """For people."""
        return _TREATMENTS[self]


_TREATMENTS = {
    Treatment.ANNOUNCED: Text("Annoncées", "Announced"),
    Treatment.CLAIMED: Text("Réclamées", "Claimed"),
    Treatment.WAIVED: Text("Abandonnées", "Waived"),
}


class PenaltyKind(StrEnum):
    """What is claimed beside the principal."""

    INTEREST = "interest"
    INDEMNITY = "indemnity"

    @property
    def label(self) -> Text:
        """For people."""
        return _KINDS[self]


_KINDS = {
    PenaltyKind.INTEREST: Text("Pénalités de retard", "Late-payment interest"),
    PenaltyKind.INDEMNITY: Text("Indemnité forfaitaire de recouvrement", "Fixed indemnity for recovery costs"),
}


class PenaltyChoice(IdentifiedRow, table=True):
    """What is to become of penalties: of one invoice, of one customer, or of all when neither is named.

    The narrowest choice counts, and of several the latest. Never changed: the database refuses it.
    """

    __tablename__ = "penalty_choice"
    __table_args__ = (Index("ix_penalty_choice", "organisation_id", "decided_at", "id"),)

    customer_id: UUID | None = Field(default=None, foreign_key="customer.id", index=True)
    invoice_id: UUID | None = Field(default=None, foreign_key="invoice.id", index=True)
    treatment: str
    reason: str
    decided_at: datetime = Field(sa_type=UtcDateTime)
    decided_by: str = Field(description="user:<id>, client:<id> or operator")


class AgreedRate(IdentifiedRow, table=True):
    """A late-payment rate of our own terms of sale, or agreed with one customer. Never changed: the latest counts."""

    __tablename__ = "agreed_rate"

    customer_id: UUID | None = Field(default=None, foreign_key="customer.id", index=True)
    valid_from: date
    percent: Decimal | None = Field(
        default=None, sa_type=Amount, description="A year; none: the default rate of the law from that day on"
    )
    source: str = Field(description="The contract or the terms of sale that say so")
    recorded_at: datetime = Field(sa_type=UtcDateTime)
    recorded_by: str


class Penalty(IdentifiedRow, table=True):
    """Interest or the indemnity claimed for a late invoice: a receivable of its own. The database refuses any change.

    Money pays it (`ReceiptUse`), a waiver gives it up.
    """

    __tablename__ = "penalty"
    __table_args__ = (
        UniqueConstraint("organisation_id", "invoice_id", "number"),
        Index(
            "uq_penalty_indemnity",
            "invoice_id",
            unique=True,
            postgresql_where="kind = 'indemnity' AND instead_of IS NULL",
        ),
        UniqueConstraint("instead_of"),
        Index("ix_penalty_claimed", "organisation_id", "claimed_at", "id"),
    )

    invoice_id: UUID = Field(foreign_key="invoice.id", index=True)
    customer_id: UUID = Field(foreign_key="customer.id", index=True)
    number: int = Field(description="1 for the first claim about its invoice")
    kind: str
    amount: Decimal = Field(sa_type=Amount, description="No VAT on it; what earlier claims took is not in it")
    currency: str
    until: date = Field(description="Last day that bears interest; of the indemnity, the day it was claimed")
    instead_of: UUID | None = Field(
        default=None,
        foreign_key="penalty.id",
        description="Of the indemnity: the claim before, corrected as it was not due, which this one makes again",
    )
    sheet: dict[str, Any] = Field(default_factory=dict, sa_type=Json, description="How it was computed")
    law: str = Field(description="The text it rests on")
    claimed_at: datetime = Field(sa_type=UtcDateTime)
    claimed_by: str


class PenaltyWaiver(IdentifiedRow, table=True):
    """A part of a claimed penalty that is not asked for any more. Never changed: the database refuses it."""

    __tablename__ = "penalty_waiver"

    penalty_id: UUID = Field(foreign_key="penalty.id", index=True)
    amount: Decimal = Field(sa_type=Amount)
    corrects: bool = Field(default=False, description="It never was due: the claim was too high. Else it was given up")
    reason: str
    waived_at: datetime = Field(sa_type=UtcDateTime)
    waived_by: str


class ClaimStart(OrganisationRow, table=True):
    """Where the limitation of an invoice begins, read once from its document, and when its end is near."""

    __tablename__ = "claim_start"
    __table_args__ = (Index("ix_claim_start_warn", "organisation_id", "warn_from"),)

    invoice_id: UUID = Field(primary_key=True, foreign_key="invoice.id")
    started_on: date
    term: str = Field(description="BT-72, BT-74 or BT-2")
    ends_on: date | None = Field(default=None, description="Last day to act; none: proceedings hold it up")
    warn_from: date | None = None


class ClaimAct(IdentifiedRow, table=True):
    """What happened to a claim: an acknowledgement, a claim in court, a registered letter…"""

    __tablename__ = "claim_act"

    invoice_id: UUID = Field(foreign_key="invoice.id", index=True)
    kind: str = Field(description="Key of `limitation.act` in the data of the law")
    on_day: date
    ended_on: date | None = Field(default=None, description="End of the proceedings")
    document: str = Field(description="What proves it: a reference, a file name, a case number")
    comment: str
    recorded_at: datetime = Field(sa_type=UtcDateTime)
    recorded_by: str


class ClaimEnding(IdentifiedRow, table=True):
    """How the proceedings of an act ended; the latest told counts. Never changed: the database refuses it."""

    __tablename__ = "claim_ending"
    __table_args__ = (UniqueConstraint("act_id", "number"),)

    act_id: UUID = Field(foreign_key="claim_act.id", index=True)
    number: int = Field(description="From 1, in the order they were told")
    outcome: str = Field(description="Key of `limitation.outcome` in the data of the law")
    on_day: date
    document: str = Field(description="The decision that says so; may be empty")
    comment: str
    recorded_at: datetime = Field(sa_type=UtcDateTime)
    recorded_by: str


class Insolvency(IdentifiedRow, table=True):
    """Insolvency proceedings of a customer, and the claim declared in them."""

    __tablename__ = "insolvency"
    __table_args__ = (
        Index("uq_insolvency_open", "customer_id", unique=True, postgresql_where="ended_on IS NULL"),
        Index("ix_insolvency_open", "organisation_id", postgresql_where="ended_on IS NULL AND declared_on IS NULL"),
    )

    customer_id: UUID = Field(foreign_key="customer.id", index=True)
    kind: str
    judgment_on: date
    published_on: date | None = Field(default=None, description="In the BODACC")
    source: str = Field(description="Where it was read: the announcement, a letter")
    court_agent: str = Field(description="To whom the claim is declared; may be empty")
    abroad: bool = Field(description="We are established outside metropolitan France: more time to declare")
    declare_by: date
    recorded_at: datetime = Field(sa_type=UtcDateTime)
    recorded_by: str
    declared_on: date | None = None
    declared_amount: Decimal | None = Field(default=None, sa_type=Amount)
    declared_currency: str | None = None
    declaration: str | None = Field(default=None, description="Reference or proof of the declaration")
    ended_on: date | None = None


class HandOver(IdentifiedRow, table=True):
    """Invoices given to litigation: reminders of them stop until it is closed."""

    __tablename__ = "hand_over"
    __table_args__ = (Index("ix_hand_over_open", "organisation_id", postgresql_where="closed_on IS NULL"),)

    customer_id: UUID = Field(foreign_key="customer.id", index=True)
    whole_customer: bool = Field(description="Nothing of the customer is chased any more, later invoices neither")
    handed_on: date
    handed_to: str = Field(description="Lawyer, bailiff, agency, own litigation team")
    reference: str = Field(description="Of the case; may be empty")
    comment: str
    recorded_at: datetime = Field(sa_type=UtcDateTime)
    recorded_by: str
    closed_on: date | None = None
    closed_because: str | None = None


class HandOverInvoice(OrganisationRow, table=True):
    """An invoice of a hand-over."""

    __tablename__ = "hand_over_invoice"

    hand_over_id: UUID = Field(primary_key=True, foreign_key="hand_over.id")
    invoice_id: UUID = Field(primary_key=True, foreign_key="invoice.id", index=True)


class OrderBlock(IdentifiedRow, table=True):
    """A person decided that a customer's orders stop."""

    __tablename__ = "order_block"
    __table_args__ = (Index("uq_order_block", "customer_id", unique=True, postgresql_where="lifted_at IS NULL"),)

    customer_id: UUID = Field(foreign_key="customer.id", index=True)
    reason: str
    blocked_at: datetime = Field(sa_type=UtcDateTime)
    blocked_by: str
    lifted_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    lifted_by: str | None = None
    lifted_because: str | None = None


class OrderThresholds(IdentifiedRow, table=True):
    """An organisation's own thresholds of the order block, from a day on. Never changed: the latest counts."""

    __tablename__ = "order_thresholds"

    valid_from: date
    policy: dict[str, Any] = Field(sa_type=Json, description="An `OrderPolicy`")
    recorded_at: datetime = Field(sa_type=UtcDateTime)
    recorded_by: str
