"""The state of an invoice follows from its events, whatever their order of arrival, and money is counted once."""

from datetime import date
from decimal import Decimal
from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.lifecycle.events import StatusEvent
from gateway.lifecycle.projection import AmountByRate, InvoiceAmounts, InvoiceState, project
from gateway.lifecycle.statuses import all_statuses
from gateway.lifecycle.transitions import TransitionKind
from tests.lifecycle.making_events import amount, event

DUE = InvoiceAmounts(Decimal("164.00"), "EUR", {Decimal(20): Decimal("120.00"), Decimal(10): Decimal("44.00")})


def state_of(*events: StatusEvent, amounts: InvoiceAmounts | None = DUE) -> InvoiceState:
    return project(events, amounts)


def receipt(hours: float, *parts: tuple[str, str]) -> StatusEvent:
    """A 212 with amounts at rates."""
    return event("212", hours, data=[amount("MEN", value, rate) for value, rate in parts])


def by_rate(amounts: tuple[AmountByRate, ...]) -> dict[Decimal | None, Decimal]:
    return {each.rate: each.amount for each in amounts}


def test_before_the_first_event_nothing_is_known() -> None:
    state = state_of()
    assert (state.status, state.paid, state.closed, state.remaining) == (None, False, False, Decimal("164.00"))
    assert state.expected_next == ("200", "213")


def test_the_current_status_is_the_last_by_status_date() -> None:
    state = state_of(event("204", 3), event("200", 0), event("205", 5), event("202", 2))
    assert state.status == "205"
    assert state.status_at == event("205", 5).status_at
    assert state.expected_next == ("211", "212")


def test_the_three_lines_never_mix() -> None:
    state = state_of(
        event("200", 0),
        event("203", 2),
        event("221", 3),
        event("601", 4, reasons=["REJ_RG"]),
        event("213", 5, reasons=["DOUBLON"]),
        event("225", 6),
    )
    assert state.status == "203"
    assert not state.closed
    assert state.transmission is not None
    assert state.transmission.code == "213"
    assert state.reporting is not None
    assert state.reporting.code == "601"
    assert state.payee is not None
    assert state.payee.code == "225"


def test_an_unpublished_code_is_in_the_history_and_moves_nothing() -> None:
    state = state_of(event("203", 2), event("280", 3))
    assert state.status == "203"
    assert [entry.code for entry in state.history] == ["203", "280"]


def test_what_comes_after_a_rejection_is_kept_without_effect() -> None:
    state = state_of(event("200"), event("213", 1, reasons=["REJ_COH"]), event("205", 2))
    assert (state.status, state.ended_by, state.closed) == ("213", "213", True)
    assert state.history[-1].kind is TransitionKind.IMPOSSIBLE
    assert state.expected_next == ()


def test_an_impossible_event_opens_no_issue_and_announces_no_payment() -> None:
    state = state_of(event("213", reasons=["REJ_COH"]), event("207", 1, reasons=["PU_ERR"]), event("211", 2))
    assert (state.issues, state.announced) == ((), None)


def test_a_receipt_repeated_under_another_message_id_is_counted_once() -> None:
    first = receipt(5, ("60.00", "20"))
    copy = event("212", 5, data=[amount("MEN", "60.00", "20")], message_id="copy")
    assert copy != first
    state = state_of(first, copy)
    assert (state.collected_total, len(state.history)) == (Decimal("60.00"), 1)


def test_a_refusal_stays_known_when_an_informative_status_follows() -> None:
    state = state_of(event("202"), event("210", 1, reasons=["CMD_ERR"]), event("207", 2, reasons=["CMD_ERR"]))
    assert (state.status, state.refused, state.closed) == ("207", True, True)


