"""How long documents are kept, and legal hold: which documents may go at an instant.

Holds and purges are entries of the ledger and nothing else: who may delete, what was deleted and why is proved with the
rest of the chain. `purging` acts on what is decided here.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import text
from sqlmodel import Session, col, select

from gateway.kernel.clock import paris_date
from gateway.kernel.dated import data_file, in_force
from gateway.ledger.documents import hold_bytes
from gateway.ledger.errors import LegalHoldError, NoRetentionRuleError
from gateway.ledger.model import LedgerEntry
from gateway.ledger.service import Progress, append, head_position, take_turn

PURGED = "document.purged"
HOLD_PLACED = "hold.placed"
HOLD_LIFTED = "hold.lifted"
_PREFIX = "document:"
_PAGE = 5000

#: What became of each document of each organisation that the session sees. A hold on a subject keeps every document
#: that an entry about that subject names, those to come included.
FATES = f"""
    WITH hold AS (
        SELECT DISTINCT ON (organisation_id, subject) organisation_id, subject, kind = '{HOLD_PLACED}' AS is_held
        FROM ledger_entry WHERE kind IN ('{HOLD_PLACED}', '{HOLD_LIFTED}')
        ORDER BY organisation_id, subject, position DESC
    ), named AS (
        SELECT e.organisation_id, d.sha256, max(e.position) AS position, max(e.at) AS at,
            coalesce(bool_or(hold.is_held), false) AS is_held
        FROM ledger_entry e CROSS JOIN LATERAL jsonb_array_elements_text(e.documents) AS d(sha256)
        LEFT JOIN hold ON hold.organisation_id = e.organisation_id AND hold.subject = e.subject
        GROUP BY e.organisation_id, d.sha256
    ), purged AS (
        SELECT organisation_id, substr(subject, {len(_PREFIX) + 1}) AS sha256, max(position) AS position, max(at) AS at,
            (array_agg(content ->> 'rule' ORDER BY position DESC))[1] AS rule
        FROM ledger_entry WHERE kind = '{PURGED}' GROUP BY organisation_id, subject
    ), fate AS (
        SELECT document.organisation_id, sha256, document.size,
            greatest(document.stored_at, named.at) AS last_named_at, coalesce(named.is_held, false) AS is_held,
            coalesce(purged.position > coalesce(named.position, 0), false) AS is_purged,
            purged.at AS purged_at, purged.rule
        FROM document LEFT JOIN named USING (organisation_id, sha256) LEFT JOIN purged USING (organisation_id, sha256)
    )
    """
_THERE = text(f"{FATES} SELECT * FROM fate WHERE NOT is_purged ORDER BY sha256").execution_options(
    stream_results=True, max_row_buffer=_PAGE
)
_KNOWN = text("SELECT count(*) FROM document")
_PURGED_AMONG = text(
    f"{FATES} SELECT sha256 FROM fate JOIN unnest(CAST(:asked AS text[])) AS asked(sha256) USING (sha256) "
    "WHERE is_purged"
)
_NAMED_BY = text(
    "SELECT DISTINCT d.sha256 FROM ledger_entry CROSS JOIN LATERAL jsonb_array_elements_text(documents) AS d(sha256) "
    "WHERE subject = :subject ORDER BY d.sha256"
)


@dataclass(frozen=True, slots=True)
class RetentionRule:
    """How long a document is kept: `years` full calendar years after the one in which it was last named."""

    id: str
    years: int

    def kept_until(self, last_named_at: datetime) -> date:
        """Last day (Paris) on which the document must be there."""
        return date(paris_date(last_named_at).year + self.years, 12, 31)


@dataclass(frozen=True, slots=True)
class PurgeDecision:
    """One document past its retention.

    Attributes:
        last_named_at: when the ledger last named it (UTC); `kept_until`: last day of its retention (Paris).
        is_held: a legal hold keeps it all the same.
    """

    sha256: str
    size: int
    last_named_at: datetime
    kept_until: date
    rule: str
    is_held: bool


@dataclass(frozen=True, slots=True)
class PurgePlan:
    """What is past its retention, in order of sha256, as the organisation's ledger stood at `position`.

    `decisions` are read once, while the transaction that made the plan is open.
    """

    position: int
    decisions: Iterable[PurgeDecision]


def retention_rule(on: date) -> RetentionRule:
    """The rule of `schemas/retention.toml` in force on a day. Raises NoRetentionRuleError."""
    entry = in_force(data_file("retention.toml")["document"], on)
    if entry is None:
        raise NoRetentionRuleError(on)
    return RetentionRule(entry["id"], entry["years"])


def place_hold(session: Session, subject: str, *, reason: str, now: datetime) -> None:
    """Keep every document of a subject (`invoice:…`) whatever its age. Raises LegalHoldError when it is held."""
    _hold(session, subject, HOLD_PLACED, reason, now)


def lift_hold(session: Session, subject: str, *, reason: str, now: datetime) -> None:
    """Let retention run again for a subject. Raises LegalHoldError when it is not held."""
    _hold(session, subject, HOLD_LIFTED, reason, now)


def is_held(session: Session, subject: str) -> bool:
    """Whether a legal hold is on a subject."""
    last = session.exec(
        select(LedgerEntry.kind)
        .where(LedgerEntry.subject == subject, col(LedgerEntry.kind).in_((HOLD_PLACED, HOLD_LIFTED)))
        .order_by(col(LedgerEntry.position).desc())
        .limit(1)
    ).one_or_none()
    return last == HOLD_PLACED


def plan_purge(
    session: Session, *, now: datetime, before: date | None = None, progress: Progress | None = None
) -> PurgePlan:
    """The documents of the organisation whose retention is over, held ones included and marked.

    `before` narrows them to those last named before that day (Paris); it never shortens the retention. `progress` is
    called page by page, as the decisions are read, with the documents looked at and the number to look at.
    """
    today = paris_date(now)
    rule = retention_rule(today)
    position = head_position(session)
    total = session.connection().execute(_KNOWN).scalar_one()
    rows = session.connection().execute(_THERE)

    def decisions() -> Iterator[PurgeDecision]:
        looked_at = 0
        for page in rows.partitions(_PAGE):
            for row in page:
                kept_until = rule.kept_until(row.last_named_at)
                if kept_until < today and (before is None or paris_date(row.last_named_at) < before):
                    yield PurgeDecision(row.sha256, row.size, row.last_named_at, kept_until, rule.id, row.is_held)
            looked_at += len(page)
            if progress is not None:
                progress(looked_at, total)

    return PurgePlan(position, decisions())


def purge_subject(sha256: str) -> str:
    """Subject of the entries that record the purge of a document."""
    return _PREFIX + sha256


@dataclass(frozen=True, slots=True)
class Purge:
    """An entry that records the purge of a document: its position and its instant (UTC)."""

    position: int
    at: datetime


def purges_of(session: Session, documents: Iterable[str]) -> dict[str, Purge]:
    """The last purge of each of the documents that the organisation ever purged."""
    subjects = [purge_subject(sha256) for sha256 in documents]
    rows = session.exec(
        select(LedgerEntry.subject, LedgerEntry.position, LedgerEntry.at)
        .where(LedgerEntry.kind == PURGED, col(LedgerEntry.subject).in_(subjects))
        .order_by(col(LedgerEntry.position))
    )
    return {subject.removeprefix(_PREFIX): Purge(position, at) for subject, position, at in rows}


class HoldHistory:
    """Which documents a legal hold kept at which position of the organisation's chain."""

    def __init__(self, session: Session) -> None:
        self._holds: dict[str, list[tuple[int, bool]]] = {}
        holds = select(LedgerEntry.subject, LedgerEntry.position, LedgerEntry.kind).where(
            col(LedgerEntry.kind).in_((HOLD_PLACED, HOLD_LIFTED))
        )
        for subject, position, kind in session.exec(holds.order_by(col(LedgerEntry.position))):
            self._holds.setdefault(subject, []).append((position, kind == HOLD_PLACED))
        self._subjects: dict[str, list[str]] = {}
        for subject in self._holds:
            for sha256 in _documents_of(session, subject):
                self._subjects.setdefault(sha256, []).append(subject)

    def was_held(self, sha256: str, position: int) -> bool:
        """Whether a hold on one of the document's subjects stood just before that position."""
        return any(
            [placed for at, placed in self._holds[subject] if at < position][-1:] == [True]
            for subject in self._subjects.get(sha256, ())
        )


def purged_among(session: Session, documents: Iterable[str]) -> set[str]:
    """Those of the documents that the organisation has purged and not received again."""
    once = purges_of(session, documents)
    if not once:  # nearly always: the look at the whole ledger is spared
        return set()
    return set(session.connection().execute(_PURGED_AMONG, {"asked": list(once)}).scalars())


def _hold(session: Session, subject: str, kind: str, reason: str, now: datetime) -> None:
    take_turn(session)
    held = is_held(session, subject)
    if held == (kind == HOLD_PLACED):
        raise LegalHoldError(subject, held=held)
    append(session, at=now, kind=kind, subject=subject, content={"reason": reason})
    for sha256 in _documents_of(session, subject):
        hold_bytes(session, sha256)  # a purge that is deleting them ends first; the next one sees the hold


def _documents_of(session: Session, subject: str) -> Sequence[str]:
    return session.connection().execute(_NAMED_BY, {"subject": subject}).scalars().all()
