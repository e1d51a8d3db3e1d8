"""Tables of e-reporting: the transmissions, and the statuses that the public portal gives them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field

from gateway.database.columns import IdentifiedRow, Json, UtcDateTime


class EReport(IdentifiedRow, table=True):
    """An e-reporting transmission (Flux 10) of ours. Its file and its acknowledgement are those of its flow."""

    __tablename__ = "e_report"
    __table_args__ = (
        UniqueConstraint("organisation_id", "number"),
        UniqueConstraint("organisation_id", "flow_id"),
        Index("ix_e_report_listed", "organisation_id", "registered_at", "id"),
    )

    number: str = Field(description="TT-1")
    kind: str = Field(description="TT-4: IN initial, RE replacing")
    period_from: str = Field(description="First day reported, as written")
    period_to: str = Field(description="Last day reported, as written")
    flow_id: UUID = Field(foreign_key="flow.id")
    registered_at: datetime = Field(sa_type=UtcDateTime)


class EReportStatus(IdentifiedRow, table=True):
    """A status of a transmission: 300 or 301. Never changed, never deleted: the database refuses both.

    It carries the number and not a row identifier, so that a status may come before its transmission, or of another.
    """

    __tablename__ = "e_report_status"
    __table_args__ = (
        UniqueConstraint("organisation_id", "fingerprint"),
        Index("ix_e_report_status_number", "organisation_id", "number", "status_at"),
    )

    fingerprint: str = Field(max_length=64, description="Hash of what makes it: the same message twice is one.")
    number: str = Field(description="MDT-87: TT-1 of the transmission")
    status: str = Field(description="MDT-105")
    status_at: datetime = Field(sa_type=UtcDateTime, description="MDT-78")
    recorded_at: datetime = Field(sa_type=UtcDateTime)
    issuer_name: str = Field(description="MDT-39; empty when not told")
    reasons: list[dict[str, Any]] = Field(sa_type=Json, description="Code (MDT-113) and comment (MDT-126) of each.")
    document_sha256: str | None = Field(default=None, max_length=64)
    flow_id: UUID | None = Field(default=None, foreign_key="flow.id")
