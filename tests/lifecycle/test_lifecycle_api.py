"""`/api/v1/invoices` and `/api/v1/events` on the assembled service: who may, what is found, nothing ever missed."""

import json
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from importlib.resources import files
from random import Random
from threading import Event, Thread
from typing import Any
from uuid import UUID, uuid4

import pytest
from fastapi.testclient import TestClient

from gateway.access.model import Agency
from gateway.access.roles import ApiScope, Role
from gateway.access.service import create_client, create_user
from gateway.access.sign_in import open_session
from gateway.access.tokens import issue_token
from gateway.app.service import create_app
from gateway.app.services import build_services
from gateway.database import Database
from gateway.jobs.outbox import put_in_outbox
from gateway.lifecycle.deliveries import PLATFORM_FLOW
from gateway.lifecycle.model import Direction
from gateway.lifecycle.records import InvoiceDocument
from gateway.lifecycle.repository import events_after
from gateway.lifecycle.service import record_message, register_invoice
from gateway.lifecycle.views import event_schema
from gateway.web.security import SESSION_COOKIE
from tests.lifecycle.following import invoice, record, register
from tests.lifecycle.making_events import BUYER_SIREN, SELLER_SIREN, START, amount, message

Reader = Callable[..., Any]
SIRET = SELLER_SIREN + "00013"


@pytest.fixture
def http(database: Database, settings: Any, clock: Any) -> Iterator[TestClient]:
    with TestClient(create_app(build_services(settings, clock=clock, database=database))) as client:
        yield client


@pytest.fixture
def token(database: Database, settings: Any, clock: Any) -> Callable[[UUID, ApiScope], dict[str, str]]:
    """The Authorization header of a program of an organisation with one scope."""

    def make(organisation: UUID, scope: ApiScope) -> dict[str, str]:
        with database.transaction(organisation) as session:
            created = create_client(session, name=f"Trésorerie {scope}", scopes=[scope], now=clock())
            client_id, secret = created.client.client_id, created.secret
        with database.system_transaction() as session:
            issued = issue_token(session, settings, client_id=client_id, secret=secret, scopes=frozenset(), now=clock())
        return {"Authorization": f"Bearer {issued.token}"}

    return make


@pytest.fixture
def read(http: TestClient, token: Any, organisation: UUID) -> Reader:
    """Reads a path under /api/v1 as a program of the organisation, with the scope that the path wants."""
    invoices, events = token(organisation, ApiScope.INVOICES_READ), token(organisation, ApiScope.EVENTS_READ)

    def get(path: str, extra: dict[str, str] | None = None, **query: Any) -> Any:
        headers = events if path == "/events" else invoices
        return http.get(f"/api/v1{path}", params=query, headers=headers | (extra or {}))

    return get


def numbers(answer: Any) -> list[str]:
    return [each["number"] for each in answer.json()["invoices"]]


def test_an_invoice_shows_where_it_stands_with_its_amounts_by_rate(
    read: Reader, database: Database, organisation: UUID
) -> None:
    invoice_id = register(database, organisation).invoice.id
    record(database, organisation, "212", 1, data=[amount("MEN", "20.00", "20")])
    found = read(f"/invoices/{invoice_id}").json()
    assert (found["number"], found["direction"], found["status"]["code"]) == ("F1", "receivable", "212")
    assert found["status"]["label"] == {"fr": "Encaissée", "en": "Payment received"}
    assert (Decimal(found["collected"]), Decimal(found["remaining"])) == (20, 100)
    for field, left in (("collected_by_rate", 20), ("remaining_by_rate", 100)):
        (part,) = found[field]
        assert (Decimal(part["rate"]), Decimal(part["amount"])) == (20, left)


