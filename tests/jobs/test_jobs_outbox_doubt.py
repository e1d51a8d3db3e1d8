"""What may have left is never sent again blindly, whoever crashes when; a closed way costs no attempt."""

import threading
from datetime import timedelta

import pytest
from sqlmodel import select

from gateway.jobs.channels import (
    Channel,
    DeliveryAmbiguousError,
    DeliveryFailedError,
    DeliveryPostponedError,
    Finding,
    LookUp,
)
from gateway.jobs.model import OutboxMessage
from gateway.jobs.outbox import OutboxWorker, put_in_outbox

MINUTE = timedelta(minutes=1)


class WorkerKilledError(BaseException):
    """As `kill -9` in the middle: nothing more of the worker runs, its transaction is rolled back."""


class OtherSide:
    """Takes messages, and answers what it is asked about them."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.asked = 0
        self.after_taking: BaseException | None = None
        self.answer: LookUp | Exception = LookUp(Finding.ABSENT)

    def deliver(self, delivery) -> str:
        self.taken.append(delivery.idempotency_key)
        if self.after_taking is not None:
            raise self.after_taking
        return f"remote-{len(self.taken)}"

    def look_up(self, _delivery, _since, _now) -> LookUp:
        self.asked += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def other_side() -> OtherSide:
    return OtherSide()


@pytest.fixture
def outbox(database, organisation, clock, other_side):
    """Makes workers of one message, `k1`, over a channel to the other side."""
    with database.transaction(organisation) as session:
        put_in_outbox(session, kind="letter", idempotency_key="k1", payload={}, now=clock())

    def make(**channel) -> OutboxWorker:
        return OutboxWorker(database, clock, {"letter": Channel(other_side.deliver, **channel)}, attempts=3, batch=10)

    return make


def message(database, organisation) -> OutboxMessage:
    with database.transaction(organisation) as session:
        return session.exec(select(OutboxMessage)).one()


def killed_after_the_other_side_took_it(worker, other_side, organisation) -> None:
    other_side.after_taking = WorkerKilledError()
    with pytest.raises(WorkerKilledError):
        worker.drain(organisation)
    other_side.after_taking = None


def test_an_email_that_was_accepted_before_a_crash_is_not_sent_again(database, organisation, clock, other_side, outbox):
    killed_after_the_other_side_took_it(outbox(), other_side, organisation)
    assert message(database, organisation).state == "leaving"
    for _ in range(5):
        clock.advance(timedelta(hours=1))
        outbox().drain(organisation)
    assert other_side.taken == ["k1"]
    left = message(database, organisation)
    assert (left.state, left.attempts) == ("ambiguous", 1)
    assert "died" in left.last_error


def test_a_repeatable_message_is_sent_again_after_a_crash_up_to_the_limit(
    database, organisation, clock, other_side, outbox
):
    for _ in range(3):
        killed_after_the_other_side_took_it(outbox(repeatable=True), other_side, organisation)
        clock.advance(timedelta(hours=1))
        outbox(repeatable=True)._take(organisation, 1)  # sees the mark that nobody holds
        clock.advance(timedelta(hours=1))
    outbox(repeatable=True).drain(organisation)
    assert other_side.taken == ["k1"] * 3
    assert message(database, organisation).state == "ambiguous"


def test_after_a_crash_the_other_side_is_asked_before_anything_is_repeated(
    database, organisation, clock, other_side, outbox
):
    other_side.answer = LookUp(Finding.ARRIVED, "remote-1")
    killed_after_the_other_side_took_it(outbox(look_up=other_side.look_up), other_side, organisation)
    clock.advance(MINUTE)
    outbox(look_up=other_side.look_up).drain(organisation)
    sent = message(database, organisation)
    assert (sent.state, sent.remote_id, sent.sent_at, other_side.taken) == ("sent", "remote-1", clock(), ["k1"])


def test_a_fault_of_ours_after_the_other_side_took_it_repeats_nothing(database, organisation, other_side, outbox):
    other_side.after_taking = ZeroDivisionError("while the answer was written down")
    other_side.answer = LookUp(Finding.ARRIVED, "remote-1")
    outbox(look_up=other_side.look_up).drain(organisation)
    sent = message(database, organisation)
    assert (sent.state, sent.remote_id, other_side.taken) == ("sent", "remote-1", ["k1"])


def test_a_message_that_is_leaving_is_left_to_its_worker(database, organisation, clock, other_side, outbox):
    """Even when it takes longer than the grace: the row is held as long as its worker lives."""
    taking, go_on = threading.Event(), threading.Event()

    def slow(delivery):
        taking.set()
        assert go_on.wait(20)
        return other_side.deliver(delivery)

    slow_worker = OutboxWorker(database, clock, {"letter": Channel(slow)}, attempts=3, batch=1)
    thread = threading.Thread(target=slow_worker.drain, args=(organisation,))
    thread.start()
    assert taking.wait(20)
    clock.advance(timedelta(hours=1))
    assert outbox().drain(organisation) == 0
    go_on.set()
    thread.join(20)
    assert (message(database, organisation).state, other_side.taken) == ("sent", ["k1"])


def test_what_the_other_side_does_not_have_is_sent_again_a_little_later(
    database, organisation, clock, other_side, outbox
):
    other_side.after_taking = DeliveryAmbiguousError("no answer")

    def absent(*_):
        other_side.after_taking = None
        return LookUp(Finding.ABSENT)

    outbox(look_up=absent).drain(organisation)
    assert message(database, organisation).next_attempt_at > clock()
    clock.advance(MINUTE)
    outbox(look_up=absent).drain(organisation)
    sent = message(database, organisation)
    assert (sent.state, sent.remote_id, sent.attempts) == ("sent", "remote-2", 2)


def test_sending_again_what_was_absent_ends_at_the_limit(database, organisation, clock, other_side, outbox):
    other_side.after_taking = DeliveryAmbiguousError("no answer")
    for _ in range(5):
        outbox(look_up=other_side.look_up).drain(organisation)
        clock.advance(MINUTE)
    left = message(database, organisation)
    assert (left.state, left.last_error, other_side.taken) == ("failed", "no answer", ["k1"] * 3)


def test_it_waits_as_long_as_the_other_side_cannot_tell_yet(database, organisation, clock, other_side, outbox):
    other_side.after_taking = DeliveryAmbiguousError("no answer")
    for _ in range(10):
        other_side.answer = LookUp(Finding.LOOK_AGAIN, at=clock() + MINUTE)
        outbox(look_up=other_side.look_up).drain(organisation)
        assert message(database, organisation).state == "uncertain"
        clock.advance(MINUTE)
    assert (other_side.taken, other_side.asked) == (["k1"], 10)


@pytest.mark.parametrize(
    ("answer", "asked"),
    [
        (LookUp(Finding.UNDECIDABLE, reason="two files of that name"), 1),
        (DeliveryFailedError("no such service", permanent=True), 1),
        (DeliveryFailedError("503"), 3),
        (ZeroDivisionError("a fault of ours"), 3),
    ],
)
def test_when_the_other_side_cannot_tell_a_person_decides(
    database, organisation, clock, other_side, outbox, answer, asked
):
    other_side.after_taking, other_side.answer = DeliveryAmbiguousError("no answer"), answer
    for _ in range(6):
        outbox(look_up=other_side.look_up).drain(organisation)
        clock.advance(timedelta(hours=1))
    left = message(database, organisation)
    assert (left.state, other_side.taken, other_side.asked) == ("ambiguous", ["k1"], asked)
    assert str(getattr(answer, "reason", answer)) in left.last_error


def test_while_the_way_is_closed_a_message_waits_and_no_try_is_counted(
    database, organisation, clock, other_side, outbox
):
    for _ in range(10):
        until = clock() + MINUTE
        other_side.after_taking = DeliveryPostponedError("the platform rests", until)
        outbox().drain(organisation)
        waiting = message(database, organisation)
        assert (waiting.state, waiting.attempts, waiting.next_attempt_at) == ("pending", 0, until)
        clock.advance(MINUTE)
    other_side.after_taking = None
    outbox().drain(organisation)
    assert message(database, organisation).state == "sent"


def test_while_the_way_is_closed_a_doubt_waits_and_no_question_is_counted(
    database, organisation, clock, other_side, outbox
):
    other_side.after_taking = DeliveryAmbiguousError("no answer")
    for _ in range(10):
        other_side.answer = DeliveryPostponedError("the platform rests", clock() + MINUTE)
        outbox(look_up=other_side.look_up).drain(organisation)
        waiting = message(database, organisation)
        assert (waiting.state, waiting.lookups) == ("uncertain", 0)
        clock.advance(MINUTE)
    assert other_side.taken == ["k1"]
