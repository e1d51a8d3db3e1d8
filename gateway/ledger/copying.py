"""From one document store to another: every document that the database knows, read back and compared by its hash."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum, auto

from sqlalchemy import text

from gateway.database.engine import Database
from gateway.ledger.documents import DocumentStore
from gateway.ledger.errors import DocumentDamagedError, DocumentMissingError, DocumentPurgedError
from gateway.ledger.service import Progress

_PAGE = 500
_THREADS = 8
_COUNT = text("SELECT count(DISTINCT sha256) FROM document")
_ALL = text("SELECT DISTINCT sha256 FROM document ORDER BY sha256").execution_options(
    stream_results=True, max_row_buffer=_PAGE
)


@dataclass(frozen=True, slots=True)
class Copied:
    """How many documents are in the other store with their hash, and how many notes of a purge; what is not, sorted."""

    intact: int
    purged: int
    faulty: tuple[str, ...]


class _Outcome(Enum):
    INTACT = auto()
    PURGED = auto()
    FAULTY = auto()


def copy_documents(
    database: Database, source: DocumentStore, target: DocumentStore, progress: Progress | None = None
) -> Copied:
    """Copy what is not there yet; done again, it only adds what is new.

    Raises DocumentStoreError. A document that is missing or damaged in either store is named in the result.
    """
    outcomes = dict.fromkeys(_Outcome, 0)
    faulty: list[str] = []
    with database.system_transaction() as session, ThreadPoolExecutor(_THREADS) as pool:
        total = session.connection().execute(_COUNT).scalar_one()
        with session.connection().execute(_ALL) as rows:
            for page in rows.scalars().partitions(_PAGE):
                for sha256, outcome in zip(page, pool.map(lambda one: _copy(source, target, one), page), strict=True):
                    outcomes[outcome] += 1
                    if outcome is _Outcome.FAULTY:
                        faulty.append(sha256)
                if progress is not None:
                    progress(sum(outcomes.values()), total)
    return Copied(outcomes[_Outcome.INTACT], outcomes[_Outcome.PURGED], tuple(faulty))


def _copy(source: DocumentStore, target: DocumentStore, sha256: str) -> _Outcome:
    try:
        target.put(source.get(sha256))
        target.get(sha256)
    except DocumentPurgedError as purged:
        target.note_purge(sha256, at=purged.at, rule=purged.rule)
        return _Outcome.PURGED
    except (DocumentMissingError, DocumentDamagedError):
        return _Outcome.FAULTY
    return _Outcome.INTACT
