"""The time of the demonstration: every file leaves on one day of the story, and time never goes back."""

from datetime import UTC, date, datetime, timedelta
from unittest.mock import Mock

from hypothesis import given
from hypothesis import strategies as st

from fixtures.collection import CollectionStory
from gateway.app.demo.clock import StoryClock
from gateway.app.demo.script import DAYS, Pushed, Script, works_at
from gateway.kernel.clock import ManualClock, paris_date
from gateway.kernel.working_days import is_working_day

FIRST_DAYS = st.dates(date(2026, 9, 1), date(2036, 12, 31))
#: From before the first day, as invoices of the former system, to the last one that the story pushes.
AGES = st.lists(st.integers(min_value=-5, max_value=71), max_size=40)
START, END = datetime(2026, 9, 1, 6, tzinfo=UTC), datetime(2026, 11, 19, 23, tzinfo=UTC)


def script(first_day: date, ages: list[int]) -> Script:
    files = tuple(Pushed(f"{n}.xml", b"", "", first_day + timedelta(days=age)) for n, age in enumerate(ages))
    return Script(first_day, Mock(CollectionStory), files, {})


@given(FIRST_DAYS, AGES)
def test_every_file_leaves_once_on_its_day_or_the_next_working_day(first_day, ages):
    told = script(first_day, ages)
    left = [(day, file) for before, day in told.days for file in told.files_between(before, day)]
    assert sorted(file.file_name for _, file in left) == sorted(file.file_name for file in told.files)
    for day, file in left:
        begins = max(file.on, first_day)
        assert all(not is_working_day(begins + timedelta(days=n)) for n in range((day - begins).days))


@given(FIRST_DAYS)
def test_people_work_on_working_days_and_before_the_present_only(first_day):
    told = script(first_day, [])
    days = [day for _, day in told.days]
    assert days == sorted(set(days))
    assert days[0] == first_day
    assert all(is_working_day(day) for day in days[1:])
    assert days[-1] < first_day + DAYS == paris_date(told.ends_at)
    assert told.opens_at < works_at(days[0])


def test_the_clock_stands_still_between_the_days_and_then_goes_with_the_machine():
    machine = ManualClock(END + timedelta(hours=9))
    clock = StoryClock(START, END, machine)
    assert clock() == START
    machine.advance(timedelta(minutes=1))
    assert clock() == START
    clock.move_to(START + timedelta(days=2))
    clock.move_to(START + timedelta(days=1))
    assert clock() == START + timedelta(days=2), "time does not go back"
    clock.catch_up()
    assert clock() == machine()
    machine.advance(timedelta(hours=1))
    assert clock() == machine()


def test_no_day_of_the_story_lies_after_the_present():
    clock = StoryClock(START, START + timedelta(days=1), ManualClock(START + timedelta(days=3)))
    assert clock.may_move_to(START + timedelta(days=3))
    assert not clock.may_move_to(START + timedelta(days=4))
    clock.catch_up()
    assert not clock.may_move_to(START + timedelta(days=1)), "the story is told"


def test_on_a_machine_of_before_the_rules_the_clock_runs_ahead_and_still_never_goes_back():
    machine = ManualClock(START - timedelta(days=200))
    clock = StoryClock(START, END, machine)
    assert clock.may_move_to(END)
    clock.move_to(END)
    clock.catch_up()
    assert clock() == END
    machine.advance(timedelta(hours=1))
    assert clock() == END + timedelta(hours=1)
    again = StoryClock(clock(), END, machine)
    again.catch_up()
    assert again() == clock()
