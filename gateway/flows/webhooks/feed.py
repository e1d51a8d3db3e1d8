"""The feed of events: statuses of invoices and announced facts, in the one order in which they were recorded.

Both draw their sequence from one place, under the organisation's turn on the ledger, which is kept until the commit:
nothing is ever added behind a reader. Both are looked for by one statement, so that a reader who sees an event sees
every one before it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from uuid import UUID

from sqlalchemy import func, literal, union_all
from sqlalchemy import select as columns_of
from sqlmodel import Session, col, select

from gateway.flows.webhooks.wanted import EventFilter
from gateway.lifecycle.model import LifecycleEvent
from gateway.notifications.announcements import NAMESPACE
from gateway.notifications.model import Announcement

Event = LifecycleEvent | Announcement
_PAGE = 200
#: Places that one answer looks at, however few of them are wanted.
_FARTHEST = 20_000


@dataclass(frozen=True, slots=True)
class Place:
    """Where an event stands in the feed, and of what type it is."""

    sequence: int
    type: str
    id: UUID


def places_after(session: Session, after: int, wanted: EventFilter, limit: int = _PAGE) -> list[Place]:
    """The places after one, at most `limit`, in their order; among them those of kinds that `wanted` may not take."""
    line_and_status = literal(f"{NAMESPACE}.") + col(LifecycleEvent.line) + ".status." + col(LifecycleEvent.status)
    statuses = (
        select(col(LifecycleEvent.sequence), line_and_status.label("type"), col(LifecycleEvent.id))
        .where(col(LifecycleEvent.sequence) > after)
        .order_by(col(LifecycleEvent.sequence))
        .limit(limit)
    )
    announcements = (
        select(col(Announcement.sequence), col(Announcement.type), col(Announcement.id))
        .where(col(Announcement.sequence) > after)
        .order_by(col(Announcement.sequence))
        .limit(limit)
    )
    taken = [statuses] * wanted.takes_statuses + [announcements] * wanted.takes_announcements
    both = union_all(*(columns_of(each.subquery()) for each in taken))
    rows = session.execute(both.order_by("sequence").limit(limit))
    return [Place(*row) for row in rows]


def next_event(session: Session, after: int, wanted: EventFilter) -> tuple[int, Event | None]:
    """The first wanted event after a place, and how far the feed was read: to that event, or to its end."""
    for place in _walk(session, after, wanted):
        after = place.sequence
        if wanted.wants(place.type):
            return after, _events(session, [place])[0]
    return after, None


def some_events(session: Session, after: int, wanted: EventFilter, limit: int) -> tuple[int, list[Event]]:
    """At most `limit` wanted events after a place, and how far the feed was read: a long way without any may end it."""
    found: list[Place] = []
    for place in islice(_walk(session, after, wanted), _FARTHEST):
        after = place.sequence
        if wanted.wants(place.type):
            found.append(place)
        if len(found) == limit:
            break
    return after, _events(session, found)


def newest(session: Session) -> int:
    """The place of the newest event; 0 before the first."""
    statuses = select(func.max(LifecycleEvent.sequence)).scalar_subquery()
    announcements = select(func.max(Announcement.sequence)).scalar_subquery()
    place: int = session.exec(select(func.coalesce(func.greatest(statuses, announcements), 0))).one()
    return place


def _walk(session: Session, after: int, wanted: EventFilter) -> Iterator[Place]:
    while places := places_after(session, after, wanted):
        yield from places
        after = places[-1].sequence


def _events(session: Session, places: Sequence[Place]) -> list[Event]:
    """The events at these places, in their order."""
    ids = [place.id for place in places]
    found: dict[UUID, Event] = {}
    found |= {row.id: row for row in session.exec(select(LifecycleEvent).where(col(LifecycleEvent.id).in_(ids)))}
    found |= {row.id: row for row in session.exec(select(Announcement).where(col(Announcement.id).in_(ids)))}
    return [found[each] for each in ids]
