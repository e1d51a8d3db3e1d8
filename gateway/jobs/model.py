"""Tables of the outbox: what must leave, once, whatever crashes, and how each try of it ended."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Identity, Index, UniqueConstraint
from sqlmodel import Field

from gateway.database.columns import Big, IdentifiedRow, Json, OrganisationRow, UtcDateTime


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
        Index(
            "ix_outbox_order",
            "organisation_id",
            "order_key",
            "place",
            postgresql_where="order_key IS NOT NULL AND state <> 'sent'",
        ),
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
    order_key: str | None = Field(default=None, description="Those that share it leave in the order of their places.")
    leads: bool = Field(default=False, description="The later ones of its order key wait even when it was given up.")
    place: int | None = Field(default=None, sa_column=Column(Big, Identity(always=True), nullable=False))


class TryOutcome(StrEnum):
    """How a try to deliver ended, or a question to the other side about one that was in doubt."""

    SENT = "sent"
    #: It did not leave, and no further try can succeed.
    REFUSED = "refused"
    #: It did not leave; another try may succeed.
    FAILED = "failed"
    #: It may have left; after a question: the other side does not tell.
    IN_DOUBT = "in_doubt"
    #: The other side was asked: it had arrived.
    FOUND = "found"
    #: The other side was asked: it had not arrived.
    ABSENT = "absent"


class DeliveryTry(OrganisationRow, table=True):
    """One try to deliver a message of the outbox. Never changed, never deleted: the database refuses both."""

    __tablename__ = "delivery_try"

    organisation_id: UUID = Field(foreign_key="organisation.id")
    delivery_id: UUID = Field(primary_key=True, foreign_key="outbox_message.id")
    number: int = Field(primary_key=True, description="1, 2, 3… of one delivery, whoever asked for another try.")
    started_at: datetime = Field(sa_type=UtcDateTime)
    ended_at: datetime = Field(sa_type=UtcDateTime)
    outcome: str
    reason: str | None = Field(default=None, description="Why it did not leave, with the other side’s error code.")
    next_try_at: datetime | None = Field(default=None, sa_type=UtcDateTime, description="None: no further try is made.")
