"""The demonstration without a server left behind: a throw-away database, and a present that stands still."""

import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn

from gateway.app.demo.clock import StoryClock
from gateway.app.demo.facts import Facts, facts
from gateway.app.demo.program import BillingSystem
from gateway.app.demo.script import read_script
from gateway.app.demo.stage import set_stage
from gateway.app.demo.story import Story
from gateway.app.service import create_app
from gateway.app.services import Services, build_services
from gateway.database import open_database
from gateway.kernel.clock import Clock, ManualClock, system_clock
from gateway.kernel.settings import Settings, load_settings


def play_once(present: Clock = system_clock) -> Facts:
    """Play the whole story over real HTTP on a free port of this machine and return its facts."""
    with tempfile.TemporaryDirectory(prefix="gateway-demo-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)  # the database server may run as another user
        settings = load_settings(
            data_dir=Path(folder),
            database_url=None,
            documents_url=None,
            smtp_url=None,
            sms_hook_url=None,
            log_level="error",
        )
        return _play(settings, ManualClock(present()))


def _play(settings: Settings, present: Clock) -> Facts:
    database = open_database(settings)
    script, come_to = read_script(database, present)
    clock = StoryClock(come_to, script.ends_at, present)
    services = build_services(
        settings,
        clock=clock,
        database=database,
        scenarios=script.scenarios,
        simulator_step=lambda: clock.simulator_step,
    )
    try:
        stage = set_stage(services)
        with _served(services) as address:
            billing = BillingSystem(stage, address)
            Story(services, clock, stage, script, billing).tell()
            billing.close()
        return facts(services, stage.organisation_id, script)
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
