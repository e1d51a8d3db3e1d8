"""The demonstration: a wholesaler's invoices through the real API, answered by the platform simulator.

Everything is idempotent: killed in the middle and started again, it goes on where it was.
"""

import hashlib
import json
import secrets
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import httpx
from sqlmodel import Session, func, select

from fixtures.broken import broken_samples
from fixtures.companies import Company, make_seller
from fixtures.samples import DemoInvoice, demo_batch
from gateway.access.model import ApiClient, Organisation, User
from gateway.access.repository import organisations
from gateway.access.roles import ApiScope, Role
from gateway.access.service import (
    NewClient,
    create_agency,
    create_client,
    create_organisation,
    create_user,
    rotate_client_secret,
)
from gateway.alerts.model import Alert
from gateway.app.services import Services
from gateway.collection.model import CollectionAction
from gateway.database import Database
from gateway.flows.model import Flow
from gateway.kernel.clock import paris_date
from gateway.ledger.service import verify
from gateway.lifecycle.model import InvoiceRecord, LifecycleEvent
from gateway.lifecycle.statuses import status

SEED = 1
INVOICES = 60
DEMO_EMAIL = "demo@valbrune.example"
_CLIENT_NAME = "Démonstration"
#: Broken documents pushed with the others: one fails its schema, one cannot be read at all.
_BROKEN = {"invalid": "xsd", "unreadable": "well-formed"}


@dataclass(frozen=True, slots=True)
class Pushed:
    """A file of the demonstration's billing system."""

    file_name: str
    data: bytes
    media_type: str


@dataclass(frozen=True, slots=True)
class Stage:
    """Who plays: the organisation, the person whom the pages sign in, and the billing system's credentials."""

    organisation_id: UUID
    user_id: UUID
    client_id: str
    client_secret: str
    files: tuple[Pushed, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """What there is to see, counted in the database."""

    flows: dict[str, int]
    invoices: int
    statuses: dict[str, int]
    current: dict[str, int]
    alerts: dict[str, int]
    alerts_by_condition: dict[str, int]
    actions: dict[str, int]
    actions_by_kind: dict[str, int]
    ledger_entries: int
    ledger_holds: bool

    def as_json(self) -> dict[str, Any]:
        """The facts as JSON values."""
        return asdict(self)

    def line(self) -> str:
        """One line on how far the story is."""
        return (
            f"{self.invoices} factures / invoices · {sum(self.statuses.values())} statuts / statuses · "
            f"{sum(self.alerts.values())} alertes / alerts · {sum(self.actions.values())} actions"
        )

    def story(self) -> str:
        """The facts as people read them."""
        return "\n".join(
            [
                f"Flux / flows: {_listed(self.flows)}",
                f"Factures / invoices: {self.invoices}",
                f"Statuts reçus / statuses received: {_listed(self._labelled(self.statuses))}",
                f"Où en sont les factures / where invoices stand: {_listed(self._labelled(self.current))}",
                f"Alertes / alerts: {_listed(self.alerts)} ({_listed(self.alerts_by_condition)})",
                f"Actions: {_listed(self.actions)} ({_listed(self.actions_by_kind)})",
                f"Registre / ledger: {self.ledger_entries} entrées / entries, "
                + ("la chaîne tient / the chain holds" if self.ledger_holds else "CHAÎNE ROMPUE / CHAIN BROKEN"),
            ]
        )

    @staticmethod
    def _labelled(by_code: dict[str, int]) -> dict[str, int]:
        return {f"{code} {status(code).label.fr}": count for code, count in by_code.items()}


def demo_invoices(today: date) -> list[DemoInvoice]:
    """The invoices of the demonstration, dated before `today`, with what becomes of each."""
    return demo_batch(SEED, INVOICES, today)


def demo_day(database: Database, today: date) -> date:
    """The day the demonstration was first set up, so that a second start pushes the same invoices."""
    siren = make_seller(SEED).siren
    known = next((one for one in organisations(database) if one.siren == siren), None)
    return paris_date(known.created_at) if known else today


def set_stage(services: Services) -> Stage:
    """Create what is missing: organisation, agencies, people; give the billing system a new secret."""
    seller, now = make_seller(SEED), services.clock()
    organisation = _organisation(services, seller)
    with services.database.transaction(organisation.id) as session:
        user = session.exec(select(User).where(User.email == DEMO_EMAIL)).one_or_none()
        if user is None:
            user = _people(session, seller, now)
    client = _billing_system(services, organisation)
    files = tuple(_files(paris_date(organisation.created_at)))
    return Stage(organisation.id, user.id, client.client.client_id, client.secret, files)


def push(stage: Stage, base_url: str, progress: Callable[[int], None] = lambda _count: None) -> int:
    """Push every file as a billing system would, over HTTP, and say how many were accepted."""
    with httpx.Client(base_url=base_url, timeout=60) as http:
        answer = http.post(
            "/oauth2/token", data={"grant_type": "client_credentials"}, auth=(stage.client_id, stage.client_secret)
        )
        http.headers["Authorization"] = f"Bearer {answer.raise_for_status().json()['access_token']}"
        for count, file in enumerate(stage.files, start=1):
            http.post(
                "/flow-service/v1/flows",
                data={"flowInfo": _flow_info(file)},
                files={"file": (file.file_name, file.data, file.media_type)},
            ).raise_for_status()
            progress(count)
    return len(stage.files)


def facts(database: Database, organisation_id: UUID) -> Facts:
    """Count what the story brought about."""
    with database.transaction(organisation_id) as session:
        proof = verify(session)
        invoices = session.exec(select(func.count()).select_from(InvoiceRecord)).one()
        return Facts(
            flows=_counts(session, Flow.ack_status),
            invoices=invoices,
            statuses=_counts(session, LifecycleEvent.status),
            current=_counts(session, InvoiceRecord.status),
            alerts=_counts(session, Alert.state),
            alerts_by_condition=_counts(session, Alert.condition),
            actions=_counts(session, CollectionAction.state),
            actions_by_kind=_counts(session, CollectionAction.kind),
            ledger_entries=proof.entries,
            ledger_holds=proof.holds,
        )


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items()) or "0"


