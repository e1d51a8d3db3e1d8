"""How long documents are kept, legal hold, and the purge of what is past both.

Holds and purges are entries of the ledger and nothing else: who may delete, what was deleted and why is proved with the
rest of the chain. A purge happens in two steps, so that a crash in between loses nothing: first its entries are
committed, then the bytes go; bytes that stayed behind go with the next purge.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import text
from sqlmodel import Session, col, select

from gateway.database.engine import Database
from gateway.kernel.clock import paris_date
from gateway.kernel.dated import data_file, in_force
from gateway.ledger.documents import DocumentStore
from gateway.ledger.errors import LegalHoldError, NoRetentionRuleError
from gateway.ledger.model import LedgerEntry
from gateway.ledger.service import append, take_turn

PURGED = "document.purged"
HOLD_PLACED = "hold.placed"
HOLD_LIFTED = "hold.lifted"
_PREFIX = "document:"

#: What became of each document of each organisation that the session sees. A hold on a subject keeps every document
#: that an entry about that subject names, those to come included.
_FATES = text(
    f"""
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
    )
    SELECT document.organisation_id, sha256, document.size, greatest(document.stored_at, named.at) AS last_named_at,
        coalesce(named.is_held, false) AS is_held,
        coalesce(purged.position > coalesce(named.position, 0), false) AS is_purged, purged.at AS purged_at, purged.rule
    FROM document LEFT JOIN named USING (organisation_id, sha256) LEFT JOIN purged USING (organisation_id, sha256)
    WHERE CAST(:only AS text[]) IS NULL OR sha256 = ANY(CAST(:only AS text[]))
    ORDER BY sha256
    """
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


def plan_purge(session: Session, *, now: datetime, before: date | None = None) -> list[PurgeDecision]:
    """The documents of the organisation whose retention is over, held ones included and marked.

    `before` narrows them to those last named before that day (Paris); it never shortens the retention.
    """
    today = paris_date(now)
    rule = retention_rule(today)
    decisions = []
    for row in session.connection().execute(_FATES, {"only": None}):
        kept_until = rule.kept_until(row.last_named_at)
        wanted = before is None or paris_date(row.last_named_at) < before
        if not row.is_purged and kept_until < today and wanted:
            decisions.append(PurgeDecision(row.sha256, row.size, row.last_named_at, kept_until, rule.id, row.is_held))
    return decisions


def record_purge(session: Session, *, now: datetime, before: date | None = None) -> list[PurgeDecision]:
    """Plan the purge again, in the organisation's turn, and write an entry for each document that goes.

    Commit before `delete_purged_bytes`. Returns the decisions, held ones included.
    """
    take_turn(session)
    decisions = plan_purge(session, now=now, before=before)
    for each in decisions:
        if not each.is_held:
            append(
                session,
                at=now,
                kind=PURGED,
                subject=purge_subject(each.sha256),
                content={"rule": each.rule, "kept_until": each.kept_until.isoformat(), "size": each.size},
            )
    return decisions


def delete_purged_bytes(database: Database, store: DocumentStore, *, unless_kept_since: datetime) -> int:
    """Delete the bytes that every organisation which had them has purged; how many were there to delete.

    Organisations share the bytes of a document that both have: it stays while one of them keeps it.
    What the store was given (again) since `unless_kept_since` stays for now: its transaction may still be open.
    """
    with database.system_transaction() as session:
        rows = session.connection().execute(_FATES, {"only": _purged_once(session)}).all()
    kept = {row.sha256 for row in rows if not row.is_purged}
    gone = {row.sha256: row for row in rows if row.sha256 not in kept}
    return sum(
        store.purge(sha256, at=row.purged_at, rule=row.rule, unless_kept_since=unless_kept_since)
        for sha256, row in gone.items()
    )


def purge_subject(sha256: str) -> str:
    """Subject of the entries that record the purge of a document."""
    return _PREFIX + sha256


def purges_of(session: Session, documents: Iterable[str]) -> dict[str, int]:
    """Position of the last purge of each of the documents that the organisation ever purged."""
    subjects = [purge_subject(sha256) for sha256 in documents]
    rows = session.exec(
        select(LedgerEntry.subject, LedgerEntry.position)
        .where(LedgerEntry.kind == PURGED, col(LedgerEntry.subject).in_(subjects))
        .order_by(col(LedgerEntry.position))
    )
    return {subject.removeprefix(_PREFIX): position for subject, position in rows}


def purged_among(session: Session, documents: Iterable[str]) -> set[str]:
    """Those of the documents that the organisation has purged and not received again."""
    once = purges_of(session, documents)
    if not once:  # nearly always: the look at the whole ledger is spared
        return set()
    return {row.sha256 for row in session.connection().execute(_FATES, {"only": list(once)}) if row.is_purged}


def _purged_once(session: Session) -> Sequence[str]:
    subjects = session.exec(select(LedgerEntry.subject).where(LedgerEntry.kind == PURGED).distinct())
    return [subject.removeprefix(_PREFIX) for subject in subjects]


def _hold(session: Session, subject: str, kind: str, reason: str, now: datetime) -> None:
    take_turn(session)
    held = is_held(session, subject)
    if held == (kind == HOLD_PLACED):
        raise LegalHoldError(subject, held=held)
    append(session, at=now, kind=kind, subject=subject, content={"reason": reason})
