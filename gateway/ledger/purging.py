"""The purge: what `retention` decided is written into the ledger, then done.

In steps, so that a crash in between loses nothing: the entries are committed, batch by batch so that other writers have
their turns; then the bytes go; then an entry says that the deletion was completed. Bytes that stayed behind (a crash, a
hold placed in between, a document being kept at that moment) go with a later purge.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from sqlalchemy import Row, text
from sqlmodel import Session

from gateway.database.engine import Database
from gateway.ledger.documents import DocumentStore, hold_bytes_alone
from gateway.ledger.retention import FATES, HOLD_PLACED, PURGED, PurgeDecision, PurgePlan, purge_subject
from gateway.ledger.service import Progress, append, append_all, take_turn

#: The entry that says that the bytes of all purges up to a position were deleted, but for those it lists as left.
COMPLETED = "purge.completed"
_BATCH = 1000
#: Fewer: each document of such a batch is locked while the batch is deleted.
_DELETED_TOGETHER = 200
_THREADS = 8
_SUBJECT = "purge"

#: Documents that a plan must leave alone: named, held or purged after the positions that the plan knew.
_SINCE = text(
    f"""
    WITH tail AS MATERIALIZED (
        SELECT entry.* FROM ledger_head AS head
        LEFT JOIN unnest(CAST(:organisations AS uuid[]), CAST(:positions AS bigint[]))
            AS known(organisation_id, position) USING (organisation_id)
        CROSS JOIN LATERAL (
            SELECT * FROM ledger_entry
            WHERE organisation_id = head.organisation_id
                AND position > coalesce(known.position, 0) AND position <= head.position
        ) AS entry
    )
    SELECT organisation_id, position, d.sha256
        FROM tail LEFT JOIN LATERAL jsonb_array_elements_text(documents) AS d(sha256) ON true
    UNION ALL SELECT organisation_id, position, substr(subject, {len(purge_subject("")) + 1})
        FROM tail WHERE kind = '{PURGED}'
    UNION ALL SELECT tail.organisation_id, tail.position, d.sha256
        FROM tail CROSS JOIN LATERAL (  -- OFFSET 0: by the index for each hold, never over the whole ledger
            SELECT * FROM ledger_entry
            WHERE organisation_id = tail.organisation_id AND subject = tail.subject OFFSET 0
        ) AS e CROSS JOIN LATERAL jsonb_array_elements_text(e.documents) AS d(sha256)
        WHERE tail.kind = '{HOLD_PLACED}'
    """
)
_HEADS = text("SELECT organisation_id, position FROM ledger_head")
#: Documents purged since the last completed deletion of an organisation, and those that it left.
_TO_DELETE = text(
    f"""
    WITH last AS (
        SELECT DISTINCT ON (organisation_id) organisation_id, (content ->> 'up_to')::bigint AS up_to,
            content -> 'left' AS remaining
        FROM ledger_entry WHERE subject = '{_SUBJECT}' AND kind = '{COMPLETED}'
        ORDER BY organisation_id, position DESC
    )
    SELECT entry.organisation_id, substr(entry.subject, {len(purge_subject("")) + 1}) AS sha256, entry.position
        FROM ledger_entry entry LEFT JOIN last USING (organisation_id)
        WHERE entry.kind = '{PURGED}' AND entry.position > coalesce(last.up_to, 0)
    UNION ALL SELECT organisation_id, d.sha256, up_to
        FROM last CROSS JOIN LATERAL jsonb_array_elements_text(remaining) AS d(sha256)
    """
)
#: Organisations share the bytes of a document that several have: it stays while one of them keeps it.
_GONE = text(
    f"""
    {FATES} SELECT sha256, max(purged_at) AS at, max(rule) AS rule, bool_and(NOT is_held) AS is_free
    FROM fate JOIN unnest(CAST(:asked AS text[])) AS asked(sha256) USING (sha256)
    GROUP BY sha256 HAVING bool_and(is_purged) ORDER BY sha256
    """
)


_T = TypeVar("_T")
#: sha256, instant and rule of the purge, and whether no hold keeps it.
_Gone = Row[tuple[str, datetime, str, bool]]
#: Organisation, sha256, position of the purge.
_Purge = Row[tuple[UUID, str, int]]


@dataclass(slots=True)
class _Watch:
    """What happened in the ledgers since a plan was made, read a little further at each look."""

    positions: dict[UUID, int]
    touched: set[str] = field(default_factory=set)

    def look(self, session: Session) -> set[str]:
        """The documents that were named, held or purged since the plan."""
        known = {"organisations": list(self.positions), "positions": list(self.positions.values())}
        for organisation, position, sha256 in session.connection().execute(_SINCE, known):
            self.positions[organisation] = max(position, self.positions.get(organisation, 0))
            if sha256 is not None:
                self.touched.add(sha256)
        return self.touched


def record_purge(
    database: Database, organisation: UUID, plan: PurgePlan, *, now: datetime, progress: Progress | None = None
) -> list[PurgeDecision]:
    """Write an entry for each document of the plan that goes; those whose entries were written.

    What was named, held or purged by another since the plan stays. Commits batch by batch.
    """
    going = [each for each in plan.decisions if not each.is_held]
    watch = _Watch({organisation: plan.position})
    recorded: list[PurgeDecision] = []
    for number, batch in enumerate(_batches(going, _BATCH), 1):
        with database.transaction(organisation) as session:
            take_turn(session)
            touched = watch.look(session)
            still = [each for each in batch if each.sha256 not in touched]
            append_all(
                session, at=now, kind=PURGED, facts=((purge_subject(each.sha256), _said(each)) for each in still)
            )
        recorded += still
        if progress is not None:
            progress(min(number * _BATCH, len(going)), len(going))
    return recorded


def delete_purged_bytes(
    database: Database, store: DocumentStore, *, now: datetime, progress: Progress | None = None
) -> int:
    """Delete the bytes that every organisation which had them has purged and none holds; how many were there.

    Each is deleted under a lock that whoever keeps a document or places a hold takes, too, after a last look.
    """
    with database.system_transaction() as session:
        watch = _Watch({row.organisation_id: row.position for row in session.connection().execute(_HEADS)})
        wanted = session.connection().execute(_TO_DELETE).all()
        gone = session.connection().execute(_GONE, {"asked": list({row.sha256 for row in wanted})}).all()
    left = {row.sha256 for row in gone if not row.is_free}
    free = [row for row in gone if row.is_free]
    deleted = done = 0
    with ThreadPoolExecutor(_THREADS) as pool:
        for batch in _batches(free, _DELETED_TOGETHER):
            with database.system_transaction() as session:
                mine = _still_free(session, batch, watch)
                deleted += sum(pool.map(lambda row: store.purge(row.sha256, at=row.at, rule=row.rule), mine))
            left |= {row.sha256 for row in batch} - {row.sha256 for row in mine}
            done += len(batch)
            if progress is not None:
                progress(done, len(free))
    _complete(database, wanted, left, now)
    return deleted


def _still_free(session: Session, batch: Sequence[_Gone], watch: _Watch) -> list[_Gone]:
    """Those that nobody is keeping now, nor kept, held or named since the plan."""
    locked = hold_bytes_alone(session, [row.sha256 for row in batch])
    touched = watch.look(session)  # after the locks: what comes later waits for them
    return [row for row in batch if row.sha256 in locked and row.sha256 not in touched]


def _complete(database: Database, wanted: Sequence[_Purge], left: set[str], now: datetime) -> None:
    """Let each organisation's ledger say how far its purges were carried out, so that the next one starts there."""
    by_organisation: dict[UUID, list[_Purge]] = {}
    for row in wanted:
        by_organisation.setdefault(row.organisation_id, []).append(row)
    for organisation, rows in by_organisation.items():
        documents = {row.sha256 for row in rows}
        if documents <= left:  # nothing was done
            continue
        content = {
            "up_to": max(row.position for row in rows),
            "settled": len(documents - left),
            "left": sorted(documents & left),
        }
        with database.transaction(organisation) as session:
            append(session, at=now, kind=COMPLETED, subject=_SUBJECT, content=content)


def _said(decision: PurgeDecision) -> dict[str, str | int]:
    return {"rule": decision.rule, "kept_until": decision.kept_until.isoformat(), "size": decision.size}


def _batches(rows: Sequence[_T], size: int) -> Iterator[Sequence[_T]]:
    return (rows[start : start + size] for start in range(0, len(rows), size))
