"""The worklist, calls and comments on a real database: what is listed, what a call does, who sees and hears what."""

from datetime import date, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from sqlalchemy import event as sql_event
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from gateway.access.model import Agency, User, UserAgency, UserKeyAccount
from gateway.access.principal import Principal
from gateway.access.roles import Role
from gateway.access.scope import Scope
from gateway.alerts.model import AlertState
from gateway.collection.account_rows import accounts_of
from gateway.collection.agreements.errors import PromiseExceedsError, WithoutWordsError
from gateway.collection.agreements.model import Dispute, Promise, PromiseInvoice
from gateway.collection.agreements.promising import NewPromise, make_promise
from gateway.collection.errors import ActionNotOpenError
from gateway.collection.holds import Hold
from gateway.collection.model import ActionState, CollectionAction, Reminder, ReminderInvoice, ReminderState
from gateway.collection.reminding import preview
from gateway.collection.worklist import matters
from gateway.collection.worklist.calls import NewCall, calls_of, record_call
from gateway.collection.worklist.comments import Subject, comment, comments_of, mentions
from gateway.collection.worklist.errors import CallIncompleteError, MatterNotFoundError, UnknownMentionError
from gateway.collection.worklist.listing import WorklistFilter, worklist_of
from gateway.collection.worklist.matters import FIND_CONTACT, Viewer
from gateway.collection.worklist.model import CollectionCall, MatterComment
from gateway.collection.worklist.policy import CallOutcome, worklist_policy
from gateway.collection.worklist.ranking import Source
from gateway.customers import service as customers
from gateway.customers.errors import CustomerNotFoundError
from gateway.kernel.clock import paris_date
from gateway.kernel.text import Text
from gateway.lifecycle.errors import InvoiceNotFoundError
from gateway.lifecycle.model import InvoiceRecord
from gateway.notifications.model import Notification
from tests.collection.agreeing import CHANNELS, EVERYTHING, House

FRIDAY, AFTER = date(2026, 10, 9), date(2026, 10, 14)


@pytest.fixture
def house(database, organisation):
    """Bâtir Ensemble owes F1 (120.00) and F2 (80.00), promised F1 for Friday, and paid nothing: someone calls."""
    made = House(database, organisation)
    made.owes("F1")
    made.owes("F2", "80.00")
    with database.transaction(organisation) as session:
        new = NewPromise(made.customer(), Decimal("120.00"), FRIDAY, invoice_ids=(made.owed["F1"].id,))
        make_promise(session, EVERYTHING, new, by="user:1", now=made.tick())
    made.pass_days(AFTER)
    return made


def person(house, name="Marie Roy", role=Role.COLLECTOR, *, agencies=(), key_accounts=()):
    """A person of the house, signed in."""
    email = f"{name.lower().replace(' ', '.')}@maison.fr"
    with house.database.transaction(house.organisation) as session:
        user = User(
            organisation_id=house.organisation, email=email, name=name, password_hash="x", role=role.value,
            created_at=house.now,
        )  # fmt: skip
        session.add(user)
        session.flush()
        session.add_all(
            UserAgency(organisation_id=house.organisation, user_id=user.id, agency_id=each) for each in agencies
        )
        session.add_all(
            UserKeyAccount(organisation_id=house.organisation, user_id=user.id, customer_siren=each)
            for each in key_accounts
        )
        user_id = user.id
    scope = Scope.limited_to(agencies, key_accounts)
    return Principal(house.organisation, "user", user_id, name, frozenset(), role, scope)


@pytest.fixture
def marie(house):
    return person(house)


def agency(house, siret="16798101800019"):
    with house.database.transaction(house.organisation) as session:
        row = Agency(organisation_id=house.organisation, siret=siret, code=siret[-2:], name="Une agence")
        session.add(row)
        session.flush()
        return row.id