def test_the_timeline_tells_the_other_lines_and_what_is_awaited(
    read: Reader, database: Database, organisation: UUID, clock: Any
) -> None:
    flow_id = uuid4()
    with database.transaction(organisation) as session:
        followed = register_invoice(
            session,
            invoice=invoice(),
            document=InvoiceDocument("UBL", "EN 16931", "0" * 64),
            flow_id=flow_id,
            agency_id=None,
            direction=Direction.RECEIVABLE,
            now=START,
        ).invoice
        payload = {"platform": "simulator", "for_portal": False}
        put_in_outbox(session, kind=PLATFORM_FLOW, idempotency_key="k", payload=payload, now=START, subject_id=flow_id)
        invoice_id = followed.id
    refused = record(database, organisation, "501", 1, reasons=["IRR_SYNTAX"])
    told = read(f"/invoices/{invoice_id}/timeline").json()
    [attempt] = told["transmission"]
    assert (attempt["platform"], attempt["state"]["code"], attempt["status"]) == ("simulator", "pending", None)
    assert attempt["answers"] == [str(refused.id)]
    assert (told["status"], told["reporting"]) == (None, [])
    assert [each["matter"] for each in told["awaited"]] == ["deadline.invoice_not_sent", "due_date"]


def test_the_timeline_tells_each_event_with_its_raw_message(
    read: Reader, database: Database, organisation: UUID
) -> None:
    invoice_id = register(database, organisation).invoice.id
    record(database, organisation, "207", 1, reasons=["PU_ERR"], comment="Prix faux.")
    (entry,) = read(f"/invoices/{invoice_id}/timeline").json()["entries"]
    assert (entry["status"]["code"], entry["comment"], entry["document_sha256"]) == ("207", "Prix faux.", "0" * 64)
    assert [reason["code"] for reason in entry["reasons"]] == ["PU_ERR"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ["P1", "F2", "F1"]),
        ({"status": "205"}, ["F1"]),
        ({"status": ["205", "200"]}, ["F1"]),
        ({"direction": "payable"}, ["P1"]),
        ({"direction": "receivable"}, ["F2", "F1"]),
        ({"buyer_siren": BUYER_SIREN}, ["P1", "F2", "F1"]),
        ({"buyer_siren": "999999999"}, []),
        ({"seller_siren": SELLER_SIREN}, ["P1", "F2", "F1"]),
        ({"seller_siren": "999999999"}, []),
        ({"agency": SIRET}, ["F2"]),
        ({"issued_from": "2026-10-02"}, ["P1", "F2"]),
        ({"issued_to": "2026-10-02"}, ["F2", "F1"]),
        ({"issued_from": "2026-10-02", "issued_to": "2026-10-02"}, ["F2"]),
        ({"due_from": "2026-11-01"}, []),
        ({"due_from": "2026-10-31", "due_to": "2026-10-31"}, ["P1", "F2", "F1"]),
        ({"buyer_name": "batir"}, ["P1", "F2", "F1"]),
        ({"buyer_name": "comptoir"}, []),
        ({"seller_name": "MATERIAUX"}, ["P1", "F2", "F1"]),
        ({"q": "f2"}, ["F2"]),
        ({"q": "bâtir"}, ["P1", "F2", "F1"]),
    ],
)
def test_each_filter_narrows_the_list(
    query: dict[str, Any], expected: list[str], read: Reader, database: Database, organisation: UUID
) -> None:
    with database.transaction(organisation) as session:
        agency = Agency(organisation_id=organisation, siret=SIRET, code="A", name="Agence")
        session.add(agency)
        session.flush()
        agency_id = agency.id
    register(database, organisation)
    register(database, organisation, invoice("F2", issue_date=date(2026, 10, 2)), agency_id=agency_id)
    register(database, organisation, invoice("P1", issue_date=date(2026, 10, 3)), direction=Direction.PAYABLE)
    record(database, organisation, "205", 1)
    assert numbers(read("/invoices", **query)) == expected


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"agency": "00000000000000"}, 404),
        ({"agency": "1"}, 422),
        ({"direction": "sideways"}, 422),
        ({"cursor": "nonsense"}, 422),
        ({"limit": 0}, 422),
        ({"issued_from": "hier"}, 422),
        ({"due_to": "demain"}, 422),
    ],
)
def test_a_senseless_filter_is_a_problem_with_its_code(query: dict[str, Any], code: int, read: Reader) -> None:
    answer = read("/invoices", **query)
    assert answer.status_code == code
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"]


