"""Promises and plans name what only the books know: kept by receipts or the books, and by nothing known before."""

from datetime import date, timedelta
from decimal import Decimal
from io import BytesIO
from uuid import uuid4

import pytest
from sqlmodel import select
from starlette.testclient import TestClient

from gateway.access.principal import Principal
from gateway.access.roles import ApiScope, Role
from gateway.access.scope import Scope
from gateway.alerts.model import Alert
from gateway.app.service import create_app
from gateway.app.services import build_services
from gateway.collection.agreements.errors import InvoiceOfAnotherError, InvoicePlannedError
from gateway.collection.agreements.model import Promise
from gateway.collection.agreements.planning import NewPlan, make_plan
from gateway.collection.agreements.plans import NewInstalment
from gateway.collection.agreements.promising import NewPromise, make_promise
from gateway.collection.agreements.reading import agreements_of
from gateway.collection.agreements.repository import PromiseFilter, promise_by_id, promises_page
from gateway.collection.agreements.views import promise_views
from gateway.collection.holds import Hold
from gateway.collection.law.debts import late_invoices
from gateway.collection.law.statute import statute
from gateway.collection.receivables import Books as Receivables
from gateway.collection.worklist.calls import NewCall, record_call
from gateway.collection.worklist.matters import Viewer, matters
from gateway.collection.worklist.policy import CallOutcome
from gateway.flows.agreeing import review_promises_and_plans
from gateway.flows.deadlines import DEADLINES_TASK
from gateway.kernel.clock import ManualClock, paris_date
from gateway.lifecycle.model import InvoiceRecord
from gateway.notifications.service import Channels
from gateway.treasury.accounting.importing import import_entries
from gateway.treasury.accounting.model import AccountingEntry
from gateway.treasury.accounting.paying import pay_opening
from gateway.treasury.allocating import NewReceipt
from gateway.treasury.model import ReceiptSource
from gateway.treasury.receipts import record_receipt, reverse_receipt
from gateway.treasury.receivables import Dimension, Family
from tests.collection.owing import NOW
from tests.collection.test_agreements_api import created, token
from tests.collection.test_collection_books import EVERYTHING, Books
from tests.lifecycle.making_events import BUYER_SIREN
from tests.treasury.making_books import fec, row

TODAY = date(2026, 11, 17)
#: Friday; money still keeps a promise for that day on Tuesday 24 November.
FRIDAY, TUESDAY = date(2026, 11, 20), date(2026, 11, 24)
LAW = statute()


class Agreeing(Books):
    """What is agreed with the customer, and the money that comes."""

    def promise(self, amount="500.00", *entries, **changes):
        facts = {"due_on": FRIDAY, "entry_ids": tuple(self.entry(each) for each in entries), **changes}
        new = NewPromise(self.customer(), Decimal(amount), **facts)
        with self.database.transaction(self.organisation) as session:
            return make_promise(session, EVERYTHING, new, by="user:1", now=self.clock())

    def plan(self, *days, entries=("V1",), **changes):
        part = Decimal("500.00") / len(days)
        spread = [NewInstalment(day, part) for day in days]
        new = NewPlan(self.customer(), spread, entry_ids=tuple(self.entry(each) for each in entries), **changes)
        with self.database.transaction(self.organisation) as session:
            return make_plan(session, EVERYTHING, new, by="user:1", now=self.clock())

    def receive(self, amount="500.00", number="V1"):
        """Money of the customer, told here to pay a line of the books."""
        self.clock.advance(timedelta(minutes=1))
        new = NewReceipt(Decimal(amount), "EUR", paris_date(self.clock()), str(uuid4()), customer_id=self.customer())
        with self.database.transaction(self.organisation) as session:
            facts = {"by": "user:1", "now": self.clock()}
            money = record_receipt(session, EVERYTHING, new, source=ReceiptSource.API, **facts).receipt
            pay_opening(session, EVERYTHING, self.entry(number), money.amount, money.id, **facts)
        self.clock.advance(timedelta(minutes=1))
        return money

    def bounces(self, money):
        with self.database.transaction(self.organisation) as session:
            reverse_receipt(session, EVERYTHING, money.id, reason="Rejeté.", by="user:1", now=self.clock())

    def credited(self, number="V1"):
        """The books letter it with a credit note: nothing is owed, and no money came."""
        told, letter = {"aux": f"C{BUYER_SIREN}", "day": "20261015"}, {"letter": "L", "on": "20261117"}
        lines = [
            row("VE", f"{number}-20261015", "411000", "500,00", piece=number, **told, **letter),
            row("VE", f"{number}-20261015", "706000", credit="500,00", piece=number, day="20261015"),
            row("VE", "AV", "411000", credit="500,00", piece="AV1", **told, **letter),
            row("VE", "AV", "706000", "500,00", piece="AV1", day="20261015"),
        ]
        file = BytesIO(fec(*lines).encode())
        import_entries(self.database, self.organisation, file, dry_run=False, by="operator", now=self.clock())

    def state(self, promise):
        """Where a promise stands now, and what is still awaited; what is stored says the same after a review."""
        customer = self.customer()
        with self.database.transaction(self.organisation) as session:
            found = agreements_of(session, [customer], paris_date(self.clock()))[customer]
            (now,) = [each for each in found.promises if each.id == promise.id]
        self.review()
        with self.database.transaction(self.organisation) as session:
            row = session.get_one(Promise, promise.id)
            assert (row.state, row.awaited) == (now.state, now.awaited)
        return now.state.value, str(now.awaited)

    def review(self):
        """What the clock does."""
        review_promises_and_plans(self.services.flows, self.organisation, DEADLINES_TASK)

    def named(self, promise):
        """The numbers of the invoices and of the lines of the books that it is about."""
        with self.database.transaction(self.organisation) as session:
            (view,) = promise_views(session, [promise_by_id(session, EVERYTHING, promise.id)])
        return [each.number for each in view.invoices], [each.number for each in view.entries]

    def held(self):
        return {line.item.number: line.reason.hold for each in self.foreseen() for line in each.withheld}