def reminder(house, *numbers, state=ReminderState.TODO, channel="call", total="200.00"):
    """A reminder of these invoices that waits for a person."""
    with house.database.transaction(house.organisation) as session:
        first = house.owed[numbers[0]]
        row = Reminder(
            organisation_id=house.organisation, customer_id=house.customer(), currency="EUR", scenario="default",
            step=f"call-{uuid4()}", title_fr="Appel de relance", title_en="Reminder call", anchor_id=first.id,
            channel=channel, template="call", tone=2, language="fr", unallocated=Decimal(0), total=Decimal(total),
            state=state.value, decided_at=house.now, decided_on=paris_date(house.now), decided_by="clock",
        )  # fmt: skip
        session.add(row)
        session.flush()
        session.add_all(
            ReminderInvoice(
                organisation_id=house.organisation, reminder_id=row.id, invoice_id=house.owed[number].id, step=None,
                position=place, number=number, seller_siren="732829320", issue_date=FRIDAY, due_date=FRIDAY,
                total=house.owed[number].remaining, remaining=house.owed[number].remaining,
                claimed=house.owed[number].remaining,
            )
            for place, number in enumerate(numbers)
        )  # fmt: skip
        return row.id


def listed(house, who, **wanted):
    """The lines of a person's worklist now."""
    today = paris_date(house.now)
    with house.database.transaction(house.organisation) as session:
        found = matters.matters(session, Viewer.of(who))
    return [
        line.matter for line in worklist_of(found, WorklistFilter(**wanted), today, worklist_policy(today)).page.items
    ]


def call(house, who, line, outcome, **told):
    with house.database.transaction(house.organisation) as session:
        new = NewCall(CallOutcome(outcome), **told)
        return record_call(session, who, line.source, line.id, new, CHANNELS, house.tick())


def say(house, who, words, subject=Subject.CUSTOMER, about=None):
    with house.database.transaction(house.organisation) as session:
        return comment(session, who, subject, about or house.customer(), words, CHANNELS, house.tick())


def read(house, who, subject, about):
    with house.database.transaction(house.organisation) as session:
        return [each.text for each in comments_of(session, who.scope, subject, about)]


def calls_seen(house, who):
    with house.database.transaction(house.organisation) as session:
        return [each.outcome for each in calls_of(session, Viewer.of(who), house.customer())]


def test_broken_promises_and_waiting_reminders_are_lines_of_one_list(house, marie):
    waiting = reminder(house, "F1", "F2")
    confirm = reminder(house, "F2", state=ReminderState.AWAITING, channel="email", total="80.00")
    reminder(house, "F2", state=ReminderState.SENT)
    lines = listed(house, marie)
    assert [(each.source, each.kind, each.amount) for each in lines] == [
        (Source.REMINDER, "reminder_call", Decimal("200.00")),
        (Source.ACTION, "call", Decimal("120.00")),
        (Source.REMINDER, "reminder_confirm", Decimal("80.00")),
    ]
    assert (lines[0].id, lines[2].id) == (waiting, confirm)
    assert {each.customer_name for each in lines} == {"Bâtir Ensemble"}
    assert lines[0].title.fr == "Appel de relance : Bâtir Ensemble"


def test_no_answer_takes_the_line_off_and_brings_it_back_the_next_working_day_with_less_chance(house, marie):
    (line,) = listed(house, marie)
    made = call(house, marie, line, "no_answer", contact="01 02 03 04 05")
    assert made.back_on == date(2026, 10, 15)
    assert listed(house, marie) == []
    assert [each.back_on for each in listed(house, marie, later=True)] == [made.back_on]
    house.go_to(made.back_on)
    (again,) = listed(house, marie)
    assert (again.id, again.calls) == (line.id, 1)
    assert house.rows(CollectionAction)[0].state == ActionState.TODO
    assert house.told("call", made.id) == ["call.recorded"]


