"""Each flow is brought to its end alone: acknowledged, registered, sent, or put aside with a reason."""

from dataclasses import replace
from datetime import timedelta

import pytest

from fixtures.broken import broken_samples
from fixtures.drafts import Kind
from gateway.access.model import Organisation
from gateway.flows import processing
from gateway.flows.errors import FlowNotInQuarantineError
from gateway.flows.model import Flow, FlowState
from gateway.flows.processing import drain_flows, process_flows, replay
from gateway.flows.repository import hold
from gateway.flows.terms import AckStatus, FlowType
from gateway.jobs.model import OutboxMessage
from gateway.ledger.documents import DocumentStore
from gateway.ledger.errors import DocumentStoreUnavailableError
from gateway.ledger.model import LedgerEntry
from gateway.ledger.service import verify
from gateway.lifecycle.model import Direction, InvoiceRecord


def test_a_valid_invoice_is_acknowledged_registered_and_put_in_the_outbox(world, invoice, seller):
    flow_id = world.push(invoice("F1")).flow.id
    world.drain()
    flow, [record], [message] = world.flow(flow_id), world.rows(InvoiceRecord), world.rows(OutboxMessage)
    assert (flow.state, flow.ack_status) == (FlowState.PROCESSED, AckStatus.OK)
    assert (flow.flow_syntax, flow.flow_profile, flow.flow_type) == ("UBL", "CIUS", FlowType.CUSTOMER_INVOICE)
    assert flow.processing_rule == "B2B"
    assert (record.number, record.direction, record.flow_id) == ("F1", Direction.RECEIVABLE, flow_id)
    assert record.agency_id is not None
    assert (message.kind, message.idempotency_key, message.subject_id) == ("platform.flow", f"flow-{flow_id}", flow_id)
    assert flow.report is not None
    assert flow.report["verdict"] == "valid"


def test_the_ledger_holds_after_processing(world, invoice):
    world.push(invoice("F1"))
    world.push(b"not an invoice")
    world.drain()
    with world.database.transaction(world.organisation_id) as session:
        assert verify(session).holds
    kinds = [entry.kind for entry in world.rows(LedgerEntry)]
    assert kinds.count("flow.received") == kinds.count("flow.acknowledged") == 2


@pytest.mark.parametrize(
    ("sample", "reason"),
    [
        ("xsd-no-number-ubl", "InvalidSchema"),
        ("xsd-decimal-comma-cii", "InvalidSchema"),
    ],
)
def test_an_invalid_invoice_is_acknowledged_error_and_nothing_is_sent(world, sample, reason):
    data = next(each.data for each in broken_samples() if each.name == sample)
    flow_id = world.push(data).flow.id
    world.drain()
    flow = world.flow(flow_id)
    assert (flow.state, flow.ack_status) == (FlowState.PROCESSED, AckStatus.ERROR)
    assert {detail["reasonCode"] for detail in flow.ack_details} == {reason}
    assert all(detail["item"] and detail["reasonMessage"] for detail in flow.ack_details)
    assert world.rows(OutboxMessage) == world.rows(InvoiceRecord) == []


@pytest.mark.parametrize(
    ("data", "reason"), [(b"", "EmptyFlow"), (b"hello", "FlowTypeError"), (b"<a>", "InvalidSchema")]
)
def test_an_unreadable_flow_is_acknowledged_error_with_the_reason_of_the_standard(world, data, reason):
    flow_id = world.push(data).flow.id
    world.drain()
    flow = world.flow(flow_id)
    assert flow.ack_status == AckStatus.ERROR
    assert [detail["reasonCode"] for detail in flow.ack_details] == [reason]


def test_an_invoice_of_others_is_refused_to_its_sender(world, invoice, other_organisation):
    data = invoice("F1")
    world.organisation_id = other_organisation
    flow_id = world.push(data).flow.id
    world.drain()
    flow = world.flow(flow_id)
    assert flow.ack_status == AckStatus.ERROR
    assert "Not an invoice of this organisation" in flow.ack_details[-1]["reasonMessage"]
    assert world.rows(InvoiceRecord) == world.rows(OutboxMessage) == []


