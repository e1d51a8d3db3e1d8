"""Money received is recorded once, pays what is open, is undone by a counter-entry, and is counted once."""

from datetime import date, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from sqlmodel import select

from gateway.access.scope import Scope
from gateway.alerts.deadlines import Receipt as ReceiptKnown
from gateway.ledger.model import LedgerEntry
from gateway.ledger.service import verify
from gateway.lifecycle.errors import InvoiceNotFoundError
from gateway.lifecycle.model import Direction, InvoiceRecord
from gateway.treasury.allocating import NewReceipt
from gateway.treasury.errors import (
    AllocationExceedsInvoiceError,
    InvoiceNotReceivableError,
    ReceiptConflictError,
    ReceiptCurrencyError,
    ReceiptNotFoundError,
    ReceiptNotReversibleError,
    ReversalWithoutReasonError,
)
from gateway.treasury.model import Receipt, ReceiptAllocation, ReceiptDeclaration, ReceiptSource
from gateway.treasury.receipt_rows import receipts_page
from gateway.treasury.receipts import (
    follow_collection,
    receipts_known,
    record_receipt,
    reverse_receipt,
    telling_of,
    undeclared_parts,
)
from gateway.treasury.receivable_rows import open_items
from gateway.treasury.service import aged_balance, days_sales_outstanding
from gateway.treasury.views import views_of
from tests.lifecycle.following import invoice, record, register
from tests.lifecycle.making_events import START, amount

EVERYTHING = Scope.everything()
RECEIVED_ON = date(2026, 10, 5)
NOW = START + timedelta(hours=1)


@pytest.fixture
def f1(database, organisation):
    """An open invoice of 120.00 at 20 %."""
    return register(database, organisation).invoice


def told(reference="VIR-1", received="50.00", **changes):
    facts = {"amount": Decimal(received), "currency": "EUR", "received_on": RECEIVED_ON, "reference": reference}
    return NewReceipt(**{**facts, **changes})


def receive(database, organisation, new, *, scope=EVERYTHING, source=ReceiptSource.API, now=NOW):
    with database.transaction(organisation) as session:
        return record_receipt(session, scope, new, source=source, by="client:1", now=now)


def pay(database, organisation, paid, received="50.00", reference="VIR-1", **changes):
    new = told(reference, received, allocations={paid.id: Decimal(received)}, **changes)
    return receive(database, organisation, new).receipt


def undo(database, organisation, receipt, reason="Saisi deux fois.", scope=EVERYTHING):
    with database.transaction(organisation) as session:
        return reverse_receipt(session, scope, receipt.id, reason=reason, by="client:1", now=NOW)


def collect(database, organisation, value, hours, *, number="F1", rate="20.00"):
    """A 212 by whatever way, and what follows from it for receipts."""
    recorded = record(database, organisation, "212", hours, number=number, data=[amount("MEN", value, rate)])
    with database.transaction(organisation) as session:
        follow_collection(session, recorded, NOW)


def rows(database, organisation, table):
    with database.transaction(organisation) as session:
        return list(session.exec(select(table)))


def open_amount(database, organisation, as_of=date(2026, 11, 20)):
    with database.transaction(organisation) as session:
        return sum(balance.total for balance in aged_balance(session, EVERYTHING, as_of))


def test_money_received_is_no_longer_owed(database, organisation, f1):
    pay(database, organisation, f1)
    assert open_amount(database, organisation) == Decimal("70.00")
    with database.transaction(organisation) as session:
        (dso,) = days_sales_outstanding(session, EVERYTHING, date(2026, 10, 31))
        assert (dso.balance.amount, dso.balance.invoices) == (Decimal("70.00"), 1)
    pay(database, organisation, f1, "70.00", "VIR-2")
    with database.transaction(organisation) as session:
        assert aged_balance(session, EVERYTHING, date(2026, 11, 20)) == []


def test_what_a_212_tells_of_a_receipt_is_counted_once(database, organisation, f1):
    pay(database, organisation, f1)
    collect(database, organisation, "50.00", 2)
    assert open_amount(database, organisation) == Decimal("70.00")
    (told_of,) = rows(database, organisation, ReceiptDeclaration)
    assert told_of.amount == Decimal("50.00")


