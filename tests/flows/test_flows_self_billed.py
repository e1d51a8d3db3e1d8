"""A self-billed invoice is issued by its buyer, in the name of the seller: the buyer's gateway sends it."""

from dataclasses import replace

import pytest

from fixtures.ubl import to_ubl
from gateway.access.model import Organisation
from gateway.flows.classification import is_issued_by
from gateway.flows.model import FlowState
from gateway.flows.terms import AckStatus, FlowType
from gateway.invoices.codes import label
from gateway.invoices.model import Invoice
from gateway.invoices.parties import Buyer, Seller
from gateway.invoices.terms import Identifier
from gateway.jobs.model import OutboxMessage, OutboxState
from gateway.lifecycle.model import Direction, InvoiceRecord

SELLER, BUYER = "732829320", "552100554"
SELF_BILLED = ["261", "389", "471", "473", "500", "501", "502"]
BY_SELLER = ["262", "326", "380", "381", "384", "386", "393", "396", "472", "503"]


@pytest.fixture
def self_billed(draft_of):
    """Makes a valid self-billed UBL invoice by its number."""
    return lambda number: to_ubl(replace(draft_of(number), type_code="389"))


@pytest.fixture
def as_buyer(world, customer):
    """The same gateway, of the organisation that buys."""
    with world.database.system_transaction() as session:
        buyer = Organisation(siren=customer.siren, name=customer.name, created_at=world.clock())
        session.add(buyer)
        session.flush()
        world.organisation_id = buyer.id
    return world


def invoice_of_type(code: str) -> Invoice:
    return Invoice(
        type_code=code,
        seller=Seller(legal_id=Identifier(value=SELLER, scheme="0002")),
        buyer=Buyer(legal_id=Identifier(value=BUYER, scheme="0002")),
    )


@pytest.mark.parametrize("code", SELF_BILLED)
def test_each_self_billed_type_is_issued_by_the_buyer_alone(code):
    assert is_issued_by(invoice_of_type(code), BUYER)
    assert not is_issued_by(invoice_of_type(code), SELLER)
    told = label("types", code)
    assert told is not None
    assert "autofactur" in told.fr


@pytest.mark.parametrize("code", BY_SELLER)
def test_every_other_type_is_issued_by_the_seller_alone(code):
    assert is_issued_by(invoice_of_type(code), SELLER)
    assert not is_issued_by(invoice_of_type(code), BUYER)


def test_a_self_billed_invoice_that_we_buy_under_leaves_when_our_side_pushes_it(as_buyer, self_billed):
    world = as_buyer
    flow_id = world.push(self_billed("A1")).flow.id
    world.drain()
    flow, [record], [message] = world.flow(flow_id), world.rows(InvoiceRecord), world.rows(OutboxMessage)
    assert (flow.ack_status, flow.ack_details) == (AckStatus.OK, [])
    assert (record.direction, flow.flow_type) == (Direction.PAYABLE, FlowType.SUPPLIER_INVOICE)
    assert message.subject_id == flow_id
    world.deliver()
    [message] = world.rows(OutboxMessage)
    assert message.state == OutboxState.SENT


def test_a_self_billed_invoice_that_we_sell_under_is_followed_not_sent_and_said_so_by_name(world, self_billed):
    flow_id = world.push(self_billed("A1")).flow.id
    world.drain()
    flow, [record] = world.flow(flow_id), world.rows(InvoiceRecord)
    assert (flow.state, flow.ack_status) == (FlowState.PROCESSED, AckStatus.OK)
    assert record.direction == Direction.RECEIVABLE
    assert world.rows(OutboxMessage) == []
    [remark] = flow.ack_details
    assert (remark["level"], remark["item"]) == ("Warning", "BT-3")
    assert "autofacturée (type 389)" in remark["message_fr"]
    assert "not sent" in remark["message_en"]
