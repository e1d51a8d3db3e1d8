"""Penalties of invoices in the database: what ran, what is claimed, what pays it, what is given up."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from sqlalchemy.exc import DBAPIError
from sqlmodel import col, select, update

from gateway.access.scope import Scope
from gateway.collection.agreements.model import Dispute, DisputeOutcome
from gateway.collection.law.claiming import (
    agree_on_rate,
    choose_treatment,
    claim_paid_late,
    claim_penalties,
    pay_penalty,
    waive_penalty,
)
from gateway.collection.law.errors import (
    AgreedRateTooLowError,
    LegalFactError,
    NotAReceivableError,
    NothingToClaimError,
    PenaltyNotFoundError,
    PenaltySettlementError,
    ProvisionalRateError,
    ReceiptCannotSettleError,
)
from gateway.collection.law.model import Penalty, PenaltyKind, Treatment
from gateway.collection.law.penalties import IndemnityRefusal
from gateway.collection.law.positions import PenaltyPosition, positions_of
from gateway.collection.law.repository import due_invoices, paid_late
from gateway.collection.law.statute import statute
from gateway.customers.model import Customer
from gateway.database import Database
from gateway.invoices.model import PrecedingInvoice
from gateway.ledger.model import LedgerEntry
from gateway.ledger.service import take_turn
from gateway.lifecycle.errors import InvoiceNotFoundError
from gateway.lifecycle.model import InvoiceRecord
from gateway.treasury.allocating import NewReceipt
from gateway.treasury.model import Receipt, ReceiptSource
from gateway.treasury.receipts import record_receipt, reverse_receipt
from tests.collection.agreeing import BY, EVERYTHING, House

LAW = statute()
ISSUED, DUE = date(2025, 3, 31), date(2025, 4, 30)
END = date(2026, 2, 28)
NOBODY = Scope.limited_to([UUID(int=1)], [])


@pytest.fixture
def house(database: Database, organisation: UUID) -> House:
    house = House(database, organisation, now=datetime(2026, 3, 2, 9, 0, tzinfo=UTC))
    house.owes("F1", "12000.00", issue_date=ISSUED, due_date=DUE)
    return house


def position(house: House, until: date = END, number: str = "F1") -> PenaltyPosition:
    with house.database.transaction(house.organisation) as session:
        [found] = positions_of(session, [house.owed[number]], until, LAW)
    return found


def claim(house: House, until: date = END, number: str = "F1", scope: Scope = EVERYTHING) -> list[Penalty]:
    with house.database.transaction(house.organisation) as session:
        return claim_penalties(session, scope, house.owed[number].id, LAW, until=until, by=BY, now=house.tick())


def receive(house: House, amount: str) -> Receipt:
    new = NewReceipt(Decimal(amount), "EUR", date(2026, 3, 1), reference=amount)
    with house.database.transaction(house.organisation) as session:
        return record_receipt(session, EVERYTHING, new, source=ReceiptSource.API, by=BY, now=house.tick()).receipt


def settle(house: House, penalty: Penalty, amount: str, receipt: Receipt) -> Decimal:
    with house.database.transaction(house.organisation) as session:
        paid = pay_penalty(session, EVERYTHING, penalty.id, Decimal(amount), receipt.id, by=BY, now=house.tick())
        return paid.left


def change_customer(house: House, **facts: object) -> None:
    with house.database.transaction(house.organisation) as session:
        session.execute(update(Customer).where(col(Customer.id) == house.customer()).values(**facts))


def test_the_sheet_of_the_documentation_comes_out_of_the_database_to_the_cent(house: House) -> None:
    house.pay("4000.00", on=date(2025, 6, 15))
    with house.database.transaction(house.organisation) as session:
        session.add(
            Dispute(
                organisation_id=house.organisation,
                invoice_id=house.owed["F1"].id,
                amount=Decimal(1500),
                reason="price",
                comment="",
                team="sales",
                opened_on=date(2025, 8, 1),
                opened_by=BY,
                since=house.now,
                closed_on=date(2025, 9, 15),
                outcome=DisputeOutcome.CREDIT_NOTE.value,
            )
        )
    reference = (PrecedingInvoice(number="F1", issue_date=ISSUED),)
    house.owes("A1", "500.00", type_code="381", issue_date=date(2025, 9, 15), preceding_invoices=reference)
    house.pay("7500.00", on=date(2026, 2, 10))
    found = position(house)
    assert [(line.first, line.days, line.base, line.percent) for line in found.sheet.lines] == [
        (date(2025, 5, 1), 46, Decimal(12000), Decimal("13.15")),
        (date(2025, 6, 16), 15, Decimal(8000), Decimal("13.15")),
        (date(2025, 7, 1), 31, Decimal(8000), Decimal("12.15")),
        (date(2025, 8, 1), 46, Decimal(6500), Decimal("12.15")),
        (date(2025, 9, 16), 107, Decimal(7500), Decimal("12.15")),
        (date(2026, 1, 1), 41, Decimal(7500), Decimal("12.15")),
    ]
    assert (found.sheet.total, found.indemnity.amount) == (Decimal("793.68"), Decimal("40.00"))


def test_a_dispute_that_was_not_founded_stops_no_interest(house: House) -> None:
    before = position(house).sheet.total
    with house.database.transaction(house.organisation) as session:
        session.add(
            Dispute(
                organisation_id=house.organisation,
                invoice_id=house.owed["F1"].id,
                reason="price",
                comment="",
                team="sales",
                opened_on=date(2025, 8, 1),
                opened_by=BY,
                since=house.now,
                closed_on=date(2025, 9, 15),
                outcome=DisputeOutcome.REFUSED.value,
            )
        )
    assert position(house).sheet.total == before


def test_money_that_bounced_never_was(house: House) -> None:
    before = position(house).sheet
    receipt = house.pay("4000.00", on=date(2025, 6, 15))
    assert position(house).sheet.total < before.total
    house.bounce(receipt)
    assert position(house).sheet == before


def test_a_claim_takes_what_has_run_and_the_indemnity_once(house: House) -> None:
    first = claim(house, date(2025, 6, 30))
    second = claim(house)
    assert [(row.kind, row.number, row.currency) for row in (*first, *second)] == [
        (PenaltyKind.INTEREST, 1, "EUR"),
        (PenaltyKind.INDEMNITY, 2, "EUR"),
        (PenaltyKind.INTEREST, 3, "EUR"),
    ]
    found = position(house)
    assert first[0].amount + second[0].amount == found.sheet.total
    assert (found.interest_to_claim, found.indemnity_to_claim) == (0, 0)
    with pytest.raises(NothingToClaimError):
        claim(house)


def test_a_claim_survives_the_payment_of_the_principal(house: House) -> None:
    claim(house, date(2025, 6, 30))
    house.pay("12000.00", on=date(2025, 7, 31))
    found = position(house)
    assert [each.left for each in found.claimed] == [each.penalty.amount for each in found.claimed]
    assert found.interest_to_claim > 0
    [rest] = claim(house)
    assert rest.amount == found.interest_to_claim


def test_a_claim_keeps_how_it_was_computed_and_stands_in_the_ledger(house: House) -> None:
    [interest, _] = claim(house, date(2025, 5, 10))
    assert interest.sheet["lines"] == [
        {
            "from": "2025-05-01",
            "to": "2025-05-10",
            "days": 10,
            "base": "12000.00",
            "percent": "13.15",
            "amount": "43.2329",
        }
    ]
    with house.database.transaction(house.organisation) as session:
        kinds = session.exec(select(LedgerEntry.kind).where(LedgerEntry.subject.startswith("invoice:F1/"))).all()  # type: ignore[attr-defined]
    assert kinds.count("penalty.claimed") == 2


def test_money_pays_a_penalty_once_and_no_more_than_is_left(house: House) -> None:
    [interest, indemnity] = claim(house, date(2025, 5, 10))
    receipt = receive(house, "70.00")
    assert settle(house, interest, "30.00", receipt) == Decimal("13.23")
    with pytest.raises(PenaltySettlementError):
        settle(house, interest, "13.24", receipt)
    with pytest.raises(ReceiptCannotSettleError):
        settle(house, indemnity, "40.00", receive(house, "39.99"))
    assert settle(house, indemnity, "40.00", receipt) == 0
    with pytest.raises(ReceiptCannotSettleError):
        settle(house, interest, "0.01", receipt)


def test_a_receipt_that_is_undone_pays_no_penalty(house: House) -> None:
    [interest, _] = claim(house, date(2025, 5, 10))
    receipt = receive(house, "43.23")
    assert settle(house, interest, "43.23", receipt) == 0
    with house.database.transaction(house.organisation) as session:
        reverse_receipt(session, EVERYTHING, receipt.id, reason="Rejeté.", by=BY, now=house.tick())
    assert position(house).claimed[0].left == Decimal("43.23")


def test_a_waiver_gives_up_what_is_left(house: House) -> None:
    [interest, _] = claim(house, date(2025, 5, 10))
    with house.database.transaction(house.organisation) as session:
        waived = waive_penalty(session, EVERYTHING, interest.id, None, reason="Geste", by=BY, now=house.tick())
        assert (waived.left, waived.waived) == (0, Decimal("43.23"))
    with house.database.transaction(house.organisation) as session, pytest.raises(PenaltySettlementError):
        waive_penalty(session, EVERYTHING, interest.id, None, reason="Encore", by=BY, now=house.tick())


def test_what_was_claimed_is_never_rewritten(house: House) -> None:
    [interest, _] = claim(house, date(2025, 5, 10))
    with pytest.raises(DBAPIError), house.database.transaction(house.organisation) as session:
        session.execute(update(Penalty).where(col(Penalty.id) == interest.id).values(amount=1))


def test_the_narrowest_choice_counts(house: House) -> None:
    steps = [
        (Treatment.CLAIMED, {}),
        (Treatment.WAIVED, {"customer_id": house.customer()}),
        (Treatment.ANNOUNCED, {"invoice_id": house.owed["F1"].id}),
    ]
    assert position(house).treatment is Treatment.ANNOUNCED
    for treatment, of in steps:
        with house.database.transaction(house.organisation) as session:
            choose_treatment(session, treatment, **of, reason="", by=BY, now=house.tick())  # type: ignore[arg-type]
        assert position(house).treatment is treatment
    with house.database.transaction(house.organisation) as session:
        choose_treatment(session, Treatment.CLAIMED, reason="", by=BY, now=house.tick())
    assert position(house).treatment is Treatment.ANNOUNCED


def test_waived_penalties_are_not_claimed(house: House) -> None:
    with house.database.transaction(house.organisation) as session:
        choose_treatment(session, Treatment.WAIVED, reason="", by=BY, now=house.tick())
    with pytest.raises(NothingToClaimError):
        claim(house)


def test_an_invoice_paid_late_is_claimed_by_itself_when_that_was_chosen(house: House) -> None:
    house.owes("F2", "100.00", issue_date=ISSUED, due_date=DUE)
    house.pay("12000.00", on=date(2025, 5, 10))
    house.pay("100.00", "F2", on=DUE)
    with house.database.transaction(house.organisation) as session:
        assert paid_late(session, None, 10) == []
        choose_treatment(session, Treatment.CLAIMED, reason="", by=BY, now=house.tick())
    for _ in range(2):
        with house.database.transaction(house.organisation) as session:
            take_turn(session)
            claim_paid_late(session, paid_late(session, None, 10), LAW, now=house.tick())
    with house.database.transaction(house.organisation) as session:
        rows = session.exec(select(Penalty).order_by(col(Penalty.number))).all()
    assert [(row.invoice_id, row.amount) for row in rows] == [
        (house.owed["F1"].id, Decimal("43.23")),
        (house.owed["F1"].id, Decimal("40.00")),
    ]


def test_interest_on_a_rate_not_known_yet_is_shown_and_not_claimed(house: House) -> None:
    house.go_to(date(2026, 9, 1))
    found = position(house, date(2026, 8, 31))
    assert found.sheet.provisional_from == date(2026, 7, 1)
    [indemnity] = claim(house, date(2026, 8, 31))
    assert indemnity.kind == PenaltyKind.INDEMNITY
    with pytest.raises(ProvisionalRateError):
        claim(house, date(2026, 8, 31))
    assert [row.kind for row in claim(house, date(2026, 6, 30))] == [PenaltyKind.INTEREST]


def test_an_agreed_rate_holds_for_its_customer_and_never_below_the_floor(house: House) -> None:
    def agree(percent: str, customer_id: UUID | None) -> None:
        with house.database.transaction(house.organisation) as session:
            agree_on_rate(
                session,
                LAW,
                Decimal(percent),
                date(2026, 1, 1),
                customer_id=customer_id,
                source="CGV",
                by=BY,
                now=house.tick(),
            )

    with pytest.raises(AgreedRateTooLowError):
        agree("7.85", None)
    agree("9.00", None)
    assert {line.percent for line in position(house).sheet.lines} == {Decimal("13.15"), Decimal("12.15"), Decimal(9)}
    agree("15.00", house.customer())
    assert position(house).sheet.lines[-1].percent == Decimal(15)


@pytest.mark.parametrize(
    ("facts", "bt_9", "due"),
    [
        ({"is_public": False}, date(2026, 10, 20), date(2026, 10, 20)),
        ({"is_public": True}, date(2026, 10, 20), date(2026, 11, 4)),
        ({"is_public": True}, date(2026, 12, 1), date(2026, 12, 1)),
        ({"is_public": True, "payment_terms": "50"}, date(2026, 10, 20), date(2026, 11, 24)),
    ],
)
def test_the_term_of_a_public_buyer_runs_from_the_day_it_received_the_invoice(
    database: Database, organisation: UUID, facts: dict[str, object], bt_9: date, due: date
) -> None:
    house = House(database, organisation)
    house.owes("F1", "12000.00", due_date=bt_9)
    change_customer(house, **facts)
    house.hear("203")
    with house.database.transaction(house.organisation) as session:
        house.owed["F1"] = session.get_one(InvoiceRecord, house.owed["F1"].id)
    found = position(house, date(2026, 12, 31))
    assert (found.late.due_date, found.sheet.lines[0].first) == (due, due + timedelta(days=1))


@pytest.mark.parametrize(
    ("facts", "percent", "refusal"),
    [
        ({}, "13.15", None),
        ({"is_public": True}, "11.15", None),
        ({"is_consumer": True}, None, IndemnityRefusal.CONSUMER),
        ({"insolvent_since": DUE}, None, IndemnityRefusal.INSOLVENCY),
    ],
)
def test_who_owes_decides_rate_and_indemnity(
    house: House, facts: dict[str, object], percent: str | None, refusal: IndemnityRefusal | None
) -> None:
    if facts:
        change_customer(house, **facts)
    found = position(house, date(2025, 5, 31))
    assert [line.percent for line in found.sheet.lines] == ([Decimal(percent)] if percent else [])
    assert found.indemnity.refusal is refusal


def test_a_refused_invoice_bears_nothing(house: House) -> None:
    with house.database.transaction(house.organisation) as session:
        invoice = session.get_one(InvoiceRecord, house.owed["F1"].id)
        invoice.is_closed = True
        session.add(invoice)
        session.flush()
        [found] = positions_of(session, [invoice], END, LAW)
    assert found.sheet.total == 0
    with pytest.raises(NothingToClaimError):
        claim(house)


def test_what_nobody_may_see_or_that_is_no_receivable_is_not_claimed(house: House) -> None:
    house.owes("A1", "500.00", type_code="381", issue_date=date(2025, 9, 15))
    with pytest.raises(NotAReceivableError):
        claim(house, number="A1")
    with pytest.raises(InvoiceNotFoundError):
        claim(house, scope=NOBODY)
    with pytest.raises(LegalFactError):
        claim(house, date(2026, 3, 3))
    [interest, _] = claim(house, date(2025, 5, 10))
    with house.database.transaction(house.organisation) as session, pytest.raises(PenaltyNotFoundError):
        waive_penalty(session, NOBODY, interest.id, None, reason="", by=BY, now=house.tick())


def test_another_organisation_sees_and_claims_nothing(house: House, other_organisation: UUID) -> None:
    claim(house)
    with house.database.transaction(other_organisation) as session:
        assert session.exec(select(Penalty)).all() == []
        assert due_invoices(session, EVERYTHING, END).items == []
        with pytest.raises(InvoiceNotFoundError):
            claim_penalties(session, EVERYTHING, house.owed["F1"].id, LAW, until=END, by=BY, now=house.now)


def test_due_invoices_are_listed_the_longest_due_first(house: House) -> None:
    house.owes("F2", "100.00", issue_date=date(2024, 3, 1), due_date=date(2024, 3, 31))
    house.owes("F3", "100.00", issue_date=date(2026, 2, 1), due_date=END)
    with house.database.transaction(house.organisation) as session:
        first = due_invoices(session, EVERYTHING, END, limit=1)
        second = due_invoices(session, EVERYTHING, END, cursor=first.next_cursor, limit=1)
        assert [row.number for row in (*first.items, *second.items)] == ["F2", "F1"]
        assert second.next_cursor is None
        assert due_invoices(session, NOBODY, END).items == []