def test_a_promise_is_recorded_on_the_lines_invoice_and_settles_the_line(house, marie):
    (line,) = listed(house, marie)
    made = call(house, marie, line, "promise", due_on=AFTER + timedelta(days=5), amount=Decimal("100.00"), note="Lundi")
    promise = next(each for each in house.rows(Promise) if each.id == made.agreement_id)
    assert (promise.amount, promise.due_on, promise.made_by) == (
        Decimal("100.00"), AFTER + timedelta(days=5), f"user:{marie.id}",
    )  # fmt: skip
    about = [each.invoice_id for each in house.rows(PromiseInvoice) if each.promise_id == promise.id]
    assert about == [house.owed["F1"].id]
    (action,) = house.rows(CollectionAction)
    assert (action.state, action.done_by) == (ActionState.DONE, marie.id)
    assert action.outcome == Text("Promesse de paiement : Lundi", "Promise to pay: Lundi")
    assert listed(house, marie) == []
    with pytest.raises(MatterNotFoundError):
        call(house, marie, line, "promise", due_on=AFTER)


def test_a_promise_of_more_than_the_lines_invoice_is_about_all_that_the_customer_owes(house, marie):
    (line,) = listed(house, marie)
    made = call(house, marie, line, "promise", due_on=AFTER, amount=Decimal("200.00"))
    assert len([each for each in house.rows(PromiseInvoice) if each.promise_id == made.agreement_id]) == 2


def test_a_promise_about_a_call_of_a_scenario_marks_the_call_as_made(house, marie):
    reminder_id = reminder(house, "F1", "F2")
    line = next(each for each in listed(house, marie) if each.id == reminder_id)
    call(house, marie, line, "promise", due_on=AFTER + timedelta(days=5), contact="Mme Durand")
    (row,) = house.rows(Reminder)
    assert (row.state, row.outcome.fr) == (ReminderState.SENT, "Promesse de paiement (Mme Durand)")
    assert sorted(each.amount for each in house.rows(Promise)) == [Decimal("120.00"), Decimal("200.00")]


def test_a_dispute_is_opened_on_the_lines_invoice_and_called_for(house, marie):
    (line,) = listed(house, marie)
    made = call(house, marie, line, "dispute", reason="price", amount=Decimal("20.00"), note="Remise oubliée")
    (dispute,) = house.rows(Dispute)
    assert (dispute.id, dispute.invoice_id, dispute.amount, dispute.comment) == (
        made.agreement_id, house.owed["F1"].id, Decimal("20.00"), "Remise oubliée",
    )  # fmt: skip
    assert [each.state for each in house.alerts("dispute.opened")] == [AlertState.OPEN]
    assert [(each.kind, each.team) for each in listed(house, marie)] == [("answer_dispute", "sales")]


@pytest.mark.parametrize(
    ("outcome", "told", "error"),
    [
        ("promise", {}, CallIncompleteError),
        ("dispute", {}, CallIncompleteError),
        ("promise", {"due_on": AFTER, "amount": Decimal("200.01")}, PromiseExceedsError),
    ],
)
def test_a_call_that_lacks_something_changes_nothing(house, marie, outcome, told, error):
    (line,) = listed(house, marie)
    with pytest.raises(error):
        call(house, marie, line, outcome, **told)
    assert listed(house, marie) == [line]
    assert house.rows(CollectionCall) == []


def test_a_wrong_contact_is_a_task_until_a_contact_is_added_or_someone_is_reached(house, marie):
    (line,) = listed(house, marie)
    call(house, marie, line, "wrong_contact", contact="M. Petit")
    (task,) = listed(house, marie)
    assert (task.kind, task.source, task.amount) == (FIND_CONTACT, Source.CALL, Decimal("120.00"))
    assert "M. Petit" in task.explanation.fr
    with house.database.transaction(house.organisation) as session:
        customers.add_contact(
            session, EVERYTHING, house.customer(), {"name": "Mme Durand"}, by="user:1", now=house.tick()
        )
    assert listed(house, marie) == []
    house.go_to(date(2026, 10, 16))
    (back,) = listed(house, marie)
    call(house, marie, back, "wrong_contact")
    call(house, marie, back, "paid")
    assert [each.id for each in listed(house, marie, later=True)] == [back.id]
    assert listed(house, marie) == []


