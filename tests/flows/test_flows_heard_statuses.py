"""What others say is recorded whatever our rules remark, whoever hands it to us; what we say has to be right."""

from datetime import timedelta

import pytest

from gateway.alerts.model import Alert
from gateway.flows.model import FlowState
from gateway.jobs.model import OutboxMessage
from gateway.lifecycle.cdar.building import InvoiceReference, build_status, company, platform
from gateway.lifecycle.cdar.model import CdarMessage
from gateway.lifecycle.cdar.writing import write_cdar
from gateway.lifecycle.model import InvoiceRecord, LifecycleEvent


@pytest.fixture
def status_of(world, invoice, seller):
    """A message about an invoice of ours: by its buyer's platform (202), its buyer (205) or ourselves (209)."""
    world.push(invoice("F1"))
    world.drain()
    [record] = world.rows(InvoiceRecord)
    reference = InvoiceReference(record.number, record.issue_date, record.seller_siren)
    us = company(seller.siren, "SE", seller.name, seller.siren)
    buyer = company(record.buyer_siren, "BY", record.buyer_name, record.buyer_siren)
    issuers = {"202": (platform(), us), "205": (buyer, us), "209": (us, buyer)}

    def make(code: str) -> CdarMessage:
        issuer, recipient = issuers[code]
        at = world.clock() - timedelta(hours=1)
        return build_status(reference, code, issuer=issuer, recipients=[recipient], at=at, comment="Bon 4711.")

    return make


def without_sequence(data: bytes) -> bytes:
    """The message with an element that the official schema does not know where it stands."""
    return data.replace(b"<ram:ProcessCondition>", b"<ram:Unheard>x</ram:Unheard><ram:ProcessCondition>")


def push(world, data):
    flow_id = world.push(data).flow.id
    world.drain()
    return world.flow(flow_id)


@pytest.mark.parametrize("code", ["202", "205"])
def test_a_message_of_another_that_breaks_the_schema_is_recorded_with_its_remarks(code, world, status_of):
    flow = push(world, without_sequence(write_cdar(status_of(code))))
    assert (flow.state, flow.ack_status, flow.report["verdict"]) == (FlowState.PROCESSED, "Ok", "invalid")
    assert {detail["level"] for detail in flow.ack_details} == {"Warning"}
    assert [event.status for event in world.rows(LifecycleEvent)] == [code]
    assert world.rows(Alert) == []
    assert len(world.rows(OutboxMessage)) == 1, "only the invoice leaves"


def test_an_unpublished_code_of_another_is_recorded(world, status_of):
    data = write_cdar(status_of("205")).replace(b">205<", b">280<")
    push(world, data)
    assert [event.status for event in world.rows(LifecycleEvent)] == ["280"]


def test_a_message_of_ours_that_breaks_the_schema_is_refused_and_told(world, status_of):
    flow = push(world, without_sequence(write_cdar(status_of("209"))))
    assert (flow.ack_status, world.rows(LifecycleEvent)) == ("Error", [])
    assert [alert.condition for alert in world.rows(Alert)] == ["flow.refused"]
    assert len(world.rows(OutboxMessage)) == 1


def test_a_broken_message_that_hides_who_speaks_may_be_ours_and_is_refused(world, status_of):
    message = status_of("209")
    hidden = message.model_copy(update={"issuer": message.issuer.model_copy(update={"ids": ()})})
    flow = push(world, write_cdar(hidden))
    assert (flow.ack_status, world.rows(LifecycleEvent)) == ("Error", [])
