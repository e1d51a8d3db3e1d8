"""The demonstration without a server left behind: a throw-away database, a clock moved by hand."""

import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import uvicorn

from gateway.app.demo import Facts, demo_day, demo_invoices, facts, push, set_stage
from gateway.app.service import create_app
from gateway.app.services import Services, build_services
from gateway.database import Database, open_database
from gateway.flows.simulator.scenarios import scenarios
from gateway.flows.tasks import POLL_TASK, PROCESS_TASK
from gateway.jobs.outbox import TASK as OUTBOX_TASK
from gateway.jobs.queue import enqueue
from gateway.kernel.clock import ManualClock, paris_date, system_clock
from gateway.kernel.settings import Settings, load_settings

_STEP = timedelta(minutes=1)


def scenarios_of_demo(database: Database) -> dict[str, str]:
    """What the simulator answers to each invoice of the demonstration, by number."""
    day = demo_day(database, paris_date(system_clock()))
    return {invoice.number: invoice.scenario for invoice in demo_invoices(day)}


def play_once() -> Facts:
    """Play the whole story over real HTTP on a free port of this machine and return its facts."""
    with tempfile.TemporaryDirectory(prefix="gateway-demo-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)  # the database server may run as another user
        settings = load_settings(
            data_dir=Path(folder),
            database_url=None,
            documents_url=None,
            simulator_step_seconds=_STEP.total_seconds(),
            log_level="error",
        )
        return _play(settings)


def _play(settings: Settings) -> Facts:
    clock = ManualClock(system_clock())
    database = open_database(settings)
    services = build_services(settings, clock=clock, database=database, scenarios=scenarios_of_demo(database))
    try:
        stage = set_stage(services)
        with _served(services) as address:
            push(stage, address)
        # One turn more than the longest scenario has steps: the last statuses are fetched, too.
        for _ in range(max(len(each.steps) for each in scenarios().values()) + 2):
            with database.transaction(stage.organisation_id) as session:
                for task in (PROCESS_TASK, OUTBOX_TASK, POLL_TASK):
                    enqueue(session, task)
            services.engine.run_until_idle()
            clock.advance(_STEP)
        return facts(database, stage.organisation_id)
    finally:
        services.close()


@contextmanager
def _served(services: Services) -> Iterator[str]:
    """The service on a free port, in a thread; its address."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(create_app(services), log_config=None, access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            while not server.started and thread.is_alive():
                time.sleep(0.02)
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()
