"""`POST /api/v1/invoices/{id}/statuses` on the assembled service: who may, what is answered, how refusals are said."""

from dataclasses import replace
from uuid import uuid4

import pytest
from sqlmodel import select

from gateway.access.roles import ApiScope
from gateway.access.service import create_client
from gateway.access.tokens import issue_token
from gateway.app.service import create_app
from gateway.app.services import build_services
from gateway.jobs.model import OutboxMessage
from gateway.lifecycle.model import InvoiceRecord, LifecycleEvent

RECEIPT = {"status": "212", "collected": [{"rate": "20", "amount": "12.00"}]}


@pytest.fixture
def http(world, client_of):
    services = build_services(world.context.settings, clock=world.clock, database=world.database)
    return client_of(create_app(replace(services, flows=world.context)))


@pytest.fixture
def headers(world):
    """The Authorization header of a program with one scope."""

    def make(scope: ApiScope = ApiScope.FLOWS_WRITE) -> dict[str, str]:
        with world.database.transaction(world.organisation_id) as session:
            created = create_client(session, name=f"ERP {scope}", scopes=[scope], now=world.clock())
            client_id, secret = created.client.client_id, created.secret
        with world.database.system_transaction() as session:
            issued = issue_token(
                session,
                world.context.settings,
                client_id=client_id,
                secret=secret,
                scopes=frozenset(),
                now=world.clock(),
            )
        return {"Authorization": f"Bearer {issued.token}"}

    return make


@pytest.fixture
def path(world, invoice):
    """Where to give statuses to an invoice of ours."""
    world.push(invoice("F1"))
    world.drain()
    (record,) = world.rows(InvoiceRecord)
    return f"/api/v1/invoices/{record.id}/statuses"


def test_a_receipt_is_recorded_and_answered_with_what_remains(world, http, headers, path):
    answer = http.post(path, json=RECEIPT, headers=headers())
    assert answer.status_code == 201
    told = answer.json()
    assert (told["event"]["status"]["code"], told["event"]["source"]) == ("212", "api")
    assert told["invoice"]["collected"] == "12.00"
    (left,) = told["invoice"]["remaining_by_rate"]
    assert float(left["amount"]) == pytest.approx(float(told["invoice"]["remaining"]))
    (event,) = world.rows(LifecycleEvent)
    assert told["event"]["event_id"] == str(event.id)
    sent = {row.idempotency_key for row in world.rows(OutboxMessage)}
    assert {f"flow-{flow_id}" for flow_id in told["flow_ids"]} <= sent


def test_a_repeated_call_under_the_same_key_gives_the_same_answer(world, http, headers, path):
    keyed = headers() | {"Idempotency-Key": "payment-77"}
    first, again = (http.post(path, json=RECEIPT, headers=keyed).json() for _ in range(2))
    assert (again["event"], again["flow_ids"]) == (first["event"], first["flow_ids"])
    assert len(world.rows(LifecycleEvent)) == 1


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"status": "205"}, 422, "STATUS_NOT_OURS"),
        ({"status": "212"}, 422, "MISSING_STATUS_DATA"),
        ({"status": "212", "collected": [{"rate": "5.5", "amount": "1.00"}]}, 422, "RATE_NOT_OF_INVOICE"),
        ({"status": "212", "collected": [{"rate": "20", "amount": "1.001"}]}, 422, "INVALID_REQUEST"),
        ({"status": "209", "comment": "\u0001"}, 422, "UNWRITABLE_LIFECYCLE_MESSAGE"),
        ({"status": "209", "at": "2099-01-01T00:00:00Z"}, 422, "STATUS_IN_THE_FUTURE"),
        ({"status": "209", "at": "2026-10-01T00:00:00"}, 422, "INVALID_REQUEST"),
        ({"status": "209", "colour": "red"}, 422, "INVALID_REQUEST"),
        ({}, 422, "INVALID_REQUEST"),
    ],
)
def test_a_refusal_is_a_problem_with_its_code_and_writes_nothing(body, status, code, world, http, headers, path):
    answer = http.post(path, json=body, headers=headers())
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert world.rows(LifecycleEvent) == []


def test_only_a_program_with_the_scope_to_write_gives_statuses(world, http, headers, path):
    assert http.post(path, json=RECEIPT).status_code == 401
    assert http.post(path, json=RECEIPT, headers=headers(ApiScope.INVOICES_READ)).status_code == 403
    assert world.rows(LifecycleEvent) == []


def test_an_unknown_invoice_is_not_found(http, headers):
    answer = http.post(f"/api/v1/invoices/{uuid4()}/statuses", json={"status": "220"}, headers=headers())
    assert (answer.status_code, answer.json()["code"]) == (404, "INVOICE_NOT_FOUND")


def test_a_program_sends_again_what_its_platform_refused(world, http, headers, path):
    world.deliver()
    with world.database.transaction(world.organisation_id) as session:
        [message] = session.exec(select(OutboxMessage)).all()
        message.answer = {"status": "Error", "at": world.clock().isoformat(), "remarks": []}
        session.add(message)
        resend = f"/api/v1/deliveries/{message.id}/resend"
        key = message.idempotency_key
    assert http.post(resend, headers=headers(ApiScope.FLOWS_READ)).status_code == 403
    writer = headers()
    answer = http.post(resend, headers=writer)
    assert (answer.status_code, answer.json()["tracking_id"]) == (201, f"{key}-2")
    again = http.post(resend, headers=writer)
    assert (again.status_code, again.json()["code"]) == (409, "DELIVERY_NOT_REFUSED")
    assert http.post(f"/api/v1/deliveries/{uuid4()}/resend", headers=writer).status_code == 404