def _organisation(services: Services, seller: Company) -> Organisation:
    known = next((one for one in organisations(services.database) if one.siren == seller.siren), None)
    if known is not None:
        return known
    with services.database.system_transaction() as session:
        created = create_organisation(session, siren=seller.siren, name=seller.name, now=services.clock())
        organisation_id = created.id
    with services.database.transaction(organisation_id) as session:
        for agency in seller.agencies:
            create_agency(session, siret=agency.siret, code=agency.code, name=agency.name)
    return created


def _billing_system(services: Services, organisation: Organisation) -> NewClient:
    """The same program at each start, since tracking ids are counted by program; its secret is a new one."""
    with services.database.transaction(organisation.id) as session:
        known = session.exec(select(ApiClient.client_id).where(ApiClient.name == _CLIENT_NAME)).one_or_none()
        if known is None:
            scopes = [ApiScope.FLOWS_WRITE, ApiScope.FLOWS_READ]
            return create_client(session, name=_CLIENT_NAME, scopes=scopes, now=services.clock())
    with services.database.system_transaction() as session:
        return rotate_client_secret(session, known)


def _people(session: Session, seller: Company, now: datetime) -> User:
    """The person the pages sign in, a collector of three agencies and a treasurer; nobody knows their passwords."""
    create_user(
        session,
        email="collecte@valbrune.example",
        name="Sacha Morel",
        password=secrets.token_urlsafe(24),
        role=Role.COLLECTOR,
        now=now,
        agencies=[agency.siret for agency in seller.agencies[:3]],
    )
    create_user(
        session,
        email="tresorerie@valbrune.example",
        name="Dominique Faure",
        password=secrets.token_urlsafe(24),
        role=Role.TREASURER,
        now=now,
    )
    return create_user(
        session,
        email=DEMO_EMAIL,
        name="Camille Roux",
        password=secrets.token_urlsafe(24),
        role=Role.AR_MANAGER,
        now=now,
    )


def _files(day: date) -> Iterator[Pushed]:
    for invoice in demo_invoices(day):
        yield Pushed(invoice.file_name, invoice.data, invoice.media_type)
    broken = broken_samples(SEED)
    for verdict, layer in _BROKEN.items():
        sample = next(one for one in broken if one.verdict == verdict and one.layer == layer and one.data)
        yield Pushed(f"{sample.name}.xml", sample.data, "application/octet-stream")


def _flow_info(file: Pushed) -> str:
    sha256 = hashlib.sha256(file.data).hexdigest()
    return json.dumps(
        {"name": file.file_name, "flowSyntax": _syntax(file), "trackingId": f"demo-{sha256[:24]}", "sha256": sha256}
    )


def _syntax(file: Pushed) -> str:
    if file.data.startswith(b"%PDF"):
        return "Factur-X"
    return "CII" if b"CrossIndustryInvoice" in file.data else "UBL"


def _counts(session: Session, column: Any) -> dict[str, int]:
    rows = session.exec(select(column, func.count()).group_by(column)).all()
    return dict(sorted(Counter({str(value): count for value, count in rows if value is not None}).items()))
