"""A write-off lowers what is owed and nothing else: it is undone by a counter-entry, and gives way to money."""

from datetime import date, timedelta
from decimal import Decimal
from itertools import count
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import select

from gateway.access.scope import Scope
from gateway.customers.linking import link_invoice
from gateway.kernel.clock import paris_date
from gateway.ledger.model import LedgerEntry
from gateway.lifecycle.errors import InvoiceNotFoundError
from gateway.lifecycle.model import InvoiceRecord
from gateway.treasury.allocating import NewReceipt
from gateway.treasury.errors import (
    SmallDifferenceTooLargeError,
    WriteOffAmountError,
    WriteOffNotFoundError,
    WriteOffNotReversibleError,
    WriteOffWithoutReasonError,
)
from gateway.treasury.model import ReceiptSource, WriteOff, WriteOffKind
from gateway.treasury.receipts import follow_collection, receipts_known, record_receipt, reverse_receipt
from gateway.treasury.receivable_rows import open_items
from gateway.treasury.receivables import Dimension, Family, sum_up
from gateway.treasury.service import aged_balance
from gateway.treasury.write_off_rows import left_of, standing_of_invoices, write_offs_page, written_off
from gateway.treasury.writing_off import too_many, undo_write_off, write_off
from tests.conftest import add_organisation
from tests.lifecycle.following import invoice, record, register
from tests.lifecycle.making_events import START, amount

NOW = START + timedelta(days=30)
TODAY = date(2026, 11, 20)
ALL = Scope.everything()
MONEY = st.decimals(Decimal("0.01"), Decimal("200.00"), places=2)


def follow(database, organisation, number="F1", due="120.00", **changes):
    what = invoice(number, due, **changes)
    registration = register(database, organisation, what, content=number.encode())
    with database.transaction(organisation) as session:
        link_invoice(session, registration, what.buyer, START)
    return registration.invoice


def give_up(
    database, organisation, invoice_id, given_up=None, kind=WriteOffKind.LOSS, reason="Client disparu.", now=NOW
):
    given_up = None if given_up is None else Decimal(given_up)
    with database.transaction(organisation) as session:
        row = write_off(session, ALL, invoice_id, given_up, kind=kind, reason=reason, by="user:1", now=now)
        session.flush()
        return row.id


def undo(database, organisation, write_off_id, reason="Erreur."):
    with database.transaction(organisation) as session:
        return undo_write_off(session, ALL, write_off_id, reason=reason, by="user:1", now=NOW).id


def pay(database, organisation, invoice_id, paid, reference="VIR-1"):
    new = NewReceipt(Decimal(paid), "EUR", date(2026, 10, 1), reference, allocations={invoice_id: Decimal(paid)})
    with database.transaction(organisation) as session:
        later = NOW + timedelta(days=1)
        return record_receipt(session, ALL, new, source=ReceiptSource.API, by="client:1", now=later).receipt.id


def collect(database, organisation, collected):
    recorded = record(database, organisation, "212", 1, data=[amount("MEN", collected, "20.00")])
    with database.transaction(organisation) as session:
        follow_collection(session, recorded, START)


def owed(database, organisation):
    """What is left of each invoice by the queries of receivables, the aged balance and the rows; they agree."""
    with database.transaction(organisation) as session:
        items = {each.number: each.remaining for each in open_items(session, ALL, TODAY) if each.invoice_id}
        balances = aged_balance(session, ALL, TODAY)
    assert sum((each.total for each in balances), Decimal(0)) == sum(items.values(), Decimal(0))
    return items


@pytest.fixture
def f1(database, organisation):
    return follow(database, organisation)


def test_what_is_written_off_is_owed_no_more_and_told_apart(database, organisation, f1):
    give_up(database, organisation, f1.id, "20.00")
    with database.transaction(organisation) as session:
        (item,) = open_items(session, ALL, TODAY)
        (cell,) = sum_up([item], {}, by=Dimension.CUSTOMER, groups={}, as_of=TODAY)
    figures = {family: figure.amount for family, figure in cell.figures.items()}
    assert figures[Family.INVOICED] == 120
    assert figures[Family.WRITTEN_OFF] == -20
    assert figures[Family.BALANCE] == 100
    assert Family.PAYMENTS not in figures
    assert owed(database, organisation) == {"F1": 100}


