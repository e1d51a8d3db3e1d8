"""An alert makes one action; an invoice is never chased while its lifecycle says otherwise."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.alerts.conditions import AlertDecision, alert_for, conditions
from gateway.collection.decisions import (
    ActionDecision,
    ActionKind,
    ChasingDecision,
    ChasingVerdict,
    action_for,
    chasing_allowed,
)
from gateway.kernel.dated import data_file
from gateway.lifecycle.events import StatusEvent
from gateway.lifecycle.projection import InvoiceAmounts, project
from gateway.lifecycle.statuses import all_statuses
from tests.lifecycle.making_events import amount, event

DUE = InvoiceAmounts(Decimal("1200.00"), "EUR")
MONDAY = date(2026, 10, 5)
LATER = date(2026, 12, 1)


def alert(code: str, reason: str, *actions: str, disputed: str = "") -> AlertDecision:
    data = [amount("MNATTC", disputed)] if disputed else []
    given = event(code, reasons=[reason], actions=actions, data=data)
    decision = alert_for(given, project([given], DUE))
    assert decision is not None
    return decision


def action(code: str, reason: str, *actions: str, due: str = "1200", disputed: str = "") -> ActionDecision:
    return action_for(alert(code, reason, *actions, disputed=disputed), MONDAY, Decimal(due))


@pytest.mark.parametrize(
    ("code", "reason", "kind"),
    [
        ("213", "REJ_COH", ActionKind.FIX_AND_REISSUE),
        ("213", "DOUBLON", ActionKind.CHASE_NONE),
        ("501", "IRR_SYNTAX", ActionKind.FIX_AND_REISSUE),
        ("221", "ROUTAGE_ERR", ActionKind.RESEND),
        ("210", "CMD_ERR", ActionKind.ANSWER_DISPUTE),
        ("207", "PU_ERR", ActionKind.ANSWER_DISPUTE),
        ("208", "JUSTIF_ABS", ActionKind.SEND_DOCUMENT),
        ("206", "QTE_ERR", ActionKind.CALL),
        ("601", "REJ_RG", ActionKind.RESEND_STATUS),
    ],
)
def test_each_alert_makes_the_action_that_brings_cash_in(code: str, reason: str, kind: ActionKind) -> None:
    decision = action(code, reason)
    assert decision.kind is kind
    assert "F1" in decision.title.fr
    assert decision.dedup_key == alert(code, reason).dedup_key


@pytest.mark.parametrize(
    ("asked", "kind"),
    [
        ("NIN", ActionKind.FIX_AND_REISSUE),
        ("CNF", ActionKind.ISSUE_CREDIT_NOTE),
        ("PIN", ActionKind.SEND_DOCUMENT),
        ("NOA", ActionKind.ANSWER_DISPUTE),
        ("XYZ", ActionKind.ANSWER_DISPUTE),
    ],
)
def test_what_the_buyer_asks_for_chooses_the_action(asked: str, kind: ActionKind) -> None:
    assert action("207", "PU_ERR", asked).kind is kind


def test_every_condition_has_an_action_and_every_action_its_words() -> None:
    data = data_file("alerts.toml")["collection"]
    assert {each.id for each in conditions()} <= set(data["action_of"])
    assert set(data["action"]) == {each.value for each in ActionKind}
    assert set(data["action_of"].values()) | set(data["action_requested"].values()) == set(data["action"])


def test_the_explanation_says_what_happened_why_it_matters_and_what_to_do() -> None:
    made, decision = alert("207", "PU_ERR"), action("207", "PU_ERR")
    assert made.reason.fr in decision.explanation.fr
    assert made.next_step.en in decision.explanation.en
    assert decision.team == "sales"
    assert decision.due_on == date(2026, 10, 8)


def test_the_more_money_and_the_more_severe_the_sooner() -> None:
    by_amount = [action("207", "PU_ERR", due=due).priority for due in ("99.99", "100", "1000", "10000", "100000")]
    assert by_amount == sorted(set(by_amount))
    by_severity = [
        action(code, reason).priority
        for code, reason in (("213", "DOUBLON"), ("208", "JUSTIF_ABS"), ("207", "PU_ERR"), ("213", "REJ_COH"))
    ]
    assert by_severity == sorted(set(by_severity))
    assert action("213", "REJ_COH", due="1000000").priority == 100


def test_the_disputed_amount_is_what_is_at_stake_when_known() -> None:
    assert action("207", "PU_ERR", disputed="50").amount == Decimal("50")
    assert action("207", "PU_ERR").amount == Decimal("1200")
    assert action_for(alert("207", "PU_ERR"), MONDAY).amount is None


def test_a_credit_note_that_has_not_arrived_is_not_told_as_an_unpaid_invoice() -> None:
    missing = replace(alert("501", "IRR_SYNTAX"), condition="deadline.not_deposited")
    invoice = action_for(missing, MONDAY, Decimal("1200"))
    credit = action_for(missing, MONDAY, Decimal("-120"))
    assert credit.kind is invoice.kind is ActionKind.CHECK_SENDING
    assert invoice.title.fr.endswith(f"facture {missing.key.number}")
    assert credit.title.fr == f"Retrouver l’avoir en chemin : avoir {missing.key.number}"
    assert ("paiera" in invoice.explanation.fr, "paiera" in credit.explanation.fr) == (True, False)


def chasing(*events: StatusEvent, today: date = LATER) -> ChasingDecision:
    return chasing_allowed(project(events, DUE), today)


@pytest.mark.parametrize(
    "events",
    [
        [event("213", reasons=["REJ_COH"])],
        [event("205"), event("220", 1)],
        [event("210", reasons=["CMD_ERR"])],
        [event("210", reasons=["CMD_ERR"]), event("205", 1)],
        [event("200"), event("501", 1, reasons=["IRR_SYNTAX"])],
        [event("200"), event("221", 1)],
    ],
)
def test_what_is_rejected_cancelled_refused_or_undelivered_is_never_chased(events: list[StatusEvent]) -> None:
    decision = chasing(*events)
    assert decision.verdict is ChasingVerdict.FORBIDDEN
    assert decision.reason.fr


@pytest.mark.parametrize(
    "events",
    [
        [event("207", reasons=["PU_ERR"])],
        [event("208", reasons=["JUSTIF_ABS"])],
        [event("206", reasons=["PU_ERR"])],
        [event("207", reasons=["PU_ERR"]), event("211", 1)],
    ],
)
def test_what_is_suspended_or_disputed_is_paused(events: list[StatusEvent]) -> None:
    assert chasing(*events).verdict is ChasingVerdict.PAUSED


@pytest.mark.parametrize(
    "events",
    [
        [],
        [event("205")],
        [event("205"), event("213", 1, reasons=["DOUBLON"])],
        [event("221"), event("202", 1)],
        [event("207", reasons=["PU_ERR"]), event("205", 1)],
        [event("208", reasons=["JUSTIF_ABS"]), event("209", 1)],
        [event("205"), event("212", 1, data=[amount("MEN", "700", "20")])],
    ],
)
def test_chasing_resumes_by_itself_once_nothing_stands_against_it(events: list[StatusEvent]) -> None:
    decision = chasing(*events)
    assert (decision.verdict, decision.excluded) == (ChasingVerdict.ALLOWED, 0)


def test_the_disputed_part_of_a_partial_approval_is_left_out() -> None:
    decision = chasing(event("206", reasons=["PU_ERR"], data=[amount("MNATTC", "200")]))
    assert (decision.verdict, decision.excluded) == (ChasingVerdict.ALLOWED, Decimal("200"))


@pytest.mark.parametrize("code", ["206", "207"])
def test_a_dispute_that_was_settled_here_holds_chasing_back_no_more(code: str) -> None:
    state = project([event(code, reasons=["PU_ERR"])], DUE)
    assert chasing_allowed(state, LATER).verdict is ChasingVerdict.PAUSED
    assert chasing_allowed(state, LATER, frozenset({code})).verdict is ChasingVerdict.ALLOWED
    both = project([event(code, reasons=["PU_ERR"]), event("208", 1, reasons=["JUSTIF_ABS"])], DUE)
    assert chasing_allowed(both, LATER, frozenset({code})).verdict is ChasingVerdict.PAUSED


def test_an_announced_payment_delays_chasing_by_some_working_days_then_it_resumes() -> None:
    announced = event("211", data=[amount("MPA", "1200", on=date(2026, 11, 5))])
    waiting = chasing(announced, today=date(2026, 11, 12))
    assert (waiting.verdict, waiting.until) == (ChasingVerdict.PAUSED, date(2026, 11, 13)), "11 November is a holiday"
    assert chasing(announced, today=date(2026, 11, 13)).verdict is ChasingVerdict.ALLOWED


CODES = st.sampled_from([each.code for each in all_statuses()])


@settings(max_examples=200, deadline=None)
@given(st.lists(CODES, max_size=8), st.dates(MONDAY, LATER))
def test_whatever_the_history_a_closed_or_disputed_invoice_is_not_chased(codes: list[str], today: date) -> None:
    data = {"212": [amount("MEN", "600", "20")]}
    state = project([event(code, hours, data=data.get(code, ())) for hours, code in enumerate(codes)], DUE)
    if state.closed or state.issue("207", "208", "221", "501"):
        assert chasing_allowed(state, today).verdict is not ChasingVerdict.ALLOWED
