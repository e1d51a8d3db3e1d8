"""What should come next is told before it is late, in the words of the deadlines, and never when nothing is due."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from gateway.alerts.awaiting import DUE_DATE, awaited_next, expectations
from gateway.alerts.deadline_policy import Matter
from gateway.alerts.deadlines import Receipt, running
from gateway.lifecycle.model import Direction
from gateway.lifecycle.projection import InvoiceAmounts, project
from tests.alerts.test_alerts_deadlines import CASES, POLICY, facts, state
from tests.lifecycle.following import record, register
from tests.lifecycle.making_events import START, amount, event


def awaited(events, now=START, known=None):
    return expectations(known or facts(), state(*events), POLICY, now)


@pytest.mark.parametrize("matter", Matter)
def test_every_deadline_that_runs_is_awaited_until_its_instant_and_then_late(matter):
    known, events, instant = CASES[matter]
    for now, is_late in ((instant - timedelta(microseconds=1), False), (instant, True)):
        [found] = [each for each in awaited(events, now, known) if each.matter == matter]
        assert (found.late_from, found.is_late) == (instant, is_late)
        for text in (found.expected, found.otherwise, found.next_step):
            assert all(sentence.strip() and not set("{}") & set(sentence) for sentence in (text.fr, text.en))


def test_the_buyers_taking_in_charge_is_expected_by_its_last_day():
    first = awaited([event("200"), event("203", 1)])[0]
    assert first.expected.fr == "Prise en charge (204) attendue de l’acheteur au plus tard le 16 octobre 2026."
    assert first.expected.en == "Taken in charge (204) expected from the buyer by 16 October 2026."
    assert first.otherwise.fr == "Sinon, une alerte s’ouvre : « Facture F1 pas prise en charge par l’acheteur »."
    assert first.last_day == date(2026, 10, 16)


def test_the_most_pressing_comes_first_and_the_due_date_closes_the_list():
    found = awaited([event("200"), event("203", 1)])
    assert [each.matter for each in found] == [Matter.NOT_TAKEN_IN_CHARGE, DUE_DATE]
    assert "120,00" in found[-1].expected.fr


def test_an_approved_invoice_is_awaited_once():
    assert [each.matter for each in awaited([event("205")])] == [Matter.APPROVED_UNPAID]


@pytest.mark.parametrize(
    "events",
    [
        [event("213", reasons=["REJ_COH"])],
        [event("210", reasons=["CMD_ERR"])],
        [event("220")],
        [event("212", data=[amount("MEN", "120.00", "20.00")])],
    ],
)
def test_nothing_is_awaited_of_a_closed_or_paid_invoice(events):
    assert awaited(events) == ()


def test_a_disputed_invoice_awaits_its_outcome_and_not_its_payment():
    assert [each.matter for each in awaited([event("207", reasons=["PU_ERR"])])] == [Matter.DISPUTE_UNANSWERED]


def test_money_received_is_not_awaited_again_though_no_212_tells_it():
    part, whole = (facts(receipt=Receipt(Decimal(each), date(2026, 10, 5))) for each in ("100.00", "120.00"))
    assert "20,00" in awaited([event("204")], known=part)[-1].expected.fr
    assert DUE_DATE not in {each.matter for each in awaited([event("204")], known=whole)}


def test_a_credit_note_awaits_no_payment():
    credited = Decimal("-120.00")
    standing = project([event("200")], InvoiceAmounts(credited, "EUR"))
    assert expectations(facts(amount_due=credited), standing, POLICY, START) == ()


def test_what_is_awaited_is_what_runs():
    for known, events, instant in CASES.values():
        matters = {each.rule.matter.value for each in running(known, state(*events), POLICY)}
        assert {each.matter for each in awaited(events, instant, known)} - {DUE_DATE} == matters


def test_a_followed_invoice_awaits_what_its_events_leave_open_and_one_we_owe_awaits_nothing(database, organisation):
    ours = register(database, organisation).invoice
    record(database, organisation, "200")
    owed = register(database, organisation, direction=Direction.PAYABLE).invoice
    with database.transaction(organisation) as session:
        session.add_all([ours, owed])
        session.refresh(ours)
        assert [each.matter for each in awaited_next(session, ours, START)] == [Matter.NOT_MADE_AVAILABLE, DUE_DATE]
        assert awaited_next(session, owed, START) == ()
