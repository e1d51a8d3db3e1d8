"""Compiled rules on disk.

A file holds the marshalled code of one generated module after a header that names everything that could change it.
Unmarshalling is executing: a file is read only from a directory, and under a name, that nobody but this user can
write. Whatever is not as expected is compiled again.
"""

import hashlib
import importlib.util
import marshal
import os
import re
import stat
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import CodeType

_MAGIC = b"gateway.schematron\x01"
_DIGEST_SIZE = hashlib.sha256().digest_size
_OTHERS_CAN_WRITE = stat.S_IWGRP | stat.S_IWOTH


def default_cache_dir() -> Path:
    """`$XDG_CACHE_HOME/einvoicing-gateway/schematron`, by default under `~/.cache`; a user without a home has a
    folder in the system's place for temporary files."""
    base = os.environ.get("XDG_CACHE_HOME")
    try:
        folder = Path(base) if base else Path.home() / ".cache"
    except RuntimeError:
        return Path(tempfile.gettempdir()) / f"einvoicing-gateway-schematron-{os.geteuid()}"
    return folder / "einvoicing-gateway" / "schematron"


def _engine() -> bytes:
    """Digest of this engine's own sources."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        _feed(digest, path.name.encode())
        _feed(digest, path.read_bytes())
    return digest.digest()


def _feed(digest: "hashlib._Hash", content: bytes) -> None:
    digest.update(len(content).to_bytes(8, "big"))
    digest.update(content)


# Read when the engine is, so that a program that runs while it is upgraded does not file old code under the new key.
_ENGINE = _engine()


def cache_key(stylesheet: bytes, code_lists: Mapping[str, bytes]) -> bytes:
    """Digest of all that decides the compiled code: rules, code lists, this engine, this Python."""
    digest = hashlib.sha256()
    python = f"{sys.implementation.cache_tag} {sys.version}".encode()
    for content in (python, importlib.util.MAGIC_NUMBER, _ENGINE, stylesheet):
        _feed(digest, content)
    for name, content in sorted(code_lists.items()):
        _feed(digest, name.encode())
        _feed(digest, content)
    return digest.digest()


def cached_code(directory: Path, name: str, key: bytes, generate: Callable[[], str]) -> CodeType:
    """Code object of a module: from the cache when it holds exactly this one, else compiled from `generate()`.

    A directory that cannot be used is not an error: the module is then compiled for this process alone, and the log
    says why it takes so long.
    """
    stem = f"{re.sub(r'[^A-Za-z0-9.]+', '_', name)}-{key.hex()[:16]}"
    is_trusted = _make_private(directory)
    if is_trusted:
        code = _read(directory / f"{stem}.code", key)
        if code is not None:
            return code
    else:
        _log_untrusted(directory)
    source = generate()
    code = compile(source, f"<rules of {name}>", "exec", dont_inherit=True, optimize=1)
    if is_trusted:
        payload = marshal.dumps(code)
        _write(directory / f"{stem}.py", source.encode())
        _write(directory / f"{stem}.code", _MAGIC + key + hashlib.sha256(payload).digest() + payload)
    return code


def _make_private(directory: Path) -> bool:
    """Create the directory for this user alone; tell whether it, as it is now, can be trusted."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = directory.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and _is_ours(status)


def _log_untrusted(directory: Path) -> None:
    # Imported only here: rules that are in the cache are there sooner.
    import logging

    logging.getLogger(__name__).warning(
        "Rules are compiled at every start: %s cannot be made, or others than this user can write it.", directory
    )


def _is_ours(status: os.stat_result) -> bool:
    """Whether this user owns the file and nobody else can write it. True where the system has no such notion."""
    if not hasattr(os, "geteuid"):
        return True
    return status.st_uid == os.geteuid() and not status.st_mode & _OTHERS_CAN_WRITE


def _read(path: Path, key: bytes) -> CodeType | None:
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode) or not _is_ours(status):
                return None
            content = file.read()
    except OSError:
        return None
    header = len(_MAGIC) + len(key)
    payload = content[header + _DIGEST_SIZE :]
    if content[:header] != _MAGIC + key or content[header : header + _DIGEST_SIZE] != hashlib.sha256(payload).digest():
        return None
    code = marshal.loads(payload)
    return code if isinstance(code, CodeType) else None


def _write(path: Path, content: bytes) -> None:
    """Write a file in one piece: a reader sees the old one or the whole new one. A failure only costs time later."""
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError:
        return
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(temporary).replace(path)
    except OSError:
        Path(temporary).unlink(missing_ok=True)
