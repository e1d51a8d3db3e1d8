"""The books are taken once: payments become receipts, what they are lettered with is paid, nothing is lost."""

from datetime import date, timedelta
from decimal import Decimal
from io import BytesIO
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import select

from gateway.access.scope import Scope
from gateway.customers.errors import CustomerNotFoundError
from gateway.customers.linking import link_invoice
from gateway.customers.model import Customer
from gateway.ledger.model import LedgerEntry
from gateway.ledger.service import verify
from gateway.lifecycle.model import InvoiceRecord
from gateway.treasury.accounting import rows
from gateway.treasury.accounting.errors import UnknownAuxiliaryError, UnreadableAccountingFileError
from gateway.treasury.accounting.importing import assign_account, import_entries
from gateway.treasury.accounting.model import AccountingEntry
from gateway.treasury.accounting.settling import Outcome
from gateway.treasury.allocating import NewReceipt
from gateway.treasury.model import Receipt, ReceiptAllocation, ReceiptSource
from gateway.treasury.receipts import record_receipt, reverse_receipt
from gateway.treasury.receivable_rows import open_items
from tests.conftest import add_organisation
from tests.lifecycle.following import invoice, register
from tests.lifecycle.making_events import START
from tests.treasury.making_books import fec, row

NOW = START + timedelta(days=30)
TODAY = date(2026, 11, 10)
LETTERED = {"letter": "AA", "on": "20261031"}


def known(database, organisation, number, due="120.00"):
    """An invoice that the gateway issued, tied to its customer."""
    what = invoice(number, due)
    registration = register(database, organisation, what)
    with database.transaction(organisation) as session:
        link_invoice(session, registration, what.buyer, START)
    return registration.invoice


@pytest.fixture
def f1(database, organisation):
    return known(database, organisation, "F1")


def sale(number="F1", amount="120,00", aux="C001", **lettering):
    return [
        row("VE", number, "411000", amount, piece=number, aux=aux, name="Bâtir", **lettering),
        row("VE", number, "706000", credit=amount, piece=number),
    ]


def payment(number="P1", amount="120,00", aux="C001", day="20261030", **lettering):
    return [
        row("BQ", number, "411000", credit=amount, aux=aux, day=day, **lettering),
        row("BQ", number, "512000", amount, day=day),
    ]


def take(database, organisation, *lines, dry_run=False, now=NOW):
    content = BytesIO(fec(*lines).encode())
    return import_entries(database, organisation, content, dry_run=dry_run, by="operator", now=now)


def balance(database, organisation):
    with database.transaction(organisation) as session:
        return sum((item.remaining for item in open_items(session, Scope.everything(), TODAY)), Decimal(0))


def all_of(database, organisation, table):
    with database.transaction(organisation) as session:
        return list(session.exec(select(table)))


def standing(database, organisation):
    """What each receipt that stands pays, by the amount received."""
    receipts = all_of(database, organisation, Receipt)
    undone = {each.reverses_id for each in receipts}
    alive = {each.id: each for each in receipts if each.reverses_id is None and each.id not in undone}
    paid = {key: {} for key in alive}
    for part in all_of(database, organisation, ReceiptAllocation):
        if part.receipt_id in paid:
            paid[part.receipt_id][part.invoice_id] = part.amount
    return sorted(((alive[key].amount, parts) for key, parts in paid.items()), key=lambda each: each[0])


def test_a_lettered_payment_pays_its_invoice(database, organisation, f1):
    result = take(database, organisation, *sale(**LETTERED), *payment(**LETTERED))
    assert result.outcomes == {Outcome.MATCHED: 1, Outcome.ALLOCATED: 1}
    assert standing(database, organisation) == [(Decimal("120.00"), {f1.id: Decimal("120.00")})]
    (receipt,) = all_of(database, organisation, Receipt)
    assert (receipt.source, receipt.received_on) == ("file", date(2026, 10, 30))
    assert balance(database, organisation) == 0


def test_a_payment_that_is_not_lettered_is_the_customers_unallocated_money(database, organisation, f1):
    result = take(database, organisation, *sale(), *payment(amount="50,00"))
    assert result.outcomes == {Outcome.MATCHED: 1, Outcome.UNALLOCATED: 1}
    (receipt,) = all_of(database, organisation, Receipt)
    (customer,) = all_of(database, organisation, Customer)
    assert receipt.customer_id == customer.id
    assert balance(database, organisation) == Decimal("70.00")


def test_the_same_file_again_changes_nothing(database, organisation, f1):
    lines = (*sale(**LETTERED), *payment(**LETTERED), *payment("P2", "30,00"))
    take(database, organisation, *lines)
    before = standing(database, organisation), all_of(database, organisation, AccountingEntry)
    again = take(database, organisation, *lines, *lines)
    assert (again.new, again.relettered, again.recorded, again.reversed) == (0, 0, 0, 0)
    assert (standing(database, organisation), all_of(database, organisation, AccountingEntry)) == before


