"""What is sent to us as an invoice and is none, or breaks its rules, is answered in the words of the standard."""

from gateway.flows.terms import AckStatus
from gateway.jobs.model import OutboxMessage
from gateway.lifecycle.model import InvoiceRecord
from tests.validation.test_validation_e_reporting import TRANSACTIONS


def test_an_e_reporting_transmission_is_kept_and_refused_by_name(world):
    flow_id = world.push(TRANSACTIONS).flow.id
    world.drain()
    flow = world.flow(flow_id)
    assert (flow.flow_syntax, flow.ack_status) == ("FRR", AckStatus.ERROR)
    (detail,) = flow.ack_details
    assert detail["reasonCode"] == "FlowTypeError"
    assert "e-reporting" in detail["reasonMessage"]
    assert world.store.get(flow.document_sha256) == TRANSACTIONS
    assert world.rows(InvoiceRecord) == world.rows(OutboxMessage) == []


def test_an_invoice_that_breaks_a_rule_of_content_is_answered_with_the_reason_of_a_failed_semantic_check(
    world, invoice
):
    wrong = invoice("F1").replace(b'<cbc:PayableAmount currencyID="EUR">', b'<cbc:PayableAmount currencyID="EUR">9')
    flow_id = world.push(wrong).flow.id
    world.drain()
    flow = world.flow(flow_id)
    assert flow.ack_status == AckStatus.ERROR
    reasons = {detail["reasonCode"] for detail in flow.ack_details if detail["level"] == "Error"}
    assert reasons == {"REJ_SEMAN"}
