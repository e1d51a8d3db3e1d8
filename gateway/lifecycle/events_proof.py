"""Proof that the recorded events are those that the ledger recorded: none changed, none missing, none beside it.

The database refuses to change an event; this finds what somebody did who may lift that refusal. Each entry of the
ledger about an event states the hash of its whole row, and the chain proves the entry.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from heapq import nsmallest
from json import loads
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlmodel import Session

from gateway.kernel.text import Text
from gateway.ledger.chain import canonical_hash
from gateway.ledger.service import START, ChainStart, Progress
from gateway.lifecycle.model import LifecycleEvent

#: Kind of the entries that record an event.
RECORDED = "lifecycle.event"

_PAGE = 2000
_SHOWN = 20
#: Below every place in the feed, also one that the database would never give.
_LOWEST = -(2**63)
_HASH = "event_sha256"
_INSTANTS = ("status_at", "message_at", "recorded_at")
_OTHERS = (
    *("id", "fingerprint", "direction", "number", "seller_siren", "year", "line", "status", "issuer_role"),
    *("issuer_name", "issuer_id", "message_id", "content", "assessment", "document_sha256", "flow_id", "source"),
)
_ROW = ", ".join(
    [f"'{name}', event.{name}" for name in _OTHERS]
    + [
        f"'{name}', to_char(event.{name} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"+00:00\"')"
        for name in _INSTANTS
    ]
)
#: Where the event of the last entry before a place of the chain stands among the events: both grow in the same order.
#: Entries of before they stated it leave it to the event.
_BEFORE = text(
    f"""
    SELECT coalesce((entry.content ->> 'sequence')::bigint, event.sequence) FROM ledger_entry AS entry
    JOIN lifecycle_event AS event ON event.id = (entry.content ->> 'event_id')::uuid
    WHERE entry.kind = '{RECORDED}' AND entry.position <= :after ORDER BY entry.position DESC LIMIT 1
    """
)
_COUNT = text("SELECT count(*) FROM lifecycle_event WHERE sequence > :sequence")
#: One statement, thus one instant: whoever is recording meanwhile shows with both, or with neither.
_SIDE_BY_SIDE = text(
    f"""
    SELECT entry.position, entry.content AS stated, event.id, event.number, event.sequence,
        CASE WHEN event.id IS NOT NULL THEN json_build_object({_ROW})::text END AS recorded
    FROM (SELECT position, content FROM ledger_entry WHERE kind = '{RECORDED}' AND position > :after) AS entry
    FULL JOIN (SELECT * FROM lifecycle_event WHERE sequence > :sequence) AS event
        ON event.id::text = entry.content ->> 'event_id'
    """
).execution_options(stream_results=True, max_row_buffer=_PAGE)
_Pair = Row[int | None, dict[str, Any] | None, UUID | None, str | None, int | None, str | None]

_MISSING = Text("l’événement a disparu", "the event is missing")
_FORGED = Text("aucune entrée du registre ne l’a enregistré", "no entry of the ledger recorded it")
_CHANGED = Text("il n’est plus ce que le registre a enregistré", "it is no longer what the ledger recorded")
_FIELD = Text("{field} vaut « {now} », enregistré « {then} »", "{field} is “{now}”, recorded as “{then}”")


@dataclass(frozen=True, slots=True)
class EventFault:
    """An event that is not as the ledger says.

    Attributes:
        position: the entry that recorded it; None when no entry did.
        event_id: the identifier of its row; number: the invoice (BT-1) it names, None when the row is gone.
    """

    position: int | None
    event_id: str
    number: str | None
    reason: Text

    @property
    def place(self) -> tuple[bool, int, str]:
        """Order of the chain; what no entry recorded comes last."""
        return (self.position is None, self.position or 0, self.event_id)


@dataclass(frozen=True, slots=True)
class EventsProof:
    """How many events are as recorded and how many are not; the first of these, in the order of the chain."""

    intact: int
    faulty: int
    first_faults: tuple[EventFault, ...]

    @property
    def holds(self) -> bool:
        """True when every event is as recorded, and nothing else is there."""
        return self.faulty == 0


def event_hash(row: LifecycleEvent) -> str:
    """sha256 (hexadecimal) over the canonical form of all that a row states, but its place in the feed.

    The entry states that place beside this hash.
    """
    instants = {name: _instant(getattr(row, name)) for name in _INSTANTS}
    others = {name: getattr(row, name) for name in _OTHERS}
    return canonical_hash(
        instants | {name: str(value) if isinstance(value, UUID) else value for name, value in others.items()}
    )


def entry_content(row: LifecycleEvent) -> dict[str, Any]:
    """What the entry of the ledger states of an event as stored: what a reader looks for, and the hash of its row."""
    return {
        "event_id": str(row.id),
        "fingerprint": row.fingerprint,
        "direction": row.direction,
        "status": row.status,
        "status_at": row.status_at.isoformat(),
        "message_id": row.message_id,
        "source": row.source,
        "sequence": row.sequence,
        _HASH: event_hash(row),
    }


def verify_events(session: Session, progress: Progress | None = None, *, since: ChainStart = START) -> EventsProof:
    """Compare every event of the session's organisation with the entry of its ledger that recorded it.

    It trusts the entries: prove the chain first. `since`: only what was recorded after that place of the chain.
    Linear, memory bounded on both sides. `progress` is called page by page with the events compared and their number.
    """
    before = session.connection().execute(_BEFORE, {"after": since.position}).scalar_one_or_none()
    sequence = _LOWEST if before is None else before
    total = session.connection().execute(_COUNT, {"sequence": sequence}).scalar_one()
    compared = faulty = 0

    def faults() -> Iterator[EventFault]:
        nonlocal compared, faulty
        wanted = {"after": since.position, "sequence": sequence}
        with session.connection().execute(_SIDE_BY_SIDE, wanted) as pairs:
            for page in pairs.partitions(_PAGE):
                for pair in page:
                    if (found := _fault(pair)) is not None:
                        faulty += 1
                        yield found
                compared += len(page)
                if progress is not None:
                    progress(min(compared, total), total)

    first = nsmallest(_SHOWN, faults(), key=lambda each: each.place)
    return EventsProof(compared - faulty, faulty, tuple(first))


def _fault(pair: _Pair) -> EventFault | None:
    position, stated, event_id, number, sequence, recorded = pair
    if stated is None:
        return EventFault(None, str(event_id), number, _FORGED)
    if recorded is None:
        return EventFault(position, str(stated.get("event_id")), None, _MISSING)
    if stated.get("sequence", sequence) != sequence:
        changed = _FIELD.format(field="sequence", now=sequence, then=stated["sequence"])
        return EventFault(position, str(event_id), number, changed)
    found = loads(recorded)
    if stated.get(_HASH) == canonical_hash(found):
        return None
    reason = _difference(stated, found)
    if reason is None and _HASH not in stated:  # recorded before entries stated the hash of the whole row
        return None
    return EventFault(position, str(event_id), number, reason or _CHANGED)


def _difference(stated: dict[str, Any], found: dict[str, Any]) -> Text | None:
    """The first field told in so many words by the entry that differs."""
    for field in ("fingerprint", "direction", "status", "status_at", "message_id", "source"):
        then, now = stated.get(field), found[field]
        if field == "status_at":
            then, now = (_instant(datetime.fromisoformat(each)) for each in (str(then), now))
        if then != now:
            return _FIELD.format(field=field, now=now, then=then)
    return None


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")