def test_a_dry_run_decides_as_the_real_one_and_writes_nothing(database, organisation, f1):
    lines = (*sale(**LETTERED), *payment(**LETTERED), *payment("P2", "30,00"), *sale("F9"))
    tried = take(database, organisation, *lines, dry_run=True)
    for table in (Receipt, AccountingEntry):
        assert all_of(database, organisation, table) == []
    with database.transaction(organisation) as session:
        assert rows.account_named(session, "C001") is None
    done = take(database, organisation, *lines)
    assert (tried.outcomes, tried.new, tried.lines) == (done.outcomes, done.new, done.lines)
    assert (tried.written, done.written) == (False, True)


def test_a_letter_taken_back_leaves_the_money_unallocated_by_a_counter_entry(database, organisation, f1):
    take(database, organisation, *sale(**LETTERED), *payment(**LETTERED))
    result = take(database, organisation, *sale(), *payment())
    assert (result.relettered, result.reversed, result.recorded) == (2, 1, 1)
    assert standing(database, organisation) == [(Decimal("120.00"), {})]
    assert len(all_of(database, organisation, Receipt)) == 3
    with database.transaction(organisation) as session:
        assert {item.number: item.remaining for item in open_items(session, Scope.everything(), TODAY)}["F1"] == 120
    take(database, organisation, *sale(**LETTERED), *payment(**LETTERED))
    assert standing(database, organisation) == [(Decimal("120.00"), {f1.id: Decimal("120.00")})]


def test_a_payment_lettered_later_pays_then(database, organisation, f1):
    take(database, organisation, *sale(), *payment())
    take(database, organisation, *sale(**LETTERED), *payment(**LETTERED))
    assert standing(database, organisation) == [(Decimal("120.00"), {f1.id: Decimal("120.00")})]


def test_a_payment_told_here_before_the_books_is_not_counted_twice(database, organisation, f1):
    told = NewReceipt(Decimal("120.00"), "EUR", date(2026, 10, 30), "VIR-1", allocations={f1.id: Decimal("120.00")})
    with database.transaction(organisation) as session:
        record_receipt(session, Scope.everything(), told, source=ReceiptSource.API, by="client:1", now=NOW)
    result = take(database, organisation, *sale(**LETTERED), *payment(**LETTERED))
    assert result.outcomes[Outcome.PAID_ALREADY] == 1
    assert len(all_of(database, organisation, Receipt)) == 1


def test_a_receipt_undone_by_a_person_stays_undone(database, organisation, f1):
    lines = (*sale(**LETTERED), *payment(**LETTERED))
    take(database, organisation, *lines)
    (receipt,) = all_of(database, organisation, Receipt)
    with database.transaction(organisation) as session:
        reverse_receipt(session, Scope.everything(), receipt.id, reason="Erreur.", by="user:1", now=NOW)
    result = take(database, organisation, *lines)
    assert result.outcomes == {Outcome.MATCHED: 1, Outcome.NOT_FOLLOWED: 1}
    assert standing(database, organisation) == []


def test_one_payment_may_pay_several_invoices_and_several_one(database, organisation, f1):
    f2 = known(database, organisation, "F2", "60.00")
    f3 = known(database, organisation, "F3", "50.00")
    other = {"letter": "BB", "on": "20261101"}
    take(
        database,
        organisation,
        *sale(**LETTERED),
        *sale("F2", "60,00", **LETTERED),
        *payment(amount="180,00", **LETTERED),
        *sale("F3", "50,00", **other),
        *payment("P2", "20,00", **other),
        *payment("P3", "30,00", **other),
    )
    assert standing(database, organisation) == [
        (Decimal("20.00"), {f3.id: Decimal("20.00")}),
        (Decimal("30.00"), {f3.id: Decimal("30.00")}),
        (Decimal("180.00"), {f1.id: Decimal("120.00"), f2.id: Decimal("60.00")}),
    ]


@pytest.mark.parametrize(
    "lines",
    [
        (*sale(**LETTERED), *payment(amount="100,00", **LETTERED)),
        (
            *sale(**LETTERED),
            *sale("F2", "60,00", **LETTERED),
            *payment(amount="90,00", **LETTERED),
            *payment("P2", "90,00", **LETTERED),
        ),
    ],
    ids=["does not balance", "leaves a choice"],
)
def test_a_letter_that_is_not_clear_pays_nothing_and_keeps_the_money(database, organisation, f1, lines):
    known(database, organisation, "F2", "60.00")
    result = take(database, organisation, *lines)
    assert result.outcomes[Outcome.ALLOCATED] == 0
    told = [each["Credit"].replace(",", ".") for each in lines if each["JournalCode"] == "BQ" and each["Credit"]]
    assert sum(amount for amount, _ in standing(database, organisation)) == sum(map(Decimal, told))


