"""Table of the outbox: what must leave, once, whatever crashes."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field

from gateway.database.columns import IdentifiedRow, Json, UtcDateTime


class OutboxState(StrEnum):
    """Where a message stands."""

    PENDING = "pending"
    #: Being sent: marked and committed before the first byte, so that a crash leaves a trace.
    LEAVING = "leaving"
    #: It may have left; the other side is asked before anything is repeated.
    UNCERTAIN = "uncertain"
    SENT = "sent"
    FAILED = "failed"
    #: It may have left, and only a person can tell.
    AMBIGUOUS = "ambiguous"


class OutboxMessage(IdentifiedRow, table=True):
    """One thing to deliver. `kind` names its deliverer; the idempotency key makes a repeat harmless."""

    __tablename__ = "outbox_message"
    __table_args__ = (
        UniqueConstraint("organisation_id", "idempotency_key"),
        Index("ix_outbox_remote", "organisation_id", "remote_id", postgresql_where="remote_id IS NOT NULL"),
        Index("ix_outbox_due", "next_attempt_at", postgresql_where="state IN ('pending', 'leaving', 'uncertain')"),
    )

    kind: str = Field(description="platform.flow, email…")
    idempotency_key: str
    payload: dict[str, Any] = Field(sa_type=Json)
    state: str = Field(default=OutboxState.PENDING.value)
    attempts: int = 0
    lookups: int = Field(default=0, description="Times the other side was asked about the last attempt.")
    created_at: datetime = Field(sa_type=UtcDateTime)
    next_attempt_at: datetime = Field(sa_type=UtcDateTime)
    left_at: datetime | None = Field(
        default=None, sa_type=UtcDateTime, description="Start of the last attempt: from then on it may have left."
    )
    sent_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    remote_id: str | None = Field(default=None, description="Identifier that the other side gave.")
    answer: dict[str, Any] | None = Field(
        default=None, sa_type=Json, description="What the other side said of it after taking it."
    )
    last_error: str | None = None
    subject_id: UUID | None = Field(default=None, index=True, description="Row it is about: a flow, a notification.")
