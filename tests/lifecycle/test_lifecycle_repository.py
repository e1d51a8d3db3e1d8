"""Invoices are found by what people know of them, page by page, and never outside a person's scope."""

from datetime import date
from uuid import uuid4

import pytest

from gateway.access.scope import Scope
from gateway.database.errors import InvalidCursorError
from gateway.invoices.parties import Buyer
from gateway.invoices.terms import Identifier
from gateway.lifecycle.errors import InvoiceNotFoundError
from gateway.lifecycle.model import Direction
from gateway.lifecycle.repository import InvoiceFilter, invoice_by_id, invoices_by_number, search_invoices
from tests.lifecycle.following import invoice, record, register

EVERYTHING = Scope.everything()
LYON, LILLE = uuid4(), uuid4()
BIG = Buyer(name="Grand_Compte 100%", legal_id=Identifier(value="443061841", scheme="0002"))


@pytest.fixture
def some_invoices(database, organisation):
    register(database, organisation, invoice("A-1"), agency_id=LYON)
    register(
        database,
        organisation,
        invoice("A-2", issue_date=date(2026, 10, 3), due_date=date(2026, 11, 2)),
        agency_id=LILLE,
    )
    register(
        database, organisation, invoice("B-1", buyer=BIG, issue_date=date(2026, 10, 2), due_date=None), agency_id=LILLE
    )
    register(database, organisation, invoice("A-1"), direction=Direction.PAYABLE, content=b"<theirs/>")
    record(database, organisation, "205", 1, number="A-2")


def found(database, organisation, scope=EVERYTHING, **wanted):
    with database.transaction(organisation) as session:
        filters = InvoiceFilter(**{"direction": Direction.RECEIVABLE, **wanted})
        return [each.number for each in search_invoices(session, scope, filters).items]


@pytest.mark.usefixtures("some_invoices")
def test_each_filter_narrows_the_search(database, organisation):
    for wanted, numbers in (
        ({}, ["A-2", "B-1", "A-1"]),
        ({"text": "a-"}, ["A-2", "A-1"]),
        ({"text": "grand_compte"}, ["B-1"]),
        ({"text": "100%"}, ["B-1"]),
        ({"text": "443 061"}, ["B-1"]),
        ({"text": "_"}, ["B-1"]),
        ({"number": " B-1 "}, ["B-1"]),
        ({"buyer_siren": "443 061 841"}, ["B-1"]),
        ({"buyer_name": "bâTIR"}, ["A-2", "A-1"]),
        ({"buyer_name": "batir ensemble"}, ["A-2", "A-1"]),
        ({"buyer_name": "_compte 100%"}, ["B-1"]),
        ({"buyer_name": "%"}, ["B-1"]),
        ({"buyer_name": "personne"}, []),
        ({"seller_name": "des materiaux"}, ["A-2", "B-1", "A-1"]),
        ({"seller_name": "grand"}, []),
        ({"due_from": date(2026, 11, 2)}, ["A-2"]),
        ({"due_to": date(2026, 11, 1)}, ["A-1"]),
        ({"due_from": date(2026, 10, 31), "due_to": date(2026, 10, 31)}, ["A-1"]),
        ({"due_to": date(2026, 12, 31), "buyer_name": "batir"}, ["A-2", "A-1"]),
        ({"statuses": ("205",)}, ["A-2"]),
        ({"agency_id": LILLE}, ["A-2", "B-1"]),
        ({"direction": Direction.PAYABLE}, ["A-1"]),
        ({"text": "nobody"}, []),
    ):
        assert found(database, organisation, **wanted) == numbers, wanted


@pytest.mark.usefixtures("some_invoices")
def test_a_collector_sees_only_the_agencies_and_key_accounts_given(database, organisation):
    for scope, numbers in (
        (Scope.limited_to([LYON], []), ["A-1"]),
        (Scope.limited_to([], ["443061841"]), ["B-1"]),
        (Scope.limited_to([LYON], ["443061841"]), ["B-1", "A-1"]),
        (Scope.limited_to([uuid4()], []), []),
    ):
        assert found(database, organisation, scope) == numbers
    with database.transaction(organisation) as session:
        (lyon,) = invoices_by_number(session, Scope.limited_to([LYON], []), "A-1")
        assert invoice_by_id(session, Scope.limited_to([LYON], []), lyon.id).id == lyon.id
        with pytest.raises(InvoiceNotFoundError):
            invoice_by_id(session, Scope.limited_to([LILLE], []), lyon.id)


@pytest.mark.usefixtures("some_invoices")
def test_several_invoices_may_bear_one_number(database, organisation):
    with database.transaction(organisation) as session:
        assert {each.direction for each in invoices_by_number(session, EVERYTHING, "A-1")} == {"receivable", "payable"}


def test_pages_show_every_invoice_once(database, organisation):
    for number in range(7):
        register(database, organisation, invoice(f"P{number}", issue_date=date(2026, 10, 1 + number // 3)))
    seen, cursor = [], None
    with database.transaction(organisation) as session:
        while True:
            page = search_invoices(session, EVERYTHING, InvoiceFilter(), cursor=cursor, limit=2)
            seen += [each.number for each in page.items]
            assert len(page.items) <= 2
            cursor = page.next_cursor
            if cursor is None:
                break
        assert sorted(seen) == [f"P{number}" for number in range(7)]
        dates = [page.issue_date for page in search_invoices(session, EVERYTHING, InvoiceFilter()).items]
        assert dates == sorted(dates, reverse=True)


@pytest.mark.parametrize("cursor", ["", "x", "W10", "bm90IGpzb24", "WyIyMDI2LTEwLTAxIiwgIngiXQ", "é", "WzEsMl0"])
def test_a_cursor_of_another_list_is_refused_by_name(database, organisation, cursor):
    with database.transaction(organisation) as session, pytest.raises(InvalidCursorError):
        search_invoices(session, EVERYTHING, InvoiceFilter(), cursor=cursor)
