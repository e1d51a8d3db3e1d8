"""Scenarios are refused by the place of each fault, stored from a day on, and chosen by whom they fit."""

import copy
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy.exc import ProgrammingError
from sqlmodel import select

from gateway.access.errors import PermissionDeniedError
from gateway.access.scope import Scope
from gateway.collection.account import Risk
from gateway.collection.agreements.policy import agreement_policy
from gateway.collection.errors import ExclusionNotFoundError, InvalidExclusionError, InvalidScenariosError
from gateway.collection.exclusions import exclude, exclusions_of, lift
from gateway.collection.model import ScenarioBookRow
from gateway.collection.reminding import preview
from gateway.collection.scenario_books import book_content, book_in_force, store_book, stored_books
from gateway.collection.scenarios import INSTALMENT, Channel, default_book, read_book
from gateway.collection.scoring import Punctuality, punctuality_of, risk_of
from gateway.customers.errors import CustomerNotFoundError
from gateway.customers.values import Contact, ContactRole
from gateway.kernel.clock import ManualClock
from gateway.kernel.working_days import add_working_days
from gateway.ledger.model import LedgerEntry
from tests.collection.accounts import account, customer
from tests.collection.owing import NOW, Collecting

EVERYTHING = Scope.everything()
TODAY = date(2026, 11, 17)


@pytest.fixture
def content():
    """The default book as a document that a person changes."""
    return copy.deepcopy(book_content(default_book()))


@pytest.fixture
def house(database, organisation):
    return Collecting(database, organisation, ManualClock(NOW))


def store(house, content, valid_from=TODAY, scope=EVERYTHING):
    with house.database.transaction(house.organisation) as session:
        return store_book(session, scope, content, valid_from=valid_from, comment="x", by="user:1", now=house.clock())


def test_the_default_book_is_read_back_as_it_is_written(content):
    assert read_book(content) == default_book()
    assert [each.key for each in default_book(date(2020, 1, 1)).scenarios][-1] == "standard"


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (lambda book: book["scenario"][2].update(catch_up="hop"), "scenario[3].catch_up"),
        (lambda book: book["scenario"][0].update(minimum_days=-1), "scenario[1].minimum_days"),
        (lambda book: book["scenario"][0].update(unheard_of=1), "scenario[1].unheard_of"),
        (lambda book: book["scenario"][0]["steps"][1].update(channel="pigeon"), "scenario[1].steps[2].channel"),
        (lambda book: book["scenario"][0]["steps"][0].update({"from": "tomorrow"}), "scenario[1].steps[1].from"),
        (lambda book: book["scenario"][0]["steps"][0].update(at_least="-1"), "scenario[1].steps[1].at_least"),
        (lambda book: book["scenario"][0]["steps"][1].update(key="relance_1"), "scenario[1]"),
        (lambda book: book["scenario"][0]["steps"][0].update(after="mise_en_demeure"), "scenario[1]"),
        (lambda book: book["scenario"][0]["steps"][0].update({"from": "205", "days": -3}), "scenario[1]"),
        (lambda book: book["scenario"][0]["steps"][-1].update(days=5), "scenario[1]"),
        (lambda book: book["scenario"][0]["hours"].update(until="08:00:00"), "scenario[1].hours"),
        (lambda book: book["scenario"][0].update(key="standard"), ""),
        (lambda book: book.update(scenario=[]), "scenario"),
    ],
)
def test_each_fault_of_a_book_is_named_by_its_place_and_nothing_is_stored(house, content, change, place):
    change(content)
    with pytest.raises(InvalidScenariosError) as refused:
        store(house, content)
    assert place in [where for where, _ in refused.value.faults]
    with house.database.transaction(house.organisation) as session:
        assert stored_books(session) == []


def test_the_first_scenario_that_fits_is_followed(content):
    content["scenario"].insert(0, {**content["scenario"][-1], "key": "or", "segments": ["Or"]})
    book = read_book(content)

    def followed(**changes):
        risk = changes.pop("score", None)
        return book.scenario_for(replace(account(customer=customer(**changes)), score=risk)).key

    assert followed() == "standard"
    assert followed(segment="or") == "or"
    assert followed(is_public=True) == "secteur_public"
    assert followed(score=Risk.D) == "risque_eleve"
    assert read_book({"scenario": content["scenario"][:1]}).scenario_for(account()) is None


def test_an_instalment_that_is_late_is_chased_before_its_plan_is_broken():
    policy = agreement_policy(TODAY)
    steps = [step for scenario in default_book().scenarios for step in scenario.steps if step.counts_from == INSTALMENT]
    assert steps
    for due in (TODAY + timedelta(days=each) for each in range(365)):
        for step in steps:
            chased = add_working_days(due + timedelta(days=step.days), 0)
            assert chased <= policy.plan_grace_until(due), due


def test_a_stored_book_holds_from_its_day_and_the_latest_stored_wins(house, content):
    def in_force(on):
        with house.database.transaction(house.organisation) as session:
            return book_in_force(session, on).scenarios[0].minimum_days

    content["scenario"][0]["minimum_days"] = 20
    store(house, content, date(2026, 11, 20))
    house.days(1)
    content["scenario"][0]["minimum_days"] = 30
    store(house, content, date(2026, 11, 20))
    assert [in_force(date(2026, 11, day)) for day in (19, 20, 25)] == [10, 30, 30]
    with house.database.transaction(house.organisation) as session:
        kinds = session.exec(select(LedgerEntry.kind)).all()
        assert len(stored_books(session)) == kinds.count("scenarios.stored") == 2


