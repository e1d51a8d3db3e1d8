"""What should come next for an invoice, from whom, by when, and what happens when it does not.

The shape alone: deadlines are decided by the room of the alerts, which lies above and hands its answer in.
"""

from collections.abc import Callable
from datetime import date

from pydantic import AwareDatetime, BaseModel, ConfigDict
from sqlmodel import Session

from gateway.kernel.text import Text
from gateway.lifecycle.model import InvoiceRecord


class Expectation(BaseModel):
    """One thing that is waited for.

    Attributes:
        matter: stable identifier, such as `deadline.not_taken_in_charge`.
        expected: what should come, from whom, by when.
        otherwise: what happens when it does not; `next_step`: what is to be done then.
        team: who would be told.
        last_day: the last day in time (Europe/Paris).
        late_from: first instant at which it is late, UTC.
        is_late: whether that instant has passed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    matter: str
    expected: Text
    otherwise: Text
    next_step: Text
    team: str
    last_day: date
    late_from: AwareDatetime
    is_late: bool


#: What is waited for on an invoice, the most pressing first.
Awaited = Callable[[Session, InvoiceRecord, AwareDatetime], tuple[Expectation, ...]]


def nothing_awaited(_session: Session, _invoice: InvoiceRecord, _now: AwareDatetime) -> tuple[Expectation, ...]:
    """For those who tell the past alone, such as an evidence file."""
    return ()
