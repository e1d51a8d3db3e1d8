"""A reminder is recorded once, checked again before it leaves, and moved by what became of it, whatever crashes."""

from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from sqlalchemy import event
from sqlmodel import select

from gateway.access.scope import Scope
from gateway.collection.confirming import complete, confirm, refuse, settle
from gateway.collection.errors import (
    InvalidRecipientError,
    ReminderNotFoundError,
    ReminderPartlyVisibleError,
    ReminderStateError,
)
from gateway.collection.holds import Hold
from gateway.collection.reminding import preview
from gateway.jobs.channels import DeliveryAmbiguousError, DeliveryFailedError
from gateway.kernel.clock import ManualClock
from gateway.kernel.text import Text
from gateway.ledger.model import LedgerEntry
from gateway.ledger.service import verify
from tests.collection.owing import NOW, Collecting, siren
from tests.conftest import add_organisation
from tests.lifecycle.following import record

EVERYTHING = Scope.everything()


@pytest.fixture
def house(database, organisation):
    """A house whose automatic reminders leave by themselves."""
    return Collecting(database, organisation, ManualClock(NOW))


@pytest.fixture
def careful(house):
    """A house where a person confirms every message."""
    house.automatic = False
    return house


def states(house):
    return [each.state for each in house.reminders()]


def act(house, deed, *arguments, scope=EVERYTHING, **named):
    with house.database.transaction(house.organisation) as session:
        return deed(session, scope, *arguments, by="user:1", now=house.clock(), **named)


def test_a_late_payer_gets_one_message_for_all_that_is_late(house):
    house.owe("F1"), house.owe("F2", "300.00", on=date(2026, 11, 13)), house.owe("F3", "9.00", on=date(2026, 12, 1))
    house.send()
    (reminder,) = house.reminders()
    assert (reminder.step, reminder.state, reminder.total) == ("relance_2", "sent", Decimal("1500.00"))
    assert [(line.number, line.step) for line in house.lines()] == [("F1", "relance_2"), ("F2", "relance_1")]
    (mail,) = house.server.taken
    assert mail.payload["to"] == "compta@batir.example"
    assert "F1" in mail.payload["body"]
    assert "F3" not in mail.payload["body"]


def test_what_was_decided_sent_and_done_is_in_the_ledger(house):
    house.owe()
    house.send()
    with house.database.transaction(house.organisation) as session:
        kinds = [entry.kind for entry in session.exec(select(LedgerEntry).order_by(LedgerEntry.position))]
        assert verify(session).holds
    assert [kind for kind in kinds if kind.startswith("reminder")] == [
        "reminder.decided",
        "reminder.queued",
        "reminder.sent",
    ]


def test_a_round_that_is_repeated_decides_nothing_twice(house):
    house.owe()
    house.send()
    for _ in range(2):
        house.send()
    house.days(4)
    house.send()
    assert len(house.reminders()) == len(house.server.taken) == 1


def test_the_scenario_goes_on_step_by_step_and_stops_when_the_money_comes(house):
    owed = house.owe()
    house.send()
    house.days(6)
    house.run()
    assert [each.step for each in house.reminders()] == ["relance_2", "appel_2"]
    house.pay(owed)
    house.days(7)
    house.send()
    assert [(each.step, each.state) for each in house.reminders()] == [
        ("relance_2", "sent"),
        ("appel_2", "withdrawn"),
        ("remerciement", "sent"),
    ]
    house.days(1)
    house.send()
    assert len(house.server.taken) == 2


def test_the_preview_is_what_the_round_records(house):
    for number, due in enumerate((DUE_LATE, DUE_SOON, DUE_NOT), start=1):
        house.owe(f"F{number}", on=due, siren=SIRENS[number - 1])
    record(house.database, house.organisation, "207", number="F2", reasons=["PU_ERR"])
    with house.database.transaction(house.organisation) as session:
        foreseen = [each for each in preview(session, house.clock()) if each.step]
    house.run()
    assert [(each.account.customer.id, each.key, each.total, each.channel) for each in foreseen] == [
        (each.customer_id, each.step, each.total, each.channel) for each in house.reminders()
    ]


