"""Spans of the law: half-years, and months counted from one day to the day of the same number. Pure."""

from calendar import monthrange
from datetime import date

_MONTHS_A_YEAR = 12
_SECOND_HALF = 7


def add_months(day: date, months: int) -> date:
    """The day of the same number so many months later (earlier when negative), else the last one of that month.

    A term in months or years ends at the end of that day (code civil, art. 2229; code de procédure civile, art. 641).
    """
    year, month = divmod(day.year * _MONTHS_A_YEAR + day.month - 1 + months, _MONTHS_A_YEAR)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def add_years(day: date, years: int) -> date:
    """The same day so many years later; 28 February for 29 February when that year has none."""
    return add_months(day, years * _MONTHS_A_YEAR)


def half_year_of(day: date) -> date:
    """The first day of the half-year that a day lies in: 1 January or 1 July."""
    return date(day.year, 1 if day.month < _SECOND_HALF else _SECOND_HALF, 1)


def next_half_year(day: date) -> date:
    """The first day of the half-year after that of `day`."""
    return add_months(half_year_of(day), 6)
