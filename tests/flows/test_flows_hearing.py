"""Platforms call us: only a proven call is heard, once, and what it names is recorded as by reading their list."""

import json
from base64 import b64decode
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI, Request, Response
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client import REGISTRY
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from sqlmodel import select
from typer.testing import CliRunner

from gateway.app.failures import problem
from gateway.cli import access, app
from gateway.cli import platforms as commands
from gateway.flows.errors import PlatformAmbiguousError, PlatformUnavailableError
from gateway.flows.hearing.api import router
from gateway.flows.hearing.calls import Call, forget_old_calls, hear_call
from gateway.flows.hearing.errors import (
    AlreadySubscribedError,
    NoPublicAddressError,
    NotSubscribedError,
    ReplayedCallError,
)
from gateway.flows.hearing.model import PlatformCall, PlatformSubscription
from gateway.flows.hearing.repository import mark_heard
from gateway.flows.hearing.subscriptions import subscribe, unsubscribe
from gateway.flows.model import Flow, PlatformCursor
from gateway.flows.platforms import webhooks as platform_webhooks
from gateway.flows.platforms.answers import Answer
from gateway.flows.platforms.client import OutgoingFlow, PlatformFlow
from gateway.flows.platforms.connections import Connections
from gateway.flows.platforms.errors import PlatformAnswerError
from gateway.flows.platforms.guard import GuardedPlatform
from gateway.flows.platforms.service import ConnectionOrder, connect, switch
from gateway.flows.platforms.transport import Transport
from gateway.flows.polling import poll_platform
from gateway.flows.signatures import SIGNATURE_HEADER, TIMESTAMP_HEADER, sign
from gateway.flows.simulator.platform import SimulatedPlatform
from gateway.flows.simulator.scenarios import scenarios
from gateway.flows.simulator.service import PlatformHabits, create_platform
from gateway.flows.simulator.webhooks import Webhooks
from gateway.jobs.model import OutboxMessage
from gateway.kernel.errors import GatewayError
from gateway.kernel.problems import headers_of
from gateway.ledger.model import LedgerEntry
from gateway.ledger.service import take_turn
from gateway.lifecycle.model import LifecycleEvent
from tests.database.waiting import wait_until_one_waits_for_a_lock

STEP = timedelta(minutes=1)
PUBLIC = "https://gateway.test"
THERE = "http://localhost"


def said(_request: Request, error: GatewayError) -> Response:
    """As the assembled service says errors."""
    return problem(error.status, error.code, str(error), headers_of(error))


class Neighbours:
    """The gateway and one platform, each over HTTP in this process; the platform's calls are kept, and passed on."""

    def __init__(self, world, client_of) -> None:
        self.world, self.calls, self.passes_on = world, [], True
        self.scenarios: dict[str, str] = {}
        self.platform = platform = SimulatedPlatform(
            world.database, world.organisation_id, world.clock, STEP, self.scenarios
        )
        self.platform = platform
        self.webhooks = Webhooks(platform, httpx.Client(transport=httpx.MockTransport(self._called)))
        served = create_platform(platform, PlatformHabits({"gw": "s3cret"}), self.webhooks, world.context.settings)
        self.transport = Transport(client_of(served, base_url=THERE), timeout_seconds=5)
        self.connections = Connections(world.database, world.clock, self.transport, max_file_bytes=10**7)
        world.context = replace(
            world.context,
            connections=self.connections,
            settings=world.context.settings.model_copy(update={"public_url": PUBLIC}),
        )
        with world.database.transaction(world.organisation_id) as session:
            order = ConnectionOrder(
                "one",
                "simulated",
                "gw",
                "env:PLATFORM_SECRET",
                flow_url=f"{THERE}/flow-service/v1",
                token_url=f"{THERE}/oauth2/token",
            )
            connect(session, order, now=world.clock())
        gateway = FastAPI()
        gateway.include_router(router(world.context))
        gateway.add_exception_handler(GatewayError, said)
        self.gateway = client_of(gateway)

    def _called(self, request: httpx.Request) -> httpx.Response:
        self.calls.append(request)
        if not self.passes_on:
            return httpx.Response(200)
        answer = self.repeat(request)
        return httpx.Response(answer.status_code)

    def repeat(self, request: httpx.Request, **changed: str) -> httpx.Response:
        """Post a call to the gateway as it was, or with other headers."""
        headers = {name: request.headers[name] for name in (SIGNATURE_HEADER, TIMESTAMP_HEADER)}
        return self.gateway.post(request.url.path, content=request.content, headers=headers | changed)

    def subscribe(self) -> PlatformSubscription:
        world = self.world
        return subscribe(world.database, world.clock, self.connections, world.organisation_id, "one", PUBLIC)

    def unsubscribe(self) -> PlatformSubscription:
        return unsubscribe(self.world.database, self.world.clock, self.connections, self.world.organisation_id, "one")

    def call(self, body: bytes, **changed: str) -> httpx.Response:
        """A call of the platform with any body, signed with its key."""
        [hook] = self.webhooks.all()
        headers = sign(body, b64decode(hook.signing_key), self.world.clock()) | changed
        return self.gateway.post(httpx.URL(hook.callback_url).path, content=body, headers=headers)

    def poll(self) -> int:
        return poll_platform(self.world.context, self.world.organisation_id, "one")

    def sent(self, data: bytes) -> None:
        self.world.push(data)
        self.world.drain()
        self.world.deliver()


