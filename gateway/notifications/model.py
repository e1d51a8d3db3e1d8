"""Tables of what is said: to people, as notifications; to programs, as announcements."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, Index, UniqueConstraint, text
from sqlmodel import Field

from gateway.database.columns import IdentifiedRow, Json, UtcDateTime


class Notification(IdentifiedRow, table=True):
    """One message for one person, shown in the pages and sent by e-mail where a mail server is set."""

    __tablename__ = "notification"
    __table_args__ = (UniqueConstraint("organisation_id", "user_id", "dedup_key"),)

    user_id: UUID = Field(index=True)
    dedup_key: str = Field(description="The same fact is never notified twice to one person.")
    subject: str
    body: str
    link: str | None = Field(default=None, description="Path of the page that shows the matter.")
    created_at: datetime = Field(sa_type=UtcDateTime)
    read_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Announcement(IdentifiedRow, table=True):
    """A fact told to programs beside the statuses of invoices. Never changed, never deleted: the database refuses both.

    Its sequence is drawn where lifecycle events draw theirs, so that both are one feed.
    """

    __tablename__ = "announcement"
    __table_args__ = (
        UniqueConstraint("sequence"),
        Index("ix_announcement_feed", "organisation_id", "sequence"),
    )

    sequence: int | None = Field(
        default=None,
        sa_column=Column(BigInteger, server_default=text("nextval('lifecycle_event_sequence_seq')"), nullable=False),
    )
    type: str = Field(description="Such as einvoicing.alert.opened.")
    subject: str = Field(description="What it is about, such as alert/<identifier>.")
    at: datetime = Field(sa_type=UtcDateTime)
    data: dict[str, Any] = Field(sa_type=Json, description="As the JSON Schema of its type has it.")
