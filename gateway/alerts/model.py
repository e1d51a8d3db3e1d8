"""Table of alerts: what needs a person, why, who, by when."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field

from gateway.database.columns import IdentifiedRow, UtcDateTime


class AlertState(StrEnum):
    """Where an alert stands."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"


class Alert(IdentifiedRow, table=True):
    """One matter that needs a person. The same event never opens it twice."""

    __tablename__ = "alert"
    __table_args__ = (
        UniqueConstraint("organisation_id", "dedup_key"),
        Index("ix_alert_state", "organisation_id", "state", "opened_at"),
        Index("ix_alert_number", "organisation_id", "invoice_number", postgresql_where="invoice_number IS NOT NULL"),
    )

    dedup_key: str
    condition: str = Field(description="Identifier of the condition, such as invoice.rejected.")
    severity: str
    title_fr: str
    title_en: str
    reason_fr: str
    reason_en: str
    team: str = Field(description="Who should act.")
    next_step_fr: str
    next_step_en: str
    due_on: date | None = None
    state: str = Field(default=AlertState.OPEN.value)
    opened_at: datetime = Field(sa_type=UtcDateTime)
    acknowledged_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    acknowledged_by: UUID | None = None
    closed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    closed_because_fr: str | None = None
    closed_because_en: str | None = None
    invoice_id: UUID | None = Field(default=None, index=True)
    invoice_number: str | None = Field(default=None, description="BT-1 of a refused file: no invoice is registered.")
    event_id: UUID | None = None
    flow_id: UUID | None = None
    agency_id: UUID | None = Field(default=None, index=True)
    customer_siren: str | None = Field(default=None, max_length=9)