def test_a_limited_collector_sees_and_works_only_what_is_theirs(house):
    lyon = agency(house)
    house.owes("F3", "500.00", agency_id=lyon)
    shared = reminder(house, "F1", "F3", total="620.00")
    mine, stranger = (
        person(house, "Paul Lyon", agencies=[lyon]),
        person(house, "Ana Brest", agencies=[agency(house, "16798101800027")]),
    )
    assert [(each.id, each.amount, each.agencies) for each in listed(house, mine)] == [
        (shared, Decimal("500.00"), (lyon,))
    ]
    assert listed(house, stranger) == []
    whole = next(each for each in listed(house, person(house, "Chef Roy", Role.AR_MANAGER)) if each.id == shared)
    assert (whole.amount, whole.agencies) == (Decimal("620.00"), ())
    with pytest.raises(MatterNotFoundError):
        call(house, stranger, whole, "no_answer")
    (action,) = [each for each in listed(house, person(house, "Cheffe Roy", Role.AR_MANAGER)) if each.kind == "call"]
    with pytest.raises(MatterNotFoundError):
        call(house, mine, action, "no_answer")


def test_calls_are_seen_by_whoever_sees_what_they_were_about_and_by_who_made_them(house, marie):
    lyon = agency(house)
    house.owes("F3", "500.00", agency_id=lyon)
    paul, key = (
        person(house, "Paul Lyon", agencies=[lyon]),
        person(house, "Zoé Clé", key_accounts=[house.owed["F1"].buyer_siren]),
    )
    (line,) = listed(house, marie)
    call(house, marie, line, "message_left", note="Rappellera")
    assert (calls_seen(house, marie), calls_seen(house, key), calls_seen(house, paul)) == (
        ["message_left"], ["message_left"], [],
    )  # fmt: skip
    reminder_id = reminder(house, "F3")
    (theirs,) = [each for each in listed(house, paul) if each.id == reminder_id]
    call(house, paul, theirs, "no_answer")
    assert calls_seen(house, paul) == ["no_answer"]
    assert calls_seen(house, marie) == ["no_answer", "message_left"]


def test_a_mention_tells_that_person_once_and_only_people_who_see_the_matter(house, marie):
    lyon = agency(house)
    paul, zoe = person(house, "Paul Lyon", agencies=[lyon]), person(house, "Zoe Martin")
    invoice_id = house.owed["F1"].id
    say(house, marie, "Vu avec @zoe.martin et @ZOE.MARTIN@maison.fr.", Subject.INVOICE, invoice_id)
    (told,) = house.rows(Notification)
    assert (told.user_id, told.subject) == (zoe.id, "Marie Roy vous cite\u00a0: facture F1")
    assert told.link == f"/invoices/{invoice_id}#comments"
    for words in ("Voir @paul.lyon", "Voir @nobody", "Voir @paul.lyon@maison.fr"):
        with pytest.raises(UnknownMentionError):
            say(house, marie, words, Subject.INVOICE, invoice_id)
    with pytest.raises(WithoutWordsError):
        say(house, marie, "  ", Subject.INVOICE, invoice_id)
    with pytest.raises(InvoiceNotFoundError):
        say(house, paul, "Bonjour", Subject.INVOICE, invoice_id)
    with pytest.raises(InvoiceNotFoundError):
        read(house, paul, Subject.INVOICE, invoice_id)
    with pytest.raises(CustomerNotFoundError):
        read(house, paul, Subject.CUSTOMER, house.customer())
    assert len(read(house, zoe, Subject.INVOICE, invoice_id)) == 1
    assert len(house.rows(Notification)) == 1


