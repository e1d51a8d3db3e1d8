"""What must leave, leaves once; what may have left is never sent again blindly; one failure stops no other."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlmodel import select

from gateway.jobs.channels import Channel, DeliveryAmbiguousError, DeliveryFailedError
from gateway.jobs.engine import JobEngine
from gateway.jobs.model import OutboxMessage
from gateway.jobs.outbox import TASK, OutboxWorker, put_in_outbox
from gateway.jobs.queue import enqueue


@pytest.fixture
def worker(database, clock) -> Callable[..., OutboxWorker]:
    def make(deliverer, **channel) -> OutboxWorker:
        return OutboxWorker(database, clock, {"letter": Channel(deliverer, **channel)}, attempts=3, batch=10)

    return make


def put(database, organisation, clock, key="k1", kind="letter"):
    with database.transaction(organisation) as session:
        return put_in_outbox(session, kind=kind, idempotency_key=key, payload={"to": key}, now=clock())


def messages(database, organisation):
    with database.transaction(organisation) as session:
        return {row.idempotency_key: row for row in session.exec(select(OutboxMessage)).all()}


def test_a_message_is_delivered_once(database, organisation, clock, worker):
    delivered = []
    put(database, organisation, clock)
    outbox = worker(lambda delivery: delivered.append(delivery.idempotency_key) or "remote-1")
    outbox.drain(organisation)
    outbox.drain(organisation)
    assert delivered == ["k1"]
    (row,) = messages(database, organisation).values()
    assert (row.state, row.remote_id, row.sent_at) == ("sent", "remote-1", clock())


def test_the_same_key_is_never_put_twice(database, organisation, clock):
    assert put(database, organisation, clock) is True
    assert put(database, organisation, clock) is False
    assert len(messages(database, organisation)) == 1


def test_a_failure_is_tried_again_later_then_left_to_a_person(database, organisation, clock, worker):
    put(database, organisation, clock)

    def refuse(_delivery):
        raise DeliveryFailedError("the door is closed")

    outbox = worker(refuse)
    for expected_state, expected_attempts in [("pending", 1), ("pending", 2), ("failed", 3), ("failed", 3)]:
        outbox.drain(organisation)
        outbox.drain(organisation)  # not due yet: nothing happens
        (row,) = messages(database, organisation).values()
        assert (row.state, row.attempts, row.last_error) == (expected_state, expected_attempts, "the door is closed")
        clock.advance(timedelta(hours=1))


def test_an_ambiguous_answer_is_never_repeated_blindly(database, organisation, clock, worker):
    put(database, organisation, clock)
    calls = []

    def time_out(delivery):
        calls.append(delivery)
        raise DeliveryAmbiguousError("no answer after the last byte")

    outbox = worker(time_out)
    for _ in range(3):
        outbox.drain(organisation)
        clock.advance(timedelta(hours=1))
    assert len(calls) == 1
    assert messages(database, organisation)["k1"].state == "ambiguous"


def test_one_failing_message_stops_no_other(database, organisation, clock, worker):
    for key in ("bad", "good"):
        put(database, organisation, clock, key)

    def deliver(delivery):
        if delivery.idempotency_key == "bad":
            raise ZeroDivisionError("a fault of ours")
        return None

    worker(deliver).drain(organisation)
    rows = messages(database, organisation)
    assert (rows["bad"].state, rows["good"].state) == ("ambiguous", "sent")
    assert "ZeroDivisionError" in rows["bad"].last_error


def test_a_message_of_a_kind_nobody_delivers_says_so(database, organisation, clock, worker):
    put(database, organisation, clock, kind="pigeon")
    worker(lambda _: None).drain(organisation)
    row = messages(database, organisation)["k1"]
    assert row.state == "failed"
    assert "pigeon" in row.last_error


def test_the_job_exists_exactly_when_its_rows_do(database, organisation, clock):
    class Crash(Exception):
        pass

    with pytest.raises(Crash), database.transaction(organisation) as session:
        put_in_outbox(session, kind="letter", idempotency_key="k", payload={}, now=clock())
        raise Crash
    assert waiting_jobs(database) == []
    put(database, organisation, clock)
    assert waiting_jobs(database) == [TASK]


def test_one_waiting_job_is_enough(database, organisation):
    with database.transaction(organisation) as session:
        assert enqueue(session, "some.task") is True
        assert enqueue(session, "some.task") is False
    assert waiting_jobs(database) == ["some.task"]


def test_the_engine_runs_waiting_jobs_and_survives_a_failing_one(database, organisation, other_organisation):
    ran = []
    engine = JobEngine(database.conninfo, concurrency=2)
    engine.register("good", ran.append)

    def fail(_organisation):
        raise RuntimeError("on purpose")

    engine.register("bad", fail)
    for who in (organisation, other_organisation):
        with database.transaction(who) as session:
            enqueue(session, "bad")
            enqueue(session, "good")
    engine.run_until_idle()
    assert sorted(ran) == sorted([organisation, other_organisation])
    assert waiting_jobs(database) == []


def test_a_job_of_a_dead_worker_is_forgotten_and_blocks_nothing(database, organisation):
    ran = []
    engine = JobEngine(database.conninfo)
    engine.register("t", ran.append)
    with database.transaction(organisation) as session:
        enqueue(session, "t")
    with database.system_transaction() as session:  # as a worker killed in the middle leaves it
        session.connection().execute(text("UPDATE procrastinate_jobs SET status = 'doing'"))
    with database.transaction(organisation) as session:
        assert enqueue(session, "t") is True
    engine.run_until_idle()
    assert ran == [organisation]
    assert engine.forget_stalled() == 1


def waiting_jobs(database):
    with database.system_transaction() as session:
        return list(
            session.connection()
            .execute(text("SELECT task_name FROM procrastinate_jobs WHERE status = 'todo'"))
            .scalars()
        )


def test_running_until_idle_includes_the_jobs_that_jobs_ask_for(database, organisation):
    engine = JobEngine(database.conninfo, concurrency=2)
    ran = []

    def chain(organisation_id):
        ran.append(organisation_id)
        if len(ran) < 5:
            with database.transaction(organisation_id) as session:
                enqueue(session, "chain")

    engine.register("chain", chain)
    with database.transaction(organisation) as session:
        enqueue(session, "chain")
    engine.run_until_idle()
    assert len(ran) == 5


def test_looking_for_stalled_jobs_leaves_a_running_worker_alone(database, organisation):
    engine = JobEngine(database.conninfo)
    ran = []
    engine.register("t", ran.append)

    async def work_while_another_thread_looks() -> None:
        worker = asyncio.create_task(engine.run())
        await asyncio.to_thread(engine.forget_stalled)
        with database.transaction(organisation) as session:
            enqueue(session, "t")
        for _ in range(200):
            if ran:
                break
            await asyncio.sleep(0.05)
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)

    asyncio.run(work_while_another_thread_looks())
    assert ran == [organisation]
