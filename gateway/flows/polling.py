"""Read the platforms' lists of flows: each flow listed is recorded before any is fetched, then processed alone.

The norm pages by updatedAt, strictly after; flows that share one updatedAt, or that the platform commits late, would
be lost at the edge. So each reading starts a little before the newest mark, and what is known already is passed over.
The mark moves once the whole list is recorded: a reading that breaks in the middle begins where it began before.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlmodel import Session

from gateway.database.engine import organisation_of
from gateway.flows.context import FlowsContext
from gateway.flows.errors import PlatformError
from gateway.flows.intake import PROCESS_TASK
from gateway.flows.metrics import POLLS, RECEIVED
from gateway.flows.model import PLATFORM_SOURCE, Flow
from gateway.flows.platforms.client import FlowPage, PlatformClient, PlatformFlow
from gateway.flows.platforms.errors import PlatformListStuckError, PlatformPausedError
from gateway.flows.platforms.repository import platforms_of
from gateway.flows.repository import known_at_platform, move_cursor, next_update, read_until
from gateway.jobs.queue import enqueue

_SMALLEST_STEP = timedelta(microseconds=1)
_log = structlog.get_logger(__name__)


def poll_platforms(context: FlowsContext, organisation_id: UUID) -> int:
    """Read every platform in service, each alone: one in trouble is said and read at the next tick, and stops no other.

    The number of new flows.
    """
    with context.database.transaction(organisation_id) as session:
        names = sorted(platforms_of(session, context.settings.platform).active)
    new = 0
    for name in names:
        try:
            new += poll_platform(context, organisation_id, name)
        except PlatformPausedError as error:
            POLLS.labels(name, "paused").inc()
            _log.info("platform_poll_waits", platform=name, until=str(error.until))
        except PlatformError as error:
            POLLS.labels(name, "failed").inc()
            _log.warning("platform_poll_failed", platform=name, code=error.code, reason=str(error))
        except Exception:
            POLLS.labels(name, "failed").inc()
            _log.exception("platform_poll_fault", platform=name)
        else:
            POLLS.labels(name, "done").inc()
    return new


def poll_platform(context: FlowsContext, organisation_id: UUID, platform: str) -> int:
    """Record what one platform lists and say how many flows were new. Raises PlatformError: the next tick comes."""
    client = context.platform(platform, organisation_id)
    with context.database.transaction(organisation_id) as session:
        before = read_until(session, platform)
    overlap = timedelta(seconds=context.settings.poll_overlap_seconds)
    newest, new = None, 0
    for page in _pages(client, before - overlap if before else None):
        with context.database.transaction(organisation_id) as session:
            recorded = record_listed(session, platform, page.flows, context)
            if recorded:
                enqueue(session, PROCESS_TASK)
        new += recorded
        newest = max([flow.updated_at for flow in page.flows] + ([newest] if newest else []), default=None)
    with context.database.transaction(organisation_id) as session:
        now = context.clock()
        # A platform whose clock is ahead must not hide what it lists between our time and its own.
        move_cursor(session, platform, min(newest, now) if newest else None, now)
    RECEIVED.labels(PLATFORM_SOURCE + platform).inc(new)
    return new


def record_listed(session: Session, platform: str, listed: tuple[PlatformFlow, ...], context: FlowsContext) -> int:
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
            flow_syntax=flow.flow_syntax,
            flow_type=flow.flow_type,
            # What waits longest is read first: the order in which the platform spoke is kept.
            next_attempt_at=min(flow.updated_at, now),
            submitted_at=now,
            updated_at=first + place * _SMALLEST_STEP,
        )
        for place, flow in enumerate(unknown.values())
    )
    return len(unknown)


def _pages(client: PlatformClient, updated_after: datetime | None) -> Iterator[FlowPage]:
    """Every page of the list. Raises PlatformListStuckError when it does not come to an end."""
    cursor, seen = None, set[str]()
    while True:
        page = client.search(updated_after=updated_after, cursor=cursor)
        yield page
        cursor = page.next_cursor
        if cursor is None:
            return
        if cursor in seen:
            raise PlatformListStuckError("its list of flows comes back to the same cursor")
        seen.add(cursor)