def test_a_dispute_has_comments_of_its_own(house, marie):
    (line,) = listed(house, marie)
    made = call(house, marie, line, "dispute", reason="price")
    say(house, marie, "Bon signé", Subject.DISPUTE, made.agreement_id)
    assert read(house, marie, Subject.DISPUTE, made.agreement_id) == ["Bon signé"]
    assert read(house, marie, Subject.CUSTOMER, house.customer()) == []


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("@Marie.Roy, voir", ("marie.roy",)),
        ("voir @a@b.fr.", ("a@b.fr",)),
        ("écrire à compta@client.fr", ()),
        ("@a @b @a", ("a", "b")),
        ("@", ()),
    ],
)
def test_mentions_are_words_that_begin_with_an_at_sign(words, names):
    assert mentions(words) == names


@pytest.mark.parametrize("table", [CollectionCall, MatterComment])
def test_calls_and_comments_stay_as_they_were_written(house, marie, table):
    (line,) = listed(house, marie)
    call(house, marie, line, "no_answer")
    say(house, marie, "Bonjour")
    for statement in (f"UPDATE {table.__tablename__} SET at = now()", f"DELETE FROM {table.__tablename__}"):
        with pytest.raises(ProgrammingError), house.database.transaction(house.organisation) as session:
            session.connection().execute(text(statement))


def test_two_people_never_settle_one_line_twice(house, marie):
    (line,) = listed(house, marie)
    call(house, marie, line, "promise", due_on=AFTER)
    with pytest.raises((ActionNotOpenError, MatterNotFoundError)):
        call(house, person(house, "Zoe Martin"), line, "promise", due_on=AFTER)
    assert len(house.rows(Promise)) == 2


def test_the_number_of_statements_does_not_grow_with_the_list(house, marie):
    def statements():
        seen = []
        engine = house.database.engine
        listen = lambda *rest: seen.append(rest[2])  # noqa: E731
        sql_event.listen(engine, "before_cursor_execute", listen)
        try:
            listed(house, marie)
        finally:
            sql_event.remove(engine, "before_cursor_execute", listen)
        return len(seen)

    few = statements()
    for number in range(5):
        reminder(house, "F1" if number % 2 else "F2")
    assert statements() == few


def test_a_line_without_a_known_customer_is_listed_and_cannot_be_called_about(house, marie):
    with house.database.transaction(house.organisation) as session:
        (action,) = session.exec(text("SELECT id FROM collection_action")).all()
        session.connection().execute(text("UPDATE collection_action SET invoice_id = NULL"))
    (line,) = listed(house, marie)
    assert (line.id, line.customer_id) == (action.id, None)
    with pytest.raises(MatterNotFoundError):
        call(house, marie, line, "no_answer")
    assert house.rows(InvoiceRecord)


def last_contact(house):
    with house.database.transaction(house.organisation) as session:
        (account,) = accounts_of(session, [house.customer()], house.now)
        (decision,) = preview(session, house.now, [house.customer()])
    return account.last_contact_on, decision.why_not.hold if decision.why_not else None


@pytest.mark.parametrize("outcome", ["message_left", "paid", "promise"])
def test_a_call_that_reached_the_customer_keeps_reminders_at_their_distance_from_it(house, marie, outcome):
    house.pass_days(date(2026, 12, 1))
    before, hold = last_contact(house)
    assert (before, hold) == (None, None)
    line = next(each for each in listed(house, marie) if each.source is Source.ACTION)
    call(house, marie, line, outcome, amount=Decimal("10.00"), due_on=date(2026, 12, 24))
    assert last_contact(house) == (paris_date(house.now), Hold.TOO_SOON)


@pytest.mark.parametrize("outcome", ["no_answer", "wrong_contact"])
def test_a_call_that_reached_nobody_is_no_contact(house, marie, outcome):
    house.pass_days(date(2026, 12, 1))
    line = next(each for each in listed(house, marie) if each.source is Source.ACTION)
    call(house, marie, line, outcome)
    assert last_contact(house) == (None, None)
