"""A client that pages by date, by cursor or by both sees every flow, once for each change, in the order of commits."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import product
from random import Random
from threading import Event
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from gateway.database import Database
from gateway.database.paging import Page
from gateway.flows import reading
from gateway.flows.intake import Submission, accept_flow
from gateway.flows.model import Flow
from gateway.flows.representation import FlowView, flow_view
from gateway.flows.searching import FlowCriteria, flows_wanted, kinds_held, search_flows
from tests.conftest import START, add_organisation, fresh_database


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
    validate = reading.validate

    def slow(*args, **kwargs):
        world.clock.advance(timedelta(seconds=30))
        return validate(*args, **kwargs)

    monkeypatch.setattr(reading, "validate", slow)
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


TYPES = [None, "", "CustomerInvoice", "SupplierInvoice", "CustomerInvoiceLC"]
RULES = [None, "B2B", "B2G"]
SOURCES = ["api", "file", "platform:one"]
STATUSES = ["Pending", "Ok", "Error"]


def add_flows(world, kinds: list[tuple]) -> None:
    """Flows of those kinds, two of them at each instant."""
    with world.database.transaction(world.organisation_id) as session:
        for place, (flow_type, rule, source, status) in enumerate(kinds):
            at = world.clock() + timedelta(seconds=place // 2)
            session.add(
                Flow(
                    organisation_id=world.organisation_id,
                    source=source,
                    name=f"{place}.xml",
                    tracking_id=f"t{place}",
                    flow_type=flow_type,
                    processing_rule=rule,
                    ack_status=status,
                    next_attempt_at=at,
                    submitted_at=at,
                    updated_at=at,
                )
            )


def words(choices: list[str]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from([*choices, "Undefined"]), max_size=2, unique=True)


def test_every_criterion_and_every_pair_of_them_finds_what_one_would_pick_by_hand(world):
    kinds = list(product(TYPES, RULES, SOURCES, STATUSES))
    Random(7).shuffle(kinds)
    add_flows(world, kinds)
    shown = {flow.id: flow_view(flow) for flow in world.rows(Flow)}
    start = world.clock()
    instants = st.none() | st.integers(-1, len(kinds) // 2 + 1).map(lambda s: start + timedelta(seconds=s))

    @settings(max_examples=60, deadline=None)
    @given(
        st.builds(
            FlowCriteria,
            updated_after=instants,
            updated_before=instants,
            flow_types=words(["CustomerInvoice", "SupplierInvoice", "SupplierInvoiceLC"]),
            processing_rules=words(["B2B", "B2G"]),
            directions=st.lists(st.sampled_from(["In", "Out"]), max_size=2, unique=True),
            tracking_id=st.none() | st.sampled_from(["t1", "t7", "unknown"]),
            ack_status=st.none() | st.sampled_from(STATUSES),
        ),
        st.integers(1, 60),
    )
    def found_as_by_hand(criteria: FlowCriteria, limit: int) -> None:
        by_hand = [each for each in shown.values() if holds(criteria, each)]
        by_hand.sort(key=lambda each: (each.updated_at, UUID(each.flow_id)))
        assert [str(flow.id) for flow in every_page(world, criteria, limit)] == [each.flow_id for each in by_hand]

    found_as_by_hand()


def holds(criteria: FlowCriteria, flow: FlowView) -> bool:
    return (
        (criteria.updated_after is None or flow.updated_at > criteria.updated_after)
        and (criteria.updated_before is None or flow.updated_at < criteria.updated_before)
        and (not criteria.flow_types or flow.flow_type in criteria.flow_types)
        and (not criteria.processing_rules or flow.processing_rule in criteria.processing_rules)
        and (not criteria.directions or flow.flow_direction in criteria.directions)
        and criteria.tracking_id in (None, flow.tracking_id)
        and criteria.ack_status in (None, flow.acknowledgement.status)
    )


def every_page(world, criteria: FlowCriteria, limit: int) -> list[Flow]:
    flows, cursor = [], None
    with world.database.transaction(world.organisation_id) as session:
        while True:
            page = search_flows(session, criteria, cursor=cursor, limit=limit)
            flows += page.items
            cursor = page.next_cursor
            if cursor is None:
                return flows


def test_the_kinds_held_are_each_found_once_and_none_of_another_organisation(world, other_organisation):
    add_flows(world, [("CustomerInvoice", "B2B", "api", "Ok")] * 3 + [(None, None, "platform:x", "Pending")])
    with world.database.transaction(world.organisation_id) as session:
        assert kinds_held(session) == ["CustomerInvoice/B2B/Out/Ok", "Undefined/Undefined/In/Pending"]
    with world.database.transaction(other_organisation) as session:
        assert kinds_held(session) == []
        assert search_flows(session, FlowCriteria(ack_status="Ok")).items == []


RARE = {
    "a type": FlowCriteria(flow_types=("SupplierInvoice",)),
    "one of two types, from a day on": FlowCriteria(
        flow_types=("SupplierInvoice", "SupplierInvoiceLC"), updated_after=START
    ),
    "a rule": FlowCriteria(processing_rules=("B2G",)),
    "a rule, a type and a direction": FlowCriteria(
        processing_rules=("B2G",), flow_types=("CustomerInvoice",), directions=("In",)
    ),
    "a direction": FlowCriteria(directions=("In",)),
    "an acknowledgement": FlowCriteria(ack_status="Error"),
    "an acknowledgement and a direction, before a day": FlowCriteria(
        ack_status="Error", directions=("Out",), updated_before=START + timedelta(days=2)
    ),
    "no such tracking id": FlowCriteria(tracking_id="unknown"),
    "no such tracking id and an acknowledgement": FlowCriteria(tracking_id="unknown", ack_status="Ok"),
}


@pytest.mark.parametrize("criteria", RARE.values(), ids=RARE)
def test_a_rare_flow_is_found_without_walking_over_the_others(many, criteria):
    """The database says how many rows of its index and table it touched."""
    database, organisation_id = many
    with database.transaction(organisation_id) as session:
        kinds = [kind for kind in kinds_held(session) if criteria.fits(kind)] if criteria.is_of_kind else None
        statement = flows_wanted(criteria, kinds, None, 25)
        session.execute(text("SET LOCAL jit = off"))
        query = statement.compile(session.get_bind(), compile_kwargs={"render_postcompile": True})
        explain = f"EXPLAIN (ANALYZE, FORMAT JSON) {query}"
        plan = session.connection().exec_driver_sql(explain, query.params).scalar_one()[0]["Plan"]
    assert touched(plan) <= 200


def touched(node: dict) -> int:
    """Rows read by the scans of a plan, those thrown away included."""
    rows = node["Actual Rows"] + node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
    own = round(rows * node["Actual Loops"]) if "Scan" in node["Node Type"] else 0
    return own + sum(map(touched, node.get("Plans", ())))


@pytest.fixture(scope="module")
def many(server_url) -> Iterator[tuple[Database, UUID]]:
    """20,000 flows of two kinds, and three of a rare one, the newest of all."""
    with fresh_database(server_url) as database:
        organisation = add_organisation(database, "732829320", "Beaucoup")
        with database.system_transaction() as session:
            session.execute(FILL, {"organisation": organisation, "start": START})
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE flow"))
        yield database, organisation


FILL = text(
    """
    INSERT INTO flow (organisation_id, id, source, name, tracking_id, flow_type, processing_rule,
        processing_rule_source, state, attempts, next_attempt_at, ack_status, ack_details, submitted_at, updated_at)
    SELECT :organisation, gen_random_uuid(), CASE WHEN rare THEN 'platform:x' ELSE 'api' END, 'f', 't' || n,
        CASE WHEN rare THEN 'SupplierInvoice' WHEN n % 2 = 0 THEN 'CustomerInvoice' ELSE 'CustomerInvoiceLC' END,
        CASE WHEN rare THEN 'B2G' ELSE 'B2B' END, 'Computed', 'processed', 1, at,
        CASE WHEN rare THEN 'Error' ELSE 'Ok' END, '[]', at, at
    FROM (
        SELECT n, n > 20000 AS rare, CAST(:start AS timestamptz) + n * interval '1 second' AS at
        FROM generate_series(1, 20003) AS n
    ) AS numbered
    """
)
