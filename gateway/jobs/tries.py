"""Each try of a delivery is kept, in the transaction that writes how it ended; read again for those who ask."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from gateway.jobs.model import DeliveryTry, OutboxMessage, OutboxState, TryOutcome

_TRIED_AGAIN = (OutboxState.PENDING, OutboxState.LEAVING, OutboxState.UNCERTAIN)


@dataclass(frozen=True, slots=True)
class Try:
    """A try of a message and how it ended; no outcome when nothing was tried after all."""

    message: OutboxMessage
    outcome: TryOutcome | None
    started_at: datetime
    ended_at: datetime


def keep_tries(session: Session, tries: Sequence[Try]) -> None:
    """Add tries, of a message one at most; each says by itself why it failed and when it is tried next.

    The caller holds the rows of the messages: no two tries of one get the same number.
    """
    made = [(each.message, each.outcome, each) for each in tries if each.outcome is not None]
    if not made:
        return
    before = dict(
        session.exec(
            select(DeliveryTry.delivery_id, func.max(DeliveryTry.number))
            .where(col(DeliveryTry.delivery_id).in_([message.id for message, _, _ in made]))
            .group_by(col(DeliveryTry.delivery_id))
        ).all()
    )
    rows = [
        {
            "organisation_id": message.organisation_id,
            "delivery_id": message.id,
            "number": before.get(message.id, 0) + 1,
            "started_at": each.started_at,
            "ended_at": each.ended_at,
            "outcome": outcome.value,
            "reason": message.last_error,
            "next_try_at": message.next_attempt_at if message.state in _TRIED_AGAIN else None,
        }
        for message, outcome, each in made
    ]
    session.execute(insert(DeliveryTry).values(rows))


def tries_of(session: Session, deliveries: Collection[UUID]) -> dict[UUID, list[DeliveryTry]]:
    """The tries of each of these deliveries, the first one first; those never tried are left out."""
    found: dict[UUID, list[DeliveryTry]] = {}
    wanted = select(DeliveryTry).where(col(DeliveryTry.delivery_id).in_(deliveries))
    for each in session.exec(wanted.order_by(col(DeliveryTry.delivery_id), col(DeliveryTry.number))):
        found.setdefault(each.delivery_id, []).append(each)
    return found
