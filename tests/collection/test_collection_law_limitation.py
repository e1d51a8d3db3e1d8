"""Until when a claim lives, what starts it anew, until when to declare it; and the data of the law themselves."""

from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.collection.law.calendar import add_months, add_years, half_year_of, next_half_year
from gateway.collection.law.insolvency import claim_deadline, is_earlier_debt
from gateway.collection.law.limitation import ActOnClaim, Start, limitation_of, start_of
from gateway.collection.law.statute import DebtorKind, statute
from gateway.customers.errors import LawFileError

START = Start(date(2022, 3, 15), "BT-72")
DAYS = st.dates(date(2020, 1, 1), date(2035, 12, 31))


def ends(debtor: DebtorKind, *acts: ActOnClaim) -> date | None:
    return limitation_of(START, debtor, acts, statute()).ends_on


@pytest.mark.parametrize(
    ("debtor", "last_day"),
    [
        (DebtorKind.BUSINESS, date(2027, 3, 15)),
        (DebtorKind.CONSUMER, date(2024, 3, 15)),
        (DebtorKind.PUBLIC, date(2026, 12, 31)),
    ],
)
def test_a_claim_lives_five_two_or_four_years(debtor: DebtorKind, last_day: date) -> None:
    assert ends(debtor) == last_day


def test_the_earliest_known_date_starts_it() -> None:
    issued = date(2026, 2, 28)
    assert start_of(issued, None, None) == Start(issued, "BT-2")
    assert start_of(issued, date(2026, 1, 31), date(2026, 2, 27)) == Start(date(2026, 1, 31), "BT-72")
    assert start_of(issued, None, date(2026, 2, 20)) == Start(date(2026, 2, 20), "BT-74")
    assert start_of(issued, date(2026, 3, 5), None) == Start(issued, "BT-2")
    assert start_of(issued, issued, None) == Start(issued, "BT-72")


def test_a_registered_letter_interrupts_nothing_between_businesses() -> None:
    decision = limitation_of(START, DebtorKind.BUSINESS, [ActOnClaim("registered_letter", date(2025, 1, 1))], statute())
    assert decision.ends_on == date(2027, 3, 15)
    assert [each.interrupts for each in decision.acts] == [False]


@pytest.mark.parametrize("kind", ["acknowledgement", "enforcement"])
def test_an_acknowledgement_and_an_enforcement_start_it_anew(kind: str) -> None:
    assert ends(DebtorKind.BUSINESS, ActOnClaim(kind, date(2025, 1, 10))) == date(2030, 1, 10)


def test_proceedings_hold_it_up_until_they_end() -> None:
    assert ends(DebtorKind.BUSINESS, ActOnClaim("court_claim", date(2025, 1, 10))) is None
    assert ends(DebtorKind.BUSINESS, ActOnClaim("court_claim", date(2025, 1, 10), date(2026, 6, 1))) == date(2031, 6, 1)


@pytest.mark.parametrize("ending", ["dismissed", "withdrawn", "lapsed"])
def test_a_claim_that_was_dismissed_withdrawn_or_lapsed_never_interrupted_anything(ending: str) -> None:
    claim = ActOnClaim("court_claim", date(2025, 1, 10), date(2026, 6, 1), ending)
    decision = limitation_of(START, DebtorKind.BUSINESS, [claim], statute())
    assert (decision.ends_on, decision.counted_from) == (date(2027, 3, 15), START.on)
    (counted,) = decision.acts
    assert counted.ending is not None
    assert (counted.interrupts, counted.ending.law) == (False, "code civil, art. 2243")


@pytest.mark.parametrize("ending", ["ended", "annulled"])
def test_a_claim_that_ended_otherwise_starts_it_anew_from_its_end(ending: str) -> None:
    claim = ActOnClaim("court_claim", date(2025, 1, 10), date(2026, 6, 1), ending)
    assert ends(DebtorKind.BUSINESS, claim) == date(2031, 6, 1)


def test_what_came_during_a_claim_that_is_void_is_judged_as_if_it_had_never_been() -> None:
    during = date(2028, 5, 1)
    for ending, enforced in (("ended", date(2034, 1, 1)), ("lapsed", date(2027, 3, 15))):
        claim = ActOnClaim("court_claim", date(2026, 1, 10), date(2029, 1, 1), ending)
        assert ends(DebtorKind.BUSINESS, claim, ActOnClaim("enforcement", during)) == enforced
        assert ends(DebtorKind.BUSINESS, claim, ActOnClaim("acknowledgement", during)) >= date(2033, 5, 1)


