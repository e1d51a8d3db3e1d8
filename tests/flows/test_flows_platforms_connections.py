"""Several platforms at once: connected without their secrets, routed to, left alone in trouble, never sent to twice."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from starlette.responses import Response

from gateway.flows.delivery import platform_channel
from gateway.flows.errors import PlatformUnavailableError, UnknownPlatformError
from gateway.flows.model import Flow, FlowState
from gateway.flows.platforms import guard, service
from gateway.flows.platforms.connections import Connections
from gateway.flows.platforms.errors import (
    InvalidConnectionError,
    PlatformPausedError,
    UnknownPlatformKindError,
)
from gateway.flows.platforms.model import PlatformBreaker, PlatformConnection
from gateway.flows.platforms.repository import connections
from gateway.flows.platforms.service import ConnectionOrder, RouteOrder
from gateway.flows.platforms.transport import Transport
from gateway.flows.polling import poll_platforms
from gateway.flows.simulator.answers import AnsweredInvoice, answer
from gateway.flows.simulator.scenarios import Step
from gateway.flows.terms import ProcessingRule
from gateway.invoices.reading import read_invoice
from gateway.jobs.model import OutboxMessage
from gateway.jobs.outbox import OutboxWorker
from gateway.ledger.model import LedgerEntry
from gateway.lifecycle.cdar.writing import write_cdar
from gateway.lifecycle.deliveries import PLATFORM_FLOW
from gateway.lifecycle.model import LifecycleEvent
from tests.flows.standard_platform import CLIENT_ID, FLOW_URL, SECRET, TOKEN_URL, StandardServer

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
ORDER = ConnectionOrder("main", "standard", CLIENT_ID, "env:PLATFORM_SECRET", FLOW_URL, token_url=TOKEN_URL)
FAULT = 500


@pytest.fixture
def server(clock) -> StandardServer:
    return StandardServer(clock)


@pytest.fixture
def another(clock) -> StandardServer:
    return StandardServer(clock)


@pytest.fixture
def connected(world, server, another, client_of, monkeypatch):
    """A world whose organisation may connect to two platforms, one at each address."""
    monkeypatch.setenv("PLATFORM_SECRET", SECRET)
    first, second = client_of(server.app), client_of(another.app, base_url="http://127.0.0.1")

    class Both(Transport):
        """Each address leads to its platform."""

        def send(self, method, url, **content):
            http = second if "127.0.0.1" in url else first
            return Transport(http, timeout_seconds=5).send(method, url, **content)

    ways = Connections(world.database, world.clock, Both(first, timeout_seconds=5), max_file_bytes=2**20)
    world.context = replace(world.context, connections=ways)
    connect(world, ORDER)
    return world


def connect(world, order: ConnectionOrder) -> None:
    with world.database.transaction(world.organisation_id) as session:
        service.connect(session, order, now=world.clock())


def other_order(name: str = "other") -> ConnectionOrder:
    swap: Callable[[str], str] = lambda url: url.replace("localhost", "127.0.0.1")  # noqa: E731
    return replace(ORDER, name=name, flow_url=swap(FLOW_URL), token_url=swap(TOKEN_URL))


def change(world, use_case, *args, **options) -> None:
    with world.database.transaction(world.organisation_id) as session:
        use_case(session, *args, **options, now=world.clock())


def send(world, data: bytes) -> OutboxMessage:
    world.push(data)
    world.drain()
    world.deliver()
    return latest(world)


def latest(world) -> OutboxMessage:
    return max(world.rows(OutboxMessage), key=lambda message: message.created_at)


# Connections


def test_the_first_connection_is_the_default_and_none_holds_a_secret(connected):
    connect(connected, other_order())
    rows = {row.name: row for row in connected.rows(PlatformConnection)}
    assert {name: row.is_default for name, row in rows.items()} == {"main": True, "other": False}
    assert SECRET not in str([row.model_dump() for row in rows.values()])
    kinds = [entry.kind for entry in connected.rows(LedgerEntry)]
    assert kinds.count("platform.connected") == 2


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "Main"},
        {"name": "simulator"},
        {"name": "main"},
        {"client_id": " "},
        {"secret_reference": "hunter2"},
        {"secret_reference": "env:GATEWAY_SECRET"},
        {"secret_reference": "file:relative"},
        {"flow_url": "http://platform.example/v1"},
        {"flow_url": "https://user:hunter2@platform.example/v1"},
        {"flow_url": None},
        {"token_url": "ftp://platform.example/token"},
        {"number": "12"},
        {"remote_organisation": "a\r\nX: b"},
    ],
)
def test_a_connection_that_cannot_be_kept_is_refused_by_name(connected, wrong):
    with pytest.raises(InvalidConnectionError) as refused:
        connect(connected, replace(ORDER, **{"name": "second", **wrong}))
    assert refused.value.where
    assert "hunter2" not in str(refused.value)


def test_a_platform_nobody_knows_is_refused(connected):
    with pytest.raises(UnknownPlatformKindError):
        connect(connected, replace(ORDER, name="second", kind="nobody"))


def test_addresses_left_out_are_those_of_the_platform(connected):
    connect(connected, ConnectionOrder("superpdp", "superpdp", "id", "env:S"))
    [row] = [row for row in connected.rows(PlatformConnection) if row.name == "superpdp"]
    assert row.flow_url.startswith("https://api.superpdp.tech/")
    assert row.token_url.startswith("https://api.superpdp.tech/")


def test_another_organisation_neither_sees_nor_uses_a_connection(connected, other_organisation):
    with connected.database.transaction(other_organisation) as session:
        assert connections(session) == []
    with pytest.raises(UnknownPlatformError):
        connected.context.platform("main", other_organisation)


def test_new_credentials_are_taken_with_the_next_call(connected, server, monkeypatch):
    monkeypatch.setenv("NEW_SECRET", SECRET)
    change(connected, service.change_credentials, "main", client_id="wrong", secret_reference="env:NEW_SECRET")
    with pytest.raises(PlatformUnavailableError):
        connected.context.platform("main", connected.organisation_id).check()
    change(connected, service.change_credentials, "main", client_id=CLIENT_ID, secret_reference="env:NEW_SECRET")
    connected.context.platform("main", connected.organisation_id).check()


def test_a_token_is_kept_from_one_call_to_the_next(connected, server):
    for _ in range(3):
        connected.context.platform("main", connected.organisation_id).check()
    assert server.asked_for_tokens == 1


# Sending


def test_an_invoice_goes_to_the_default_platform_under_its_key_and_its_status_comes_back(connected, server, invoice):
    data = invoice("F1")
    message = send(connected, data)
    [held] = server.out()
    assert (held.data, held.info["trackingId"]) == (data, message.idempotency_key)
    assert (message.state, message.remote_id) == ("sent", held.info["flowId"])
    read = read_invoice(data).invoice
    subject = AnsweredInvoice(read, read.seller_siren, read.buyer_siren, read.issue_date)
    now = connected.clock()
    server.offer("st/1", write_cdar(answer(subject, Step("200"), at=now, received_at=now)), now)
    assert poll_platforms(connected.context, connected.organisation_id) == 1
    connected.drain()
    [event] = connected.rows(LifecycleEvent)
    assert (event.status, event.source) == ("200", "platform:main")


def test_an_answer_lost_after_the_effect_is_settled_by_asking_and_nothing_is_sent_twice(connected, server, invoice):
    server.lost.append(Response(status_code=FAULT))
    message = send(connected, invoice("F1"))
    [held] = server.out()
    assert (message.state, message.remote_id, message.attempts) == ("sent", held.info["flowId"], 1)


def test_what_never_arrived_is_sent_again_once_the_platform_must_show_it(connected, server, invoice):
    server.faults.append(Response(status_code=FAULT))
    assert send(connected, invoice("F1")).state == "uncertain"
    connected.clock.advance(MINUTE)
    connected.deliver()
    assert (latest(connected).state, server.out()) == ("uncertain", [])
    connected.clock.advance(MINUTE)
    connected.deliver()
    connected.clock.advance(MINUTE)
    connected.deliver()
    assert (latest(connected).state, latest(connected).attempts, len(server.out())) == ("sent", 2, 1)


def test_a_refusal_is_told_with_the_words_of_the_platform_and_never_repeated(connected, server, invoice):
    server.faults.append(Response("[BR-FR-CDV-14] no MEN", status_code=400))
    message = send(connected, invoice("F1"))
    connected.clock.advance(HOUR)
    connected.deliver()
    assert (latest(connected).state, server.out()) == ("failed", [])
    assert "BR-FR-CDV-14" in message.last_error


def test_a_delivery_to_a_platform_that_nobody_knows_certainly_did_not_leave(connected, server, invoice):
    connected.push(invoice("F1"))
    connected.drain()
    with connected.database.transaction(connected.organisation_id) as session:
        message = latest(connected)
        message.payload = {**message.payload, "platform": "gone"}
        session.add(message)
    connected.deliver()
    assert (latest(connected).state, server.out()) == ("pending", [])
    assert "gone" in latest(connected).last_error


def test_while_a_platform_rests_its_deliveries_wait_and_cost_no_try(connected, server, invoice):
    server.faults += [Response(status_code=404)] * 5
    for number in range(8):
        connected.push(invoice(f"F{number}"))
    connected.drain()
    connected.deliver()
    messages = connected.rows(OutboxMessage)
    assert sorted(message.attempts for message in messages) == [0, 0, 0, 0, 1, 1, 1, 1]
    assert {message.state for message in messages} == {"pending"}
    asked = len(server.requests)
    connected.clock.advance(timedelta(seconds=29))
    connected.deliver()
    assert len(server.requests) == asked, "nobody is asked during the pause"
    connected.clock.advance(timedelta(seconds=20))
    connected.deliver()
    assert {message.state for message in connected.rows(OutboxMessage)} == {"sent"}
    assert len(server.out()) == 8
    [breaker] = connected.rows(PlatformBreaker)
    assert (breaker.state, breaker.failures) == ("closed", 0)


@pytest.mark.parametrize("status", [404, 503])
def test_an_outage_of_hours_gives_nothing_up(connected, server, invoice, status):
    server.faults += [Response(status_code=status)] * 1000
    connected.push(invoice("F1"))
    connected.drain()
    for _ in range(60):
        connected.deliver()
        connected.clock.advance(timedelta(minutes=5))
    assert latest(connected).state in ("pending", "uncertain")
    server.faults.clear()
    for _ in range(3):
        connected.clock.advance(HOUR)
        connected.deliver()
    assert (latest(connected).state, len(server.out())) == ("sent", 1)


def test_a_breaker_is_shared_by_every_process(connected, server, client_of):
    server.faults += [Response(status_code=503)] * 5
    for _ in range(5):
        with pytest.raises(PlatformUnavailableError):
            connected.context.platform("main", connected.organisation_id).search(updated_after=None)
    elsewhere = Connections(
        connected.database,
        connected.clock,
        Transport(client_of(server.app), timeout_seconds=5),
        max_file_bytes=2**20,
    )
    with pytest.raises(PlatformPausedError):
        elsewhere.client(connected.organisation_id, "main").search(updated_after=None)


def test_of_two_processes_that_come_at_the_end_of_the_pause_one_tries(connected, server, monkeypatch):
    server.faults += [Response(status_code=503)] * 5
    for _ in range(5):
        with pytest.raises(PlatformUnavailableError):
            connected.context.platform("main", connected.organisation_id).search(updated_after=None)
    connected.clock.advance(MINUTE)
    first, second = (connected.context.platform("main", connected.organisation_id).breaker for _ in range(2))
    read = guard.breaker_row
    entered = []

    def read_then_let_the_other_in(session, connection_id, **options):
        row = read(session, connection_id, **options)
        if not entered and not options:
            entered.append("other")
            second.enter()
        return row

    monkeypatch.setattr(guard, "breaker_row", read_then_let_the_other_in)
    with pytest.raises(PlatformPausedError):
        first.enter()
    assert entered == ["other"]


def test_what_is_due_to_a_platform_that_is_switched_off_waits_until_it_is_back(connected, server, invoice):
    connected.push(invoice("F1"))
    connected.drain()
    change(connected, service.switch, "main", active=False)
    connected.deliver()
    assert (latest(connected).state, latest(connected).attempts, server.out()) == ("pending", 0, [])
    change(connected, service.switch, "main", active=True)
    connected.clock.advance(HOUR)
    connected.deliver()
    assert len(server.out()) == 1


# Routing


def test_an_agency_and_a_processing_rule_are_routed_to_their_platform(connected, server, another, seller, invoice):
    connect(connected, other_order())
    change(connected, service.add_route, "other", RouteOrder(agency_siret=seller.agencies[0].siret))
    send(connected, invoice("F1"))
    assert (len(server.out()), len(another.out())) == (0, 1)


def test_a_route_is_forgotten_and_the_default_changed(connected, server, another, invoice):
    connect(connected, other_order())
    with connected.database.transaction(connected.organisation_id) as session:
        rule = service.add_route(
            session, "other", RouteOrder(processing_rule=ProcessingRule.B2B), now=connected.clock()
        )
    change(connected, service.drop_route, rule.id)
    send(connected, invoice("F1"))
    change(connected, service.make_default, "other")
    connected.clock.advance(MINUTE)
    send(connected, invoice("F2"))
    assert (len(server.out()), len(another.out())) == (1, 1)


@pytest.mark.parametrize(
    "wrong",
    [RouteOrder(), RouteOrder(seller_siren="123"), RouteOrder(agency_siret="12345678901234")],
)
def test_a_route_that_says_nothing_sure_is_refused(connected, wrong):
    with pytest.raises(InvalidConnectionError):
        change(connected, service.add_route, "main", wrong)


def test_the_same_documents_are_not_routed_twice(connected, seller):
    connect(connected, other_order())
    change(connected, service.add_route, "main", RouteOrder(seller_siren=seller.siren))
    with pytest.raises(InvalidConnectionError, match="main gets them already"):
        change(connected, service.add_route, "other", RouteOrder(seller_siren=seller.siren))


def test_without_a_platform_in_service_an_invoice_waits_for_a_person(connected, invoice):
    change(connected, service.switch, "main", active=False)
    connected.push(invoice("F1"))
    for _ in range(connected.context.settings.processing_attempts):
        connected.drain()
        connected.clock.advance(HOUR)
    [flow] = connected.rows(Flow)
    assert (flow.state, flow.problem["code"]) == (FlowState.QUARANTINED, "NO_ROUTE")
    assert connected.rows(OutboxMessage) == []


def test_a_status_that_the_platform_does_not_take_is_refused_before_it_is_recorded(connected, invoice):
    superpdp = replace(other_order("superpdp"), kind="superpdp")
    connect(connected, superpdp)
    change(connected, service.make_default, "superpdp")
    connected.push(invoice("F1"), processing_rule="B2BInt")
    connected.drain()
    read = read_invoice(invoice("F1")).invoice
    subject = AnsweredInvoice(read, read.seller_siren, read.buyer_siren, read.issue_date)
    now = connected.clock()
    cancelled = write_cdar(answer(subject, Step("220", comment="x"), at=now, received_at=now))
    flow_id = connected.push(cancelled, name="220.xml").flow.id
    connected.drain()
    flow = connected.flow(flow_id)
    assert flow.ack_status == "Error"
    assert "superpdp n’accepte pas le statut 220 sur une facture B2BInt" in str(flow.ack_details)
    assert connected.rows(LifecycleEvent) == []


# Reading


def test_a_platform_in_trouble_keeps_no_other_from_being_read(connected, server, another):
    connect(connected, other_order())
    server.faults.append(Response(status_code=503))
    another.offer("st/1", b"<a/>", connected.clock())
    assert poll_platforms(connected.context, connected.organisation_id) == 1
    [flow] = connected.rows(Flow)
    assert (flow.source, flow.platform_flow_id) == ("platform:other", "st/1")


def test_the_same_flow_identifier_at_two_platforms_is_two_flows(connected, server, another):
    connect(connected, other_order())
    for platform in (server, another):
        platform.offer("st/1", b"<a/>", connected.clock())
    assert poll_platforms(connected.context, connected.organisation_id) == 2


def test_a_platform_whose_clock_is_ahead_hides_nothing(connected, server):
    server.offer("tomorrow", b"<a/>", connected.clock() + timedelta(days=1))
    poll_platforms(connected.context, connected.organisation_id)
    connected.clock.advance(HOUR)
    server.offer("now", b"<b/>", connected.clock())
    assert poll_platforms(connected.context, connected.organisation_id) == 1


def test_two_workers_deliver_what_waits_once(connected, server, invoice):
    for number in range(3):
        connected.push(invoice(f"F{number}"))
    connected.drain()
    channels = {PLATFORM_FLOW: platform_channel(connected.context)}
    for _ in range(2):
        OutboxWorker(connected.database, connected.clock, channels, attempts=5, batch=10).drain(
            connected.organisation_id
        )
    assert len({held.info["trackingId"] for held in server.out()}) == len(server.out()) == 3
