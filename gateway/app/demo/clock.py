"""The time of the demonstration: days pass as its story goes on, until it has come to the present."""

from datetime import datetime, timedelta

from gateway.kernel.clock import Clock, require_aware, system_clock

#: Time between two answers of the platform simulator: over days in the story, while one looks on in the present.
_IN_THE_PAST, _IN_THE_PRESENT = timedelta(hours=12), timedelta(seconds=1.5)


class StoryClock:
    """A clock that the story moves from day to day, and that goes with the machine's once the story is told."""

    def __init__(self, start: datetime, end: datetime, present: Clock = system_clock) -> None:
        """The story goes on at `start`. On a machine that is not past its `end` yet, the clock runs ahead of it."""
        self._told: datetime | None = require_aware(start)
        self._machine = present
        self._ahead = max(start - present(), end - present(), timedelta(0))

    def __call__(self) -> datetime:
        told = self._told
        return self._present if told is None else told

    @property
    def simulator_step(self) -> timedelta:
        """How long the platform simulator takes from one answer to the next."""
        return _IN_THE_PRESENT if self._told is None else _IN_THE_PAST

    def may_move_to(self, instant: datetime) -> bool:
        """Whether an instant lies in the story, and not in the future."""
        return self._told is not None and instant <= self._present

    def move_to(self, instant: datetime) -> None:
        """Let time pass until `instant`; an instant that has passed changes nothing: time does not go back."""
        if self._told is not None:
            self._told = max(self._told, require_aware(instant))

    def catch_up(self) -> None:
        """From here on it is the present."""
        self._told = None

    @property
    def _present(self) -> datetime:
        return self._machine() + self._ahead
