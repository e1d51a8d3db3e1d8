"""A claim of penalties that exceeds what is due is told, and lowered by a person only, to the cent."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.exc import IntegrityError
from sqlmodel import select

from gateway.access.scope import Scope
from gateway.alerts import service as alerts
from gateway.app.services import Services, build_services
from gateway.collection.law.claiming import claim_penalties, pay_penalty, waive_penalty
from gateway.collection.law.correcting import correct_claims, cuts_of
from gateway.collection.law.errors import NothingToClaimError, NothingToCorrectError
from gateway.collection.law.model import Penalty
from gateway.collection.law.positions import Claimed, PenaltyPosition, position_of
from gateway.collection.law.receivable_penalties import penalty_items
from gateway.collection.law.statute import statute
from gateway.collection.law.tasks import review_law
from gateway.database import Database
from gateway.ledger.model import LedgerEntry
from gateway.lifecycle.errors import InvoiceNotFoundError
from gateway.treasury.allocating import NewReceipt
from gateway.treasury.model import Receipt, ReceiptSource
from gateway.treasury.receipt_rows import free_of_receipt
from gateway.treasury.receipts import record_receipt
from tests.collection.agreeing import BY, EVERYTHING, House

LAW = statute()
EXCESS = "penalty.excess"
NOBODY = Scope.limited_to([UUID(int=1)], [])


@pytest.fixture
def house(database: Database, organisation: UUID) -> House:
    """F1, 12,000.00 EUR due on 30 April 2025, is claimed for 10 days: 12000 × 13,15 × 10 / 36500 = 43,23; 40 beside."""
    house = House(database, organisation, now=datetime(2026, 3, 2, 9, 0, tzinfo=UTC))
    house.owes("F1", "12000.00", issue_date=date(2025, 3, 31), due_date=date(2025, 4, 30))
    with database.transaction(organisation) as session:
        claim_penalties(session, EVERYTHING, house.owed["F1"].id, LAW, until=date(2025, 5, 10), by=BY, now=house.tick())
    return house


@pytest.fixture
def services(database: Database, settings: Any, house: House) -> Services:
    return build_services(settings, clock=lambda: house.now, database=database)


def paid_before(house: House) -> None:
    """A receipt told after the claim and dated before it: 12000 × 13,15 × 8 / 36500 = 34,59 were due, 8,64 less."""
    house.pay("12000.00", on=date(2025, 5, 8))


def position(house: House) -> PenaltyPosition:
    with house.database.transaction(house.organisation) as session:
        return position_of(session, EVERYTHING, house.owed["F1"].id, date(2026, 3, 2), LAW)


def correct(house: House, scope: Scope = EVERYTHING) -> PenaltyPosition:
    with house.database.transaction(house.organisation) as session:
        return correct_claims(
            session, scope, house.owed["F1"].id, LAW, reason="Virement du 8 mai", by=BY, now=house.now
        )


def left(house: House) -> list[str]:
    return [str(each.left) for each in position(house).claimed]


def test_a_claim_that_exceeds_what_is_due_is_told_with_both_figures_and_stands_until_a_person_corrects_it(
    house: House, services: Services
) -> None:
    assert position(house).interest_excess == 0
    paid_before(house)
    review_law(services.law, house.organisation)
    review_law(services.law, house.organisation)
    found = position(house)
    assert (str(found.claimed[0].asked), str(found.sheet.total), str(found.interest_excess)) == (
        "43.23",
        "34.59",
        "8.64",
    )
    assert left(house) == ["43.23", "40.00"]
    (alert,) = house.alerts(EXCESS)
    (action,) = house.actions(alert)
    assert (alert.state, action.amount, action.kind) == ("open", Decimal("8.64"), "correct_claim")
    after = correct(house)
    assert (left(house), after.interest_excess, after.interest_to_claim) == (["34.59", "40.00"], 0, 0)
    assert [each.state for each in house.alerts(EXCESS)] == ["closed"]
    assert [each.state for each in house.actions(alert)] == ["cancelled"]


def test_the_claim_the_correction_and_what_was_due_stay_in_the_history(house: House) -> None:
    paid_before(house)
    correct(house)
    (claim, _) = house.rows(Penalty)
    assert str(claim.amount) == "43.23"
    with house.database.transaction(house.organisation) as session:
        (noted,) = session.exec(select(LedgerEntry).where(LedgerEntry.kind == "penalty.corrected")).all()
        (item, _) = penalty_items(session, EVERYTHING)
    assert {key: noted.content[key] for key in ("amount", "asked", "due", "given_back", "reason", "by")} == {
        "amount": "8.64",
        "asked": "43.23",
        "due": "34.59",
        "given_back": "0.00",
        "reason": "Virement du 8 mai",
        "by": BY,
    }
    assert (str(item.asked), str(item.remaining)) == ("34.59", "34.59")


def test_what_was_paid_too_much_is_unallocated_money_of_its_receipt_again(house: House) -> None:
    with house.database.transaction(house.organisation) as session:
        new = NewReceipt(Decimal("43.23"), "EUR", date(2026, 3, 1), reference="P")
        paying = record_receipt(session, EVERYTHING, new, source=ReceiptSource.API, by=BY, now=house.tick()).receipt.id
        (interest, _) = session.exec(select(Penalty).order_by(Penalty.number)).all()  # type: ignore[arg-type]
        pay_penalty(session, EVERYTHING, interest.id, Decimal("43.23"), paying, by=BY, now=house.tick())
    paid_before(house)
    assert left(house) == ["0.00", "40.00"]
    (paid, _) = correct(house).claimed
    assert (str(paid.paid), str(paid.asked), paid.left) == ("34.59", "34.59", 0)
    with house.database.transaction(house.organisation) as session:
        assert free_of_receipt(session, session.get_one(Receipt, paying)) == Decimal("8.64")


def test_of_an_invoice_paid_in_time_after_all_nothing_stays_claimed(house: House) -> None:
    house.pay("12000.00", on=date(2025, 4, 30))
    found = position(house)
    assert (str(found.interest_excess), str(found.indemnity_excess)) == ("43.23", "40.00")
    correct(house)
    assert left(house) == ["0.00", "0.00"]


def claim_again(house: House) -> list[Penalty]:
    with house.database.transaction(house.organisation) as session:
        invoice_id, until = house.owed["F1"].id, date(2025, 5, 10)
        return claim_penalties(session, EVERYTHING, invoice_id, LAW, until=until, by=BY, now=house.tick())


def test_what_was_corrected_as_paid_in_time_is_claimed_again_once_that_payment_bounces(house: House) -> None:
    receipt = house.pay("12000.00", on=date(2025, 4, 30))
    correct(house)
    with pytest.raises(NothingToClaimError):
        claim_again(house)
    house.bounce(receipt)
    assert str(position(house).indemnity_to_claim) == "40.00"
    claim_again(house)
    (_, corrected, _, again) = house.rows(Penalty)
    assert (again.kind, str(again.amount), again.instead_of) == ("indemnity", "40.00", corrected.id)
    assert left(house) == ["0.00", "0.00", "43.23", "40.00"]
    with pytest.raises(NothingToClaimError):
        claim_again(house)


def test_an_indemnity_that_was_given_up_is_not_claimed_again(house: House) -> None:
    (_, indemnity) = house.rows(Penalty)
    with house.database.transaction(house.organisation) as session:
        waive_penalty(session, EVERYTHING, indemnity.id, Decimal("10.00"), reason="Geste", by=BY, now=house.tick())
    receipt = house.pay("12000.00", on=date(2025, 4, 30))
    correct(house)
    house.bounce(receipt)
    assert str(position(house).indemnity_to_claim) == "30.00"
    claim_again(house)
    assert left(house)[1:] == ["0.00", "43.23", "30.00"]


def test_the_database_keeps_a_second_indemnity_out_that_takes_no_corrected_one_up(house: House) -> None:
    (_, indemnity) = house.rows(Penalty)
    for instead_of in (None, indemnity.id):
        facts = indemnity.model_dump(exclude={"id", "number", "instead_of"})
        with house.database.transaction(house.organisation) as session:
            if instead_of:
                session.add(Penalty(**facts, number=3, instead_of=instead_of))
                session.flush()
            session.add(Penalty(**facts, number=4, instead_of=instead_of))
            with pytest.raises(IntegrityError):
                session.flush()
            session.rollback()


def test_interest_that_runs_after_a_correction_is_claimed_from_what_stays(house: House) -> None:
    receipt = house.pay("12000.00", on=date(2025, 5, 8))
    correct(house)
    house.bounce(receipt)
    found = position(house)
    assert found.interest_to_claim == found.sheet.total - Decimal("34.59")


def test_what_was_given_up_is_not_claimed_too_much(house: House) -> None:
    (interest, _) = house.rows(Penalty)
    with house.database.transaction(house.organisation) as session:
        waive_penalty(session, EVERYTHING, interest.id, Decimal("10.00"), reason="Geste", by=BY, now=house.tick())
    paid_before(house)
    assert position(house).interest_excess == 0
    with pytest.raises(NothingToCorrectError):
        correct(house)


def test_nobody_corrects_what_they_do_not_see(house: House) -> None:
    paid_before(house)
    with pytest.raises(InvoiceNotFoundError):
        correct(house, NOBODY)


def test_people_are_told_again_when_it_had_ceased_and_not_when_they_closed_it(house: House, services: Services) -> None:
    receipt = house.pay("12000.00", on=date(2025, 5, 8))
    review_law(services.law, house.organisation)
    house.bounce(receipt)
    review_law(services.law, house.organisation)
    assert [each.state for each in house.alerts(EXCESS)] == ["closed"]
    paid_before(house)
    review_law(services.law, house.organisation)
    (again,) = [each for each in house.alerts(EXCESS) if each.state == "open"]
    with house.database.transaction(house.organisation) as session:
        alerts.close(session, EVERYTHING, again.id, user_id=uuid4(), because="Vu.", now=house.tick())
    review_law(services.law, house.organisation)
    assert [each.state for each in house.alerts(EXCESS)] == ["closed", "closed"]


CENTS = st.integers(0, 10_000).map(lambda cents: Decimal(cents) / 100)


@given(claims=st.lists(st.tuples(CENTS, CENTS, CENTS), max_size=5), share=st.integers(0, 100))
def test_a_correction_takes_the_excess_exactly_and_never_more_of_a_claim_than_it_asks_for(
    claims: list[tuple[Decimal, Decimal, Decimal]], share: int
) -> None:
    stands = [
        Claimed(Penalty(amount=unpaid + paid + waived), paid, waived, Decimal(0)) for unpaid, paid, waived in claims
    ]
    most = sum((each.left + each.paid for each in stands), Decimal(0))
    excess = (most * share / 100).quantize(Decimal("0.01"))
    cuts = cuts_of(stands, excess)
    assert sum((amount for _, amount in cuts), Decimal(0)) == excess
    assert all(0 < amount <= each.left + each.paid for each, amount in cuts)
    unpaid = sum((each.left for each in stands), Decimal(0))
    touched = sum((max(Decimal(0), amount - each.left) for each, amount in cuts), Decimal(0))
    assert touched == max(Decimal(0), excess - unpaid)  # money is given back only for what no unpaid part covers
