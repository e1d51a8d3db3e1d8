"""A promise, a dispute and a plan follow from the money and the days: kept, broken, settled, conserved."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.collection.agreements.disputes import (
    Close,
    Credit,
    Follow,
    KnownDispute,
    Matter,
    Open,
    reconcile,
    require_dispute,
)
from gateway.collection.agreements.errors import (
    AlreadyDisputedError,
    DisputeExceedsError,
    InstalmentInThePastError,
    InstalmentsOutOfOrderError,
    NoAmountError,
    NothingOpenError,
    PlanSumError,
    PromiseExceedsError,
    PromiseInThePastError,
)
from gateway.collection.agreements.model import DisputeOutcome
from gateway.collection.agreements.money import Money, came_in, sum_of
from gateway.collection.agreements.plans import (
    DatedInstalment,
    NewInstalment,
    fill,
    judge_plan,
    require_plan,
    spread_evenly,
)
from gateway.collection.agreements.policy import agreement_policy, reason_label, team_for
from gateway.collection.agreements.promises import (
    PromiseMade,
    judge_promises,
    kept_ratio,
    promised_by_day,
    promised_by_invoice,
    require_promise,
)
from gateway.collection.agreements.values import (
    Agreements,
    Disputed,
    Instalment,
    Planned,
    PlanState,
    Promised,
    PromiseState,
)
from gateway.lifecycle.projection import InvoiceAmounts, project
from tests.lifecycle.making_events import START, amount, event

F1, F2 = UUID(int=1), UUID(int=2)
MADE = START
MONDAY = date(2026, 10, 5)
FRIDAY, GRACE = date(2026, 10, 9), date(2026, 10, 13)
AFTER = date(2026, 10, 14)
DUE = InvoiceAmounts(Decimal("120.00"), "EUR")
CENTS = st.integers(1, 100_000).map(lambda cents: Decimal(cents) / 100)


def promised(value="100.00", *, state=PromiseState.OPEN, due_on=FRIDAY, grace=GRACE, invoices=(F1,), **changes):
    made = Promised(uuid4(), invoices, Decimal(value), due_on, grace, state, **changes)
    return PromiseMade(made, MADE)


def money(value, on=FRIDAY, *, invoice=F1, known_at=None):
    known = known_at or datetime.combine(on, START.timetz())
    return Money(invoice, on, known, Decimal(value))


def judged(promise, *came, owed="120.00", today=AFTER):
    return judge_promises([promise], came, {F1: Decimal(owed)}, today)[promise.promised.id]


@pytest.mark.parametrize(
    ("came", "owed", "today", "state", "awaited", "calls"),
    [
        ([], "120.00", GRACE, PromiseState.OPEN, "100.00", False),
        ([], "120.00", AFTER, PromiseState.BROKEN, "100.00", True),
        ([money("40.00")], "80.00", FRIDAY, PromiseState.OPEN, "60.00", False),
        ([money("40.00")], "80.00", AFTER, PromiseState.PARTLY_KEPT, "60.00", True),
        ([money("60.00"), money("40.00", GRACE)], "20.00", AFTER, PromiseState.KEPT, "0.00", False),
        ([money("100.00", MONDAY)], "20.00", MONDAY, PromiseState.KEPT, "0.00", False),
        ([money("100.00", AFTER)], "20.00", AFTER, PromiseState.BROKEN, "0.00", False),
        ([money("100.00", AFTER)], "0.00", AFTER, PromiseState.BROKEN, "0.00", False),
        ([money("90.00", AFTER)], "30.00", AFTER, PromiseState.BROKEN, "10.00", True),
        ([], "30.00", FRIDAY, PromiseState.OPEN, "30.00", False),
        ([], "0.00", FRIDAY, PromiseState.CANCELLED, "0.00", False),
        ([], "0.00", AFTER, PromiseState.CANCELLED, "0.00", False),
        ([money("40.00")], "0.00", FRIDAY, PromiseState.KEPT, "0.00", False),
    ],
)
def test_a_promise_is_judged_by_the_money_that_came_in_time(came, owed, today, state, awaited, calls):
    decision = judged(promised(), *came, owed=owed, today=today)
    assert (decision.state, decision.awaited, decision.calls) == (state, Decimal(awaited), calls)


def test_money_known_before_the_promise_keeps_none():
    before = money("100.00", MONDAY, known_at=MADE - timedelta(seconds=1))
    assert judged(promised(), before).state is PromiseState.BROKEN
    told_late = money("100.00", date(2026, 10, 2), known_at=MADE + timedelta(days=1))
    assert judged(promised(), told_late).state is PromiseState.KEPT


def test_a_broken_promise_stays_broken_when_the_invoice_is_credited_and_is_mended_by_money_told_late():
    broken = promised(state=PromiseState.BROKEN)
    assert judged(broken, owed="0.00").state is PromiseState.BROKEN
    assert judged(broken, owed="0.00").calls is False
    assert judged(broken, money("100.00", FRIDAY, known_at=START + timedelta(days=30))).state is PromiseState.KEPT


def test_a_cancelled_promise_is_over_whatever_comes_and_takes_no_money_from_another():
    cancelled, other = promised(state=PromiseState.CANCELLED), promised()
    decisions = judge_promises([cancelled, other], [money("100.00")], {F1: Decimal("20.00")}, AFTER)
    assert decisions[cancelled.promised.id].state is PromiseState.CANCELLED
    assert decisions[other.promised.id].state is PromiseState.KEPT


def test_one_amount_keeps_one_promise():
    first = promised("60.00", due_on=MONDAY, grace=date(2026, 10, 7))
    second = promised("60.00")
    owed = {F1: Decimal("60.00")}
    decisions = judge_promises([second, first], [money("60.00", MONDAY)], owed, AFTER)
    assert decisions[first.promised.id].state is PromiseState.KEPT
    assert decisions[second.promised.id].state is PromiseState.BROKEN
    late = judge_promises([second, first], [money("60.00", FRIDAY)], owed, AFTER)
    assert late[first.promised.id].state is PromiseState.BROKEN
    assert late[second.promised.id].state is PromiseState.KEPT
    assert late[first.promised.id].calls is False


def test_money_that_went_back_keeps_no_promise():
    assert judged(promised(), money("100.00"), money("-100.00", GRACE)).state is PromiseState.BROKEN
    assert judged(promised(), money("120.00"), money("-20.00", AFTER)).state is PromiseState.KEPT


@given(st.lists(st.tuples(st.sampled_from([F1, F2]), CENTS, st.booleans(), st.integers(0, 20)), max_size=8))
def test_what_came_in_is_the_sum_of_all_that_moved_and_never_more_than_came(moves):
    pieces = [
        Money(invoice, MONDAY + timedelta(days=days), START, -value if back else value)
        for invoice, value, back, days in moves
    ]
    kept = came_in(pieces)
    assert all(each.amount > 0 for each in kept)
    for invoice in (F1, F2):
        mine = [each for each in pieces if each.invoice_id == invoice]
        stays = sum_of(each for each in kept if each.invoice_id == invoice)
        assert sum_of(mine) <= stays <= sum_of(each for each in mine if each.amount > 0)


@given(
    st.lists(st.tuples(CENTS, st.integers(0, 12)), min_size=1, max_size=4),
    st.lists(st.tuples(st.sampled_from([F1, F2]), CENTS, st.integers(0, 20)), max_size=8),
    st.integers(0, 25),
    st.randoms(use_true_random=False),
)
def test_promises_are_a_pure_function_of_the_money_and_the_day_whatever_the_order(made, moves, days, rng):
    promises = [
        promised(value, due_on=MONDAY + timedelta(days=due), grace=MONDAY + timedelta(days=due + 2), invoices=(F1, F2))
        for value, due in made
    ]
    came = [money(value, MONDAY + timedelta(days=on), invoice=invoice) for invoice, value, on in moves]
    owed, today = {F1: Decimal("5000.00"), F2: Decimal("5000.00")}, MONDAY + timedelta(days=days)
    decisions = judge_promises(promises, came, owed, today)
    rng.shuffle(came)
    rng.shuffle(promises)
    assert judge_promises(promises, came, owed, today) == decisions
    still = [each for each in promises if decisions[each.promised.id].state in (PromiseState.OPEN, PromiseState.KEPT)]
    counted = sum((each.promised.amount - decisions[each.promised.id].awaited for each in still), Decimal(0))
    assert counted <= sum_of(came)
    for each in promises:
        decision = decisions[each.promised.id]
        assert Decimal(0) <= decision.awaited <= each.promised.amount
        assert (decision.state is PromiseState.OPEN) <= (today <= each.promised.grace_until)
        assert decision.calls == (decision.awaited > 0 and today > each.promised.grace_until)


@pytest.mark.parametrize(
    ("value", "due_on", "owed", "error"),
    [
        ("0.00", FRIDAY, "120.00", NoAmountError),
        ("10.001", FRIDAY, "120.00", NoAmountError),
        ("10.00", date(2026, 10, 4), "120.00", PromiseInThePastError),
        ("10.00", FRIDAY, "0.00", NothingOpenError),
        ("120.01", FRIDAY, "120.00", PromiseExceedsError),
    ],
)
def test_a_promise_that_makes_no_sense_is_refused(value, due_on, owed, error):
    require_promise(Decimal("120.00"), MONDAY, Decimal("120.00"), MONDAY)
    with pytest.raises(error):
        require_promise(Decimal(value), due_on, Decimal(owed), MONDAY)


def test_the_forecast_and_the_score_read_promises_as_values():
    values = [
        promised("100.00", awaited=Decimal("60.00"), invoices=(F1, F2)).promised,
        promised("50.00", awaited=Decimal("50.00"), invoices=(F2,)).promised,
        promised("10.00", state=PromiseState.KEPT).promised,
        promised("10.00", state=PromiseState.BROKEN, awaited=Decimal("10.00")).promised,
        promised("10.00", state=PromiseState.PARTLY_KEPT, awaited=Decimal("5.00")).promised,
    ]
    assert promised_by_day(values) == {FRIDAY: Decimal("110.00")}
    remaining = {F1: Decimal("45.00"), F2: Decimal("60.00")}
    assert promised_by_invoice(values, remaining) == {F1: Decimal("45.00"), F2: Decimal("60.00")}
    assert kept_ratio(values) == Decimal("0.5")
    assert kept_ratio(values[:2]) is None


def dispute(value=None, *, status="", fingerprint="", hours=0.0, outcome=None):
    since = START + timedelta(hours=hours)
    return KnownDispute(uuid4(), Decimal(value) if value else None, since, status, fingerprint, outcome)


def matter(*events, owed="120.00", **more):
    return Matter(project(events, DUE), Decimal(owed), **more)


def linked(given, **changes):
    return dispute(status=given.code, fingerprint=given.fingerprint, **changes)


@pytest.mark.parametrize(
    ("code", "data", "contested"),
    [("207", [], None), ("206", [amount("MNATTC", "30.00")], "30.00"), ("206", [], None), ("210", [], None)],
)
def test_a_status_that_contests_opens_one_dispute(code, data, contested):
    told = event(code, reasons=["PU_ERR"], data=data)
    (opened,) = reconcile([], matter(told))
    assert isinstance(opened, Open)
    assert (opened.issue.code, opened.amount) == (code, Decimal(contested) if contested else None)
    assert reconcile([linked(told)], matter(told)) == []
    assert reconcile([linked(told, outcome="refused")], matter(told)) == []


def test_a_partial_approval_of_everything_contests_nothing():
    assert reconcile([], matter(event("206", reasons=["PU_ERR"], data=[amount("MAPTTC", "120.00")]))) == []


def test_a_status_repeated_or_that_confirms_a_person_follows_the_open_dispute():
    first, again = event("207", reasons=["PU_ERR"]), event("207", 2, reasons=["QTE_ERR"])
    known = linked(first)
    (followed,) = reconcile([known], matter(first, again))
    assert isinstance(followed, Follow)
    assert (followed.dispute_id, followed.issue.fingerprint) == (known.id, again.fingerprint)
    by_phone = dispute("20.00", hours=-1)
    (confirmed,) = reconcile([by_phone], matter(first))
    assert isinstance(confirmed, Follow)
    assert (confirmed.dispute_id, confirmed.amount) == (by_phone.id, Decimal("20.00"))


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        ("205", DisputeOutcome.SUPERSEDED),
        ("220", DisputeOutcome.INVOICE_CLOSED),
        ("213", DisputeOutcome.INVOICE_CLOSED),
    ],
)
def test_a_later_status_settles_a_dispute_of_a_status_or_of_a_person(code, outcome):
    told, later = event("207", reasons=["PU_ERR"]), event(code, 3, reasons=["REJ_COH"] if code == "213" else [])
    for known in (linked(told), dispute(hours=1)):
        events = (told, later) if known.status else (later,)
        assert reconcile([known], matter(*events)) == [Close(known.id, outcome, code)]


@pytest.mark.parametrize("code", ["204", "208", "209", "211", "214"])
def test_a_status_that_lifts_no_dispute_leaves_it_open(code):
    told = event("207", reasons=["PU_ERR"])
    assert reconcile([linked(told)], matter(told, event(code, 3, reasons=["JUSTIF_ABS"]))) == []


def test_a_status_dated_before_the_dispute_settles_nothing():
    by_phone = dispute(hours=5)
    assert reconcile([by_phone], matter(event("205", 3))) == []


def test_a_partial_approval_takes_the_place_of_a_dispute():
    told, partly = event("207", reasons=["PU_ERR"]), event("206", 2, reasons=["PU_ERR"], data=[amount("MNATTC", "5")])
    known = linked(told)
    opened, closed = reconcile([known], matter(told, partly))
    assert isinstance(opened, Open)
    assert (opened.issue.code, opened.amount) == ("206", Decimal("5"))
    assert closed == Close(known.id, DisputeOutcome.SUPERSEDED, "206")


def test_payment_in_full_settles_a_dispute_and_money_of_before_does_not():
    told = event("207", reasons=["PU_ERR"])
    known = linked(told)
    paid = money("120.00", FRIDAY)
    assert reconcile([known], matter(told, owed="0.00", money=[paid])) == [Close(known.id, DisputeOutcome.PAYMENT)]
    assert reconcile([known], matter(told, owed="60.00", money=[money("60.00")])) == []
    before = money("120.00", FRIDAY, known_at=START - timedelta(days=1))
    assert reconcile([known], matter(told, owed="0.00", money=[before])) == []


@pytest.mark.parametrize(
    ("contested", "credit", "settled"),
    [("30.00", "30.00", True), ("30.00", "29.99", False), (None, "120.00", True), (None, "119.99", False)],
)
def test_a_credit_note_settles_what_it_covers(contested, credit, settled):
    told = event("207", reasons=["PU_ERR"])
    known = linked(told) if contested is None else dispute(contested)
    given_after = Credit(START + timedelta(days=1), Decimal(credit))
    events = [told] if known.status else []
    decisions = reconcile([known], matter(*events, credits=[given_after]))
    assert decisions == ([Close(known.id, DisputeOutcome.CREDIT_NOTE)] if settled else [])
    given_before = Credit(START - timedelta(days=1), Decimal(credit))
    assert reconcile([known], matter(*events, credits=[given_before])) == []


def test_one_credit_note_settles_one_of_two_disputes():
    older, newer = dispute("30.00"), dispute("30.00", hours=1)
    credit = Credit(START + timedelta(days=1), Decimal("30.00"))
    assert reconcile([newer, older], matter(credits=[credit])) == [Close(older.id, DisputeOutcome.CREDIT_NOTE)]
    settled = dispute("30.00", outcome=DisputeOutcome.CREDIT_NOTE)
    assert reconcile([settled, newer], matter(credits=[credit])) == []


@given(
    st.lists(
        st.tuples(st.sampled_from(["204", "205", "206", "207", "208", "210", "211", "220"]), st.integers(0, 30)),
        max_size=6,
        unique=True,
    ),
    st.randoms(use_true_random=False),
)
def test_disputes_agree_with_the_statuses_whatever_their_order_and_reconciling_twice_changes_nothing(told, rng):
    events = [event(code, hours, reasons=["PU_ERR"]) for code, hours in told]
    known: list[KnownDispute] = []
    heard = []
    for each in rng.sample(events, len(events)):
        heard.append(each)
        known = _applied(known, reconcile(known, matter(*heard)))
        assert reconcile(known, matter(*heard)) == []
    state = project(events, DUE)
    standing = {each.fingerprint for each in state.issues if each.code in ("206", "207", "210")}
    still = {each.fingerprint for each in known if each.outcome is None}
    assert still == (set() if state.ended_by else standing)


def _applied(known, decisions):
    by_id = {each.id: each for each in known}
    for decision in decisions:
        if isinstance(decision, Close):
            old = by_id[decision.dispute_id]
            by_id[old.id] = KnownDispute(
                old.id, old.amount, old.since, old.status, old.fingerprint, decision.outcome.value
            )
        else:
            new_id = decision.dispute_id if isinstance(decision, Follow) else uuid4()
            issue = decision.issue
            by_id[new_id] = KnownDispute(new_id, decision.amount, issue.at, issue.code, issue.fingerprint, None)
    return list(by_id.values())


@pytest.mark.parametrize(
    ("value", "owed", "disputed", "error"),
    [
        ("0", "120.00", "0", NoAmountError),
        ("0.001", "120.00", "0", NoAmountError),
        ("10.00", "0.00", "0", NothingOpenError),
        (None, "120.00", "120.00", AlreadyDisputedError),
        ("20.01", "120.00", "100.00", DisputeExceedsError),
    ],
)
def test_a_dispute_never_contests_more_than_remains(value, owed, disputed, error):
    require_dispute(Decimal("20.00"), Decimal("120.00"), Decimal("100.00"))
    with pytest.raises(error):
        require_dispute(Decimal(value) if value else None, Decimal(owed), Decimal(disputed))


@given(st.lists(st.one_of(st.none(), CENTS), max_size=5), st.integers(-100, 100_000))
def test_the_disputed_part_never_exceeds_what_remains(values, cents):
    remaining = Decimal(cents) / 100
    disputes = tuple(Disputed(uuid4(), F1, each, "price", "sales", None, MONDAY, None) for each in values)
    contested = Agreements(disputes=disputes).disputed(F1, remaining)
    assert Decimal(0) <= contested <= max(remaining, Decimal(0))
    if None in values:
        assert contested == max(remaining, Decimal(0))


def test_an_answered_dispute_holds_back_nothing_until_the_buyer_disputes_again():
    closed = Disputed(uuid4(), F1, None, "PU_ERR", "sales", None, MONDAY, FRIDAY, "207")
    again = Disputed(uuid4(), F1, None, "PU_ERR", "sales", None, FRIDAY, None, "207")
    assert Agreements(disputes=(closed,)).answered(F1) == {"207"}
    assert Agreements(disputes=(closed,)).answered(F2) == frozenset()
    assert Agreements(disputes=(closed, again)).answered(F1) == frozenset()
    refusal = Disputed(uuid4(), F1, None, "PU_ERR", "sales", None, MONDAY, FRIDAY, "210")
    assert Agreements(disputes=(refusal,)).answered(F1) == frozenset()


@given(CENTS, st.integers(1, 24), st.dates(date(2026, 1, 31), date(2030, 12, 31)))
def test_a_plan_spread_evenly_conserves_the_money_and_is_sound(total, count, first_on):
    if total < count * Decimal("0.01"):
        with pytest.raises(NoAmountError):
            spread_evenly(total, count, first_on)
        return
    instalments = spread_evenly(total, count, first_on)
    assert sum(each.amount for each in instalments) == total
    assert max(each.amount for each in instalments) - min(each.amount for each in instalments) <= Decimal("0.01")
    require_plan(instalments, total, first_on)


def test_months_without_the_day_take_their_last_one():
    days = [each.due_on for each in spread_evenly(Decimal("3.00"), 3, date(2026, 12, 31))]
    assert days == [date(2026, 12, 31), date(2027, 1, 31), date(2027, 2, 28)]


@given(st.lists(CENTS, min_size=1, max_size=8), st.integers(-1000, 1_000_000))
def test_what_is_paid_fills_the_instalments_in_order_and_nothing_is_lost(amounts, cents):
    paid = Decimal(cents) / 100
    filled = fill([Instalment(MONDAY, each, Decimal(0)) for each in amounts], paid)
    assert sum(each.paid for each in filled) == max(Decimal(0), min(paid, sum(amounts)))
    shorts = [each.remaining > 0 for each in filled]
    assert shorts == sorted(shorts)
    for sooner, later in pairwise(filled):
        assert later.paid == 0 or sooner.remaining == 0


SOUND = (NewInstalment(FRIDAY, Decimal("60.00")), NewInstalment(date(2026, 11, 9), Decimal("60.00")))


@pytest.mark.parametrize(
    ("instalments", "error"),
    [
        ((), PlanSumError),
        ((NewInstalment(FRIDAY, Decimal("119.99")),), PlanSumError),
        ((NewInstalment(FRIDAY, Decimal("0.00")), *SOUND), NoAmountError),
        ((NewInstalment(date(2026, 10, 4), Decimal("60.00")), SOUND[1]), InstalmentInThePastError),
        ((SOUND[1], SOUND[0]), InstalmentsOutOfOrderError),
        ((SOUND[0], SOUND[0]), InstalmentsOutOfOrderError),
    ],
)
def test_a_plan_that_does_not_spread_exactly_what_is_owed_is_refused(instalments, error):
    require_plan(SOUND, Decimal("120.00"), MONDAY)
    with pytest.raises(error):
        require_plan(instalments, Decimal("120.00"), MONDAY)


@pytest.mark.parametrize(
    ("paid", "owed", "today", "state", "late"),
    [
        ("0.00", "120.00", GRACE, PlanState.ACTIVE, ()),
        ("0.00", "120.00", AFTER, PlanState.BROKEN, (0,)),
        ("59.99", "60.01", AFTER, PlanState.BROKEN, (0,)),
        ("60.00", "60.00", AFTER, PlanState.ACTIVE, ()),
        ("60.00", "60.00", date(2026, 12, 1), PlanState.BROKEN, (1,)),
        ("0.00", "120.00", date(2026, 12, 1), PlanState.BROKEN, (0, 1)),
        ("120.00", "0.00", date(2026, 12, 1), PlanState.DONE, ()),
        ("0.00", "0.00", date(2026, 12, 1), PlanState.DONE, ()),
    ],
)
def test_a_plan_breaks_past_the_days_of_grace_and_runs_again_once_caught_up(paid, owed, today, state, late):
    dated = [
        DatedInstalment(Instalment(FRIDAY, Decimal("60.00"), Decimal(0)), GRACE),
        DatedInstalment(Instalment(date(2026, 11, 9), Decimal("60.00"), Decimal(0)), date(2026, 11, 12)),
    ]
    decision = judge_plan(dated, Decimal(paid), Decimal(owed), today)
    assert (decision.state, decision.late) == (state, late)


def test_a_plan_says_what_is_late_and_what_comes_next():
    planned = Planned(
        uuid4(),
        (F1,),
        fill([Instalment(FRIDAY, Decimal("60.00"), Decimal(0)), Instalment(AFTER, Decimal("60.00"), Decimal(0))],
             Decimal("20.00")),
        PlanState.ACTIVE,
    )  # fmt: skip
    assert [each.remaining for each in planned.late(GRACE)] == [Decimal("40.00")]
    assert planned.late(FRIDAY) == ()
    assert planned.next_due == planned.instalments[0]
    assert Agreements(plans=(planned,)).plan_of(F1) is planned
    assert Agreements(plans=(planned,)).plan_of(F2) is None


def test_days_of_grace_and_teams_are_data():
    policy = agreement_policy(MONDAY)
    assert policy.promise_grace_until(FRIDAY) == GRACE
    assert policy.settle_by(MONDAY) == date(2026, 10, 19)
    assert {team_for(each, MONDAY) for each in ("price", "PU_ERR")} == {"sales"}
    assert team_for("bank_details", MONDAY) == "treasury"
    assert team_for("NOT_PUBLISHED", MONDAY) == "ar"
    assert reason_label("quality", MONDAY).fr == "Qualité"
    assert reason_label("PU_ERR", MONDAY).fr != ""
