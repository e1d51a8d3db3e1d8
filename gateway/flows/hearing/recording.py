"""Record the flows that a platform tells of, in its list or by calling: each once, before any is fetched."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from gateway.database.engine import organisation_of
from gateway.flows.context import FlowsContext
from gateway.flows.hearing.acknowledged import keep_answers
from gateway.flows.intake import PROCESS_TASK
from gateway.flows.model import PLATFORM_SOURCE, Flow
from gateway.flows.platforms.client import PlatformFlow
from gateway.flows.repository import known_at_platform, next_update
from gateway.flows.terms import FlowDirection, FlowSyntax, FlowType
from gateway.jobs.queue import enqueue

_SMALLEST_STEP = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Heard:
    """What came of flows that a platform told.

    Attributes:
        new: flows for us that were not known.
        unsettled: oldest updatedAt among the acknowledgements that could not be kept now; None when all were.
    """

    new: int = 0
    unsettled: datetime | None = None


def record_heard(session: Session, platform: str, told: Sequence[PlatformFlow], context: FlowsContext) -> Heard:
    """Record the flows for us that are new, and the acknowledgements of those from us; wake the job that processes."""
    from_us = [flow for flow in told if flow.direction is FlowDirection.OUT]
    for_us = [flow for flow in told if flow.direction is FlowDirection.IN]
    unsettled = keep_answers(session, platform, from_us, context)
    new = _record_new(session, platform, for_us, context)
    if new:
        enqueue(session, PROCESS_TASK)
    return Heard(new, unsettled)


def _record_new(session: Session, platform: str, listed: Sequence[PlatformFlow], context: FlowsContext) -> int:
    """Record the flows that are not known yet; the number of new ones.

    The turn comes first: nobody else records flows then. A flow known already must not be written at all: a worker
    that processes it holds its row and waits for the turn.
    """
    if not listed:
        return 0
    now = context.clock()
    first = next_update(session, now)
    source = PLATFORM_SOURCE + platform
    known = known_at_platform(session, source, [flow.flow_id for flow in listed])
    unknown = {flow.flow_id: flow for flow in listed if flow.flow_id not in known}
    session.add_all(
        Flow(
            organisation_id=organisation_of(session),
            source=source,
            name=flow.name,
            platform_flow_id=flow.flow_id,
            flow_syntax=flow.flow_syntax if flow.flow_syntax in set(FlowSyntax) else None,
            flow_type=flow.flow_type if flow.flow_type in set(FlowType) else None,
            # What waits longest is read first: the order in which the platform spoke is kept.
            next_attempt_at=min(flow.updated_at, now),
            submitted_at=now,
            updated_at=first + place * _SMALLEST_STEP,
        )
        for place, flow in enumerate(unknown.values())
    )
    return len(unknown)
