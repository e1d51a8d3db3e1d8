"""How many requests one caller may send: a pure decision (the generic cell rate algorithm), and a count per caller.

The algorithm keeps one instant per caller: the one until which its past requests have used its rate up. A steady
caller at the rate is never refused; after a pause a caller may send a burst.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

_NOTHING = timedelta(0)
#: Callers that are remembered before those who have been quiet are forgotten.
_MANY = 10_000


@dataclass(frozen=True, slots=True)
class RateLimit:
    """At most `per_minute` requests a minute, of which `burst` may come at once. Both are at least 1."""

    per_minute: int
    burst: int


@dataclass(frozen=True, slots=True)
class RateDecision:
    """Whether a request may pass.

    Attributes:
        used_until: what to remember of the caller.
        retry_after: how long to wait; nothing when the request may pass.
    """

    used_until: datetime
    retry_after: timedelta = _NOTHING

    @property
    def may_pass(self) -> bool:
        """True when the request is within the limit."""
        return self.retry_after == _NOTHING


def decide(limit: RateLimit, used_until: datetime | None, now: datetime) -> RateDecision:
    """One more request of a caller whose earlier ones used its rate until `used_until`; None for a newcomer."""
    each = timedelta(minutes=1) / limit.per_minute
    start = max(used_until or now, now)
    ahead = start - now - each * (limit.burst - 1)
    if ahead > _NOTHING:
        return RateDecision(start, ahead)
    return RateDecision(start + each)


class RateLimiter:
    """Counts callers in this process. Threads may share it; without a limit everything passes."""

    def __init__(self, limit: RateLimit | None) -> None:
        self._limit = limit
        self._used_until: dict[Hashable, datetime] = {}
        self._lock = Lock()

    def count(self, caller: Hashable, now: datetime) -> timedelta:
        """Count one request; how long the caller must wait, nothing when the request may pass."""
        if self._limit is None:
            return _NOTHING
        with self._lock:
            if len(self._used_until) >= _MANY:
                self._used_until = {one: until for one, until in self._used_until.items() if until > now}
            decision = decide(self._limit, self._used_until.get(caller), now)
            self._used_until[caller] = decision.used_until
        return decision.retry_after
