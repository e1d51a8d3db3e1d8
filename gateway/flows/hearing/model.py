"""Tables of the webhooks that platforms call: our subscriptions, the keys that prove a call, the calls heard lately."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from gateway.database.columns import IdentifiedRow, OrganisationRow, UtcDateTime


class PlatformSubscription(IdentifiedRow, table=True):
    """Our webhook at one platform: it calls `/platform-calls/{id}` about each of our flows."""

    __tablename__ = "platform_subscription"
    __table_args__ = (UniqueConstraint("connection_id"),)

    connection_id: UUID = Field(foreign_key="platform_connection.id")
    webhook_id: str = Field(description="Its identifier at the platform.")
    callback_url: str
    created_at: datetime = Field(sa_type=UtcDateTime)


class PlatformSubscriptionKey(SQLModel, table=True):
    """The key that proves a platform's calls. The role of requests may write it, and never read or change it."""

    __tablename__ = "platform_subscription_key"

    subscription_id: UUID = Field(primary_key=True, foreign_key="platform_subscription.id", ondelete="CASCADE")
    key: bytes = Field(description="As the platform made it: 256 or 512 bits.")


class PlatformCall(OrganisationRow, table=True):
    """A call that was heard, kept as long as it could be replayed."""

    __tablename__ = "platform_call"
    __table_args__ = (Index("ix_platform_call_heard", "heard_at"),)

    subscription_id: UUID = Field(primary_key=True, foreign_key="platform_subscription.id", ondelete="CASCADE")
    fingerprint: str = Field(primary_key=True, max_length=64, description="SHA-256 of what was signed, hexadecimal.")
    heard_at: datetime = Field(sa_type=UtcDateTime)