DUE_LATE, DUE_SOON, DUE_NOT = date(2026, 10, 31), date(2026, 11, 10), date(2026, 12, 15)
SIRENS = ("732829320", "552100554", "443061841")


def test_what_is_paid_before_it_leaves_is_not_claimed(house):
    first, _ = house.owe("F1", on=date(2026, 11, 10)), house.owe("F2", "300.00")
    house.run()
    house.pay(first)
    house.dispatch()
    house.deliver()
    (reminder,) = house.reminders()
    assert (reminder.state, reminder.total) == ("sent", Decimal("300.00"))
    assert "F1" not in house.server.taken[0].payload["body"]
    assert {line.number: line.step for line in house.lines()} == {"F1": None, "F2": "relance_2"}


@pytest.mark.parametrize("when", ["before the wording", "in the outbox"])
def test_a_reminder_whose_invoice_is_paid_before_it_leaves_is_withdrawn_and_frees_its_step(house, when):
    owed = house.owe()
    house.run()
    if when == "in the outbox":
        house.dispatch()
    house.pay(owed)
    house.dispatch()
    house.deliver()
    house.dispatch()
    assert states(house) == ["withdrawn"]
    said = Text("Payée : il n’y a plus rien à réclamer.", "Paid: nothing is left to claim.")
    assert house.reminders()[0].outcome == said
    assert house.server.taken == []
    assert [line.step for line in house.lines()] == [None]


def test_a_message_that_has_changed_while_the_server_was_away_is_worded_again(house):
    first, _ = house.owe("F1", on=date(2026, 11, 10)), house.owe("F2", "300.00")
    house.run()
    house.dispatch()
    house.server.fails_with = DeliveryFailedError("away")
    house.deliver()
    house.pay(first)
    house.server.fails_with = None
    house.days(1)
    house.deliver()
    house.deliver()
    (mail,) = house.server.taken
    assert "F1" not in mail.payload["body"]
    assert states(house) == ["sent"]


def test_an_ambiguous_answer_of_the_mail_server_waits_for_a_person_and_nothing_follows_it(house):
    house.owe()
    house.server.fails_with = DeliveryAmbiguousError("silent")
    house.send()
    assert states(house) == ["in_doubt"]
    house.days(14)
    house.run()
    assert states(house) == ["in_doubt"]
    act(house, settle, house.reminders()[0].id, arrived=True)
    assert states(house) == ["sent"]
    house.run()
    assert len(house.reminders()) == 2


def test_a_message_that_has_not_arrived_is_sent_again_under_the_same_key(house):
    house.owe()
    house.server.fails_with = DeliveryAmbiguousError("silent")
    house.send()
    house.server.fails_with = None
    act(house, settle, house.reminders()[0].id, arrived=False)
    house.deliver()
    assert states(house) == ["sent"]
    assert len(house.outbox()) == len(house.server.taken) == 1


def test_a_refused_address_is_seen_and_the_reminder_can_be_refused(house):
    house.owe()
    house.server.fails_with = DeliveryFailedError("550 no such user", permanent=True)
    house.send()
    (reminder,) = house.reminders()
    assert (reminder.state, reminder.outcome) == ("failed", Text.of("550 no such user"))
    act(house, refuse, reminder.id, reason="Adresse fermée")
    assert states(house) == ["cancelled"]


def test_where_a_person_confirms_nothing_leaves_before_and_words_and_address_may_be_changed(careful):
    careful.owe()
    careful.send()
    (reminder,) = careful.reminders()
    assert (reminder.state, careful.server.taken) == ("awaiting", [])
    with pytest.raises(InvalidRecipientError):
        act(careful, confirm, reminder.id, email="a@b.example\nBcc: c@d.example")
    act(careful, confirm, reminder.id, note="Merci de votre appel.", email="autre@batir.example")
    careful.dispatch()
    careful.deliver()
    (mail,) = careful.server.taken
    assert mail.payload["to"] == "autre@batir.example"
    assert "Merci de votre appel." in mail.payload["body"]


def test_what_waits_for_a_confirmation_is_withdrawn_when_it_is_paid(careful):
    owed = careful.owe()
    careful.run()
    careful.pay(owed)
    assert careful.run().withdrawn == 1
    assert states(careful) == ["withdrawn"]


