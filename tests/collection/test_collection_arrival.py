"""An invoice that may never have reached its buyer: its alert is worked before a reminder, and not for ever."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from uuid import uuid4

import pytest

from gateway.access.scope import Scope
from gateway.alerts import service as alerts
from gateway.app.services import build_services
from gateway.collection import service as actions
from gateway.collection.holds import Hold
from gateway.collection.previewing import preview
from gateway.collection.rechecking import recheck
from gateway.collection.scenarios import default_book
from gateway.flows.deadlines import review_due_invoices
from gateway.lifecycle.projection import InvoiceState
from tests.collection.accounts import DUE, account, decided, held, item, standard, state
from tests.collection.agreeing import EVERYTHING, House
from tests.lifecycle.making_events import event

HELD_DAYS = 10


def at(day: date) -> datetime:
    return datetime.combine(day, time(10), UTC)


def sought(**changes):
    return item(state=state(event("200")), arrival_sought=True, **changes)


@pytest.mark.parametrize("code", [None, "200", "201", "202"])
def test_while_its_alert_is_open_it_is_not_reminded_of_after_its_due_date(code):
    told = InvoiceState() if code is None else state(event(code))
    decision = decided(account(replace(sought(), state=told)), at(DUE + timedelta(days=3)))
    assert (decision.step, held(decision)) == (None, Hold.ARRIVAL_UNKNOWN)
    assert decision.withheld[0].reason.until == DUE + timedelta(days=HELD_DAYS + 1)
    assert "alerte" in decision.withheld[0].reason.text.fr


def test_it_is_in_no_message_about_another_invoice_either():
    decision = decided(account(sought(), item("F2")), at(DUE + timedelta(days=4)))
    assert [each.line.number for each in decision.lines] == ["F2"]
    assert held(decision) is Hold.ARRIVAL_UNKNOWN


@pytest.mark.parametrize("code", ["203", "204", "205"])
def test_a_status_that_shows_arrival_lets_reminders_go_on_whatever_the_alert(code):
    arrived = item(state=state(event(code)), arrival_sought=True)
    assert decided(account(arrived), at(DUE + timedelta(days=3))).step.key == "relance_1"


def test_without_that_alert_a_silent_platform_holds_nothing():
    assert decided(account(item(state=state(event("200")))), at(DUE + timedelta(days=3))).step.key == "relance_1"


def test_after_so_many_days_the_reminder_goes_on_whatever_the_platform_says():
    last = DUE + timedelta(days=HELD_DAYS)
    assert held(decided(account(sought()), at(last))) is Hold.ARRIVAL_UNKNOWN
    weekday = last + timedelta(days=2)  # the day after is Armistice Day
    assert decided(account(sought()), at(weekday)).step.key == "relance_1"
    at_once = standard(arrival_days=0)
    assert decided(account(sought()), at(DUE + timedelta(days=3)), at_once).step.key == "relance_1"


def test_what_was_decided_before_the_alert_opened_does_not_leave_after_it():
    today = DUE + timedelta(days=4)
    before = decided(account(item(), item("F2")), at(today))
    lines = [each.line for each in before.lines]
    assert [each.number for each in lines] == ["F1", "F2"]
    for anchor in (lines[0].invoice_id, lines[1].invoice_id):
        now = recheck(lines, anchor, account(sought(), item("F2")), standard(), today, is_thanks=False)
        assert [each.number for each in now.lines] == ["F2"]
        held_by = now.withdrawn and now.withdrawn.hold
        assert held_by is (Hold.ARRIVAL_UNKNOWN if anchor == lines[0].invoice_id else None)
    last = DUE + timedelta(days=HELD_DAYS + 1)
    later = recheck(lines, lines[0].invoice_id, account(sought(), item("F2")), standard(), last, is_thanks=False)
    assert [each.number for each in later.lines] == ["F1", "F2"]


def test_every_scenario_that_is_shipped_waits_before_its_second_reminder_only():
    for scenario in default_book().scenarios:
        assert scenario.arrival_days == HELD_DAYS
        assert scenario.arrival_days <= scenario.step("relance_2").days


@pytest.fixture
def house(database, organisation):
    """F1 was submitted on 5 October 2026 and is due on 5 November; no other status was ever heard of it."""
    house = House(database, organisation)
    house.owes("F1", "1200.00", issue_date=date(2026, 10, 5), due_date=date(2026, 11, 5))
    house.hear("200")
    return house


@pytest.fixture
def look(house, settings):
    """Reviews the deadlines as of a day, then says why the preview holds F1 back; None: it asks for F1."""
    services = build_services(settings, clock=lambda: house.now, database=house.database)

    def at_day(day: date):
        house.go_to(day)
        review_due_invoices(services.flows, house.organisation)
        with house.database.transaction(house.organisation) as session:
            (decision,) = [each for each in preview(session, house.now) if each.account.items]
        return None if decision.key else held(decision)

    yield at_day
    services.flows.connections.close()


LATE = date(2026, 11, 9)


def test_the_alert_holds_it_and_a_person_who_does_its_action_lets_it_go(house, look):
    assert look(LATE) is Hold.ARRIVAL_UNKNOWN
    (alert, *_) = house.alerts("deadline.not_made_available")
    (action,) = house.actions(alert)
    with house.database.transaction(house.organisation) as session:
        actions.complete(session, EVERYTHING, action.id, user_id=uuid4(), outcome="L’acheteur l’a.", now=house.now)
    assert look(LATE) is None


def test_a_person_who_closes_the_alert_lets_it_go(house, look):
    assert look(LATE) is Hold.ARRIVAL_UNKNOWN
    for condition in ("deadline.not_deposited", "deadline.not_made_available", "deadline.invoice_not_sent"):
        for alert in house.alerts(condition):
            with house.database.transaction(house.organisation) as session:
                closed = alerts.close(
                    session, Scope.everything(), alert.id, user_id=uuid4(), because="Reçue.", now=house.now
                )
                actions.cancel_for_closed_alert(session, closed, house.now)
    assert look(LATE) is None


def test_a_status_lets_it_go_by_itself(house, look):
    assert look(LATE) is Hold.ARRIVAL_UNKNOWN
    house.hear("203")
    assert look(LATE) is None
