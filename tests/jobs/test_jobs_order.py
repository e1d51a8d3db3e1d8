"""Messages of one order key leave one after the other, whoever works; those of others wait for nobody."""

import threading
from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
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
from gateway.jobs.outbox import TASK, OutboxWorker, Outgoing, put_all_in_outbox
from gateway.jobs.undelivered import mark_arrived, send_again

HOUR = timedelta(hours=1)
REFUSED = DeliveryFailedError("the other side refuses it", permanent=True)


class Post:
    """Puts letters in the outbox and takes them; the test says what goes wrong with one, once."""

    def __init__(self, database, organisation, clock) -> None:
        self.database, self.organisation, self.clock = database, organisation, clock
        self.taken: list[str] = []
        self.trouble: dict[str, Exception] = {}
        self.answer = LookUp(Finding.UNDECIDABLE, reason="two letters look like it")

    def put(self, *names: str, leads: bool = False) -> None:
        """Letters named for what they are about: `A1`, `A2` share the order key A; `-1` has none."""
        messages = [
            Outgoing(name, {}, order_key=None if name.startswith("-") else name[0], leads=leads) for name in names
        ]
        with self.database.transaction(self.organisation) as session:
            put_all_in_outbox(session, messages, kind="letter", now=self.clock())

    def deliver(self, delivery) -> str:
        trouble = self.trouble.pop(delivery.idempotency_key, None)
        if trouble is not None:
            raise trouble
        self.taken.append(delivery.idempotency_key)
        return f"remote-{len(self.taken)}"

    def worker(self, deliver=None, *, batch: int = 100) -> OutboxWorker:
        channel = Channel(deliver or self.deliver, lambda *_: self.answer)
        return OutboxWorker(self.database, self.clock, {"letter": channel}, attempts=3, batch=batch)

    def drain(self) -> list[str]:
        """What the other side took by now."""
        self.worker().drain(self.organisation)
        return self.taken

    def rows(self) -> dict[str, OutboxMessage]:
        with self.database.transaction(self.organisation) as session:
            return {row.idempotency_key: row for row in session.exec(select(OutboxMessage)).all()}

    def settle(self, decide, name: str) -> None:
        with self.database.transaction(self.organisation) as session:
            decide(session, self.rows()[name].id, now=self.clock())


@pytest.fixture
def post(database, organisation, clock) -> Post:
    return Post(database, organisation, clock)


def test_messages_put_together_leave_in_the_order_in_which_they_were_put(post):
    post.put(*(f"A{number:02}" for number in range(30)))
    assert post.drain() == [f"A{number:02}" for number in range(30)]


@pytest.mark.parametrize(
    "trouble", [DeliveryFailedError("503"), DeliveryPostponedError("the platform rests", None)], ids=["failed", "rests"]
)
def test_a_message_that_waits_for_its_next_try_holds_back_the_later_ones_of_its_key_only(post, trouble):
    if isinstance(trouble, DeliveryPostponedError):
        trouble.until = post.clock() + HOUR
    post.put("A1", "A2", "B1", "-1")
    post.trouble["A1"] = trouble
    assert sorted(post.drain()) == ["-1", "B1"]
    post.clock.advance(HOUR)
    assert post.drain()[2:] == ["A1", "A2"]


def test_a_message_in_doubt_holds_back_the_later_ones_until_a_person_has_settled_it(post):
    post.put("A1", "A2")
    post.trouble["A1"] = DeliveryAmbiguousError("no answer")
    post.answer = LookUp(Finding.LOOK_AGAIN, at=post.clock() + HOUR)
    assert post.drain() == []
    assert post.rows()["A1"].state == "uncertain"
    post.clock.advance(HOUR)
    post.answer = LookUp(Finding.UNDECIDABLE, reason="two letters look like it")
    assert post.drain() == []
    assert post.rows()["A1"].state == "ambiguous"
    post.settle(mark_arrived, "A1")
    assert post.drain() == ["A2"]


def test_when_a_person_has_settled_a_message_a_job_lets_the_next_one_leave(post):
    post.put("A1", "A2")
    post.trouble["A1"] = DeliveryAmbiguousError("no answer")
    post.drain()
    waiting = text("SELECT count(*) FROM procrastinate_jobs WHERE status = 'todo' AND task_name = :task")
    with post.database.system_transaction() as session:
        session.connection().execute(text("UPDATE procrastinate_jobs SET status = 'doing' WHERE status = 'todo'"))
    post.settle(mark_arrived, "A1")
    with post.database.system_transaction() as session:
        assert session.connection().execute(waiting, {"task": TASK}).scalar_one() == 1


def test_a_message_that_was_given_up_lets_the_next_one_leave(post):
    post.put("A1", "A2")
    post.trouble["A1"] = REFUSED
    assert post.drain() == ["A2"]


@pytest.mark.parametrize("decide", [send_again, mark_arrived])
def test_without_the_message_that_leads_the_later_ones_wait_for_a_person(post, decide):
    post.put("A1", leads=True)
    post.put("A2")
    post.trouble["A1"] = REFUSED
    assert post.drain() == []
    assert {name: row.state for name, row in post.rows().items()} == {"A1": "failed", "A2": "pending"}
    post.settle(decide, "A1")
    assert post.drain() == (["A1", "A2"] if decide is send_again else ["A2"])


def test_no_worker_takes_a_message_while_another_worker_has_an_earlier_one_of_its_key(post):
    taking, go_on = threading.Event(), threading.Event()

    def slow(delivery):
        taking.set()
        assert go_on.wait(20)
        return post.deliver(delivery)

    post.put("A1", "A2")
    thread = threading.Thread(target=post.worker(slow, batch=1).drain, args=(post.organisation,))
    thread.start()
    assert taking.wait(20)
    post.put("B1")
    assert post.drain() == ["B1"]
    go_on.set()
    thread.join(20)
    assert post.drain() == ["B1", "A1", "A2"]


def test_a_message_whose_worker_is_just_marking_it_holds_back_the_later_ones(post):
    post.put("A1", "A2")
    with post.database.transaction(post.organisation) as marking:
        first = marking.exec(select(OutboxMessage).where(OutboxMessage.idempotency_key == "A1").with_for_update()).one()
        assert post.drain() == []
        first.state = "leaving"
    assert post.drain() == []


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.sampled_from("ABC"), min_size=1, max_size=24),
    st.lists(st.integers(0, 23), max_size=4, unique=True),
)
def test_two_workers_never_let_two_messages_of_one_key_overtake_each_other(post, keys, failing):
    number = Counter[str]()
    run = f"{len(post.rows()):05}"
    names = [f"{key}{run}-{(number.update(key), number[key])[1]:02}" for key in keys]
    post.taken.clear()
    post.trouble = {names[place]: DeliveryFailedError("503") for place in failing if place < len(names)}
    for name in names:
        post.put(name)
    # All that fail may be of one key: then each holds the later ones back for an hour of its own.
    for _ in range(len(failing) + 1):
        workers = [
            threading.Thread(target=post.worker(batch=200).drain, args=(post.organisation,), daemon=True)
            for _ in range(2)
        ]
        for each in workers:
            each.start()
        for each in workers:
            each.join(30)
        post.drain()
        post.clock.advance(HOUR)
    assert sorted(post.taken) == sorted(names)
    for key in "ABC":
        assert [name for name in post.taken if name[0] == key] == [name for name in names if name[0] == key]
