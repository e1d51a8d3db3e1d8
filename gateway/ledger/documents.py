"""Content-addressed documents: bytes in a store under their sha256, one row per organisation that holds them.

Bytes are written and synced before the row, so that a committed row always has its bytes; a crash in between
leaves a file that no row names, which is harmless. A purge leaves a note in place of the bytes.
"""

import hashlib
import json
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session

from gateway.database.engine import organisation_of
from gateway.ledger.errors import DocumentDamagedError, DocumentMissingError, DocumentPurgedError
from gateway.ledger.model import Document
from gateway.ledger.storage import FolderStorage, Storage

#: A document kept again so recently may belong to a transaction that is not committed yet: it is not purged now.
PURGE_GRACE = timedelta(hours=1)
_NOTE = ".purged"


class DocumentStore:
    """Documents under their sha256, in a folder or in any other storage."""

    def __init__(self, place: Path | Storage) -> None:
        self._storage: Storage = FolderStorage(place) if isinstance(place, Path) else place

    def put(self, data: bytes) -> str:
        """Keep `data`, durably, and return its sha256 in lower-case hexadecimal. Writing twice is harmless."""
        sha256 = hashlib.sha256(data).hexdigest()
        known = self._storage.look(sha256)
        if known is not None and known.size == len(data):
            try:
                self._storage.touch(sha256)
            except FileNotFoundError:  # purged in between
                self._storage.write(sha256, data)
        else:
            self._storage.write(sha256, data)
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

    def purge(self, sha256: str, *, at: datetime, rule: str, unless_kept_since: datetime) -> bool:
        """Delete the bytes and leave a note of when and by which rule; True when there were bytes to delete.

        Nothing is deleted when the document was kept (again) since `unless_kept_since`, by the store's own clock.
        """
        found = self._storage.look(sha256)
        if found is None or found.written_at >= unless_kept_since:
            return False
        self._storage.write(sha256 + _NOTE, json.dumps({"at": at.isoformat(), "rule": rule}).encode())
        self._storage.remove(sha256)
        return True


def keep_document(session: Session, store: DocumentStore, data: bytes, media_type: str, at: datetime) -> str:
    """Keep `data` for the session's organisation and return its sha256; keeping it again changes nothing."""
    sha256 = store.put(data)
    session.execute(
        insert(Document)
        .values(
            organisation_id=organisation_of(session),
            sha256=sha256,
            media_type=media_type,
            size=len(data),
            stored_at=at,
        )
        .on_conflict_do_nothing()
    )
    return sha256