def test_a_purchase_is_registered_as_payable_and_not_sent(world, invoice, customer):
    with world.database.system_transaction() as session:
        buyer = Organisation(siren=customer.siren, name=customer.name, created_at=world.clock())
        session.add(buyer)
        session.flush()
    world.organisation_id = buyer.id
    flow_id = world.push(invoice("F1")).flow.id
    world.drain()
    [record] = world.rows(InvoiceRecord)
    assert (record.direction, record.flow_id) == (Direction.PAYABLE, flow_id)
    assert world.flow(flow_id).flow_type == FlowType.SUPPLIER_INVOICE
    assert world.rows(OutboxMessage) == []


def test_another_document_under_a_used_number_is_refused_and_the_first_one_stands(world, invoice):
    world.push(invoice("F1"))
    world.drain()
    other = invoice("F1").replace(b"</cbc:Note>", b" (bis)</cbc:Note>", 1)
    flow_id = world.push(other).flow.id
    world.drain()
    flow = world.flow(flow_id)
    assert flow.ack_status == AckStatus.ERROR
    assert flow.ack_details[-1]["reasonCode"] == "AlreadyExistingFlow"
    assert len(world.rows(InvoiceRecord)) == len(world.rows(OutboxMessage)) == 1


def test_the_same_file_by_two_sources_is_sent_once(world, invoice):
    for source in ("api", "file"):
        world.push(invoice("F1"), source=source)
    world.drain()
    assert [flow.ack_status for flow in world.rows(Flow)] == [AckStatus.OK] * 2
    assert len(world.rows(OutboxMessage)) == 1


def test_a_credit_note_is_registered_and_sent(world, invoice):
    world.push(invoice("F1", Kind.CREDIT_NOTE))
    world.drain()
    [record] = world.rows(InvoiceRecord)
    assert record.amount_due < 0
    assert len(world.rows(OutboxMessage)) == 1


def test_nothing_is_sent_while_a_required_layer_is_not_run(world, invoice):
    settings = world.context.settings.model_copy(
        update={"validation_required_layers": ("well-formed", "no-such-layer")}
    )
    world.context = replace(world.context, settings=settings)
    flow_id = world.push(invoice("F1")).flow.id
    world.drain()
    flow = world.flow(flow_id)
    assert flow.state == FlowState.RECEIVED
    assert flow.problem is not None
    assert flow.problem["code"] == "VALIDATION_INCOMPLETE"
    assert world.rows(OutboxMessage) == world.rows(InvoiceRecord) == []


def failing_for(monkeypatch, name: str) -> list[str]:
    """Make the handling of one file fail, after it has written something."""
    handled: list[str] = []
    real = processing.write_flows

    def write(session, context, reads):
        names = [read.flow.name for read in reads]
        handled.extend(names)
        real(session, context, reads)
        session.flush()
        if name in names:
            raise RuntimeError("a fault of ours")

    monkeypatch.setattr(processing, "write_flows", write)
    return handled


def test_a_failing_flow_never_stops_the_others_and_leaves_nothing_half_done(world, invoice, monkeypatch):
    failing_for(monkeypatch, "bad.xml")
    bad = world.push(invoice("F1"), name="bad.xml").flow.id
    good = [world.push(invoice(f"F{n}"), name=f"good{n}.xml").flow.id for n in (2, 3)]
    world.drain()
    assert [world.flow(flow_id).state for flow_id in good] == [FlowState.PROCESSED] * 2
    assert world.flow(bad).state == FlowState.RECEIVED
    assert sorted(record.number for record in world.rows(InvoiceRecord)) == ["F2", "F3"]
    assert len(world.rows(OutboxMessage)) == 2


