"""How messages of one kind leave, and what is said of how it ended: what a room gives to the outbox."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlmodel import Session

from gateway.jobs.model import OutboxMessage


class DeliveryFailedError(Exception):
    """The message certainly did not leave; it may be tried again, not before `retry_after` if one was given."""

    def __init__(self, reason: str, *, retry_after: timedelta | None = None, permanent: bool = False) -> None:
        """`permanent`: no further try can succeed."""
        super().__init__(reason)
        self.retry_after = retry_after
        self.permanent = permanent


class DeliveryAmbiguousError(Exception):
    """The message may or may not have left: never repeated blindly."""


class DeliveryPostponedError(Exception):
    """Nothing was tried: the way is closed `until` then. The message waits, and no try is counted."""

    def __init__(self, reason: str, until: datetime) -> None:
        super().__init__(reason)
        self.until = until


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a deliverer gets: an idempotency key that the other side honours, and what to send."""

    organisation_id: UUID
    idempotency_key: str
    payload: Mapping[str, Any]
    subject_id: UUID | None


class Finding(StrEnum):
    """What the other side knows of a message."""

    ARRIVED = "arrived"
    #: It certainly has not arrived: it may be sent again.
    ABSENT = "absent"
    #: Too early to tell: what it took may not show yet.
    LOOK_AGAIN = "look_again"
    UNDECIDABLE = "undecidable"


@dataclass(frozen=True, slots=True)
class LookUp:
    """The answer to "did it arrive?": `remote_id` if so, `at` when to look again, `reason` why it cannot tell."""

    finding: Finding
    remote_id: str | None = None
    at: datetime | None = None
    reason: str = ""


#: Delivers a message and returns the identifier the other side gave, or raises one of the three errors above.
Deliverer = Callable[[Delivery], str | None]
#: Asks the other side about a message that started to leave at the first instant, as of the second one (now). Raises
#: DeliveryFailedError when it does not answer, DeliveryPostponedError when it is not to be asked yet.
Looker = Callable[[Delivery, datetime, datetime], LookUp]


@dataclass(frozen=True, slots=True)
class Channel:
    """How messages of one kind leave, and how a doubt about one is settled.

    Attributes:
        deliver: sends.
        look_up: asks the other side; None when it cannot be asked.
        repeatable: the other side recognises a repeat by its key, so that a doubt may be settled by sending again.
            Without either, a person settles it.
        given_up: told of a message that only a person can settle any more, in the transaction that writes so.
    """

    deliver: Deliverer
    look_up: Looker | None = None
    repeatable: bool = False
    given_up: Callable[[Session, OutboxMessage, datetime], None] | None = None
