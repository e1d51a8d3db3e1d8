"""Beside the statuses of invoices programs are told alerts, flows, deliveries, promises and reminders, in one feed."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import jsonschema_rs
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import update

from gateway.access.principal import Principal
from gateway.access.scope import Scope
from gateway.collection.agreements.promising import NewPromise, make_promise
from gateway.collection.model import Reminder, ReminderState
from gateway.collection.recording import move
from gateway.flows.errors import PlatformRefusedError
from gateway.flows.platforms.client import PlatformAcknowledgement, PlatformFlow
from gateway.flows.polling import poll_platform
from gateway.flows.processing import replay
from gateway.flows.simulator.platform import SIMULATOR
from gateway.flows.terms import AckStatus, FlowDirection
from gateway.flows.webhooks import feed_api
from gateway.flows.webhooks.events import FAMILIES, cloud_event
from gateway.flows.webhooks.feed import newest, next_event, some_events
from gateway.flows.webhooks.wanted import EventFilter
from gateway.jobs.model import OutboxMessage
from gateway.kernel.errors import GatewayError
from gateway.kernel.text import Text
from gateway.lifecycle.deliveries import Remark
from gateway.lifecycle.model import LifecycleEvent
from gateway.notifications.announcements import Fact, announce
from gateway.notifications.model import Announcement
from tests.collection.agreeing import EVERYTHING, House
from tests.database.waiting import wait_until_one_waits_for_a_lock

SCHEMAS = Path(__file__).parents[2] / "schemas"
ALL = EventFilter(("einvoicing",))
KINDS = [f"einvoicing.{family}.{what}" for family, (_, whats) in FAMILIES.items() for what in whats]


class Number(Fact):
    """A fact of the test."""

    number: int


def told(database: Any, organisation: Any, *types: str) -> list[dict[str, Any]]:
    """The calls about every event of these types, each as the published schema of announcements has it."""
    with database.transaction(organisation) as session:
        _, events = some_events(session, 0, EventFilter(types or ("einvoicing",)), 1000)
        calls = [cloud_event(each, "732829320", "https://gateway.example") for each in events]
    bodies = [json.loads(each.model_dump_json(exclude_none=True)) for each in calls]
    assert [body["sequence"] for body in bodies] == sorted(body["sequence"] for body in bodies)
    for body in bodies:
        if ".status." not in body["type"]:
            assert [str(fault) for fault in announcement_schema().iter_errors(body)] == []
    return bodies


def announcement_schema() -> Any:
    """The published schema of a call, with those of its data in place."""
    schema = json.loads((SCHEMAS / "announcement-cloudevent.schema.json").read_text())
    for branch in schema["oneOf"]:
        name = branch["properties"]["data"]["$ref"]
        branch["properties"]["data"] = {"$ref": f"#/$defs/{name}"}
        schema.setdefault("$defs", {})[name] = json.loads((SCHEMAS / name).read_text())
    return jsonschema_rs.validator_for(schema)


def types_told(world: Any, *types: str) -> list[str]:
    return [body["type"] for body in told(world.database, world.organisation_id, *types)]


def test_what_becomes_of_a_pushed_file_is_told_with_its_problems(world, invoice):
    good, bad = world.push(invoice("F1"), tracking_id="t-1"), world.push(b"<Invoice/>", name="bad.xml")
    world.drain()
    bodies = {body["subject"]: body for body in told(world.database, world.organisation_id, "einvoicing.flow")}
    assert len(bodies) == 2
    accepted, rejected = bodies[f"flow/{good.flow.id}"], bodies[f"flow/{bad.flow.id}"]
    assert (accepted["type"], accepted["data"]["tracking_id"]) == ("einvoicing.flow.accepted", "t-1")
    assert (accepted["data"]["problems"], accepted["data"]["processing_rule"]) == ([], "B2B")
    assert (rejected["type"], rejected["data"]["name"]) == ("einvoicing.flow.rejected", "bad.xml")
    assert rejected["data"]["problems"][0]["message"]["fr"]
    assert accepted["dataschema"] == "https://gateway.example/schemas/flow-event.schema.json"


def test_a_quarantined_flow_is_told_with_its_alert_which_closes_when_it_is_replayed(world, invoice, monkeypatch):
    configure(world, processing_attempts=1)
    world.push(invoice("F1"))
    monkeypatch.setattr("gateway.flows.handling.send_to_platforms", fail)
    world.drain()
    monkeypatch.undo()
    assert types_told(world) == ["einvoicing.flow.quarantined", "einvoicing.alert.opened"]
    [waiting] = told(world.database, world.organisation_id, "einvoicing.flow")
    assert waiting["data"]["problems"][0]["code"] == "FLOW_NOT_PROCESSED"
    with world.database.transaction(world.organisation_id) as session:
        replay(session, waiting["data"]["flow_id"], context=world.context)
    world.drain()
    closed = told(world.database, world.organisation_id, "einvoicing.alert.closed")
    assert [each["data"]["condition"] for each in closed] == ["flow.quarantined"]
    assert closed[0]["data"]["closed_because"]["fr"] == "Le flux a été relancé et traité."


def configure(world: Any, **changes: Any) -> None:
    world.context = replace(world.context, settings=world.context.settings.model_copy(update=changes))


def fail(*_: object, **__: object) -> None:
    raise RuntimeError("the disk is gone")


@pytest.mark.parametrize(("answer", "what"), [("Ok", "acknowledged"), ("Error", "refused")])
def test_what_a_platform_makes_of_a_delivery_is_told_once(world, invoice, answer, what):
    configure(world, platform="listed")
    world.push(invoice("F1"))
    world.drain()
    world.deliver()
    [message] = world.rows(OutboxMessage)
    remarks = (Remark(level=answer, item="file", reason_code="VirusFound", message="A virus."),) * (answer == "Error")
    for status in ("Pending", answer, answer):
        world.clock.advance(timedelta(seconds=1))
        world.listed.flows = [
            PlatformFlow(
                flow_id=message.remote_id,
                name="invoice.xml",
                flow_syntax="UBL",
                flow_type="CustomerInvoice",
                updated_at=world.clock(),
                tracking_id=message.idempotency_key,
                direction=FlowDirection.OUT,
                acknowledgement=PlatformAcknowledgement(AckStatus(status), remarks),
            )
        ]
        poll_platform(world.context, world.organisation_id, "listed")
    [body] = told(world.database, world.organisation_id, "einvoicing.delivery")
    assert (body["type"], body["data"]["delivery_id"]) == (f"einvoicing.delivery.{what}", str(message.id))
    assert [each["reason_code"] for each in body["data"]["remarks"]] == ["VirusFound"] * len(remarks)
    assert types_told(world, "einvoicing.alert") == ["einvoicing.alert.opened"] * (what == "refused")


def test_a_delivery_that_is_given_up_is_told_with_its_reason_and_is_in_the_ledger(world, invoice):
    class Refusing:
        def submit(self, flow: object) -> str:
            raise PlatformRefusedError(Text("InvalidSchema : non.", "InvalidSchema: no."), "HTTP 400")

    world.push(invoice("F1"))
    world.drain()
    world.context = replace(world.context, platforms={SIMULATOR: lambda _: Refusing()})
    world.deliver()
    world.deliver()
    [body] = told(world.database, world.organisation_id, "einvoicing.delivery.given_up")
    assert (body["data"]["state"], body["data"]["platform"]) == ("failed", SIMULATOR)
    assert "InvalidSchema" in body["data"]["reason"]


def test_a_broken_promise_and_a_sent_reminder_are_told(database, organisation):
    house = House(database, organisation)
    house.owes("F1")
    new = NewPromise(house.customer(), Decimal("120.00"), date(2026, 10, 9), invoice_ids=(house.owed["F1"].id,))
    with database.transaction(organisation) as session:
        made = make_promise(session, EVERYTHING, new, by="user:1", now=house.tick())
        promise_id = made.id
    house.pass_days(date(2026, 10, 14))
    [broken] = told(database, organisation, "einvoicing.promise")
    assert (broken["type"], broken["subject"]) == ("einvoicing.promise.broken", f"promise/{promise_id}")
    assert (broken["data"]["awaited"], broken["data"]["currency"]) == ("120.00", "EUR")
    reminder = Reminder(
        organisation_id=organisation,
        **{"customer_id": house.customer(), "currency": "EUR", "scenario": "standard", "step": "call"},
        **{"title_fr": "Appel", "title_en": "Call", "anchor_id": house.owed["F1"].id, "channel": "call"},
        **{"template": "", "tone": 1, "language": "fr", "unallocated": Decimal(0), "total": Decimal("120.00")},
        **{"state": "todo", "decided_at": house.now, "decided_on": date(2026, 10, 14), "decided_by": "clock"},
    )
    with database.transaction(organisation) as session:
        move(session, reminder, ReminderState.QUEUED, house.now)
        move(session, reminder, ReminderState.SENT, house.now)
        reminder_id = reminder.id
    [sent] = told(database, organisation, "einvoicing.reminder")
    assert (sent["type"], sent["subject"]) == ("einvoicing.reminder.sent", f"reminder/{reminder_id}")
    assert (sent["data"]["channel"], sent["data"]["total"]) == ("call", "120.00")


def test_who_names_no_type_is_told_statuses_only_and_who_names_the_namespace_everything(world, invoice):
    world.push(invoice("F1"))
    for _ in range(3):
        world.turn()
        world.clock.advance(timedelta(minutes=1))
    statuses = [f"einvoicing.{each.line}.status.{each.status}" for each in world.rows(LifecycleEvent)]
    with world.database.transaction(world.organisation_id) as session:
        _, events = some_events(session, 0, EventFilter(), 1000)
    assert len(events) == len(statuses) > 1
    everything = types_told(world)
    assert sorted(everything) == sorted(statuses + types_told(world, *(f"einvoicing.{each}" for each in FAMILIES)))
    assert {"einvoicing.flow.accepted", "einvoicing.delivery.acknowledged"} <= set(everything)


def test_a_fact_is_never_shown_before_another_that_gets_a_place_before_it(database, organisation, clock):
    """One writer has drawn its place and is slow to commit; the other waits for its turn, and comes behind."""

    def write(number: int) -> None:
        with database.transaction(organisation) as session:
            announce(session, "flow.accepted", f"flow/{number}", Number(number=number), clock())

    with ThreadPoolExecutor(1) as threads:
        with database.transaction(organisation) as slow:
            announce(slow, "flow.accepted", "flow/1", Number(number=1), clock())
            slow.flush()
            quick = threads.submit(write, 2)
            wait_until_one_waits_for_a_lock(database)
            with database.transaction(organisation) as reader:
                assert next_event(reader, 0, ALL) == (0, None)
        quick.result(timeout=10)
    with database.transaction(organisation) as reader:
        _, events = some_events(reader, 0, ALL, 10)
        assert [event.data["number"] for event in events if isinstance(event, Announcement)] == [1, 2]


def test_facts_are_never_changed_and_another_organisation_sees_none(database, organisation, other_organisation, clock):
    with database.transaction(organisation) as session:
        announce(session, "flow.accepted", "flow/1", Number(number=1), clock())
    with database.transaction(other_organisation) as session:
        assert some_events(session, 0, ALL, 10) == (0, [])
        assert newest(session) == 0
    for refused in (update(Announcement).values(type="x"), Announcement.__table__.delete()):  # type: ignore[attr-defined]
        with pytest.raises(Exception, match="append-only"), database.system_transaction() as session:
            session.connection().execute(refused)


@pytest.fixture
def long_feed(world, invoice) -> list[tuple[int, str]]:
    """A feed in which statuses and facts of every type follow each other; its places and types."""
    world.push(invoice("F1"))
    for number, kind in enumerate(KINDS):
        world.turn()
        world.clock.advance(timedelta(minutes=1))
        with world.database.transaction(world.organisation_id) as session:
            announce(session, kind.partition(".")[2], f"x/{number}", Number(number=number), world.clock())
    rows = [(row.sequence, f"einvoicing.{row.line}.status.{row.status}") for row in world.rows(LifecycleEvent)]
    return sorted(rows + [(row.sequence, row.type) for row in world.rows(Announcement)])


def test_whatever_is_asked_for_in_pages_of_any_size_comes_once_and_in_order(world, long_feed, monkeypatch):
    monkeypatch.setattr("gateway.flows.webhooks.feed._PAGE", 3)

    def read(session: Any, types: tuple[str, ...], size: int) -> list[int]:
        after, found = 0, []
        while True:
            after, events = some_events(session, after, EventFilter(types), size)
            found += [event.sequence for event in events]
            if len(events) < size:
                return found

    names = st.sampled_from([*KINDS, *{kind.rpartition(".")[0] for kind in KINDS}, "einvoicing", "einvoicing.invoice"])

    @given(st.lists(names, max_size=3), st.integers(1, 7))
    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def check(types: list[str], size: int) -> None:
        wanted = EventFilter(tuple(types))
        with world.database.transaction(world.organisation_id) as session:
            assert read(session, wanted.types, size) == [place for place, kind in long_feed if wanted.wants(kind)]

    check()


@pytest.fixture
def http(world, client_of) -> Any:
    """The route of the feed; the header X-Agency limits who asks."""

    def authenticate(request: Request) -> Principal:
        limited = Scope.limited_to([uuid4()], []) if "x-agency" in request.headers else Scope.everything()
        return Principal(world.organisation_id, "client", uuid4(), "ERP", frozenset(), None, limited)

    app = FastAPI()
    app.include_router(feed_api.router(world.database, authenticate, "https://gateway.example"))

    @app.exception_handler(GatewayError)
    async def named(_: Request, error: GatewayError) -> JSONResponse:
        return JSONResponse({"code": error.code}, status_code=error.status)

    with client_of(app) as client:
        yield client


def test_the_feed_is_followed_over_http_by_type_and_place(http, long_feed):
    first = http.get("/api/v1/events/all", params={"limit": 2}).json()
    assert [(int(event["sequence"]), event["type"]) for event in first["events"]] == long_feed[:2]
    rest = http.get("/api/v1/events/all", params={"after": first["next_after"], "limit": 200}).json()
    assert [int(event["sequence"]) for event in rest["events"]] == [place for place, _ in long_feed[2:]]
    asked = [("type", "einvoicing.alert.closed"), ("type", "einvoicing.reminder")]
    chosen = http.get("/api/v1/events/all", params=asked).json()
    assert [event["type"] for event in chosen["events"]] == ["einvoicing.alert.closed", "einvoicing.reminder.sent"]
    assert chosen["events"][0]["dataschema"] == "https://gateway.example/schemas/alert-event.schema.json"
    after_all = http.get("/api/v1/events/all", params=[*asked, ("after", chosen["next_after"])]).json()
    assert after_all == {"events": [], "next_after": chosen["next_after"]}
    assert http.get("/api/v1/events/all", params={"type": "einvoicing.alert.opned"}).status_code == 422
    assert http.get("/api/v1/events/all", headers={"x-agency": "1"}).status_code == 403
