"""Nothing a platform lists is lost, doubled, or stuck behind something bad."""

import itertools
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from uuid import UUID

import pytest

from gateway.flows.errors import PlatformUnavailableError
from gateway.flows.model import Flow, FlowState, PlatformCursor
from gateway.flows.platforms.client import FlowPage, PlatformFlow
from gateway.flows.polling import poll_platform
from gateway.flows.representation import flow_view
from gateway.flows.simulator.answers import AnsweredInvoice, answer
from gateway.flows.simulator.scenarios import Step
from gateway.flows.tasks import POLL_TASK, PROCESS_TASK, organisations_with_waiting_flows, register_tasks
from gateway.flows.terms import FlowDirection
from gateway.invoices.reading import read_invoice
from gateway.lifecycle.cdar.writing import write_cdar
from gateway.lifecycle.model import LifecycleEvent

LISTED_AT = datetime(2026, 10, 5, 7, 0, tzinfo=UTC)


@pytest.fixture
def status(invoice):
    """Makes a CDAR 200 for an invoice number."""

    def make(number: str) -> bytes:
        read = read_invoice(invoice(number)).invoice
        subject = AnsweredInvoice(read, read.seller_siren, read.buyer_siren, read.issue_date)
        return write_cdar(answer(subject, Step("200"), at=LISTED_AT, received_at=LISTED_AT))

    return make


@pytest.fixture
def platform(world, status):
    """Lists a status under a flow id, at an instant."""

    def offer(flow_id: str, at: datetime = LISTED_AT, data: bytes | None = None) -> None:
        world.listed.files[flow_id] = status(flow_id) if data is None else data
        world.listed.flows.append(PlatformFlow(flow_id, f"{flow_id}.xml", "CDAR", "CustomerInvoiceLC", at))

    return offer


def poll(world) -> int:
    return poll_platform(world.context, world.organisation_id, "listed")


def test_words_of_a_platform_that_the_standard_does_not_know_are_shown_as_undefined(world, platform):
    """Else a search of ours that meets such a flow could not be answered."""
    platform("F1")
    world.listed.flows[0] = replace(world.listed.flows[0], flow_type="Other/Type", flow_syntax="EDIFACT")
    assert poll(world) == 1
    [flow] = world.rows(Flow)
    assert (flow_view(flow).flow_type, flow.kind) == ("Undefined", "Undefined/Undefined/In/Pending")
    world.drain()
    assert [flow.flow_type for flow in world.rows(Flow)] == ["CustomerInvoiceLC"]


def test_flows_that_share_one_updated_at_are_all_received_whatever_the_page_edges(world, platform):
    world.listed.page_size = 3
    for number in range(10):
        platform(f"F{number}")
    assert poll(world) == 10
    world.drain()
    assert sorted(event.number for event in world.rows(LifecycleEvent)) == [f"F{n}" for n in range(10)]


def test_a_flow_that_appears_late_under_the_newest_updated_at_is_received(world, platform):
    platform("F1")
    poll(world)
    platform("F2")
    assert poll(world) == 1
    world.drain()
    assert {event.number for event in world.rows(LifecycleEvent)} == {"F1", "F2"}


def test_reading_the_same_list_again_changes_nothing(world, platform):
    platform("F1")
    poll(world)
    world.drain()
    assert poll(world) == 0
    world.drain()
    assert len(world.rows(Flow)) == len(world.rows(LifecycleEvent)) == 1


def test_every_listed_flow_is_recorded_before_any_is_fetched(world, platform):
    for number in range(3):
        platform(f"F{number}")
    poll(world)
    assert [flow.document_sha256 for flow in world.rows(Flow)] == [None] * 3
    assert {flow.direction for flow in world.rows(Flow)} == {FlowDirection.IN}
    assert world.jobs() == ["flows.process"]


def test_the_mark_moves_with_what_was_recorded_and_never_back(world, platform):
    platform("F1", LISTED_AT + timedelta(hours=1))
    poll(world)
    world.listed.flows.clear()
    platform("F2", LISTED_AT)
    world.clock.advance(timedelta(minutes=1))
    poll(world)
    [cursor] = world.rows(PlatformCursor)
    assert cursor.updated_after == LISTED_AT + timedelta(hours=1)
    assert cursor.read_at == world.clock()