@pytest.fixture
def neighbours(world, client_of, monkeypatch) -> Neighbours:
    monkeypatch.setenv("PLATFORM_SECRET", "s3cret")
    return Neighbours(world, client_of)


@pytest.fixture
def subscribed(neighbours) -> Neighbours:
    neighbours.subscribe()
    return neighbours


@pytest.fixture
def called(subscribed, invoice) -> Neighbours:
    """One status is there; the platform has called about it, and the call has not been passed on."""
    subscribed.scenarios["F1"] = "silent"
    subscribed.platform.submit(OutgoingFlow("of-another-program", "F1.xml", "UBL", invoice("F1")))
    subscribed.world.clock.advance(STEP / 2)
    subscribed.webhooks.call_about_news()
    subscribed.calls.clear()
    subscribed.passes_on = False
    subscribed.world.clock.advance(STEP / 2)
    assert subscribed.webhooks.call_about_news() == 1
    return subscribed


def received(world) -> list[str]:
    return [flow.name for flow in world.rows(Flow) if flow.platform == "one"]


def test_a_flow_is_recorded_by_the_call_alone_then_fetched_and_processed_by_the_job(called):
    world = called.world
    answer = called.repeat(called.calls[0])
    assert (answer.status_code, answer.content) == (200, b"")
    [flow] = [flow for flow in world.rows(Flow) if flow.platform == "one"]
    assert (flow.state, flow.document_sha256) == ("received", None)
    assert "flows.process" in world.jobs()
    assert world.rows(PlatformCursor) == [], "the mark of the list is not that of the calls"
    world.drain()
    assert [event.status for event in world.rows(LifecycleEvent)] == ["200"]


def test_a_refusal_of_what_we_sent_is_heard_by_a_call(subscribed, invoice):
    subscribed.scenarios["F1"] = "inadmissible"
    subscribed.sent(invoice("F1"))
    subscribed.world.clock.advance(STEP / 2)
    assert subscribed.webhooks.call_about_news() == 1
    [message] = subscribed.world.rows(OutboxMessage)
    assert message.answer["status"] == "Error"
    assert received(subscribed.world) == []


def test_a_call_and_the_list_tell_one_flow_once_whichever_comes_first(called):
    assert called.poll() == 1
    assert called.repeat(called.calls[0]).status_code == 200
    assert len(received(called.world)) == 1
    assert called.poll() == 0


def test_the_very_same_call_is_refused_by_name(called):
    assert called.repeat(called.calls[0]).status_code == 200
    again = called.repeat(called.calls[0])
    assert (again.status_code, again.json()["code"]) == (409, "PLATFORM_CALL_REPLAYED")
    assert len(received(called.world)) == 1


@pytest.mark.parametrize(
    "change",
    [
        {SIGNATURE_HEADER: "AAAA"},
        {SIGNATURE_HEADER: ""},
        {TIMESTAMP_HEADER: "1"},
        {TIMESTAMP_HEADER: "²"},
        {TIMESTAMP_HEADER: ""},
    ],
)
def test_a_call_that_is_not_proven_and_one_for_nobody_get_the_same_answer(called, change):
    [call] = called.calls
    change = {name: value.encode() for name, value in change.items()}
    unproven = called.repeat(call, **change)
    for path in (f"/platform-calls/{uuid4()}", "/platform-calls/x"):
        headers = {name: call.headers[name] for name in (SIGNATURE_HEADER, TIMESTAMP_HEADER)}
        nobody = called.gateway.post(path, content=call.content, headers=headers)
        assert (unproven.status_code, unproven.json()) == (401, nobody.json())
    assert received(called.world) == []


