"""Run the parts of the service until told to stop, then stop cleanly: finish what is held, accept nothing new."""

import asyncio
import signal
import socket
import threading
from collections.abc import Callable, Coroutine
from typing import Any

import structlog
import uvicorn
from fastapi import FastAPI
from prometheus_client import start_http_server

from gateway.app.errors import AddressUnavailableError
from gateway.app.services import Services

_log = structlog.get_logger(__name__)
_LONGEST_PAUSE = 30.0


def run_service(
    services: Services,
    app: FastAPI | None,
    *,
    worker: bool,
    clock: bool,
    first: Callable[[threading.Event], None] | None = None,
) -> None:
    """Run the web service (when `app` is given), a worker and the clock in this process until SIGINT or SIGTERM.

    Worker and clock wait for the end of `first`, which runs in a thread: the demonstration catches up with the present.
    It is to return soon after the event that it is handed is set; what it raises stops the service and is raised here.
    Raises AddressUnavailableError before any of them starts.
    """
    try:
        listening = [listen(services.settings.host, services.settings.port)] if app is not None else []
        asyncio.run(_run(services, app, listening, first, worker=worker, clock=clock))
    finally:
        services.close()


async def _run(
    services: Services,
    app: FastAPI | None,
    listening: list[socket.socket],
    first: Callable[[threading.Event], None] | None,
    *,
    worker: bool,
    clock: bool,
) -> None:
    settings = services.settings
    stop, stopping = _stop_on_signals(), threading.Event()
    ticks = False
    preparing = asyncio.create_task(asyncio.to_thread(first, stopping)) if first is not None else None

    async def work() -> None:
        nonlocal ticks
        if preparing is not None:
            try:
                await asyncio.shield(preparing)
            except Exception:
                signal.raise_signal(signal.SIGTERM)
                return
        if clock:
            services.job_clock.start()
            ticks = True
        if worker:
            await _keep_running("worker", services.engine.run)

    working = asyncio.create_task(work())
    _log.info("service_started", api=app is not None, worker=worker, clock=clock)
    try:
        if app is not None:
            config = uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=settings.public_url is not None,
                timeout_graceful_shutdown=settings.shutdown_grace_seconds,
            )
            await uvicorn.Server(config).serve(sockets=listening)
        else:
            if settings.metrics_port:
                start_http_server(settings.metrics_port, addr=settings.host)
            await stop.wait()
    finally:
        _log.info("service_stopping")
        if ticks:
            await asyncio.to_thread(services.job_clock.stop)
        stopping.set()
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        if preparing is not None:
            await preparing
        _log.info("service_stopped")


def listen(host: str, port: int) -> socket.socket:
    """A socket that a service listens on. Raises AddressUnavailableError."""
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        return socket.create_server(address[:2], family=family, backlog=2048)
    except OSError as error:
        raise AddressUnavailableError(host, port, error.strerror or str(error)) from error


def _stop_on_signals() -> asyncio.Event:
    """An event that SIGINT and SIGTERM set.

    Handlers of our own even when the web server has its own: it raises the signal again once it has stopped, which
    by default would end the process before the jobs under way are finished.
    """
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))
    return stop


async def _keep_running(name: str, part: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Start a part again when it falls, later and later: a database that restarts must not end the service."""
    pause = 1.0
    while True:
        started = asyncio.get_running_loop().time()
        try:
            await part()
            return
        except asyncio.CancelledError:
            raise
        except Exception:
            _log.exception("part_fell", part=name, again_in=pause)
        if asyncio.get_running_loop().time() - started > _LONGEST_PAUSE:
            pause = 1.0
        await asyncio.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE)
