"""What only the books know is chased when the scenario says so: in the same message, once, never beside its invoice."""

from datetime import date
from decimal import Decimal
from io import BytesIO
from uuid import uuid4

import pytest
from pypdf import PdfReader
from sqlmodel import select

from gateway.access.model import Agency
from gateway.access.principal import Principal
from gateway.access.roles import Role
from gateway.access.scope import Scope
from gateway.collection.account_rows import accounts_of
from gateway.collection.errors import InvalidExclusionError
from gateway.collection.exclusions import exclude, exclusions_of, lift
from gateway.collection.holds import Hold
from gateway.collection.law.handing_over import hand_over
from gateway.collection.law.statute import statute
from gateway.collection.messages.letterhead import Letterhead
from gateway.collection.messages.printing import statement_pdf
from gateway.collection.model import Reminder
from gateway.collection.reminder_rows import ReminderFilter, reminders_page
from gateway.collection.reminder_views import decision_view, reminder_views
from gateway.collection.reminding import preview, preview_page
from gateway.collection.scenario_books import book_content, store_book
from gateway.collection.scenarios import default_book
from gateway.collection.worklist.calls import NewCall, record_call
from gateway.collection.worklist.errors import CallIncompleteError
from gateway.collection.worklist.matters import Viewer, matter
from gateway.collection.worklist.policy import CallOutcome
from gateway.collection.worklist.ranking import Source
from gateway.customers.linking import link_invoice
from gateway.customers.model import Customer
from gateway.kernel.clock import ManualClock
from gateway.ledger.model import LedgerEntry
from gateway.notifications.service import Channels
from gateway.treasury.accounting.errors import OpeningNotFoundError
from gateway.treasury.accounting.following import follow_registration
from gateway.treasury.accounting.importing import assign_account, import_entries
from gateway.treasury.accounting.model import AccountingEntry
from tests.collection.owing import NOW, Collecting, siren
from tests.lifecycle.following import invoice, record, register
from tests.lifecycle.making_events import BUYER_SIREN
from tests.treasury.making_books import fec, row

EVERYTHING = Scope.everything()
#: Issued before the gateway; due 30 days later, on Saturday 14 November 2026, three days before now.
OLD = "20261015"


class Books(Collecting):
    """A collection whose accounting knows more than the gateway; `V…` is known to the books only."""

    def chase_books(self) -> None:
        """From today on."""
        content = book_content(default_book())
        for scenario in content["scenario"]:
            scenario["chase_books"] = True
        with self.database.transaction(self.organisation) as session:
            store_book(
                session, EVERYTHING, content, valid_from=date(2026, 9, 1), comment="", by="operator", now=self.clock()
            )

    def books(self, number="V1", amount="500,00", *, siren=BUYER_SIREN, day=OLD, credit="", letter="", on="") -> None:
        """A line of the customer's account, in a FEC."""
        told = {"piece": number, "aux": f"C{siren}", "day": day}
        entry = f"{number or 'sans'}-{day}"
        lines = [
            row("VE", entry, "411000", amount, credit, **told, letter=letter, on=on),
            row("VE", entry, "706000", credit, amount, piece=number, day=day),
        ]
        if letter:
            paid = {"aux": f"C{siren}", "day": on, "letter": letter, "on": on}
            lines += [
                row("BQ", letter, "411000", credit=amount, **paid),
                row("BQ", letter, "512000", amount, day=on),
            ]
        file = BytesIO(fec(*lines).encode())
        import_entries(self.database, self.organisation, file, dry_run=False, by="operator", now=self.clock())
        with self.database.transaction(self.organisation) as session:
            assign_account(session, f"C{siren}", str(self.customer(siren)), by="operator", now=self.clock())

    def customer(self, siren=BUYER_SIREN):
        with self.database.transaction(self.organisation) as session:
            return session.exec(select(Customer.id).where(Customer.siren == siren)).one()

    def entry(self, number="V1"):
        with self.database.transaction(self.organisation) as session:
            return session.exec(select(AccountingEntry.id).where(AccountingEntry.piece == number)).one()

    def arrives(self, number="V1", due="500.00") -> None:
        """The gateway learns of the invoice itself."""
        what = invoice(number, due, issue_date=date(2026, 10, 15), due_date=date(2026, 11, 14))
        made = register(self.database, self.organisation, what, content=number.encode(), now=self.clock())
        with self.database.transaction(self.organisation) as session:
            link_invoice(session, made, what.buyer, self.clock())
            follow_registration(session, made, self.clock())
        record(self.database, self.organisation, "204", number=number)

    def agency(self):
        with self.database.transaction(self.organisation) as session:
            row = Agency(organisation_id=self.organisation, siret="55210055400013", code="L", name="Lyon")
            session.add(row)
            return row.id

    def foreseen(self):
        """The decisions of a round now."""
        with self.database.transaction(self.organisation) as session:
            return list(preview(session, self.clock()))

    def told(self):
        """Number, claimed and step of each line of each message, the oldest first."""
        lines = {each.id: [] for each in self.reminders()}
        for each in self.lines():
            lines[each.reminder_id].append((each.number, each.claimed, each.step))
        return list(lines.values())

    def spare(self, scope=EVERYTHING, **what):
        with self.database.transaction(self.organisation) as session:
            return exclude(
                session, scope, BUYER_SIREN, **{"reason": "Promis pour le 30.", **what}, by="user:1", now=self.clock()
            )


