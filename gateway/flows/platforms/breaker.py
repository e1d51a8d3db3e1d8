"""The circuit breaker of a connection: whether a platform is asked at all. Pure; data: `schemas/platforms.toml`.

Closed, every call passes. After some failures in a row it opens and nothing passes until a pause is over; then it is
half open: one call tries, and its end closes the breaker or opens it again for twice as long.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from gateway.kernel.dated import data_file, in_force


class BreakerState(StrEnum):
    """Whether calls pass."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True)
class BreakerPolicy:
    """When a breaker opens, for how long, and how long one trying call may take to report back."""

    failures: int
    first_pause: timedelta
    longest_pause: timedelta
    probe: timedelta


@dataclass(frozen=True, slots=True)
class Breaker:
    """The state of a breaker.

    Attributes:
        failures: in a row, since the last success.
        openings: in a row, since it was last closed.
        until: end of the pause when open; when half open, the instant at which the trying call is given up.
    """

    state: BreakerState = BreakerState.CLOSED
    failures: int = 0
    openings: int = 0
    until: datetime | None = None

    @property
    def is_sound(self) -> bool:
        """True when the last call succeeded."""
        return self == Breaker()


@dataclass(frozen=True, slots=True)
class Passage:
    """Whether a call may be made now, and the breaker after that decision; `until` when it may be asked again."""

    allowed: bool
    breaker: Breaker
    until: datetime | None = None


def breaker_policy(kind: str) -> BreakerPolicy:
    """The policy for a platform: its own entries (`[platform.NAME.breaker]`) over those of all."""
    tables = data_file("platforms.toml")
    data = tables["breaker"] | (in_force(tables["platform"].get(kind)) or {}).get("breaker", {})
    return BreakerPolicy(
        failures=data["failures"],
        first_pause=timedelta(seconds=data["first_pause_seconds"]),
        longest_pause=timedelta(seconds=data["longest_pause_seconds"]),
        probe=timedelta(seconds=data["probe_seconds"]),
    )


def ask_passage(breaker: Breaker, policy: BreakerPolicy, now: datetime) -> Passage:
    """A closed breaker lets every call pass; another one a single call once its pause is over."""
    if breaker.state is BreakerState.CLOSED:
        return Passage(True, breaker)
    if breaker.until is not None and now < breaker.until:
        # The try under way may end at any moment: those who wait for it look again soon.
        soon = now + policy.first_pause
        return Passage(
            False, breaker, breaker.until if breaker.state is BreakerState.OPEN else min(breaker.until, soon)
        )
    return Passage(True, replace(breaker, state=BreakerState.HALF_OPEN, until=now + policy.probe))


def after_failure(
    breaker: Breaker, policy: BreakerPolicy, now: datetime, *, retry_after: timedelta | None = None
) -> Breaker:
    """One failure more. A platform that asks for a pause (`retry_after`) gets it, however few failures there were."""
    failures = breaker.failures + 1
    if breaker.state is BreakerState.OPEN:  # a call that was under way when it opened
        until = max(breaker.until or now, now + (retry_after or timedelta(0)))
        return replace(breaker, failures=failures, until=until)
    if breaker.state is BreakerState.CLOSED and failures < policy.failures:
        if retry_after is None:
            return replace(breaker, failures=failures)
        return replace(breaker, state=BreakerState.OPEN, failures=failures, until=now + retry_after)
    pause = min(policy.first_pause * 2 ** min(breaker.openings, 20), policy.longest_pause)
    return Breaker(BreakerState.OPEN, failures, breaker.openings + 1, now + max(pause, retry_after or timedelta(0)))


def after_success() -> Breaker:
    """A call that was answered closes the breaker."""
    return Breaker()
