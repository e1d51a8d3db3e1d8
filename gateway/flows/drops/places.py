"""Where a drop lies: a folder of this machine, or one of an SFTP server. Both look the same from here.

in/        files are written here by the billing system, best under another name and then renamed
taken/     those the gateway holds
refused/   those it cannot hold, each with its reason
out/       what the gateway has to say
"""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from secrets import token_hex
from typing import Protocol
from urllib.parse import unquote, urlsplit

import paramiko

from gateway.flows.drops.errors import DropUnavailableError
from gateway.kernel.settings import DropSettings

#: Names under which programs write what is not finished.
_UNFINISHED = (".part", ".tmp", ".filepart", ".crdownload")
_PATIENCE_SECONDS = 20.0


class Folder(StrEnum):
    """The four folders of a drop."""

    IN = "in"
    TAKEN = "taken"
    REFUSED = "refused"
    OUT = "out"


@dataclass(frozen=True, slots=True)
class DroppedFile:
    """A file that waits: its name, and when it was last written to by the clock of where it lies."""

    name: str
    changed_at: datetime


class Place(Protocol):
    """The four folders of a drop. Methods raise OSError when a file is gone or the place refuses."""

    def waiting(self) -> list[DroppedFile]:
        """The finished files of `in`, by name."""
        ...

    def read(self, name: str, limit: int) -> bytes:
        """A file of `in`, at most `limit` bytes of it."""
        ...

    def move(self, name: str, folder: Folder, new_name: str) -> None:
        """Move a file of `in`; what has the new name already is replaced."""
        ...

    def write(self, folder: Folder, name: str, data: bytes) -> None:
        """Write a file so that no reader ever sees half of it."""
        ...


@contextmanager
def open_place(drop: DropSettings) -> Iterator[Place]:
    """The place of a drop, its folders made if need be. Raises DropUnavailableError."""
    try:
        if drop.url.startswith("sftp://"):
            with _connected(drop) as client, client.open_sftp() as session:
                yield SftpPlace(session, unquote(urlsplit(drop.url).path) or ".")
        else:
            yield LocalPlace(Path(drop.url.removeprefix("file://")))
    except (OSError, EOFError, paramiko.SSHException) as error:
        raise DropUnavailableError(drop.name, str(error) or type(error).__name__) from error


@dataclass(frozen=True, slots=True)
class LocalPlace:
    """A folder of this machine."""

    root: Path

    def __post_init__(self) -> None:
        for folder in Folder:
            (self.root / folder).mkdir(parents=True, exist_ok=True)

    def waiting(self) -> list[DroppedFile]:
        found = []
        with os.scandir(self.root / Folder.IN) as entries:
            for entry in entries:
                if _is_finished(entry.name) and entry.is_file(follow_symlinks=False):
                    found.append(DroppedFile(entry.name, _instant(entry.stat(follow_symlinks=False).st_mtime)))
        return sorted(found, key=lambda file: file.name)

    def read(self, name: str, limit: int) -> bytes:
        with open(self.root / Folder.IN / name, "rb") as stream:
            return stream.read(limit)

    def move(self, name: str, folder: Folder, new_name: str) -> None:
        os.replace(self.root / Folder.IN / name, self.root / folder / new_name)

    def write(self, folder: Folder, name: str, data: bytes) -> None:
        unfinished = self.root / folder / _unfinished(name)
        unfinished.write_bytes(data)
        os.replace(unfinished, self.root / folder / name)


@dataclass(frozen=True, slots=True)
class SftpPlace:
    """A folder of an SFTP server."""

    session: paramiko.SFTPClient
    root: str

    def __post_init__(self) -> None:
        present = set(self.session.listdir(self.root))
        for folder in Folder:
            if folder not in present:
                self.session.mkdir(self._path(folder))

    def waiting(self) -> list[DroppedFile]:
        found = [
            DroppedFile(entry.filename, _instant(entry.st_mtime or 0))
            for entry in self.session.listdir_attr(self._path(Folder.IN))
            if _is_finished(entry.filename) and stat.S_ISREG(entry.st_mode or 0)
        ]
        return sorted(found, key=lambda file: file.name)

    def read(self, name: str, limit: int) -> bytes:
        with self.session.open(self._path(Folder.IN, name), "rb") as stream:
            return bytes(stream.read(limit))

    def move(self, name: str, folder: Folder, new_name: str) -> None:
        self.session.posix_rename(self._path(Folder.IN, name), self._path(folder, new_name))

    def write(self, folder: Folder, name: str, data: bytes) -> None:
        unfinished = self._path(folder, _unfinished(name))
        with self.session.open(unfinished, "wb") as stream:
            stream.write(data)
        self.session.posix_rename(unfinished, self._path(folder, name))

    def _path(self, *names: str) -> str:
        return "/".join([self.root.rstrip("/"), *names])


def _connected(drop: DropSettings) -> paramiko.SSHClient:
    """A connection to a server whose host key is known: an unknown one is refused, never learned."""
    address = urlsplit(drop.url)
    client = paramiko.SSHClient()
    client.set_missing_host_key_policy(paramiko.RejectPolicy())
    if drop.known_hosts is not None:
        client.load_host_keys(str(drop.known_hosts))
    else:
        client.load_system_host_keys()
    client.connect(
        address.hostname or "",
        port=address.port or 22,
        username=unquote(address.username or "") or None,
        password=drop.password.get_secret_value() if drop.password else None,
        key_filename=str(drop.key_file) if drop.key_file else None,
        look_for_keys=False,
        allow_agent=False,
        timeout=_PATIENCE_SECONDS,
        banner_timeout=_PATIENCE_SECONDS,
        auth_timeout=_PATIENCE_SECONDS,
        channel_timeout=_PATIENCE_SECONDS,
    )
    return client


def _unfinished(name: str) -> str:
    """A name of its own for each writing: two workers may tell the same thing at once."""
    return f".{name}.{token_hex(4)}.part"


def _is_finished(name: str) -> bool:
    return not name.startswith(".") and not name.lower().endswith(_UNFINISHED)


def _instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