@pytest.fixture
def house(database, organisation):
    """A customer who owes F1 here, and V1 in the books."""
    house = Books(database, organisation, ManualClock(NOW))
    house.f1 = house.owe("F1", on=date(2026, 11, 13))
    house.books("V1")
    return house


@pytest.fixture
def chasing(house):
    """The same, where scenarios chase what only the books know."""
    house.chase_books()
    return house


def holds(decisions):
    return {each.item.number: each.reason.hold for decision in decisions for each in decision.withheld}


def test_what_only_the_books_know_is_claimed_by_nobody_unless_the_scenario_says_so(house):
    house.send()
    assert house.told() == [[("F1", Decimal("1200.00"), "relance_1")]]
    (decision,) = house.foreseen()
    assert [item.number for item in decision.account.items] == ["F1"]


def test_one_message_claims_invoices_and_what_only_the_books_know_by_number_and_date(chasing):
    chasing.send()
    assert chasing.told() == [
        [("F1", Decimal("1200.00"), "relance_1"), ("V1", Decimal("500.00"), "relance_1")],
    ]
    (reminder,) = chasing.reminders()
    assert (reminder.state, reminder.total) == ("sent", Decimal("1700.00"))
    (mail,) = chasing.server.taken
    assert "V1 · 14/11/2026" in mail.payload["body"]
    (known,) = [each for each in chasing.lines() if each.entry_id]
    assert (known.number, known.invoice_id, known.issue_date) == ("V1", None, date(2026, 10, 15))
    with chasing.database.transaction(chasing.organisation) as session:
        told = session.exec(select(LedgerEntry).where(LedgerEntry.kind == "reminder.decided")).one().content
        (view,) = reminder_views(session, EVERYTHING, [reminder])
    assert (told["entries"], len(told["invoices"])) == ([str(known.entry_id)], 1)
    assert [(each.number, each.invoice_id is None, each.entry_id is None) for each in view.lines] == [
        ("F1", False, True),
        ("V1", True, False),
    ]


def test_the_dry_run_shows_what_the_round_does_and_no_round_does_it_twice(chasing):
    chasing.books("V2", "80,00", day="20260801")
    (foreseen,) = chasing.foreseen()
    shown = [(each.line.number, each.line.claimed, each.key) for each in foreseen.lines]
    assert foreseen.anchor == chasing.entry("V2")
    chasing.send()
    assert chasing.told() == [shown]
    assert chasing.reminders()[0].total == foreseen.total == Decimal("1780.00")
    assert [each.entry_id for each in decision_view(foreseen).lines] == [chasing.entry("V2"), None, chasing.entry("V1")]
    chasing.run()
    chasing.send()
    assert len(chasing.reminders()) == len(chasing.server.taken) == 1


def test_a_customer_of_whom_only_the_books_know_something_is_written_to(chasing):
    paid = chasing.owe("F2", "10.00", siren=siren(7), email="autre@client.example", on=date(2026, 10, 31))
    chasing.pay(paid, "10.00")
    chasing.books("V7", "70,00", siren=siren(7))
    chasing.send()
    assert [("V7", Decimal("70.00"), "relance_1")] in chasing.told()
    assert {each.payload["to"] for each in chasing.server.taken} == {"compta@batir.example", "autre@client.example"}