def test_a_call_whose_body_was_changed_is_not_proven(called):
    [call] = called.calls
    headers = {name: call.headers[name] for name in (SIGNATURE_HEADER, TIMESTAMP_HEADER)}
    assert called.gateway.post(call.url.path, content=call.content + b" ", headers=headers).status_code == 401


def test_a_call_of_another_time_is_not_proven(called):
    called.world.clock.advance(timedelta(seconds=301))
    assert called.repeat(called.calls[0]).status_code == 401
    [hook] = called.webhooks.all()
    body, soon = called.calls[0].content, called.world.clock() + timedelta(seconds=301)
    assert called.call(body, **sign(body, b64decode(hook.signing_key), soon)).status_code == 401
    assert called.call(body).status_code == 200


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"{}", b'{"flowId": 7}', b'{"flowId": ""}', b"\xff"])
def test_a_proven_call_that_names_no_flow_is_refused_by_name(subscribed, body):
    answer = subscribed.call(body)
    assert (answer.status_code, answer.json()["code"]) == (400, "PLATFORM_CALL_MALFORMED")


def test_what_a_call_tells_beside_its_flow_is_not_believed(called):
    told = json.loads(called.calls[0].content) | {"flowDirection": "Out", "flowType": "SupplierInvoice", "name": "x"}
    assert called.call(json.dumps(told).encode()).status_code == 200
    [flow] = [flow for flow in called.world.rows(Flow) if flow.platform == "one"]
    assert flow.flow_type == "CustomerInvoiceLC"
    assert flow.name != "x"


def test_a_flow_that_the_platform_does_not_show_is_not_recorded_and_may_be_called_about_again(subscribed):
    body = json.dumps({"flowId": str(uuid4())}).encode()
    for _ in range(2):
        answer = subscribed.call(body)
        assert (answer.status_code, answer.json()["code"]) == (503, "PLATFORM_CALL_NOT_READ")
        assert answer.headers["Retry-After"] == "30"
    assert subscribed.world.rows(PlatformCall) == []


def test_a_call_about_a_delivery_that_is_leaving_is_to_be_repeated(subscribed, invoice):
    subscribed.sent(invoice("F1"))
    subscribed.world.clock.advance(STEP / 2)
    subscribed.passes_on = False
    subscribed.webhooks.call_about_news()
    world = subscribed.world
    with world.database.transaction(world.organisation_id) as holder:
        holder.exec(select(OutboxMessage).with_for_update()).one()
        answer = subscribed.repeat(subscribed.calls[0])
    assert (answer.status_code, answer.json()["code"]) == (503, "PLATFORM_CALL_NOT_SETTLED")
    assert subscribed.repeat(subscribed.calls[0]).status_code == 200
    assert [message.answer["status"] for message in world.rows(OutboxMessage)] == ["Ok"]


def test_a_call_to_a_connection_that_is_switched_off_is_refused_by_name(called):
    world = called.world
    with world.database.transaction(world.organisation_id) as session:
        switch(session, "one", active=False, now=world.clock())
    answer = called.repeat(called.calls[0])
    assert (answer.status_code, answer.json()["code"]) == (401, "PLATFORM_CALL_SWITCHED_OFF")
    assert received(world) == []


def test_a_call_longer_than_any_flow_is_not_read_on(subscribed):
    assert subscribed.call(b"x" * 300_000).json()["code"] == "PLATFORM_CALL_TOO_LARGE"


def test_calls_of_one_address_are_limited(world, client_of, monkeypatch):
    monkeypatch.setenv("PLATFORM_SECRET", "s3cret")
    limit = {"platform_call_limit_per_minute": 2}
    world.context = replace(world.context, settings=world.context.settings.model_copy(update=limit))
    limited = Neighbours(world, client_of)
    statuses = [limited.gateway.post(f"/platform-calls/{uuid4()}").status_code for _ in range(3)]
    assert statuses == [401, 401, 429]
    world.clock.advance(STEP)
    assert limited.gateway.post(f"/platform-calls/{uuid4()}").status_code == 401


def test_calls_are_counted_by_platform_and_outcome(called):
    def count(platform: str, outcome: str) -> float:
        labels = {"platform": platform, "outcome": outcome}
        return REGISTRY.get_sample_value("gateway_platform_calls_total", labels) or 0

    before = [count("one", "heard"), count("unknown", "PLATFORM_CALL_UNPROVEN")]
    called.repeat(called.calls[0])
    called.gateway.post("/platform-calls/x")
    after = [count("one", "heard"), count("unknown", "PLATFORM_CALL_UNPROVEN")]
    assert after == [each + 1 for each in before]


