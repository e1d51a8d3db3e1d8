"""What only the books know is owed once: as they tell it, until they settle it or the invoice itself arrives."""

from datetime import date, timedelta
from decimal import Decimal
from io import BytesIO

import pytest
from sqlmodel import select

from gateway.access.scope import Scope
from gateway.customers.linking import link_invoice
from gateway.customers.model import Customer
from gateway.treasury.accounting.errors import OpeningNotFoundError, OpeningPaymentError
from gateway.treasury.accounting.following import follow_registration
from gateway.treasury.accounting.importing import assign_account, import_entries
from gateway.treasury.accounting.model import AccountingEntry
from gateway.treasury.accounting.paying import pay_opening
from gateway.treasury.accounting.settling import Outcome
from gateway.treasury.allocating import NewReceipt
from gateway.treasury.model import Receipt, ReceiptAllocation, ReceiptSource, WriteOffKind
from gateway.treasury.receipts import record_receipt, reverse_receipt
from gateway.treasury.receivable_rows import open_items
from gateway.treasury.receivables import ItemKind
from gateway.treasury.service import aged_balance, days_sales_outstanding
from gateway.treasury.write_off_rows import write_offs_page
from gateway.treasury.writing_off import undo_write_off, write_off
from tests.lifecycle.following import invoice, register
from tests.lifecycle.making_events import START
from tests.treasury.making_books import fec, row
from tests.treasury.test_accounting_importing import (
    LETTERED,
    NOW,
    TODAY,
    all_of,
    known,
    payment,
    sale,
    standing,
    take,
)

ALL = Scope.everything()


@pytest.fixture
def f1(database, organisation):
    """An invoice known here, which tells whose account C001 is."""
    return known(database, organisation, "F1")


def owed(database, organisation, day=TODAY):
    """What is left by number."""
    with database.transaction(organisation) as session:
        return {item.number: item.remaining for item in open_items(session, ALL, day)}


def old(number, amount="500,00", day="20260105", **lettering):
    """An invoice of before the gateway."""
    return [
        row("VE", number, "411000", amount, piece=number, aux="C001", day=day, **lettering),
        row("VE", number, "706000", credit=amount, piece=number, day=day),
    ]


def carried(number, amount="500,00", day="20260101", **lettering):
    """What was open when the year began."""
    return [
        row("AN", "1", "411000", amount, piece=number, aux="C001", day=day, **lettering),
        row("AN", "1", "890000", credit=amount, piece=number, day=day),
    ]


def loss(number="L1", amount="20,00", account="654000", day="20261031", **lettering):
    return [
        row("OD", number, "411000", credit=amount, aux="C001", day=day, **lettering),
        row("OD", number, account, amount, day=day),
    ]


def arrive(database, organisation, number, due, **changes):
    """The invoice itself comes through the gateway."""
    what = invoice(number, due, **changes)
    registration = register(database, organisation, what, content=number.encode())
    with database.transaction(organisation) as session:
        link_invoice(session, registration, what.buyer, START)
        follow_registration(session, registration, NOW)
    return registration.invoice


def test_an_invoice_that_only_the_books_know_is_owed_by_its_day_and_term(database, organisation, f1):
    result = take(database, organisation, *sale(), *old("V1"))
    assert result.outcomes == {Outcome.MATCHED: 1, Outcome.OPENING: 1}
    assert owed(database, organisation) == {"F1": 120, "V1": 500}
    with database.transaction(organisation) as session:
        (item,) = [each for each in open_items(session, ALL, TODAY) if each.kind is ItemKind.OPENING]
        (balance,) = aged_balance(session, ALL, TODAY)
        (dso,) = days_sales_outstanding(session, ALL, TODAY)
    assert (item.due_date, item.remaining) == (date(2026, 2, 4), 500)
    assert balance.total == 620
    assert balance.columns[-1].figure.amount == 500
    assert dso.balance.amount == 120


def test_a_table_may_tell_when_it_is_due(database, organisation, f1):
    lines = [*sale(), *old("V1")]
    header = [*lines[0], "Échéance"]
    content = fec(
        *({**each, "Échéance": "31/03/2026" if each["PieceRef"] == "V1" else ""} for each in lines), header=header
    )
    import_entries(database, organisation, BytesIO(content.encode()), dry_run=False, by="operator", now=NOW)
    with database.transaction(organisation) as session:
        due = {item.number: item.due_date for item in open_items(session, ALL, TODAY)}
    assert due["V1"] == date(2026, 3, 31)


