"""Append to the ledger of the session's organisation, and prove its chain."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import ScalarResult
from sqlalchemy.orm import SessionTransaction
from sqlmodel import Session, col, select

from gateway.database.engine import organisation_of
from gateway.ledger.chain import GENESIS, entry_hash
from gateway.ledger.model import LedgerEntry, LedgerHead

_PAGE = 5000
_TURN = "ledger_turn"


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


@dataclass(frozen=True, slots=True)
class _Turn:
    """A head held, in that transaction or savepoint only: one that is undone gives its locks back."""

    transaction: SessionTransaction | None
    head: LedgerHead


def take_turn(session: Session) -> LedgerHead:
    """Wait for the organisation's other writers; from here to the end of the transaction they wait for this one.

    `append` does it by itself. A use case that reads what others may be writing takes its turn before it reads.
    """
    transaction = session.get_nested_transaction() or session.get_transaction()
    held: _Turn | None = session.info.get(_TURN)
    if held is not None and held.transaction is transaction:
        return held.head
    head = _locked_head(session).one_or_none()
    if head is None:
        session.execute(
            insert(LedgerHead)
            .values(organisation_id=organisation_of(session), position=0, hash=GENESIS)
            .on_conflict_do_nothing()
        )
        head = _locked_head(session).one()
    session.info[_TURN] = _Turn(transaction, head)
    return head


def append(
    session: Session,
    *,
    at: datetime,
    kind: str,
    subject: str,
    content: dict[str, Any],
    documents: Sequence[str] = (),
) -> LedgerEntry:
    """Add one fact; writers of one organisation wait for each other on the head's row.

    `content` must be JSON as it is read back (strings, integers, booleans, lists, objects): floats would not
    hash the same twice, so amounts are strings.
    """
    organisation_id = organisation_of(session)
    head = take_turn(session)
    entry = LedgerEntry(
        organisation_id=organisation_id,
        position=head.position + 1,
        at=at,
        kind=kind,
        subject=subject,
        content=content,
        documents=list(documents),
        previous_hash=head.hash,
        hash=entry_hash(
            organisation_id=str(organisation_id),
            position=head.position + 1,
            at=at,
            kind=kind,
            subject=subject,
            content=content,
            documents=documents,
            previous_hash=head.hash,
        ),
    )
    session.add(entry)
    head.position, head.hash = entry.position, entry.hash
    session.add(head)
    session.flush()
    return entry


def verify(session: Session, progress: Callable[[int], None] | None = None) -> Verification:
    """Recompute every hash of the organisation's chain in order and name the first broken link.

    `progress` is called with the number of entries proved so far, page by page.
    """
    position, previous = 0, GENESIS
    while True:
        page = session.exec(
            select(LedgerEntry).where(LedgerEntry.position > position).order_by(col(LedgerEntry.position)).limit(_PAGE)
        ).all()
        if not page:
            break
        for entry in page:
            reason = _fault(entry, position + 1, previous)
            if reason is not None:
                return Verification(position, entry.position, reason)
            position, previous = entry.position, entry.hash
        session.expunge_all()
        if progress is not None:
            progress(position)
    head = session.exec(select(LedgerHead)).one_or_none()
    if head is not None and (head.position, head.hash) != (position, previous):
        return Verification(position, position + 1, "the chain ends before the position its head records")
    return Verification(position)


def _locked_head(session: Session) -> ScalarResult[LedgerHead]:
    return session.exec(select(LedgerHead).with_for_update().execution_options(populate_existing=True))


def _fault(entry: LedgerEntry, expected_position: int, previous: str) -> str | None:
    if entry.position != expected_position:
        return f"entry {expected_position} is missing"
    if entry.previous_hash != previous:
        return "the entry does not name the hash of the one before it"
    computed = entry_hash(
        organisation_id=str(entry.organisation_id),
        position=entry.position,
        at=entry.at,
        kind=entry.kind,
        subject=entry.subject,
        content=entry.content,
        documents=entry.documents,
        previous_hash=entry.previous_hash,
    )
    return None if computed == entry.hash else "the entry's content does not have the hash recorded for it"
