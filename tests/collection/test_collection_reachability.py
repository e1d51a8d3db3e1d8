"""An address that reaches nobody, or the wrong person, gets nothing more until a person corrects it."""

from dataclasses import replace
from datetime import date

import pytest
from sqlmodel import select

from gateway.access.principal import Principal
from gateway.access.roles import Role
from gateway.access.scope import Scope
from gateway.collection.address_faults import fault_rows, keep_fault, lift_fault
from gateway.collection.confirming import confirm, settle
from gateway.collection.errors import AddressFaultNotFoundError, InvalidRecipientError, ReminderStateError
from gateway.collection.holds import Hold
from gateway.collection.reachability import AddressFault, FaultKind, as_kept, contact_named, usable
from gateway.collection.reminder_views import decision_view
from gateway.collection.reminding import preview
from gateway.collection.returning import came_back
from gateway.collection.worklist import matters
from gateway.collection.worklist.calls import NewCall, record_call
from gateway.collection.worklist.matters import Viewer
from gateway.collection.worklist.policy import CallOutcome
from gateway.collection.worklist.ranking import Source
from gateway.customers import service as customers
from gateway.customers.values import Contact, ContactRole
from gateway.jobs.channels import DeliveryFailedError
from gateway.kernel.clock import ManualClock
from gateway.ledger.model import LedgerEntry
from gateway.ledger.service import take_turn
from gateway.notifications.service import Channels
from tests.collection.accounts import ACCOUNTING as CONTACT
from tests.collection.accounts import account, customer, decided, held
from tests.collection.owing import NOW, Collecting

EVERYTHING = Scope.everything()
ACCOUNTING = Contact(ContactRole.ACCOUNTING, "Mme Durand", "compta@batir.example", "01 02 03 04 05", "fr", ("1 rue X",))
BUYER = Contact(ContactRole.BUYER, "M. Petit", "achats@batir.example", None, "fr", ())
REFUSED = AddressFault("compta@batir.example", FaultKind.REFUSED, date(2026, 11, 1), "550 5.1.1 unknown")


@pytest.fixture
def house(database, organisation):
    return Collecting(database, organisation, ManualClock(NOW))


def act(house, deed, *arguments, **named):
    with house.database.transaction(house.organisation) as session:
        return deed(session, EVERYTHING, *arguments, by="user:1", now=house.clock(), **named)


def faults(house):
    with house.database.transaction(house.organisation) as session:
        customer_id = house.reminders()[0].customer_id
        return fault_rows(session, [customer_id]).get(customer_id, [])


def foreseen(house):
    with house.database.transaction(house.organisation) as session:
        (decision,) = preview(session, house.clock())
    return decision


def lines(house, source=Source.ADDRESS, scope=EVERYTHING):
    with house.database.transaction(house.organisation) as session:
        return [each for each in matters.matters(session, Viewer(scope, "user:1")) if each.source is source]


def told(house):
    with house.database.transaction(house.organisation) as session:
        kinds = session.exec(select(LedgerEntry.kind).order_by(LedgerEntry.position))
        return [kind for kind in kinds if kind.startswith("address.")]


def add_contact(house, **contact):
    act(house, customers.add_contact, house.reminders()[0].customer_id, contact)


@pytest.fixture
def refused(house):
    """A reminder whose address the mail server knows nothing of."""
    house.server.fails_with = DeliveryFailedError("address refused: 550 5.1.1 no such user", permanent=True)
    house.owe()
    house.send()
    house.server.fails_with = None
    return house


@pytest.mark.parametrize(
    ("written", "kept"),
    [("Compta@X.example ", "compta@x.example"), ("01 02.03-04 05", "0102030405"), ("  Mme   Durand", "mme durand")],
)
def test_an_address_is_known_again_however_it_is_written(written, kept):
    assert as_kept(written) == kept
    assert as_kept(kept) == kept


def test_a_refused_address_takes_the_e_mail_from_its_contact_and_nothing_else():
    assert list(usable([ACCOUNTING, BUYER], [REFUSED])) == [replace(ACCOUNTING, email=None), BUYER]


