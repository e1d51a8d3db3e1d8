"""Two companies whose invoices went out and came back with statuses, played once, then copied for each test."""

import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from random import Random
from uuid import UUID, uuid4

import pytest
from sqlmodel import select
from starlette.testclient import TestClient

from fixtures.companies import Company, make_customers, make_seller
from fixtures.drafts import make_draft
from fixtures.ubl import to_ubl
from gateway.access.model import User
from gateway.access.roles import Role
from gateway.access.service import create_agency, create_organisation, create_user
from gateway.access.sign_in import open_session
from gateway.app.service import create_app
from gateway.app.services import Services, build_services
from gateway.database import Database
from gateway.flows.intake import PROCESS_TASK, Submission, accept_flow
from gateway.flows.model import Flow, FlowState
from gateway.flows.tasks import POLL_TASK
from gateway.jobs.outbox import TASK as OUTBOX_TASK
from gateway.jobs.queue import enqueue
from gateway.kernel.clock import ManualClock
from gateway.kernel.settings import Settings, load_settings
from gateway.ledger.documents import keep_document
from gateway.web.security import SESSION_COOKIE
from tests.conftest import START, TEMPLATE
from tests.databases import Shelf, on_server

PASSWORD = "une phrase de passe assez longue"
SCENARIOS = ("paid", "rejected", "refused", "disputed", "silent", "suspended")
PEOPLE = {role: f"{role.value}@maison.example" for role in Role}
NEIGHBOUR = "voisine@autre.example"
_STEP = timedelta(minutes=1)
#: Few enough statuses at a time that a dispute is seen before it is settled.
_PAUSE = 5 * _STEP
_CSRF = re.compile(r'name="csrf" value="([^"]+)"')


@dataclass(frozen=True, slots=True)
class Played:
    """The story, in copies of a database of its own, with the folder of its documents."""

    name: str
    copies: Shelf
    folder: Path
    house: UUID
    neighbour: UUID
    numbers: dict[str, str]


@dataclass(frozen=True, slots=True)
class Site:
    """A copy of the story behind the assembled application."""

    services: Services
    clock: ManualClock
    story: Played
    demo_user_id: UUID

    def browser(self, *, demo: bool = False) -> TestClient:
        """A browser that nobody has signed in with (unless in the demo)."""
        app = create_app(self.services, demo_user_id=self.demo_user_id if demo else None)
        return TestClient(app, base_url="https://testserver", raise_server_exceptions=False)

    def signed_in(self, who: Role | str) -> TestClient:
        """A browser in which a person has signed in; the password's slow work is left to the tests of the page."""
        browser = self.browser()
        email = PEOPLE[who] if isinstance(who, Role) else who
        with self.services.database.system_transaction() as session:
            user = session.exec(select(User).where(User.email == email)).one()
            opened = open_session(session, user, self.services.settings, self.clock())
        browser.cookies.set(SESSION_COOKIE, opened.token)
        return browser

    def invoice(self, scenario: str) -> str:
        """The path of the page of the invoice that went through a scenario."""
        page = self.signed_in(Role.AR_MANAGER).get("/invoices", params={"q": self.story.numbers[scenario]})
        (path,) = set(re.findall(r'href="(/invoices/[0-9a-f-]{36})"', page.text))
        return path


def csrf_of(browser: TestClient, path: str) -> str:
    """The token that the forms of a page carry."""
    found = _CSRF.search(browser.get(path).text)
    assert found, path
    return found[1]


def post(browser: TestClient, path: str, fields: dict[str, str], *, seen_on: str = "/notifications"):
    """Send a form of ours, as seen on a page, and do not follow the answer."""
    return browser.post(path, data=fields | {"csrf": csrf_of(browser, seen_on)}, follow_redirects=False)


