"""A client that pages by date, by cursor or by both sees every flow, once for each change, in the order of commits."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Event
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.database.paging import Page
from gateway.flows import handling
from gateway.flows.intake import Submission, accept_flow
from gateway.flows.model import Flow
from gateway.flows.repository import FlowCriteria, search_flows


def listed(world, **criteria) -> list[Flow]:
    return found(world, 100, **criteria).items


def test_no_two_changes_share_one_updated_at_even_at_one_instant(world, invoice):
    for number in range(5):
        world.push(invoice(f"F{number}"))
    world.drain()
    changes = [flow.updated_at for flow in listed(world)]
    assert len(set(changes)) == len(changes) == 5


def test_a_flow_that_commits_late_is_found_by_a_client_that_pages_by_date(world, invoice):
    """The slow one began before, by an earlier clock: it still shows after what the client has seen."""
    began = Event()

    def slow() -> None:
        with world.database.transaction(world.organisation_id) as session:
            early = world.clock() - timedelta(minutes=5)
            began.set()
            accept_flow(session, world.store, Submission(invoice("SLOW"), "slow.xml", "api"), now=early)

    with ThreadPoolExecutor(1) as other:
        with world.database.transaction(world.organisation_id) as session:
            accept_flow(session, world.store, Submission(invoice("FAST"), "fast.xml", "api"), now=world.clock())
            waiting = other.submit(slow)
            assert began.wait(10)
        seen = listed(world)
        waiting.result(30)
    seen += listed(world, updated_after=max(flow.updated_at for flow in seen))
    assert [flow.name for flow in seen] == ["fast.xml", "slow.xml"]


def test_a_flow_is_updated_when_its_processing_ends_not_when_it_begins(world, invoice, monkeypatch):
    """A client that polls meanwhile with its own clock would otherwise ask for what is newer than the flow."""
    flow_id = world.push(invoice("F1")).flow.id
    validate = handling.validate

    def slow(*args, **kwargs):
        world.clock.advance(timedelta(seconds=30))
        return validate(*args, **kwargs)

    monkeypatch.setattr(handling, "validate", slow)
    world.drain()
    assert world.flow(flow_id).updated_at == world.clock()


def test_a_client_that_follows_by_date_or_by_cursor_sees_every_last_state(world, invoice):
    """Whatever the order of submissions, processing and readings, and whatever the size of the pages."""
    numbers = iter(range(10_000))

    @settings(max_examples=15, deadline=None)
    @given(st.lists(st.sampled_from(["push", "process", "read", "tick"]), max_size=12), st.integers(1, 3))
    def follow(steps: list[str], limit: int) -> None:
        dated, paged = ByDate(), ByCursor()
        for step in [*steps, "read"]:
            if step == "push":
                world.push(b"<x>%d</x>" % next(numbers))
            elif step == "process":
                world.drain()
            elif step == "tick":
                world.clock.advance(timedelta(milliseconds=1))
            else:
                dated.read(world, limit)
                paged.read(world, limit)
        assert dated.seen == paged.seen == {flow.id: flow.ack_status for flow in world.rows(Flow)}

    follow()


class ByDate:
    """Pages by updatedAfter alone and keeps the newest date, as the clients in the field do."""

    def __init__(self) -> None:
        self.seen: dict[UUID, str] = {}
        self.after: datetime | None = None

    def read(self, world, limit: int) -> None:
        while page := found(world, limit, updated_after=self.after).items:
            self.seen |= {flow.id: flow.ack_status for flow in page}
            self.after = max(flow.updated_at for flow in page)


class ByCursor:
    """Follows nextCursor to the end, from the newest date of the reading before."""

    def __init__(self) -> None:
        self.seen: dict[UUID, str] = {}
        self.after: datetime | None = None

    def read(self, world, limit: int) -> None:
        cursor, newest = None, self.after
        while True:
            page = found(world, limit, cursor, updated_after=self.after)
            self.seen |= {flow.id: flow.ack_status for flow in page.items}
            newest = max([flow.updated_at for flow in page.items], default=newest)
            cursor = page.next_cursor
            if cursor is None:
                self.after = newest
                return


def found(world, limit: int, cursor: str | None = None, **criteria) -> Page[Flow]:
    with world.database.transaction(world.organisation_id) as session:
        return search_flows(session, FlowCriteria(directions=["Out"], **criteria), cursor=cursor, limit=limit)
