"""Proof that every document that the ledger names is in the store with its hash, or was purged by rule."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto

from sqlalchemy import Row, text
from sqlmodel import Session

from gateway.kernel.clock import paris_date
from gateway.ledger.documents import DocumentStore
from gateway.ledger.errors import DocumentDamagedError, DocumentMissingError
from gateway.ledger.retention import HoldHistory, Purge, purges_of, retention_rule
from gateway.ledger.service import START, ChainStart, Progress

_PAGE = 500
_SHOWN = 20
_THREADS = 8
_CHANGED = "its bytes were changed"
_FROM = "FROM ledger_entry CROSS JOIN LATERAL jsonb_array_elements_text(documents) AS d(sha256) WHERE position > :after"
_COUNT = text(f"SELECT count(DISTINCT d.sha256) {_FROM}")
_NAMED = text(
    f"SELECT d.sha256, min(position) AS position, max(position) AS last, max(at) AS last_at {_FROM} "
    "GROUP BY d.sha256 ORDER BY position"
).execution_options(stream_results=True, max_row_buffer=_PAGE)
#: sha256, first and last position that names it, instant of the last.
_Named = Row[tuple[str, int, int, datetime]]


class _Outcome(Enum):
    INTACT = auto()
    CHANGED = auto()
    ABSENT = auto()


@dataclass(frozen=True, slots=True)
class DocumentFault:
    """A document that is not as the ledger says: its hash, the first entry that names it, and what is wrong."""

    sha256: str
    position: int
    reason: str


@dataclass(frozen=True, slots=True)
class DocumentsProof:
    """How many documents are intact, purged and faulty; the first faults, in order of the entries that name them."""

    intact: int
    purged: int
    faulty: int
    first_faults: tuple[DocumentFault, ...]

    @property
    def holds(self) -> bool:
        """True when nothing is missing or damaged."""
        return self.faulty == 0


def verify_documents(
    session: Session, store: DocumentStore, progress: Progress | None = None, *, since: ChainStart = START
) -> DocumentsProof:
    """Read every document named by an entry after `since` and compare its hash.

    Bytes that are not there count as purged only when an entry of the ledger says so, and when the purge was one that
    retention and legal hold allowed. `progress` is called page by page with the number of documents read and the number
    to read. Raises DocumentStoreError.
    """
    total = session.connection().execute(_COUNT, {"after": since.position}).scalar_one()
    holds = HoldHistory(session)
    intact = purged = faulty = 0
    faults: list[DocumentFault] = []
    with (
        session.connection().execute(_NAMED, {"after": since.position}) as result,
        ThreadPoolExecutor(_THREADS) as pool,
    ):
        for page in result.partitions(_PAGE):
            outcomes = list(pool.map(lambda row: _looked_at(store, row.sha256), page))
            absent = [row.sha256 for row, outcome in zip(page, outcomes, strict=True) if outcome is _Outcome.ABSENT]
            purges = purges_of(session, absent) if absent else {}
            for row, outcome in zip(page, outcomes, strict=True):
                if outcome is _Outcome.INTACT:
                    intact += 1
                    continue
                reason = _CHANGED if outcome is _Outcome.CHANGED else _absence_fault(row, purges.get(row.sha256), holds)
                if reason is None:
                    purged += 1
                    continue
                faulty += 1
                if len(faults) < _SHOWN:
                    faults.append(DocumentFault(row.sha256, row.position, reason))
            if progress is not None:
                progress(intact + purged + faulty, total)
    return DocumentsProof(intact, purged, faulty, tuple(faults))


def _looked_at(store: DocumentStore, sha256: str) -> _Outcome:
    try:
        store.get(sha256)
    except DocumentMissingError:
        return _Outcome.ABSENT
    except DocumentDamagedError:
        return _Outcome.CHANGED
    return _Outcome.INTACT


def _absence_fault(row: _Named, purge: Purge | None, holds: HoldHistory) -> str | None:
    """Why the absence of a document is a fault; None when it was rightly purged after it was last named."""
    if purge is None or purge.position <= row.last:
        return "it is missing"
    day = paris_date(purge.at)
    if day <= retention_rule(day).kept_until(row.last_at):
        return "it was purged before its retention was over"
    return "it was purged while a legal hold kept it" if holds.was_held(row.sha256, purge.position) else None