def test_partial_receipts_add_up_by_rate_until_nothing_is_left() -> None:
    first = receipt(5, ("60.00", "20"), ("44.00", "10"))
    state = state_of(event("205", 4), first)
    assert (state.paid, state.partially_paid, state.remaining) == (False, True, Decimal("60.00"))
    assert by_rate(state.collected) == {Decimal(10): Decimal("44.00"), Decimal(20): Decimal("60.00")}
    assert by_rate(state.remaining_by_rate) == {Decimal(10): Decimal("0.00"), Decimal(20): Decimal("60.00")}
    state = state_of(event("205", 4), first, receipt(6, ("60.00", "20.00")))
    assert (state.paid, state.partially_paid, state.remaining) == (True, False, Decimal("0.00"))
    assert state.expected_next == ()


def test_a_refund_reopens_what_is_due() -> None:
    state = state_of(receipt(1, ("120", "20"), ("44", "10")), receipt(2, ("-44", "10")))
    assert (state.paid, state.remaining, state.collected_total) == (False, Decimal("44.00"), Decimal("120.00"))


def test_money_received_counts_even_after_a_refusal() -> None:
    state = state_of(
        event("205"), receipt(1, ("120", "20")), event("210", 2, reasons=["CMD_ERR"]), receipt(3, ("-120", "20"))
    )
    assert state.status == "210"
    assert state.collected_total == 0


def test_a_discount_granted_with_the_receipt_reduces_what_is_due() -> None:
    state = state_of(event("212", data=[amount("MEN", "160.00", "20"), amount("ESC", "4.00")]))
    assert (state.paid, state.granted) == (True, Decimal("4.00"))


def test_a_credit_note_is_paid_by_a_negative_receipt() -> None:
    credit = InvoiceAmounts(Decimal("-24.00"), "EUR")
    assert not state_of(receipt(1, ("-10", "20")), amounts=credit).paid
    assert state_of(receipt(1, ("-24", "20")), amounts=credit).paid


def test_without_the_invoice_only_a_remaining_amount_of_zero_proves_payment() -> None:
    assert state_of(receipt(1, ("164", "20")), amounts=None).remaining is None
    assert state_of(receipt(1, ("164", "20")), amounts=None).partially_paid
    settled = event("212", data=[amount("MEN", "164", "20"), amount("RAP", "0.00")])
    assert state_of(settled, amounts=None).paid


def test_money_in_another_currency_does_not_pay_the_invoice() -> None:
    dollars = amount("MEN", "164", "20").model_copy(update={"currency": "USD"})
    state = state_of(event("212", data=[dollars]))
    assert (state.remaining, state.collected_total) == (Decimal("164.00"), Decimal("0.00"))
    assert [each.currency for each in state.collected] == ["USD"]


def test_the_parts_of_an_announced_payment_are_added_up_in_the_currency_of_the_first() -> None:
    foreign = amount("MPA", "9.00").model_copy(update={"currency": "USD"})
    parts = [amount("MPA", "100.00", "20"), amount("MPA", "64.00", "10", on=date(2026, 11, 2)), foreign]
    announced = state_of(event("211", 5, data=parts)).announced
    assert announced is not None
    assert (announced.amount, announced.currency, announced.on) == (Decimal("164.00"), "EUR", date(2026, 11, 2))


def test_an_announced_payment_proves_nothing_and_ends_with_the_receipt() -> None:
    announced = event("211", 5, data=[amount("MPA", "164.00", on=date(2026, 11, 2))])
    state = state_of(event("205", 4), announced)
    assert state.announced is not None
    assert (state.announced.on, state.announced.amount, state.paid) == (date(2026, 11, 2), Decimal("164.00"), False)
    assert state_of(event("205", 4), announced, receipt(6, ("10", "20"))).announced is None


def test_an_announcement_without_date_counts_from_its_status_date() -> None:
    state = state_of(event("211", 16))
    assert state.announced is not None
    assert state.announced.on == date(2026, 10, 6), "00:00 UTC is 02:00 in Paris"


