"""The status catalogue says what the norm says, and never refuses a code."""

from datetime import date

import pytest

from gateway.kernel.dated import data_file, in_force
from gateway.lifecycle.reasons import all_reasons, allowed_reasons, label, reason
from gateway.lifecycle.requirements import Datum
from gateway.lifecycle.statuses import FULL_PAYMENT, Ends, Phase, StateLine, all_statuses, status, successors

PUBLISHED = [*range(200, 215), 220, 221, *range(224, 229), 250, 251, 300, 301, 400, 401, 500, 501, 601]


def test_every_published_code_is_in_the_catalogue_and_no_other() -> None:
    assert [int(each.code) for each in all_statuses()] == PUBLISHED


def test_every_status_and_reason_has_a_french_and_an_english_label() -> None:
    labels = [each.label for each in all_statuses()] + [each.label for each in all_reasons()]
    assert all(each.fr and each.en and each.fr != each.en for each in labels)


def test_only_four_statuses_are_mandatory_and_go_to_the_public_portal() -> None:
    assert {each.code for each in all_statuses() if each.mandatory} == {"200", "210", "212", "213"}
    assert {each.code for each in all_statuses() if each.to_ppf} == {"200", "210", "212", "213"}


def test_reasons_are_required_where_br_fr_cdv_15_says() -> None:
    required = {each.code for each in all_statuses() if (Datum.REASON,) in each.requires}
    assert required == {"206", "207", "208", "210", "213", "501"}


def test_rejection_and_cancellation_close_while_refusal_ends_mandatory_statuses_only() -> None:
    assert {each.code for each in all_statuses() if each.ends is Ends.ALL} == {"213", "220"}
    assert {each.code for each in all_statuses() if each.ends is Ends.MANDATORY} == {"210"}


def test_an_unknown_status_is_shown_as_such_and_moves_nothing() -> None:
    unknown = status("280")
    assert not unknown.known
    assert not unknown.advances
    assert "280" in unknown.label.fr


def test_an_unknown_reason_is_shown_as_such() -> None:
    assert not reason("MOTIF_MAISON").known
    assert "MOTIF_MAISON" in reason("MOTIF_MAISON").label.en


@pytest.mark.parametrize(
    ("reasons", "line"),
    [
        ({"DOUBLON"}, StateLine.TRANSMISSION),
        ({"DOUBLON", "CALCUL_ERR"}, StateLine.INVOICE),
        ({"CALCUL_ERR"}, StateLine.INVOICE),
        (set(), StateLine.INVOICE),
    ],
)
def test_a_rejection_speaks_of_the_delivery_only_when_duplicate_is_its_only_reason(
    reasons: set[str], line: StateLine
) -> None:
    assert status("213").line_for(frozenset(reasons)) is line


def test_phases_follow_who_speaks() -> None:
    platforms = {"seller_platform", "buyer_platform", "platform", "public_portal"}
    for each in all_statuses():
        assert (each.phase is Phase.TRANSMISSION) == bool(platforms & set(each.set_by)), each.code


def test_successors_and_lifts_name_published_codes_only() -> None:
    named = {code for each in all_statuses() for code in each.lifted_by} - {FULL_PAYMENT}
    for each in [None, *(each.code for each in all_statuses())]:
        named |= set(successors(each).usual) | set(successors(each).possible)
    assert all(status(code).known for code in named)


def test_chorus_pro_may_refuse_for_reasons_that_companies_may_not_give() -> None:
    assert "LIVR_INCOMP" not in allowed_reasons("210")
    assert "LIVR_INCOMP" in allowed_reasons("210", public_sector=True)


def test_an_unrestricted_status_accepts_every_exchanged_reason_and_none_of_the_portal() -> None:
    assert "PU_ERR" in allowed_reasons("204")
    assert "REJ_RG" not in allowed_reasons("204")


def test_labels_of_actions_amounts_and_roles_fall_back_on_the_code() -> None:
    assert label("action", "NIN").fr == "Émettre une facture rectifiée"
    assert label("characteristic", "MEN").en == "Amount collected, VAT included"
    assert label("role", "ZZ").fr == "ZZ"


def test_a_dated_entry_is_read_as_in_force_that_day() -> None:
    versions = [
        {"fr": "ancien", "en": "old", "valid_until": date(2027, 8, 31)},
        {"fr": "nouveau", "en": "new", "valid_from": date(2027, 9, 1)},
    ]
    assert (in_force(versions, date(2027, 8, 31)) or {})["en"] == "old"
    assert (in_force(versions, date(2027, 9, 1)) or {})["en"] == "new"
    assert (in_force(versions) or {})["en"] == "new"
    assert in_force([versions[1]], date(2026, 1, 1)) is None


def test_the_file_says_from_when_it_holds_and_where_it_comes_from() -> None:
    data = data_file("lifecycle.toml")
    assert data["valid_from"] == date(2026, 9, 1)
    assert data["sources"]
