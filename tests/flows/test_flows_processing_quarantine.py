"""A flow in quarantine is an alert that closes by itself once the flow is through; an outage fills no quarantine."""

from datetime import timedelta

import pytest

from gateway.alerts.model import Alert, AlertState
from gateway.collection.model import ActionState, CollectionAction
from gateway.flows import processing
from gateway.flows.errors import PlatformUnavailableError
from gateway.flows.model import FlowState
from gateway.flows.platforms.errors import PlatformPausedError
from gateway.flows.processing import replay
from gateway.flows.searching import FlowCriteria, search_flows
from gateway.kernel.text import Text

HOUR = timedelta(hours=1)


@pytest.fixture
def stuck(world, invoice, monkeypatch):
    """A flow in quarantine, and a way to remove the cause."""

    def fail(*_args, **_options):
        raise ZeroDivisionError("on purpose")

    cause = monkeypatch.context()
    patch = cause.__enter__()
    patch.setattr(processing, "write_flows", fail)
    flow_id = world.push(invoice("F1")).flow.id
    exhaust(world)
    yield flow_id, patch.undo
    cause.__exit__(None, None, None)


def exhaust(world) -> None:
    for _ in range(world.context.settings.processing_attempts):
        world.drain()
        world.clock.advance(HOUR)


def replayed(world, flow_id) -> None:
    with world.database.transaction(world.organisation_id) as session:
        replay(session, flow_id, context=world.context)
    world.drain()


def told(world) -> tuple[list[str], list[str]]:
    alerts = [alert for alert in world.rows(Alert) if alert.condition == "flow.quarantined"]
    mine = {alert.id for alert in alerts}
    actions = [action for action in world.rows(CollectionAction) if action.alert_id in mine]
    return sorted(alert.state for alert in alerts), sorted(action.state for action in actions)


def test_a_flow_in_quarantine_is_an_alert_with_its_reason_and_what_to_do(world, stuck):
    flow_id, _ = stuck
    [alert] = world.rows(Alert)
    assert (alert.condition, alert.state, alert.flow_id) == ("flow.quarantined", AlertState.OPEN, flow_id)
    assert "ZeroDivisionError" in alert.reason_fr
    assert "ZeroDivisionError" in alert.reason_en
    assert alert.next_step_fr.startswith("Cherchez")
    assert told(world) == ([AlertState.OPEN], [ActionState.TODO])


def test_the_alert_closes_when_the_replayed_flow_is_through(world, stuck):
    flow_id, remove_the_cause = stuck
    remove_the_cause()
    replayed(world, flow_id)
    assert world.flow(flow_id).state == FlowState.PROCESSED
    assert told(world) == ([AlertState.CLOSED], [ActionState.CANCELLED])


def test_a_replay_that_fails_again_leaves_its_one_alert_open(world, stuck):
    flow_id, _ = stuck
    replayed(world, flow_id)
    exhaust(world)
    assert world.flow(flow_id).state == FlowState.QUARANTINED
    assert told(world) == ([AlertState.OPEN], [ActionState.TODO])


def test_a_flow_that_is_through_at_its_second_try_alerts_nobody(world, invoice, monkeypatch):
    write, tries = processing.write_flows, []

    def fail_once(*args):
        tries.append(args)
        if len(tries) == 1:
            raise ZeroDivisionError("on purpose")
        write(*args)

    monkeypatch.setattr(processing, "write_flows", fail_once)
    flow_id = world.push(invoice("F1")).flow.id
    world.drain()
    world.clock.advance(HOUR)
    world.drain()
    assert world.flow(flow_id).state == FlowState.PROCESSED
    assert told(world) == ([], [])


def test_while_its_platform_rests_a_flow_waits_and_no_try_is_counted(world, invoice, monkeypatch):
    def rest(*_args):
        now = world.clock()
        raise PlatformPausedError(Text("repos", "rest"), now + HOUR, now)

    with monkeypatch.context() as patch:
        patch.setattr(processing, "_bytes_of", rest)
        flow_id = world.push(invoice("F1")).flow.id
        for _ in range(10):
            world.drain()
            flow = world.flow(flow_id)
            assert (flow.state, flow.attempts, flow.next_attempt_at) == (
                FlowState.RECEIVED, 0, world.clock() + HOUR
            )  # fmt: skip
            world.clock.advance(HOUR)
    world.drain()
    assert world.flow(flow_id).state == FlowState.PROCESSED


def test_a_platform_that_asks_for_time_is_given_it(world, invoice, monkeypatch):
    def busy(*_args):
        raise PlatformUnavailableError("429", HOUR)

    monkeypatch.setattr(processing, "_bytes_of", busy)
    flow_id = world.push(invoice("F1")).flow.id
    world.drain()
    assert world.flow(flow_id).next_attempt_at == world.clock() + HOUR


def test_a_client_that_pages_by_date_sees_a_flow_again_when_it_waits_and_when_it_goes_on(world, stuck):
    flow_id, _ = stuck
    waiting = world.flow(flow_id)
    with world.database.transaction(world.organisation_id) as session:
        since = FlowCriteria(updated_after=waiting.submitted_at)
        assert [flow.id for flow in search_flows(session, since).items] == [flow_id]
        replay(session, flow_id, context=world.context)
    assert world.flow(flow_id).updated_at > waiting.updated_at