def test_an_invoice_that_arrives_takes_the_steps_that_the_books_had_taken(chasing):
    chasing.send()
    chasing.arrives()
    chasing.days(1)
    (decision,) = chasing.foreseen()
    assert [(each.number, each.books_only) for each in decision.account.items] == [("F1", False), ("V1", False)]
    about = ReminderFilter(invoice_id=decision.account.items[1].invoice_id)
    with chasing.database.transaction(chasing.organisation) as session:
        assert [each.step for each in reminders_page(session, EVERYTHING, about).items] == ["relance_1"]
    assert decision.step is None
    chasing.days(14)
    chasing.send()
    assert chasing.told()[1] == [
        ("F1", Decimal("1200.00"), "relance_2"),
        ("V1", Decimal("500.00"), "relance_2"),
    ]


def test_a_message_that_waits_claims_an_invoice_that_arrived_meanwhile_only_by_itself(chasing):
    chasing.automatic = False
    chasing.books("V2", "80,00", day="20260801")
    chasing.run()
    assert [each.state for each in chasing.reminders()] == ["awaiting"]
    chasing.arrives("V2", "80.00")
    assert chasing.run().withdrawn == 1
    chasing.run()
    waiting, withdrawn = sorted(chasing.reminders(), key=lambda each: each.state)
    assert (waiting.state, withdrawn.state, waiting.total) == ("awaiting", "withdrawn", Decimal("1780.00"))
    assert [each.entry_id for each in chasing.lines() if each.number == "V2" and each.step] == [None]


def test_what_the_books_settle_before_a_message_leaves_is_not_in_it(chasing):
    chasing.run()
    chasing.books("V1", letter="A", on="20261116")
    chasing.dispatch()
    chasing.deliver()
    assert chasing.told() == [[("F1", Decimal("1200.00"), "relance_1"), ("V1", Decimal("0.00"), None)]]
    assert "V1" not in chasing.server.taken[0].payload["body"]


def test_an_exclusion_names_what_only_the_books_know_and_holds_when_the_invoice_arrives(chasing):
    spared = chasing.spare(entry_id=chasing.entry(), until=date(2026, 11, 30))
    chasing.send()
    assert chasing.told() == [[("F1", Decimal("1200.00"), "relance_1")]]
    assert holds(chasing.foreseen())["V1"] is Hold.EXCLUDED
    chasing.arrives()
    assert holds(chasing.foreseen())["V1"] is Hold.EXCLUDED
    with chasing.database.transaction(chasing.organisation) as session:
        lift(session, EVERYTHING, spared.id, by="user:1", now=chasing.clock())
        (kept,) = exclusions_of(session, EVERYTHING, BUYER_SIREN)
    assert (kept.entry_id, kept.lifted_by) == (spared.entry_id, "user:1")
    assert "V1" not in {number for number, hold in holds(chasing.foreseen()).items() if hold is Hold.EXCLUDED}


def test_an_exclusion_names_a_line_of_the_customers_books_that_may_be_seen_and_no_invoice_beside_it(chasing):
    other = chasing.owe("F2", siren=siren(7), email=None)
    chasing.books("V7", "70,00", siren=siren(7))
    with pytest.raises(OpeningNotFoundError):
        chasing.spare(entry_id=chasing.entry("V7"))
    with pytest.raises(OpeningNotFoundError):
        chasing.spare(entry_id=other.id)
    with pytest.raises(InvalidExclusionError):
        chasing.spare(entry_id=chasing.entry(), invoice_id=chasing.f1.id)


@pytest.mark.parametrize("whole", ["excluded", "litigation", "insolvent"])
def test_what_holds_the_whole_customer_holds_what_only_the_books_know(chasing, whole):
    if whole == "excluded":
        chasing.spare()
    with chasing.database.transaction(chasing.organisation) as session:
        if whole == "litigation":
            about = (BUYER_SIREN, [chasing.f1.id], statute(None))
            facts = {"handed_to": "Me X", "by": "user:1", "now": chasing.clock()}
            hand_over(session, EVERYTHING, *about, whole_customer=True, **facts)
        if whole == "insolvent":
            session.get_one(Customer, chasing.customer()).insolvent_since = date(2026, 11, 1)
    chasing.send()
    assert chasing.reminders() == []
    assert len(set(holds(chasing.foreseen()).values())) == 1


