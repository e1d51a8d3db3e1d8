"""What is sent to an account follows from the account alone: who is chased, by which step, and why somebody is not."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from gateway.collection.account import Exclusion, Waiting
from gateway.collection.agreements.values import (
    Disputed,
    Instalment,
    Planned,
    PlanState,
    Promised,
    PromiseState,
)
from gateway.collection.holds import Hold
from gateway.collection.reminders import NO_CONTACT, decide
from gateway.collection.scenarios import Channel
from gateway.kernel.text import Text
from gateway.kernel.working_days import add_working_days
from tests.collection.accounts import (
    CUSTOMER,
    DUE,
    NOW,
    account,
    customer,
    decided,
    held,
    item,
    standard,
    state,
    taken,
)
from tests.lifecycle.making_events import amount, event

TODAY = date(2026, 11, 17)
EARLY = taken("relance_1", date(2026, 11, 3))


def dispute(part=None, **changes):
    facts = {
        "id": uuid4(),
        "invoice_id": item().invoice_id,
        "amount": part,
        "reason": "PU_ERR",
        "team": "sales",
        "deadline": None,
        "opened_on": date(2026, 11, 10),
        "closed_on": None,
    }
    return Disputed(**{**facts, **changes})


def promise(state=PromiseState.OPEN, grace_until=TODAY):
    return Promised(uuid4(), (item().invoice_id,), Decimal("1200"), date(2026, 11, 15), grace_until, state)


def at_day(day, hour=10):
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


def test_an_overdue_invoice_that_nothing_holds_back_is_chased_by_the_step_it_has_come_to():
    decision = decided(account())
    assert (decision.step.key, decision.channel, decision.tone) == ("relance_2", Channel.EMAIL, 2)
    assert decision.total == Decimal("1200.00")
    assert decision.contact.email == "compta@batir.example"
    assert not decision.needs_confirmation
    assert [(each.line.number, each.line.days_late, each.key) for each in decision.lines] == [("F1", 17, "relance_2")]
    assert decision.withheld == ()


@pytest.mark.parametrize(
    ("broken", "hold"),
    [
        ({"remaining": Decimal("0.00")}, Hold.PAID),
        ({"state": state(event("213", reasons=["REJ_COH"]))}, Hold.CLOSED),
        ({"state": state(event("210", reasons=["CMD_ERR"]))}, Hold.CLOSED),
        ({"state": state(event("220"))}, Hold.CLOSED),
        ({"state": state(event("501", reasons=["IRR_SYNTAX"]))}, Hold.UNDELIVERED),
        ({"state": state(event("221", reasons=["ROUTAGE_ERR"]))}, Hold.UNDELIVERED),
        ({"delivery_refused": True}, Hold.UNDELIVERED),
        ({"in_litigation": True}, Hold.LITIGATION),
        ({"state": state(event("207", reasons=["PU_ERR"]))}, Hold.PAUSED),
        ({"state": state(event("208", reasons=["JUSTIF_ABS"]))}, Hold.PAUSED),
        ({"state": state(event("206", reasons=["QTE_ERR"]))}, Hold.PAUSED),
        ({"state": state(event("206", reasons=["QTE_ERR"], data=[amount("MNATTC", "1200.00")]))}, Hold.DISPUTED),
        ({"due_date": TODAY}, Hold.NOT_DUE),
        ({"due_date": TODAY - timedelta(days=1)}, Hold.NEXT_STEP),
        ({"reached": (taken("relance_2", TODAY - timedelta(days=1)),)}, Hold.NEXT_STEP),
        ({"reached": (taken("contentieux", TODAY - timedelta(days=1)),)}, Hold.AT_THE_END),
        ({"reached": (taken("appel_2", TODAY - timedelta(days=1), done=False),)}, Hold.UNREACHED),
    ],
)
def test_each_thing_about_an_invoice_that_forbids_or_delays_chasing_keeps_it_out_and_says_so(broken, hold):
    decision = decided(account(item(**broken)))
    assert decision.step is None
    assert decision.lines == ()
    assert held(decision) is hold


@pytest.mark.parametrize(
    ("broken", "hold"),
    [
        ({"in_litigation": True}, Hold.LITIGATION),
        ({"customer": customer(insolvent_since=TODAY)}, Hold.INSOLVENT),
        ({"exclusions": (Exclusion(None, None, "Accord de la direction"),)}, Hold.CUSTOMER_EXCLUDED),
        ({"exclusions": (Exclusion(item().invoice_id, TODAY, "Avoir en cours"),)}, Hold.EXCLUDED),
        ({"disputes": (dispute(),)}, Hold.DISPUTED),
        ({"promises": (promise(),)}, Hold.PROMISED),
        ({"plans": (Planned(uuid4(), (item().invoice_id,), (), PlanState.ACTIVE),)}, Hold.IN_PLAN),
        ({"unallocated": Decimal("-1200.00")}, Hold.COVERED),
        ({"unallocated": Decimal("-1195.01")}, Hold.BELOW_FLOOR),
        ({"waiting": Waiting(uuid4(), Text("Relance", "Reminder"), TODAY)}, Hold.WAITING),
        ({"last_contact_on": TODAY - timedelta(days=4)}, Hold.TOO_SOON),
    ],
)
def test_each_thing_about_an_account_that_forbids_or_delays_chasing_keeps_it_out_and_says_so(broken, hold):
    decision = decided(account(**broken))
    assert decision.step is None
    assert held(decision) is hold


@pytest.mark.parametrize(
    "mended",
    [
        {"exclusions": (Exclusion(None, TODAY - timedelta(days=1), "Jusqu’à hier"),)},
        {"exclusions": (Exclusion(item("F9").invoice_id, None, "Une autre facture"),)},
        {"disputes": (dispute(closed_on=TODAY),)},
        {"promises": (promise(grace_until=TODAY - timedelta(days=1)),)},
        {"promises": (promise(PromiseState.BROKEN),)},
        {"plans": (Planned(uuid4(), (item().invoice_id,), (), PlanState.BROKEN),)},
        {"customer": customer(insolvent_since=date(2026, 9, 1))},
        {"last_contact_on": TODAY - timedelta(days=5)},
    ],
)
def test_what_is_over_holds_nothing_back_any_more(mended):
    assert decided(account(**mended)).step.key == "relance_2"


def test_a_call_that_is_to_do_holds_back_another_call_and_nothing_else():
    to_call = Waiting(uuid4(), Text("Premier appel", "First call"), TODAY - timedelta(days=9))
    assert decided(account(to_call=to_call)).step.key == "relance_2"
    calling = standard(steps=tuple(each.model_copy(update={"channel": Channel.CALL}) for each in standard().steps))
    assert decided(account(), scenario=calling).key == "relance_2"
    decision = decided(account(to_call=to_call), scenario=calling)
    assert (decision.step, held(decision)) == (None, Hold.WAITING)


def test_an_exclusion_says_until_when_and_why_in_both_languages():
    decision = decided(account(exclusions=(Exclusion(None, date(2026, 12, 1), "Accord verbal"),)))
    (withheld,) = decision.withheld
    assert withheld.reason.text.fr == "Client exclu des relances jusqu’au 1er décembre 2026 inclus : Accord verbal"
    assert withheld.reason.text.en.startswith("Customer excluded from reminders until 1 December 2026")


@pytest.mark.parametrize(
    ("code", "reason", "team"),
    [
        ("207", "PU_ERR", "sales"),
        ("207", "QTE_ERR", "logistics"),
        ("208", "CMD_ERR", "order_desk"),
        ("210", "COORD_BANC_ERR", "treasury"),
        ("213", "REJ_COH", "billing"),
    ],
)
def test_what_the_buyer_objects_to_goes_to_the_team_that_can_act(code, reason, team):
    decision = decided(account(item(state=state(event(code, reasons=[reason])))))
    assert decision.withheld[0].reason.team == team


def test_a_payment_announced_delays_some_working_days_and_then_chasing_resumes_by_itself():
    announced = item(state=state(event("204"), event("211", hours=24 * 40)))
    on = date(2026, 11, 14)
    until = add_working_days(on, 5)
    assert held(decided(account(announced))) is Hold.ANNOUNCED
    assert decided(account(announced), at_day(until)).step is not None


def test_of_an_invoice_approved_in_part_only_the_approved_part_is_claimed():
    partly = item(state=state(event("206", reasons=["QTE_ERR"], data=[amount("MNATTC", "200.00")])))
    assert decided(account(partly)).total == Decimal("1000.00")
    assert decided(account(disputes=(dispute(Decimal("300.00")),))).total == Decimal("900.00")


def test_a_dispute_that_a_person_has_refused_holds_its_207_back_no_more():
    contested = item(state=state(event("207", reasons=["PU_ERR"])))
    answered = account(contested, disputes=(dispute(status="207", closed_on=TODAY),))
    assert decided(answered).step.key == "relance_2"


def test_one_message_holds_every_overdue_invoice_and_the_most_advanced_sets_the_step_and_the_tone():
    young, new = item("F2", TODAY - timedelta(days=4), "300.00"), item("F3", TODAY - timedelta(days=1), "50.00")
    decision = decided(account(new, young, item()))
    assert decision.step.key == "relance_2"
    assert [(each.line.number, each.key) for each in decision.lines] == [
        ("F1", "relance_2"),
        ("F2", "relance_1"),
        ("F3", None),
    ]
    assert decision.total == Decimal("1550.00")
    assert decision.anchor == item().invoice_id


def test_credit_notes_and_unallocated_money_are_shown_and_taken_off():
    decision = decided(account(item(), item("A1", remaining="-200.00"), unallocated=Decimal("-100.00")))
    assert [(each.number, each.remaining) for each in decision.credits] == [("A1", Decimal("-200.00"))]
    assert (decision.unallocated, decision.total) == (Decimal("-100.00"), Decimal("900.00"))


def test_a_credit_note_that_was_rejected_takes_nothing_off():
    rejected = item("A1", remaining="-200.00", state=state(event("213", reasons=["REJ_COH"]), due="-200.00"))
    assert decided(account(item(), rejected)).total == Decimal("1200.00")


def test_an_approval_sharpens_the_tone():
    approved = item(state=state(event("204"), event("205", hours=1)))
    assert decided(account(approved)).tone == decided(account()).tone + 1


def test_before_the_due_date_only_large_invoices_get_a_notice_and_only_when_they_have_arrived():
    soon = DUE - timedelta(days=4)
    large = item(remaining="10000.00")
    decision = decided(account(large), at_day(soon))
    assert (decision.step.key, decision.lines[0].line.days_late) == ("prevenance", -4)
    assert held(decided(account(item()), at_day(soon))) is Hold.NOT_DUE
    deposited = replace(large, state=state(event("200")))
    assert held(decided(account(deposited), at_day(soon))) is Hold.NOT_ARRIVED
    assert held(decided(account(replace(large, reached=(taken("prevenance", soon),))), at_day(soon))) is Hold.NOT_DUE


def test_a_notice_gives_way_to_a_reminder_of_what_is_overdue():
    soon = item("F2", TODAY + timedelta(days=3), "20000.00")
    decision = decided(account(item(), soon))
    assert [each.line.number for each in decision.lines] == ["F1"]
    assert held(decision, "F2") is Hold.GIVES_WAY


def test_nothing_leaves_outside_working_hours_and_days():
    sunday, night = at_day(date(2026, 11, 15)), at_day(TODAY, 20)
    armistice = at_day(date(2026, 11, 11))
    for closed in (sunday, night, armistice):
        assert held(decided(account(), closed)) is Hold.CLOSED_HOURS
    assert decided(account(), at_day(TODAY, 8)).step is not None


def test_a_call_may_be_asked_for_at_any_hour():
    called = item(reached=(EARLY,))
    decision = decided(account(called), at_day(date(2026, 11, 11), 22))
    assert (decision.step.key, decision.channel) == ("appel_1", Channel.CALL)
    assert not decision.needs_confirmation


def test_without_anyone_to_write_to_a_task_is_opened_once_and_the_step_is_kept_for_later():
    alone = account(customer=customer(contacts=()))
    decision = decided(alone)
    assert (decision.channel, decision.key, decision.step.key) == (Channel.TASK, NO_CONTACT, "relance_2")
    assert [each.key for each in decision.lines] == [NO_CONTACT]
    told = account(item(reached=(taken(NO_CONTACT, TODAY, done=False),)), customer=customer(contacts=()))
    assert held(decided(told)) is Hold.NO_CONTACT
    found = account(item(reached=(taken(NO_CONTACT, TODAY, done=False),)))
    assert decided(found).step.key == "relance_2"


def test_a_formal_notice_waits_for_a_person_and_for_a_step_that_reached_the_customer():
    late = at_day(DUE + timedelta(days=40))
    assert decided(account(), late).step.key == "relance_2"
    warned = account(item(reached=(taken("relance_2", DUE + timedelta(days=32)),)))
    decision = decided(warned, late)
    assert (decision.step.key, decision.channel) == ("mise_en_demeure", Channel.REGISTERED_LETTER)
    assert decision.needs_confirmation
    assert decision.contact.name == "Mme Durand"
    too_early = account(
        item(reached=(taken("relance_2", DUE + timedelta(days=33)), taken("appel_2", DUE + timedelta(days=33))))
    )
    assert decided(too_early, late).step is None


def test_litigation_is_proposed_only_after_a_formal_notice_that_was_sent():
    late = at_day(DUE + timedelta(days=80))
    sent = (taken("relance_2", DUE + timedelta(days=16)), taken("mise_en_demeure", DUE + timedelta(days=32)))
    decision = decided(account(item(reached=sent)), late)
    assert (decision.step.key, decision.channel) == ("contentieux", Channel.TASK)
    refused = (sent[0], taken("mise_en_demeure", DUE + timedelta(days=32), done=False))
    assert held(decided(account(item(reached=refused)), late)) is Hold.UNREACHED


def test_a_task_holds_only_what_asks_for_it_and_the_rest_is_reminded_of_at_the_next_round():
    sent = (taken("relance_2", DUE), taken("mise_en_demeure", DUE))
    old, young = item("F0", DUE - timedelta(days=60), reached=sent), item("F2", TODAY - timedelta(days=4))
    decision = decided(account(old, young))
    assert [each.line.number for each in decision.lines] == ["F0"]
    assert held(decision, "F2") is Hold.AFTER_THE_TASK
    proposed = replace(old, reached=(*sent, taken("contentieux", TODAY, done=False)))
    following = decided(account(proposed, young))
    assert following.step.key == "relance_1"
    assert [(each.line.number, each.key) for each in following.lines] == [("F0", None), ("F2", "relance_1")]


def test_after_an_outage_the_scenario_jumps_to_the_step_deserved_or_goes_on_in_order():
    late = at_day(DUE + timedelta(days=23))
    assert decided(account(), late).step.key == "relance_2"
    assert decided(account(), late, standard(catch_up="in_order")).step.key == "relance_1"
    reached = account(item(reached=(EARLY,)))
    assert decided(reached, late).step.key == "appel_2"
    assert decided(reached, late, standard(catch_up="in_order")).step.key == "appel_1"


def test_a_step_may_count_from_the_day_of_a_status():
    promised = standard().steps[1].model_copy(update={"key": "apres_accord", "counts_from": "205", "days": 10})
    scenario = standard(steps=(promised,))
    approved = item(due=DUE + timedelta(days=90), state=state(event("205")))
    assert decided(account(approved), at_day(date(2026, 10, 15)), scenario).step.key == "apres_accord"
    assert decided(account(approved), at_day(date(2026, 10, 14)), scenario).step is None
    assert decided(account(item()), NOW, scenario).step is None


def test_a_plan_is_chased_by_instalment_and_not_by_invoice():
    instalments = (
        Instalment(date(2026, 11, 5), Decimal("400.00"), Decimal("400.00")),
        Instalment(date(2026, 11, 12), Decimal("400.00"), Decimal("100.00")),
        Instalment(date(2026, 12, 12), Decimal("400.00"), Decimal("0.00")),
    )
    plan = Planned(uuid4(), (item().invoice_id, item("F2").invoice_id), instalments, PlanState.ACTIVE)
    agreed = account(item(), item("F2"), plans=(plan,))
    decision = decided(agreed)
    ((line, key),) = [(each.line, each.key) for each in decision.lines]
    assert (line.number, line.due_date, line.claimed, line.is_instalment) == (
        "F1, F2",
        date(2026, 11, 12),
        Decimal("300.00"),
        True,
    )
    assert key == "echeance_plan:2026-11-12"
    assert [held(decision, number) for number in ("F1", "F2")] == [Hold.IN_PLAN, Hold.IN_PLAN]
    reminded = account(item(reached=(taken(key, TODAY),)), item("F2"), plans=(plan,))
    assert decided(reminded).step is None
    insolvent = replace(agreed, customer=customer(insolvent_since=TODAY))
    assert decided(insolvent).lines == ()


def test_who_has_paid_all_that_was_reminded_of_is_thanked_once():
    paid = item(remaining="1200.00", reached=(taken("relance_1", DUE),))
    settled = replace(paid, remaining=Decimal("0.00"))
    decision = decided(account(settled))
    assert (decision.step.key, decision.total) == ("remerciement", Decimal("1200.00"))
    assert decided(account(settled, item("F2"))).step.key == "relance_2"
    assert decided(account(replace(settled, reached=(*paid.reached, taken("remerciement", TODAY))))).step is None
    assert decided(account(replace(settled, reached=()))).step is None


def test_money_for_an_invoice_that_was_cancelled_is_owed_back_and_nobody_is_thanked_for_it():
    paid = state(event("220"), event("212", hours=1, data=[amount("MEN", "1200.00")]))
    cancelled = item(remaining="1200.00", reached=(taken("relance_1", DUE),), state=paid)
    decision = decided(account(replace(cancelled, remaining=Decimal("0.00"))))
    assert (decision.step, held(decision)) == (None, Hold.CLOSED)


def test_an_invoice_whose_money_went_back_is_chased_again_although_a_212_told_all_of_it():
    collected = state(event("204"), event("212", hours=1, data=[amount("MEN", "1200.00")]))
    assert decided(account(item(state=collected))).step.key == "relance_2"


def test_whom_no_scenario_is_meant_for_is_left_alone_with_that_reason():
    decision = decide(account(), None, NOW)
    assert held(decision) is Hold.NO_SCENARIO
    assert decision.why_not.hold is Hold.NO_SCENARIO


def test_the_message_is_in_the_language_of_its_contact():
    english = replace(CUSTOMER.contacts[0], language="en")
    assert decided(account(customer=customer(contacts=(english,)))).language == "en"
