"""The whole gateway with its documents in a bucket: an invoice goes its way; nothing is accepted while it is away."""

import hashlib
import json
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from random import Random
from urllib.parse import urlsplit

import pytest
from httpx import Response
from sqlmodel import select
from starlette.testclient import TestClient

from fixtures.companies import make_customers, make_seller
from fixtures.drafts import make_draft
from fixtures.ubl import to_ubl
from gateway.access.roles import ApiScope
from gateway.access.service import create_agency, create_client, create_organisation
from gateway.app.service import create_app
from gateway.app.services import Services, build_services
from gateway.flows.intake import PROCESS_TASK, Submission, accept_flow
from gateway.flows.model import Flow
from gateway.flows.tasks import POLL_TASK
from gateway.jobs.outbox import TASK as OUTBOX_TASK
from gateway.jobs.queue import enqueue
from gateway.kernel.settings import load_settings
from gateway.ledger.checkpoints import checkpoint_of
from gateway.ledger.documents_proof import verify_documents
from gateway.ledger.evidence import Story, make_evidence
from gateway.ledger.evidence_verifier import verify
from gateway.ledger.signing import load_key
from gateway.lifecycle.model import InvoiceRecord, LifecycleEvent

NUMBER = "F-S3-1"
STEP = timedelta(minutes=1)


@pytest.fixture
def services(database, clock, tmp_path, s3) -> Services:
    settings = load_settings(
        data_dir=tmp_path,
        documents_url=f"s3://{s3.bucket()}/gateway",
        documents_endpoint=s3.endpoint,
        documents_access_key="key",
        documents_secret_key="secret",
        documents_timeout_seconds=5,
        simulator_step_seconds=STEP.total_seconds(),
    )
    return build_services(settings, clock=clock, database=database, scenarios={NUMBER: "paid"})


@pytest.fixture
def house(services):
    seller = make_seller(1, agencies=1)
    with services.database.system_transaction() as session:
        organisation = create_organisation(session, siren=seller.siren, name=seller.name, now=services.clock()).id
    with services.database.transaction(organisation) as session:
        agency = seller.agencies[0]
        create_agency(session, siret=agency.siret, code=agency.code, name=agency.name)
    return organisation


@pytest.fixture
def invoice() -> bytes:
    seller = make_seller(1, agencies=1)
    customer = make_customers(1, 1)[0]
    issued = date(2026, 9, 24)
    return to_ubl(make_draft(Random(NUMBER), seller, seller.agencies[0], customer, number=NUMBER, issue_date=issued))


def push(services: Services, house, data: bytes) -> None:
    with services.database.transaction(house) as session:
        accept_flow(
            session, services.documents, Submission(data=data, name="f.xml", source="api"), now=services.clock()
        )


def test_an_invoice_goes_its_whole_way_with_its_documents_in_a_bucket(services, house, invoice, tmp_path):
    push(services, house, invoice)
    for _ in range(4):
        with services.database.transaction(house) as session:
            for task in (PROCESS_TASK, OUTBOX_TASK, POLL_TASK):
                enqueue(session, task)
        services.engine.run_until_idle()
        services.clock.advance(5 * STEP)
    with services.database.transaction(house) as session:
        statuses = {event.status for event in session.exec(select(LifecycleEvent))}
        assert {"200", "212"} <= statuses
        proof = verify_documents(session, services.documents)
        assert proof.holds
        assert proof.intact > len(statuses)
        record = session.exec(select(InvoiceRecord)).one()
        assert services.documents.get(record.document_sha256) == invoice
        key = load_key(tmp_path / "key.pem")
        subject = f"invoice:{record.number}/{record.seller_siren}/{record.year}"
        evidence = make_evidence(
            session,
            services.documents,
            story=Story(subject, "Facture", (), (), {}, "fr"),
            subjects=[subject],
            checkpoint=checkpoint_of(session, key, now=services.clock()),
            key=key,
        )
    (tmp_path / "evidence.zip").write_bytes(evidence)
    assert "all holds" in verify(str(tmp_path / "evidence.zip"))
    assert not (tmp_path / "documents").exists()


@pytest.fixture
def submit(services, house) -> Iterator[Callable[[bytes], Response]]:
    """Submits a file as a billing system does."""
    with services.database.transaction(house) as session:
        created = create_client(session, name="ERP", scopes=[ApiScope.FLOWS_WRITE], now=services.clock())
    with TestClient(create_app(services), raise_server_exceptions=False) as http:
        asked = {"grant_type": "client_credentials"}
        token = http.post("/oauth2/token", data=asked, auth=(created.client.client_id, created.secret)).json()
        headers = {"Authorization": f"Bearer {token['access_token']}"}

        def send(data: bytes) -> Response:
            info = json.dumps({"flowSyntax": "UBL", "name": "F1.xml"})
            parts = {"flowInfo": (None, info, "application/json"), "file": ("F1.xml", data, "application/xml")}
            return http.post("/flow-service/v1/flows", files=parts, headers=headers)

        yield send


def test_what_is_answered_202_is_in_the_bucket(services, invoice, submit, s3):
    assert submit(invoice).status_code == 202
    place = urlsplit(services.documents.place)
    sha256 = hashlib.sha256(invoice).hexdigest()
    key = f"{place.path.strip('/')}/{sha256[:2]}/{sha256[2:4]}/{sha256}"
    assert s3.client().get_object(Bucket=place.hostname, Key=key)["Body"].read() == invoice


def test_nothing_is_accepted_while_the_bucket_is_away_and_everything_afterwards(services, house, invoice, submit, s3):
    bucket = urlsplit(services.documents.place).hostname
    s3.client().delete_bucket(Bucket=bucket)
    assert submit(invoice).status_code == 503
    with services.database.transaction(house) as session:
        assert session.exec(select(Flow)).all() == []
    s3.client().create_bucket(Bucket=bucket)
    assert submit(invoice).status_code == 202
    with services.database.transaction(house) as session:
        (flow,) = session.exec(select(Flow))
    assert services.documents.get(flow.document_sha256) == invoice
