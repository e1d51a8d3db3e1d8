"""What is owed with what collection says of it: the database's sums are those of the items, one by one."""

from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest

from gateway.access.scope import Scope
from gateway.collection.agreements import disputing, planning, promising
from gateway.collection.agreements.disputing import NewDispute
from gateway.collection.agreements.planning import EvenSpread, NewPlan
from gateway.collection.agreements.promising import NewPromise
from gateway.collection.law.handing_over import hand_over
from gateway.collection.law.statute import statute
from gateway.collection.receivables import Books
from gateway.collection.receivables_items import open_figure
from gateway.customers.repository import find_customer
from gateway.database.errors import InvalidCursorError
from gateway.invoices.parties import Buyer
from gateway.invoices.terms import Identifier
from gateway.treasury.receivables import Dimension, Family
from tests.collection.agreeing import BY, CHANNELS, EVERYTHING, House
from tests.lifecycle.making_events import BUYER_SIREN

TODAY, FRIDAY = date(2026, 11, 20), date(2026, 11, 27)
NOBODY = Scope.limited_to([UUID(int=1)], [])
SIRENS = ("443061841", "552081317", "572015246", "542051180")
HELD_BACK = {Family.PROMISED: SIRENS[0], Family.DISPUTED: SIRENS[1], Family.PLANNED: SIRENS[2]}


@pytest.fixture
def house(database, organisation):
    """Five customers owe two late invoices each and one to come; of one each is promised, disputed, planned, sued."""
    made = House(database, organisation)
    for siren in (BUYER_SIREN, *SIRENS):
        buyer = Buyer(name=f"Client {siren}", legal_id=Identifier(value=siren, scheme="0002"))
        for place, due_date in enumerate((date(2026, 11, 1), date(2026, 11, 8), date(2026, 12, 5))):
            made.owes(f"{siren}-{place}", f"{120 + place}.00", buyer=buyer, due_date=due_date)
    made.go_to(TODAY)
    return made


def say_something(house: House) -> None:
    """A promise, a dispute, a plan and a hand-over, each about the first invoice of a customer."""
    first = [house.owed[f"{siren}-0"].id for siren in SIRENS]
    promised, disputed, planned, sued = first
    customers = [house.customer(f"{siren}-0") for siren in SIRENS]
    with house.database.transaction(house.organisation) as session:
        told = {"by": BY, "now": house.tick()}
        new = NewPromise(customers[0], Decimal("100.00"), FRIDAY, invoice_ids=(promised,))
        promising.make_promise(session, EVERYTHING, new, **told)
        disputing.open_dispute(session, EVERYTHING, NewDispute(disputed, "price", Decimal("20.00")), CHANNELS, **told)
        spread = EvenSpread(2, FRIDAY)
        planning.make_plan(session, EVERYTHING, NewPlan(customers[2], spread, invoice_ids=(planned,)), **told)
        hand_over(session, EVERYTHING, str(customers[3]), [sued], statute(), handed_to="Me Martin", **told)


@pytest.mark.parametrize("by", Dimension)
def test_the_sums_of_the_database_are_those_of_the_items(house, by):
    say_something(house)
    with house.database.transaction(house.organisation) as session:
        summed, books = Books.summed(session, EVERYTHING, TODAY, by), Books.read(session, EVERYTHING, TODAY)
        nobody = Books.summed(session, NOBODY, TODAY, by)
    assert summed.cells(by) == books.cells(by)
    assert len(summed.items) < len(books.items)
    assert nobody.items == []


def test_what_collection_says_of_a_customer_is_in_its_sums(house):
    say_something(house)
    with house.database.transaction(house.organisation) as session:
        books = Books.summed(session, EVERYTHING, TODAY, Dimension.CUSTOMER)
    cells = {each.of: each for each in books.cells(Dimension.CUSTOMER)}
    amounts = {
        family: cells[house.customer(f"{siren}-0")].amount(family)
        for family, siren in {**HELD_BACK, Family.LITIGATION: SIRENS[3]}.items()
    }
    assert amounts == {Family.PROMISED: 100, Family.DISPUTED: 20, Family.PLANNED: 120, Family.LITIGATION: 120}


@pytest.mark.parametrize("by", [Dimension.CUSTOMER, Dimension.GROUP])
def test_a_cell_opens_on_what_is_its_own(house, by):
    with house.database.transaction(house.organisation) as session:
        customer = find_customer(session, EVERYTHING, SIRENS[0])
        opened = opened_page(session, by, str(customer.id) if by is Dimension.CUSTOMER else SIRENS[0], Family.OVERDUE)
        unknown = opened_page(session, by, "nobody", Family.OVERDUE)
    assert {part.item.customer_id for part in opened.page.items} == {customer.id}
    assert (opened.total, opened.count) == (241, 2)
    assert (unknown.total, unknown.count, unknown.page.items) == (0, 0, [])


@pytest.mark.parametrize("by", Dimension)
def test_every_figure_opens_page_by_page_on_the_items_it_adds_up(house, by):
    say_something(house)
    with house.database.transaction(house.organisation) as session:
        books = Books.read(session, EVERYTHING, TODAY)
        for cell in books.cells(by):
            of = None if cell.of is None else str(cell.of)
            for family in cell.figures:
                found, cursor = [], None
                while True:
                    opened = opened_page(session, by, of, family, cursor, limit=2)
                    found += opened.page.items
                    cursor = opened.page.next_cursor
                    if cursor is None:
                        break
                assert found == books.parts(by, of, "EUR", family)
                assert opened.total == cell.amount(family) == sum(part.amount for part in found)
                assert opened.count == len(found)


def test_a_cell_of_nobody_or_of_no_agency_opens_on_nothing(house):
    with house.database.transaction(house.organisation) as session:
        for by, of in ((Dimension.AGENCY, "nobody"), (Dimension.ENTITY, "nobody"), (Dimension.CUSTOMER, None)):
            assert opened_page(session, by, of, Family.BALANCE).count == 0
        with pytest.raises(InvalidCursorError):
            opened_page(session, Dimension.ENTITY, None, Family.BALANCE, "nonsense")


def opened_page(session, by, of, family, cursor=None, limit=50):
    return open_figure(
        session, EVERYTHING, TODAY, by=by, of=of, currency="EUR", family=family, cursor=cursor, limit=limit
    )
