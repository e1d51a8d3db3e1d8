"""Attempts and reports are lines of their own: what answers them never touches the invoice."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from gateway.jobs.model import DeliveryTry, OutboxMessage, OutboxState, TryOutcome
from gateway.kernel.dated import data_file
from gateway.lifecycle.deliveries import PLATFORM_FLOW, Deliveries, ReportOutcome, build_deliveries
from gateway.lifecycle.model import Direction, LifecycleEvent
from gateway.lifecycle.records import MessageOrigin, event_row
from gateway.lifecycle.transitions import assess
from tests.lifecycle.making_events import START, event

FLOW, OTHER_FLOW = uuid4(), uuid4()
DAY = timedelta(days=1)


def handed(hours: float = 0, *, flow: UUID = FLOW, for_portal: bool = False, **changes) -> OutboxMessage:
    """The invoice, or the status of another flow, handed to the outbox some hours after the start and sent at once."""
    at = START + timedelta(hours=hours)
    facts = {
        "organisation_id": uuid4(),
        "kind": PLATFORM_FLOW,
        "idempotency_key": f"flow-{flow}-{for_portal}",
        "payload": {"platform": "simulator", "for_portal": for_portal},
        "state": OutboxState.SENT.value,
        "attempts": 1,
        "created_at": at,
        "next_attempt_at": at,
        "sent_at": at,
        "remote_id": "R1",
        "subject_id": flow,
    }
    return OutboxMessage(**(facts | changes))


def row(
    code: str, hours: float = 0, *, flow: UUID | None = None, heard: float | None = None, **details
) -> LifecycleEvent:
    """An event, recorded when it was said unless it was `heard` at another hour."""
    told = event(code, hours, **details)
    origin = MessageOrigin(Direction.RECEIVABLE, flow_id=flow)
    now = told.status_at if heard is None else START + timedelta(hours=heard)
    return event_row(told, assess([], told), origin, organisation_id=uuid4(), now=now)


def lines(messages, rows, now=START + DAY, tries=()) -> Deliveries:
    kept = {each.delivery_id: [one for one in tries if one.delivery_id == each.delivery_id] for each in tries}
    return build_deliveries(messages, rows, now, kept)


def tried(message: OutboxMessage, number: int, outcome: TryOutcome, reason: str | None = None) -> DeliveryTry:
    """A try of a message, some minutes after it was asked for."""
    at = message.created_at + timedelta(minutes=number)
    again = None if outcome is TryOutcome.SENT else at + timedelta(minutes=1)
    return DeliveryTry(
        organisation_id=message.organisation_id,
        delivery_id=message.id,
        number=number,
        started_at=at,
        ended_at=at + timedelta(seconds=2),
        outcome=outcome.value,
        reason=reason,
        next_try_at=again,
    )


def test_an_attempt_tells_its_platform_its_acknowledgement_and_what_answered_it() -> None:
    refused, deposited = row("501", 1, reasons=["IRR_SYNTAX"]), row("200", 2)
    [attempt] = lines([handed()], [refused, deposited]).transmission
    assert (attempt.status, attempt.platform, attempt.remote_id, attempt.tries) == (None, "simulator", "R1", 1)
    assert (attempt.state.code, attempt.answers) == ("sent", (refused.id,))


@pytest.mark.parametrize(
    ("code", "reasons"), [("501", ["IRR_SYNTAX"]), ("221", ["ROUTAGE_ERR"]), ("213", ["DOUBLON"]), ("500", [])]
)
def test_what_speaks_of_a_delivery_answers_the_last_one_before_it(code, reasons) -> None:
    answer = row(code, 5, reasons=reasons)
    first, second, third = lines([handed(0), handed(4), handed(6)], [answer]).transmission
    assert (first.answers, second.answers, third.answers) == ((), (answer.id,), ())


def test_an_answer_dated_before_its_delivery_by_another_clock_is_not_lost() -> None:
    answer = row("501", 0, reasons=["IRR_SYNTAX"])
    assert lines([handed(1)], [answer]).transmission[0].answers == (answer.id,)


def test_what_was_heard_before_a_delivery_is_no_answer_to_it_whatever_the_clock_of_its_sender() -> None:
    ahead = row("501", 6, heard=2, reasons=["IRR_SYNTAX"])
    first, second = lines([handed(0), handed(4)], [ahead]).transmission
    assert (first.answers, second.answers) == ((ahead.id,), ())


def test_a_rejection_of_the_invoice_answers_no_delivery() -> None:
    assert lines([handed()], [row("213", 1, reasons=["REJ_COH"])]).transmission[0].answers == ()


def test_a_status_of_ours_and_its_copy_for_the_portal_stand_on_two_lines() -> None:
    told = row("212", 1, flow=OTHER_FLOW)
    copy = handed(1, flow=OTHER_FLOW, for_portal=True)
    found = lines([handed(), handed(1, flow=OTHER_FLOW), copy], [told])
    assert [each.status and each.status.code for each in found.transmission] == [None, "212"]
    assert [each.status and each.status.code for each in found.reporting] == ["212"]


def test_silence_of_the_portal_is_acceptance_once_no_refusal_can_come() -> None:
    copy = handed(flow=OTHER_FLOW, for_portal=True)
    told = row("212", 0, flow=OTHER_FLOW)
    end = START + timedelta(days=data_file("lifecycle.toml")["ppf"]["refusal_days"])
    outcomes = [
        lines([copy], [told], now).reporting[0].outcome.code for now in (START, end - timedelta(seconds=1), end)
    ]
    assert outcomes == [ReportOutcome.OPEN, ReportOutcome.OPEN, ReportOutcome.ACCEPTED]


def test_a_refusal_by_the_portal_ends_the_last_report_and_a_later_report_is_open_again() -> None:
    told, refusal = row("212", 0, flow=OTHER_FLOW), row("601", 3, reasons=["REJ_ENCAISSEMENT"])
    again = uuid4()
    rows = [told, refusal, row("212", 5, flow=again)]
    copies = [handed(0, flow=OTHER_FLOW, for_portal=True), handed(5, flow=again, for_portal=True)]
    first, second = lines([handed(), *copies], rows).reporting
    assert (first.outcome.code, first.answers) == (ReportOutcome.REFUSED, (refusal.id,))
    assert (second.outcome.code, second.answers) == (ReportOutcome.OPEN, ())


def test_what_has_not_left_waits_and_says_why_and_when_it_is_tried_again() -> None:
    later = START + DAY
    waiting = {"state": OutboxState.PENDING.value, "sent_at": None, "remote_id": None, "next_attempt_at": later}
    copy = handed(flow=OTHER_FLOW, for_portal=True, last_error="HTTP 503", **waiting)
    [report] = lines([copy], [row("210", 0, flow=OTHER_FLOW, reasons=["CMD_ERR"])], START).reporting
    assert (report.outcome.code, report.refusable_until) == (ReportOutcome.WAITING, None)
    assert (report.problem, report.next_try_at) == ("HTTP 503", later)


@pytest.mark.parametrize("state", OutboxState)
def test_every_state_of_the_outbox_can_be_told(state) -> None:
    [attempt] = lines([handed(state=state.value)], []).transmission
    assert attempt.state.label.fr
    assert attempt.state.label.en


def test_each_try_of_a_delivery_is_told_and_none_of_another() -> None:
    mine, other = handed(), handed(4)
    tries = [tried(mine, 1, TryOutcome.FAILED, "HTTP 503"), tried(mine, 2, TryOutcome.SENT)]
    first, second = lines([mine, other], [], tries=tries).transmission
    assert second.history == ()
    failed, sent = first.history
    assert (failed.number, failed.outcome.label.fr, failed.reason) == (1, "Échec", "HTTP 503")
    assert failed.started_at < failed.ended_at < failed.next_try_at == sent.started_at
    assert (sent.outcome.code, sent.next_try_at) == ("sent", None)


@pytest.mark.parametrize("outcome", TryOutcome)
def test_every_outcome_of_a_try_can_be_told(outcome) -> None:
    message = handed()
    [attempt] = lines([message], [], tries=[tried(message, 1, outcome)]).transmission
    assert attempt.history[0].outcome.label.fr != attempt.history[0].outcome.label.en
