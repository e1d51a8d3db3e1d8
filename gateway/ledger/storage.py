"""Where the bytes of documents lie: a small protocol, and the folder that is the default.

An object store needs the same five acts, each of which S3 has: get, put, head (for size and time), delete.
"""

import os
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Stored:
    """What a store says of a file: its size in bytes, and when it was last written (or touched), by its own clock."""

    size: int
    written_at: datetime


class Storage(Protocol):
    """A flat store of small files by name. Names are hexadecimal digits, perhaps with an ending."""

    def read(self, name: str) -> bytes | None:
        """The bytes, or None when there is no such file."""

    def write(self, name: str, data: bytes) -> None:
        """Keep the bytes durably; whoever reads sees all of them or none."""

    def look(self, name: str) -> Stored | None:
        """What there is under a name, without its bytes."""

    def touch(self, name: str) -> None:
        """Note that the file was wanted again just now."""

    def remove(self, name: str) -> None:
        """Delete the file; harmless when there is none."""


class FolderStorage:
    """A folder, two levels deep by the first four characters of the name."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def read(self, name: str) -> bytes | None:
        """The bytes, or None when there is no such file."""
        try:
            return self._path(name).read_bytes()
        except FileNotFoundError:
            return None

    def write(self, name: str, data: bytes) -> None:
        """Write beside, sync, rename, sync the folder: the file and its name survive a power cut."""
        path = self._path(name)
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

    def look(self, name: str) -> Stored | None:
        """Size and time of modification."""
        try:
            found = self._path(name).stat()
        except FileNotFoundError:
            return None
        return Stored(found.st_size, datetime.fromtimestamp(found.st_mtime, UTC))

    def touch(self, name: str) -> None:
        """Set the time of modification to now. Raises FileNotFoundError."""
        os.utime(self._path(name))

    def remove(self, name: str) -> None:
        """Delete the file."""
        self._path(name).unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        return self._root / name[:2] / name[2:4] / name


def _sync_folder(folder: Path) -> None:
    """The new name itself must survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
