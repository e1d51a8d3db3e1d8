"""An event that needs a person opens one alert, told plainly, to the team that can act; a later event settles it."""

from datetime import date
from decimal import Decimal

import pytest

from gateway.alerts.conditions import AlertDecision, Severity, alert_for, closes, conditions
from gateway.kernel.dated import data_file
from gateway.kernel.working_days import add_working_days, is_working_day
from gateway.lifecycle.events import StatusEvent
from gateway.lifecycle.projection import InvoiceAmounts, project
from gateway.lifecycle.reasons import reason
from tests.lifecycle.making_events import amount, event

DUE = InvoiceAmounts(Decimal("120.00"), "EUR")
ALERTING = {
    "213": "invoice.rejected",
    "210": "invoice.refused",
    "207": "invoice.disputed",
    "208": "invoice.suspended",
    "206": "invoice.partially_approved",
    "501": "flow.inadmissible",
    "221": "delivery.routing_error",
    "601": "reporting.status_rejected",
}
REASON = {"213": "REJ_COH", "208": "JUSTIF_ABS", "501": "IRR_SYNTAX", "221": "ROUTAGE_ERR", "601": "REJ_RG"}


def alerting(code: str, hours: float = 3) -> StatusEvent:
    return event(code, hours, reasons=[REASON.get(code, "CMD_ERR")], comment="Voir  notre\ncourrier.")


def alert(given: StatusEvent, *others: StatusEvent) -> AlertDecision | None:
    """The decision on an event, the others being known too."""
    return alert_for(given, project([given, *others], DUE))


def opened(given: StatusEvent, *others: StatusEvent) -> AlertDecision:
    decision = alert(given, *others)
    assert decision is not None
    return decision


@pytest.mark.parametrize(("code", "condition"), ALERTING.items())
def test_each_alarming_status_opens_its_alert_with_what_happened_and_what_to_do(code: str, condition: str) -> None:
    given = alerting(code)
    decision = opened(given)
    label = reason(given.reasons[0]).label
    assert decision.condition == condition
    assert "F1" in decision.title.fr
    assert label.fr in decision.reason.fr
    assert label.en in decision.reason.en
    assert "Voir notre courrier" in decision.reason.fr
    assert "5 octobre 2026" in decision.reason.fr
    assert "5 October 2026" in decision.reason.en
    assert decision.next_step.fr
    assert decision.next_step.en
    assert "{" not in decision.reason.fr + decision.title.en + decision.next_step.en


@pytest.mark.parametrize("code", ["200", "202", "204", "205", "209", "211", "212", "220", "225", "500", "280"])
def test_an_ordinary_status_calls_nobody(code: str) -> None:
    assert alert(event(code)) is None


def test_a_duplicate_delivery_informs_and_says_that_the_valid_invoice_is_untouched() -> None:
    decision = opened(event("213", 3, reasons=["DOUBLON"]), event("205", 2))
    assert (decision.condition, decision.severity) == ("delivery.duplicate", Severity.INFO)
    assert "n’est pas touchée" in decision.reason.fr
    assert "untouched" in decision.reason.en


def test_the_same_event_under_another_message_has_the_same_key_and_another_event_has_not() -> None:
    first = event("207", 3, reasons=["PU_ERR"])
    again = event("207", 3, reasons=["PU_ERR"], message_id="copy")
    other = event("207", 4, reasons=["PU_ERR"])
    assert opened(first).dedup_key == opened(again).dedup_key
    assert opened(first).dedup_key != opened(other).dedup_key


@pytest.mark.parametrize(
    ("code", "team"),
    [
        ("PU_ERR", "sales"),
        ("REM_ERR", "sales"),
        ("QTE_ERR", "logistics"),
        ("LIVR_INCOMP", "logistics"),
        ("COORD_BANC_ERR", "treasury"),
        ("CMD_ERR", "order_desk"),
        ("REF_CT_ABSENT", "order_desk"),
        ("TX_TVA_ERR", "billing"),
        ("AUTRE", "ar"),
        ("MOTIF_MAISON", "ar"),
    ],
)
def test_a_dispute_goes_to_the_team_that_can_act_on_its_reason(code: str, team: str) -> None:
    assert opened(event("207", reasons=[code])).team == team


def test_several_reasons_name_the_other_teams_too() -> None:
    decision = opened(event("207", reasons=["PU_ERR", "QTE_ERR", "REM_ERR"]))
    assert (decision.team, decision.also_concerned) == ("sales", ("logistics",))
    assert decision.next_step.fr.startswith("Comparez le prix")


def test_a_rejection_stays_with_billing_whatever_its_reason() -> None:
    assert opened(event("213", reasons=["ADR_ERR"])).team == "billing"


def test_an_unpublished_reason_is_told_in_the_sender_s_own_words() -> None:
    given = event("207", reasons=["MAISON"])
    details = (given.details[0].model_copy(update={"reason": "Palette cassée"}),)
    decision = opened(given.model_copy(update={"details": details}))
    assert "Palette cassée (MAISON)" in decision.reason.fr


def test_a_missing_reason_is_said() -> None:
    assert "motif non précisé" in opened(event("221")).reason.fr


