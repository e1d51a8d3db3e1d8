"""What the gateway asks of an accredited platform. One class for each way of speaking, the simulator among them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from gateway.flows.terms import AckStatus, FlowDirection
from gateway.lifecycle.deliveries import Remark


@dataclass(frozen=True, slots=True)
class OutgoingFlow:
    """A file to hand over to a platform.

    Attributes:
        tracking_id: our key: under it a flow is found again at the platform.
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
class SentFlow:
    """A file that may have been handed over: what to recognise it by, and when it started to leave."""

    tracking_id: str
    name: str
    sha256: str
    left_at: datetime


@dataclass(frozen=True, slots=True)
class PlatformAcknowledgement:
    """What a platform made of a flow when it checked it."""

    status: AckStatus
    remarks: tuple[Remark, ...] = ()


@dataclass(frozen=True, slots=True)
class PlatformFlow:
    """A flow as a platform lists it, without its bytes; tracking id and sha256 when the platform tells them.

    `direction`: In for us, Out from us. `acknowledgement`: None when the platform tells none.
    """

    flow_id: str
    name: str
    flow_syntax: str
    flow_type: str
    updated_at: datetime
    tracking_id: str | None = None
    sha256: str | None = None
    direction: FlowDirection = FlowDirection.IN
    acknowledgement: PlatformAcknowledgement | None = None


@dataclass(frozen=True, slots=True)
class FlowPage:
    """A page of a platform's list; `next_cursor` is None on the last one."""

    flows: tuple[PlatformFlow, ...]
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Sighting:
    """What a platform shows of a flow that may have been handed over.

    Attributes:
        flow_id: the platform's identifier when it holds the flow.
        doubt: why it cannot be told, "" when it can.
    """

    flow_id: str | None = None
    doubt: str = ""


class PlatformClient(Protocol):
    """One organisation's access to one platform.

    Every method raises PlatformUnavailableError (nothing was done, try again later) or PlatformRefusedError (no
    further try can succeed); `submit` also PlatformAmbiguousError (the answer was lost).
    """

    @property
    def visible_within(self) -> timedelta:
        """How long after its submission a flow may be missing from what the platform shows."""
        ...

    def submit(self, flow: OutgoingFlow) -> str:
        """Hand over a file and return the platform's identifier for it."""
        ...

    def look_up(self, flow: SentFlow) -> Sighting:
        """Whether the platform holds a flow that may have been handed over."""
        ...

    def search(self, *, updated_after: datetime | None, cursor: str | None = None) -> FlowPage:
        """Flows for us and from us whose updatedAt is strictly after `updated_after`; all of them when None."""
        ...

    def read(self, flow_id: str) -> PlatformFlow:
        """One flow, as the platform shows it now."""
        ...

    def download(self, flow_id: str) -> bytes:
        """The original file of a flow."""
        ...

    def check(self) -> None:
        """Make sure that the platform answers and knows us."""
        ...
