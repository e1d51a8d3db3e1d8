"""The invoice that replaces a rejected or a refused one under a new number closes what called for it."""

from datetime import date, timedelta

import pytest
from sqlmodel import select

from gateway.alerts.model import Alert, AlertState
from gateway.alerts.replacing import close_replaced, close_replaced_before, replaces
from gateway.invoices.model import PrecedingInvoice
from gateway.lifecycle.model import Direction, InvoiceRecord
from gateway.lifecycle.records import InvoiceDocument
from gateway.lifecycle.service import register_invoice
from tests.alerts.raising import ALERTING, follow
from tests.lifecycle.following import invoice, register
from tests.lifecycle.making_events import START

LATER = START + timedelta(days=2)
REFERENCE = PrecedingInvoice(number=" F1 ", issue_date=date(2026, 10, 1))


def replace(database, organisation, number="F2", direction=Direction.RECEIVABLE, **changes) -> int:
    """Register an invoice that refers to F1 unless told otherwise; how many alerts that closes."""
    new = invoice(number, **{"issue_date": date(2026, 10, 7), "preceding_invoices": (REFERENCE,), **changes})
    with database.transaction(organisation) as session:
        registration = register_invoice(
            session,
            invoice=new,
            document=InvoiceDocument("UBL", "EN 16931", number.rjust(64, "0")),
            flow_id=None,
            agency_id=None,
            direction=direction,
            now=LATER,
        )
        return len(close_replaced(session, registration, LATER))


def alerts(database, organisation):
    with database.transaction(organisation) as session:
        return {each.condition: each for each in session.exec(select(Alert))}


@pytest.fixture(params=["210", "213"])
def troubled(database, organisation, request):
    """F1, refused by its buyer or rejected by a platform."""
    register(database, organisation)
    follow(database, organisation, request.param, 1, reasons=[ALERTING[request.param]])
    assert {each.state for each in alerts(database, organisation).values()} == {AlertState.OPEN}


@pytest.mark.usefixtures("troubled")
@pytest.mark.parametrize("type_code", ["384", "380"])
def test_a_corrected_invoice_or_a_new_one_of_the_same_type_closes_it(type_code, database, organisation):
    assert replace(database, organisation, type_code=type_code) == 1
    [alert] = alerts(database, organisation).values()
    assert (alert.state, alert.closed_at) == (AlertState.CLOSED, LATER)
    assert alert.closed_because_en == "Replaced by invoice F2."


@pytest.mark.usefixtures("troubled")
@pytest.mark.parametrize(
    "changes",
    [
        {"preceding_invoices": ()},
        {"preceding_invoices": (PrecedingInvoice(number="F9"),)},
        {"preceding_invoices": (PrecedingInvoice(number="F1", issue_date=date(2025, 10, 1)),)},
        {"type_code": "381"},
        {"type_code": "386"},
        {"direction": Direction.PAYABLE},
    ],
    ids=["no reference", "another number", "another year", "a credit note", "an advance", "a bill of ours"],
)
def test_nothing_else_closes_it(changes, database, organisation):
    assert replace(database, organisation, **changes) == 0
    assert {each.state for each in alerts(database, organisation).values()} == {AlertState.OPEN}


def test_a_dispute_is_not_settled_by_a_new_invoice_alone(database, organisation):
    register(database, organisation)
    follow(database, organisation, "207", 1, reasons=["PU_ERR"])
    assert replace(database, organisation, type_code="384") == 0


@pytest.mark.usefixtures("troubled")
def test_the_same_invoice_again_closes_nothing_twice(database, organisation):
    assert [replace(database, organisation, type_code="384") for _ in range(2)] == [1, 0]


@pytest.mark.parametrize(("type_code", "closed"), [("384", 1), ("380", 1), ("381", 0)])
def test_a_refusal_heard_after_the_new_invoice_calls_for_nothing(type_code, closed, database, organisation):
    register(database, organisation)
    replace(database, organisation, type_code=type_code)
    follow(database, organisation, "213", 1, reasons=[ALERTING["213"]])
    with database.transaction(organisation) as session:
        [alert] = session.exec(select(Alert))
        record = session.exec(select(InvoiceRecord).where(InvoiceRecord.number == "F1")).one()
        assert len(close_replaced_before(session, alert, record, LATER)) == closed
        assert len(close_replaced_before(session, alert, record, LATER)) == 0


def test_a_final_invoice_does_not_take_the_place_of_its_advance_payment() -> None:
    assert not replaces("380", "386")
    assert not replaces("380", None)
    assert replaces("386", "386")