def test_the_disputed_amount_is_told_in_each_language_s_form() -> None:
    decision = opened(event("207", reasons=["PU_ERR"], data=[amount("MNATTC", "1024.50")]))
    assert decision.disputed == Decimal("1024.50")
    assert "1\u202f024,50\xa0€" in decision.reason.fr
    assert "€1,024.50" in decision.reason.en


def test_braces_in_a_comment_are_only_text() -> None:
    assert "{number}" in opened(event("207", reasons=["PU_ERR"], comment="{number}")).reason.fr


def test_an_event_settled_before_it_arrived_opens_nothing() -> None:
    assert alert(event("207", 3, reasons=["PU_ERR"]), event("205", 4)) is None


def test_an_older_dispute_arriving_after_a_newer_one_opens_nothing() -> None:
    assert alert(event("207", 3, reasons=["PU_ERR"]), event("207", 4, reasons=["QTE_ERR"])) is None


def test_an_impossible_event_opens_nothing() -> None:
    assert alert(event("210", 3, reasons=["CMD_ERR"]), event("213", 2, reasons=["REJ_COH"])) is None


PAYS = event("212", 4, data=[amount("MEN", "120.00", "20")])


@pytest.mark.parametrize(
    ("matter", "cure", "settled"),
    [
        (alerting("208"), event("209", 4), {"invoice.suspended"}),
        (alerting("207"), event("205", 4), {"invoice.disputed"}),
        (alerting("208"), event("205", 4), {"invoice.suspended"}),
        (alerting("206"), event("205", 4), {"invoice.partially_approved"}),
        (alerting("210"), event("220", 4), {"invoice.refused"}),
        (alerting("221"), event("202", 4), {"delivery.routing_error"}),
        (alerting("501"), event("200", 4), {"flow.inadmissible"}),
        (alerting("207"), PAYS, {"invoice.disputed"}),
        (alerting("206"), PAYS, {"invoice.partially_approved"}),
        (alerting("207"), event("212", 4, data=[amount("MEN", "10", "20")]), set()),
        (alerting("207"), event("211", 4), set()),
        (alerting("207"), event("205", 2), set()),
        (alerting("213"), event("205", 4), set()),
    ],
)
def test_a_later_event_settles_what_it_cures_and_nothing_else(
    matter: StatusEvent, cure: StatusEvent, settled: set[str]
) -> None:
    state = project([matter, cure], DUE)
    mine = ALERTING[matter.code]
    closed = {closing.condition for closing in closes(cure, state)}
    assert closed & {mine} == settled
    assert (state.issue(matter.code) is None) == bool(settled) or matter.code == "213"


def test_a_closing_says_which_status_settled_the_matter() -> None:
    cure = event("209", 4)
    closing = closes(cure, project([alerting("208"), cure], DUE))[0]
    assert "« Complétée » (209)" in closing.because.fr
    assert "“Completed” (209)" in closing.because.en


def test_every_condition_has_a_plain_sentence_in_both_languages_and_a_deadline() -> None:
    for each in conditions():
        assert each.working_days >= 1
        for text in (each.title, each.reason, each.next_step):
            assert text.fr
            assert text.en
            assert text.fr != text.en


def test_routed_reasons_exist_and_each_goes_to_one_team() -> None:
    routed = [code for route in data_file("alerts.toml")["route"] for code in route["reasons"]]
    assert len(routed) == len(set(routed))
    assert all(reason(code).known for code in routed)


def test_a_deadline_falls_on_a_working_day() -> None:
    decision = opened(alerting("213"))
    assert decision.due_on(date(2026, 12, 24)) == date(2026, 12, 28), "Christmas is a Friday, then a week-end"


@pytest.mark.parametrize(
    ("start", "count", "end"),
    [
        (date(2026, 10, 5), 0, date(2026, 10, 5)),
        (date(2026, 10, 3), 0, date(2026, 10, 5)),
        (date(2026, 10, 2), 1, date(2026, 10, 5)),
        (date(2026, 10, 3), 1, date(2026, 10, 5)),
        (date(2026, 11, 10), 1, date(2026, 11, 12)),
        (date(2027, 5, 5), 3, date(2027, 5, 11)),
    ],
)
def test_working_days_skip_week_ends_and_french_holidays(start: date, count: int, end: date) -> None:
    assert add_working_days(start, count) == end
    assert is_working_day(end)


def test_a_partial_receipt_takes_no_credit_for_a_dispute_settled_before() -> None:
    part = event("212", 5, data=[amount("MEN", "10.00", "20")])
    closed = closes(part, project([alerting("207"), event("205", 4), part], DUE))
    assert "invoice.disputed" not in {closing.condition for closing in closed}


@pytest.mark.parametrize("written", ["Prix du devis", "Prix du devis.", " Prix  du\ndevis... "])
def test_a_comment_ends_with_one_full_stop_however_it_was_written(written: str) -> None:
    told = opened(event("207", reasons=["PU_ERR"], comment=written)).reason
    assert told.fr.endswith("Commentaire : « Prix du devis ».")
    assert told.en.endswith("Comment: “Prix du devis”.")