@pytest.fixture
def house(database, organisation, settings):
    """A customer who owes F1 here, V1 in the books, which are chased."""
    house = Agreeing(database, organisation, ManualClock(NOW))
    house.f1 = house.owe("F1", on=date(2026, 11, 13))
    house.books("V1")
    house.chase_books()
    house.services = build_services(settings, clock=house.clock, database=database)
    yield house
    house.services.flows.connections.close()


def test_what_is_promised_of_the_books_is_in_no_reminder_until_the_days_of_grace_are_over(house):
    house.promise("500.00", "V1")
    assert house.held()["V1"] is Hold.PROMISED
    house.send()
    assert house.told() == [[("F1", Decimal("1200.00"), "relance_1")]]
    house.clock.advance(timedelta(days=(TUESDAY - TODAY).days + 1))
    assert house.held().get("V1") is not Hold.PROMISED


def test_a_receipt_told_to_pay_it_keeps_the_promise_until_it_is_undone(house):
    promise = house.promise("500.00", "V1")
    money = house.receive("500.00")
    assert house.state(promise) == ("kept", "0.00")
    house.bounces(money)
    assert house.state(promise) == ("open", "500.00")


@pytest.mark.parametrize(("paid_on", "state"), [("20261119", "kept"), ("20261125", "broken")])
def test_the_day_on_which_the_books_say_it_was_paid_decides(house, paid_on, state):
    promise = house.promise("500.00", "V1")
    house.days(20)
    assert house.state(promise) == ("broken", "500.00")
    house.books("V1", letter="A", on=paid_on)
    assert house.state(promise) == (state, "0.00")


def test_what_the_books_settle_without_money_keeps_no_promise(house):
    promise = house.promise("500.00", "V1")
    house.credited()
    assert house.state(promise) == ("cancelled", "0.00")


def test_a_letter_that_the_books_take_back_lets_the_promise_run_again(house):
    promise = house.promise("500.00", "V1")
    house.books("V1", letter="A", on="20261118")
    assert house.state(promise) == ("kept", "0.00")
    house.books("V1")
    assert house.state(promise) == ("open", "500.00")


def test_money_known_before_keeps_no_promise_nor_does_it_once_the_invoice_has_arrived(house):
    house.receive("100.00")
    promise = house.promise("400.00", "V1")
    assert house.state(promise) == ("open", "400.00")
    house.arrives("V1", "500.00")
    assert house.state(promise) == ("open", "400.00")
    assert house.held()["V1"] is Hold.PROMISED
    with house.database.transaction(house.organisation) as session:
        (view,) = promise_views(session, [promise_by_id(session, EVERYTHING, promise.id)])
        (about,) = session.exec(select(InvoiceRecord).where(InvoiceRecord.number == "V1")).all()
        found = promises_page(session, EVERYTHING, PromiseFilter(TODAY, TODAY, invoice_id=about.id)).items
    assert ([each.number for each in view.invoices], view.entries) == (["V1"], ())
    assert [each.id for each in found] == [promise.id]