def test_a_refused_reminder_is_not_proposed_again_and_the_next_step_comes(careful):
    careful.owe()
    careful.run()
    act(careful, refuse, careful.reminders()[0].id, reason="Client appelé hier")
    careful.run()
    assert states(careful) == ["cancelled"]
    careful.days(6)
    careful.run()
    assert [each.step for each in careful.reminders()] == ["relance_2", "appel_2"]


def test_a_letter_is_worded_and_then_posted_by_a_person(house):
    house.owe()
    house.send()
    house.days(5)
    house.run()
    (_, call) = house.reminders()
    assert (call.step, call.state, call.text) == ("appel_2", "todo", None)
    act(house, complete, call.id, outcome="Paiera vendredi")
    house.days(10)
    house.send()
    notice = house.reminders()[-1]
    assert (notice.step, notice.state) == ("mise_en_demeure", "awaiting")
    act(house, confirm, notice.id)
    house.dispatch()
    notice = house.reminders()[-1]
    assert notice.state == "todo"
    assert "F1" in notice.text
    act(house, complete, notice.id, outcome="RA 123")
    house.days(30)
    house.run()
    assert [each.step for each in house.reminders()][-1] == "contentieux"


@pytest.fixture
def call(house):
    """A call about F1 is decided; it takes the second reminder of F2 along, which nothing has reached before."""
    house.owe("F1")
    house.send()
    house.days(6)
    house.owe("F2", "300.00", on=date(2026, 10, 25))
    house.run()
    (_, call) = house.reminders()
    assert (call.step, call.channel, call.state) == ("appel_2", "call", "todo")
    taken = {line.number: line.step for line in house.lines() if line.reminder_id == call.id}
    assert taken == {"F1": "appel_2", "F2": "relance_2"}
    return call


def why_not(house):
    with house.database.transaction(house.organisation) as session:
        (decision,) = preview(session, house.clock())
    return decision.why_not


def test_no_second_call_is_asked_for_while_one_is_still_to_do(house, call):
    for waited in (0, 5):
        house.days(waited)
        house.run()
        assert [each.step for each in house.reminders()] == ["relance_2", "appel_2"]
        reason = why_not(house)
        assert (reason.hold, reason.words.en) == (Hold.WAITING, "Second call")
    act(house, complete, call.id, outcome="Message laissé")
    house.run()
    assert (why_not(house).hold, len(house.reminders())) == (Hold.TOO_SOON, 2)


def test_a_call_that_was_set_aside_holds_no_other_one_back(house, call):
    act(house, refuse, call.id, reason="Numéro à vérifier")
    house.run()
    assert sorted(each.state for each in house.reminders() if each.step == "appel_2") == ["cancelled", "todo"]


NOTICED = date(2026, 11, 30)


def test_messages_keep_their_distance_from_a_call_that_is_to_do(house):
    house.owe("F1")
    house.send()
    house.days(6)
    house.owe("F2", "12000.00", on=NOTICED)
    for _ in range(2):
        house.run()
    (_, call) = house.reminders()
    assert call.state == "todo"
    reason = why_not(house)
    assert (reason.hold, reason.until) == (Hold.TOO_SOON, call.decided_on + timedelta(days=5))


@pytest.mark.parametrize("ended", ["cancelled", "withdrawn"])
def test_a_call_that_was_set_aside_or_withdrawn_is_no_contact(house, ended):
    owed = house.owe("F1")
    house.send()
    house.days(6)
    house.run()
    house.owe("F2", "12000.00", on=NOTICED)
    (_, call) = house.reminders()
    if ended == "cancelled":
        act(house, refuse, call.id, reason="Numéro à vérifier")
    else:
        house.pay(owed, "1200.00")
    for _ in range(2):
        house.run()
    now = {each.step: each.state for each in house.reminders()}
    assert now == {"relance_2": "sent", "appel_2": ended, "prevenance": "planned"}


def test_what_does_not_stand_where_it_may_be_decided_is_refused_by_name(careful):
    careful.owe()
    careful.run()
    (reminder,) = careful.reminders()
    act(careful, confirm, reminder.id)
    for deed, named in ((confirm, {}), (refuse, {"reason": "x"}), (settle, {"arrived": True})):
        with pytest.raises(ReminderStateError):
            act(careful, deed, reminder.id, **named)


