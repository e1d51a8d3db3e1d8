"""The clock: APScheduler that only enqueues jobs, all of which may run any number of times."""

from collections.abc import Callable, Iterable
from uuid import UUID

import structlog
from apscheduler.schedulers.background import BackgroundScheduler

from gateway.database.engine import Database
from gateway.jobs.queue import enqueue

_log = structlog.get_logger(__name__)


class JobClock:
    """Wakes tasks at intervals for every organisation. Two clocks at once are harmless."""

    def __init__(self, database: Database, organisations: Callable[[], Iterable[UUID]]) -> None:
        """`organisations` lists those that exist now."""
        self._database = database
        self._organisations = organisations
        self._scheduler = BackgroundScheduler(timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1})

    def every(self, seconds: float, task: str) -> None:
        """Enqueue `task` for each organisation every `seconds`."""
        self._scheduler.add_job(self._wake, "interval", seconds=seconds, args=[task], id=task)

    def call_every(self, seconds: float, name: str, call: Callable[[], object]) -> None:
        """Run a short housekeeping `call` of no organisation every `seconds`."""
        self._scheduler.add_job(call, "interval", seconds=seconds, id=name)

    def start(self) -> None:
        """Begin; returns at once."""
        self._scheduler.start()

    def stop(self) -> None:
        """Let the enqueuing under way end, then stop."""
        self._scheduler.shutdown(wait=True)

    def _wake(self, task: str) -> None:
        for organisation_id in self._organisations():
            try:
                with self._database.transaction(organisation_id) as session:
                    enqueue(session, task)
            except Exception:
                # The next tick comes anyway; one organisation's trouble is not another's.
                _log.exception("clock_tick_failed", task=task, organisation=str(organisation_id))
