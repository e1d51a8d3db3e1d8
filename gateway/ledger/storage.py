"""Where the bytes of documents lie: a small protocol, and the folder that is the default."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from gateway.ledger.errors import DocumentStoreDeniedError, DocumentStoreUnavailableError


class Storage(Protocol):
    """A flat store of small files by name. Names are hexadecimal digits, perhaps with an ending. Threads share it.

    What is not as it should be with the store itself is a DocumentStoreError.
    """

    @property
    def place(self) -> str:
        """Where it is, for people: a folder or an address, without credentials."""

    def read(self, name: str) -> bytes | None:
        """The bytes, or None when there is no such file."""

    def keep(self, name: str, data: bytes) -> None:
        """Have these bytes durably under a name that only they may have; what is there already is mended at need."""

    def write(self, name: str, data: bytes) -> None:
        """Keep the bytes durably, in place of others; whoever reads sees all of them or none."""

    def has(self, name: str) -> bool:
        """Whether there is such a file."""

    def remove(self, name: str) -> None:
        """Delete the file; harmless when there is none."""


class FolderStorage:
    """A folder, two levels deep by the first four characters of the name.

    Raises DocumentStoreUnavailableError for a disk that is full or damaged, DocumentStoreDeniedError.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    @property
    def place(self) -> str:
        """The folder."""
        return str(self._root)

    def read(self, name: str) -> bytes | None:
        """The bytes, or None when there is no such file."""
        with self._named():
            try:
                return self._path(name).read_bytes()
            except FileNotFoundError:
                return None

    def keep(self, name: str, data: bytes) -> None:
        """Write what is not there yet as it should be."""
        if self.read(name) != data:
            self.write(name, data)

    def write(self, name: str, data: bytes) -> None:
        """Write beside, sync, rename, sync the folder: the file and its name survive a power cut."""
        path = self._path(name)
        with self._named():
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

    def has(self, name: str) -> bool:
        """Whether the file is there."""
        with self._named():
            return self._path(name).exists()

    def remove(self, name: str) -> None:
        """Delete the file."""
        with self._named():
            self._path(name).unlink(missing_ok=True)

    @contextmanager
    def _named(self) -> Iterator[None]:
        """What the system raises, under the names of this room."""
        try:
            yield
        except PermissionError as error:
            raise DocumentStoreDeniedError(self.place) from error
        except OSError as error:
            raise DocumentStoreUnavailableError(self.place, str(error.strerror)) from error

    def _path(self, name: str) -> Path:
        return self._root / name[:2] / name[2:4] / name


def _sync_folder(folder: Path) -> None:
    """The new name itself must survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