def test_what_the_books_settle_is_owed_no_more_and_makes_no_receipt(database, organisation, f1):
    take(database, organisation, *sale(), *old("V1"))
    result = take(database, organisation, *old("V1", **LETTERED), *payment(amount="500,00", **LETTERED))
    assert result.outcomes[Outcome.SETTLED] == 2
    assert owed(database, organisation) == {"F1": 120}
    assert standing(database, organisation) == []


def test_money_that_the_books_move_elsewhere_stays_received(database, organisation, f1):
    moved = [
        row("OD", "9", "411000", "500,00", aux="C001", **LETTERED),
        row("OD", "9", "411000", credit="500,00", aux="C2"),
    ]
    result = take(database, organisation, *sale(), *payment(amount="500,00", **LETTERED), *moved)
    assert result.outcomes[Outcome.UNALLOCATED] == 1
    assert sum(owed(database, organisation).values()) == 120 - 500


def test_money_that_came_and_went_back_is_neither_received_nor_owed(database, organisation, f1):
    bounced = [row("BQ", "R1", "411000", "500,00", aux="C001", **LETTERED), row("BQ", "R1", "512000", credit="500,00")]
    result = take(database, organisation, *sale(), *payment(amount="500,00", **LETTERED), *bounced)
    assert result.outcomes[Outcome.SETTLED] == 2
    assert owed(database, organisation) == {"F1": 120}


def test_money_received_before_it_was_lettered_is_not_counted_twice(database, organisation, f1):
    take(database, organisation, *sale(), *old("V1"), *payment(amount="500,00"))
    assert sum(owed(database, organisation).values()) == 120
    take(database, organisation, *old("V1", **LETTERED), *payment(amount="500,00", **LETTERED))
    assert owed(database, organisation) == {"F1": 120}
    assert standing(database, organisation) == []


def test_of_a_payment_for_both_the_part_of_invoices_known_here_is_received(database, organisation, f1):
    take(database, organisation, *sale(**LETTERED), *old("V1", **LETTERED), *payment(amount="620,00", **LETTERED))
    assert owed(database, organisation) == {}
    assert standing(database, organisation) == [(Decimal("120.00"), {f1.id: Decimal("120.00")})]


def test_an_invoice_that_arrives_later_takes_its_place(database, organisation, f1):
    take(database, organisation, *sale(), *old("V1"))
    arrived = arrive(database, organisation, "V1", "500.00", issue_date=date(2026, 1, 5), due_date=date(2026, 2, 5))
    assert owed(database, organisation) == {"F1": 120, "V1": 500}
    with database.transaction(organisation) as session:
        assert {item.kind for item in open_items(session, ALL, TODAY)} == {ItemKind.INVOICE}
    again = take(database, organisation, *sale(), *old("V1"))
    assert again.outcomes == {Outcome.MATCHED: 2}
    take(database, organisation, *old("V1", **LETTERED), *payment(amount="500,00", **LETTERED))
    assert standing(database, organisation) == [(Decimal("500.00"), {arrived.id: Decimal("500.00")})]


def test_an_invoice_that_arrives_when_the_books_say_paid_is_paid(database, organisation, f1):
    take(database, organisation, *sale(), *old("V1", **LETTERED), *payment(amount="500,00", **LETTERED))
    arrived = arrive(database, organisation, "V1", "500.00", issue_date=date(2026, 1, 5), due_date=date(2026, 2, 5))
    assert owed(database, organisation) == {"F1": 120}
    assert standing(database, organisation) == [(Decimal("500.00"), {arrived.id: Decimal("500.00")})]


def test_an_invoice_of_that_day_and_amount_known_under_another_number_is_not_owed_twice(database, organisation, f1):
    other = known(database, organisation, "F2", "80.00")
    result = take(database, organisation, *sale(), *sale("FA-2", "80,00"), *sale("FA-3", "81,00"))
    assert result.outcomes == {Outcome.MATCHED: 1, Outcome.UNKNOWN_INVOICE: 1, Outcome.OPENING: 1}
    assert owed(database, organisation) == {"F1": 120, other.number: 80, "FA-3": 81}


def test_what_was_carried_forward_counts_where_the_year_before_is_missing(database, organisation, f1):
    take(database, organisation, *sale(), *carried("V0"))
    assert owed(database, organisation) == {"F1": 120, "V0": 500}
    take(database, organisation, *old("V0", day="20251105"))
    assert owed(database, organisation) == {"F1": 120, "V0": 500}


def test_a_letter_on_what_was_carried_forward_settles_the_invoice_of_the_year_before(database, organisation, f1):
    take(database, organisation, *sale(), *old("V0", day="20251105"), *carried("V0", **LETTERED))
    assert owed(database, organisation)["V0"] == 500
    take(database, organisation, *payment(amount="500,00", **LETTERED))
    assert owed(database, organisation) == {"F1": 120}


