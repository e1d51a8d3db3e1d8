"""The purge: what `retention` decided is written into the ledger, then done.

In steps, so that a crash in between loses nothing: the entries are committed, batch by batch so that other writers have
their turns; then the bytes go; then an entry says that the deletion was completed. Bytes that stayed behind (a crash, a
hold placed in between, a document being kept at that moment) go with a later purge. What is to go is read from a cursor
as it is done: the memory does not grow with it.
"""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
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
    WITH span AS MATERIALIZED (  -- the bounds of each look are known before it, so that it goes by the index
        SELECT organisation_id, coalesce(known.position, 0) AS after, head.position AS up_to FROM ledger_head AS head
        LEFT JOIN unnest(CAST(:organisations AS uuid[]), CAST(:positions AS bigint[]))
            AS known(organisation_id, position) USING (organisation_id)
    ), tail AS MATERIALIZED (
        SELECT entry.* FROM span CROSS JOIN LATERAL (
            SELECT * FROM ledger_entry
            WHERE organisation_id = span.organisation_id AND position > span.after AND position <= span.up_to
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
#: A purge writes many entries of a kind that the server has not counted yet: it would look for each document in all.
_COUNT_ANEW = text("ANALYZE ledger_entry")
_HEADS = text("SELECT organisation_id, position FROM ledger_head")
#: Documents purged since the last completed deletion of an organisation, and those that it left.
_WANTED = f"""
    last AS (
        SELECT DISTINCT ON (organisation_id) organisation_id, (content ->> 'up_to')::bigint AS up_to,
            content -> 'left' AS remaining
        FROM ledger_entry WHERE subject = '{_SUBJECT}' AND kind = '{COMPLETED}'
        ORDER BY organisation_id, position DESC
    ), wanted AS (
        SELECT entry.organisation_id, substr(entry.subject, {len(purge_subject("")) + 1}) AS sha256, entry.position
            FROM ledger_entry entry LEFT JOIN last USING (organisation_id)
            WHERE entry.kind = '{PURGED}' AND entry.position > coalesce(last.up_to, 0)
        UNION ALL SELECT organisation_id, d.sha256, up_to
            FROM last CROSS JOIN LATERAL jsonb_array_elements_text(remaining) AS d(sha256)
    )
    """
_PENDING = text(
    f"WITH {_WANTED} SELECT organisation_id, max(position) AS up_to, count(DISTINCT sha256) AS documents "
    "FROM wanted GROUP BY organisation_id"
)
_LEFT = text(
    f"WITH {_WANTED} SELECT DISTINCT sha256 FROM wanted JOIN unnest(CAST(:left AS text[])) AS l(sha256) USING (sha256) "
    "WHERE organisation_id = :organisation ORDER BY sha256"
)
#: Organisations share the bytes of a document that several have: it stays while one of them keeps it.
_GONE = text(
    f"""
    {FATES}, {_WANTED} SELECT sha256, max(purged_at) AS at, max(rule) AS rule, bool_and(NOT is_held) AS is_free
    FROM fate JOIN (SELECT DISTINCT sha256 FROM wanted) AS asked USING (sha256)
    GROUP BY sha256 HAVING bool_and(is_purged) ORDER BY sha256
    """
).execution_options(stream_results=True, max_row_buffer=_DELETED_TOGETHER)


_T = TypeVar("_T")
#: sha256, instant and rule of the purge, and whether no hold keeps it.
_Gone = Row[tuple[str, datetime, str, bool]]
#: Organisation, position of its last purge, number of documents purged and not yet settled.
_Pending = Row[tuple[UUID, int, int]]


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


def record_purge(database: Database, organisation: UUID, plan: PurgePlan, *, now: datetime) -> Iterator[PurgeDecision]:
    """Write an entry for each document of the plan that goes, as the decisions are read: those done, and those held.

    What was named, held or purged by another since the plan stays. Commits batch by batch.
    """
    watch = _Watch({organisation: plan.position})
    for batch in _batches(plan.decisions, _BATCH):
        with database.transaction(organisation) as session:
            take_turn(session)
            touched = watch.look(session)
            done = [each for each in batch if each.is_held or each.sha256 not in touched]
            going = [(purge_subject(each.sha256), _said(each)) for each in done if not each.is_held]
            append_all(session, at=now, kind=PURGED, facts=going)
            watch.positions[organisation] += len(going)  # the look came to the head: its own entries are no news
        yield from done


def delete_purged_bytes(
    database: Database, store: DocumentStore, *, now: datetime, progress: Progress | None = None
) -> int:
    """Delete the bytes that every organisation which had them has purged and none holds; how many were there.

    Each is deleted under a lock that whoever keeps a document or places a hold takes, too, after a last look.
    `progress` is called batch by batch with the documents done and the number to do.
    """
    left: set[str] = set()
    deleted = done = 0
    with database.system_transaction() as session:
        session.connection().execute(_COUNT_ANEW)
    with database.system_transaction() as planning, ThreadPoolExecutor(_THREADS) as pool:
        plan = planning.connection(execution_options={"isolation_level": "REPEATABLE READ"})  # one instant for all
        watch = _Watch({row.organisation_id: row.position for row in plan.execute(_HEADS)})
        pending = plan.execute(_PENDING).all()
        total = sum(row.documents for row in pending)
        with plan.execute(_GONE) as gone:
            for batch in gone.partitions(_DELETED_TOGETHER):
                with database.system_transaction() as session:
                    mine = _still_free(session, [row for row in batch if row.is_free], watch)
                    deleted += sum(pool.map(lambda row: store.purge(row.sha256, at=row.at, rule=row.rule), mine))
                left |= {row.sha256 for row in batch} - {row.sha256 for row in mine}
                done += len(batch)
                if progress is not None:
                    progress(done, total)
        for row in pending:
            of_it = {"organisation": row.organisation_id, "left": list(left)}
            _complete(database, row, list(plan.execute(_LEFT, of_it).scalars()) if left else [], now)
    return deleted


def _still_free(session: Session, batch: Sequence[_Gone], watch: _Watch) -> list[_Gone]:
    """Those that nobody is keeping now, nor kept, held or named since the plan."""
    locked = hold_bytes_alone(session, [row.sha256 for row in batch])
    touched = watch.look(session)  # after the locks: what comes later waits for them
    return [row for row in batch if row.sha256 in locked and row.sha256 not in touched]


def _complete(database: Database, pending: _Pending, left: list[str], now: datetime) -> None:
    """Let an organisation's ledger say how far its purges were carried out, so that the next one starts there."""
    settled = pending.documents - len(left)
    if settled == 0:  # nothing was done
        return
    content = {"up_to": pending.up_to, "settled": settled, "left": left}
    with database.transaction(pending.organisation_id) as session:
        append(session, at=now, kind=COMPLETED, subject=_SUBJECT, content=content)


def _said(decision: PurgeDecision) -> dict[str, str | int]:
    return {"rule": decision.rule, "kept_until": decision.kept_until.isoformat(), "size": decision.size}


def _batches(rows: Iterable[_T], size: int) -> Iterator[list[_T]]:
    remaining = iter(rows)
    while batch := list(islice(remaining, size)):
        yield batch