def test_all_that_is_left_is_written_off_when_no_amount_is_given(database, organisation, f1):
    pay(database, organisation, f1.id, "70.00")
    give_up(database, organisation, f1.id)
    assert owed(database, organisation) == {}
    with database.transaction(organisation) as session:
        (row,) = session.exec(select(WriteOff))
        assert (row.amount, row.written_off_on) == (50, paris_date(NOW))


def test_a_write_off_undone_is_owed_again_and_both_stay(database, organisation, f1):
    first = give_up(database, organisation, f1.id)
    counter = undo(database, organisation, first)
    assert owed(database, organisation) == {"F1": 120}
    with database.transaction(organisation) as session:
        page = write_offs_page(session, ALL, invoice_id=f1.id)
        assert {row.id for row in page.items} == {first, counter}
        told = {row.kind: row.content for row in session.exec(select(LedgerEntry))}
    assert told["write_off.recorded"]["reason"] == "Client disparu."
    assert told["write_off.undone"]["reverses"] == str(first)
    for undone in (first, counter):
        with pytest.raises(WriteOffNotReversibleError):
            undo(database, organisation, undone)


@pytest.mark.parametrize("given_up", ["0", "-1.00", "120.01", "0.001"])
def test_no_more_than_what_is_left_is_written_off(database, organisation, f1, given_up):
    with pytest.raises(WriteOffAmountError):
        give_up(database, organisation, f1.id, given_up)


def test_a_credit_note_is_written_off_by_its_own_sign(database, organisation):
    note = follow(database, organisation, "A1", "30.00", type_code="381")
    with pytest.raises(WriteOffAmountError):
        give_up(database, organisation, note.id, "10.00")
    give_up(database, organisation, note.id, "-10.00")
    assert owed(database, organisation) == {"A1": -20}


def test_a_small_difference_is_small(database, organisation, f1):
    with pytest.raises(SmallDifferenceTooLargeError):
        give_up(database, organisation, f1.id, "5.01", WriteOffKind.SMALL_DIFFERENCE)
    give_up(database, organisation, f1.id, "5.00", WriteOffKind.SMALL_DIFFERENCE)


def test_a_write_off_says_why(database, organisation, f1):
    with pytest.raises(WriteOffWithoutReasonError):
        give_up(database, organisation, f1.id, reason=" ")
    made = give_up(database, organisation, f1.id)
    with pytest.raises(WriteOffWithoutReasonError):
        undo(database, organisation, made, reason="")


def test_a_rejected_invoice_has_nothing_to_write_off(database, organisation, f1):
    made = give_up(database, organisation, f1.id, "20.00")
    record(database, organisation, "213")
    assert owed(database, organisation) == {}
    with pytest.raises(WriteOffAmountError):
        give_up(database, organisation, f1.id, "1.00")
    undo(database, organisation, made)
    assert owed(database, organisation) == {}


def test_money_that_comes_after_all_undoes_as_much_as_it_must(database, organisation, f1):
    give_up(database, organisation, f1.id, "20.00")
    give_up(database, organisation, f1.id, "30.00", now=NOW + timedelta(hours=1))
    pay(database, organisation, f1.id, "80.00")
    assert owed(database, organisation) == {"F1": 20}
    with database.transaction(organisation) as session:
        last = write_offs_page(session, ALL, invoice_id=f1.id).items[0]
        assert (last.amount, last.recorded_by) == (-30, "gateway")


def test_a_212_undoes_a_write_off_too(database, organisation, f1):
    give_up(database, organisation, f1.id)
    collect(database, organisation, "120.00")
    assert owed(database, organisation) == {}
    with database.transaction(organisation) as session:
        assert sum(row.amount for row in session.exec(select(WriteOff))) == 0


