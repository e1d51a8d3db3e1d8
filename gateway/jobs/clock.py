"""The clock: APScheduler that only enqueues jobs, all of which may run any number of times."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import structlog
from apscheduler.schedulers.background import BackgroundScheduler

from gateway.database.engine import Database
from gateway.jobs.queue import enqueue

_log = structlog.get_logger(__name__)


class JobClock:
    """Wakes tasks at intervals for every organisation. Two clocks at once are harmless: one waiting job is enough."""

    def __init__(self, database: Database, organisations: Callable[[], Iterable[UUID]]) -> None:
        """`organisations` lists those that exist now."""
        self._database = database
        self._organisations = organisations
        # A tick that a busy process missed comes late, once: it is not left out until the next interval.
        ticks = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        self._scheduler = BackgroundScheduler(timezone="UTC", job_defaults=ticks)
        self._first: dict[str, float] = {}

    def every(self, seconds: float, task: str, *, first_after: float | None = None) -> None:
        """Enqueue `task` for each organisation every `seconds`.

        `first_after`: seconds from the start of the clock to the first time, when that is sooner than the interval.
        """
        self._scheduler.add_job(self._wake, "interval", seconds=seconds, args=[task], id=task)
        self._first[task] = seconds if first_after is None else min(seconds, first_after)

    def call_every(self, seconds: float, name: str, call: Callable[[], object]) -> None:
        """Run a short housekeeping `call` of no organisation every `seconds`."""
        self._scheduler.add_job(call, "interval", seconds=seconds, id=name)

    def start(self) -> None:
        """Begin; returns at once."""
        began = datetime.now(UTC)
        for task, seconds in self._first.items():
            self._scheduler.modify_job(task, next_run_time=began + timedelta(seconds=seconds))
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
