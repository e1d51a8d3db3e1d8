"""Whoever subscribed is told everything, signed, in order, at least once, and only at addresses that may be called."""

import json
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import jsonschema_rs
import pytest
from cloudevents.core.bindings.http import HTTPMessage, from_http_event
from cloudevents.core.formats.json import JSONFormat
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from standardwebhooks import Webhook as StandardWebhook
from standardwebhooks import WebhookVerificationError

from gateway.access.model import User
from gateway.access.roles import ApiScope
from gateway.access.service import create_client
from gateway.flows.model import Flow
from gateway.flows.representation import flow_view
from gateway.flows.signatures import SIGNATURE_HEADER, TIMESTAMP_HEADER, is_signed
from gateway.flows.webhooks.addresses import CallbackPolicy
from gateway.flows.webhooks.calling import Answer, Caller, headers_for, judge, secret_of, webhook_channel
from gateway.flows.webhooks.errors import WebhookNotFoundError
from gateway.flows.webhooks.events import event_schemas
from gateway.flows.webhooks.model import Webhook, WebhookKind
from gateway.flows.webhooks.repository import all_webhooks, calls_of
from gateway.flows.webhooks.service import WEBHOOK_CALL, CreatedWebhook, start_again, subscribe, unsubscribe
from gateway.flows.webhooks.tasks import tell_subscribers
from gateway.flows.webhooks.wanted import EventFilter
from gateway.jobs.channels import Channel, Delivery
from gateway.jobs.model import OutboxMessage
from gateway.jobs.outbox import OutboxWorker
from gateway.lifecycle.model import LifecycleEvent
from gateway.lifecycle.repository import events_after
from gateway.lifecycle.views import event_view
from gateway.notifications.model import Notification
from tests.database.waiting import wait_until_one_waits_for_a_lock

SCHEMAS = Path(__file__).parents[2] / "schemas"
ADDRESS = "https://erp.example.org/calls"


@dataclass
class Receiver:
    """A subscriber that answers what the test says, 200 by default (500 to what it refuses), and keeps what arrived."""

    answers: list[int | Exception] = field(default_factory=list)
    arrived: list[tuple[bytes, dict[str, str]]] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)
    tries: int = 0
    refuses: str | None = None

    def send(self, address: str, body: bytes, headers: dict[str, str]) -> int:
        self.tries += 1
        answer = self.answers.pop(0) if self.answers else 200
        if isinstance(answer, Exception):
            raise answer
        if self.refuses is not None and self.refuses in body.decode():
            return 500
        if answer == 200:
            self.arrived.append((body, headers))
            self.addresses.append(address)
        return answer

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(body) for body, _ in self.arrived]


@dataclass
class Subscribed:
    """A webhook of the world's organisation, and what its receiver got."""

    world: Any
    created: CreatedWebhook
    receiver: Receiver
    public_url: str | None = None

    def turn(self) -> None:
        """Process what was pushed, tell, call; what failed is not tried again yet."""
        self.world.drain()
        tell_subscribers(self.world.database, self.world.clock, self.world.organisation_id, self.public_url)
        self.call()

    def call(self) -> None:
        settings = self.world.context.settings.model_copy(update={"public_url": self.public_url})
        caller = Caller(self.world.database, self.world.clock, settings, self.receiver.send)
        channels = {WEBHOOK_CALL: Channel(caller.deliver, repeatable=True)}
        worker = OutboxWorker(self.world.database, self.world.clock, channels, attempts=3, batch=1000)
        worker.drain(self.world.organisation_id)

    def later(self, wait: timedelta = timedelta(hours=1)) -> None:
        self.world.clock.advance(wait)
        self.turn()

    @property
    def row(self) -> Webhook:
        [row] = [each for each in self.world.rows(Webhook) if each.id == self.created.webhook.id]
        return row


@pytest.fixture
def client_id(world) -> UUID:
    with world.database.transaction(world.organisation_id) as session:
        return create_client(session, name="ERP", scopes=sorted(ApiScope), now=world.clock()).client.id