def test_without_a_mail_server_a_person_sends_what_was_worded(house):
    house.context = type(house.context)(
        house.database, house.clock, house.context.compose, frozenset(), house.context.batch
    )
    house.owe()
    house.send()
    (reminder,) = house.reminders()
    assert (reminder.state, house.outbox()) == ("todo", [])
    assert "F1" in reminder.text


def test_a_reminder_that_cannot_be_worded_fails_alone(house):
    house.owe("F1"), house.owe("F2", siren=SIRENS[1])

    def compose(session, message):
        if message.lines[0].number == "F1":
            raise ValueError("no words")
        return plain(session, message)

    plain = house.context.compose
    house.context = type(house.context)(house.database, house.clock, compose, house.context.leaves, 50)
    house.send()
    assert sorted(states(house)) == ["failed", "sent"]
    failed = next(each for each in house.reminders() if each.state == "failed")
    assert "no words" in failed.outcome.fr
    house.context = type(house.context)(house.database, house.clock, plain, house.context.leaves, 50)
    act(house, settle, failed.id, arrived=False)
    house.dispatch()
    house.deliver()
    assert states(house) == ["sent", "sent"]


def test_a_person_who_sees_a_part_sees_that_part_and_leaves_the_decision_to_others(careful, other_organisation):
    mine, others = UUID("00000000-0000-0000-0000-00000000000a"), UUID("00000000-0000-0000-0000-00000000000b")
    careful.owe("F1", agency_id=mine), careful.owe("F2", agency_id=others)
    careful.run()
    (reminder,) = careful.reminders()
    partly = Scope.limited_to([mine], [])
    with pytest.raises(ReminderPartlyVisibleError):
        act(careful, confirm, reminder.id, scope=partly)
    with pytest.raises(ReminderNotFoundError):
        act(careful, confirm, reminder.id, scope=Scope.limited_to([UUID(int=3)], []))
    foreign = Collecting(careful.database, other_organisation, careful.clock)
    with pytest.raises(ReminderNotFoundError):
        act(foreign, confirm, reminder.id)


def test_who_cannot_be_written_to_becomes_one_task(house):
    house.owe(email=None)
    for _ in range(2):
        house.run()
    (task,) = house.reminders()
    assert (task.step, task.channel, task.state) == ("no_contact", "task", "todo")


class KilledError(BaseException):
    """As `kill -9`: nothing more of the process runs, its transaction is rolled back."""


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # cursors that the killed leave open
def test_no_step_is_taken_twice_wherever_the_process_is_killed(database):
    """Round, wording, delivery: killed before each statement that writes and before each commit, then run to the end.

    A transaction killed before a statement that only reads ends as if killed before the next one that writes.
    """
    ends, survived = [], False
    while not survived:
        number = len(ends)
        house = Collecting(database, add_organisation(database, siren(number), f"Maison {number}"), ManualClock(NOW))
        house.owe()
        survived = _run_killed_at(house, number)
        house.clock.advance(timedelta(minutes=2))
        house.send()
        (reminder,), (line,) = house.reminders(), house.lines()
        assert line.step == reminder.step == "relance_2"
        assert len(house.outbox()) == 1
        if reminder.state == "sent":
            assert len(house.server.taken) == 1
        else:
            assert (reminder.state, len(house.server.taken) <= 1) == ("in_doubt", True)
        ends.append(reminder.state)
    assert ends.count("sent") > 15
    assert ends[-1] == "sent"


def _run_killed_at(house, place):
    """Whether the whole chain ran to its end; else it was killed at that place."""
    seen = 0

    def kill(*_):
        nonlocal seen
        if seen == place:
            raise KilledError
        seen += 1

    def kill_before_writing(_connection, _cursor, statement, *_):
        if any(word in statement for word in ("INSERT", "UPDATE", "gateway_enqueue")):
            kill()

    engine = house.database.engine
    event.listen(engine, "before_cursor_execute", kill_before_writing)
    event.listen(engine, "commit", kill)
    try:
        house.send()
    except KilledError:
        return False
    finally:
        event.remove(engine, "before_cursor_execute", kill_before_writing)
        event.remove(engine, "commit", kill)
    return True
