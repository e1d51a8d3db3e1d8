"""The JSON of the Flow Service (XP Z12-013 annex A, 1.3.0): what clients send and what they get."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, PlainSerializer, StringConstraints
from pydantic.alias_generators import to_camel

from gateway.flows.acknowledgement import AckDetail, reason_code
from gateway.flows.model import Flow, FlowState
from gateway.flows.searching import FlowCriteria
from gateway.flows.terms import (
    AckStatus,
    FlowDirection,
    FlowProfile,
    FlowSyntax,
    FlowType,
    ProcessingRule,
    RuleSource,
)
from gateway.kernel.text import Text

DEFAULT_LIMIT = 25
HIGHEST_LIMIT = 100


def _storable(value: str) -> str:
    """PostgreSQL keeps no NUL in a text."""
    if "\0" in value:
        raise ValueError("the character U+0000 is not allowed")
    return value


TrackingId = Annotated[str, StringConstraints(max_length=64), AfterValidator(_storable)]
FileName = Annotated[str, StringConstraints(max_length=255), AfterValidator(_storable)]


def _written(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


#: An instant as clients read it: UTC, always to the microsecond, so that it sorts as text too (some clients do that).
Instant = Annotated[datetime, PlainSerializer(_written, return_type=str, when_used="json")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[a-f0-9]{64}$")]


class _Part(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True)


class FlowInfo(_Part):
    """What a client says of the file it submits. Properties the standard does not name are passed over."""

    flow_syntax: FlowSyntax
    name: FileName
    tracking_id: TrackingId | None = None
    processing_rule: ProcessingRule | None = None
    flow_profile: FlowProfile | None = None
    sha256: Sha256 | None = None


class FullFlowInfo(FlowInfo):
    """The answer to a submission."""

    flow_id: str
    submitted_at: Instant


class AcknowledgementDetail(_Part):
    """One remark on the flow."""

    level: Literal["Error", "Warning"]
    item: str
    reason_code: str
    reason_message: str


class AcknowledgementView(_Part):
    """Whether the flow was taken; `details` is absent when there is no remark."""

    status: AckStatus
    details: tuple[AcknowledgementDetail, ...] | None = None


class FlowView(_Part):
    """A flow as clients read it."""

    flow_id: str
    submitted_at: Instant
    updated_at: Instant
    name: str
    tracking_id: str | None = None
    flow_syntax: FlowSyntax
    flow_profile: FlowProfile
    flow_type: FlowType
    flow_direction: FlowDirection
    processing_rule: ProcessingRule
    processing_rule_source: RuleSource
    acknowledgement: AcknowledgementView


class SearchFilters(_Part):
    """Criteria of a search: all must hold, one value of each list is enough."""

    updated_after: AwareDatetime | None = None
    updated_before: AwareDatetime | None = None
    processing_rule: tuple[ProcessingRule, ...] | None = None
    flow_type: tuple[FlowType, ...] | None = None
    flow_direction: tuple[FlowDirection, ...] | None = None
    tracking_id: TrackingId | None = None
    ack_status: AckStatus | None = None

    @property
    def is_empty(self) -> bool:
        """True when no criterion is given, which the standard does not allow."""
        return not self.model_dump(exclude_none=True)

    def criteria(self) -> FlowCriteria:
        """For the repository."""
        return FlowCriteria(
            updated_after=self.updated_after,
            updated_before=self.updated_before,
            processing_rules=self.processing_rule or (),
            flow_types=self.flow_type or (),
            directions=self.flow_direction or (),
            tracking_id=self.tracking_id,
            ack_status=self.ack_status,
        )


class SearchRequest(_Part):
    """A search."""

    where: SearchFilters
    limit: int = Field(default=DEFAULT_LIMIT, ge=1, le=HIGHEST_LIMIT)
    cursor: Annotated[str, StringConstraints(max_length=512)] | None = None


class SearchAnswer(_Part):
    """A page of flows; no `nextCursor` on the last one."""

    results: tuple[FlowView, ...]
    filters: SearchFilters
    limit: int
    next_cursor: str | None = None


class ErrorView(_Part):
    """The error model of the standard."""

    error_code: str
    error_message: str
    details: str | None = None


def submitted_view(flow: Flow) -> FullFlowInfo:
    """The answer to a submission."""
    return FullFlowInfo(
        flow_id=str(flow.id),
        submitted_at=flow.submitted_at,
        name=flow.name,
        tracking_id=flow.tracking_id,
        flow_syntax=_syntax(flow),
        flow_profile=FlowProfile(flow.flow_profile) if flow.flow_profile else None,
        processing_rule=ProcessingRule(flow.processing_rule) if flow.processing_rule else None,
        sha256=flow.document_sha256,
    )


def flow_view(flow: Flow) -> FlowView:
    """The metadata of a flow; what is not known yet is Undefined, as the standard says of pending flows."""
    return FlowView(
        flow_id=str(flow.id),
        submitted_at=flow.submitted_at,
        updated_at=flow.updated_at,
        name=flow.name,
        tracking_id=flow.tracking_id,
        flow_syntax=_syntax(flow),
        flow_profile=FlowProfile(flow.flow_profile or FlowProfile.UNDEFINED),
        flow_type=FlowType(flow.flow_type or FlowType.UNDEFINED),
        flow_direction=flow.direction,
        processing_rule=ProcessingRule(flow.processing_rule or ProcessingRule.UNDEFINED),
        processing_rule_source=RuleSource(flow.processing_rule_source),
        acknowledgement=AcknowledgementView(
            status=AckStatus(flow.ack_status),
            details=tuple(map(AcknowledgementDetail.model_validate, _remarks(flow))) or None,
        ),
    )


def _remarks(flow: Flow) -> list[dict[str, Any]]:
    """What is said of a flow; of one that waits in quarantine, what it waits for."""
    if flow.state != FlowState.QUARANTINED or flow.problem is None:
        return flow.ack_details
    problem = flow.problem
    message = Text(
        f"{problem['what_fr']} {problem['fix_fr']}".strip(), f"{problem['what_en']} {problem['fix_en']}".strip()
    )
    waits_for = AckDetail("Warning", problem["where"] or "file", reason_code(problem["code"]), message)
    return [*flow.ack_details, waits_for.as_json()]


def _syntax(flow: Flow) -> FlowSyntax:
    """As detected, else as declared. A file dropped in a folder declares none until it is read."""
    return FlowSyntax(flow.flow_syntax or FlowSyntax.CII)