def test_calls_that_cannot_be_replayed_any_more_are_forgotten(called):
    called.repeat(called.calls[0])
    world = called.world
    world.clock.advance(timedelta(seconds=600))
    forget_old_calls(world.database, world.clock, world.context.settings)
    assert len(world.rows(PlatformCall)) == 1
    world.clock.advance(timedelta(seconds=1))
    forget_old_calls(world.database, world.clock, world.context.settings)
    assert world.rows(PlatformCall) == []


def test_calls_and_readings_at_once_record_each_flow_once(subscribed, invoice):
    world = subscribed.world
    for number in range(8):
        subscribed.scenarios[f"F{number}"] = "paid"
        subscribed.sent(invoice(f"F{number}"))
    subscribed.passes_on = False
    world.clock.advance(STEP * 7)
    while subscribed.webhooks.call_about_news():
        pass
    assert len(subscribed.calls) == 8 + 56
    with ThreadPoolExecutor(4) as pool:
        polls = [pool.submit(subscribed.poll) for _ in range(3)]
        calls = [pool.submit(_heard, subscribed, call) for call in [*subscribed.calls, *subscribed.calls[::3]]]
        for done in (*polls, *calls):
            done.result()
    names = received(world)
    assert (len(names), len(set(names))) == (56, 56)
    assert [message.answer["status"] for message in world.rows(OutboxMessage)] == ["Ok"] * 8
    acknowledged = [entry for entry in world.rows(LedgerEntry) if entry.kind == "delivery.acknowledged"]
    assert len(acknowledged) == 8


def _heard(neighbours: Neighbours, request: httpx.Request) -> None:
    call = Call(request.content, request.headers[SIGNATURE_HEADER], request.headers[TIMESTAMP_HEADER])
    with suppress(ReplayedCallError):
        hear_call(neighbours.world.context, request.url.path.rsplit("/", 1)[1], call)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.lists(st.sampled_from(["call", "poll", "step", "replay"]), min_size=4, max_size=14))
def test_in_any_order_of_calls_and_readings_nothing_is_lost_or_doubled(subscribed, invoice, order):
    world, number = subscribed.world, f"P{uuid4().hex[:8]}"
    subscribed.scenarios[number] = "refused"
    subscribed.platform.submit(OutgoingFlow(number, "invoice.xml", "UBL", invoice(number)))
    subscribed.calls.clear()
    for act in [*order, "poll"]:
        if act == "call":
            subscribed.webhooks.call_about_news()
        elif act == "poll":
            subscribed.poll()
        elif act == "step":
            world.clock.advance(STEP)
        elif subscribed.calls:
            assert subscribed.repeat(subscribed.calls[-1]).status_code in (401, 409)
    names = [name for name in received(world) if name.startswith(number)]
    assert len(names) == len(set(names)) == min(order.count("step"), len(scenarios()["refused"].steps))


# Subscribing


def test_a_subscription_covers_both_directions_and_is_in_the_ledger_without_its_key(subscribed):
    [hook] = subscribed.webhooks.all()
    [row] = subscribed.world.rows(PlatformSubscription)
    assert hook.callback_url == row.callback_url == f"{PUBLIC}/platform-calls/{row.id}"
    assert hook.wanted["flow_direction"] is None
    [entry] = [entry for entry in subscribed.world.rows(LedgerEntry) if entry.kind == "platform.subscribed"]
    assert hook.signing_key not in json.dumps(entry.content)


def test_the_role_of_requests_cannot_read_the_key_of_a_subscription(subscribed):
    world = subscribed.world
    for statement in ("SELECT key FROM platform_subscription_key", "UPDATE platform_subscription_key SET key = ''"):
        with (
            pytest.raises(ProgrammingError, match="permission denied"),
            world.database.transaction(world.organisation_id) as session,
        ):
            session.connection().execute(text(statement))


def test_a_platform_is_subscribed_to_once(subscribed):
    with pytest.raises(AlreadySubscribedError):
        subscribed.subscribe()
    assert len(subscribed.webhooks.all()) == 1


def test_without_a_public_address_no_platform_is_asked(neighbours):
    world = neighbours.world
    with pytest.raises(NoPublicAddressError):
        subscribe(world.database, world.clock, neighbours.connections, world.organisation_id, "one", None)
    assert neighbours.webhooks.all() == []


