"""Invoices are followed once, events are recorded once, and the projection is never behind its events."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlmodel import func, select

from gateway.invoices.model import Totals
from gateway.invoices.parties import Seller
from gateway.invoices.terms import Identifier
from gateway.ledger.model import LedgerEntry
from gateway.ledger.service import verify
from gateway.lifecycle.cdar.model import CdarMessage
from gateway.lifecycle.errors import InvoiceWithoutKeyError
from gateway.lifecycle.model import Direction, InvoiceRecord, LifecycleEvent
from gateway.lifecycle.service import RegistrationOutcome, record_message
from gateway.lifecycle.transitions import TransitionKind
from tests.lifecycle.following import invoice, now_known, record, register
from tests.lifecycle.making_events import START, amount, message


def count(database, organisation, table):
    with database.transaction(organisation) as session:
        return session.exec(select(func.count()).select_from(table)).one()


def ledger_kinds(database, organisation):
    with database.transaction(organisation) as session:
        assert verify(session).holds
        return list(session.exec(select(LedgerEntry.kind).order_by(LedgerEntry.position)))


def without_key(original: CdarMessage, **changes: object) -> CdarMessage:
    (document,) = original.documents
    return original.model_copy(update={"documents": (document.model_copy(update=changes),)})


def test_an_invoice_is_registered_once_and_the_same_document_again_changes_nothing(database, organisation):
    first = register(database, organisation)
    again = register(database, organisation)
    assert (first.outcome, again.outcome) == (RegistrationOutcome.CREATED, RegistrationOutcome.KNOWN)
    assert again.invoice.id == first.invoice.id
    assert count(database, organisation, InvoiceRecord) == 1
    assert ledger_kinds(database, organisation) == ["invoice.registered"]


def test_another_document_under_the_same_number_is_a_conflict_and_the_first_stands(database, organisation):
    first = register(database, organisation)
    other = register(database, organisation, invoice(due="999.00"), content=b"<other/>")
    assert other.outcome is RegistrationOutcome.CONFLICT
    assert other.invoice.id == first.invoice.id
    assert now_known(database, organisation, first.invoice.id).amount_due == Decimal("120.00")


@pytest.mark.parametrize(
    "other",
    [
        {"number": "F2"},
        {"issue_date": date(2025, 10, 1)},
        {"seller": Seller(name="Autre", legal_id=Identifier(value="732829320", scheme="0002"))},
    ],
)
def test_number_seller_and_year_together_make_the_invoice(database, organisation, other):
    register(database, organisation)
    assert register(database, organisation, invoice(**other)).outcome is RegistrationOutcome.CREATED


def test_an_invoice_to_pay_is_never_mixed_with_one_to_collect(database, organisation):
    ours = register(database, organisation)
    theirs = register(database, organisation, direction=Direction.PAYABLE)
    assert theirs.outcome is RegistrationOutcome.CREATED
    record(database, organisation, "210", reasons=["TX_TVA_ERR"], direction=Direction.PAYABLE)
    assert now_known(database, organisation, ours.invoice.id).status is None
    assert now_known(database, organisation, theirs.invoice.id).status == "210"


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({"number": " "}, "BT-1"),
        ({"issue_date": None}, "BT-2"),
        ({"currency": ""}, "BT-5"),
        ({"seller": Seller(name="Sans SIREN")}, "BT-30"),
        ({"seller": Seller(legal_id=Identifier(value="12", scheme="0002"))}, "BT-30"),
        ({"totals": Totals(due=Decimal(1))}, "BT-112"),
        ({"totals": Totals(with_vat=Decimal(1))}, "BT-115"),
    ],
)
def test_an_invoice_without_key_or_amount_is_refused_by_the_name_of_the_term(database, organisation, changes, missing):
    with pytest.raises(InvoiceWithoutKeyError) as refusal:
        register(database, organisation, invoice(**changes))
    assert refusal.value.where == missing
    assert count(database, organisation, InvoiceRecord) == 0


def test_the_amounts_of_a_credit_note_are_negative(database, organisation):
    credit = register(database, organisation, invoice(type_code="381")).invoice
    assert (credit.amount_due, credit.remaining, credit.total_with_vat) == (Decimal("-120.00"),) * 3
    record(database, organisation, "212", 1, data=[amount("MEN", "-120.00", "20.00")])
    paid = now_known(database, organisation, credit.id)
    assert paid.remaining == 0
    assert paid.state["paid"] is True


def test_a_status_moves_its_invoice_and_is_written_to_the_ledger(database, organisation):
    followed = register(database, organisation).invoice
    recorded = record(database, organisation, "200")
    assert recorded.transition.kind is TransitionKind.EXPECTED
    assert recorded.invoice is not None
    assert recorded.invoice.id == followed.id
    known = now_known(database, organisation, followed.id)
    assert (known.status, known.status_at) == ("200", START)
    assert ledger_kinds(database, organisation) == ["invoice.registered", "lifecycle.event"]


def test_the_same_message_twice_changes_nothing(database, organisation):
    followed = register(database, organisation).invoice
    first = record(database, organisation, "212", 1, data=[amount("MEN", "50.00", "20.00")])
    before = now_known(database, organisation, followed.id).model_dump()
    again = record(database, organisation, "212", 1, data=[amount("MEN", "50.00", "20.00")], message_id="repeated")
    assert again.is_duplicate
    assert again.id == first.id
    assert now_known(database, organisation, followed.id).model_dump() == before
    assert count(database, organisation, LifecycleEvent) == 1
    assert ledger_kinds(database, organisation) == ["invoice.registered", "lifecycle.event"]


def test_two_partial_receipts_of_one_day_both_count(database, organisation):
    followed = register(database, organisation).invoice
    record(database, organisation, "212", 1, data=[amount("MEN", "50.00", "20.00")])
    record(database, organisation, "212", 1, data=[amount("MEN", "70.00", "20.00")])
    known = now_known(database, organisation, followed.id)
    assert (known.collected, known.remaining, known.state["paid"]) == (Decimal("120.00"), Decimal("0.00"), True)


def test_a_status_that_comes_before_its_invoice_takes_effect_with_it(database, organisation):
    early = record(database, organisation, "205", 3)
    assert early.invoice is None
    assert early.state.status == "205"
    registration = register(database, organisation)
    assert registration.waiting == (early.id,)
    assert registration.invoice.status == "205"
    assert register(database, organisation).waiting == ()


def test_a_late_status_is_put_back_at_its_date_and_does_not_move_the_invoice_back(database, organisation):
    followed = register(database, organisation).invoice
    record(database, organisation, "205", 5)
    late = record(database, organisation, "203", 2)
    assert late.transition.kind is TransitionKind.OUT_OF_ORDER
    assert now_known(database, organisation, followed.id).status == "205"


def test_a_duplicate_delivery_does_not_touch_the_valid_invoice(database, organisation):
    followed = register(database, organisation).invoice
    record(database, organisation, "205", 1)
    doublon = record(database, organisation, "213", 2, reasons=["DOUBLON"])
    known = now_known(database, organisation, followed.id)
    assert (known.status, known.is_closed, known.remaining) == ("205", False, Decimal("120.00"))
    assert doublon.event.line == "transmission"
    assert known.state["transmission"]["code"] == "213"


@pytest.mark.parametrize(("code", "reasons"), [("213", ["REJ_SEMAN"]), ("210", ["TX_TVA_ERR"]), ("220", [])])
def test_rejected_refused_and_cancelled_invoices_are_closed(database, organisation, code, reasons):
    followed = register(database, organisation).invoice
    record(database, organisation, code, 1, reasons=reasons)
    assert now_known(database, organisation, followed.id).is_closed


def test_an_inadmissible_file_without_seller_nor_date_still_shows_on_its_invoice(database, organisation):
    followed = register(database, organisation).invoice
    anonymous = without_key(message("501", 1, reasons=["IRR_SYNTAX"]), seller=None, issued=None)
    recorded = record(database, organisation, anonymous)
    assert recorded.invoice is not None
    assert recorded.invoice.id == followed.id
    known = now_known(database, organisation, followed.id)
    assert [issue["code"] for issue in known.state["issues"]] == ["501"]
    assert known.status is None


def test_a_status_without_seller_nor_date_moves_no_invoice_by_guess(database, organisation):
    followed = register(database, organisation).invoice
    recorded = record(database, organisation, without_key(message("205", 1), seller=None, issued=None))
    assert recorded.invoice is None
    assert now_known(database, organisation, followed.id).status is None
    assert count(database, organisation, LifecycleEvent) == 1


def test_unknown_codes_and_reasons_are_kept(database, organisation):
    followed = register(database, organisation).invoice
    recorded = record(database, organisation, "280", 1, reasons=["BILATERAL"])
    assert recorded.transition.kind is TransitionKind.UNUSUAL
    assert now_known(database, organisation, followed.id).status is None
    assert count(database, organisation, LifecycleEvent) == 1


def test_a_message_about_two_invoices_gives_each_its_status(database, organisation):
    ids = [register(database, organisation, invoice(number)).invoice.id for number in ("F1", "F2")]
    one, two = message("205", 1), message("207", 1, number="F2", reasons=["PU_ERR"])
    both = one.model_copy(update={"documents": one.documents + two.documents})
    with database.transaction(organisation) as session:
        recorded = record_message(
            session, message=both, direction=Direction.RECEIVABLE, document_sha256=None, flow_id=None, now=START
        )
    assert [each.event.code for each in recorded] == ["205", "207"]
    assert [now_known(database, organisation, each).status for each in ids] == ["205", "207"]


def test_events_recorded_at_once_on_one_invoice_are_all_in_its_state(database, organisation):
    followed = register(database, organisation).invoice
    payments = [[amount("MEN", f"{cents}.00", "20.00")] for cents in range(1, 9)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda data: record(database, organisation, "212", 1, data=data), payments))
    known = now_known(database, organisation, followed.id)
    assert known.collected == Decimal("36.00")
    assert len(known.state["history"]) == 8
    assert ledger_kinds(database, organisation).count("lifecycle.event") == 8


def test_the_same_event_recorded_at_once_by_two_workers_is_recorded_once(database, organisation):
    register(database, organisation)
    with ThreadPoolExecutor(4) as pool:
        recorded = list(pool.map(lambda _: record(database, organisation, "205", 1), range(4)))
    assert sorted(each.is_duplicate for each in recorded) == [False, True, True, True]
    assert count(database, organisation, LifecycleEvent) == 1


def test_an_invoice_and_its_status_recorded_at_once_always_meet(database, organisation):
    numbers = [f"R{i}" for i in range(12)]
    with ThreadPoolExecutor(4) as pool:
        work = [pool.submit(register, database, organisation, invoice(number)) for number in numbers[:6]]
        work += [pool.submit(record, database, organisation, "205", 1, number=number) for number in numbers]
        work += [pool.submit(register, database, organisation, invoice(number)) for number in numbers[6:]]
        for each in work:
            each.result()
    with database.transaction(organisation) as session:
        assert set(session.exec(select(InvoiceRecord.status))) == {"205"}


def test_organisations_do_not_see_each_other(database, organisation, other_organisation):
    register(database, organisation)
    record(database, organisation, "200")
    assert count(database, other_organisation, InvoiceRecord) == 0
    assert count(database, other_organisation, LifecycleEvent) == 0
    again = record(database, other_organisation, "200", now=START + timedelta(hours=1))
    assert not again.is_duplicate