def test_money_taken_back_does_not_bring_a_write_off_back(database, organisation, f1):
    give_up(database, organisation, f1.id, "20.00")
    receipt_id = pay(database, organisation, f1.id, "120.00")
    with database.transaction(organisation) as session:
        reverse_receipt(session, ALL, receipt_id, reason="Impayé.", by="user:1", now=NOW)
    assert owed(database, organisation) == {"F1": 120}


def test_deadlines_know_what_is_written_off(database, organisation, f1):
    give_up(database, organisation, f1.id, "20.00")
    with database.transaction(organisation) as session:
        known = receipts_known(session, [f1])[f1.id]
    assert (known.amount, known.written_off) == (0, 20)


def test_another_organisation_or_scope_writes_nothing_off(database, organisation, other_organisation, f1):
    made = give_up(database, organisation, f1.id, "20.00")
    with pytest.raises(InvoiceNotFoundError):
        give_up(database, other_organisation, f1.id, "1.00")
    with pytest.raises(WriteOffNotFoundError):
        undo(database, other_organisation, made)
    with database.transaction(organisation) as session:
        nothing = Scope(agencies=frozenset(), key_accounts=frozenset())
        assert write_offs_page(session, nothing).items == []
        with pytest.raises(WriteOffNotFoundError):
            undo_write_off(session, nothing, made, reason="Non.", by="user:1", now=NOW)


@pytest.mark.parametrize("act", ["UPDATE write_off SET amount = 1", "DELETE FROM write_off"])
def test_the_database_keeps_write_offs_as_they_are(database, organisation, f1, act):
    give_up(database, organisation, f1.id)
    with pytest.raises(DBAPIError), database.transaction(organisation) as session:
        session.connection().execute(text(act))


@given(st.lists(MONEY, max_size=5), st.decimals(Decimal("-50.00"), Decimal("500.00"), places=2))
def test_what_stays_written_off_always_fits_into_what_is_unpaid(amounts, unpaid):
    standing = [WriteOff(amount=each) for each in amounts]
    gone = too_many(standing, unpaid)
    kept = sum((row.amount for row in standing[: len(standing) - len(gone)]), Decimal(0))
    assert gone == list(reversed(standing))[: len(gone)]
    assert kept <= max(unpaid, Decimal(0))
    if gone:  # one less would not do
        assert kept + gone[-1].amount > unpaid


SIRENS = count(200_000_000)
STEPS = st.lists(
    st.tuples(st.sampled_from(["pay", "give up", "undo", "bounce"]), st.integers(1, 150)), min_size=1, max_size=8
)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(steps=STEPS)
def test_invoiced_is_open_received_and_written_off_after_any_history(database, steps):
    organisation = add_organisation(database, f"{next(SIRENS):09}", "Comptoir")
    followed = follow(database, organisation)
    received: dict[UUID, Decimal] = {}
    for place, (step, euros) in enumerate(steps):
        with database.transaction(organisation) as session:
            left = left_of(session, [session.get_one(InvoiceRecord, followed.id)])[followed.id]
            standing = standing_of_invoices(session, [followed.id]).get(followed.id, [])
            lost = [row.id for row in standing]
        unpaid = 120 - sum(received.values())
        if step == "pay" and unpaid:
            paid = min(Decimal(euros), unpaid)
            received[pay(database, organisation, followed.id, paid, f"VIR-{place}")] = paid
        elif step == "give up" and left:
            give_up(database, organisation, followed.id, min(Decimal(euros), left))
        elif step == "undo" and lost:
            undo(database, organisation, lost[euros % len(lost)])
        elif step == "bounce" and received:
            receipt_id, _ = received.popitem()
            with database.transaction(organisation) as session:
                reverse_receipt(session, ALL, receipt_id, reason="Impayé.", by="user:1", now=NOW)
        with database.transaction(organisation) as session:
            given_up = written_off(session, [followed.id]).get(followed.id, Decimal(0))
        left = owed(database, organisation).get("F1", Decimal(0))
        assert left >= 0
        assert left + sum(received.values()) + given_up == 120
