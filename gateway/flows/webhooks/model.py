"""Tables of the webhooks: who wants to be called about what, how far each was told, and the keys that sign."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from gateway.database.columns import Big, IdentifiedRow, Json, UtcDateTime


class WebhookKind(StrEnum):
    """What a webhook is told, and in whose form."""

    #: Flows, as XP Z12-013 has it.
    FLOW = "flow"
    #: Events of the lifecycle, as CloudEvents signed by the Standard Webhooks rules.
    EVENT = "event"


class Webhook(IdentifiedRow, table=True):
    """A subscription of one program. It follows a feed by a mark of its own; one call is on its way at a time."""

    __tablename__ = "webhook"
    __table_args__ = (Index("ix_webhook_owner", "organisation_id", "api_client_id"),)

    api_client_id: UUID = Field(
        foreign_key="api_client.id", description="The program that subscribed, which alone sees and ends it."
    )
    kind: str
    callback_url: str
    wanted: dict[str, Any] = Field(sa_type=Json, description="Its filters, in our words; empty: everything.")
    created_at: datetime = Field(sa_type=UtcDateTime)
    told_until: datetime | None = Field(
        default=None, sa_type=UtcDateTime, description="updated_at of the last flow told or on its way."
    )
    told_sequence: int = Field(default=0, sa_type=Big, description="Sequence of the last event told or passed over.")
    in_flight: str | None = Field(default=None, description="Idempotency key of the call on its way.")
    failures: int = Field(default=0, description="Calls that failed since the last that did not.")
    failing_since: datetime | None = Field(default=None, sa_type=UtcDateTime)
    last_error: str | None = None
    last_success_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    disabled_at: datetime | None = Field(
        default=None, sa_type=UtcDateTime, description="When it was given up; a person starts it again."
    )


class WebhookKey(SQLModel, table=True):
    """The key that signs the calls of a webhook. The role of requests may write it, and never read or change it."""

    __tablename__ = "webhook_key"

    webhook_id: UUID = Field(primary_key=True, foreign_key="webhook.id", ondelete="CASCADE")
    key: bytes = Field(description="256 random bits.")