@given(
    st.lists(st.tuples(st.sampled_from(["acknowledgement", "enforcement", "court_claim"]), DAYS, DAYS), max_size=5),
    st.tuples(DAYS, DAYS, st.sampled_from(["dismissed", "withdrawn", "lapsed"])),
)
def test_a_void_claim_changes_nothing_whatever_else_happened(others, void) -> None:
    acts = [ActOnClaim(kind, min(days), max(days) if kind == "court_claim" else None) for kind, *days in others]
    claim = ActOnClaim("court_claim", min(void[:2]), max(void[:2]), void[2])
    assert ends(DebtorKind.BUSINESS, *acts, claim) == ends(DebtorKind.BUSINESS, *acts)


def test_an_act_that_comes_too_late_starts_nothing_but_an_acknowledgement_does() -> None:
    late = date(2028, 1, 1)
    assert ends(DebtorKind.BUSINESS, ActOnClaim("enforcement", late)) == date(2027, 3, 15)
    assert ends(DebtorKind.BUSINESS, ActOnClaim("acknowledgement", late)) == date(2033, 1, 1)


def test_people_are_warned_six_months_before_and_told_when_it_is_over() -> None:
    decision = limitation_of(START, DebtorKind.BUSINESS, (), statute())
    assert decision.warn_from == date(2026, 9, 15)
    assert not decision.to_warn(date(2026, 9, 14))
    assert decision.to_warn(date(2026, 9, 15))
    assert not decision.is_over(date(2027, 3, 15))
    assert decision.is_over(date(2027, 3, 16))


@given(st.lists(st.tuples(st.sampled_from(["acknowledgement", "enforcement"]), DAYS), max_size=5))
def test_acts_never_shorten_the_time_whatever_their_order(told: list[tuple[str, date]]) -> None:
    acts = [ActOnClaim(kind, on) for kind, on in told]
    forwards, backwards = ends(DebtorKind.BUSINESS, *acts), ends(DebtorKind.BUSINESS, *reversed(acts))
    assert forwards == backwards
    assert forwards is not None
    assert forwards >= date(2027, 3, 15)


def test_a_claim_is_declared_within_two_months_of_the_publication_four_from_abroad() -> None:
    judgment, published = date(2026, 1, 5), date(2026, 1, 31)
    assert claim_deadline(judgment, published, abroad=False, law=statute()).last_day == date(2026, 3, 31)
    assert claim_deadline(judgment, published, abroad=True, law=statute()).last_day == date(2026, 5, 31)
    assert claim_deadline(judgment, None, abroad=False, law=statute()).last_day == date(2026, 3, 5)


def test_debts_born_before_the_judgment_are_earlier_ones() -> None:
    assert is_earlier_debt(date(2026, 1, 5), date(2026, 1, 5))
    assert not is_earlier_debt(date(2026, 1, 6), date(2026, 1, 5))


def test_a_month_ends_on_the_day_of_the_same_number_or_the_last_one() -> None:
    assert add_months(date(2025, 12, 31), 2) == date(2026, 2, 28)
    assert add_months(date(2026, 3, 31), -1) == date(2026, 2, 28)
    assert add_years(date(2024, 2, 29), 5) == date(2029, 2, 28)


@given(DAYS)
def test_half_years_follow_each_other_without_gap(day: date) -> None:
    first, after = half_year_of(day), next_half_year(day)
    assert first <= day < after
    assert half_year_of(after) == after
    assert half_year_of(after - timedelta(days=1)) == first


def test_the_shipped_rates_leave_no_half_year_out() -> None:
    for series in (statute().refinancing, statute().legal_interest):
        days = [rate.valid_from for rate in series.rates]
        assert all(next_half_year(day) == after for day, after in pairwise(days))


def test_a_newer_file_is_laid_over_the_shipped_data(tmp_path: Path) -> None:
    file = tmp_path / "law.toml"
    file.write_text(
        '[refinancing]\nrates = [{ valid_from = 2026-07-01, percent = "2.40" }]\n'
        '[[penalty]]\nvalid_from = 2009-01-01\npoints = "12"\nfloor_factor = 3\nrate_of = "day"\nyear_days = 365\n'
        'law = "test"\n'
    )
    law = statute(file)
    assert law.refinancing_on(date(2026, 11, 22)).percent == Decimal("2.40")
    assert not law.refinancing_on(date(2026, 11, 22)).provisional
    assert law.refinancing_on(date(2026, 3, 1)) == statute().refinancing_on(date(2026, 3, 1))
    assert law.penalty_rule(DebtorKind.BUSINESS, date(2026, 1, 1)).points == 12


@pytest.mark.parametrize(
    "content",
    [
        "rates = [",
        '[refinancing]\nrates = [{ valid_from = 2026-07-02, percent = "2.40" }]\n',
        '[refinancing]\nrates = [{ valid_from = 2026-07-01, percent = "two" }]\n',
        "[wages]\nrate = 1\n",
    ],
)
def test_a_file_that_says_nothing_usable_is_refused_by_name(tmp_path: Path, content: str) -> None:
    file = tmp_path / "law.toml"
    file.write_text(content)
    with pytest.raises(LawFileError) as refused:
        statute(file)
    assert refused.value.where == str(file)