def test_a_webhook_that_cannot_be_kept_is_closed_at_the_platform(neighbours, monkeypatch):
    opened = platform_webhooks.PlatformWebhooks.open

    def meanwhile(self, callback_url):
        """Another operator subscribes at the same moment."""
        monkeypatch.undo()
        monkeypatch.setenv("PLATFORM_SECRET", "s3cret")
        neighbours.subscribe()
        return opened(self, callback_url)

    monkeypatch.setattr(platform_webhooks.PlatformWebhooks, "open", meanwhile)
    with pytest.raises(AlreadySubscribedError):
        neighbours.subscribe()
    [row] = neighbours.world.rows(PlatformSubscription)
    assert [str(hook.id) for hook in neighbours.webhooks.all()] == [row.webhook_id]


def test_after_the_end_of_a_subscription_its_calls_are_not_proven(called):
    called.unsubscribe()
    assert called.webhooks.all() == []
    assert called.repeat(called.calls[0]).status_code == 401
    with pytest.raises(NotSubscribedError):
        called.unsubscribe()
    called.subscribe()


def test_a_call_whose_subscription_ends_while_its_flow_is_read_is_not_proven(called, monkeypatch):
    read = GuardedPlatform.read

    def read_and_end(platform: GuardedPlatform, flow_id: str) -> PlatformFlow:
        flow = read(platform, flow_id)
        called.unsubscribe()
        return flow

    monkeypatch.setattr(GuardedPlatform, "read", read_and_end)
    assert called.repeat(called.calls[0]).status_code == 401
    assert received(called.world) == []


def test_the_end_of_a_subscription_waits_for_a_call_being_heard_and_not_in_a_circle(subscribed):
    world = subscribed.world
    [row] = world.rows(PlatformSubscription)
    with ThreadPoolExecutor(1) as other:
        with world.database.transaction(world.organisation_id) as session:
            assert mark_heard(session, row.id, "f" * 64, world.clock())
            ending = other.submit(subscribed.unsubscribe)
            wait_until_one_waits_for_a_lock(world.database)
            take_turn(session)
        ending.result(timeout=20)
    assert world.rows(PlatformSubscription) == []


def test_a_webhook_that_the_platform_has_forgotten_can_be_ended(subscribed):
    [hook] = subscribed.webhooks.all()
    subscribed.webhooks.unsubscribe(hook.id)
    subscribed.unsubscribe()
    assert subscribed.world.rows(PlatformSubscription) == []


def answering(status: int, body: object) -> platform_webhooks.PlatformWebhooks:
    """Webhooks at a platform that gives one answer to everything."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()

    def call(*_: object, **__: object) -> object:
        return Answer(status, {}, content)

    return platform_webhooks.PlatformWebhooks(SimpleNamespace(call=call), THERE)


@pytest.mark.parametrize(
    "body",
    [
        {"webhookId": "w"},
        {"webhookId": "w", "signingKey": "c2hvcnQ="},
        {"webhookId": "w", "signingKey": "!" * 44},
        {"signingKey": "A" * 43 + "="},
        b"no JSON",
    ],
)
def test_a_webhook_without_a_usable_key_is_refused_by_name(body):
    with pytest.raises(PlatformAnswerError):
        answering(201, body).open(PUBLIC)


def test_an_answer_that_is_lost_while_subscribing_is_said(neighbours, monkeypatch):
    def lost(*_: object, **__: object) -> None:
        raise PlatformAmbiguousError("timeout")

    monkeypatch.setattr(Transport, "send", lost)
    with pytest.raises((PlatformAmbiguousError, PlatformUnavailableError)):
        neighbours.subscribe()
    assert neighbours.world.rows(PlatformSubscription) == []


def test_an_operator_subscribes_lists_and_unsubscribes(neighbours, monkeypatch):
    monkeypatch.setenv("GATEWAY_PUBLIC_URL", PUBLIC)
    monkeypatch.setattr(access, "open_database", lambda _settings: neighbours.world.database)
    monkeypatch.setattr(neighbours.world.database, "close", lambda: None)
    monkeypatch.setattr(commands.Transport, "open", lambda **_: neighbours.transport)
    monkeypatch.setattr(commands, "system_clock", neighbours.world.clock)
    monkeypatch.setattr(neighbours.transport, "close", lambda: None)

    def run(*arguments: str) -> str:
        result = CliRunner().invoke(app, ("platforms", *arguments), catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.output

    assert f"{PUBLIC}/platform-calls/" in run("subscribe", "one")
    [hook] = neighbours.webhooks.all()
    assert str(hook.id) in run("list")
    run("unsubscribe", "one")
    assert str(hook.id) not in run("list")
    assert neighbours.webhooks.all() == []