def test_a_balance_carried_forward_that_may_hold_invoices_known_here_is_not_owed_twice(database, organisation, f1):
    result = take(database, organisation, *sale(), *carried("AN", day="20270101"), now=NOW + timedelta(days=90))
    assert Outcome.OPENING not in result.outcomes
    known(database, organisation, "F2", "80.00")
    result = take(database, organisation, *carried("AN", day="20270601"), now=NOW + timedelta(days=300))
    assert Outcome.OPENING not in result.outcomes


def test_what_an_unknown_customer_owes_waits_until_it_is_told(database, organisation, f1):
    result = take(database, organisation, *sale("V1", "500,00", aux="C009"))
    assert result.outcomes == {Outcome.UNKNOWN_CUSTOMER: 1}
    (customer,) = all_of(database, organisation, Customer)
    with database.transaction(organisation) as session:
        assign_account(session, "C009", customer.key, by="user:1", now=NOW)
    assert owed(database, organisation) == {"F1": 120, "V1": 500}


def test_only_who_sees_its_customer_sees_what_the_books_know(database, organisation, f1):
    take(database, organisation, *sale(), *old("V1"))
    (customer,) = all_of(database, organisation, Customer)
    with database.transaction(organisation) as session:
        nobody = Scope(frozenset(), frozenset())
        account = Scope(frozenset(), frozenset({customer.siren}))
        assert list(open_items(session, nobody, TODAY)) == []
        assert {item.number for item in open_items(session, account, TODAY)} == {"F1", "V1"}


def test_a_lettered_loss_is_written_off(database, organisation, f1):
    lines = (*sale(**LETTERED), *payment(amount="100,00", **LETTERED), *loss(**LETTERED))
    result = take(database, organisation, *lines)
    assert result.outcomes == {Outcome.MATCHED: 1, Outcome.ALLOCATED: 1, Outcome.WRITTEN_OFF: 1}
    assert (result.recorded, result.written_off) == (1, 1)
    assert owed(database, organisation) == {}
    with database.transaction(organisation) as session:
        (made,) = write_offs_page(session, ALL).items
    assert (made.amount, made.kind, made.written_off_on) == (20, "loss", date(2026, 10, 31))
    again = take(database, organisation, *lines)
    assert (again.written_off, again.restored, again.recorded) == (0, 0, 0)


def test_a_loss_whose_letter_is_taken_back_is_owed_again(database, organisation, f1):
    take(database, organisation, *sale(**LETTERED), *loss(amount="120,00", **LETTERED))
    assert owed(database, organisation) == {}
    result = take(database, organisation, *sale(), *loss(amount="120,00"))
    assert (result.written_off, result.restored) == (0, 1)
    assert owed(database, organisation) == {"F1": 120}
    take(database, organisation, *sale(**LETTERED), *loss(amount="120,00", **LETTERED))
    assert owed(database, organisation) == {}


def test_a_small_loss_beside_a_payment_of_several_invoices_is_a_small_difference(database, organisation, f1):
    known(database, organisation, "F2", "80.00")
    take(
        database,
        organisation,
        *sale(**LETTERED),
        *sale("F2", "80,00", **LETTERED),
        *payment(amount="199,50", **LETTERED),
        *loss(amount="0,50", account="658000", **LETTERED),
    )
    assert owed(database, organisation) == {}
    with database.transaction(organisation) as session:
        (made,) = write_offs_page(session, ALL).items
    assert (made.amount, made.kind) == (Decimal("0.50"), "small_difference")


def test_a_write_off_of_the_books_that_a_person_undid_stays_undone(database, organisation, f1):
    lines = (*sale(**LETTERED), *loss(amount="120,00", **LETTERED))
    take(database, organisation, *lines)
    with database.transaction(organisation) as session:
        (made,) = write_offs_page(session, ALL).items
        undo_write_off(session, ALL, made.id, reason="Le client paiera.", by="user:1", now=NOW)
    result = take(database, organisation, *lines)
    assert result.outcomes == {Outcome.MATCHED: 1, Outcome.NOT_FOLLOWED: 1}
    assert owed(database, organisation) == {"F1": 120}


def test_money_of_the_books_comes_before_a_write_off_and_a_loss_after_it(database, organisation, f1):
    with database.transaction(organisation) as session:
        write_off(session, ALL, f1.id, None, kind=WriteOffKind.LOSS, reason="x", by="user:1", now=NOW)
    result = take(database, organisation, *sale(**LETTERED), *loss(amount="120,00", **LETTERED))
    assert result.outcomes == {Outcome.MATCHED: 1, Outcome.PAID_ALREADY: 1}
    lines = (*sale(**LETTERED), *loss(amount="120,00"), *payment(**LETTERED))
    assert take(database, organisation, *lines).outcomes[Outcome.ALLOCATED] == 1
    assert owed(database, organisation) == {}
    with database.transaction(organisation) as session:
        assert sum(row.amount for row in write_offs_page(session, ALL).items) == 0