@pytest.mark.parametrize(("collected", "left"), [("30.00", "70.00"), ("80.00", "40.00")])
def test_a_212_and_a_receipt_that_overlap_in_part_count_the_common_part_once(
    database, organisation, f1, collected, left
):
    pay(database, organisation, f1)
    collect(database, organisation, collected, 2)
    assert open_amount(database, organisation) == Decimal(left)


def test_a_212_that_comes_twice_tells_one_receipt(database, organisation, f1):
    pay(database, organisation, f1, "50.00", "VIR-1")
    pay(database, organisation, f1, "50.00", "VIR-2")
    for _ in range(2):
        collect(database, organisation, "50.00", 2)
    assert len(rows(database, organisation, ReceiptDeclaration)) == 1
    assert open_amount(database, organisation) == Decimal("20.00")


def test_money_that_comes_after_a_212_is_other_money(database, organisation, f1):
    collect(database, organisation, "50.00", 0)
    pay(database, organisation, f1)
    assert open_amount(database, organisation) == Decimal("20.00")


def test_a_212_given_for_a_receipt_tells_that_one_and_not_the_oldest(database, organisation, f1):
    pay(database, organisation, f1, "50.00", "VIR-1", received_on=date(2026, 10, 2))
    meant = pay(database, organisation, f1, "50.00", "VIR-2")
    recorded = record(database, organisation, "212", 2, data=[amount("MEN", "50.00", "20.00")])
    with database.transaction(organisation) as session:
        ((part, _),) = undeclared_parts(session, meant.id)
        with telling_of(session, part.id):
            follow_collection(session, recorded, NOW)
        assert undeclared_parts(session, meant.id) == []
    assert [row.allocation_id for row in rows(database, organisation, ReceiptDeclaration)] == [part.id]


def test_a_212_of_another_currency_or_of_a_payable_tells_no_receipt(database, organisation, f1):
    pay(database, organisation, f1)
    dollars = amount("MEN", "50.00", "20.00").model_copy(update={"currency": "USD"})
    recorded = record(database, organisation, "212", 2, data=[dollars])
    with database.transaction(organisation) as session:
        follow_collection(session, recorded, NOW)
    register(database, organisation, direction=Direction.PAYABLE)
    ours = record(database, organisation, "212", 3, direction=Direction.PAYABLE, data=[amount("MEN", "50.00", "20.00")])
    with database.transaction(organisation) as session:
        follow_collection(session, ours, NOW)
    assert rows(database, organisation, ReceiptDeclaration) == []


def test_the_same_receipt_told_twice_is_one(database, organisation, f1):
    new = told(allocations={f1.id: Decimal("50")}, payer_reference="FACTURE F1")
    first, again = (receive(database, organisation, new) for _ in range(2))
    assert (first.known, again.known) == (False, True)
    assert again.receipt.id == first.receipt.id
    assert open_amount(database, organisation) == Decimal("70.00")
    other_source = receive(database, organisation, told(), source=ReceiptSource.PERSON)
    assert not other_source.known


@pytest.mark.parametrize(
    "change",
    [
        {"amount": Decimal("51.00")},
        {"received_on": date(2026, 10, 4)},
        {"payer_reference": "autre"},
        {"allocations": {}},
        {"currency": "USD"},
    ],
)
def test_the_same_reference_with_other_content_is_refused(database, organisation, f1, change):
    sound = {"allocations": {f1.id: Decimal("50.00")}}
    receive(database, organisation, told(**sound))
    with pytest.raises(ReceiptConflictError, match="VIR-1"):
        receive(database, organisation, told(**{**sound, **change}))
    assert len(rows(database, organisation, Receipt)) == 1


def test_what_is_received_twice_cannot_exceed_what_is_open(database, organisation, f1):
    pay(database, organisation, f1, "100.00")
    collect(database, organisation, "10.00", 2)
    collect(database, organisation, "100.00", 3)
    with pytest.raises(AllocationExceedsInvoiceError, match=r"10\.01"):
        pay(database, organisation, f1, "10.01", "VIR-2")
    assert open_amount(database, organisation) == Decimal("10.00")
    assert len(rows(database, organisation, Receipt)) == 1
    overpaid = told("VIR-2", "15.00", allocations={f1.id: Decimal("10.00")})
    receive(database, organisation, overpaid)
    assert open_amount(database, organisation) == 0


