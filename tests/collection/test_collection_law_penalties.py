"""Interest day by day on what was outstanding, and the indemnity once."""

import re
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.collection.law.calendar import add_months, half_year_of
from gateway.collection.law.penalties import (
    Debt,
    Excluded,
    IndemnityRefusal,
    Movement,
    RatePeriod,
    indemnity_of,
    least_agreed_rate,
    penalty_sheet,
    rates_between,
)
from gateway.collection.law.statute import DebtorKind, statute
from gateway.kernel.money import CENT, ZERO

DUE = date(2025, 4, 30)
DAY = timedelta(days=1)
#: 1 % a day of a year of 100 days: figures that one sees at once.
PLAIN = [RatePeriod(date(2000, 1, 1), None, Decimal(100))]
DEBT = Debt(Decimal("1000.00"), DUE)


def plain(debt: Debt, until: date) -> Decimal:
    return penalty_sheet(debt, PLAIN, 100, until).total


def test_interest_begins_the_day_after_the_due_date() -> None:
    assert plain(DEBT, DUE) == 0
    assert plain(DEBT, DUE + DAY) == Decimal("10.00")


def test_the_day_of_payment_counts_and_the_next_does_not() -> None:
    paid = replace(DEBT, movements=(Movement(DUE + 2 * DAY, Decimal(1000)),))
    assert plain(paid, DUE + 30 * DAY) == Decimal("20.00")


def test_an_invoice_paid_on_its_due_date_bears_nothing() -> None:
    assert plain(replace(DEBT, movements=(Movement(DUE, Decimal(1000)),)), DUE + 400 * DAY) == 0


def test_a_part_payment_lowers_what_the_next_days_are_computed_on() -> None:
    sheet = penalty_sheet(replace(DEBT, movements=(Movement(DUE + 3 * DAY, Decimal(400)),)), PLAIN, 100, DUE + 5 * DAY)
    assert [(line.days, line.base) for line in sheet.lines] == [(3, Decimal(1000)), (2, Decimal(600))]
    assert sheet.total == Decimal("42.00")


def test_a_refund_raises_it_again() -> None:
    moves = (Movement(DUE + 1 * DAY, Decimal(400)), Movement(DUE + 2 * DAY, Decimal(-400)))
    assert plain(replace(DEBT, movements=moves), DUE + 3 * DAY) == Decimal("26.00")


def test_too_much_money_bears_no_negative_interest() -> None:
    assert plain(replace(DEBT, movements=(Movement(DUE, Decimal(1500)),)), DUE + 9 * DAY) == 0


def test_a_disputed_part_bears_nothing_while_the_dispute_lasts() -> None:
    disputed = replace(DEBT, excluded=(Excluded(DUE + 2 * DAY, DUE + 3 * DAY, Decimal(300)),))
    sheet = penalty_sheet(disputed, PLAIN, 100, DUE + 4 * DAY)
    assert [line.base for line in sheet.lines] == [Decimal(1000), Decimal(700), Decimal(1000)]
    assert sheet.total == Decimal("34.00")


def test_nothing_runs_after_an_insolvency_judgment() -> None:
    assert plain(replace(DEBT, excluded=(Excluded(DUE + 4 * DAY, None),)), DUE + 90 * DAY) == Decimal("30.00")


def test_a_rate_that_is_missing_for_a_day_is_no_silent_zero() -> None:
    with pytest.raises(ValueError, match="no rate on 2025-05-11"):
        penalty_sheet(DEBT, [RatePeriod(DUE + DAY, DUE + 10 * DAY, Decimal(10))], 365, DUE + 20 * DAY)


def test_the_rate_of_each_half_year_holds_on_its_days() -> None:
    rates = rates_between(statute(), DebtorKind.BUSINESS, (), date(2025, 6, 29), date(2026, 1, 2))
    assert [(rate.first, rate.last, rate.percent) for rate in rates] == [
        (date(2025, 6, 29), date(2025, 6, 30), Decimal("13.15")),
        (date(2025, 7, 1), date(2025, 12, 31), Decimal("12.15")),
        (date(2026, 1, 1), date(2026, 1, 2), Decimal("12.15")),
    ]


def test_against_a_public_buyer_the_first_half_year_s_rate_is_kept() -> None:
    [rate] = rates_between(statute(), DebtorKind.PUBLIC, (), date(2025, 6, 29), date(2026, 1, 2))
    assert (rate.percent, rate.last) == (Decimal("11.15"), None)


def test_a_half_year_without_published_rate_is_provisional() -> None:
    last_known = max(rate.valid_from for rate in statute().refinancing.rates)
    unknown = add_months(last_known, 6)
    rates = rates_between(statute(), DebtorKind.BUSINESS, (), unknown - DAY, unknown)
    assert [rate.provisional for rate in rates] == [False, True]
    sheet = penalty_sheet(replace(DEBT, due_date=unknown - 2 * DAY), rates, 365, unknown)
    assert sheet.provisional_from == unknown


