"""What a flow is, in the words of the standard: computed from what it holds and whose it is."""

from datetime import timedelta

import pytest

from gateway.flows.acknowledgement import remark_on_syntax
from gateway.flows.classification import (
    processing_rule_of,
    processing_rule_of_message,
    type_of_invoice,
    type_of_message,
)
from gateway.flows.model import Flow
from gateway.flows.terms import FlowType, ProcessingRule
from gateway.invoices.model import Invoice, Note
from gateway.invoices.parties import Buyer, BuyerAddress, Seller, SellerAddress
from gateway.invoices.terms import Identifier
from gateway.lifecycle.model import Direction

SIREN = Identifier(value="732829320", scheme="0002")
FRENCH = {"seller": Seller(legal_id=SIREN), "buyer": Buyer(legal_id=SIREN)}

RULES = {
    "two French businesses": (FRENCH, ProcessingRule.B2B),
    "a buyer abroad": (FRENCH | {"buyer": Buyer(address=BuyerAddress(country="DE"))}, ProcessingRule.B2B_INT),
    "a buyer with a foreign VAT number": (FRENCH | {"buyer": Buyer(vat_id="DE129273398")}, ProcessingRule.B2B_INT),
    "a seller abroad": (FRENCH | {"seller": Seller(address=SellerAddress(country="IT"))}, ProcessingRule.B2B_INT),
    "a person in France": (FRENCH | {"buyer": Buyer(address=BuyerAddress(country="FR"))}, ProcessingRule.B2C),
    "a person in Guadeloupe": (FRENCH | {"buyer": Buyer(address=BuyerAddress(country="GP"))}, ProcessingRule.B2C),
    "a buyer in Guyane": (FRENCH | {"buyer": Buyer(address=BuyerAddress(country="GF"))}, ProcessingRule.B2B_INT),
    "a note that says so": (
        FRENCH | {"notes": (Note(subject_code="BAR", text="OUTOFSCOPE"),)},
        ProcessingRule.OUT_OF_SCOPE,
    ),
    "a note of another subject": (FRENCH | {"notes": (Note(subject_code="AAB", text="B2C"),)}, ProcessingRule.B2B),
    "a note with an unknown word": (FRENCH | {"notes": (Note(subject_code="BAR", text="?"),)}, ProcessingRule.B2B),
}


@pytest.mark.parametrize("case", RULES)
def test_the_processing_rule_follows_from_the_note_then_from_the_parties(case):
    content, rule = RULES[case]
    assert processing_rule_of(Invoice(**content)) is rule


def test_a_status_falls_under_the_rule_of_the_invoice_it_speaks_of():
    assert processing_rule_of_message(["B2BInt"]) is ProcessingRule.B2B_INT
    assert processing_rule_of_message(["B2B", "B2B", None]) is ProcessingRule.B2B
    for undecided in ([], [None], ["B2B", "B2BInt"]):
        assert processing_rule_of_message(undecided) is ProcessingRule.NOT_APPLICABLE


def test_sales_are_customer_flows_and_purchases_supplier_flows_and_copies_to_the_portal_state_flows():
    sale, purchase = Direction.RECEIVABLE, Direction.PAYABLE
    assert (type_of_invoice(sale), type_of_invoice(purchase)) == (FlowType.CUSTOMER_INVOICE, FlowType.SUPPLIER_INVOICE)
    assert {
        (direction, portal): type_of_message(direction, for_portal=portal)
        for direction in Direction
        for portal in (False, True)
    } == {
        (sale, False): FlowType.CUSTOMER_INVOICE_LC,
        (purchase, False): FlowType.SUPPLIER_INVOICE_LC,
        (sale, True): FlowType.STATE_CUSTOMER_INVOICE_LC,
        (purchase, True): FlowType.STATE_SUPPLIER_INVOICE_LC,
    }


def test_a_syntax_declared_wrongly_is_a_warning_and_the_file_decides(world, invoice):
    flow = world.flow(world.push(invoice("F1"), flow_syntax="CII").flow.id)
    world.drain()
    flow = world.flow(flow.id)
    [remark] = flow.ack_details
    assert (flow.ack_status, flow.flow_syntax) == ("Ok", "UBL")
    assert (remark["level"], remark["item"], remark["reasonCode"]) == ("Warning", "flowSyntax", "FlowTypeError")
    assert remark_on_syntax("UBL", "UBL") == remark_on_syntax(None, "UBL") == remark_on_syntax("FRR", None) == ()


def test_a_rule_declared_undefined_is_computed(world, invoice):
    world.push(invoice("F1"), processing_rule="Undefined")
    world.push(invoice("F2"), processing_rule="B2C")
    world.drain()
    told = {flow.processing_rule: flow.processing_rule_source for flow in world.rows(Flow)}
    assert told == {"B2B": "Computed", "B2C": "Input"}


def test_a_status_from_the_platform_bears_the_rule_of_its_invoice(world, invoice):
    world.push(invoice("F1"), processing_rule="B2BInt")
    world.turn()
    world.clock.advance(timedelta(minutes=1))
    world.turn()
    statuses = [flow for flow in world.rows(Flow) if flow.flow_syntax == "CDAR"]
    assert {flow.processing_rule for flow in statuses} == {"B2BInt"}
