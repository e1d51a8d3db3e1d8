"""Read a platform's list of flows. Every flow listed is recorded before any is fetched; each is then processed alone.

The norm pages by updatedAt, strictly after; flows that share one updatedAt, or that the platform commits late, would
be lost at the edge. So each reading starts a little before the newest mark, and what is known already is passed over.
"""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col

from gateway.database.engine import organisation_of
from gateway.flows.context import FlowsContext
from gateway.flows.intake import PROCESS_TASK
from gateway.flows.metrics import RECEIVED
from gateway.flows.model import PLATFORM_SOURCE, Flow
from gateway.flows.platforms.client import PlatformClient, PlatformFlow
from gateway.flows.repository import move_cursor, next_update, read_until
from gateway.jobs.queue import enqueue
from gateway.kernel.identifiers import new_id


def poll_platform(context: FlowsContext, organisation_id: UUID, platform: str) -> int:
    """Record what the platform lists and say how many flows were new. Raises PlatformError: the next tick comes."""
    client = context.platform(platform, organisation_id)
    with context.database.transaction(organisation_id) as session:
        newest = read_until(session, platform)
    overlap = timedelta(seconds=context.settings.poll_overlap_seconds)
    listed = _listed(client, newest - overlap if newest else None)
    with context.database.transaction(organisation_id) as session:
        new = record_listed(session, platform, listed, context)
        if new:
            enqueue(session, PROCESS_TASK)
    RECEIVED.labels(PLATFORM_SOURCE + platform).inc(new)
    return new


def record_listed(session: Session, platform: str, listed: list[PlatformFlow], context: FlowsContext) -> int:
    """Record the flows not known yet and move the mark with them, in one transaction; the number of new ones."""
    now = context.clock()
    new = 0
    for flow in listed:
        row = Flow(
            id=new_id(),
            organisation_id=organisation_of(session),
            source=PLATFORM_SOURCE + platform,
            name=flow.name,
            platform_flow_id=flow.flow_id,
            flow_syntax=flow.flow_syntax,
            flow_type=flow.flow_type,
            # What waits longest is read first: the order in which the platform spoke is kept.
            next_attempt_at=min(flow.updated_at, now),
            submitted_at=now,
            updated_at=next_update(session, now),
        )
        statement = insert(Flow).values(row.model_dump()).on_conflict_do_nothing().returning(col(Flow.id))
        new += session.execute(statement).first() is not None
    move_cursor(session, platform, max((flow.updated_at for flow in listed), default=None), now)
    return new


def _listed(client: PlatformClient, updated_after: datetime | None) -> list[PlatformFlow]:
    """Every page of the list."""
    page = client.search(updated_after=updated_after)
    listed = list(page.flows)
    while page.next_cursor is not None:
        page = client.search(updated_after=updated_after, cursor=page.next_cursor)
        listed.extend(page.flows)
    return listed
