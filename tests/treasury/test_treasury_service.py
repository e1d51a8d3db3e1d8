"""The treasury's figures follow from the invoices and their statuses."""

from datetime import date
from decimal import Decimal
from uuid import uuid4

import pytest

from gateway.access.scope import Scope
from gateway.lifecycle.model import Direction
from gateway.treasury.service import aged_balance, behind, days_sales_outstanding
from tests.lifecycle.following import invoice, record, register
from tests.lifecycle.making_events import amount

EVERYTHING = Scope.everything()
#: The invoices of these tests are due on 31 October 2026.
TODAY = date(2026, 11, 20)


def balance(database, organisation, scope=EVERYTHING):
    with database.transaction(organisation) as session:
        balances = aged_balance(session, scope, TODAY)
    return balances[0] if balances else None


def overdue(database, organisation):
    found = balance(database, organisation)
    return {column.bucket.code: column.figure.amount for column in found.columns if column.figure.invoices}


def test_an_open_invoice_ages_and_is_found_behind_its_column(database, organisation):
    followed = register(database, organisation).invoice
    (column,) = (each for each in balance(database, organisation).columns if each.figure.invoices)
    assert (column.bucket.code, column.figure.amount, column.figure.invoices) == ("1-30", Decimal("120.00"), 1)
    with database.transaction(organisation) as session:
        found = behind(session, EVERYTHING, TODAY, "EUR", [column.bucket], disputed=False)
        assert list(session.execute(found.invoices).scalars()) == [followed.id]


def test_an_invoice_without_due_date_gets_the_statutory_term(database, organisation):
    register(database, organisation, invoice(due_date=None, issue_date=date(2026, 10, 21)))
    assert overdue(database, organisation) == {"not_due": Decimal("120.00")}


def test_what_was_collected_is_not_owed(database, organisation):
    register(database, organisation)
    record(database, organisation, "212", 1, data=[amount("MEN", "50.00", "20.00")])
    assert overdue(database, organisation) == {"1-30": Decimal("70.00")}
    record(database, organisation, "212", 2, data=[amount("MEN", "70.00", "20.00")])
    assert balance(database, organisation) is None


def test_a_credit_note_lowers_the_balance(database, organisation):
    register(database, organisation)
    register(database, organisation, invoice("A1", "20.00", type_code="381"))
    assert balance(database, organisation).total == Decimal("100.00")


@pytest.mark.parametrize(("code", "reasons"), [("213", ["REJ_SEMAN"]), ("210", ["TX_TVA_ERR"]), ("220", [])])
def test_nothing_is_expected_of_a_rejected_refused_or_cancelled_invoice(database, organisation, code, reasons):
    register(database, organisation)
    record(database, organisation, code, 1, reasons=reasons)
    assert balance(database, organisation) is None
    with database.transaction(organisation) as session:
        assert days_sales_outstanding(session, EVERYTHING, TODAY) == []


def test_a_duplicate_delivery_leaves_the_invoice_collectable(database, organisation):
    register(database, organisation)
    record(database, organisation, "213", 1, reasons=["DOUBLON"])
    assert overdue(database, organisation) == {"1-30": Decimal("120.00")}


def test_a_disputed_invoice_stands_apart_until_the_dispute_is_settled(database, organisation):
    register(database, organisation)
    record(database, organisation, "207", 1, reasons=["PU_ERR"])
    assert overdue(database, organisation) == {}
    assert balance(database, organisation).disputed.amount == Decimal("120.00")
    record(database, organisation, "205", 2)
    assert overdue(database, organisation) == {"1-30": Decimal("120.00")}


def test_only_the_part_not_approved_is_disputed(database, organisation):
    register(database, organisation)
    record(database, organisation, "206", 1, reasons=["QTE_ERR"], data=[amount("MNATTC", "30.00")])
    assert overdue(database, organisation) == {"1-30": Decimal("90.00")}
    record(database, organisation, "212", 2, data=[amount("MEN", "100.00", "20.00")])
    found = balance(database, organisation)
    assert (found.disputed.amount, found.total) == (Decimal("20.00"), Decimal("20.00"))


def test_what_we_owe_is_no_receivable(database, organisation):
    register(database, organisation, direction=Direction.PAYABLE)
    assert balance(database, organisation) is None


def test_a_limited_person_sees_only_the_figures_in_scope(database, organisation, other_organisation):
    lyon = uuid4()
    register(database, organisation, agency_id=lyon)
    register(database, organisation, invoice("F2"), agency_id=uuid4())
    assert balance(database, organisation, Scope.limited_to([lyon], [])).total == Decimal("120.00")
    assert balance(database, organisation).total == Decimal("240.00")
    assert balance(database, other_organisation) is None


def test_the_dso_reads_the_sales_and_the_open_amounts(database, organisation):
    register(database, organisation, invoice("F1", issue_date=date(2026, 11, 2)))
    paid = invoice("F2", "80.00", issue_date=date(2026, 11, 5))
    register(database, organisation, paid)
    record(database, organisation, "212", 1, number="F2", data=[amount("MEN", "80.00", "20.00")])
    with database.transaction(organisation) as session:
        (figure,) = days_sales_outstanding(session, EVERYTHING, TODAY)
    # 120 of the 200 invoiced in the twenty days of November are still open.
    assert (figure.days, figure.balance.amount) == (Decimal("12.0"), Decimal("120.00"))
    assert figure.months[0].sales.invoices == 2
