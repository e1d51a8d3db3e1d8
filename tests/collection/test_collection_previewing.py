"""What is read before it is confirmed is what leaves; reading it writes nothing and shows nobody more than theirs."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlmodel import func, select

from gateway.access.scope import Scope
from gateway.collection.account_rows import accounts_of
from gateway.collection.confirming import confirm, refuse
from gateway.collection.dispatching import Dispatching
from gateway.collection.errors import NothingToSendError, ReminderDocumentNotFoundError, ReminderPartlyVisibleError
from gateway.collection.evidence import EvidenceKeeper
from gateway.collection.holds import Hold, Reason
from gateway.collection.law.statute import statute
from gateway.collection.messages.composing import MessageComposer
from gateway.collection.messages.values import Attachment, ComposedMessage, PaperKind
from gateway.collection.previewing import Previews
from gateway.collection.reminder_views import reminder_views
from gateway.collection.scenarios import Channel
from gateway.customers.model import Customer
from gateway.invoices.limits import ReadingLimits
from gateway.kernel.clock import ManualClock
from gateway.ledger.model import Document
from gateway.ledger.signing import load_key
from tests.collection.owing import NOW, Collecting
from tests.lifecycle.making_events import BUYER_SIREN

EVERYTHING = Scope.everything()
MINE, OTHERS = UUID(int=10), UUID(int=11)


@pytest.fixture
def house(database, organisation, documents, tmp_path):
    """A house where a person confirms every message, which the real composer words."""
    made = Collecting(database, organisation, ManualClock(NOW), automatic=False)
    made.documents = documents
    made.composer = MessageComposer(
        documents,
        made.clock,
        ReadingLimits(),
        lambda: statute(None),
        EvidenceKeeper(documents, lambda: load_key(tmp_path / "ledger.key"), made.clock),
        most_bytes=8_000_000,
        most_invoices=25,
    )
    made.context = Dispatching(database, made.clock, made.composer, frozenset({Channel.EMAIL}), 50)
    made.previews = Previews(made.composer.draft, documents, made.clock)
    return made


def shown(house, reminder, scope=EVERYTHING):
    with house.database.transaction(house.organisation) as session:
        return house.previews.of_reminder(session, scope, reminder)


def paper(house, reminder, position, scope=EVERYTHING):
    with house.database.transaction(house.organisation) as session:
        return house.previews.document(session, scope, reminder.id, position)


def foreseen(house, customer_id, scope=EVERYTHING, currency="EUR"):
    with house.database.transaction(house.organisation) as session:
        return house.previews.of_decision(session, scope, customer_id, currency, house.clock())


def seen(house, reminder, scope):
    with house.database.transaction(house.organisation) as session:
        return reminder_views(session, scope, [reminder])[0]


def decide(house, deed, reminder, **named):
    with house.database.transaction(house.organisation) as session:
        deed(session, EVERYTHING, reminder.id, by="user:1", now=house.clock(), **named)


def kept(house):
    with house.database.transaction(house.organisation) as session:
        return session.exec(select(func.count()).select_from(Document)).one()


def test_what_is_read_before_it_is_confirmed_is_what_leaves_and_reading_it_keeps_nothing(house):
    house.owe("F1"), house.owe("F2", "300.00")
    house.run()
    (reminder,) = house.reminders()
    before = kept(house)
    draft = shown(house, reminder)
    first = paper(house, reminder, 1)
    assert kept(house) == before
    decide(house, confirm, reminder)
    house.dispatch()
    (left,) = house.reminders()
    assert (left.subject, left.text) == (draft.subject, draft.text)
    assert [each["name"] for each in left.documents] == [each.name for each in draft.papers]
    assert paper(house, left, 1) == first == draft.papers[0]


def test_the_message_of_a_decision_is_that_of_the_reminder_it_becomes(house):
    owing = house.owe("F1")
    with house.database.transaction(house.organisation) as session:
        customer_id = next(accounts_of(session, _customers(session), house.clock())).customer.id
    before = foreseen(house, customer_id)
    house.run()
    (reminder,) = house.reminders()
    after = shown(house, reminder)
    assert (before.subject, before.text, before.html) == (after.subject, after.text, after.html)
    assert owing.number in before.text
    with pytest.raises(NothingToSendError):
        foreseen(house, customer_id, currency="USD")
    with pytest.raises(NothingToSendError):
        foreseen(house, customer_id)  # it is a reminder by now


def _customers(session):
    return list(session.exec(select(Customer.id)))


def test_what_would_stay_says_why_instead_of_a_message(house):
    owing = house.owe("F1")
    house.run()
    (reminder,) = house.reminders()
    house.pay(owing)
    why = shown(house, reminder)
    assert isinstance(why, Reason)
    assert why.hold is Hold.PAID
    with pytest.raises(ReminderDocumentNotFoundError):
        paper(house, reminder, 1)


@pytest.mark.parametrize("position", [0, -1, 9])
def test_a_place_without_a_document_is_named(house, position):
    house.owe("F1")
    house.run()
    (reminder,) = house.reminders()
    with pytest.raises(ReminderDocumentNotFoundError):
        paper(house, reminder, position)
    decide(house, confirm, reminder)
    house.dispatch()
    with pytest.raises(ReminderDocumentNotFoundError):
        paper(house, reminder, position)


def test_a_limited_person_reads_a_message_of_their_own_but_never_the_statement_of_the_whole_account(house):
    house.owe("F1", agency_id=MINE), house.owe("F2", on=date(2026, 12, 20), agency_id=OTHERS)
    house.run()
    (reminder,) = house.reminders()
    limited, key_account = Scope.limited_to([MINE], []), Scope.limited_to([], [BUYER_SIREN])
    for _ in ("before it leaves", "after"):
        (reminder,) = house.reminders()
        with pytest.raises(ReminderDocumentNotFoundError):
            paper(house, reminder, 1, limited)
        assert paper(house, reminder, 1, key_account).kind is PaperKind.STATEMENT
        if reminder.state == "awaiting":
            assert "F1" in shown(house, reminder, limited).text
            decide(house, confirm, reminder)
            house.dispatch()
    assert seen(house, reminder, limited).documents == ()
    assert [each.kind for each in seen(house, reminder, key_account).documents] == ["statement"]


def test_who_sees_a_part_of_the_claims_or_of_what_lowers_them_reads_no_message(house):
    house.owe("F1", agency_id=MINE), house.owe("A1", "-100.00", type_code="381", agency_id=OTHERS)
    house.run()
    (reminder,) = house.reminders()
    limited = Scope.limited_to([MINE], [])
    with pytest.raises(ReminderPartlyVisibleError):
        shown(house, reminder, limited)
    view = seen(house, reminder, limited)
    assert (view.is_whole, view.credits, view.total) == (False, (), Decimal("1200.00"))
    decide(house, refuse, reminder, reason="x")
    with pytest.raises(ReminderPartlyVisibleError):
        house.owe("F3", agency_id=OTHERS)
        house.run()
        shown(house, house.reminders()[-1], limited)


def test_the_evidence_file_is_kept_with_the_message_and_not_sent(house):
    kinds = (PaperKind.INVOICE, PaperKind.EVIDENCE)
    papers = tuple(Attachment(f"{each}.pdf", "application/pdf", "0" * 64, each.value) for each in kinds)
    worded = ComposedMessage("Mise en demeure", "Payez.", attachments=papers)
    house.context = replace(house.context, compose=lambda _session, _message: worded)
    house.owe("F1")
    house.run()
    (reminder,) = house.reminders()
    decide(house, confirm, reminder)
    house.dispatch()
    (message,) = house.outbox()
    assert [each["kind"] for each in message.payload["attachments"]] == ["invoice"]
    assert [each["kind"] for each in house.reminders()[0].documents] == ["invoice", "evidence"]


def test_statements_are_planned_for_their_own_values_in_that_transaction_only(database, organisation):
    def mode(session):
        return session.connection().execute(text("SHOW plan_cache_mode")).scalar_one()

    with database.transaction(organisation) as session:
        list(accounts_of(session, [], NOW))
        assert mode(session) == "force_custom_plan", "the habits of a few payers would be read from everyone's invoices"
    with database.transaction(organisation) as session:
        assert mode(session) == "auto"