def test_what_cannot_be_matched_is_kept_until_its_customer_is_told(database, organisation, f1):
    result = take(database, organisation, *sale("X9", aux="C009"), *payment(aux="C009"))
    assert result.outcomes == {Outcome.UNKNOWN_CUSTOMER: 2}
    assert all_of(database, organisation, Receipt) == []
    (customer,) = all_of(database, organisation, Customer)
    with database.transaction(organisation) as session:
        kept = rows.lines_by_outcome(session, [Outcome.UNKNOWN_CUSTOMER])
        assert {line.number for line in kept} == {"X9", "P1"}
        told = assign_account(session, "C009", customer.key, by="user:1", now=NOW)
    assert told.outcomes == {Outcome.UNKNOWN_INVOICE: 1, Outcome.UNALLOCATED: 1}
    assert [amount for amount, _ in standing(database, organisation)] == [Decimal("120.00")]


def test_an_account_or_customer_that_nothing_names_cannot_be_assigned(database, organisation, f1):
    take(database, organisation, *sale())
    (customer,) = all_of(database, organisation, Customer)
    for account, key, error in (
        ("C404", customer.key, UnknownAuxiliaryError),
        ("C001", "nobody", CustomerNotFoundError),
    ):
        with pytest.raises(error), database.transaction(organisation) as session:
            assign_account(session, account, key, by="user:1", now=NOW)


def test_an_invoice_number_with_another_total_teaches_nothing(database, organisation, f1):
    result = take(database, organisation, *sale(amount="999,00"))
    assert result.outcomes == {Outcome.UNKNOWN_CUSTOMER: 1}


def test_another_organisation_sees_neither_lines_nor_accounts(database, organisation, other_organisation, f1):
    lines = (*sale(**LETTERED), *payment(**LETTERED))
    take(database, organisation, *lines)
    with database.transaction(other_organisation) as session:
        assert rows.accounts(session) == []
        assert rows.lines_of(session, "C001") == []
    result = take(database, other_organisation, *lines)
    assert (result.new, result.outcomes) == (2, {Outcome.UNKNOWN_CUSTOMER: 2})


def test_a_file_that_breaks_on_the_way_leaves_nothing(database, organisation, f1):
    content = BytesIO(fec(*sale()).encode() + b"\0")
    with pytest.raises(UnreadableAccountingFileError):
        import_entries(database, organisation, content, dry_run=False, by="operator", now=NOW)
    assert all_of(database, organisation, AccountingEntry) == []


def test_an_import_is_in_the_ledger(database, organisation, f1):
    result = take(database, organisation, *sale(**LETTERED), *payment(**LETTERED))
    kinds = {each.kind: each for each in all_of(database, organisation, LedgerEntry)}
    assert kinds["accounting.imported"].subject == f"accounting:{result.sha256}"
    assert "accounting.account_assigned" in kinds


def test_a_payment_dated_tomorrow_or_in_another_currency_waits(database, organisation, f1):
    foreign = [{**each, "Idevise": "USD"} for each in payment("P2")]
    result = take(database, organisation, *sale(), *payment(day="20261231"), *foreign)
    assert result.outcomes == {Outcome.MATCHED: 1, Outcome.FUTURE: 1, Outcome.OTHER_CURRENCY: 1}


SIRENS = count(100_000_000)
AMOUNTS = {"F1": "120,00", "F2": "60,00", "F3": "50,00"}
LETTERS = st.sampled_from(["", "AA", "BB"])
PAID = st.sampled_from(["120,00", "60,00", "50,00", "180,00", "20,00", "30,00"])


@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    letters=st.lists(LETTERS, min_size=3, max_size=3),
    payments=st.lists(st.tuples(PAID, LETTERS), max_size=4),
    cut=st.integers(0, 7),
)
def test_money_is_conserved_and_any_split_of_a_file_gives_the_same(database, letters, payments, cut):
    entries = [
        sale(number, amount, letter=letter) for (number, amount), letter in zip(AMOUNTS.items(), letters, strict=True)
    ]
    entries += [payment(f"P{place}", amount, letter=letter) for place, (amount, letter) in enumerate(payments)]
    cut = min(cut, len(entries))
    received = sum((Decimal(amount.replace(",", ".")) for amount, _ in payments), Decimal(0))
    seen = []
    for parts in ([entries], [entries[:cut], entries[cut:]], [entries, entries[:cut]]):
        organisation = add_organisation(database, f"{next(SIRENS):09}", "Comptoir")
        for number, amount in AMOUNTS.items():
            known(database, organisation, number, amount.replace(",", "."))
        for part in (*parts, entries):
            take(database, organisation, *(line for entry in part for line in entry))
        names = {each.id: each.number for each in all_of(database, organisation, InvoiceRecord)}
        paid = [
            (amount, {names[key]: value for key, value in pays.items()})
            for amount, pays in standing(database, organisation)
        ]
        assert balance(database, organisation) == Decimal("230.00") - received
        assert sum((amount for amount, _ in paid), Decimal(0)) == received
        with database.transaction(organisation) as session:
            assert verify(session).holds
        seen.append(sorted(paid, key=repr))
    assert seen[0] == seen[1] == seen[2]
