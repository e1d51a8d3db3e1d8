"""What the gateway asks of an accredited platform. One class for each way of speaking, the simulator among them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class OutgoingFlow:
    """A file to hand over to a platform.

    Attributes:
        tracking_id: our key: the platform answers a second submission under it as it answered the first.
        name: file name, at most 255 characters.
        flow_syntax: CII, UBL, Factur-X or CDAR.
        data: the bytes, as the billing system gave them.
        processing_rule, flow_profile: in the words of XP Z12-013; None leaves the platform to compute them.
    """

    tracking_id: str
    name: str
    flow_syntax: str
    data: bytes
    processing_rule: str | None = None
    flow_profile: str | None = None


@dataclass(frozen=True, slots=True)
class PlatformFlow:
    """A flow as a platform lists it, without its bytes."""

    flow_id: str
    name: str
    flow_syntax: str
    flow_type: str
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class FlowPage:
    """A page of a platform's list; `next_cursor` is None on the last one."""

    flows: tuple[PlatformFlow, ...]
    next_cursor: str | None = None


class PlatformClient(Protocol):
    """One organisation's access to one platform.

    Every method raises PlatformUnavailableError (nothing was done, try again later), PlatformRefusedError (no
    further try can succeed) or PlatformAmbiguousError (the answer was lost).
    """

    def submit(self, flow: OutgoingFlow) -> str:
        """Hand over a file and return the platform's identifier for it."""
        ...

    def search(self, *, updated_after: datetime | None, cursor: str | None = None) -> FlowPage:
        """Flows for us (direction In) whose updatedAt is strictly after `updated_after`; all of them when None."""
        ...

    def download(self, flow_id: str) -> bytes:
        """The original file of a flow."""
        ...
