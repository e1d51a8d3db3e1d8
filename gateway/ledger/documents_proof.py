"""Proof that every document that the ledger names is in the store with its hash, or was purged by rule."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlmodel import Session

from gateway.ledger.documents import DocumentStore
from gateway.ledger.errors import DocumentDamagedError, DocumentMissingError
from gateway.ledger.retention import purges_of
from gateway.ledger.service import START, ChainStart, Progress

_PAGE = 500
_SHOWN = 20
_FROM = "FROM ledger_entry CROSS JOIN LATERAL jsonb_array_elements_text(documents) AS d(sha256) WHERE position > :after"
_COUNT = text(f"SELECT count(DISTINCT d.sha256) {_FROM}")
_NAMED = text(
    f"SELECT d.sha256, min(position) AS position, max(position) {_FROM} GROUP BY d.sha256 ORDER BY position"
).execution_options(stream_results=True, yield_per=_PAGE)


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

    Bytes that are not there count as purged only when an entry of the ledger says so. `progress` is called page by page
    with the number of documents read and the number to read.
    """
    total = session.connection().execute(_COUNT, {"after": since.position}).scalar_one()
    intact = purged = faulty = 0
    faults: list[DocumentFault] = []
    with session.connection().execute(_NAMED, {"after": since.position}) as result:
        for page in result.partitions():
            absent: dict[str, tuple[int, int]] = {}
            for sha256, position, last in page:
                try:
                    store.get(sha256)
                    intact += 1
                except DocumentMissingError:
                    absent[sha256] = position, last
                except DocumentDamagedError:
                    faulty += 1
                    faults.append(DocumentFault(sha256, position, "its bytes were changed"))
            purges = purges_of(session, absent) if absent else {}
            explained = {sha256 for sha256, (_, last) in absent.items() if purges.get(sha256, 0) > last}
            purged += len(explained)
            faulty += len(absent) - len(explained)
            faults += [
                DocumentFault(sha256, position, "it is missing")
                for sha256, (position, _) in absent.items()
                if sha256 not in explained
            ]
            del faults[_SHOWN:]
            if progress is not None:
                progress(intact + purged + faulty, total)
    return DocumentsProof(intact, purged, faulty, tuple(faults))
