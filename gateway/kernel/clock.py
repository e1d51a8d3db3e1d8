"""Time is passed in: rules take `now` as an argument, the shell gets it from a `Clock`.

Instants are aware UTC datetimes; legal dates (due date, deadlines) are dates of Europe/Paris.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

PARIS = ZoneInfo("Europe/Paris")


class Clock(Protocol):
    """Anything that tells the present instant, in UTC."""

    def __call__(self) -> datetime: ...


def system_clock() -> datetime:
    """The machine's present instant, aware, in UTC."""
    return datetime.now(UTC)


class ManualClock:
    """A clock that tests and the demo move by hand; it never goes back."""

    def __init__(self, start: datetime) -> None:
        self._now = require_aware(start)

    def __call__(self) -> datetime:
        return self._now

    def advance(self, step: timedelta) -> datetime:
        """Move forward by `step` and return the new instant. Raises ValueError on a negative step."""
        if step < timedelta(0):
            raise ValueError("time does not go back")
        self._now += step
        return self._now


def require_aware(instant: datetime) -> datetime:
    """`instant` in UTC. Raises ValueError when it carries no time zone: a naive instant is ambiguous."""
    if instant.tzinfo is None:
        raise ValueError(f"an instant needs a time zone: {instant.isoformat()}")
    return instant.astimezone(UTC)


def paris_date(instant: datetime) -> date:
    """The legal date of an instant: the calendar day in Europe/Paris."""
    return require_aware(instant).astimezone(PARIS).date()


def paris_instant(naive: datetime) -> datetime:
    """UTC instant of a wall-clock time without offset, read as Europe/Paris.

    CDAR dates (format 204) carry no offset and no source fixes the zone; Paris is the assumption.
    """
    return naive.replace(tzinfo=PARIS).astimezone(UTC)
