"""Read the platforms' lists of flows: each flow listed is recorded before any is fetched, then processed alone.

The list holds the flows for us, and those from us whose acknowledgement may have changed.

The norm pages by updatedAt, strictly after; flows that share one updatedAt, or that the platform commits late, would
be lost at the edge. So each reading starts a little before the newest mark, and what is known already is passed over.
The mark moves once the whole list is recorded: a reading that breaks in the middle begins where it began before.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from gateway.flows.context import FlowsContext
from gateway.flows.errors import PlatformError
from gateway.flows.hearing.recording import record_heard
from gateway.flows.metrics import POLLS, RECEIVED
from gateway.flows.model import PLATFORM_SOURCE
from gateway.flows.platforms.client import FlowPage, PlatformClient
from gateway.flows.platforms.errors import PlatformListStuckError, PlatformPausedError
from gateway.flows.platforms.repository import platforms_of
from gateway.flows.repository import move_cursor, read_until

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
    newest = unsettled = None
    new = 0
    for page in _pages(client, before - overlap if before else None):
        with context.database.transaction(organisation_id) as session:
            heard = record_heard(session, platform, page.flows, context)
        new += heard.new
        newest = max([flow.updated_at for flow in page.flows] + ([newest] if newest else []), default=None)
        unsettled = min(filter(None, (unsettled, heard.unsettled)), default=None)
    with context.database.transaction(organisation_id) as session:
        now = context.clock()
        move_cursor(session, platform, _mark(newest, unsettled, now), now)
    RECEIVED.labels(PLATFORM_SOURCE + platform).inc(new)
    return new


def _mark(newest: datetime | None, unsettled: datetime | None, now: datetime) -> datetime | None:
    """How far the list counts as read: to its newest flow, and never over an acknowledgement that was not kept.

    A platform whose clock is ahead must not hide what it lists between our time and its own.
    """
    if newest is None:
        return None
    return min(newest, now) if unsettled is None else min(newest, now, unsettled - _SMALLEST_STEP)


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
