"""Tables of the flows: what billing systems push, what platforms send, where the reading of each platform stands."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Computed, Index, LargeBinary, String, UniqueConstraint
from sqlmodel import Field

from gateway.database.columns import Big, IdentifiedRow, Json, OrganisationRow, UtcDateTime
from gateway.flows.terms import AckStatus, FlowDirection, FlowType, RuleSource

#: Start of the source of a flow that a platform sent; its name follows.
PLATFORM_SOURCE = "platform:"

_KIND = (
    "coalesce(nullif(flow_type, ''), 'Undefined') || '/' || coalesce(processing_rule, 'Undefined') || '/' || "
    "CASE WHEN source LIKE 'platform:%' THEN 'In' ELSE 'Out' END || '/' || ack_status"
)


class FlowState(StrEnum):
    """Where the gateway's own processing of a flow stands (the acknowledgement is another thing)."""

    RECEIVED = "received"
    PROCESSED = "processed"
    #: It failed in a way that a retry may mend, or a person must look: kept, visible, replayable.
    QUARANTINED = "quarantined"


class Flow(IdentifiedRow, table=True):
    """One file that came in: an invoice or a lifecycle message (a flow of XP Z12-013)."""

    __tablename__ = "flow"
    __table_args__ = (
        UniqueConstraint("organisation_id", "tracking_id", "source", name="uq_flow_tracking_id"),
        UniqueConstraint("organisation_id", "source", "platform_flow_id"),
        Index("ix_flow_waiting", "organisation_id", "next_attempt_at", postgresql_where="state = 'received'"),
        Index("ix_flow_quarantined", "organisation_id", "next_attempt_at", postgresql_where="state = 'quarantined'"),
        Index("ix_flow_updated", "organisation_id", "updated_at", "id"),
        Index("ix_flow_kind", "organisation_id", "kind", "updated_at", "id"),
        Index("ix_flow_document", "organisation_id", "document_sha256"),
        Index(
            "ix_flow_untold",
            "organisation_id",
            "source",
            postgresql_where="told_at IS NULL AND source LIKE 'drop:%'",
        ),
        # What is pushed to us twice is one flow; what a platform lists twice is two, each to be looked at.
        Index(
            "uq_flow_content",
            "organisation_id",
            "source",
            "document_sha256",
            unique=True,
            postgresql_where="source NOT LIKE 'platform:%'",
        ),
    )

    source: str = Field(description="api, api:<client>, file, drop:<name>, or platform:<name>.")
    name: str = Field(description="File name as given.")
    tracking_id: str | None = None
    platform_flow_id: str | None = Field(default=None, description="Identifier at the platform it came from.")
    flow_syntax: str | None = Field(default=None, description="As declared; CII, UBL, Factur-X, CDAR, FRR.")
    flow_type: str | None = None
    flow_profile: str | None = None
    processing_rule: str | None = None
    processing_rule_source: str = Field(default=RuleSource.COMPUTED.value)
    document_sha256: str | None = Field(default=None, max_length=64, description="None until fetched.")
    state: str = Field(default=FlowState.RECEIVED.value)
    attempts: int = 0
    next_attempt_at: datetime = Field(sa_type=UtcDateTime)
    problem: dict[str, Any] | None = Field(default=None, sa_type=Json, description="Why it is in quarantine.")
    ack_status: str = Field(default=AckStatus.PENDING.value)
    ack_details: list[dict[str, Any]] = Field(default_factory=list, sa_type=Json)
    report: dict[str, Any] | None = Field(default=None, sa_type=Json, description="The validation report.")
    agency_id: UUID | None = None
    request_id: str | None = None
    submitted_at: datetime = Field(sa_type=UtcDateTime)
    updated_at: datetime = Field(
        sa_type=UtcDateTime, description="Moves when the acknowledgement does, and its remark on a flow that waits."
    )
    told_at: datetime | None = Field(
        default=None, sa_type=UtcDateTime, description="When its drop was told the acknowledgement."
    )

    kind: str | None = Field(
        default=None,
        sa_column=Column(String, Computed(_KIND, persisted=True), nullable=False),
        description="What a search tells flows apart by: type/rule/direction/acknowledgement. The database writes it.",
    )

    @property
    def platform(self) -> str | None:
        """Name of the platform the flow came from; None for what was pushed to us."""
        return self.source.removeprefix(PLATFORM_SOURCE) if self.source.startswith(PLATFORM_SOURCE) else None

    @property
    def way(self) -> str:
        """How it came in: api, file, drop or platform."""
        return self.source.partition(":")[0]

    @property
    def direction(self) -> FlowDirection:
        """In from a platform, Out from a billing system."""
        return FlowDirection.OUT if self.platform is None else FlowDirection.IN