@pytest.fixture
def subscribed(world, client_id) -> Callable[..., Subscribed]:
    """Subscribes to flows, or to events, with filters."""

    def make(kind: WebhookKind = WebhookKind.FLOW, address: str = ADDRESS, **wanted: Any) -> Subscribed:
        with world.database.transaction(world.organisation_id) as session:
            created = subscribe(
                session,
                kind=kind,
                api_client_id=client_id,
                callback_url=address,
                wanted=wanted,
                policy=CallbackPolicy(),
                now=world.clock(),
            )
        return Subscribed(world, created, Receiver())

    return make


def test_a_flow_is_told_as_it_reads_signed_with_the_key_of_its_webhook(world, subscribed, invoice):
    told = subscribed()
    flow_id = world.push(invoice("F1"), tracking_id="t-1").flow.id
    told.turn()
    [(body, headers)] = told.receiver.arrived
    assert json.loads(body) == flow_view(world.flow(flow_id)).model_dump(mode="json", by_alias=True, exclude_none=True)
    signature = {"signature": headers[SIGNATURE_HEADER], "timestamp": headers[TIMESTAMP_HEADER]}
    proof = {"now": world.clock(), "tolerance": timedelta(minutes=5)} | signature
    assert is_signed(body, told.created.key, **proof)
    assert not is_signed(body + b" ", told.created.key, **proof)
    assert headers["Content-Type"] == "application/json"


def test_what_was_there_before_the_subscription_is_not_told(world, subscribed, invoice):
    world.push(invoice("F1"))
    world.drain()
    told = subscribed()
    told.turn()
    assert told.receiver.tries == 0


FILTERS: list[tuple[dict[str, Any], set[str]]] = [
    ({}, {"good.xml", "bad.xml", "status"}),
    ({"ack_status": "Error"}, {"bad.xml"}),
    ({"flow_types": ["CustomerInvoice"]}, {"good.xml"}),
    ({"flow_types": ["CustomerInvoice", "Undefined"], "ack_status": "Error"}, {"bad.xml"}),
    ({"flow_direction": "In"}, {"status"}),
    ({"flow_types": ["SupplierInvoice"]}, set()),
]


def test_each_filter_of_the_standard_counts(world, subscribed, invoice):
    told, *_ = [subscribed(address=f"{ADDRESS}/{number}", **wanted) for number, (wanted, _) in enumerate(FILTERS)]
    world.push(invoice("F1"), name="good.xml")
    world.push(b"<x/>", name="bad.xml")
    world.turn()
    world.clock.advance(timedelta(minutes=1))
    world.turn()
    told.turn()
    heard: dict[str, set[str]] = {}
    for address, body in zip(told.receiver.addresses, told.receiver.bodies, strict=True):
        heard.setdefault(address, set()).add(body["name"] if body["flowDirection"] == "Out" else "status")
    for number, (wanted, names) in enumerate(FILTERS):
        assert heard.get(f"{ADDRESS}/{number}", set()) == names, wanted


def test_calls_come_one_after_the_other_in_order_and_a_failure_delays_but_loses_none(world, subscribed):
    told = subscribed()
    sent = [str(world.push(b"<x>%d</x>" % number).flow.id) for number in range(4)]
    told.receiver.answers = [200, 500, httpx.ConnectError("refused"), 404, OSError("unreachable")]
    told.turn()
    assert [body["flowId"] for body in told.receiver.bodies] == sent[:1]
    assert told.row.failures == 1
    assert told.row.failing_since == world.clock()
    for _ in range(4):
        told.later()
    assert [body["flowId"] for body in told.receiver.bodies] == sent
    assert (told.row.failures, told.row.failing_since, told.row.in_flight) == (0, None, None)


def test_a_flow_that_changes_before_it_is_told_is_told_once_as_it_stands(world, subscribed, invoice):
    told = subscribed()
    world.push(invoice("F1"))
    told.receiver.answers = [503]
    tell_subscribers(world.database, world.clock, world.organisation_id, None)
    told.call()
    told.later()
    assert [body["acknowledgement"]["status"] for body in told.receiver.bodies] == ["Pending", "Ok"]


