"""Read the platforms' lists of flows: each flow listed is recorded before any is fetched, then processed alone.

The list holds the flows for us, and those from us whose acknowledgement may have changed.

The norm pages by updatedAt, strictly after; flows that share one updatedAt, or that the platform commits late, would
be lost at the edge. So each reading starts a little before the newest mark, and what is known already is passed over.
The mark moves page by page while the list comes in the order of updatedAt, so that a long list that breaks goes on
where it broke; a list in another order is read anew until it was read whole.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
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
    reach = Reach()
    unsettled, new = None, 0
    for page in _pages(client, before - overlap if before else None):
        reach = reach.after([flow.updated_at for flow in page.flows])
        with context.database.transaction(organisation_id) as session:
            heard = record_heard(session, platform, page.flows, context)
            unsettled = min(filter(None, (unsettled, heard.unsettled)), default=None)
            now = context.clock()
            whole = page.next_cursor is None
            move_cursor(session, platform, _mark(reach.newest if whole else reach.surely_read, unsettled, now), now)
        new += heard.new
    RECEIVED.labels(PLATFORM_SOURCE + platform).inc(new)
    return new


@dataclass(frozen=True, slots=True)
class Reach:
    """How far a list of flows has come, by their updatedAt.

    Attributes:
        oldest, newest: of the flows listed so far; None before the first.
        in_order: no flow was older than one before it.
    """

    oldest: datetime | None = None
    newest: datetime | None = None
    in_order: bool = True

    def after(self, page: Sequence[datetime]) -> "Reach":
        """With one page more."""
        if not page:
            return self
        ascending = sorted(page) == list(page) and (self.newest is None or self.newest <= page[0])
        known = [each for each in (self.oldest, self.newest) if each is not None]
        return Reach(min([*known, *page]), max([*known, *page]), self.in_order and ascending)

    @property
    def surely_read(self) -> datetime | None:
        """Up to which instant nothing is left, though pages follow; None when that cannot be told.

        A list that rises has nothing older to come; what shares its last instant may. One instant alone shows no order.
        """
        if self.oldest is None or self.newest is None or not self.in_order or self.oldest == self.newest:
            return None
        return self.newest - _SMALLEST_STEP


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
