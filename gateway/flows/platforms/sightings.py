"""Whether a platform holds what we may have sent, and what follows for the delivery. Pure."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from gateway.flows.platforms.client import PlatformFlow, SentFlow, Sighting
from gateway.jobs.channels import Finding, LookUp

#: Between two look-ups of a flow that does not show yet.
_SHORTEST_PAUSE = timedelta(seconds=10)


def sighting_of(sent: SentFlow, listed: Iterable[PlatformFlow]) -> Sighting:
    """The flow among those that a platform lists.

    Its tracking id tells, or its sha256 where the platform keeps no tracking id. A flow of the same name that shows
    neither may be it or not.
    """
    doubtful = False
    for flow in listed:
        if flow.tracking_id is not None:
            if flow.tracking_id == sent.tracking_id:
                return Sighting(flow.flow_id)
        elif flow.sha256 is not None:
            if flow.sha256 == sent.sha256:
                return Sighting(flow.flow_id)
        elif flow.name == sent.name:
            doubtful = True
    if doubtful:
        return Sighting(doubt=f"it lists a file named {sent.name} without its trackingId or sha256")
    return Sighting()


def settle(seen: Sighting, *, left_at: datetime, now: datetime, visible_within: timedelta) -> LookUp:
    """What a look-up says of the delivery. What does not show yet is looked for until the platform must show it."""
    if seen.flow_id is not None:
        return LookUp(Finding.ARRIVED, seen.flow_id)
    shown_by = left_at + visible_within
    if now < shown_by:
        return LookUp(Finding.LOOK_AGAIN, at=min(now + max(visible_within / 4, _SHORTEST_PAUSE), shown_by))
    if seen.doubt:
        return LookUp(Finding.UNDECIDABLE, reason=seen.doubt)
    return LookUp(Finding.ABSENT)