@pytest.fixture(scope="session")
def played(server_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    """Play the story once."""
    name, folder = f"story_{uuid4().hex}", tmp_path_factory.mktemp("story")
    on_server(server_url, "CREATE DATABASE {} TEMPLATE {}", name, TEMPLATE)
    database = Database(server_url.replace("/postgres?", f"/{name}?"))
    sellers = [make_seller(1, agencies=2), make_seller(2, agencies=1)]
    drafts = {scenario: _draft(sellers[0], scenario, agency=index % 2) for index, scenario in enumerate(SCENARIOS)} | {
        "neighbour": _draft(sellers[1], "neighbour", agency=0)
    }
    numbers = {scenario: draft.number for scenario, draft in drafts.items()}
    chosen = {numbers[scenario]: scenario for scenario in SCENARIOS} | {numbers["neighbour"]: "rejected"}
    clock = ManualClock(START)
    services = build_services(_settings(folder), clock=clock, database=database, scenarios=chosen)
    house, neighbour = (_company(services, seller) for seller in sellers)
    _people(services, house, neighbour, sellers[0])
    for scenario, draft in drafts.items():
        _push(services, neighbour if scenario == "neighbour" else house, to_ubl(draft), scenario)
    _push(services, house, b"Bonjour, ci-joint la facture.", "broken")
    for _ in range(4):
        for organisation in (house, neighbour):
            with database.transaction(organisation) as session:
                for task in (PROCESS_TASK, OUTBOX_TASK, POLL_TASK):
                    enqueue(session, task)
        services.engine.run_until_idle()
        clock.advance(_PAUSE)
    for organisation in (house, neighbour):
        _quarantine_one(services, organisation)
    services.close()
    with closing(Shelf(server_url, name)) as copies:
        yield Played(name, copies, folder, house, neighbour, numbers)


@pytest.fixture
def site(played: Played) -> Iterator[Site]:
    """A copy of the story that the test may change."""
    with played.copies.lend() as database:
        clock = ManualClock(START + timedelta(hours=1))
        services = build_services(_settings(played.folder), clock=clock, database=database)
        with database.system_transaction() as session:
            demo_user = session.exec(select(User.id).where(User.email == PEOPLE[Role.AR_MANAGER])).one()
        yield Site(services, clock, played, demo_user)
        services.close()


def _settings(folder: Path) -> Settings:
    return load_settings(data_dir=folder, simulator_step_seconds=_STEP.total_seconds(), sign_in_attempts=50)


def _draft(seller: Company, scenario: str, *, agency: int):
    customer = make_customers(1, len(SCENARIOS) + 1)[[*SCENARIOS, "neighbour"].index(scenario)]
    issued = date(2026, 6, 20) if scenario == "silent" else date(2026, 9, 24)
    number = f"F-{scenario.upper()}"
    return make_draft(Random(scenario), seller, seller.agencies[agency], customer, number=number, issue_date=issued)


def _company(services: Services, seller: Company) -> UUID:
    with services.database.system_transaction() as session:
        organisation = create_organisation(session, siren=seller.siren, name=seller.name, now=services.clock())
        organisation_id = organisation.id
    with services.database.transaction(organisation_id) as session:
        for agency in seller.agencies:
            create_agency(session, siret=agency.siret, code=agency.code, name=agency.name)
    return organisation_id


def _people(services: Services, house: UUID, neighbour: UUID, seller: Company) -> None:
    def create(organisation: UUID, email: str, role: Role, agencies: tuple[str, ...] = ()) -> None:
        with services.database.transaction(organisation) as session:
            create_user(
                session,
                email=email,
                name=email.partition("@")[0].replace("_", " ").title(),
                password=PASSWORD,
                role=role,
                now=services.clock(),
                agencies=agencies,
            )

    for role, email in PEOPLE.items():
        create(house, email, role, (seller.agencies[0].siret,) if role is Role.COLLECTOR else ())
    create(neighbour, NEIGHBOUR, Role.ADMINISTRATOR)


def _push(services: Services, organisation: UUID, data: bytes, name: str) -> None:
    with services.database.transaction(organisation) as session:
        accept_flow(
            session,
            services.documents,
            Submission(data=data, name=f"{name}.xml", source="api", tracking_id=name),
            now=services.clock(),
        )


def _quarantine_one(services: Services, organisation: UUID) -> None:
    problem = {
        "code": "DOCUMENT_MISSING",
        "what_fr": "Un document manque sur le disque.",
        "what_en": "A document is not on disk.",
        "fix_fr": "Restaurez-le.",
        "fix_en": "Restore it.",
        "where": "abc",
    }
    now = services.clock()
    with services.database.transaction(organisation) as session:
        sha256 = keep_document(session, services.documents, b"<abime/>", "application/xml", now)
        session.add(
            Flow(
                organisation_id=organisation,
                source="file",
                name="statut-abime.xml",
                state=FlowState.QUARANTINED.value,
                problem=problem,
                document_sha256=sha256,
                attempts=3,
                next_attempt_at=now,
                submitted_at=now,
                updated_at=now,
            )
        )


__all__ = ["NEIGHBOUR", "PEOPLE", "Played", "Site", "csrf_of", "played", "post", "site"]