class PlatformCursor(OrganisationRow, table=True):
    """How far the list of flows of a platform was read."""

    __tablename__ = "platform_cursor"

    organisation_id: UUID = Field(primary_key=True, foreign_key="organisation.id")
    platform: str = Field(primary_key=True)
    updated_after: datetime | None = Field(default=None, sa_type=UtcDateTime)
    read_at: datetime = Field(sa_type=UtcDateTime)


class DropCursor(OrganisationRow, table=True):
    """How far a drop was told the feed of events."""

    __tablename__ = "drop_cursor"

    organisation_id: UUID = Field(primary_key=True, foreign_key="organisation.id")
    drop: str = Field(primary_key=True)
    sequence: int = Field(sa_type=Big, description="Of the last event told.")


class SimulatedFlow(IdentifiedRow, table=True):
    """A flow at the local platform simulator. It has its own copy of the bytes, as another company would."""

    __tablename__ = "simulated_flow"
    __table_args__ = (
        UniqueConstraint("organisation_id", "tracking_id"),
        Index("ix_simulated_flow_due", "organisation_id", "direction", "visible_at"),
        Index("ix_simulated_flow_invoice", "organisation_id", "invoice_key"),
        Index("ix_simulated_flow_news", "organisation_id", "call_at", postgresql_where="call_at IS NOT NULL"),
        Index(
            "ix_simulated_flow_pending",
            "organisation_id",
            "acknowledged_at",
            postgresql_where="visible_at < acknowledged_at",
        ),
    )

    direction: str = Field(description="Out: from us to the platform. In: from the platform to us.")
    tracking_id: str | None = None
    name: str
    flow_syntax: str
    data: bytes = Field(sa_type=LargeBinary)
    invoice_key: str | None = Field(default=None, description="number/seller SIREN/year of an invoice we sent.")
    scenario: str | None = None
    submitted_at: datetime = Field(sa_type=UtcDateTime)
    visible_at: datetime = Field(
        sa_type=UtcDateTime, description="When the list of flows shows it, and again once it is acknowledged."
    )
    acknowledged_at: datetime | None = Field(
        default=None,
        sa_type=UtcDateTime,
        description="From when on a flow from us is no longer Pending.",
    )
    answers_to: UUID | None = Field(default=None, description="The invoice’s flow that this status answers.")
    step: int | None = Field(default=None, description="Position of the status in its scenario.")
    flow_type: str = Field(default=FlowType.CUSTOMER_INVOICE_LC.value)
    flow_profile: str | None = None
    processing_rule: str | None = Field(default=None, description="As declared; B2B is assumed of the others.")
    call_at: datetime | None = Field(
        default=None, sa_type=UtcDateTime, description="When its webhooks are called next; None: no more."
    )

    @property
    def is_pending(self) -> bool:
        """True until it is acknowledged, and listed again."""
        return self.acknowledged_at is not None and self.visible_at < self.acknowledged_at


class SimulatedWebhook(IdentifiedRow, table=True):
    """A subscription at the local platform simulator."""

    __tablename__ = "simulated_webhook"

    callback_url: str
    signing_key: str = Field(description="Base64.")
    wanted: dict[str, Any] = Field(sa_type=Json, description="The filters of the subscription.")
    created_at: datetime = Field(sa_type=UtcDateTime)
