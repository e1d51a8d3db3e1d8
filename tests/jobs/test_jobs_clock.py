"""The clock: what comes round slowly is first done soon after a start, and as one job, however many clocks start."""

from threading import Event

from sqlalchemy import text

from gateway.app.services import build_services
from gateway.jobs.clock import JobClock

HOUR = 3600.0
PATIENCE_SECONDS = 20.0


def waiting_jobs(database) -> list[str]:
    with database.system_transaction() as session:
        found = session.execute(text("SELECT task_name FROM procrastinate_jobs WHERE status = 'todo' ORDER BY id"))
        return [name for (name,) in found]


def test_an_hourly_review_is_asked_for_at_once_by_a_clock_that_starts_and_once_by_several(database, organisation):
    ticked, clocks = [Event(), Event()], []
    for each in ticked:
        clocks.append(JobClock(database, lambda each=each: [organisation] if not each.set() else []))
        clocks[-1].every(HOUR, "review", first_after=0.0)
    for each in clocks:
        each.start()
    assert all(each.wait(PATIENCE_SECONDS) for each in ticked)
    for each in clocks:
        each.stop()  # what ticks is let end
    assert waiting_jobs(database) == ["review"]


def test_a_first_time_never_comes_later_than_the_interval(database, organisation):
    ticked = Event()
    clock = JobClock(database, lambda: [organisation] if not ticked.set() else [])
    clock.every(0.05, "sweep", first_after=HOUR)
    clock.start()
    assert ticked.wait(PATIENCE_SECONDS)
    clock.stop()
    assert set(waiting_jobs(database)) == {"sweep"}


def test_reviews_come_one_after_the_other_after_a_start_and_reminders_once_the_platforms_were_read(
    database, settings, monkeypatch
):
    first: dict[str, float] = {}
    told = JobClock.every

    def every(self, seconds, task, *, first_after=None):
        first[task] = seconds if first_after is None else first_after
        told(self, seconds, task, first_after=first_after)

    monkeypatch.setattr(JobClock, "every", every)
    build_services(settings, database=database).flows.connections.close()
    slow = ["flows.poll", "alerts.deadlines", "collection.law", "reminders.round"]
    assert sorted(slow, key=first.__getitem__) == slow
    assert len({first[task] for task in slow}) == len(slow)
    assert first["reminders.round"] <= 300
