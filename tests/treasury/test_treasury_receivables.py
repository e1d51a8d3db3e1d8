"""Encours: every item counts once, whatever it is added up by, and every figure opens down to its items."""

from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import select

from gateway.access.model import Agency
from gateway.access.scope import Scope
from gateway.customers.linking import link_invoice
from gateway.customers.model import Customer
from gateway.customers.repository import find_customer
from gateway.invoices.parties import Buyer
from gateway.invoices.terms import Identifier
from gateway.treasury.allocating import NewReceipt
from gateway.treasury.model import ReceiptSource, ReceiptUse
from gateway.treasury.receipts import follow_collection, record_receipt, reverse_receipt
from gateway.treasury.receivable_rows import groups_of, open_items, open_sums, origins_of
from gateway.treasury.receivables import (
    Dimension,
    Encours,
    Family,
    Item,
    ItemKind,
    Mark,
    contributions,
    sum_up,
    totals_of,
)
from tests.lifecycle.following import invoice, record, register
from tests.lifecycle.making_events import BUYER_SIREN, START, amount

TODAY = date(2026, 11, 20)
EVERYTHING = Scope.everything()
BUYER = Buyer(name="Bâtir Ensemble", legal_id=Identifier(value=BUYER_SIREN, scheme="0002"))
OTHER = Buyer(name="Autre Client", legal_id=Identifier(value="443061841", scheme="0002"))

IDS = [UUID(int=n) for n in range(1, 5)]
CENTS = st.decimals(Decimal("-9999.99"), Decimal("9999.99"), places=2)
PARTS = st.decimals(Decimal(0), Decimal("9999.99"), places=2)
MARKS = st.builds(Mark, disputed=PARTS, promised=PARTS, planned=PARTS, in_litigation=st.booleans())
ISSUES = st.none() | st.just([{"code": "207", "disputed": None}]) | st.just([{"code": "206", "disputed": "10.00"}])


@st.composite
def items(draw: st.DrawFn) -> Item:
    """Any item that the queries may give."""
    kind = draw(st.sampled_from(ItemKind))
    asked, remaining = draw(CENTS), draw(CENTS.filter(bool))
    return Item(
        kind=kind,
        currency=draw(st.sampled_from(["EUR", "USD"])),
        customer_id=draw(st.none() | st.sampled_from(IDS)),
        agency_id=draw(st.none() | st.sampled_from(IDS[:2])),
        seller_siren=draw(st.none() | st.just("552100554")),
        invoice_id=None if kind is ItemKind.MONEY else draw(st.uuids()),
        receipt_id=None,
        number="F",
        due_date=draw(st.dates(date(2026, 1, 1), date(2027, 1, 1))),
        asked=remaining if kind is ItemKind.MONEY else asked,
        remaining=remaining,
        issues=draw(ISSUES),
        written_off=Decimal(0) if kind is ItemKind.MONEY else draw(PARTS),
    )


@st.composite
def books(draw: st.DrawFn) -> tuple[list[Item], dict[UUID, Mark]]:
    """Items, and what collection says of some of them."""
    found = draw(st.lists(items(), max_size=30))
    marks = {each.invoice_id: draw(MARKS) for each in found if each.invoice_id and draw(st.booleans())}
    return found, marks


GROUPS = dict(zip(IDS, ["g1", "g1", "g2", "g3"], strict=True))
HELD_BACK = (Family.LITIGATION, Family.PLANNED, Family.DISPUTED, Family.PROMISED, Family.FREE)
ASKED = (
    Family.INVOICED,
    Family.DEPOSITS,
    Family.CREDIT_NOTES,
    Family.OPENINGS,
    Family.PAYMENTS,
    Family.WRITTEN_OFF,
    Family.UNALLOCATED,
)


@given(books(), st.sampled_from(Dimension))
def test_in_every_cell_the_balance_is_what_it_is_made_of(book, by):
    for cell in sum_up(*book, by=by, groups=GROUPS, as_of=TODAY):
        owed = cell.amount(Family.OVERDUE) + cell.amount(Family.NOT_DUE)
        assert cell.amount(Family.BALANCE) == sum(cell.amount(each) for each in ASKED)
        assert cell.amount(Family.BALANCE) == owed + cell.amount(Family.TO_DEDUCT)
        assert owed == sum(cell.amount(each) for each in HELD_BACK)
        assert all(cell.amount(each) >= 0 for each in HELD_BACK)