def test_a_failing_flow_is_tried_again_later_then_quarantined_with_its_reason(world, invoice, monkeypatch):
    handled = failing_for(monkeypatch, "bad.xml")
    flow_id = world.push(invoice("F1"), name="bad.xml").flow.id
    world.drain()
    world.drain()
    assert handled == ["bad.xml"], "the second try is not due yet"
    for _ in range(world.context.settings.processing_attempts):
        world.clock.advance(timedelta(hours=1))
        world.drain()
    flow = world.flow(flow_id)
    assert len(handled) == world.context.settings.processing_attempts
    assert flow.state == FlowState.QUARANTINED
    assert flow.problem is not None
    assert flow.problem["code"] == "FLOW_NOT_PROCESSED"
    assert "RuntimeError" in flow.problem["what_fr"]


def test_an_outage_of_the_document_store_costs_a_flow_no_try(world, invoice, monkeypatch):
    flow = world.push(invoice("F1")).flow
    tries = world.context.settings.processing_attempts * 2

    def silent(sha256: str) -> bytes:
        raise DocumentStoreUnavailableError("s3://bucket", "timeout")

    with monkeypatch.context() as outage:
        outage.setattr(DocumentStore, "get", lambda self, sha256: silent(sha256))
        for _ in range(tries):
            world.drain()
            assert world.flow(flow.id).state == FlowState.RECEIVED
            world.clock.advance(timedelta(hours=1))
    assert world.flow(flow.id).attempts == 0
    assert world.flow(flow.id).problem["code"] == "DOCUMENT_STORE_UNAVAILABLE"
    world.drain()
    assert world.flow(flow.id).ack_status == AckStatus.OK


def test_a_replayed_flow_starts_again_and_ends_well_once_its_cause_is_gone(world, invoice, monkeypatch):
    failing_for(monkeypatch, "bad.xml")
    flow_id = world.push(invoice("F1"), name="bad.xml").flow.id
    for _ in range(world.context.settings.processing_attempts):
        world.drain()
        world.clock.advance(timedelta(hours=1))
    monkeypatch.undo()
    with world.database.transaction(world.organisation_id) as session:
        replay(session, flow_id, context=world.context)
    world.drain()
    flow = world.flow(flow_id)
    assert (flow.state, flow.problem) == (FlowState.PROCESSED, None)
    assert len(world.rows(InvoiceRecord)) == len(world.rows(OutboxMessage)) == 1


def test_only_a_flow_in_quarantine_is_replayed(world, invoice):
    flow_id = world.push(invoice("F1")).flow.id
    world.drain()
    with (
        pytest.raises(FlowNotInQuarantineError),
        world.database.transaction(world.organisation_id) as session,
    ):
        replay(session, flow_id, context=world.context)


def test_a_flow_that_kills_its_worker_is_counted_and_quarantined(world, invoice, monkeypatch):
    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(processing, "process_flows", killed)
    flow_id = world.push(invoice("F1")).flow.id
    for _ in range(world.context.settings.processing_attempts):
        with pytest.raises(KeyboardInterrupt):
            world.drain()
        world.clock.advance(timedelta(hours=1))
    world.drain()
    flow = world.flow(flow_id)
    assert flow.state == FlowState.QUARANTINED
    assert flow.problem is not None
    assert flow.problem["code"] == "FLOW_INTERRUPTED"


def test_a_flow_that_another_worker_holds_is_passed_over(world, invoice):
    held = world.push(invoice("F1")).flow.id
    free = world.push(invoice("F2")).flow.id
    with world.database.transaction(world.organisation_id) as session:
        hold(session, held)
        drained = drain_flows(world.context, world.organisation_id)
        assert process_flows(world.context, world.organisation_id, [held]) == 0
    assert (drained.tried, drained.processed) == (1, 1)
    assert world.flow(free).state == FlowState.PROCESSED
    assert world.flow(held).state == FlowState.RECEIVED
