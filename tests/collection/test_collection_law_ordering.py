"""The order block, and what a formal notice and a hand-over need."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.collection.law.formal_notice import ClaimFacts, Need, ready_for_formal_notice, ready_for_hand_over
from gateway.collection.law.ordering import OrderFacts, OrderRule, OrderVerdict, order_decision
from gateway.collection.law.statute import statute

TODAY = date(2026, 10, 5)
POLICY = statute().order_policy_on(TODAY)
SOUND = OrderFacts(
    currency="EUR",
    exposure=Decimal("1000.00"),
    overdue=Decimal("0.00"),
    oldest_overdue_days=0,
    credit_limit=Decimal("10000.00"),
    cover=None,
    limit_currency="EUR",
    broken_promises=0,
    insolvent_since=None,
    in_litigation=False,
    blocked_because=None,
)
ORDER = Decimal("500.00")
CLAIM = ClaimFacts(
    remaining=Decimal("1200.00"),
    due_date=date(2026, 8, 31),
    delivered=True,
    made_available=True,
    disputed=False,
    insolvent=False,
    has_postal_address=True,
    reminded_on=date(2026, 9, 15),
    formal_notice_on=date(2026, 9, 20),
    time_barred=False,
)


def test_a_sound_customer_is_allowed_without_a_reason() -> None:
    decision = order_decision(SOUND, ORDER, POLICY)
    assert (decision.verdict, decision.reasons) == (OrderVerdict.ALLOWED, ())
    assert decision.exposure_with_order == Decimal("1500.00")


@pytest.mark.parametrize(
    ("changed", "rule", "verdict"),
    [
        ({"blocked_because": "Impayé en 2025"}, OrderRule.MANUAL_BLOCK, OrderVerdict.BLOCKED),
        ({"insolvent_since": date(2026, 9, 1)}, OrderRule.INSOLVENCY, OrderVerdict.BLOCKED),
        ({"in_litigation": True}, OrderRule.LITIGATION, OrderVerdict.BLOCKED),
        ({"exposure": Decimal("8500.01")}, OrderRule.EXPOSURE, OrderVerdict.WARNED),
        ({"exposure": Decimal("9500.01")}, OrderRule.EXPOSURE, OrderVerdict.BLOCKED),
        ({"credit_limit": Decimal(0)}, OrderRule.EXPOSURE, OrderVerdict.BLOCKED),
        ({"cover": Decimal(1400)}, OrderRule.COVER, OrderVerdict.WARNED),
        ({"partial": True}, OrderRule.PARTIAL_VIEW, OrderVerdict.WARNED),
        ({"limit_currency": "USD"}, OrderRule.OTHER_CURRENCY, OrderVerdict.WARNED),
        ({"overdue": Decimal(51), "oldest_overdue_days": 15}, OrderRule.OVERDUE_DAYS, OrderVerdict.WARNED),
        ({"overdue": Decimal(51), "oldest_overdue_days": 60}, OrderRule.OVERDUE_DAYS, OrderVerdict.BLOCKED),
        ({"overdue": Decimal(1000), "oldest_overdue_days": 3}, OrderRule.OVERDUE_AMOUNT, OrderVerdict.WARNED),
        ({"broken_promises": 1}, OrderRule.BROKEN_PROMISES, OrderVerdict.WARNED),
        ({"broken_promises": 3}, OrderRule.BROKEN_PROMISES, OrderVerdict.BLOCKED),
    ],
)
def test_one_thing_wrong_gives_its_own_reason(
    changed: dict[str, object], rule: OrderRule, verdict: OrderVerdict
) -> None:
    decision = order_decision(replace(SOUND, **changed), ORDER, POLICY)  # type: ignore[arg-type]
    assert decision.verdict is verdict
    assert [(reason.rule, reason.verdict) for reason in decision.reasons] == [(rule, verdict)]
    assert decision.reasons[0].says.fr
    assert "{" not in decision.reasons[0].says.fr + decision.reasons[0].says.en


def test_a_small_amount_overdue_is_left_alone() -> None:
    facts = replace(SOUND, overdue=POLICY.overdue_amount_ignored, oldest_overdue_days=400)
    assert order_decision(facts, ORDER, POLICY).verdict is OrderVerdict.ALLOWED


def test_the_limit_itself_may_be_used_up_to_the_cent() -> None:
    policy = POLICY.model_copy(update={"exposure_warned": 0})
    assert order_decision(replace(SOUND, exposure=Decimal("9500.00")), ORDER, policy).verdict is OrderVerdict.ALLOWED


def test_the_most_severe_reason_comes_first_and_decides() -> None:
    decision = order_decision(replace(SOUND, broken_promises=1, in_litigation=True), ORDER, POLICY)
    assert [reason.verdict for reason in decision.reasons] == [OrderVerdict.BLOCKED, OrderVerdict.WARNED]
    assert decision.verdict is OrderVerdict.BLOCKED


@given(st.decimals(0, 20000, places=2), st.decimals(0, 20000, places=2), st.decimals(0, 9999, places=2))
def test_a_larger_order_is_never_judged_more_kindly(exposure: Decimal, amount: Decimal, more: Decimal) -> None:
    facts, severity = replace(SOUND, exposure=exposure), list(OrderVerdict)
    smaller, larger = (order_decision(facts, each, POLICY).verdict for each in (amount, amount + more))
    assert severity.index(larger) >= severity.index(smaller)


def test_a_claim_with_everything_may_be_put_on_notice_and_handed_over() -> None:
    assert ready_for_formal_notice(CLAIM, TODAY).missing == ()
    assert ready_for_hand_over(CLAIM, TODAY, 8).missing == ()


@pytest.mark.parametrize(
    ("changed", "need", "forbids"),
    [
        ({"remaining": Decimal(0)}, Need.NOTHING_OPEN, True),
        ({"due_date": TODAY}, Need.NOT_DUE, True),
        ({"delivered": False}, Need.NOT_DELIVERED, True),
        ({"insolvent": True}, Need.INSOLVENT, True),
        ({"made_available": False}, Need.NOT_AVAILABLE, False),
        ({"disputed": True}, Need.DISPUTED, False),
        ({"has_postal_address": False}, Need.NO_ADDRESS, False),
        ({"reminded_on": None}, Need.NO_REMINDER, False),
        ({"time_barred": True}, Need.LIMITATION_OVER, False),
    ],
)
def test_what_is_missing_for_a_formal_notice_is_named(changed: dict[str, object], need: Need, forbids: bool) -> None:
    readiness = ready_for_formal_notice(replace(CLAIM, **changed), TODAY)  # type: ignore[arg-type]
    assert [(each.need, each.forbids) for each in readiness.missing] == [(need, forbids)]
    assert readiness.allowed is not forbids


def test_a_hand_over_wants_a_formal_notice_whose_time_is_over() -> None:
    none = ready_for_hand_over(replace(CLAIM, formal_notice_on=None), TODAY, 8)
    early = ready_for_hand_over(replace(CLAIM, formal_notice_on=TODAY), TODAY, 8)
    assert [each.need for each in none.missing] == [Need.NO_FORMAL_NOTICE]
    assert [each.need for each in early.missing] == [Need.TIME_TO_PAY]
