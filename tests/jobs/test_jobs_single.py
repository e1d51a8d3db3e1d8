"""In one process a task runs once at a time for an organisation, and nothing that was asked for is left undone."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event, Lock
from uuid import UUID

import pytest

from gateway.jobs.single import OneAtATime

HERE, THERE = UUID(int=1), UUID(int=2)
PATIENCE_SECONDS = 10.0


def test_asked_for_while_it_runs_a_task_returns_at_once_and_runs_once_more():
    runs, running, go_on = list[UUID](), Event(), Event()

    def work(organisation_id: UUID) -> None:
        runs.append(organisation_id)
        running.set()
        assert go_on.wait(PATIENCE_SECONDS)

    task = OneAtATime(work)
    with ThreadPoolExecutor(1) as thread:
        first = thread.submit(task, HERE)
        assert running.wait(PATIENCE_SECONDS)
        for _ in range(3):
            task(HERE)  # would never return if it ran the work itself
        assert runs == [HERE]
        go_on.set()
        first.result(PATIENCE_SECONDS)
    assert runs == [HERE, HERE]


def test_another_organisation_does_not_wait():
    inside, both = Lock(), Event()
    there = list[UUID]()

    def work(organisation_id: UUID) -> None:
        with inside:
            there.append(organisation_id)
            if len(there) == 2:
                both.set()
        assert both.wait(PATIENCE_SECONDS)

    task = OneAtATime(work)
    with ThreadPoolExecutor(2) as threads:
        for done in [threads.submit(task, each) for each in (HERE, THERE)]:
            done.result(PATIENCE_SECONDS)
    assert set(there) == {HERE, THERE}


def test_a_task_that_failed_can_be_asked_for_again():
    tries = list[UUID]()

    def work(organisation_id: UUID) -> None:
        tries.append(organisation_id)
        if len(tries) == 1:
            raise ZeroDivisionError

    task = OneAtATime(work)
    with pytest.raises(ZeroDivisionError):
        task(HERE)
    task(HERE)
    assert tries == [HERE, HERE]
