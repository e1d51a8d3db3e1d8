"""Working days in France: Monday to Friday, national public holidays excepted."""

from datetime import date, timedelta
from functools import cache

import holidays


def is_working_day(day: date) -> bool:
    """Whether offices work that day (the two extra holidays of Alsace-Moselle are not counted)."""
    return day.weekday() < 5 and day not in _holidays(day.year)


def add_working_days(start: date, count: int) -> date:
    """The day `count` working days after `start`; with 0, `start` itself or the next working day. `count` >= 0."""
    day = start
    while count > 0 or not is_working_day(day):
        day += timedelta(days=1)
        if is_working_day(day):
            count = max(count - 1, 0)
    return day


@cache
def _holidays(year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays("FR", years=year))