def test_one_receipt_pays_an_invoice_less_a_credit_note(database, organisation, f1):
    credit = register(database, organisation, invoice("A1", "20.00", type_code="381")).invoice
    both = {f1.id: Decimal("120.00"), credit.id: Decimal("-20.00")}
    receive(database, organisation, told(received="100.00", allocations=both))
    assert open_amount(database, organisation) == 0


def test_only_our_own_invoices_in_the_same_currency_and_in_sight_are_paid(
    database, organisation, other_organisation, f1
):
    ours_to_pay = register(database, organisation, direction=Direction.PAYABLE).invoice
    theirs = register(database, other_organisation).invoice
    with pytest.raises(InvoiceNotReceivableError):
        pay(database, organisation, ours_to_pay)
    with pytest.raises(ReceiptCurrencyError, match="USD"):
        pay(database, organisation, f1, currency="USD")
    with pytest.raises(InvoiceNotFoundError):
        pay(database, organisation, theirs)
    with pytest.raises(InvoiceNotFoundError):
        limited = Scope.limited_to([uuid4()], [])
        receive(database, organisation, told(allocations={f1.id: Decimal("1.00")}), scope=limited)
    assert rows(database, organisation, Receipt) == []
    assert rows(database, other_organisation, Receipt) == []


def test_a_mistake_is_undone_by_a_counter_entry_that_says_why(database, organisation, f1):
    receipt = pay(database, organisation, f1)
    counter = undo(database, organisation, receipt)
    assert (counter.amount, counter.reverses_id, counter.comment) == (
        Decimal("-50.00"), receipt.id, "Saisi deux fois.",
    )  # fmt: skip
    assert open_amount(database, organisation) == Decimal("120.00")
    with database.transaction(organisation) as session:
        assert undeclared_parts(session, receipt.id) == undeclared_parts(session, counter.id) == []
    for wrong in (receipt, counter):
        with pytest.raises(ReceiptNotReversibleError):
            undo(database, organisation, wrong)


def test_a_reversal_without_a_reason_or_of_nothing_is_refused(database, organisation, f1):
    receipt = pay(database, organisation, f1)
    with pytest.raises(ReversalWithoutReasonError):
        undo(database, organisation, receipt, reason=" ")
    with pytest.raises(ReceiptNotFoundError):
        undo(database, organisation, f1)
    with pytest.raises(InvoiceNotFoundError):
        undo(database, organisation, receipt, scope=Scope.limited_to([uuid4()], []))
    assert len(rows(database, organisation, Receipt)) == 1


def test_a_reversed_receipt_keeps_its_reference(database, organisation, f1):
    receipt = pay(database, organisation, f1)
    undo(database, organisation, receipt)
    again = receive(database, organisation, told(allocations={f1.id: Decimal("50.00")}))
    assert (again.known, again.receipt.id) == (True, receipt.id)


@pytest.mark.parametrize("table", [Receipt, ReceiptAllocation, ReceiptDeclaration])
@pytest.mark.parametrize("change", ["UPDATE {} SET amount = 1", "DELETE FROM {}"])
def test_the_database_refuses_to_change_or_delete_a_receipt(database, organisation, f1, table, change):
    pay(database, organisation, f1)
    collect(database, organisation, "50.00", 2)
    assert rows(database, organisation, table)
    for transaction in (database.transaction(organisation), database.system_transaction()):
        with pytest.raises(ProgrammingError), transaction as session:
            session.connection().execute(text(change.format(table.__tablename__)))


def test_the_ledger_tells_every_receipt_allocation_reversal_and_declaration(database, organisation, f1):
    receipt = pay(database, organisation, f1)
    collect(database, organisation, "50.00", 2)
    undo(database, organisation, receipt)
    with database.transaction(organisation) as session:
        entries = session.exec(select(LedgerEntry.kind, LedgerEntry.subject).order_by(LedgerEntry.position)).all()
        assert verify(session).holds
    key = "invoice:F1/552100554/2026"
    receipts = [(kind, subject == key) for kind, subject in entries if kind.startswith("receipt.")]
    assert receipts == [
        ("receipt.recorded", False),
        ("receipt.allocated", True),
        ("receipt.declared", True),
        ("receipt.reversed", False),
        ("receipt.allocated", True),
    ]


