"""Tables of the worklist: calls and what came of them; comments. Both are facts: the database refuses changes."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import Index
from sqlmodel import Field

from gateway.database.columns import Amount, IdentifiedRow, Json, UtcDateTime


class CollectionCall(IdentifiedRow, table=True):
    """A call to a customer. It is seen by whoever sees what it was about, and by who made it."""

    __tablename__ = "collection_call"
    __table_args__ = (
        Index("ix_call_matter", "organisation_id", "matter_id", "at"),
        Index("ix_call_customer", "organisation_id", "customer_id", "at"),
    )

    customer_id: UUID = Field(foreign_key="customer.id")
    source: str | None = Field(default=None, description="A `Source`; none: it was about no line of the worklist")
    matter_id: UUID | None = Field(default=None, description="The line’s action, reminder or call")
    agency_id: UUID | None = Field(default=None, description="That of all it was about; none: several, or unknown")
    customer_siren: str | None = Field(default=None, max_length=9)
    outcome: str = Field(description="A `CallOutcome`")
    contact: str = Field(description="Whom one spoke to or tried: name, number or address")
    note: str
    amount: Decimal | None = Field(default=None, sa_type=Amount, description="At stake then")
    currency: str | None = None
    back_on: date | None = Field(default=None, description="When the matter comes back (Europe/Paris)")
    agreement_id: UUID | None = Field(default=None, description="The promise or dispute that was recorded")
    at: datetime = Field(sa_type=UtcDateTime)
    made_by: str = Field(description="user:<id>, client:<id> or operator")


class MatterComment(IdentifiedRow, table=True):
    """What someone wrote about a customer, an invoice or a dispute; seen by whoever sees that."""

    __tablename__ = "matter_comment"
    __table_args__ = (Index("ix_comment_subject", "organisation_id", "subject_id", "at"),)

    subject: str = Field(description="A `Subject`: customer, invoice or dispute")
    subject_id: UUID
    text: str
    mentioned: list[str] = Field(default_factory=list, sa_type=Json, description="Identifiers of people told")
    at: datetime = Field(sa_type=UtcDateTime)
    author: str = Field(description="user:<id>, client:<id> or operator")
    author_name: str