def test_an_agreed_rate_holds_on_its_days_only() -> None:
    agreed = [RatePeriod(date(2025, 8, 1), date(2025, 8, 31), Decimal(15))]
    rates = rates_between(statute(), DebtorKind.BUSINESS, agreed, date(2025, 7, 1), date(2025, 9, 30))
    assert [rate.percent for rate in rates] == [Decimal("12.15"), Decimal(15), Decimal("12.15")]


def test_an_agreed_rate_gives_way_to_three_times_a_legal_interest_that_rose() -> None:
    agreed = [RatePeriod(date(2022, 1, 1), None, Decimal(5))]
    rates = rates_between(statute(), DebtorKind.BUSINESS, agreed, date(2022, 12, 31), date(2023, 7, 1))
    assert [rate.percent for rate in rates] == [Decimal(5), Decimal("6.18"), Decimal("12.66")]


def test_an_agreed_rate_that_gives_way_to_a_legal_interest_not_known_yet_is_provisional() -> None:
    unknown = add_months(max(rate.valid_from for rate in statute().legal_interest.rates), 6)
    least = least_agreed_rate(statute(), unknown)
    for percent, expected in ((least - CENT, [False, True]), (least, [False, False])):
        agreed = [RatePeriod(date(2026, 1, 1), None, percent)]
        rates = rates_between(statute(), DebtorKind.BUSINESS, agreed, unknown - DAY, unknown)
        assert [rate.provisional for rate in rates] == expected
        assert {rate.percent for rate in rates} == {least}


def test_a_leap_year_bears_366_days_of_a_year_of_365() -> None:
    debt = replace(DEBT, due_date=date(2023, 12, 31))
    rates = rates_between(statute(), DebtorKind.BUSINESS, (), date(2024, 1, 1), date(2024, 12, 31))
    sheet = penalty_sheet(debt, rates, 365, date(2024, 12, 31))
    assert [(line.days, line.percent) for line in sheet.lines] == [(182, Decimal("14.50")), (184, Decimal("14.25"))]
    assert sheet.total == Decimal("144.14")


def test_a_consumer_owes_only_what_was_agreed() -> None:
    span = (date(2025, 7, 1), date(2025, 7, 31))
    agreed = [RatePeriod(date(2025, 7, 11), None, Decimal(5))]
    rates = rates_between(statute(), DebtorKind.CONSUMER, agreed, *span)
    sheet = penalty_sheet(replace(DEBT, due_date=date(2025, 6, 30)), rates, 365, span[1])
    assert [(line.first, line.percent) for line in sheet.lines] == [(date(2025, 7, 11), Decimal(5))]
    assert rates_between(statute(), DebtorKind.CONSUMER, (), *span)[0].percent == 0


def test_the_least_agreed_rate_is_three_times_the_legal_interest() -> None:
    assert least_agreed_rate(statute(), date(2026, 3, 1)) == Decimal("7.86")


@pytest.mark.parametrize(
    ("debtor", "insolvent_since", "paid_on", "refusal"),
    [
        (DebtorKind.BUSINESS, None, None, None),
        (DebtorKind.PUBLIC, None, None, None),
        (DebtorKind.BUSINESS, DUE + DAY, None, None),
        (DebtorKind.BUSINESS, DUE, None, IndemnityRefusal.INSOLVENCY),
        (DebtorKind.CONSUMER, None, None, IndemnityRefusal.CONSUMER),
        (DebtorKind.BUSINESS, None, DUE, IndemnityRefusal.NOT_LATE),
    ],
)
def test_the_indemnity_is_due_once_between_professionals_for_a_late_invoice(
    debtor: DebtorKind, insolvent_since: date | None, paid_on: date | None, refusal: IndemnityRefusal | None
) -> None:
    moves = (Movement(paid_on, Decimal(1000)),) if paid_on else (Movement(DUE + DAY, Decimal(500)),)
    sheet = penalty_sheet(replace(DEBT, movements=moves), PLAIN, 100, DUE + 40 * DAY)
    indemnity = indemnity_of(statute().indemnity_on(DUE), sheet, debtor, DUE, insolvent_since)
    assert (indemnity.amount, indemnity.refusal) == (ZERO if refusal else Decimal("40.00"), refusal)


def test_there_was_no_indemnity_before_2013() -> None:
    assert statute().indemnity_on(date(2012, 12, 31)) is None


