"""Table of collection actions: the worklist."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field

from gateway.database.columns import Amount, IdentifiedRow, UtcDateTime


class ActionState(StrEnum):
    """Where an action stands."""

    TODO = "todo"
    DONE = "done"
    #: The matter was cured before anyone acted.
    CANCELLED = "cancelled"


class CollectionAction(IdentifiedRow, table=True):
    """One thing to do so that cash comes in. An alert creates exactly one."""

    __tablename__ = "collection_action"
    __table_args__ = (
        UniqueConstraint("organisation_id", "alert_id"),
        Index("ix_action_worklist", "organisation_id", "state", "priority"),
    )

    alert_id: UUID
    invoice_id: UUID | None = Field(default=None, index=True)
    agency_id: UUID | None = Field(default=None, index=True)
    customer_siren: str | None = Field(default=None, max_length=9)
    kind: str = Field(description="fix_and_reissue, call, answer_dispute, send_document…")
    title_fr: str
    title_en: str
    explanation_fr: str
    explanation_en: str
    team: str
    priority: int = Field(description="The higher, the sooner.")
    amount: Decimal | None = Field(default=None, sa_type=Amount, description="At stake, in the invoice's currency.")
    currency: str | None = None
    due_on: date | None = None
    state: str = Field(default=ActionState.TODO.value)
    created_at: datetime = Field(sa_type=UtcDateTime)
    assigned_to: UUID | None = None
    done_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    done_by: UUID | None = None
    outcome: str | None = None
