"""Instants are aware, legal dates are Paris dates, time does not go back."""

from datetime import UTC, date, datetime, timedelta

import pytest

from gateway.kernel.clock import ManualClock, paris_date, paris_instant, system_clock


@pytest.mark.parametrize(
    ("instant", "day"),
    [
        (datetime(2026, 6, 30, 21, 59, tzinfo=UTC), date(2026, 6, 30)),
        (datetime(2026, 6, 30, 22, 0, tzinfo=UTC), date(2026, 7, 1)),
        (datetime(2026, 12, 31, 23, 0, tzinfo=UTC), date(2027, 1, 1)),
    ],
)
def test_the_legal_day_changes_at_midnight_in_paris(instant, day):
    assert paris_date(instant) == day


def test_a_wall_clock_time_is_read_as_paris_time():
    assert paris_instant(datetime(2026, 7, 1, 10, 0)) == datetime(2026, 7, 1, 8, 0, tzinfo=UTC)


def test_a_naive_instant_is_refused():
    with pytest.raises(ValueError, match="time zone"):
        paris_date(datetime(2026, 7, 1))


def test_a_manual_clock_never_goes_back():
    clock = ManualClock(datetime(2026, 1, 1, tzinfo=UTC))
    assert clock.advance(timedelta(hours=2)) == clock()
    with pytest.raises(ValueError, match="go back"):
        clock.advance(timedelta(seconds=-1))


def test_the_system_clock_is_aware():
    assert system_clock().tzinfo is UTC