def test_a_broken_promise_of_the_books_is_a_line_of_the_list_about_which_one_can_call(house):
    promise = house.promise("500.00", "V1")
    house.days(10)
    assert house.state(promise) == ("broken", "500.00")
    person = Principal(house.organisation, "user", uuid4(), "Marie", frozenset(), Role.COLLECTOR, EVERYTHING)
    with house.database.transaction(house.organisation) as session:
        (line,) = [each for each in matters(session, Viewer.of(person)) if each.amount == Decimal("500.00")]
        assert (line.customer_id, line.invoice_id, line.currency) == (house.customer(), None, "EUR")
        told = NewCall(CallOutcome.NO_ANSWER)
        record_call(session, person, line.source, line.id, told, Channels(by_email=False), house.clock())
    house.receive("500.00")
    house.review()
    with house.database.transaction(house.organisation) as session:
        (alert,) = session.exec(select(Alert).where(Alert.condition == "promise.broken")).all()
        assert (alert.state, alert.customer_siren) == ("closed", BUYER_SIREN)


def test_nothing_named_is_what_is_owed_here_then_in_the_books_but_for_what_nobody_is_sure_of(house):
    house.books("", "80,00", day="20261014")
    assert house.named(house.promise("1200.00")) == (["F1"], [])
    assert house.named(house.promise("1250.00")) == (["F1"], ["V1"])
    assert house.named(house.promise("1700.00")) == (["F1"], ["V1"])
    with house.database.transaction(house.organisation) as session:
        unsure = session.exec(select(AccountingEntry.id).where(AccountingEntry.piece == "")).first()
    assert house.named(house.promise("80.00", entry_ids=(unsure,)))[1] == ["VE sans-20261014"]


def test_an_invoice_is_no_line_of_the_books_nor_is_what_they_have_settled(house):
    entry = house.entry()
    for named in ({"entry_ids": (house.f1.id,)}, {"invoice_ids": (entry,)}, {"entry_ids": (uuid4(),)}):
        with pytest.raises(InvoiceOfAnotherError):
            house.promise("10.00", **named)
    house.books("V1", letter="A", on="20261116")
    with pytest.raises(InvoiceOfAnotherError):
        house.promise("10.00", "V1")


def test_a_plan_of_the_books_is_chased_by_its_instalments_and_holds_when_the_invoice_arrives(house):
    plan = house.plan(TODAY, FRIDAY, suspends_penalties=True)
    assert house.held()["V1"] is Hold.IN_PLAN
    with pytest.raises(InvoicePlannedError):
        house.plan(FRIDAY)
    house.days(1)
    house.send()
    (told,) = house.told()
    assert ("V1", Decimal("250.00"), f"echeance_plan:{TODAY}") in told
    house.arrives("V1", "500.00")
    assert house.held()["V1"] is Hold.IN_PLAN
    with house.database.transaction(house.organisation) as session:
        row = session.exec(select(InvoiceRecord).where(InvoiceRecord.number == "V1")).one()
        (late,) = late_invoices(session, [row], LAW)
        assert [(each.first, each.last) for each in late.debt.excluded] == [(TODAY, None)]
        assert plan.total == Decimal("500.00")


def test_what_is_promised_of_the_books_is_no_free_part_of_what_is_owed(house):
    house.promise("300.00", "V1")
    with house.database.transaction(house.organisation) as session:
        cells = Receivables.read(session, EVERYTHING, TODAY).cells(Dimension.CUSTOMER)
        entities = Receivables.summed(session, EVERYTHING, TODAY, Dimension.ENTITY).cells(Dimension.ENTITY)
    for found in (cells, entities):
        promised, free = (sum(each.amount(family) for each in found) for family in (Family.PROMISED, Family.FREE))
        assert (promised, free) == (Decimal("300.00"), Decimal("1400.00"))


def test_who_is_limited_sees_a_promise_of_the_books_with_its_key_account_alone(house):
    promise = house.promise("500.00", "V1")
    stranger, keeper = Scope(frozenset({uuid4()}), frozenset()), Scope(frozenset(), frozenset({BUYER_SIREN}))
    with house.database.transaction(house.organisation) as session:
        seen = {
            scope: [each.id for each in promises_page(session, scope, PromiseFilter(TODAY, TODAY)).items]
            for scope in (stranger, keeper)
        }
    assert (seen[stranger], seen[keeper]) == ([], [promise.id])


def test_programs_name_lines_of_the_books(house):
    client = TestClient(create_app(house.services))
    client.headers.update(
        token(house.services, house.organisation, ApiScope.COLLECTION_READ, ApiScope.COLLECTION_WRITE)
    )
    named = {"customer": str(house.customer()), "entries": [str(house.entry())]}
    promise = created(client.post("/api/v1/promises", json={**named, "amount": "100.00", "due_on": str(FRIDAY)}))
    assert (promise["invoices"], promise["entries"]) == ([], [{"id": str(house.entry()), "number": "V1"}])
    plan = created(client.post("/api/v1/plans", json={**named, "count": 2, "first_on": str(FRIDAY)}))
    assert ([each["number"] for each in plan["entries"]], plan["total"]) == (["V1"], "500.00")