def test_a_crash_between_the_arrival_and_its_note_repeats_the_call_and_skips_nothing(world, subscribed, monkeypatch):
    """The repeat finds another call on its way: it adds none beside it."""
    told = subscribed()
    sent = [str(world.push(b"<x>%d</x>" % number).flow.id) for number in range(3)]
    arrived = Caller._arrived
    crashes = iter([True])

    def dying(self: Caller, webhook: Webhook, delivery: Delivery) -> None:
        arrived(self, webhook, delivery)
        if next(crashes, False):
            raise RuntimeError("killed after the mark moved, before the outbox knew")

    monkeypatch.setattr(Caller, "_arrived", dying)
    told.receiver.refuses = sent[1]
    told.turn()
    world.clock.advance(timedelta(hours=1))
    told.call()
    assert [body["flowId"] for body in told.receiver.bodies] == [sent[0], sent[0]]
    assert len(world.rows(OutboxMessage)) == 2
    told.receiver.refuses = None
    told.later()
    assert [body["flowId"] for body in told.receiver.bodies] == [sent[0], *sent]


def test_a_flow_that_its_receiver_calls_malformed_is_put_aside_and_the_next_one_goes_on(world, subscribed):
    told = subscribed()
    sent = [str(world.push(b"<x>%d</x>" % number).flow.id) for number in range(2)]
    told.receiver.answers = [400]
    told.turn()
    assert [body["flowId"] for body in told.receiver.bodies] == sent[1:]
    with world.database.transaction(world.organisation_id) as session:
        states = [(call.state, call.last_error) for call in calls_of(session, told.row.id, 10)]
        assert start_again(session, told.row.id, now=world.clock()) == 1
    assert sorted(state for state, _ in states) == ["failed", "sent"]
    told.call()
    assert [body["flowId"] for body in told.receiver.bodies] == [sent[1], sent[0]]


@pytest.mark.parametrize("answers", [[410], [500] * 100])
def test_a_webhook_that_is_gone_or_fails_for_days_is_disabled_told_and_goes_on_where_it_was(world, subscribed, answers):
    with world.database.transaction(world.organisation_id) as session:
        for role in ("administrator", "reader"):
            facts = {"email": f"{role}@example.org", "name": role, "password_hash": "", "created_at": world.clock()}
            session.add(User(organisation_id=world.organisation_id, role=role, **facts))
    told = subscribed()
    sent = [str(world.push(b"<x>%d</x>" % number).flow.id) for number in range(3)]
    told.receiver.answers = list(answers)
    told.turn()
    for _ in range(60 if len(answers) > 1 else 0):
        told.later(timedelta(hours=2))
    assert told.row.disabled_at is not None
    tries = told.receiver.tries
    told.later(timedelta(days=30))
    assert told.receiver.tries == tries
    [notice] = world.rows(Notification)
    assert str(told.row.id) in notice.body
    told.receiver.answers.clear()
    with world.database.transaction(world.organisation_id) as session:
        start_again(session, told.row.id, now=world.clock())
    told.turn()
    assert [body["flowId"] for body in told.receiver.bodies] == sent


def test_a_receiver_that_calls_every_flow_malformed_does_not_go_unnoticed(world, subscribed):
    told = subscribed()
    told.receiver.answers = [400] * 10
    for number in range(4):
        world.push(b"<x>%d</x>" % number)
        told.turn()
        assert (told.row.disabled_at is None) == (number < 3)
        world.clock.advance(timedelta(days=1))
    assert told.receiver.tries == 4
    told.receiver.answers.clear()
    with world.database.transaction(world.organisation_id) as session:
        assert start_again(session, told.row.id, now=world.clock()) == 4
    told.turn()
    assert len(told.receiver.arrived) == 4


@settings(max_examples=12, deadline=None)
@given(
    steps=st.lists(st.sampled_from(["push", "process", "turn", "later"]), max_size=10),
    answers=st.lists(st.sampled_from([200, 500]), max_size=20),
)
def check_history(make: Callable[[], Subscribed], steps: list[str], answers: list[int]) -> None:
    told = make()
    told.receiver.answers = list(answers)
    pushed: set[str] = set()
    for step in steps:
        if step == "push":
            pushed.add(str(told.world.push(f"<x>{uuid4()}</x>".encode()).flow.id))
        elif step == "process":
            told.world.drain()
        elif step == "turn":
            told.turn()
        else:
            told.later()
    told.receiver.answers.clear()
    told.later()
    last = {body["flowId"]: body["acknowledgement"]["status"] for body in told.receiver.bodies}
    assert last == dict.fromkeys(pushed, "Error")
    updates = [body["updatedAt"] for body in told.receiver.bodies]
    assert updates == sorted(set(updates))


