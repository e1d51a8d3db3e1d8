"""What is accepted is stored once, with its job, in one transaction."""

import hashlib
import threading
from datetime import timedelta

import pytest
from sqlmodel import Session, select

from gateway.access.model import Organisation
from gateway.alerts.model import Alert, AlertState
from gateway.flows.errors import ChecksumMismatchError, TrackingIdReusedError
from gateway.flows.intake import Submission, accept_flow
from gateway.flows.model import Flow, FlowState
from gateway.flows.searching import FlowCriteria, search_flows
from gateway.flows.terms import AckStatus, RuleSource
from gateway.ledger.model import Document, LedgerEntry


def test_an_accepted_flow_leaves_document_row_ledger_entry_and_job(world, invoice):
    data = invoice("F1")
    accepted = world.push(data, tracking_id="t-1", flow_syntax="UBL")
    flow = world.flow(accepted.flow.id)
    assert not accepted.already_known
    assert (flow.state, flow.ack_status) == (FlowState.RECEIVED, AckStatus.PENDING)
    assert flow.document_sha256 == hashlib.sha256(data).hexdigest()
    assert world.store.get(flow.document_sha256) == data
    assert [document.sha256 for document in world.rows(Document)] == [flow.document_sha256]
    entries = world.rows(LedgerEntry)
    assert [(entry.kind, entry.documents) for entry in entries] == [("flow.received", [flow.document_sha256])]
    assert world.jobs() == ["flows.process"]


def test_nothing_is_left_when_the_transaction_fails(world, invoice):
    class Crash(Exception):
        pass

    def crash_before_commit() -> None:
        with world.database.transaction(world.organisation_id) as session:
            accept_flow(session, world.store, Submission(invoice("F1"), "a.xml", "api"), now=world.clock())
            raise Crash

    with pytest.raises(Crash):
        crash_before_commit()
    assert world.rows(Flow) == world.rows(LedgerEntry) == world.rows(Document) == world.jobs() == []


def test_the_same_tracking_id_and_bytes_are_the_same_flow(world, invoice):
    first = world.push(invoice("F1"), tracking_id="t-1")
    second = world.push(invoice("F1"), tracking_id="t-1")
    assert second.already_known
    assert second.flow.id == first.flow.id
    assert len(world.rows(Flow)) == len(world.rows(LedgerEntry)) == 1


def test_the_same_bytes_under_another_tracking_id_are_the_same_flow(world, invoice):
    first = world.push(invoice("F1"), tracking_id="t-1")
    second = world.push(invoice("F1"), tracking_id="t-2")
    assert (second.flow.id, second.already_known) == (first.flow.id, True)


def test_the_same_bytes_from_another_kind_of_source_are_another_flow(world, invoice):
    assert world.push(invoice("F1"), source="api").flow.id != world.push(invoice("F1"), source="file").flow.id


def test_a_file_that_came_without_a_tracking_id_is_found_by_the_one_it_comes_with_later(world, invoice):
    first = world.push(invoice("F1"))
    again = world.push(invoice("F1"), tracking_id="t-1", name="another.xml")
    assert (again.flow.id, again.already_known, again.flow.tracking_id) == (first.flow.id, True, "t-1")
    with world.database.transaction(world.organisation_id) as session:
        [found] = search_flows(session, FlowCriteria(tracking_id="t-1")).items
    assert found.id == first.flow.id
    with pytest.raises(TrackingIdReusedError):
        world.push(invoice("F2"), tracking_id="t-1")


def test_a_file_that_comes_again_without_its_tracking_id_keeps_it(world, invoice):
    first = world.push(invoice("F1"), tracking_id="t-1")
    again = world.push(invoice("F1"))
    assert (again.flow.id, again.flow.tracking_id) == (first.flow.id, "t-1")
    assert len(world.rows(Flow)) == 1


def test_a_tracking_id_with_other_bytes_is_refused_by_name(world, invoice):
    world.push(invoice("F1"), tracking_id="t-1")
    with pytest.raises(TrackingIdReusedError) as caught:
        world.push(invoice("F2"), tracking_id="t-1")
    assert caught.value.status == 422
    assert len(world.rows(Flow)) == 1


def test_a_wrong_checksum_is_refused_and_nothing_is_kept(world, invoice):
    with pytest.raises(ChecksumMismatchError):
        world.push(invoice("F1"), sha256=hashlib.sha256(b"other").hexdigest())
    assert world.rows(Flow) == []


