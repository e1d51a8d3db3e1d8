"""Every try of a delivery is kept as it ended, in order, and nobody can change it afterwards."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from sqlmodel import select

from gateway.jobs.channels import (
    Channel,
    DeliveryAmbiguousError,
    DeliveryFailedError,
    DeliveryPostponedError,
    Finding,
    LookUp,
)
from gateway.jobs.model import DeliveryTry, OutboxMessage
from gateway.jobs.outbox import OutboxWorker, put_in_outbox
from gateway.jobs.tries import tries_of
from gateway.jobs.undelivered import send_again

PAUSE = timedelta(hours=1)


class Post:
    """A channel whose ends are told beforehand, each an error to raise or an identifier to give back."""

    def __init__(self, database, organisation, clock, *ends, finds=()) -> None:
        self.database, self.organisation, self.clock = database, organisation, clock
        self.ends, self.finds = list(ends), list(finds)
        channel = Channel(self._deliver, look_up=self._look_up if finds else None)
        self.worker = OutboxWorker(database, clock, {"letter": channel}, attempts=3, batch=1)
        with database.transaction(organisation) as session:
            put_in_outbox(session, kind="letter", idempotency_key="k", payload={}, now=clock())

    def _deliver(self, _delivery) -> str | None:
        self.clock.advance(timedelta(seconds=1))  # what it takes
        end = self.ends.pop(0)
        if isinstance(end, Exception):
            raise end
        return end

    def _look_up(self, _delivery, _left_at, _now) -> LookUp:
        found = self.finds.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    def drain(self, times: int = 1) -> None:
        for _ in range(times):
            self.worker.drain(self.organisation)
            self.clock.advance(PAUSE)

    def tries(self) -> list[DeliveryTry]:
        with self.database.transaction(self.organisation) as session:
            (message,) = session.exec(select(OutboxMessage))
            return tries_of(session, [message.id]).get(message.id, [])

    def outcomes(self) -> list[tuple[int, str, str | None]]:
        return [(each.number, each.outcome, each.reason) for each in self.tries()]


@pytest.fixture
def post(database, organisation, clock):
    return lambda *ends, finds=(): Post(database, organisation, clock, *ends, finds=finds)


def test_a_delivery_that_fails_twice_and_leaves_is_three_tries_with_their_instants(post, clock):
    letter, start = post(DeliveryFailedError("HTTP 503"), DeliveryFailedError("HTTP 502"), "R-1"), clock()
    letter.drain(3)
    assert letter.outcomes() == [(1, "failed", "HTTP 503"), (2, "failed", "HTTP 502"), (3, "sent", None)]
    first, second, third = letter.tries()
    assert (first.started_at, first.ended_at) == (start, start + timedelta(seconds=1))
    assert first.ended_at < first.next_try_at <= second.started_at < second.next_try_at <= third.started_at
    assert third.next_try_at is None


def test_a_refusal_for_good_is_told_apart_from_a_failure_and_nothing_is_tried_after_it(post):
    letter = post(DeliveryFailedError("HTTP 400 INVALID", permanent=True))
    letter.drain(2)
    assert letter.outcomes() == [(1, "refused", "HTTP 400 INVALID")]
    assert letter.tries()[0].next_try_at is None


def test_a_delivery_given_up_has_no_next_try(post):
    letter = post(*(DeliveryFailedError("HTTP 503") for _ in range(3)))
    letter.drain(4)
    assert [each.outcome for each in letter.tries()] == ["failed"] * 3
    assert [each.next_try_at is None for each in letter.tries()] == [False, False, True]


def test_a_doubt_and_what_the_other_side_knows_of_it_are_told(post):
    letter = post(DeliveryAmbiguousError("no answer"), finds=[LookUp(Finding.ARRIVED, remote_id="R-1")])
    letter.drain(2)
    assert letter.outcomes() == [(1, "in_doubt", "no answer"), (2, "found", None)]


def test_what_had_not_arrived_is_sent_again_and_a_look_up_that_fails_is_told(post):
    finds = [DeliveryFailedError("HTTP 503"), LookUp(Finding.LOOK_AGAIN), LookUp(Finding.ABSENT)]
    letter = post(DeliveryAmbiguousError("no answer"), "R-1", finds=finds)
    letter.drain(6)
    assert letter.outcomes() == [
        (1, "in_doubt", "no answer"),
        (2, "in_doubt", "HTTP 503"),
        (3, "absent", "HTTP 503"),
        (4, "sent", None),
    ]


def test_what_was_postponed_was_not_tried(post, clock):
    letter = post(DeliveryPostponedError("the circuit is open", clock() + PAUSE), "R-1")
    letter.drain(1)
    assert letter.tries() == []
    letter.drain(1)
    assert letter.outcomes() == [(1, "sent", None)]


def test_a_try_whose_worker_died_is_in_doubt_since_it_left(post, database, organisation, clock):
    letter, left_at = post("never"), clock()
    with database.transaction(organisation) as session:
        (message,) = session.exec(select(OutboxMessage))
        message.state, message.attempts, message.left_at = "leaving", 1, left_at
        session.add(message)
    clock.advance(PAUSE)
    letter.drain()
    assert letter.outcomes() == [(1, "in_doubt", "the worker died while it was leaving")]
    assert (letter.tries()[0].started_at, letter.tries()[0].ended_at) == (left_at, left_at + PAUSE)


def test_numbers_go_on_when_a_person_has_it_sent_again(post, database, organisation, clock):
    letter = post(DeliveryFailedError("HTTP 400", permanent=True), "R-1")
    letter.drain()
    with database.transaction(organisation) as session:
        send_again(session, letter.tries()[0].delivery_id, now=clock())
    letter.drain()
    assert letter.outcomes() == [(1, "refused", "HTTP 400"), (2, "sent", None)]


@pytest.mark.parametrize("statement", ["UPDATE delivery_try SET outcome = 'sent'", "DELETE FROM delivery_try"])
def test_a_try_is_never_changed(post, database, organisation, statement):
    post(DeliveryFailedError("HTTP 503")).drain()
    with pytest.raises(ProgrammingError), database.transaction(organisation) as session:
        session.connection().execute(text(statement))
    with pytest.raises(ProgrammingError, match="append-only"), database.system_transaction() as session:
        session.connection().execute(text(statement))


def test_another_organisation_sees_no_try_of_this_one(post, database, organisation, other_organisation):
    letter = post("R-1")
    letter.drain()
    delivery_id: UUID = letter.tries()[0].delivery_id
    with database.transaction(other_organisation) as session:
        assert tries_of(session, [delivery_id]) == {}