@pytest.mark.parametrize("address", ["compta@batir.example", "0102030405", "mme durand"])
def test_a_wrong_contact_is_used_in_no_way_any_more(address):
    fault = AddressFault(address, FaultKind.WRONG_CONTACT, date(2026, 11, 1))
    assert list(usable([ACCOUNTING, BUYER], [fault])) == [BUYER]


def test_a_contact_is_recognised_by_name_number_or_address_and_nobody_when_several_could_be_meant():
    both = [ACCOUNTING, replace(BUYER, phone="01 02 03 04 05")]
    assert contact_named(both, "MME DURAND") == ACCOUNTING
    assert contact_named(both, "achats@batir.example ") == both[1]
    assert contact_named(both, "0102030405") is None
    assert contact_named(both, "") is None


def test_an_address_that_the_server_refuses_gets_nothing_more_and_the_worklist_asks_for_the_right_one(refused):
    (reminder,) = refused.reminders()
    assert (reminder.state, [each.address for each in faults(refused)]) == ("failed", ["compta@batir.example"])
    (line,) = lines(refused)
    assert line.title.fr.startswith("Trouver la bonne adresse : Client")
    assert "550 5.1.1 no such user" in line.explanation.fr
    assert line.amount == reminder.total
    refused.owe("F2", on=date(2026, 10, 1))
    decision = foreseen(refused)
    assert (decision.step, decision.why_not.hold) == (None, Hold.WRONG_ADDRESS)
    assert "compta@batir.example : adresse refusée" in decision.why_not.text.fr
    refused.send()
    assert refused.server.taken == []
    assert told(refused) == ["address.stopped"]


def test_a_policy_that_refuses_us_or_a_server_that_is_down_stops_no_address(house):
    house.server.fails_with = DeliveryFailedError("mail server answers 550 5.7.1 relaying denied", permanent=True)
    house.owe()
    house.send()
    assert faults(house) == []
    assert lines(house) == []


def test_the_message_goes_to_the_right_address_once_it_is_known(refused):
    (reminder,) = refused.reminders()
    refused.days(1)
    add_contact(refused, role="accounting", name="Mme Leroy", email="leroy@batir.example")
    assert lines(refused) == []
    with pytest.raises(InvalidRecipientError):
        act(refused, settle, reminder.id, arrived=False, email="leroy")
    act(refused, settle, reminder.id, arrived=False, email="leroy@batir.example")
    refused.dispatch()
    refused.deliver()
    assert [each.payload["to"] for each in refused.server.taken] == ["leroy@batir.example"]
    assert refused.reminders()[0].state == "sent"
    assert len(faults(refused)) == 1  # the wrong one is never used again


def test_a_person_says_that_the_address_is_right_after_all(refused):
    (fault,) = faults(refused)
    act(refused, lift_fault, fault.id)
    assert (faults(refused), lines(refused)) == ([], [])
    act(refused, settle, refused.reminders()[0].id, arrived=False)
    refused.dispatch()
    refused.deliver()
    assert len(refused.server.taken) == 1
    assert told(refused) == ["address.stopped", "address.cleared"]
    with pytest.raises(AddressFaultNotFoundError):
        act(refused, lift_fault, fault.id)


def test_an_e_mail_that_comes_back_reached_nobody(house):
    house.owe()
    house.send()
    (reminder,) = house.reminders()
    act(house, came_back, reminder.id, words="Boîte pleine depuis un mois")
    (reminder,) = house.reminders()
    assert (reminder.state, reminder.sent_at) == ("failed", None)
    assert faults(house)[0].words == "Boîte pleine depuis un mois"
    house.dispatch()
    assert house.reminders()[0].state == "failed"  # what the server said of it does not count any more
    with pytest.raises(ReminderStateError):
        act(house, came_back, reminder.id, words="encore")


