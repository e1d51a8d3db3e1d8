"""Money is never lost nor made by rounding."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.kernel.money import CENT, round_cents, share_out

cents = st.integers(-10_000_000, 10_000_000).map(lambda n: Decimal(n) / 100)
weights = st.lists(st.integers(1, 100_000).map(Decimal), min_size=1, max_size=12)


@given(cents, weights)
def test_the_parts_always_add_up_to_the_whole(total, shares):
    assert sum(share_out(total, shares), Decimal(0)) == total


@given(cents, weights)
def test_no_part_is_a_cent_away_from_its_exact_share(total, shares):
    whole = sum(shares, Decimal(0))
    for part, share in zip(share_out(total, shares), shares, strict=True):
        assert abs(part - total * share / whole) < CENT


def test_no_weight_is_refused():
    with pytest.raises(ValueError, match="weights"):
        share_out(Decimal(10), [])


@pytest.mark.parametrize(("amount", "expected"), [("2.345", "2.35"), ("2.344", "2.34"), ("-2.345", "-2.35")])
def test_cents_are_rounded_half_away_from_zero(amount, expected):
    assert round_cents(Decimal(amount)) == Decimal(expected)
