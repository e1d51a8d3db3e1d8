"""Append to the ledger of the session's organisation, and prove its chain.

An entry gets its place and its hash when it is appended; all those of a transaction are written by one statement just
before it is committed. Those of a savepoint that is undone are forgotten with it.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Result, Row, event, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import SessionTransaction
from sqlmodel import Session, select

from gateway.database.engine import organisation_of
from gateway.ledger.chain import GENESIS, canonical_hash, canonical_json, entry_hash
from gateway.ledger.model import LedgerEntry, LedgerHead

_PAGE = 5000
_TURN = "ledger_turn"
_HASHED = text(
    """
    SELECT position, previous_hash, hash, json_build_object(
        'organisation', organisation_id, 'position', position,
        'at', to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'),
        'kind', kind, 'subject', subject, 'content', content, 'documents', documents, 'previous', previous_hash)::text
    FROM ledger_entry WHERE position > :after ORDER BY position
    """
).execution_options(stream_results=True, max_row_buffer=_PAGE)

_LOCK = text("SELECT position, hash FROM ledger_head WHERE organisation_id = :organisation FOR UPDATE")
#: Entries and head in one round trip: the other writers of the organisation wait for it.
_WRITE = text(
    """
    WITH added AS (
        INSERT INTO ledger_entry
            (organisation_id, position, at, kind, subject, content, documents, previous_hash, hash)
        SELECT :organisation, position, at, kind, subject, content, documents, previous, hash
        FROM jsonb_to_recordset(CAST(:entries AS jsonb)) AS entry
            (position bigint, at timestamptz, kind text, subject text, content jsonb, documents jsonb,
             previous text, hash text))
    UPDATE ledger_head SET position = :position, hash = :hash WHERE organisation_id = :organisation
    """
)

#: Position, previous hash, hash, and what is hashed, of one entry.
_Row = Row[int, str, str, str]

#: Called with what is done and what there is to do.
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class ChainStart:
    """A place of a chain that was proved before: its position and the hash of the entry there."""

    position: int
    hash: str


#: Before the first entry.
START = ChainStart(0, GENESIS)


@dataclass(frozen=True, slots=True)
class Verification:
    """Result of a proof: how many entries hold, and the first position that does not, with the reason."""

    entries: int
    broken_at: int | None = None
    reason: str | None = None

    @property
    def holds(self) -> bool:
        """True when the whole chain holds."""
        return self.broken_at is None


@dataclass(slots=True)
class _Turn:
    """The head held by a transaction or a savepoint, and the entries appended in it, each as JSON.

    `outer`: the turn of a transaction around it, None when this one took the lock. A savepoint that is undone gives
    back the lock that it took, and its entries with it.
    """

    transaction: SessionTransaction
    position: int
    hash: str
    outer: "_Turn | None" = None
    entries: list[str] = field(default_factory=list)


def take_turn(session: Session) -> None:
    """Wait for the organisation's other writers; from here to the end of the transaction they wait for this one.

    `append` does it by itself. A use case that reads what others may be writing takes its turn before it reads.
    """
    _turn(session)


def append(
    session: Session,
    *,
    at: datetime,
    kind: str,
    subject: str,
    content: dict[str, Any],
    documents: Sequence[str] = (),
) -> None:
    """Add one fact, read again only after the commit; writers of one organisation wait for each other from here on.

    `content` must be JSON as it is read back (strings, integers, booleans, lists, objects): floats would not
    hash the same twice, so amounts are strings.
    """
    turn = _turn(session)
    before, turn.position = turn.hash, turn.position + 1
    turn.hash = entry_hash(
        organisation_id=str(organisation_of(session)),
        position=turn.position,
        at=at,
        kind=kind,
        subject=subject,
        content=content,
        documents=documents,
        previous_hash=before,
    )
    entry = {
        "position": turn.position,
        "at": at.isoformat(),
        "kind": kind,
        "subject": subject,
        "content": content,
        "documents": list(documents),
        "previous": before,
        "hash": turn.hash,
    }
    turn.entries.append(canonical_json(entry))


def append_all(
    session: Session,
    *,
    at: datetime,
    kind: str,
    facts: Iterable[tuple[str, dict[str, Any]]],
    documents: Sequence[str] = (),
) -> None:
    """Add facts of one kind, each a subject with its content, as `append` does."""
    for subject, content in facts:
        append(session, at=at, kind=kind, subject=subject, content=content, documents=documents)


def verify(
    session: Session,
    progress: Progress | None = None,
    *,
    since: ChainStart = START,
    each: Callable[[str], object] | None = None,
) -> Verification:
    """Recompute every hash of the organisation's chain in order and name the first broken link.

    `since`: a place of the chain proved before; only what follows it is recomputed. `progress` is called page by page
    with the number of entries proved and the number to prove. `each` is given the hash of every entry that holds.
    """
    head_position, _ = _head(session)
    total = max(head_position - since.position, 0)
    position, previous = since.position, since.hash
    if (fault := _fault_at_start(session, since)) is not None:
        return Verification(0, since.position, fault)
    with _streamed(session, since.position) as result:
        for page in result.partitions(_PAGE):
            for row in page:
                reason = _fault(row, position + 1, previous)
                if reason is not None:
                    return Verification(position - since.position, row[0], reason)
                position, previous = row[0], row[2]
                if each is not None:
                    each(previous)
            if progress is not None:
                progress(position - since.position, total)
    proved = position - since.position
    if (fault := _fault_at_end(position, previous, head_position, _head(session))) is not None:
        return Verification(proved, position + 1, fault)
    return Verification(proved)


def head_position(session: Session) -> int:
    """How many entries the organisation's chain has."""
    return _head(session)[0]


