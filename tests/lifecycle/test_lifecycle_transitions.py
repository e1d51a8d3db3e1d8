"""An event is never refused: the decision says how ordinary it is, and the facts of the norm hold."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.lifecycle.events import StatusEvent
from gateway.lifecycle.statuses import all_statuses
from gateway.lifecycle.transitions import TransitionKind, assess
from tests.lifecycle.making_events import event

CODES = [each.code for each in all_statuses()]


def path(*codes: str) -> list[StatusEvent]:
    """Events one hour apart."""
    return [event(code, hours) for hours, code in enumerate(codes)]


def last_kind(*codes: str) -> TransitionKind:
    """How the last of `codes` is judged after the others."""
    *history, last = path(*codes)
    return assess(history, last).kind


@pytest.mark.parametrize(
    "codes",
    [
        ("200", "201", "202", "203", "204", "205", "211", "212", "212"),
        ("200", "202", "204", "207", "205", "212"),
        ("200", "202", "203", "204", "208", "209", "205", "211", "212"),
        ("200", "201", "202", "213"),
        ("200", "202", "203", "210", "220"),
        ("213",),
        ("200", "202", "204", "204", "206", "212"),
    ],
)
def test_an_ordinary_life_holds_no_surprise(codes: tuple[str, ...]) -> None:
    for end in range(1, len(codes) + 1):
        assert last_kind(*codes[:end]) is TransitionKind.EXPECTED, codes[:end]


@pytest.mark.parametrize(
    "codes", [("205",), ("200", "202", "205"), ("205", "207"), ("212", "207"), ("212", "210"), ("200", "220")]
)
def test_a_rare_or_unexplained_step_is_unusual_and_says_why(codes: tuple[str, ...]) -> None:
    *history, last = path(*codes)
    transition = assess(history, last)
    assert transition.kind is TransitionKind.UNUSUAL
    assert last.status.label.fr in transition.reason.fr
    assert last.status.label.en in transition.reason.en


def test_a_late_join_says_that_earlier_steps_are_missing() -> None:
    assert "précédentes" in assess([], event("205")).reason.fr


@pytest.mark.parametrize("closing", ["213", "220"])
@pytest.mark.parametrize("code", ["201", "204", "205", "210", "212"])
def test_nothing_follows_a_rejection_or_a_cancellation(closing: str, code: str) -> None:
    assert last_kind("200", closing, code) is TransitionKind.IMPOSSIBLE


@pytest.mark.parametrize("code", ["200", "212", "213"])
def test_no_mandatory_status_follows_a_refusal(code: str) -> None:
    assert last_kind("200", "202", "210", code) is TransitionKind.IMPOSSIBLE


def test_an_informative_status_may_follow_a_refusal() -> None:
    assert last_kind("200", "202", "210", "207") is TransitionKind.UNUSUAL


def test_a_mandatory_status_stays_impossible_when_another_status_came_between() -> None:
    assert last_kind("200", "202", "210", "207", "212") is TransitionKind.IMPOSSIBLE


def test_a_paid_invoice_may_be_disputed_and_even_refused() -> None:
    for code in ("207", "210"):
        assert last_kind("200", "205", "212", code) is not TransitionKind.IMPOSSIBLE


def test_a_duplicate_delivery_neither_closes_nor_surprises() -> None:
    history = [*path("200", "202"), event("213", 3, reasons=["DOUBLON"])]
    assert assess(history[:2], history[2]).kind is TransitionKind.EXPECTED
    assert assess(history, event("203", 4)).kind is TransitionKind.EXPECTED


def test_an_event_seen_again_is_a_duplicate_even_under_another_message_id() -> None:
    assert assess(path("200", "202"), event("202", 1, message_id="again")).kind is TransitionKind.DUPLICATE


def test_a_late_event_is_out_of_order_and_names_the_later_one() -> None:
    transition = assess(path("200", "202", "203"), event("201", 0.5))
    assert transition.kind is TransitionKind.OUT_OF_ORDER
    assert transition.after == "200"
    assert "202" in transition.reason.en


def test_a_late_event_dated_before_the_closing_one_is_not_impossible() -> None:
    assert assess(path("200", "213"), event("201", 0.5)).kind is TransitionKind.OUT_OF_ORDER


@pytest.mark.parametrize("code", ["221", "500", "501", "601", "250", "225"])
def test_what_speaks_of_another_line_is_never_out_of_order(code: str) -> None:
    assert assess(path("200", "202", "203"), event(code, 0.5)).kind is TransitionKind.EXPECTED


def test_an_unpublished_code_is_unusual_and_kept() -> None:
    assert last_kind("200", "280") is TransitionKind.UNUSUAL
    assert last_kind("200", "280", "202") is TransitionKind.EXPECTED


EVENTS = st.lists(st.sampled_from([*CODES, "280"]), min_size=1, max_size=8).map(lambda codes: path(*codes))


@settings(max_examples=200, deadline=None)
@given(EVENTS, st.randoms(use_true_random=False))
def test_the_decision_does_not_depend_on_the_order_of_the_history(events: list[StatusEvent], random: object) -> None:
    *history, last = events
    shuffled = list(history)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert assess(shuffled, last) == assess(history, last)


@settings(max_examples=200, deadline=None)
@given(EVENTS)
def test_every_event_gets_a_decision_with_its_reason_in_both_languages(events: list[StatusEvent]) -> None:
    for place, last in enumerate(events):
        transition = assess(events[:place], last)
        assert transition.reason.fr
        assert transition.reason.en
        assert transition.kind not in (TransitionKind.DUPLICATE, TransitionKind.OUT_OF_ORDER)
