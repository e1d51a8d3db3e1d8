"""Content-addressed documents: bytes in a store under their sha256, one row per organisation that holds them.

Bytes are durable before the row is committed, so that a committed row always has its bytes; a crash in between leaves
a file that no row names, which is harmless. Whoever keeps a document holds a lock on it until the transaction ends, so
that no purge deletes what is being kept. A purge leaves a note in place of the bytes.
"""

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session

from gateway.database.engine import organisation_of
from gateway.ledger.errors import DocumentDamagedError, DocumentMissingError, DocumentPurgedError
from gateway.ledger.model import Document
from gateway.ledger.storage import FolderStorage, Storage

_NOTE = ".purged"
_HOLD = text("SELECT pg_advisory_xact_lock_shared(number) FROM unnest(CAST(:numbers AS bigint[])) AS number")
_HOLD_ALONE = text(
    "SELECT sha256 FROM unnest(CAST(:documents AS text[]), CAST(:numbers AS bigint[])) AS wanted(sha256, number) "
    "WHERE pg_try_advisory_xact_lock(number)"
)


class DocumentStore:
    """Documents under their sha256, in a folder or in any other storage. Threads may share it."""

    def __init__(self, place: Path | Storage) -> None:
        self._storage: Storage = FolderStorage(place) if isinstance(place, Path) else place

    @property
    def place(self) -> str:
        """Where it is, for people."""
        return self._storage.place

    def put(self, data: bytes) -> str:
        """Keep `data`, durably, and return its sha256 in lower-case hexadecimal. Writing twice is harmless."""
        sha256 = hashlib.sha256(data).hexdigest()
        self._storage.keep(sha256, data)
        return sha256

    def get(self, sha256: str) -> bytes:
        """The bytes kept under `sha256`. Raises DocumentMissingError (DocumentPurgedError), DocumentDamagedError."""
        data = self._storage.read(sha256)
        if data is None:
            note = self._storage.read(sha256 + _NOTE)
            if note is None:
                raise DocumentMissingError(sha256)
            purged = json.loads(note)
            raise DocumentPurgedError(sha256, datetime.fromisoformat(purged["at"]), purged["rule"])
        if hashlib.sha256(data).hexdigest() != sha256:
            raise DocumentDamagedError(sha256)
        return data

    def purge(self, sha256: str, *, at: datetime, rule: str) -> bool:
        """Delete the bytes and leave a note of when and by which rule; True when there were bytes to delete."""
        if not self._storage.has(sha256):
            return False
        self.note_purge(sha256, at=at, rule=rule)
        self._storage.remove(sha256)
        return True

    def note_purge(self, sha256: str, *, at: datetime, rule: str) -> None:
        """Leave the note of a purge, in place of an earlier one."""
        self._storage.write(sha256 + _NOTE, json.dumps({"at": at.isoformat(), "rule": rule}).encode())


def keep_document(session: Session, store: DocumentStore, data: bytes, media_type: str, at: datetime) -> str:
    """Keep `data` for the session's organisation and return its sha256; keeping it again changes nothing.

    The entry of the ledger that names the document belongs to the same transaction.
    """
    return keep_documents(session, store, [(data, media_type)], at)[0]


def keep_documents(
    session: Session, store: DocumentStore, documents: Sequence[tuple[bytes, str]], at: datetime
) -> list[str]:
    """The same for several documents, each with its media type; their sha256 in the same order."""
    names = [hashlib.sha256(data).hexdigest() for data, _ in documents]
    rows = {
        sha256: {
            "organisation_id": organisation_of(session),
            "sha256": sha256,
            "media_type": media_type,
            "size": len(data),
            "stored_at": at,
        }
        for sha256, (data, media_type) in zip(names, documents, strict=True)
    }
    if not rows:
        return []
    hold_bytes(session, *rows)
    for data, _ in documents:
        store.put(data)
    # In one order for everybody: whoever keeps some of them meanwhile waits for this one, and never in a circle.
    added = insert(Document).values([rows[sha256] for sha256 in sorted(rows)]).on_conflict_do_nothing()
    session.connection().execute(added)
    return names


def hold_bytes(session: Session, *documents: str) -> None:
    """Let no purge delete the bytes of documents before this transaction ends; waits for one that is at it."""
    session.connection().execute(_HOLD, {"numbers": [_lock_number(sha256) for sha256 in documents]})


def hold_bytes_alone(session: Session, documents: Sequence[str]) -> set[str]:
    """The same for a purge, that nobody keeps them before this transaction ends; those that nobody is keeping now."""
    wanted = {"documents": list(documents), "numbers": [_lock_number(each) for each in documents]}
    return set(session.connection().execute(_HOLD_ALONE, wanted).scalars())


def _lock_number(sha256: str) -> int:
    """PostgreSQL names locks by 64 bits; two documents that share them merely wait for each other."""
    return int.from_bytes(bytes.fromhex(sha256)[:8], signed=True)