@given(books())
def test_every_figure_is_the_same_whatever_it_is_added_up_by(book):
    def totals(by: Dimension) -> dict[tuple[str, Family], Decimal]:
        found: dict[tuple[str, Family], Decimal] = {}
        for cell in sum_up(*book, by=by, groups=GROUPS, as_of=TODAY):
            for family in cell.figures:
                place = (cell.currency, family)
                found[place] = found.get(place, Decimal(0)) + cell.amount(family)
        return {place: total for place, total in found.items() if total}

    by_customer = totals(Dimension.CUSTOMER)
    assert all(totals(by) == by_customer for by in Dimension)
    for by in Dimension:
        totalled = totals_of(sum_up(*book, by=by, groups=GROUPS, as_of=TODAY))
        told = {(each.currency, family): each.amount(family) for each in totalled for family in each.figures}
        assert {place: total for place, total in told.items() if total} == by_customer


@given(items().filter(lambda item: item.remaining > 0 and item.invoice_id and item.kind is not ItemKind.PENALTY), MARKS)
def test_a_part_held_back_is_never_more_than_what_is_left(item, mark):
    parts = dict(contributions(item, {item.invoice_id: mark}, TODAY))
    assert sum(parts.get(each, Decimal(0)) for each in HELD_BACK) == item.remaining
    if mark.in_litigation:
        assert parts[Family.LITIGATION] == item.remaining


def test_a_penalty_stands_beside_the_balance():
    item = Item(
        ItemKind.PENALTY, "EUR", None, None, None, uuid4(), None, "F", TODAY, Decimal(40), Decimal(25), None
    )  # fmt: skip
    assert dict(contributions(item, {}, TODAY)) == {Family.PENALTIES: 25}


def test_a_dispute_answered_here_holds_nothing_back():
    item = Item(
        ItemKind.INVOICE, "EUR", None, None, None, uuid4(), None, "F", TODAY, Decimal(120), Decimal(120),
        [{"code": "207", "disputed": None}],
    )  # fmt: skip
    assert dict(contributions(item, {}, TODAY))[Family.DISPUTED] == 120
    answered = {item.invoice_id: Mark(answered=frozenset({"207"}))}
    assert dict(contributions(item, answered, TODAY))[Family.FREE] == 120


# With the database


def follow(database, organisation, number="F1", due="120.00", *, buyer=BUYER, agency_id=None, **changes):
    """An invoice of a buyer, tied to its account."""
    what = invoice(number, due, buyer=buyer, preceding_invoices=(), **changes)
    registration = register(database, organisation, what, content=number.encode(), agency_id=agency_id)
    with database.transaction(organisation) as session:
        link_invoice(session, registration, buyer, START)
    return registration.invoice


def receive(database, organisation, received, allocations=None, reference="V1", customer_id=None):
    """Money that came in."""
    new = NewReceipt(Decimal(received), "EUR", date(2026, 10, 5), reference, "", "", allocations or {}, customer_id)
    with database.transaction(organisation) as session:
        return record_receipt(session, EVERYTHING, new, source=ReceiptSource.API, by="a test", now=START).receipt


def cells(database, organisation, by=Dimension.CUSTOMER, scope=EVERYTHING, customer_ids=None) -> list[Encours]:
    """What is owed, item by item; the sums of the database are the same, whoever is kept apart."""
    with database.transaction(organisation) as session:
        told = {"by": by, "groups": groups_of(session), "as_of": TODAY}
        found = sum_up(open_items(session, scope, TODAY, customer_ids), {}, **told)
        if customer_ids is None:
            everybody = select(Customer.id).order_by(Customer.id)
            for apart in (everybody.limit(0), everybody.limit(1), everybody):
                assert sum_up(open_sums(session, scope, TODAY, apart, by), {}, **told) == found
        return found


def account(database, organisation, siren=BUYER_SIREN) -> Customer:
    with database.transaction(organisation) as session:
        return find_customer(session, EVERYTHING, siren)