@pytest.mark.parametrize("number", ["", "F9"])
def test_what_the_books_do_not_name_or_name_like_another_customers_invoice_is_left_to_a_person(chasing, number):
    chasing.owe("F9", "10.00", siren=siren(7), email=None)
    chasing.books(number, "80,00", day="20261014")
    (decision,) = [each for each in chasing.foreseen() if each.account.customer.siren == BUYER_SIREN]
    assert [each.reason.hold for each in decision.withheld if each.item.number == number] == [Hold.UNSURE]
    assert {each.line.number for each in decision.lines} == {"F1", "V1"}


@pytest.mark.parametrize("is_chased", [False, True])
def test_a_credit_that_only_the_books_know_lowers_what_is_asked(house, is_chased):
    if is_chased:
        house.chase_books()
    house.books("A1", "", credit="620,00")
    (decision,) = house.foreseen()
    assert decision.unallocated == Decimal("-620.00" if is_chased else "-120.00")
    assert decision.total == Decimal("1080.00")


def test_a_notice_before_the_due_date_waits_for_no_status_of_what_only_the_books_know(database, organisation):
    house = Books(database, organisation, ManualClock(NOW))
    paid = house.owe("F1", "10.00", on=date(2026, 11, 14))
    house.pay(paid, "10.00")
    house.chase_books()
    house.books("V3", "20000,00", day="20261023")
    house.send()
    assert house.told() == [[("V3", Decimal("20000.00"), "prevenance")]]


def test_a_call_about_what_only_the_books_know_is_in_the_list_and_can_dispute_no_invoice(chasing):
    chasing.send()
    chasing.pay(chasing.f1)
    chasing.days(8)
    chasing.run()
    reminder = chasing.reminders()[-1]
    assert (reminder.channel, reminder.anchor_id) == ("call", chasing.entry())
    person = Principal(chasing.organisation, "user", uuid4(), "Marie", frozenset(), Role.COLLECTOR, EVERYTHING)
    with chasing.database.transaction(chasing.organisation) as session:
        line = matter(session, Viewer.of(person), Source.REMINDER, reminder.id)
        assert (line.amount, line.agencies) == (Decimal("500.00"), ())
        told = NewCall(CallOutcome.DISPUTE, reason="PU_ERR")
        with pytest.raises(CallIncompleteError):
            record_call(session, person, Source.REMINDER, reminder.id, told, Channels(by_email=False), chasing.clock())


def test_who_is_limited_sees_what_only_the_books_know_with_its_key_account_alone(chasing):
    agency = chasing.agency()
    chasing.owe("F2", "100.00", on=date(2026, 11, 14), agency_id=agency)
    chasing.automatic = False
    chasing.run()
    limited, keeper = Scope(frozenset({agency}), frozenset()), Scope(frozenset(), frozenset({BUYER_SIREN}))
    with chasing.database.transaction(chasing.organisation) as session:
        (reminder,) = session.exec(select(Reminder)).all()
        (mine,), (whole,) = (reminder_views(session, each, [reminder]) for each in (limited, keeper))
        (foreseen,) = preview_page(session, limited, chasing.clock(), due_only=False, cursor=None, limit=50).items
    assert ([each.number for each in mine.lines], mine.is_whole) == (["F2"], False)
    assert ({each.number for each in whole.lines}, whole.is_whole) == ({"F1", "F2", "V1"}, True)
    assert foreseen is None or {each.line.number for each in foreseen.lines} <= {"F2"}


def test_the_statement_lists_what_only_the_books_know(chasing):
    with chasing.database.transaction(chasing.organisation) as session:
        (account,) = accounts_of(session, [chasing.customer()], chasing.clock())
    page = statement_pdf(account, Letterhead(name="Vendeur SA"), "fr", date(2026, 11, 17))
    text = " ".join(each.extract_text() for each in PdfReader(BytesIO(page)).pages)
    assert "V1" in text
    assert "15/10/2026" in text
    assert "1 700,00" in text.replace("\u202f", " ").replace("\xa0", " ")
