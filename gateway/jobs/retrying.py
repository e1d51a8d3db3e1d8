"""When a failed try is repeated, and when a person must decide. Pure."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

FIRST_PAUSE = timedelta(seconds=2)
LONGEST_PAUSE = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class RetryDecision:
    """What to do after a failure: try again at `at`, or stop when `at` is None."""

    at: datetime | None

    @property
    def gives_up(self) -> bool:
        """True when no further try is made without a person."""
        return self.at is None


def decide_retry(
    *,
    attempts: int,
    limit: int,
    now: datetime,
    jitter: random.Random,
    not_before: timedelta | None = None,
) -> RetryDecision:
    """Double the pause at each failure up to half an hour, spread by up to a quarter, at least `not_before`.

    `attempts` counts the tries already made (1 after the first failure); `not_before` is the other side's
    Retry-After.
    """
    if attempts >= limit:
        return RetryDecision(None)
    pause = min(FIRST_PAUSE * 2 ** min(attempts - 1, 20), LONGEST_PAUSE)
    pause += pause * jitter.random() / 4
    return RetryDecision(now + max(pause, not_before or timedelta(0)))
