"""Content-addressed documents: bytes on disk under their sha256, one row per organisation that holds them.

Bytes are written and synced before the row, so that a committed row always has its bytes; a crash in between
leaves a file that no row names, which is harmless.
"""

import hashlib
import os
import tempfile
from datetime import datetime
from pathlib import Path

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session

from gateway.database.engine import organisation_of
from gateway.kernel.text import Text
from gateway.ledger.errors import DocumentDamagedError, DocumentMissingError
from gateway.ledger.model import Document


class DocumentStore:
    """A folder of documents, two levels deep by the first four hexadecimal digits of the hash."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, data: bytes) -> str:
        """Keep `data`, durably, and return its sha256 in lower-case hexadecimal. Writing twice is harmless."""
        sha256 = hashlib.sha256(data).hexdigest()
        path = self._path(sha256)
        if path.is_file() and path.stat().st_size == len(data):
            return sha256
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        _sync_folder(path.parent)
        return sha256

    def get(self, sha256: str) -> bytes:
        """The bytes kept under `sha256`. Raises DocumentMissingError or DocumentDamagedError."""
        try:
            data = self._path(sha256).read_bytes()
        except FileNotFoundError as error:
            raise DocumentMissingError(
                Text("Un document du registre manque sur le disque.", "A document of the ledger is not on disk."),
                Text(
                    "Restaurez le dossier des documents depuis une sauvegarde.",
                    "Restore the folder of documents from a backup.",
                ),
                sha256,
            ) from error
        if hashlib.sha256(data).hexdigest() != sha256:
            raise DocumentDamagedError(
                Text("Un document du registre a changé sur le disque.", "A document of the ledger changed on disk."),
                Text("Restaurez-le depuis une sauvegarde.", "Restore it from a backup."),
                sha256,
            )
        return data

    def _path(self, sha256: str) -> Path:
        return self._root / sha256[:2] / sha256[2:4] / sha256


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


def _sync_folder(folder: Path) -> None:
    """The new name itself must survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