def test_whatever_happens_every_last_state_is_told_in_order(subscribed):
    made: list[Subscribed] = []

    def only_one() -> Subscribed:
        for old in made:  # each history has a webhook of its own
            with old.world.database.transaction(old.world.organisation_id) as session:
                session.delete(session.get_one(Webhook, old.row.id))
        made.clear()
        made.append(subscribed())
        return made[0]

    check_history(make=only_one)


@pytest.mark.parametrize(
    ("kind", "status", "answer"),
    [
        (WebhookKind.FLOW, 200, Answer.ARRIVED),
        (WebhookKind.EVENT, 204, Answer.ARRIVED),
        (WebhookKind.FLOW, 302, Answer.FAILED),
        (WebhookKind.FLOW, 400, Answer.REFUSED),
        (WebhookKind.FLOW, 422, Answer.REFUSED),
        (WebhookKind.EVENT, 400, Answer.FAILED),
        (WebhookKind.FLOW, 401, Answer.FAILED),
        (WebhookKind.FLOW, 404, Answer.FAILED),
        (WebhookKind.EVENT, 410, Answer.GONE),
        (WebhookKind.FLOW, 503, Answer.FAILED),
    ],
)
def test_what_an_answer_means(kind, status, answer):
    assert judge(kind, status) is answer


@pytest.mark.parametrize("public_url", [None, "https://gateway.example", "https://gateway.example/base/"])
def test_events_are_cloud_events_that_the_published_schema_and_the_libraries_accept(
    world, subscribed, invoice, public_url
):
    told = subscribed(WebhookKind.EVENT)
    told.public_url = public_url
    schema = public_url and f"{public_url.rstrip('/')}/schemas/lifecycle-event.schema.json"
    world.push(invoice("F1"))
    world.turn()
    for _ in range(3):
        world.clock.advance(timedelta(minutes=1))
        world.turn()
    told.turn()
    with world.database.transaction(world.organisation_id) as session:
        recorded = events_after(session, 0, 100)
    assert len(recorded) >= 3
    validator = published()
    for event, (body, headers) in zip(recorded, told.receiver.arrived, strict=True):
        read = from_http_event(HTTPMessage(headers={"content-type": headers["Content-Type"]}, body=body), JSONFormat())
        assert (read.get_id(), read.get_type()) == (str(event.id), f"einvoicing.{event.line}.status.{event.status}")
        assert read.get_dataschema() == schema
        assert read.get_data() == event_view(event).model_dump(mode="json")
        assert headers["webhook-id"] == str(event.id)
        assert validator.is_valid(json.loads(body)), [str(fault) for fault in validator.iter_errors(json.loads(body))]
    assert [body["sequence"] for body in told.receiver.bodies] == sorted(b["sequence"] for b in told.receiver.bodies)


def published() -> Any:
    schema = json.loads((SCHEMAS / "lifecycle-cloudevent.schema.json").read_text())
    schema["properties"]["data"] = json.loads((SCHEMAS / "lifecycle-event.schema.json").read_text())
    return jsonschema_rs.validator_for(schema)


@pytest.mark.parametrize(("name", "schema"), event_schemas().items())
def test_the_published_schema_is_that_of_the_code(name, schema):
    assert (SCHEMAS / name).read_text() == schema, (
        f"write gateway.flows.webhooks.events.event_schemas()[{name!r}] to it"
    )


def test_an_event_is_signed_as_the_library_of_standard_webhooks_verifies(subscribed):
    key, body = subscribed(WebhookKind.EVENT).created.key, '{"é": 1}'.encode()
    headers = headers_for(WebhookKind.EVENT, body, key, message_id="m-1", now=datetime.now(UTC))
    assert StandardWebhook(secret_of(key)).verify(body, headers) == {"é": 1}
    for changed in ({"webhook-id": "m-2"}, {"webhook-signature": "v1,AAAA"}):
        with pytest.raises(WebhookVerificationError):
            StandardWebhook(secret_of(key)).verify(body, headers | changed)


