"""Tables of the treasury: money received, the invoices it pays, the statuses that tell of it, and what is written off.

Rows are facts: the database refuses their change and their deletion. A mistake is undone by a counter-entry, a row of
the opposite amount.
"""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field

from gateway.database.columns import Amount, IdentifiedRow, UtcDateTime
from gateway.kernel.text import Text


class ReceiptSource(StrEnum):
    """Who told of the money: a program, a person, or a file such as a bank statement."""

    API = "api"
    PERSON = "person"
    FILE = "file"


class WriteOffKind(StrEnum):
    """Why an amount is not awaited any more."""

    #: Passage en perte: the customer will not pay it.
    LOSS = "loss"
    #: Petit écart: cents of rounding or bank charges, not worth asking for; the invoice counts as paid.
    SMALL_DIFFERENCE = "small_difference"

    @property
    def label(self) -> Text:
        """What it is called for people."""
        return _WRITE_OFF_LABELS[self]


_WRITE_OFF_LABELS = {
    WriteOffKind.LOSS: Text("Passage en perte", "Bad debt"),
    WriteOffKind.SMALL_DIFFERENCE: Text("Petit écart", "Small difference"),
}


class Receipt(IdentifiedRow, table=True):
    """Money that came in from a customer, or went back to one (negative)."""

    __tablename__ = "receipt"
    __table_args__ = (
        Index(
            "uq_receipt_reference",
            "organisation_id",
            "source",
            "external_reference",
            unique=True,
            postgresql_where="reverses_id IS NULL",
        ),
        UniqueConstraint("reverses_id"),
        Index("ix_receipt_day", "organisation_id", "received_on", "id"),
    )

    amount: Decimal = Field(sa_type=Amount, description="VAT included; negative for a refund and for a counter-entry")
    currency: str
    received_on: date = Field(
        description="Day the money came in (Europe/Paris); of a counter-entry, the day it was made"
    )
    payer_reference: str = Field(description="What the payer wrote; empty when nothing")
    source: str
    external_reference: str = Field(description="Its name at the source: told twice, it is one receipt")
    comment: str = Field(description="Why money went back (MDT-126 of a negative 212), or was entered by mistake")
    recorded_at: datetime = Field(sa_type=UtcDateTime)
    recorded_by: str = Field(description="Who told: client:<id>, user:<id>, operator")
    reverses_id: UUID | None = Field(default=None, foreign_key="receipt.id", description="The receipt it undoes")
    customer_id: UUID | None = Field(
        default=None, foreign_key="customer.id", index=True, description="Who paid, when that was told"
    )


class ReceiptAllocation(IdentifiedRow, table=True):
    """The part of a receipt that pays one invoice; what no allocation names is unallocated."""

    __tablename__ = "receipt_allocation"
    __table_args__ = (UniqueConstraint("reverses_id"),)

    receipt_id: UUID = Field(foreign_key="receipt.id", index=True)
    invoice_id: UUID = Field(foreign_key="invoice.id", index=True)
    amount: Decimal = Field(sa_type=Amount, description="VAT included, in the invoice’s currency")
    allocated_at: datetime = Field(
        sa_type=UtcDateTime,
        description="Since when the money is known to be for that invoice, or its line in the books",
    )
    reverses_id: UUID | None = Field(
        default=None, foreign_key="receipt_allocation.id", description="The allocation it undoes"
    )


class ReceiptDeclaration(IdentifiedRow, table=True):
    """How much of an allocation one status 212 tells: that money counts as collected, and no longer as a receipt."""

    __tablename__ = "receipt_declaration"

    allocation_id: UUID = Field(foreign_key="receipt_allocation.id", index=True)
    event_id: UUID = Field(foreign_key="lifecycle_event.id", index=True, description="The 212")
    amount: Decimal = Field(sa_type=Amount)
    recorded_at: datetime = Field(sa_type=UtcDateTime)


class ReceiptUse(IdentifiedRow, table=True):
    """The part of a receipt that pays no invoice known here: a claimed penalty, or what only the books know."""

    __tablename__ = "receipt_use"

    receipt_id: UUID = Field(foreign_key="receipt.id", index=True)
    purpose: str = Field(description="What it pays: penalty, opening")
    purpose_id: UUID = Field(index=True, description="Which one")
    amount: Decimal = Field(sa_type=Amount, description="VAT included, in the receipt’s currency")
    used_at: datetime = Field(sa_type=UtcDateTime)
    used_by: str = Field(description="user:<id>, client:<id> or operator")


class WriteOff(IdentifiedRow, table=True):
    """What is left of an invoice, or a part of it, that is not awaited any more."""

    __tablename__ = "write_off"
    __table_args__ = (UniqueConstraint("reverses_id"),)

    invoice_id: UUID = Field(foreign_key="invoice.id", index=True)
    amount: Decimal = Field(
        sa_type=Amount, description="VAT included, of the sign of what was left; a counter-entry has the other one"
    )
    kind: str = Field(description="A `WriteOffKind`")
    reason: str
    written_off_on: date = Field(description="Europe/Paris")
    recorded_at: datetime = Field(sa_type=UtcDateTime)
    recorded_by: str = Field(description="user:<id>, client:<id>, operator, or gateway: money came after all")
    reverses_id: UUID | None = Field(default=None, foreign_key="write_off.id", description="The write-off it undoes")
    entry_id: UUID | None = Field(
        default=None,
        foreign_key="accounting_entry.id",
        index=True,
        description="The line of the books that told it; of a counter-entry, that tells it no more",
    )
