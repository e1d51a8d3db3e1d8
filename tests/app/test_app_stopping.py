"""A stop finishes what is held: requests and jobs under way end well, then the process leaves with exit code 0."""

import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
from fastapi import FastAPI

from gateway.app.errors import AddressUnavailableError
from gateway.app.running import run_service
from gateway.kernel.settings import load_settings

SERVICE = """
import sys, time
from pathlib import Path
from sqlalchemy import text
from fastapi import FastAPI
from gateway.access.model import Organisation
from gateway.app.logs import configure_logs
from gateway.app.running import run_service
from gateway.app.services import build_services
from gateway.jobs.queue import enqueue
from gateway.kernel.settings import load_settings

settings = load_settings(data_dir=Path(sys.argv[1]), port=0, metrics_port=int(sys.argv[3]), log_level="error")
configure_logs(settings)
services = build_services(settings)

def slow(organisation_id):
    print("job started", flush=True)
    time.sleep(1.5)
    with services.database.system_transaction() as session:
        session.connection().execute(text("INSERT INTO sign_in_attempt VALUES (gen_random_uuid(), 'ended', now())"))
    print("job ended", flush=True)

services.engine.register("slow", slow)
with services.database.system_transaction() as session:
    row = Organisation(siren="732829320", name="x", created_at=services.clock())
    session.add(row)
    session.flush()
    organisation = row.id
with services.database.transaction(organisation) as session:
    enqueue(session, "slow")
run_service(services, FastAPI() if sys.argv[2] == "api" else None, worker=True, clock=True)
print("left", flush=True)
"""

WITH_SOMETHING_FIRST = """
import sys
from pathlib import Path
from types import SimpleNamespace
from fastapi import FastAPI
from gateway.app.logs import configure_logs
from gateway.app.running import run_service
from gateway.kernel.settings import load_settings

def fails(stopping):
    raise RuntimeError("the story is stuck")

def waits(stopping):
    print("begun", flush=True)
    stopping.wait()
    print("told to stop", flush=True)

settings = load_settings(data_dir=Path(sys.argv[1]), port=0, log_level="error")
configure_logs(settings)
services = SimpleNamespace(settings=settings, close=lambda: print("closed", flush=True))
run_service(services, FastAPI(), worker=False, clock=False, first=globals()[sys.argv[2]])
"""


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def test_a_port_that_is_taken_is_named_and_nothing_is_started(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        services = SimpleNamespace(settings=load_settings(data_dir=tmp_path, port=port), close=lambda: closed.append(1))
        closed: list[int] = []
        with pytest.raises(AddressUnavailableError, match=f"127.0.0.1:{port}.*--port"):
            run_service(services, FastAPI(), worker=True, clock=True)
    assert closed == [1]


@pytest.mark.parametrize("kind", ["api", "worker"])
def test_a_stop_finishes_the_job_under_way_and_leaves_with_code_0(kind):
    with tempfile.TemporaryDirectory(prefix="gateway-stop-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        port = free_port()
        command = [sys.executable, "-c", SERVICE, folder, kind, str(port)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        with process.stdout:
            assert process.stdout.readline() == "job started\n"
            if kind == "worker":  # it serves no pages, so its measures have a port of their own
                assert "gateway_jobs_total" in httpx.get(f"http://127.0.0.1:{port}/metrics").text
            process.terminate()
            said = process.stdout.read().splitlines()
        assert process.wait(60) == 0
    assert said == ["job ended", "left"]


def begin_with(first: str, folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WITH_SOMETHING_FIRST, str(folder), first]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_what_comes_first_is_told_to_stop_and_waited_for_before_anything_is_closed(tmp_path):
    with begin_with("waits", tmp_path) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        process.terminate()
        said, errors = process.communicate(timeout=60)
    assert (process.returncode, said.splitlines(), errors) == (0, ["told to stop", "closed"], "")


def test_what_comes_first_and_fails_stops_the_service_with_its_error(tmp_path):
    with begin_with("fails", tmp_path) as process:
        said, errors = process.communicate(timeout=60)
    assert (process.returncode, said.splitlines()) == (1, ["closed"])
    assert errors.strip().endswith("RuntimeError: the story is stuck")