DOCUMENTED = Debt(
    Decimal("12000.00"),
    DUE,
    (
        Movement(date(2025, 6, 15), Decimal(4000)),
        Movement(date(2025, 9, 15), Decimal(500)),
        Movement(date(2026, 2, 10), Decimal(7500)),
    ),
    (Excluded(date(2025, 8, 1), date(2025, 9, 15), Decimal(1500)),),
)


def test_the_sheet_agrees_with_the_one_made_by_hand_in_the_documentation_to_the_cent() -> None:
    page = (Path(__file__).parents[2] / "docs/explanation/penalties.md").read_text(encoding="utf-8")
    by_hand = re.findall(r"^\| (\d{4}-.{5}) \| (\d{4}-.{5}) \| (\d+) \| ([\d.]+) \| ([\d.]+) \| (\d+) \|$", page, re.M)
    until = date(2026, 3, 31)
    rates = rates_between(statute(), DebtorKind.BUSINESS, (), DUE + DAY, until)
    sheet = penalty_sheet(DOCUMENTED, rates, 365, until)
    assert [
        (str(line.first), str(line.last), str(line.days), line.base, line.percent, line.numbers) for line in sheet.lines
    ] == [
        (first, last, days, Decimal(base), Decimal(rate), Decimal(numbers))
        for first, last, days, base, rate, numbers in by_hand
    ]
    indemnity = indemnity_of(statute().indemnity_on(DUE), sheet, DebtorKind.BUSINESS, DUE, None)
    assert f"**{sheet.total} EUR**" in page
    assert f"**{sheet.total + indemnity.amount} EUR**" in page


# Properties

AMOUNTS = st.decimals(min_value=CENT, max_value=Decimal("9999999.99"), places=2)
OFFSETS = st.integers(min_value=-40, max_value=800)
MOVEMENTS = st.lists(st.builds(lambda n, a: Movement(DUE + n * DAY, a), OFFSETS, AMOUNTS), max_size=5)
EXCLUDED = st.lists(
    st.builds(
        lambda n, length, a: Excluded(DUE + n * DAY, DUE + (n + length) * DAY, a),
        OFFSETS,
        st.integers(min_value=0, max_value=200),
        st.none() | AMOUNTS,
    ),
    max_size=3,
)
DEBTS = st.builds(lambda t, m, e: Debt(t, DUE, tuple(m), tuple(e)), AMOUNTS, MOVEMENTS, EXCLUDED)
UNTIL = OFFSETS.map(lambda n: DUE + n * DAY)


def legal(debt: Debt, until: date) -> Decimal:
    rates = rates_between(statute(), DebtorKind.BUSINESS, (), DUE + DAY, max(until, DUE + DAY))
    return penalty_sheet(debt, rates, 365, until).total


@given(DEBTS, UNTIL, st.integers(min_value=0, max_value=300))
def test_time_never_lowers_the_interest(debt: Debt, until: date, more: int) -> None:
    assert legal(debt, until + more * DAY) >= legal(debt, until) >= 0


@given(DEBTS, UNTIL, OFFSETS, AMOUNTS)
def test_a_payment_never_raises_the_interest(debt: Debt, until: date, paid: int, amount: Decimal) -> None:
    more = replace(debt, movements=(*debt.movements, Movement(DUE + paid * DAY, amount)))
    assert legal(more, until) <= legal(debt, until)


@given(DEBTS, UNTIL)
def test_the_sheet_equals_the_sum_of_its_days(debt: Debt, until: date) -> None:
    rates = rates_between(statute(), DebtorKind.BUSINESS, (), DUE + DAY, max(until, DUE + DAY))
    sheet = penalty_sheet(debt, rates, 365, until)
    numbers, day = ZERO, DUE + DAY
    while day <= until:
        left = debt.total - sum((move.amount for move in debt.movements if move.on < day), ZERO)
        for out in debt.excluded:
            if out.last is not None and out.first <= day <= out.last:
                left -= out.amount if out.amount is not None else left
        rate = next(each.percent for each in rates if each.last is not None and each.first <= day <= each.last)
        numbers += max(ZERO, left) * rate
        day += DAY
    assert sum((line.numbers for line in sheet.lines), ZERO) == numbers
    assert abs(sheet.total - numbers / 36500) <= CENT / 2
    assert all(half_year_of(line.first) == half_year_of(line.last) for line in sheet.lines)


@given(DEBTS, UNTIL, st.integers(min_value=0, max_value=300))
def test_a_period_split_in_two_gives_the_whole_but_for_rounding(debt: Debt, until: date, more: int) -> None:
    """What a first claim took and what a second one adds are together the whole sheet, to the cent."""
    first, whole = legal(debt, until), legal(debt, until + more * DAY)
    later = replace(debt, excluded=(*debt.excluded, Excluded(date.min, until)))
    second = legal(later, until + more * DAY)
    assert abs(first + second - whole) <= CENT
