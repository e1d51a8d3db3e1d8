"""A small company with its customers, the flows of one organisation on a real database, and a simulated platform."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlmodel import select
from starlette.testclient import TestClient

from fixtures.companies import Company, make_customers, make_seller
from fixtures.content import InvoiceDraft
from fixtures.drafts import Kind, make_draft
from fixtures.ubl import to_ubl
from gateway.access.model import Agency, Organisation
from gateway.database import Database
from gateway.flows.context import FlowsContext
from gateway.flows.delivery import platform_channel
from gateway.flows.intake import Accepted, Submission, accept_flow
from gateway.flows.model import Flow
from gateway.flows.platforms.client import FlowPage, OutgoingFlow, PlatformFlow, SentFlow, Sighting
from gateway.flows.platforms.connections import Connections
from gateway.flows.platforms.transport import Transport
from gateway.flows.polling import poll_platform
from gateway.flows.processing import drain_flows
from gateway.flows.simulator.platform import SIMULATOR, SimulatedPlatform
from gateway.invoices.limits import ReadingLimits
from gateway.jobs.outbox import OutboxWorker
from gateway.kernel.clock import ManualClock
from gateway.kernel.settings import load_settings
from gateway.ledger.documents import DocumentStore
from gateway.lifecycle.deliveries import PLATFORM_FLOW

STEP = timedelta(minutes=1)


@pytest.fixture
def client_of() -> type[TestClient]:
    """Makes a client that calls an application in this process."""
    return TestClient


@pytest.fixture(scope="session")
def seller() -> Company:
    return make_seller(1, agencies=3)


@pytest.fixture(scope="session")
def customer() -> Company:
    return make_customers(1, 1)[0]


@pytest.fixture
def company(database: Database, seller: Company) -> UUID:
    """The organisation of `seller`, with its agencies."""
    with database.system_transaction() as session:
        row = Organisation(siren=seller.siren, name=seller.name, created_at=datetime.now().astimezone())
        session.add(row)
        session.flush()
        for agency in seller.agencies:
            session.add(Agency(organisation_id=row.id, siret=agency.siret, code=agency.code, name=agency.name))
        return row.id


@pytest.fixture
def draft_of(seller: Company, customer: Company) -> Callable[..., InvoiceDraft]:
    """Makes the draft of an invoice by its number."""

    def draft(number: str, kind: Kind = Kind.INVOICE) -> InvoiceDraft:
        agency = seller.agencies[0]
        return make_draft(Random(number), seller, agency, customer, kind, number=number, issue_date=date(2026, 9, 30))

    return draft


@pytest.fixture
def invoice(draft_of: Callable[..., InvoiceDraft]) -> Callable[..., bytes]:
    """Makes a valid UBL invoice by its number."""

    def make(number: str, kind: Kind = Kind.INVOICE) -> bytes:
        return to_ubl(draft_of(number, kind))

    return make


@dataclass
class ListedPlatform:
    """A platform whose list the test writes; each page holds `page_size` flows."""

    flows: list[PlatformFlow] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    page_size: int = 100
    failing: set[str] = field(default_factory=set)

    visible_within = timedelta(0)

    def submit(self, flow: OutgoingFlow) -> str:
        return flow.tracking_id

    def look_up(self, flow: SentFlow) -> Sighting:
        return Sighting(flow.tracking_id)

    def check(self) -> None:
        pass

    def search(self, *, updated_after: datetime | None, cursor: str | None = None) -> FlowPage:
        matching = [flow for flow in self.flows if updated_after is None or flow.updated_at > updated_after]
        matching.sort(key=lambda flow: flow.updated_at)
        start = int(cursor or 0)
        end = start + self.page_size
        return FlowPage(tuple(matching[start:end]), str(end) if end < len(matching) else None)

    def read(self, flow_id: str) -> PlatformFlow:
        return next(flow for flow in self.flows if flow.flow_id == flow_id)

    def download(self, flow_id: str) -> bytes:
        if flow_id in self.failing:
            raise RuntimeError("the connection was reset")
        return self.files[flow_id]


@dataclass
class World:
    """One organisation's gateway with its platform, driven by a clock that the test moves."""

    context: FlowsContext
    organisation_id: UUID
    clock: ManualClock
    database: Database
    store: DocumentStore
    listed: ListedPlatform
    scenarios: dict[str, str]

    def push(self, data: bytes, *, source: str = "api", name: str = "invoice.xml", **declared: str) -> Accepted:
        with self.database.transaction(self.organisation_id) as session:
            submission = Submission(data=data, name=name, source=source, **declared)
            return accept_flow(session, self.store, submission, now=self.clock())

    def flow(self, flow_id: UUID) -> Flow:
        with self.database.transaction(self.organisation_id) as session:
            return session.exec(select(Flow).where(Flow.id == flow_id)).one()

    def rows(self, table: type) -> list:
        """Every row of a table, in the order in which they were made where it tells."""
        columns = table.__table__.columns
        order = [columns[name] for name in ("position", "created_at") if name in columns]
        with self.database.transaction(self.organisation_id) as session:
            return list(session.exec(select(table).order_by(*order)))

    def drain(self) -> None:
        drain_flows(self.context, self.organisation_id)

    def deliver(self) -> None:
        channels = {PLATFORM_FLOW: platform_channel(self.context)}
        OutboxWorker(self.database, self.clock, channels, attempts=5, batch=1000).drain(self.organisation_id)

    def turn(self, platform: str = SIMULATOR) -> None:
        """Everything that can happen now happens: processing, delivery, polling, processing of what was polled."""
        self.drain()
        self.deliver()
        poll_platform(self.context, self.organisation_id, platform)
        self.drain()

    def jobs(self) -> list[str]:
        with self.database.system_transaction() as session:
            query = text("SELECT task_name FROM procrastinate_jobs WHERE status = 'todo' ORDER BY id")
            return list(session.connection().execute(query).scalars())


@pytest.fixture(scope="session")
def compiled_rules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder whose official rules are compiled once for all tests."""
    return tmp_path_factory.mktemp("compiled-rules")


@pytest.fixture
def world(
    database: Database, company: UUID, clock: ManualClock, documents: DocumentStore, compiled_rules: Path
) -> Iterator[World]:
    settings = load_settings(data_dir=compiled_rules, batch_size=1000, simulator_step_seconds=STEP.total_seconds())
    listed = ListedPlatform()
    scenarios: dict[str, str] = {}

    def simulator(organisation_id: UUID) -> SimulatedPlatform:
        return SimulatedPlatform(database, organisation_id, clock, STEP, scenarios)

    transport = Transport.open(timeout_seconds=5)
    context = FlowsContext(
        database=database,
        store=documents,
        clock=clock,
        settings=settings,
        limits=ReadingLimits(),
        platforms={SIMULATOR: simulator, "listed": lambda _: listed},
        connections=Connections(database, clock, transport, max_file_bytes=settings.max_file_bytes),
    )
    yield World(context, company, clock, database, documents, listed, scenarios)
    transport.close()
