"""Run the simulated platform as a service of its own, with a database of its own."""

import signal
import sys
import threading
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import structlog
import uvicorn
from sqlmodel import select

from gateway.access.model import Organisation
from gateway.app.running import listen
from gateway.database import Database, open_database
from gateway.flows.simulator.faults import FaultDice
from gateway.flows.simulator.platform import SimulatedPlatform
from gateway.flows.simulator.service import PlatformHabits, create_platform
from gateway.flows.simulator.webhooks import Webhooks
from gateway.invoices.limits import reading_limits
from gateway.kernel.clock import system_clock
from gateway.kernel.settings import Settings

#: Every row belongs to an organisation; the simulated platform is its own.
_SIREN, _NAME = "000000000", "Plateforme simulée"
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Simulation:
    """What the simulated platform answers, and how.

    Attributes:
        scenarios: scenario by invoice number; that of the others is drawn by a stable hash of the number and the seed.
        rates: share of all invoices by scenario.
        step: time between two statuses of one invoice.
    """

    habits: PlatformHabits
    dice: FaultDice
    scenarios: dict[str, str]
    rates: dict[str, Decimal]
    step: timedelta


def run_simulated_platform(settings: Settings, simulation: Simulation) -> None:
    """Serve until SIGINT or SIGTERM. Raises AddressUnavailableError, or the errors of `open_database`."""
    # The web server raises the signal again once it has stopped, which by default would end the process at once: before
    # the embedded database is stopped.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit(0))
    socket = listen(settings.host, settings.port)
    database = open_database(settings)
    stop = threading.Event()
    try:
        platform = SimulatedPlatform(
            database=database,
            organisation_id=_organisation(database),
            clock=system_clock,
            step=simulation.step,
            chosen=simulation.scenarios,
            limits=reading_limits(settings),
            dice=simulation.dice,
            rates=simulation.rates,
        )
        webhooks = Webhooks(platform)
        caller = threading.Thread(target=webhooks.keep_calling, args=(stop,), name="simulated-webhooks")
        caller.start()
        _log.info("simulated_platform_started", host=settings.host, port=socket.getsockname()[1])
        config = uvicorn.Config(
            create_platform(platform, simulation.habits, webhooks, settings),
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=settings.shutdown_grace_seconds,
        )
        uvicorn.Server(config).run(sockets=[socket])
    finally:
        stop.set()
        database.close()


def _organisation(database: Database) -> UUID:
    with database.system_transaction() as session:
        known = session.exec(select(Organisation.id).where(Organisation.siren == _SIREN)).first()
        if known is not None:
            return known
        row = Organisation(siren=_SIREN, name=_NAME, created_at=system_clock())
        session.add(row)
        session.flush()
        return row.id