def test_the_jobs_poll_the_chosen_platform_and_process_what_it_listed(world, platform):
    platform("F1")
    tasks: dict[str, Callable[[UUID], None]] = {}
    engine = SimpleNamespace(register=tasks.__setitem__)
    register_tasks(engine, replace(world.context, platforms={"simulator": lambda _: world.listed}))
    tasks[POLL_TASK](world.organisation_id)
    tasks[PROCESS_TASK](world.organisation_id)
    assert [flow.state for flow in world.rows(Flow)] == [FlowState.PROCESSED]


@pytest.fixture
def breaking(world, monkeypatch):
    """Lets every reading of the list break after some pages; `newest_first` turns the list round."""

    def make(pages: int, *, newest_first: bool = False) -> None:
        whole = world.listed.search
        asked = itertools.count()

        def search(*, updated_after, cursor=None):
            if cursor is None:
                nonlocal asked
                asked = itertools.count()
            if next(asked) == pages:
                raise PlatformUnavailableError("503")
            if not newest_first:
                return whole(updated_after=updated_after, cursor=cursor)
            start = int(cursor or 0)
            left = sorted(world.listed.flows, key=lambda flow: flow.updated_at, reverse=True)[start:]
            return FlowPage(tuple(left[:1]), str(start + 1) if len(left) > 1 else None)

        monkeypatch.setattr(world.listed, "search", search)

    return make


def test_a_long_list_that_breaks_every_time_is_read_to_its_end_all_the_same(world, platform, breaking):
    world.listed.page_size = 1
    for number in range(8):
        platform(f"F{number}", LISTED_AT + number // 2 * timedelta(minutes=10))
    breaking(pages=4)
    for _ in range(7):
        with suppress(PlatformUnavailableError):
            poll(world)
    assert sorted(flow.platform_flow_id for flow in world.rows(Flow)) == [f"F{number}" for number in range(8)]


def test_a_list_in_another_order_that_breaks_hides_nothing_behind_the_mark(world, platform, breaking, monkeypatch):
    for number in range(4):
        platform(f"F{number}", LISTED_AT + number * timedelta(hours=1))
    with monkeypatch.context():
        breaking(pages=3, newest_first=True)
        with pytest.raises(PlatformUnavailableError):
            poll(world)
    assert len(world.rows(Flow)) == 3
    monkeypatch.undo()
    assert poll(world) == 1
    assert len(world.rows(Flow)) == 4


def test_a_bad_message_in_the_middle_is_quarantined_and_stops_no_other(world, platform):
    platform("F1")
    platform("BAD", data=b"<not-a-cdar/>")
    platform("F2")
    poll(world)
    world.drain()
    states = {flow.platform_flow_id: flow.state for flow in world.rows(Flow)}
    assert states == {"F1": FlowState.PROCESSED, "BAD": FlowState.QUARANTINED, "F2": FlowState.PROCESSED}
    bad = next(flow for flow in world.rows(Flow) if flow.platform_flow_id == "BAD")
    assert bad.problem["code"] == "PLATFORM_FLOW_UNREADABLE"
    assert world.store.get(bad.document_sha256) == b"<not-a-cdar/>", (
        "what was received is kept for the person who looks"
    )


def test_a_flow_that_cannot_be_fetched_now_is_fetched_later(world, platform):
    platform("F1")
    world.listed.failing.add("F1")
    poll(world)
    world.drain()
    assert world.rows(LifecycleEvent) == []
    world.listed.failing.clear()
    assert organisations_with_waiting_flows(world.context) == []
    world.clock.advance(timedelta(minutes=1))
    assert organisations_with_waiting_flows(world.context) == [world.organisation_id]
    world.drain()
    assert [event.number for event in world.rows(LifecycleEvent)] == ["F1"]


def test_the_same_message_under_two_flow_ids_is_one_event(world, platform, status):
    platform("F1")
    platform("F1-again", data=status("F1"))
    poll(world)
    world.drain()
    assert [flow.state for flow in world.rows(Flow)] == [FlowState.PROCESSED] * 2
    assert len(world.rows(LifecycleEvent)) == 1
