"""Everything one process needs, built once from the settings and closed at the end."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from gateway.access.repository import organisations
from gateway.access.service import forget_expired
from gateway.access.signing_keys import keep_keys
from gateway.app.own_data import use_own_data
from gateway.app.reminders import composer_of, register_reminders, reminders_of, ways_out
from gateway.collection.dispatching import Dispatching
from gateway.collection.law.context import LawContext
from gateway.collection.law.tasks import LAW_TASK, review_law
from gateway.collection.previewing import Previews
from gateway.collection.recording import DISPATCH_TASK
from gateway.collection.reminding import REMINDERS_TASK
from gateway.database import Database, open_database
from gateway.flows.context import FlowsContext
from gateway.flows.deadlines import DEADLINES_TASK
from gateway.flows.delivery import platform_channel
from gateway.flows.directory.choosing import DirectoryOfPlatform
from gateway.flows.directory.service import Directory
from gateway.flows.drops.round import DROPS_TASK
from gateway.flows.hearing.calls import forget_old_calls
from gateway.flows.platforms.connections import Connections
from gateway.flows.platforms.transport import Transport
from gateway.flows.simulator.platform import SIMULATOR, SimulatedPlatform
from gateway.flows.tasks import POLL_TASK, PROCESS_TASK, register_tasks
from gateway.flows.webhooks.calling import webhook_channel
from gateway.flows.webhooks.service import WEBHOOK_CALL
from gateway.flows.webhooks.tasks import TELL_TASK
from gateway.invoices.limits import ReadingLimits, reading_limits
from gateway.jobs.channels import Channel
from gateway.jobs.clock import JobClock
from gateway.jobs.engine import JobEngine
from gateway.jobs.outbox import TASK as OUTBOX_TASK
from gateway.jobs.outbox import OutboxWorker
from gateway.kernel.clock import Clock, system_clock
from gateway.kernel.settings import Settings
from gateway.ledger.documents import DocumentStore
from gateway.ledger.opening import open_documents
from gateway.lifecycle.deliveries import PLATFORM_FLOW
from gateway.notifications.mail import EMAIL, mail_deliverer

#: Jobs of dead workers are looked for at this pace; a worker counts as dead after a minute without a heartbeat.
_HOUSEKEEPING_SECONDS = 60.0
#: Seconds after which a clock that starts has the slow reviews done for the first time: one after the other, reminders
#: last, once what the platforms told while nothing ran had the time to be read.
_FIRST_POLL, _FIRST_DEADLINES, _FIRST_LAW, _FIRST_REMINDERS = 1.0, 15.0, 30.0, 120.0


@dataclass(frozen=True, slots=True)
class Services:
    """The parts of the running gateway."""

    settings: Settings
    clock: Clock
    database: Database
    documents: DocumentStore
    limits: ReadingLimits
    flows: FlowsContext
    directory: Directory
    law: LawContext
    previews: Previews
    reminders: Dispatching
    engine: JobEngine
    job_clock: JobClock

    def close(self) -> None:
        """Give back the connections."""
        self.flows.connections.close()
        self.database.close()


def build_services(
    settings: Settings,
    *,
    clock: Clock = system_clock,
    database: Database | None = None,
    scenarios: Mapping[str, str] | None = None,
    simulator_step: Callable[[], timedelta] | None = None,
) -> Services:
    """Open the database (unless given) and put the parts together.

    `scenarios` chooses what the platform simulator answers, by invoice number, and `simulator_step` the time between
    two answers, instead of the setting; the demonstration uses them.
    """
    use_own_data(settings)
    database = database or open_database(settings)
    documents = open_documents(settings)
    limits = reading_limits(settings)
    step = simulator_step or (lambda: timedelta(seconds=settings.simulator_step_seconds))

    def simulator(organisation_id: UUID) -> SimulatedPlatform:
        return SimulatedPlatform(
            database=database,
            organisation_id=organisation_id,
            clock=clock,
            step=step(),
            chosen=scenarios or {},
            limits=limits,
        )

    transport = Transport.open(timeout_seconds=settings.platform_timeout_seconds)
    connections = Connections(database, clock, transport, max_file_bytes=settings.max_file_bytes)
    directory_of = DirectoryOfPlatform(database, clock, connections, transport, settings.platform)
    directory = Directory(database, clock, settings, directory_of)
    flows = FlowsContext(
        database=database,
        store=documents,
        clock=clock,
        settings=settings,
        limits=limits,
        platforms={SIMULATOR: simulator},
        connections=connections,
        directory=directory,
    )
    engine = JobEngine(
        database.conninfo, concurrency=settings.worker_concurrency, grace_seconds=settings.shutdown_grace_seconds
    )
    register_tasks(engine, flows)
    law = LawContext(database, documents, clock, settings, limits)
    composer = composer_of(law)
    reminders = reminders_of(law, composer)
    register_reminders(engine, reminders, settings)
    engine.register(OUTBOX_TASK, _outbox(law, flows, reminders).drain)
    engine.register(LAW_TASK, lambda organisation_id: review_law(law, organisation_id))
    return Services(
        settings=settings,
        clock=clock,
        database=database,
        documents=documents,
        limits=limits,
        flows=flows,
        directory=directory,
        law=law,
        previews=Previews(composer.draft, documents, clock),
        reminders=reminders,
        engine=engine,
        job_clock=_job_clock(database, settings, clock, engine, directory),
    )


def _outbox(parts: LawContext, flows: FlowsContext, reminders: Dispatching) -> OutboxWorker:
    database, clock, settings = parts.database, parts.clock, parts.settings
    channels = {
        PLATFORM_FLOW: platform_channel(flows),
        WEBHOOK_CALL: webhook_channel(database, clock, settings),
        **ways_out(reminders, parts),
    }
    by_mail = mail_deliverer(settings, clock, parts.store)
    if by_mail is not None:
        channels[EMAIL] = Channel(by_mail)
    return OutboxWorker(database, clock, channels, attempts=settings.delivery_attempts, batch=settings.batch_size)


def _job_clock(
    database: Database, settings: Settings, clock: Clock, engine: JobEngine, directory: Directory
) -> JobClock:
    def forget_expired_access() -> None:
        with database.system_transaction() as session:
            forget_expired(session, now=clock(), attempts_window=settings.sign_in_window)

    def keep_signing_keys() -> None:
        with database.system_transaction() as session:
            keep_keys(session, settings, clock())

    job_clock = JobClock(database, lambda: [organisation.id for organisation in organisations(database)])
    job_clock.every(settings.sweep_seconds, PROCESS_TASK)
    job_clock.every(settings.sweep_seconds, OUTBOX_TASK)
    job_clock.every(settings.sweep_seconds, TELL_TASK)
    job_clock.every(settings.poll_seconds, POLL_TASK, first_after=_FIRST_POLL)
    job_clock.every(settings.deadlines_seconds, DEADLINES_TASK, first_after=_FIRST_DEADLINES)
    job_clock.every(settings.reminders_seconds, REMINDERS_TASK, first_after=_FIRST_REMINDERS)
    job_clock.every(settings.sweep_seconds, DISPATCH_TASK)
    job_clock.every(settings.law_seconds, LAW_TASK, first_after=_FIRST_LAW)
    if settings.drops:
        job_clock.every(settings.drop_seconds, DROPS_TASK)
    job_clock.call_every(_HOUSEKEEPING_SECONDS, "jobs.forget_stalled", engine.forget_stalled)
    job_clock.call_every(_HOUSEKEEPING_SECONDS, "access.forget_expired", forget_expired_access)
    job_clock.call_every(_HOUSEKEEPING_SECONDS, "access.keep_keys", keep_signing_keys)
    job_clock.call_every(
        _HOUSEKEEPING_SECONDS, "platforms.forget_calls", lambda: forget_old_calls(database, clock, settings)
    )
    job_clock.call_every(_HOUSEKEEPING_SECONDS, "directory.forget_expired", directory.forget_expired)
    return job_clock
