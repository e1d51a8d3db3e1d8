"""A preview of reminders shows what presses first, and what it claims in all, each currency apart."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from gateway.collection.foreseeing import claimed_in_all, most_urgent_first
from gateway.kernel.money import ZERO
from tests.collection.accounts import DUE, account, customer, decided, item

NOTHING_DUE = decided(account(item(due=DUE + timedelta(days=90))))
DUE_NOW = decided(account())
decisions = st.builds(
    lambda decision, name, tone, total, currency: replace(
        decision,
        account=replace(decision.account, customer=customer(id=uuid4(), name=name), currency=currency),
        tone=tone,
        total=total if decision.step else ZERO,
    ),
    st.sampled_from([NOTHING_DUE, DUE_NOW]),
    st.sampled_from(["Ardoise", "Édifice", "Zinc"]),
    st.integers(0, 4),
    st.decimals("0", "100000", places=2),
    st.sampled_from(["EUR", "USD"]),
)


@given(st.lists(decisions, max_size=8), st.randoms())
def test_what_presses_most_comes_first_however_the_decisions_come_in(found, random):
    shuffled = list(found)
    random.shuffle(shuffled)
    ordered = most_urgent_first(shuffled)
    assert ordered == most_urgent_first(found)
    for before, after in pairwise(ordered):
        assert (before.step is not None) >= (after.step is not None)
        if (before.step is None) == (after.step is None):
            assert (before.tone, before.total) >= (after.tone, after.total)


@given(st.lists(decisions, max_size=8))
def test_what_is_claimed_adds_up_by_currency(found):
    totals = claimed_in_all(found)
    claiming = [each for each in found if each.step]
    assert sum(totals.values(), ZERO) == sum((each.total for each in claiming), ZERO)
    assert set(totals) == {each.account.currency for each in claiming}


def test_an_account_about_which_nothing_is_done_claims_nothing():
    assert (NOTHING_DUE.step, claimed_in_all([NOTHING_DUE])) == (None, {})
    assert claimed_in_all([DUE_NOW, NOTHING_DUE]) == {"EUR": Decimal("1200.00")}