def test_a_stored_book_cannot_be_changed_and_is_seen_by_its_house_only(house, other_organisation, content):
    row = store(house, content)
    with pytest.raises(ProgrammingError), house.database.transaction(house.organisation) as session:
        session.merge(ScenarioBookRow(**row.model_dump() | {"comment": "other"}))
    with house.database.transaction(other_organisation) as session:
        assert stored_books(session) == []


def test_scenarios_are_for_whoever_sees_all_customers(house, content):
    with pytest.raises(PermissionDeniedError):
        store(house, content, scope=Scope.limited_to([], ["732829320"]))


@pytest.mark.parametrize(
    ("channel", "reached"),
    [
        (Channel.EMAIL, "compta@x.example"),
        (Channel.CALL, "01 02 03 04 05"),
        (Channel.SMS_HOOK, "01 02 03 04 05"),
        (Channel.REGISTERED_LETTER, "Mme Roux, 12 rue du Moulin, 35000 Rennes"),
    ],
)
def test_a_person_is_shown_the_number_the_envelope_or_the_mailbox_that_the_channel_needs(channel, reached):
    address = ("12 rue du Moulin", "35000 Rennes")
    contact = Contact(ContactRole.ACCOUNTING, "Mme Roux", "compta@x.example", "01 02 03 04 05", "fr", address)
    assert channel.reached_at(contact) == reached
    assert channel.reached_at(replace(contact, email=None, phone=None, postal=())) == "Mme Roux"


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        (datetime(2026, 11, 17, 7, 59, tzinfo=UTC), datetime(2026, 11, 17, 8, 0, tzinfo=UTC)),
        (datetime(2026, 11, 17, 8, 0, tzinfo=UTC), datetime(2026, 11, 17, 8, 0, tzinfo=UTC)),
        (datetime(2026, 11, 17, 17, 0, tzinfo=UTC), datetime(2026, 11, 18, 8, 0, tzinfo=UTC)),
        (datetime(2026, 11, 13, 20, 0, tzinfo=UTC), datetime(2026, 11, 16, 8, 0, tzinfo=UTC)),
        (datetime(2026, 11, 10, 20, 0, tzinfo=UTC), datetime(2026, 11, 12, 8, 0, tzinfo=UTC)),
        (datetime(2026, 7, 13, 16, 30, tzinfo=UTC), datetime(2026, 7, 15, 7, 0, tzinfo=UTC)),
    ],
)
def test_messages_leave_on_working_hours_in_paris(now, opens):
    assert default_book().scenarios[-1].hours.next_open(now) == opens


def spare(house, scope=EVERYTHING, **changes):
    named = {"reason": "Accord", "by": "user:1", "now": house.clock()} | changes
    with house.database.transaction(house.organisation) as session:
        return exclude(session, scope, "732829320", **named)


def held(house):
    with house.database.transaction(house.organisation) as session:
        withheld = [each for of in preview(session, house.clock()) for each in of.withheld]
    return {each.item.number: each.reason.hold.value for each in withheld}


def test_an_exclusion_holds_for_its_invoice_until_its_day_and_is_kept_in_the_history(house):
    first, _ = house.owe("F1"), house.owe("F2")
    spared = spare(house, invoice_id=first.id, until=TODAY)
    assert held(house) == {"F1": "excluded"}
    house.days(1)
    assert held(house) == {}
    everyone = spare(house)
    assert held(house) == {"F1": "customer_excluded", "F2": "customer_excluded"}
    with house.database.transaction(house.organisation) as session:
        lift(session, EVERYTHING, everyone.id, by="user:2", now=house.clock())
        with pytest.raises(ExclusionNotFoundError):
            lift(session, EVERYTHING, everyone.id, by="user:2", now=house.clock())
    assert held(house) == {}
    with house.database.transaction(house.organisation) as session:
        kept = exclusions_of(session, EVERYTHING, "732829320")
        assert [(each.id, each.lifted_by) for each in kept] == [(everyone.id, "user:2"), (spared.id, None)]


@pytest.mark.parametrize("wrong", [{"reason": " "}, {"until": date(2026, 11, 16)}])
def test_an_exclusion_without_a_reason_or_that_is_past_is_refused(house, wrong):
    house.owe()
    with pytest.raises(InvalidExclusionError):
        spare(house, **wrong)


def test_a_customer_outside_what_a_person_sees_cannot_be_spared_by_them(house):
    house.owe()
    with pytest.raises(CustomerNotFoundError):
        spare(house, scope=Scope.limited_to([], ["552100554"]))


@pytest.mark.parametrize(
    ("days", "invoices", "grade"),
    [(0, 3, "a"), (30, 3, "a"), (31, 3, "b"), (90, 9, "c"), (91, 3, "d"), (500, 2, None)],
)
def test_a_payer_is_graded_by_the_mean_delay_when_enough_fell_due(days, invoices, grade):
    known = Punctuality(invoices, Decimal("1000.00"), Decimal("1000.00") * days)
    assert risk_of(known, TODAY) == grade
    assert risk_of(None, TODAY) is None


def test_who_pays_very_late_follows_the_scenario_of_high_risk(house):
    """Two invoices paid on their day, one of ten times their sum unpaid for a hundred days."""
    for number in ("F1", "F2"):
        paid = house.owe(number, "100.00", on=date(2026, 11, 2))
        house.pay(paid, "100.00")
    house.owe("F3", "2000.00", on=date(2026, 8, 9))
    with house.database.transaction(house.organisation) as session:
        (known,) = punctuality_of(session, [each.account.customer.id for each in preview(session, NOW)], TODAY).values()
        (decision,) = preview(session, NOW)
    assert (known.invoices, known.amount, known.amount_days) == (3, Decimal("2200"), Decimal("200000"))
    assert (decision.account.score, decision.scenario) == (Risk.D, "risque_eleve")