def test_pages_hold_every_invoice_once(read: Reader, database: Database, organisation: UUID) -> None:
    for number in range(7):
        register(database, organisation, invoice(f"F{number}"))
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = read("/invoices", limit=3, **cursor)
        seen += numbers(page)
        if page.json()["next_cursor"] is None:
            break
        cursor = {"cursor": page.json()["next_cursor"]}
    assert sorted(seen) == [f"F{number}" for number in range(7)]


def test_what_has_not_changed_is_not_sent_again(read: Reader, database: Database, organisation: UUID) -> None:
    invoice_id = register(database, organisation).invoice.id
    for path in (f"/invoices/{invoice_id}", f"/invoices/{invoice_id}/timeline", "/invoices", "/events"):
        first = read(path)
        held = {"If-None-Match": f'"other", W/{first.headers["etag"]}'}
        again = read(path, held)
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    before = read(f"/invoices/{invoice_id}").headers["etag"]
    record(database, organisation, "205", 1)
    changed = read(f"/invoices/{invoice_id}", {"If-None-Match": before})
    assert (changed.status_code, changed.json()["status"]["code"]) == (200, "205")


def test_an_invoice_of_another_organisation_is_not_found(
    read: Reader, database: Database, other_organisation: UUID
) -> None:
    theirs = register(database, other_organisation).invoice.id
    record(database, other_organisation, "205", 1)
    for path in (f"/invoices/{theirs}", f"/invoices/{theirs}/timeline"):
        assert (read(path).status_code, read(path).json()["code"]) == (404, "INVOICE_NOT_FOUND")
    assert numbers(read("/invoices")) == []
    assert read("/events").json() == {"events": [], "next_after": 0}


@pytest.mark.parametrize(("path", "other"), [("/invoices", ApiScope.EVENTS_READ), ("/events", ApiScope.INVOICES_READ)])
def test_each_path_wants_a_scope_of_its_own(
    path: str, other: ApiScope, http: TestClient, token: Any, organisation: UUID
) -> None:
    assert http.get(f"/api/v1{path}").status_code == 401
    wrong = http.get(f"/api/v1{path}", headers=token(organisation, other))
    assert (wrong.status_code, wrong.headers["content-type"]) == (403, "application/problem+json")


def test_a_person_limited_to_agencies_reads_their_invoices_but_not_the_feed(
    http: TestClient, database: Database, settings: Any, clock: Any, organisation: UUID
) -> None:
    with database.transaction(organisation) as session:
        agency = Agency(organisation_id=organisation, siret=SIRET, code="A", name="Agence")
        session.add(agency)
        session.flush()
        person = {"email": "a@b.fr", "name": "A", "password": "une phrase assez longue", "agencies": (SIRET,)}
        user = create_user(session, role=Role.COLLECTOR, now=clock(), **person)
        cookie = {"Cookie": f"{SESSION_COOKIE}={open_session(session, user, settings, clock()).token}"}
        agency_id = agency.id
    register(database, organisation)
    register(database, organisation, invoice("F2"), agency_id=agency_id)
    assert numbers(http.get("/api/v1/invoices", headers=cookie)) == ["F2"]
    feed = http.get("/api/v1/events", headers=cookie)
    assert (feed.status_code, feed.json()["code"]) == (403, "LIMITED_VIEW")


