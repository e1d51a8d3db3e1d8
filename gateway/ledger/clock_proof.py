"""Entries dated before an earlier one: the chain has one order, and the clock of the gateway should agree with it.

Such an entry breaks no link: clocks are set right, and work that began earlier may end later. But a clock that was set
forward to purge early, or back to date a fact, leaves this trace.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlmodel import Session

from gateway.ledger.service import START, ChainStart

#: Less than this is ordinary: an entry bears the instant at which its work began.
_ORDINARY = timedelta(hours=1)
_SET_BACK = text(
    """
    SELECT position, at, latest, count(*) OVER () AS entries FROM (
        SELECT position, at, max(at) OVER (ORDER BY position) AS latest FROM ledger_entry WHERE position >= :after
    ) AS dated WHERE position > :after AND at < latest - CAST(:ordinary AS interval) ORDER BY position LIMIT 1
    """
)


@dataclass(frozen=True, slots=True)
class SetBack:
    """How many entries are dated before an earlier one, by more than is ordinary; the first of them.

    `at`: its instant; `latest`: the latest instant of the entries before it; both UTC.
    """

    entries: int
    position: int
    at: datetime
    latest: datetime


def set_back(session: Session, *, since: ChainStart = START) -> SetBack | None:
    """What is out of the order of time in the chain of the session's organisation after a place; None when nothing is.

    It trusts the entries: prove the chain first. One pass in the order of the chain.
    """
    wanted = {"after": since.position, "ordinary": _ORDINARY}
    row = session.connection().execute(_SET_BACK, wanted).one_or_none()
    return SetBack(row.entries, row.position, row.at, row.latest) if row else None