def amounts(cell: Encours) -> dict[str, Decimal]:
    return {family.value: cell.amount(family) for family in cell.figures if cell.amount(family)}


def test_invoices_deposits_credit_notes_and_payments_make_the_balance(database, organisation):
    paid = follow(database, organisation, "F1")
    follow(database, organisation, "F2", "60.00", type_code="386")
    follow(database, organisation, "A1", "30.00", type_code="381")
    receive(database, organisation, "70.00", {paid.id: Decimal("50.00")})
    (cell,) = cells(database, organisation)
    assert cell.of == account(database, organisation).id
    assert amounts(cell) == {
        "balance": Decimal("80.00"),
        "invoiced": Decimal("120.00"),
        "deposits": Decimal("60.00"),
        "credit_notes": Decimal("-30.00"),
        "payments": Decimal("-50.00"),
        "unallocated": Decimal("-20.00"),
        "overdue": Decimal("130.00"),
        "to_deduct": Decimal("-50.00"),
        "free": Decimal("130.00"),
    }


def test_what_is_paid_in_full_leaves_the_balance_by_a_status_or_by_a_receipt(database, organisation):
    told, received = follow(database, organisation, "F1"), follow(database, organisation, "F2")
    recorded = record(database, organisation, "212", 1, data=[amount("MEN", "120.00", "20.00")])
    with database.transaction(organisation) as session:
        follow_collection(session, recorded, START)
    receive(database, organisation, "120.00", {received.id: Decimal("120.00")})
    assert cells(database, organisation) == []
    assert told.id != received.id


def test_money_received_for_an_invoice_that_was_refused_is_the_customers(database, organisation):
    follow(database, organisation, "F1")
    record(database, organisation, "212", 1, data=[amount("MEN", "120.00", "20.00")])
    record(database, organisation, "210", 2, reasons=["TX_TVA_ERR"])
    (cell,) = cells(database, organisation)
    assert amounts(cell) == {
        "balance": Decimal("-120.00"), "unallocated": Decimal("-120.00"), "to_deduct": Decimal("-120.00")
    }  # fmt: skip


def test_a_disputed_invoice_is_set_apart_and_a_rejected_one_is_not_owed(database, organisation):
    follow(database, organisation, "F1")
    follow(database, organisation, "F2")
    record(database, organisation, "207", 1, reasons=["PU_ERR"])
    record(database, organisation, "213", 1, number="F2", reasons=["REJ_UNI"])
    (cell,) = cells(database, organisation)
    assert (cell.amount(Family.DISPUTED), cell.amount(Family.BALANCE)) == (Decimal("120.00"), Decimal("120.00"))


def test_money_without_invoice_is_of_the_customer_told_else_of_the_one_whose_invoices_it_pays_else_of_nobody(
    database, organisation
):
    first = follow(database, organisation, "F1", "10.00")
    second = follow(database, organisation, "F2", "10.00", buyer=OTHER)
    mine, other = (account(database, organisation, siren) for siren in (BUYER_SIREN, "443061841"))
    receive(database, organisation, "5.00", reference="told", customer_id=other.id)
    receive(database, organisation, "12.00", {first.id: Decimal("10.00")}, reference="inferred")
    receive(database, organisation, "3.00", reference="unknown")
    found = {cell.of: cell.amount(Family.UNALLOCATED) for cell in cells(database, organisation)}
    assert found == {mine.id: Decimal("-2.00"), other.id: Decimal("-5.00"), None: Decimal("-3.00")}
    assert second.remaining == Decimal("10.00")


def test_money_that_pays_something_else_than_an_invoice_is_not_unallocated(database, organisation):
    receipt = receive(database, organisation, "40.00")
    with database.transaction(organisation) as session:
        session.add(
            ReceiptUse(
                organisation_id=organisation,
                receipt_id=receipt.id,
                purpose="penalty",
                purpose_id=uuid4(),
                amount=Decimal("40.00"),
                used_at=START,
                used_by="a test",
            )
        )
    assert cells(database, organisation) == []


def test_a_receipt_undone_leaves_nothing_behind(database, organisation):
    receipt = receive(database, organisation, "5.00")
    with database.transaction(organisation) as session:
        reverse_receipt(session, EVERYTHING, receipt.id, reason="Erreur.", by="a test", now=START)
    assert cells(database, organisation) == []


