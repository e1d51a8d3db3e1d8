"""Whatever an account is made of, only what may be chased is claimed, every invoice has its line or its reason."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.collection.account import Account, Exclusion, StepTaken, Waiting
from gateway.collection.agreements.values import (
    Agreements,
    Disputed,
    Instalment,
    Planned,
    PlanState,
    Promised,
    PromiseState,
)
from gateway.collection.decisions import ChasingVerdict, chasing_allowed
from gateway.collection.holds import Hold
from gateway.collection.rechecking import recheck
from gateway.collection.reminders import NO_CONTACT, ReminderDecision, decide
from gateway.collection.scenarios import Channel, Scenario, default_book
from gateway.kernel.clock import paris_date
from gateway.kernel.text import Text
from gateway.kernel.working_days import add_working_days
from tests.collection.accounts import CUSTOMER, DUE, account, item, state
from tests.lifecycle.making_events import amount, event

STATES = (
    state(),
    state(event("200")),
    state(event("204"), event("205", hours=24)),
    state(event("206", reasons=["QTE_ERR"], data=[amount("MNATTC", "200.00")])),
    state(event("206", reasons=["QTE_ERR"])),
    state(event("207", reasons=["PU_ERR"])),
    state(event("208", reasons=["JUSTIF_ABS"])),
    state(event("210", reasons=["CMD_ERR"])),
    state(event("211", hours=24 * 35)),
    state(event("213", reasons=["REJ_COH"])),
    state(event("220")),
    state(event("221", reasons=["ROUTAGE_ERR"])),
    state(event("501", reasons=["IRR_SYNTAX"])),
)
SCENARIOS = default_book().scenarios
KEYS = [step.key for scenario in SCENARIOS for step in scenario.steps if step.counts_from == "due_date"]
LIVELY = settings(max_examples=200)
IDENTIFIER = UUID(int=7)
few_days = st.integers(-40, 60).map(lambda days: DUE + timedelta(days=days))
dues = st.sampled_from(range(-60, 12)).map(lambda days: DUE + timedelta(days=days))
working_days = st.sampled_from(range(0, 40)).map(lambda days: add_working_days(DUE, days))
totals = st.integers(500, 200_000).map(lambda cents: Decimal(cents) / 100)
rarely = st.sampled_from([False] * 11 + [True])


@st.composite
def items(draw):
    """Some open invoices and credit notes, more often sound than not."""
    found = []
    for number in range(draw(st.integers(1, 5))):
        reached = tuple(
            StepTaken(key, draw(few_days), 1, draw(st.booleans()))
            for key in draw(st.lists(st.sampled_from([*KEYS, NO_CONTACT]), max_size=3, unique=True))
        )
        total = draw(totals) * draw(st.sampled_from([1, 1, 1, 1, -1]))
        found.append(
            replace(
                item(f"F{number}", draw(dues), "1200.00"),
                total=total,
                remaining=draw(st.sampled_from([total, total, total, total, total / 2, Decimal("0.00")])),
                state=draw(st.sampled_from([*STATES[:1] * 20, *STATES])),
                delivery_refused=draw(rarely),
                in_litigation=draw(rarely),
                arrival_sought=draw(st.booleans()),
                reached=tuple(sorted(reached, key=lambda each: each.on)),
            )
        )
    return tuple(found)


@st.composite
def accounts(draw) -> Account:
    """Any account."""
    mine = draw(items())
    ids = [each.invoice_id for each in mine]
    some = st.lists(st.sampled_from(ids), max_size=2, unique=True).map(tuple)
    day = draw(few_days)

    def maybe(strategy):
        return (draw(strategy),) if draw(st.sampled_from([False, False, False, True])) else ()

    paid = Decimal("100.00")
    return replace(
        account(*mine),
        customer=replace(
            CUSTOMER,
            contacts=draw(st.sampled_from([CUSTOMER.contacts, CUSTOMER.contacts, ()])),
            insolvent_since=draw(st.sampled_from([None] * 8 + [DUE - timedelta(days=40), day])),
            is_public=draw(st.booleans()),
        ),
        unallocated=-draw(st.sampled_from([Decimal("0.00"), Decimal("0.00"), Decimal("300.00")])),
        promises=maybe(
            st.builds(
                Promised, st.just(IDENTIFIER), some, st.just(paid), few_days, few_days, st.sampled_from(PromiseState)
            )
        ),
        disputes=maybe(
            st.builds(
                Disputed,
                id=st.just(IDENTIFIER),
                invoice_id=st.sampled_from(ids),
                amount=st.sampled_from([None, Decimal("10.00")]),
                reason=st.just("price"),
                team=st.just("sales"),
                deadline=st.none(),
                opened_on=few_days,
                closed_on=st.sampled_from([None, day]),
                status=st.sampled_from(["", "207"]),
            )
        ),
        plans=maybe(
            st.builds(
                Planned,
                st.just(IDENTIFIER),
                some,
                st.lists(st.builds(Instalment, few_days, st.just(paid), st.sampled_from([paid, Decimal("0.00")]))).map(
                    tuple
                ),
                st.sampled_from(PlanState),
            )
        ),
        exclusions=maybe(
            st.builds(Exclusion, st.sampled_from([None, *ids]), st.sampled_from([None, day]), st.just("x"))
        ),
        last_contact_on=draw(st.sampled_from([None, None, None, day])),
        waiting=draw(st.sampled_from([None] * 8 + [Waiting(IDENTIFIER, Text("x", "x"), day)])),
        to_call=draw(st.sampled_from([None] * 8 + [Waiting(IDENTIFIER, Text("x", "x"), day)])),
        in_litigation=draw(rarely),
    )


instants = st.builds(
    lambda day, hour: datetime(day.year, day.month, day.day, hour, tzinfo=UTC),
    st.one_of(working_days, working_days, few_days),
    st.sampled_from([9, 10, 15, 3]),
)
scenarios = st.sampled_from([*SCENARIOS, SCENARIOS[-1].model_copy(update={"catch_up": "in_order"})])


def claimed(decision: ReminderDecision) -> list:
    """The items claimed, each with what is asked of it; not those thanked for, nor instalments."""
    thanked = decision.step is not None and decision.step.counts_from == "payment"
    by_id = {each.invoice_id: each for each in decision.account.items}
    lines = [] if thanked else [each.line for each in decision.lines if not each.line.is_instalment]
    return [(by_id[line.invoice_id], line.claimed) for line in lines]


@LIVELY
@given(accounts(), scenarios, instants)
def test_nothing_paid_excluded_disputed_refused_promised_or_handed_over_is_ever_claimed(of, scenario, now):
    today = paris_date(now)
    agreed = Agreements(of.promises, of.disputes, of.plans)
    for each, asked in claimed(decide(of, scenario, now)):
        chasing = chasing_allowed(each.state, today, agreed.answered(each.invoice_id))
        assert chasing.verdict is ChasingVerdict.ALLOWED
        assert 0 < asked <= each.remaining - max(chasing.excluded, agreed.disputed(each.invoice_id, each.remaining))
        assert not each.delivery_refused
        assert not each.in_litigation
        assert not of.in_litigation
        assert of.customer.insolvent_since is None or each.issue_date > of.customer.insolvent_since
        excluding = [rule for rule in of.exclusions if rule.invoice_id in (None, each.invoice_id)]
        assert [rule for rule in excluding if rule.until is None or today <= rule.until] == []
        promising = [promise for promise in of.promises if each.invoice_id in promise.invoice_ids]
        awaited = [promise for promise in promising if today <= promise.grace_until]
        assert PromiseState.OPEN not in {promise.state for promise in awaited}
        assert agreed.plan_of(each.invoice_id) is None


@LIVELY
@given(accounts(), scenarios, instants)
def test_every_open_invoice_has_its_line_or_its_reason_and_no_more_than_one(of, scenario, now):
    decision = decide(of, scenario, now)
    lines = Counter(each.line.invoice_id for each in decision.lines if not each.line.is_instalment)
    reasons = Counter(each.item.invoice_id for each in decision.withheld)
    assert lines + reasons == Counter(each.invoice_id for each in of.debts)
    for each in decision.withheld:
        assert each.reason.text.fr
        assert each.reason.text.en


@LIVELY
@given(accounts(), scenarios, instants)
def test_the_total_is_what_the_lines_claim_less_credits_and_unallocated_money_and_is_never_nil(of, scenario, now):
    decision = decide(of, scenario, now)
    if decision.step is None:
        assert decision.lines == ()
        return
    parts = [each.line.claimed for each in decision.lines] + [each.remaining for each in decision.credits]
    assert decision.total == sum(parts, decision.unallocated)
    assert decision.total > 0 or decision.step.counts_from == "payment"


@LIVELY
@given(accounts(), scenarios, instants)
def test_no_step_is_taken_again_nor_one_before_it(of, scenario, now):
    decision = decide(of, scenario, now)
    taken = {each.invoice_id: {step.name for step in each.reached} for each in of.items}
    order = [step.key for step in scenario.steps]
    for each in decision.lines:
        if each.key is None or each.line.is_instalment:
            continue
        mine = taken[each.line.invoice_id]
        assert each.key not in mine
        if each.key in order:
            assert all(order.index(name) < order.index(each.key) for name in mine if name in order)


@LIVELY
@given(accounts(), scenarios, instants)
def test_a_message_that_was_just_decided_holds_when_it_is_checked_again(of, scenario, now):
    decision = decide(of, scenario, now)
    if decision.step is None or decision.anchor is None:
        return
    thanks = decision.step.counts_from == "payment"
    lines = [each.line for each in decision.lines]
    checked = recheck(lines, decision.anchor, of, scenario, paris_date(now), is_thanks=thanks)
    assert checked.withdrawn is None
    assert checked.total == decision.total
    assert len(checked.lines) == len(lines)


@LIVELY
@given(accounts(), scenarios, instants)
def test_the_decision_after_a_message_asks_for_nothing_more_that_day(of, scenario: Scenario, now):
    decision = decide(of, scenario, now)
    if decision.step is None or decision.channel is None or decision.channel is Channel.TASK:
        return
    today = paris_date(now)
    keys = {}
    for each in decision.lines:
        if each.key is not None:
            keys.setdefault(each.line.invoice_id, []).append(StepTaken(each.key, today, decision.tone, True))
    told = tuple(replace(each, reached=(*each.reached, *keys.get(each.invoice_id, ()))) for each in of.items)
    after = decide(replace(of, items=told, last_contact_on=today), scenario, now)
    assert after.channel in (None, Channel.TASK) or after.step.counts_from == "payment"
    assert after.why_not is None or after.why_not.hold in (Hold.TOO_SOON, Hold.CLOSED_HOURS, Hold.WAITING, Hold.COVERED)