def test_events_are_chosen_by_type_or_by_what_it_begins_with():
    refused = "einvoicing.invoice.status.210"
    for types in ([], [refused], ["einvoicing.invoice"], ["einvoicing"], ["einvoicing.reporting", refused]):
        assert EventFilter(tuple(types)).wants(refused)
    for types in (["einvoicing.invoice.status.21"], ["einvoicing.transmission"], ["einvoicing.invoice.status.2100"]):
        assert not EventFilter(tuple(types)).wants(refused)


def test_unwanted_events_are_passed_over_and_wanted_ones_behind_them_found(world, subscribed, invoice):
    told = subscribed(WebhookKind.EVENT, event_types=["einvoicing.invoice.status.202"])
    world.push(invoice("F1"))
    for _ in range(4):
        world.turn()
        world.clock.advance(timedelta(minutes=1))
    told.turn()
    wanted = [event for event in world.rows(LifecycleEvent) if event.status == "202" and event.line == "invoice"]
    assert [body["id"] for body in told.receiver.bodies] == [str(event.id) for event in wanted]
    assert told.row.told_sequence == max(event.sequence for event in world.rows(LifecycleEvent))


def test_a_public_name_that_leads_to_a_private_address_is_not_called(world, subscribed, monkeypatch):
    """Whatever the name said when the webhook was made: it is judged at each call."""
    told = subscribed()
    world.push(b"<x/>")
    world.drain()
    tell_subscribers(world.database, world.clock, world.organisation_id, None)
    answer = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answer)
    channel = webhook_channel(world.database, world.clock, world.context.settings)
    OutboxWorker(world.database, world.clock, {WEBHOOK_CALL: channel}, attempts=3, batch=10).drain(
        world.organisation_id
    )
    assert "not public" in (told.row.last_error or "")
    [call] = world.rows(OutboxMessage)
    assert call.state == "pending"


def test_the_role_of_requests_writes_keys_and_reads_none(world, subscribed):
    subscribed()
    for statement in ("SELECT key FROM webhook_key", "UPDATE webhook_key SET key = ''", "DELETE FROM webhook_key"):
        with (
            pytest.raises(ProgrammingError, match="permission denied"),
            world.database.transaction(world.organisation_id) as session,
        ):
            session.connection().execute(text(statement))


def test_a_deleted_webhook_and_one_of_a_revoked_program_are_called_no_more(world, subscribed, client_id):
    told = subscribed()
    world.push(b"<x/>")
    world.drain()
    tell_subscribers(world.database, world.clock, world.organisation_id, None)
    with world.database.system_transaction() as session:
        session.connection().execute(text("UPDATE api_client SET is_active = false"))
    told.call()
    with world.database.transaction(world.organisation_id) as session:
        session.delete(all_webhooks(session)[0])
    [call] = world.rows(OutboxMessage)
    assert (call.state, told.receiver.tries) == ("failed", 0)


def test_of_two_who_end_a_webhook_at_once_the_second_finds_none(world, subscribed):
    ended = subscribed().created.webhook.id

    def end() -> None:
        with world.database.transaction(world.organisation_id) as session:
            [webhook] = all_webhooks(session)
            unsubscribe(session, webhook, now=world.clock())

    with ThreadPoolExecutor(1) as other:
        with world.database.transaction(world.organisation_id) as session:
            unsubscribe(session, session.get_one(Webhook, ended), now=world.clock())
            second = other.submit(end)
            wait_until_one_waits_for_a_lock(world.database)
        with pytest.raises(WebhookNotFoundError):
            second.result(timeout=20)


def test_another_organisation_has_no_part_in_it(world, subscribed, other_organisation, invoice):
    told = subscribed()
    assert tell_subscribers(world.database, world.clock, other_organisation, None) == 0
    with world.database.transaction(other_organisation) as session:
        assert not all_webhooks(session)
    world.push(invoice("F1"))
    told.turn()
    assert len(told.receiver.arrived) == len(world.rows(Flow)) == 1