def test_the_feed_gives_each_event_once_in_the_order_recorded(
    read: Reader, database: Database, organisation: UUID
) -> None:
    codes = ["205", "204", "207", "200", "212"]
    for hours, code in enumerate(codes):
        data = [amount("MEN", "1.00", "20")] if code == "212" else []
        record(database, organisation, code, 10 - hours, data=data, reasons=["PU_ERR"] if code == "207" else [])
    seen, after = [], 0
    while True:
        page = read("/events", after=after, limit=2).json()
        seen += page["events"]
        assert page["next_after"] == (page["events"][-1]["sequence"] if page["events"] else after)
        if not page["events"]:
            break
        after = page["next_after"]
    assert [each["status"]["code"] for each in seen] == codes
    assert {(each["number"], each["seller_siren"], each["year"]) for each in seen} == {("F1", SELLER_SIREN, 2026)}


def test_no_event_is_ever_recorded_behind_a_reader_s_place(
    database: Database, organisation: UUID, other_organisation: UUID
) -> None:
    """Writers of two organisations commit late and in any order while a reader follows one of them."""
    each_writer, done = 12, Event()

    def write(house: UUID, name: str) -> None:
        pause = Random(name)
        for number in range(each_writer):
            with database.transaction(house) as session:
                record_message(
                    session,
                    message=message("205", number=f"{name}-{number}"),
                    direction=Direction.RECEIVABLE,
                    document_sha256=None,
                    flow_id=None,
                    now=START,
                )
                session.connection().exec_driver_sql("SELECT pg_sleep(%s)", (pause.random() / 100,))

    seen: list[str] = []
    sequences: list[int] = []

    def follow() -> None:
        after = 0
        while True:
            was_done = done.is_set()
            with database.transaction(organisation) as session:
                found = [(row.sequence or 0, row.number) for row in events_after(session, after, 5)]
            seen.extend(number for _, number in found)
            sequences.extend(sequence for sequence, _ in found)
            after = found[-1][0] if found else after
            if was_done and not found:
                return

    writers = [Thread(target=write, args=(organisation, f"W{number}")) for number in range(3)]
    writers.append(Thread(target=write, args=(other_organisation, "OTHER")))
    reader = Thread(target=follow)
    for thread in (*writers, reader):
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    reader.join()
    assert sorted(seen) == sorted(f"W{writer}-{number}" for writer in range(3) for number in range(each_writer))
    assert sequences == sorted(set(sequences))


def test_the_published_schema_of_an_event_is_that_of_the_model() -> None:
    published = (files("schemas") / "lifecycle-event.schema.json").read_text(encoding="utf-8")
    assert published == event_schema(), "write gateway.lifecycle.views.event_schema() to the file"


def test_an_event_of_the_feed_holds_what_its_schema_requires(
    read: Reader, database: Database, organisation: UUID
) -> None:
    record(database, organisation, "205", now=START + timedelta(minutes=1))
    (event,) = read("/events").json()["events"]
    described = json.loads(event_schema())
    assert set(event) == set(described["properties"]) == set(described["required"])


def test_the_description_of_the_service_names_what_is_answered(http: TestClient) -> None:
    paths = http.get("/api/openapi.json").json()["paths"]
    for path, model in {
        "/api/v1/invoices": "InvoicePage",
        "/api/v1/invoices/{invoice_id}": "InvoiceView",
        "/api/v1/invoices/{invoice_id}/timeline": "Timeline",
        "/api/v1/events": "EventFeed",
    }.items():
        answers = paths[path]["get"]["responses"]
        assert answers["200"]["content"]["application/json"]["schema"]["$ref"].endswith(f"/{model}")
        assert "304" in answers
        assert list(answers["422"]["content"]) == ["application/problem+json"]
    given = paths["/api/v1/invoices/{invoice_id}/statuses"]["post"]["responses"]
    assert given["201"]["content"]["application/json"]["schema"]["$ref"].endswith("/GivenStatusView")
    assert set(given) == {"201", "401", "403", "404", "409", "422"}