def test_the_same_reference_for_another_customer_is_a_conflict(database, organisation):
    from gateway.treasury.errors import ReceiptConflictError

    follow(database, organisation, "F1")
    receive(database, organisation, "5.00")
    with pytest.raises(ReceiptConflictError):
        receive(database, organisation, "5.00", customer_id=account(database, organisation).id)


def test_accounts_of_one_siren_are_one_group_and_each_agency_and_entity_has_its_own_sum(database, organisation):
    with database.transaction(organisation) as session:
        agency = Agency(organisation_id=organisation, siret="73282932000074", code="P", name="Paris")
        session.add(agency)
    follow(database, organisation, "F1", agency_id=agency.id)
    follow(database, organisation, "F2", "60.00")
    with database.transaction(organisation) as session:
        site = Customer(
            organisation_id=organisation, key="siret:1", name="B", siren=BUYER_SIREN, created_at=START, updated_at=START
        )
        session.add(site)
    receive(database, organisation, "7.00", customer_id=site.id)

    def found(by: Dimension) -> dict[object, Decimal]:
        return {cell.of: cell.amount(Family.BALANCE) for cell in cells(database, organisation, by)}

    assert found(Dimension.GROUP) == {BUYER_SIREN: Decimal("173.00")}
    assert found(Dimension.AGENCY) == {agency.id: Decimal("120.00"), None: Decimal("53.00")}
    assert found(Dimension.ENTITY) == {"552100554": Decimal("180.00"), None: Decimal("-7.00")}


def test_a_limited_person_sees_the_invoices_of_their_agencies_and_the_money_of_their_key_accounts(
    database, organisation
):
    with database.transaction(organisation) as session:
        agency = Agency(organisation_id=organisation, siret="73282932000074", code="P", name="Paris")
        session.add(agency)
    follow(database, organisation, "F1", agency_id=agency.id)
    follow(database, organisation, "F2", "60.00", buyer=OTHER)
    mine, other = (account(database, organisation, siren) for siren in (BUYER_SIREN, "443061841"))
    receive(database, organisation, "5.00", reference="mine", customer_id=mine.id)
    receive(database, organisation, "3.00", reference="other", customer_id=other.id)
    by_agency, by_account = Scope.limited_to([agency.id], []), Scope.limited_to([], ["443061841"])
    seen = {cell.of: cell.amount(Family.BALANCE) for cell in cells(database, organisation, scope=by_agency)}
    assert seen == {mine.id: Decimal("120.00")}
    seen = {cell.of: cell.amount(Family.BALANCE) for cell in cells(database, organisation, scope=by_account)}
    assert seen == {other.id: Decimal("57.00")}


def test_one_customer_is_asked_for_alone_and_organisations_are_apart(database, organisation, other_organisation):
    follow(database, organisation, "F1")
    follow(database, organisation, "F2", buyer=OTHER)
    receive(database, organisation, "5.00")
    mine = account(database, organisation)
    (cell,) = cells(database, organisation, customer_ids=[mine.id])
    assert (cell.of, cell.amount(Family.BALANCE)) == (mine.id, Decimal("120.00"))
    assert cells(database, other_organisation) == []


def test_the_payments_of_an_invoice_open_down_to_statuses_and_receipts(database, organisation):
    paid, silent = follow(database, organisation, "F1"), follow(database, organisation, "F2")
    event = record(database, organisation, "212", 1, data=[amount("MEN", "20.00", "20.00")])
    receipt = receive(database, organisation, "30.00", {paid.id: Decimal("30.00")})
    with database.transaction(organisation) as session:
        origins = origins_of(session, [paid.id, silent.id])
    assert (origins[paid.id].event_ids, origins[paid.id].receipt_ids) == ((event.id,), (receipt.id,))
    assert (origins[silent.id].event_ids, origins[silent.id].receipt_ids) == ((), ())


def test_an_invoice_without_due_date_falls_due_after_the_default_term(database, organisation):
    follow(database, organisation, "F1", due_date=None)
    with database.transaction(organisation) as session:
        (item,) = open_items(session, EVERYTHING, TODAY)
    assert item.due_date == date(2026, 10, 1) + timedelta(days=30)
