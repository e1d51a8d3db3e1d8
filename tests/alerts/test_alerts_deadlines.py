"""A deadline passes at its instant and not before, counts French working days, and stops when it is met. Pure."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gateway.alerts.deadline_policy import Matter, deadline_policy
from gateway.alerts.deadlines import Disputes, InvoiceFacts, Receipt, Unsent, next_look, overdue, running
from gateway.kernel.clock import PARIS, paris_date
from gateway.kernel.dated import data_file
from gateway.kernel.working_days import is_working_day
from gateway.lifecycle.correlation import InvoiceKey
from gateway.lifecycle.projection import InvoiceAmounts, InvoiceState, project
from tests.lifecycle.making_events import START, amount, event

POLICY = deadline_policy(date(2026, 10, 5))
MOMENT = timedelta(microseconds=1)


def facts(**changes) -> InvoiceFacts:
    given_facts = {
        "key": InvoiceKey("F1", "552100554", 2026),
        "currency": "EUR",
        "amount_due": Decimal("120.00"),
        "issue_date": date(2026, 10, 1),
        "due_date": date(2026, 10, 31),
        "vat_on_receipts": True,
        "sent_at": START,
    }
    return InvoiceFacts(**{**given_facts, **changes})


def state(*events) -> InvoiceState:
    return project(events, InvoiceAmounts(Decimal("120.00"), "EUR"))


def late(known, events, now):
    return [each.deadline.rule.matter for each in overdue(known, state(*events), POLICY, now)]


PAID = event("212", 9, data=[amount("MEN", "120.00", "20.00")])
PARTLY = event("206", reasons=["QTE_ERR"], data=[amount("MNATTC", "20.00")])
MONDAY_RECEIPT = Receipt(Decimal("120.00"), date(2026, 10, 5))
UNSENT_212 = Unsent(START, False, "212", "abc")
#: Matter, facts, events, first instant at which it is late (Monday 5 October 2026, 10:00 in Paris, is the start).
CASES = {
    Matter.INVOICE_NOT_SENT: (facts(sent_at=None, unsent=(Unsent(START, False),)), [], START + timedelta(hours=24)),
    Matter.STATUS_NOT_SENT: (facts(unsent=(UNSENT_212,)), [PAID], START + timedelta(hours=24)),
    Matter.NOT_DEPOSITED: (facts(), [], START + timedelta(hours=24)),
    # Three working days, and a quarter of the payment term: both end on Thursday 8 October.
    Matter.NOT_MADE_AVAILABLE: (facts(), [event("200")], datetime(2026, 10, 8, 22, tzinfo=UTC)),
    # Half of the payment term ends on Friday 16 October, before ten working days.
    Matter.NOT_TAKEN_IN_CHARGE: (facts(), [event("200"), event("203", 1)], datetime(2026, 10, 16, 22, tzinfo=UTC)),
    # Due on Saturday 31 October; Sunday is All Saints' Day: Monday 2 November is in time, in winter time.
    Matter.APPROVED_UNPAID: (facts(), [event("205")], datetime(2026, 11, 2, 23, tzinfo=UTC)),
    Matter.APPROVED_PART_UNPAID: (facts(), [PARTLY], datetime(2026, 11, 2, 23, tzinfo=UTC)),
    Matter.DISPUTE_UNANSWERED: (
        facts(),
        [event("207", reasons=["PU_ERR"])],
        datetime(2026, 10, 12, 22, tzinfo=UTC),
    ),
    Matter.SUSPENSION_UNANSWERED: (
        facts(),
        [event("208", reasons=["JUSTIF_ABS"])],
        datetime(2026, 10, 8, 22, tzinfo=UTC),
    ),
    Matter.RECEIPT_NOT_REPORTED: (
        facts(receipt=MONDAY_RECEIPT),
        [event("205")],
        datetime(2026, 10, 7, 22, tzinfo=UTC),
    ),
    Matter.RECEIPT_TO_CHECK: (
        facts(receipt=MONDAY_RECEIPT, vat_on_receipts=None),
        [event("205")],
        datetime(2026, 10, 7, 22, tzinfo=UTC),
    ),
}
#: What happens in time, or after all, so that nothing of that matter is late any more.
CURES = {
    Matter.INVOICE_NOT_SENT: (facts(), []),
    Matter.STATUS_NOT_SENT: (facts(), [PAID]),
    Matter.NOT_DEPOSITED: (facts(), [event("200", 1)]),
    Matter.NOT_MADE_AVAILABLE: (facts(), [event("200"), event("203", 1)]),
    Matter.NOT_TAKEN_IN_CHARGE: (facts(), [event("200"), event("203", 1), event("204", 2)]),
    Matter.APPROVED_UNPAID: (facts(), [event("205"), PAID]),
    Matter.APPROVED_PART_UNPAID: (facts(), [PARTLY, event("212", 9, data=[amount("MEN", "100.00", "20.00")])]),
    Matter.DISPUTE_UNANSWERED: (facts(), [event("207", reasons=["PU_ERR"]), event("205", 1)]),
    Matter.SUSPENSION_UNANSWERED: (facts(), [event("208", reasons=["JUSTIF_ABS"]), event("209", 1)]),
    Matter.RECEIPT_NOT_REPORTED: (facts(receipt=MONDAY_RECEIPT), [event("205"), PAID]),
    Matter.RECEIPT_TO_CHECK: (facts(receipt=MONDAY_RECEIPT, vat_on_receipts=False), [event("205")]),
}


@pytest.mark.parametrize("matter", Matter)
def test_each_deadline_passes_at_its_instant_and_not_a_moment_before(matter):
    known, events, instant = CASES[matter]
    assert matter not in late(known, events, instant - MOMENT)
    assert late(known, events, instant) == [matter]


@pytest.mark.parametrize("matter", Matter)
def test_what_meets_a_deadline_ends_it(matter):
    known, events = CURES[matter]
    assert matter not in late(known, events, CASES[matter][2])


@pytest.mark.parametrize("matter", Matter)
def test_what_is_told_names_the_invoice_and_leaves_no_blank_in_either_language(matter):
    known, events, instant = CASES[matter]
    [decision] = overdue(known, state(*events), POLICY, instant)
    for text in (decision.alert.title, decision.alert.reason, decision.alert.next_step):
        for sentence in (text.fr, text.en):
            assert sentence.strip()
            assert not set("{}") & set(sentence)
    assert "F1" in decision.alert.title.fr
    assert decision.alert.dedup_key.startswith(f"{matter.value}:F1/552100554/2026:")


@pytest.mark.parametrize("closing", [event("213", 9, reasons=["REJ_SEMAN"]), event("220", 9)])
@pytest.mark.parametrize("matter", sorted(set(Matter) - {Matter.INVOICE_NOT_SENT, Matter.STATUS_NOT_SENT}))
def test_a_closed_invoice_has_no_deadline_left(matter, closing):
    known, events, instant = CASES[matter]
    assert late(known, [*events, closing], instant) == []


def test_an_invoice_that_is_known_not_to_have_arrived_waits_for_nobody():
    """Its own alert (501, 221) tells what to do."""
    astray = event("221", 1, reasons=["ROUTAGE_ERR"])
    assert late(facts(), [astray], START + timedelta(days=30)) == []
    assert late(facts(), [event("200"), astray], START + timedelta(days=20)) == []


def test_a_delivery_given_up_is_told_at_once():
    assert late(facts(sent_at=None, unsent=(Unsent(START, True),)), [], START) == [Matter.INVOICE_NOT_SENT]


@pytest.mark.parametrize(("on_receipts", "is_late"), [(True, True), (None, True), (False, False)])
def test_a_212_has_to_be_passed_on_unless_the_invoice_shows_that_vat_is_not_due_on_receipts(on_receipts, is_late):
    known = facts(unsent=(UNSENT_212,), vat_on_receipts=on_receipts)
    assert bool(late(known, [PAID], START + timedelta(days=2))) is is_late


def test_money_already_reported_is_not_asked_for_again_but_the_rest_of_it_is():
    part = event("212", 3, data=[amount("MEN", "100.00", "20.00")])
    known = facts(receipt=MONDAY_RECEIPT)
    [decision] = overdue(known, state(event("205"), part), POLICY, START + timedelta(days=10))
    assert decision.deadline.amount == Decimal("20.00")
    assert late(facts(receipt=Receipt(Decimal("100.00"), date(2026, 10, 5))), [part], START + timedelta(days=10)) == []


def test_a_payment_announced_buys_five_working_days_and_no_more():
    events = [event("205"), event("211", 24 * 28, data=[amount("MPA", "120.00", on=date(2026, 11, 2))])]
    assert late(facts(), events, datetime(2026, 11, 9, 22, 59, tzinfo=UTC)) == []
    assert late(facts(), events, datetime(2026, 11, 9, 23, 0, tzinfo=UTC)) == [Matter.APPROVED_UNPAID]


def test_a_dispute_needs_no_answer_once_the_invoice_is_paid_by_a_receipt():
    events, much_later = [event("207", reasons=["PU_ERR"])], START + timedelta(days=60)
    assert Matter.DISPUTE_UNANSWERED in late(facts(), events, much_later)
    in_part = replace(MONDAY_RECEIPT, amount=Decimal("119.99"))
    assert Matter.DISPUTE_UNANSWERED in late(facts(receipt=in_part), events, much_later)
    assert Matter.DISPUTE_UNANSWERED not in late(facts(receipt=MONDAY_RECEIPT), events, much_later)


def test_a_disputed_invoice_is_not_told_unpaid_while_the_dispute_lasts():
    events = [event("205"), event("207", 1, reasons=["PU_ERR"])]
    assert late(facts(), events, datetime(2026, 12, 1, tzinfo=UTC)) == [Matter.DISPUTE_UNANSWERED]


@pytest.mark.parametrize(
    ("known", "told", "asked"),
    [
        (facts(), [PARTLY], "100.00"),
        (facts(), [event("205"), event("206", 1, reasons=["QTE_ERR"], data=[amount("MAPTTC", "70.00")])], "70.00"),
        (facts(disputes=Disputes(withheld=Decimal("50.00"))), [PARTLY], "70.00"),
        (facts(disputes=Disputes(frozenset({"206"}))), [PARTLY], "120.00"),
        (facts(receipt=Receipt(Decimal("40.00"), date(2026, 10, 5)), vat_on_receipts=False), [PARTLY], "60.00"),
        (facts(), [PARTLY, event("205", 1)], "120.00"),
        (facts(), [event("206", reasons=["QTE_ERR"])], None),
        (facts(), [PARTLY, event("207", 1, reasons=["PU_ERR"])], None),
    ],
)
def test_of_a_partial_approval_the_part_that_is_not_contested_is_awaited(known, told, asked):
    due = date(2026, 10, 31)
    wanted = {Matter.APPROVED_UNPAID, Matter.APPROVED_PART_UNPAID}
    found = [each for each in running(known, state(*told), POLICY) if each.rule.matter in wanted]
    assert [(each.since, each.amount) for each in found] == ([(due, Decimal(asked))] if asked else [])


def test_nobody_is_expected_to_pay_a_credit_note():
    credit = facts(amount_due=Decimal("-120.00"))
    approved = project([event("205")], InvoiceAmounts(Decimal("-120.00"), "EUR"))
    assert list(running(credit, approved, POLICY)) == []


def test_a_matter_switched_off_is_not_watched(monkeypatch):
    table = data_file("deadlines.toml")["condition"][Matter.NOT_DEPOSITED.value]
    monkeypatch.setitem(table, "active", False)
    without = deadline_policy.__wrapped__(date(2026, 10, 5))
    assert overdue(facts(), state(), without, START + timedelta(days=9)) == []


def test_without_a_due_date_the_statutory_term_counts():
    [deadline] = running(facts(due_date=None), state(event("205")), POLICY)
    assert deadline.since == date(2026, 10, 31)


instants = st.datetimes(datetime(2024, 1, 1), datetime(2031, 12, 31), timezones=st.just(UTC))


@given(instants)
def test_working_days_end_on_one_whatever_the_weekend_or_holiday_they_start_on(at):
    suspended = event("208", (at - START) / timedelta(hours=1), reasons=["JUSTIF_ABS"])
    known = facts(issue_date=paris_date(at), due_date=paris_date(at))
    deadline = next(each for each in running(known, state(suspended), POLICY) if each.code == "208")
    between = [deadline.since + timedelta(days=day) for day in range(1, (deadline.last_day - deadline.since).days + 1)]
    assert is_working_day(deadline.last_day)
    assert sum(map(is_working_day, between)) == deadline.rule.working_days
    midnight = deadline.passes_at.astimezone(PARIS)
    assert (midnight.hour, midnight.minute, midnight.second, midnight.microsecond) == (0, 0, 0, 0)
    assert midnight.date() == deadline.last_day + timedelta(days=1)


@given(st.dates(date(2026, 9, 1), date(2027, 6, 1)), st.integers(0, 60), st.integers(0, 30))
def test_a_share_of_the_term_shortens_the_wait_and_leaves_the_buyer_a_working_day_at_least(issued, term, delay):
    at = datetime.combine(issued + timedelta(days=delay), datetime.min.time(), UTC) + timedelta(hours=10)
    known = facts(issue_date=issued, due_date=issued + timedelta(days=term))
    deadline = next(iter(running(known, state(event("200", (at - START) / timedelta(hours=1))), POLICY)))
    between = [deadline.since + timedelta(days=day) for day in range(1, (deadline.last_day - deadline.since).days + 1)]
    assert deadline.rule.matter is Matter.NOT_MADE_AVAILABLE
    assert 1 <= sum(map(is_working_day, between)) <= deadline.rule.working_days


histories = st.lists(
    st.builds(
        event,
        st.sampled_from(["200", "203", "204", "205", "209", "210", "211", "220", "221", "207", "208", "213"]),
        st.integers(0, 24 * 40),
    ),
    max_size=6,
)


@given(histories, st.integers(-24, 24 * 60), st.integers(1, 24 * 60))
def test_between_two_looks_nothing_new_is_late(events, hours, later):
    """So that an invoice need not be looked at in between, however long that is."""
    now, projected = START + timedelta(hours=hours), state(*events)
    known = facts(receipt=MONDAY_RECEIPT)
    then = next_look(known, projected, POLICY, now)
    assert then is None or then > now
    moment = now + timedelta(hours=later)
    assume(then is None or moment < then)
    assert overdue(known, projected, POLICY, moment) == overdue(known, projected, POLICY, now)


def test_what_waits_to_be_sent_is_looked_at_again_soon():
    waiting = facts(sent_at=None, unsent=(Unsent(START, True),))
    assert next_look(waiting, state(), POLICY, START) == START + POLICY.look_again