def _head(session: Session) -> tuple[int, str]:
    row = session.exec(select(LedgerHead.position, LedgerHead.hash)).one_or_none()
    return (row[0], row[1]) if row else (0, GENESIS)


def _fault_at_end(position: int, last: str, first_head: int, head: tuple[int, str]) -> str | None:
    """Others may write during a proof: it ends between the heads read before and after it."""
    if position < first_head:
        return "the chain ends before the position its head records"
    if position > head[0]:
        return "the chain goes on after the position its head records"
    return "the last entry is not the one its head records" if position == head[0] and last != head[1] else None


def _streamed(session: Session, after: int) -> Result[int, str, str, str]:
    """What `entry_hash` hashes for each entry after a position, as text, in order, from a cursor on the server.

    The server puts the object together and Python reads it once: twice the rate of a conversion for each column.
    """
    return session.connection().execute(_HASHED, {"after": after})


def _fault_at_start(session: Session, since: ChainStart) -> str | None:
    if since.position == 0:
        return None
    found = session.exec(select(LedgerEntry.hash).where(LedgerEntry.position == since.position)).one_or_none()
    if found is None:
        return "the entry that the checkpoint names is missing"
    return None if found == since.hash else "the entry does not have the hash that the checkpoint states"


def _turn(session: Session) -> _Turn:
    """The turn of the innermost transaction, taken now unless it or one around it holds the head already."""
    current = session.get_nested_transaction() or session.get_transaction() or session.begin()
    outer = _held(session)
    if outer is not None and outer.transaction is current:
        return outer
    head = (outer.position, outer.hash) if outer is not None else _lock_head(session)
    turn = _Turn(current, *head, outer)
    session.info[_TURN] = turn
    return turn


def _held(session: Session) -> _Turn | None:
    """The innermost turn held; those of transactions and savepoints that were undone are forgotten."""
    alive = set()
    transaction = session.get_nested_transaction() or session.get_transaction()
    while transaction is not None:
        alive.add(transaction)
        transaction = transaction.parent
    turn: _Turn | None = session.info.get(_TURN)
    while turn is not None and turn.transaction not in alive:
        turn = turn.outer
    session.info[_TURN] = turn
    return turn


@event.listens_for(Session, "before_commit")
def _end_turn(session: Session) -> None:
    """Write what was appended when a transaction is committed; a savepoint leaves it to the transaction around it."""
    turn, current = _held(session), session.get_nested_transaction() or session.get_transaction()
    if turn is None or turn.transaction is not current:
        return
    around = current.parent
    if around is None:
        session.info[_TURN] = None
        _write(session, turn)
    elif turn.outer is None or turn.outer.transaction is not around:
        turn.transaction = around
    else:
        outer = turn.outer
        outer.position, outer.hash = turn.position, turn.hash
        outer.entries += turn.entries
        session.info[_TURN] = outer


def _write(session: Session, turn: _Turn) -> None:
    if turn.entries:
        written = {
            "organisation": organisation_of(session),
            "entries": f"[{','.join(turn.entries)}]",
            "position": turn.position,
            "hash": turn.hash,
        }
        session.connection().execute(_WRITE, written)


def _lock_head(session: Session) -> tuple[int, str]:
    head = _locked_head(session)
    if head is None:
        first = insert(LedgerHead).values(organisation_id=organisation_of(session), position=0, hash=GENESIS)
        session.connection().execute(first.on_conflict_do_nothing())
        head = _locked_head(session)
    assert head is not None  # it is there now, and nobody may delete it
    return head


def _locked_head(session: Session) -> tuple[int, str] | None:
    row = session.connection().execute(_LOCK, {"organisation": organisation_of(session)}).one_or_none()
    return (row[0], row[1]) if row else None


def _fault(row: _Row, expected_position: int, previous: str) -> str | None:
    position, stated_previous, stated_hash, hashed = row
    if position != expected_position:
        return f"entry {expected_position} is missing"
    if stated_previous != previous:
        return "the entry does not name the hash of the one before it"
    if canonical_hash(json.loads(hashed)) != stated_hash:
        return "the entry’s content does not have the hash recorded for it"
    return None
