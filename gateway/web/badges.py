"""The colour of a status badge. Colour never stands alone: the badge says the status in words."""

from typing import Literal

from gateway.lifecycle.statuses import Ends, StateLine, Status

Tone = Literal["good", "bad", "hold", "plain"]

#: The statuses that bring cash nearer: approved, payment sent, cashed.
_GOOD = frozenset({"205", "211", "212"})


def tone(status: Status) -> Tone:
    """Bad when the status closes or fails, hold when it waits for something that lifts it, good when cash comes."""
    if status.ends is not Ends.NOTHING or (status.lifted_by and status.line is StateLine.TRANSMISSION):
        return "bad"
    if status.lifted_by:
        return "hold"
    return "good" if status.code in _GOOD else "plain"