def test_a_loss_on_what_only_the_books_know_settles_it_there(database, organisation, f1):
    take(database, organisation, *sale(), *old("V1", **LETTERED), *loss(amount="500,00", **LETTERED))
    assert owed(database, organisation) == {"F1": 120}
    assert all_of(database, organisation, Receipt) == []


def pay(database, organisation, paid="200.00", reference="VIR-1", on=date(2026, 10, 1)):
    """Money of the customer, told here, that pays V1."""
    (customer,) = all_of(database, organisation, Customer)
    new = NewReceipt(Decimal("300.00"), "EUR", on, reference, customer_id=customer.id)
    with database.transaction(organisation) as session:
        receipt = record_receipt(session, ALL, new, source=ReceiptSource.API, by="client:1", now=NOW).receipt
        session.flush()
        (entry,) = (each.entry_id for each in open_items(session, ALL, TODAY) if each.kind is ItemKind.OPENING)
        pay_opening(session, ALL, entry, Decimal(paid), receipt.id, by="client:1", now=NOW)
        return receipt.id


def test_a_receipt_told_here_pays_what_only_the_books_know_until_it_is_undone(database, organisation, f1):
    take(database, organisation, *sale(), *old("V1"))
    receipt_id = pay(database, organisation)
    assert owed(database, organisation) == {"F1": 120, "V1": 300, "VIR-1": -100}
    take(database, organisation, *sale(), *old("V1"))
    assert owed(database, organisation) == {"F1": 120, "V1": 300, "VIR-1": -100}
    with database.transaction(organisation) as session:
        reverse_receipt(session, ALL, receipt_id, reason="Impayé.", by="user:1", now=NOW)
    assert owed(database, organisation) == {"F1": 120, "V1": 500}


@pytest.mark.parametrize("paid", ["0.00", "-1.00", "300.01", "0.001"])
def test_no_more_than_the_receipt_holds_pays_it(database, organisation, f1, paid):
    take(database, organisation, *sale(), *old("V1"))
    with pytest.raises(OpeningPaymentError):
        pay(database, organisation, paid)


def test_what_is_paid_or_settled_takes_no_money(database, organisation, f1):
    take(database, organisation, *sale(), *old("V1", "200,00"))
    pay(database, organisation)
    (entry,) = (each for each in all_of(database, organisation, AccountingEntry) if each.piece == "V1")
    with pytest.raises(OpeningNotFoundError), database.transaction(organisation) as session:
        receipt_id = session.exec(select(Receipt.id)).one()
        pay_opening(session, ALL, entry.id, Decimal("1.00"), receipt_id, by="client:1", now=NOW)


@pytest.mark.parametrize("due", ["500.00", "150.00"])
def test_money_told_for_it_pays_the_invoice_that_arrives(database, organisation, f1, due):
    take(database, organisation, *sale(), *old("V1"))
    pay(database, organisation)
    arrived = arrive(database, organisation, "V1", due, issue_date=date(2026, 1, 5), due_date=date(2026, 2, 5))
    assert sum(owed(database, organisation).values()) == 120 + arrived.amount_due - 300
    paid = min(Decimal("200.00"), arrived.amount_due)
    assert standing(database, organisation) == [(Decimal("300.00"), {arrived.id: paid})]
    take(database, organisation, *old("V1", **LETTERED), *payment(amount="500,00", **LETTERED))
    assert standing(database, organisation) == [(Decimal("300.00"), {arrived.id: paid})]


def test_of_several_receipts_the_oldest_pay_the_invoice_that_arrives_for_less(database, organisation, f1):
    take(database, organisation, *sale(), *old("V1"))
    paid = {day: pay(database, organisation, "100.00", f"VIR-{day}", date(2026, 10, day)) for day in (3, 1, 4, 2)}
    arrived = arrive(database, organisation, "V1", "250.00", issue_date=date(2026, 1, 5), due_date=date(2026, 2, 5))
    pays = {each.receipt_id: each.amount for each in all_of(database, organisation, ReceiptAllocation)}
    assert pays == {paid[1]: Decimal("100.00"), paid[2]: Decimal("100.00"), paid[3]: Decimal("50.00")}
    assert owed(database, organisation)["F1"] == 120
    assert arrived.number not in owed(database, organisation)
