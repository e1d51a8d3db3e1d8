"""Table of notifications: what was said to whom, and whether it left."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import UniqueConstraint
from sqlmodel import Field

from gateway.database.columns import IdentifiedRow, UtcDateTime


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