def test_a_declared_processing_rule_is_an_input_and_a_missing_one_is_computed(world, invoice):
    declared = world.push(invoice("F1"), processing_rule="B2B").flow
    silent = world.push(invoice("F2")).flow
    assert (declared.processing_rule_source, silent.processing_rule_source) == (RuleSource.INPUT, RuleSource.COMPUTED)


def test_many_submissions_of_one_file_at_once_make_one_flow(world, invoice):
    data = invoice("F1")
    barrier = threading.Barrier(4)
    seen: list[tuple[object, bool]] = []

    def submit() -> None:
        barrier.wait()
        accepted = world.push(data, tracking_id="t-1")
        seen.append((accepted.flow.id, accepted.already_known))

    threads = [threading.Thread(target=submit) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({flow_id for flow_id, _ in seen}) == 1
    assert sorted(known for _, known in seen) == [False, True, True, True]
    assert len(world.rows(LedgerEntry)) == 1


def test_a_flow_of_one_organisation_is_unknown_to_another(world, invoice, other_organisation):
    accepted = world.push(invoice("F1"), tracking_id="t-1")
    with world.database.transaction(other_organisation) as session:
        assert session.get(Flow, accepted.flow.id) is None
        twin = accept_flow(
            session, world.store, Submission(invoice("F1"), "a.xml", "api", tracking_id="t-1"), now=world.clock()
        )
    assert isinstance(session, Session)
    assert twin.flow.id != accepted.flow.id


@pytest.fixture
def corrected(world, other_organisation, seller):
    """Mends the cause of a refusal that lay here: the organisation bore another SIREN than the seller."""
    owner, world.organisation_id = world.organisation_id, other_organisation

    def correct() -> None:
        with world.database.system_transaction() as session:
            session.get(Organisation, owner).siren = "356000000"
            session.flush()
            session.get(Organisation, other_organisation).siren = seller.siren

    return correct


@pytest.mark.parametrize("tracking_id", [None, "t-2"])
def test_a_refused_file_pushed_again_is_judged_anew_once_the_cause_is_mended(world, invoice, corrected, tracking_id):
    flow_id = world.push(invoice("F1"), tracking_id="t-1").flow.id
    world.drain()
    assert world.flow(flow_id).ack_status == AckStatus.ERROR
    corrected()
    again = world.push(invoice("F1"), tracking_id=tracking_id, processing_rule="B2B", name="again.xml")
    assert (again.flow.id, again.flow.tracking_id, again.flow.name) == (flow_id, "t-1", "again.xml")
    assert (again.flow.ack_status, again.flow.ack_details, again.flow.report) == (AckStatus.PENDING, [], None)
    world.drain()
    flow = world.flow(flow_id)
    assert (flow.ack_status, flow.processing_rule_source) == (AckStatus.OK, RuleSource.INPUT)
    assert flow.updated_at > again.flow.updated_at
    assert [alert.state for alert in world.rows(Alert)] == [AlertState.CLOSED]
    kinds = [entry.kind for entry in world.rows(LedgerEntry) if entry.kind.startswith("flow.")]
    assert kinds == ["flow.received", "flow.acknowledged", "flow.received_again", "flow.acknowledged"]


def test_a_refused_file_under_its_own_tracking_id_gets_the_same_answer(world, invoice, corrected):
    flow_id = world.push(invoice("F1"), tracking_id="t-1").flow.id
    world.drain()
    corrected()
    again = world.push(invoice("F1"), tracking_id="t-1")
    assert (again.flow.id, again.flow.ack_status, again.already_known) == (flow_id, AckStatus.ERROR, True)


def test_a_refused_file_that_is_refused_again_alerts_again_only_when_its_alert_was_closed(world):
    def refused() -> list[str]:
        flow_id = world.push(b"hello").flow.id
        world.drain()
        assert world.flow(flow_id).ack_status == AckStatus.ERROR
        return sorted(alert.state for alert in world.rows(Alert))

    assert refused() == refused() == [AlertState.OPEN]
    with world.database.transaction(world.organisation_id) as session:
        [alert] = session.exec(select(Alert)).all()
        alert.state = AlertState.CLOSED.value
    world.clock.advance(timedelta(minutes=1))
    assert refused() == [AlertState.CLOSED, AlertState.OPEN]


def test_an_accepted_file_pushed_again_is_not_judged_anew(world, invoice):
    flow_id = world.push(invoice("F1"), tracking_id="t-1").flow.id
    world.drain()
    again = world.push(invoice("F1"), tracking_id="t-2")
    assert (again.flow.id, again.flow.ack_status, again.flow.state) == (flow_id, AckStatus.OK, FlowState.PROCESSED)
