"""The job engine: procrastinate on the gateway's own database.

A task is a name and a function of an organisation; it drains the rows that are due for that organisation and can
be run any number of times. No job holds a lock over others, so a killed worker blocks nobody; rows are taken with
`FOR UPDATE SKIP LOCKED` by the tasks themselves.
"""

import asyncio
from collections.abc import Callable
from uuid import UUID, uuid4

import structlog
from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Status

from gateway.jobs.metrics import JOB_SECONDS, JOBS
from gateway.jobs.queue import QUEUE

Task = Callable[[UUID], object]
_log = structlog.get_logger(__name__)


class JobEngine:
    """Tasks by name, and the worker that runs them."""

    def __init__(self, conninfo: str, *, concurrency: int = 4, grace_seconds: float = 20.0) -> None:
        """`conninfo` is a psycopg address with the rights of the schema's owner."""
        self._conninfo = conninfo
        self._app = App(connector=PsycopgConnector(conninfo=conninfo, min_size=1, max_size=concurrency + 2))
        self._concurrency = concurrency
        self._grace_seconds = grace_seconds
        self._tasks: dict[str, Callable[[str], None]] = {}

    def register(self, name: str, task: Task) -> None:
        """Let jobs named `name` run `task` with the organisation they were enqueued for."""

        def run(organisation_id: str) -> None:
            structlog.contextvars.bind_contextvars(job=name, organisation=organisation_id, request_id=str(uuid4()))
            try:
                with JOB_SECONDS.labels(name).time():
                    task(UUID(organisation_id))
            except Exception:
                JOBS.labels(name, "failed").inc()
                _log.exception("job_failed")
                raise
            else:
                JOBS.labels(name, "done").inc()
            finally:
                structlog.contextvars.unbind_contextvars("job", "organisation", "request_id")

        self._app.task(name=name, queue=QUEUE)(run)
        self._tasks[name] = run

    def run_here(self, name: str, organisation_id: UUID) -> None:
        """Run a task now, in this thread and without a job, for whoever waits for what it does."""
        self._tasks[name](str(organisation_id))

    async def run(self, *, wait: bool = True) -> None:
        """Work until cancelled, then finish the jobs held. With `wait=False`, stop when idle."""
        async with self._app.open_async():
            await self._app.run_worker_async(
                queues=[QUEUE],
                concurrency=self._concurrency,
                wait=wait,
                fetch_job_polling_interval=2.0,
                shutdown_graceful_timeout=self._grace_seconds,
                install_signal_handlers=False,
                delete_jobs="successful",
            )

    def run_until_idle(self) -> None:
        """Run every waiting job, those that jobs ask for included, and return: for commands and tests."""
        asyncio.run(self._run_until_idle())

    async def _run_until_idle(self) -> None:
        waiting = True
        while waiting:
            await self.run(wait=False)
            async with self._app.open_async():
                waiting = bool(list(await self._app.job_manager.list_jobs_async(queue=QUEUE, status="todo")))

    def forget_stalled(self) -> int:
        """Mark the jobs of dead workers as failed and say how many; their rows are found again by the sweep."""
        return asyncio.run(self._forget_stalled())

    async def _forget_stalled(self) -> int:
        # Connections of its own: this runs in the clock's thread, and those of the worker belong to its event loop.
        async with App(connector=PsycopgConnector(conninfo=self._conninfo, min_size=1, max_size=1)).open_async() as app:
            stalled = list(await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=60))
            for job in stalled:
                if job.id is None:
                    continue
                try:
                    await app.job_manager.finish_job_by_id_async(job_id=job.id, status=Status.FAILED, delete_job=True)
                except ConnectorException as error:  # its worker lived after all and finished it
                    _log.info("stalled_job_gone", job_id=job.id, reason=str(error))
            return len(stalled)