def test_an_issue_stays_open_until_a_later_status_lifts_it() -> None:
    dispute = event("207", 3, reasons=["PU_ERR"], data=[amount("MNATTC", "24.00")])
    issue = state_of(event("204", 2), dispute).issue("207")
    assert issue is not None
    assert (issue.reasons, issue.disputed) == (("PU_ERR",), Decimal("24.00"))
    assert state_of(dispute, event("205", 4)).issues == ()
    assert state_of(dispute, event("205", 2)).issue("207") == issue
    assert state_of(event("208", 1, reasons=["JUSTIF_ABS"]), event("209", 2)).issues == ()
    assert state_of(event("221", 1), event("202", 2)).issues == ()


def test_the_disputed_part_follows_from_the_approved_amount() -> None:
    issue = state_of(event("206", reasons=["PU_ERR"], data=[amount("MAPTTC", "100.00")])).issue("206")
    assert issue is not None
    assert issue.disputed == Decimal("64.00")


def test_full_payment_lifts_a_dispute_and_partial_payment_does_not() -> None:
    dispute = event("207", 3, reasons=["PU_ERR"])
    assert state_of(dispute, receipt(4, ("10", "20"))).issue("207")
    assert state_of(dispute, receipt(4, ("164", "20"))).issue("207") is None


def test_a_dispute_after_full_payment_is_open() -> None:
    assert state_of(receipt(2, ("164", "20")), event("207", 3, reasons=["QUALITE_ERR"])).issue("207")


CODES = [*(each.code for each in all_statuses()), "280"]


def any_event(chance: Random) -> StatusEvent:
    """A status of any code, the 212 more often, in the first thirty hours, with or without reasons and comment."""
    code = chance.choice([*CODES, *["212"] * 8])
    received = [amount("MEN", f"{Decimal(chance.randint(-20_000, 20_000)) / 100}", chance.choice(["20", "10", "5.5"]))]
    return event(
        code,
        chance.randint(0, 30),
        reasons=chance.sample(["DOUBLON", "PU_ERR", "INCONNU"], chance.randint(0, 2)),
        data=received if code == "212" else [],
        comment=chance.choice(["", "Voir courrier", "Voir pièce jointe"]),
    )


#: Made once: to make an event costs more than to draw one.
POOL = [any_event(Random(seed)) for seed in range(600)]
HISTORIES = st.lists(st.sampled_from(POOL), max_size=12)


def test_copies_that_differ_only_in_the_order_of_their_reasons_give_one_state_whichever_came_first() -> None:
    one, other = (event("207", reasons=reasons) for reasons in (["PU_ERR", "QTE_ERR"], ["QTE_ERR", "PU_ERR"]))
    assert one.fingerprint == other.fingerprint
    assert state_of(one, other) == state_of(other, one)


@settings(max_examples=2_000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(HISTORIES, st.integers(0, 5), st.randoms(use_true_random=False))
def test_shuffles_and_duplicates_give_the_same_state(
    history: list[StatusEvent], repetitions: int, chance: Random
) -> None:
    arrived = history + [chance.choice(history) for _ in range(repetitions if history else 0)]
    chance.shuffle(arrived)
    assert project(arrived, DUE).model_dump_json() == project(history, DUE).model_dump_json()


@settings(max_examples=200, deadline=None)
@given(HISTORIES)
def test_money_is_conserved(history: list[StatusEvent]) -> None:
    state = project(history, DUE)
    unique = {each.fingerprint: each for each in history}.values()
    received = sum((data.amount or Decimal(0) for each in unique for data in each.data("MEN")), Decimal(0))
    assert state.collected_total == received
    assert state.remaining == DUE.due - received
    assert sum(by_rate(state.remaining_by_rate).values()) == DUE.due - received


@settings(max_examples=200, deadline=None)
@given(HISTORIES)
def test_every_event_is_in_the_history_once(history: list[StatusEvent]) -> None:
    kept = [entry.fingerprint for entry in project(history, DUE).history]
    assert len(kept) == len(set(kept))
    assert set(kept) == {each.fingerprint for each in history}


@settings(max_examples=100, deadline=None)
@given(HISTORIES)
def test_a_state_survives_json(history: list[StatusEvent]) -> None:
    state = project(history, DUE)
    assert InvoiceState.model_validate_json(state.model_dump_json()) == state