def test_what_waits_for_an_address_found_wrong_meanwhile_does_not_leave(house):
    house.automatic = False
    house.owe()
    house.run()
    (reminder,) = house.reminders()
    call_about(house, reminder, "Comptabilité")
    act(house, confirm, reminder.id)
    house.dispatch()
    house.deliver()
    (reminder,) = house.reminders()
    assert (reminder.state, house.server.taken) == ("failed", [])
    assert "mauvais interlocuteur" in reminder.outcome.fr
    assert "wrong contact" in reminder.outcome.en


def test_what_waits_in_the_outbox_for_an_address_found_wrong_meanwhile_does_not_leave(house):
    house.owe()
    house.run()
    house.dispatch()
    (reminder,) = house.reminders()
    assert reminder.state == "queued"
    with house.database.transaction(house.organisation) as session:
        take_turn(session)
        keep_fault(
            session, reminder.customer_id, "compta@batir.example", FaultKind.REFUSED, by="user:1", now=house.clock()
        )
    house.deliver()
    assert (house.server.taken, house.reminders()[0].state) == ([], "failed")


def call_about(house, reminder, contact):
    person = Principal(house.organisation, "user", reminder.id, "Marie", frozenset(), Role.COLLECTOR, EVERYTHING)
    with house.database.transaction(house.organisation) as session:
        new = NewCall(CallOutcome.WRONG_CONTACT, contact=contact, note="N’y travaille plus")
        record_call(session, person, Source.REMINDER, reminder.id, new, Channels(by_email=False), house.clock())


@pytest.mark.parametrize("said", ["Comptabilité", "COMPTA@batir.example", ""])
def test_a_wrong_contact_is_the_one_named_else_the_one_the_reminder_was_for(house, said):
    house.automatic = False
    house.owe()
    house.run()
    (reminder,) = house.reminders()
    call_about(house, reminder, said)
    (fault,) = faults(house)
    assert (fault.kind, fault.address) == ("wrong_contact", "compta@batir.example")
    (line,) = lines(house)
    assert "N’y travaille plus" in line.explanation.fr
    assert lines(house, Source.CALL) == []


def test_a_wrong_contact_whom_nobody_knows_stops_no_address_and_is_asked_for_as_before(house):
    house.automatic = False
    house.owe()
    house.run()
    (reminder,) = house.reminders()
    call_about(house, reminder, "le standard")
    assert faults(house) == []
    assert len(lines(house, Source.CALL)) == 1


def test_who_may_not_see_the_customer_sees_no_address_of_theirs(refused):
    stranger = Scope.limited_to([], ["443061841"])
    assert lines(refused, scope=stranger) == []
    (fault,) = faults(refused)
    with refused.database.transaction(refused.organisation) as session, pytest.raises(AddressFaultNotFoundError):
        lift_fault(session, stranger, fault.id, by="user:2", now=refused.clock())


def test_another_contact_is_written_to_and_the_decision_still_names_the_address_that_is_not_used():
    fault = AddressFault("compta@batir.example", FaultKind.REFUSED, date(2026, 11, 1))
    plain, now = decided(account()), decided(account(faults=(fault,)))
    assert (plain.contact.email, now.contact.email) == ("compta@batir.example", "durand@batir.example")
    assert (plain.step, plain.total) == (now.step, now.total)
    assert decision_view(now).stopped_fr == (
        "compta@batir.example : adresse refusée ou message revenu le 1er novembre 2026.",
    )


def test_without_another_contact_the_decision_waits_for_the_right_address_and_says_so():
    alone = customer(contacts=(CONTACT,))
    fault = AddressFault("compta@batir.example", FaultKind.WRONG_CONTACT, date(2026, 11, 1), "parti à la retraite")
    decision = decided(account(customer=alone, faults=(fault,)))
    assert (decision.step, held(decision), decision.why_not.team) == (None, Hold.WRONG_ADDRESS, "ar")
    assert decision.why_not.text.fr == (
        "compta@batir.example : mauvais interlocuteur, signalé le 1er novembre 2026 (parti à la retraite). "
        "Rien ne part avant sa correction."
    )