def test_the_review_of_deadlines_learns_what_no_212_tells_and_since_when(database, organisation, f1):
    collect(database, organisation, "10.00", 0)
    pay(database, organisation, f1, "30.00", "VIR-1", received_on=date(2026, 10, 2))
    pay(database, organisation, f1, "40.00", "VIR-2", received_on=date(2026, 10, 3))

    def known():
        with database.transaction(organisation) as session:
            invoices = session.exec(select(InvoiceRecord)).all()
            assert invoices[0].next_check_at == NOW
            return receipts_known(session, invoices)

    assert known() == {f1.id: ReceiptKnown(Decimal("80.00"), date(2026, 10, 2))}
    collect(database, organisation, "30.00", 2)
    with database.transaction(organisation) as session:
        invoices = session.exec(select(InvoiceRecord)).all()
        assert receipts_known(session, invoices) == {f1.id: ReceiptKnown(Decimal("80.00"), date(2026, 10, 3))}
    collect(database, organisation, "40.00", 3)
    with database.transaction(organisation) as session:
        assert receipts_known(session, session.exec(select(InvoiceRecord)).all()) == {}


def test_a_limited_person_sees_only_receipts_and_allocations_in_scope(database, organisation, f1):
    lyon = uuid4()
    f2 = register(database, organisation, invoice("F2"), agency_id=lyon).invoice
    receive(database, organisation, told("BOTH", "20.00", allocations={f1.id: Decimal(10), f2.id: Decimal(10)}))
    pay(database, organisation, f1, "5.00", "F1-ONLY")
    receive(database, organisation, told("LOOSE"))

    def seen(scope, invoice_id=None):
        with database.transaction(organisation) as session:
            page = receipts_page(session, scope, invoice_id=invoice_id, cursor=None, limit=10)
            views = views_of(session, scope, page.items)
        return {view.reference: [each.number for each in view.allocations] for view in views}

    assert {name: sorted(numbers) for name, numbers in seen(EVERYTHING).items()} == {
        "BOTH": ["F1", "F2"], "F1-ONLY": ["F1"], "LOOSE": [],
    }  # fmt: skip
    assert seen(Scope.limited_to([lyon], [])) == {"BOTH": ["F2"]}
    assert seen(Scope.limited_to([lyon], []), f1.id) == {}
    assert set(seen(EVERYTHING, f1.id)) == {"BOTH", "F1-ONLY"}


#: What may happen to an invoice of 120.00: money comes in or goes back, a mistake is undone, a 212 is given.
DEEDS = st.lists(
    st.tuples(
        st.sampled_from(["receive", "undo", "collect"]),
        st.decimals(-130, 130, places=2).filter(bool),
        st.integers(0, 9),
    ),
    max_size=8,
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(DEEDS)
def test_money_is_conserved_whatever_happens(database, organisation, deeds):
    number = f"F-{uuid4().hex[:8]}"
    paid = register(database, organisation, invoice(number)).invoice
    receipts, expected_received, hours = [], Decimal(0), 1
    for deed, value, which in deeds:
        if deed == "collect":
            hours += 1
            collect(database, organisation, str(value), hours, number=number)
        elif deed == "undo" and receipts:
            receipt = receipts.pop(which % len(receipts))
            undo(database, organisation, receipt)
            expected_received -= receipt.amount
        elif deed == "receive":
            try:
                receipts.append(pay(database, organisation, paid, str(value), reference=uuid4().hex))
                expected_received += value
            except AllocationExceedsInvoiceError:
                continue
    with database.transaction(organisation) as session:
        now = session.get(InvoiceRecord, paid.id)
        known = receipts_known(session, [now]).get(paid.id)
        left = {each.invoice_id: each.remaining for each in open_items(session, EVERYTHING, date(2026, 11, 20))}
        parts = [row for row in session.exec(select(ReceiptAllocation)) if row.invoice_id == paid.id]
        ids = {row.id for row in parts}
        declared = [row.amount for row in session.exec(select(ReceiptDeclaration)) if row.allocation_id in ids]
    assert sum(row.amount for row in parts) == expected_received
    undeclared = known.amount - now.collected if known else Decimal(0)
    assert undeclared == expected_received - sum(declared)
    assert now.amount_due == left.get(paid.id, 0) + now.collected + undeclared
