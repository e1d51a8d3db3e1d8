"""Each try of a delivery is kept, in the transaction that writes how it ended; read again for those who ask."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from gateway.jobs.model import DeliveryTry, OutboxMessage, OutboxState, TryOutcome

_TRIED_AGAIN = (OutboxState.PENDING, OutboxState.LEAVING, OutboxState.UNCERTAIN)


def keep_try(
    session: Session, message: OutboxMessage, outcome: TryOutcome | None, started_at: datetime, ended_at: datetime
) -> None:
    """Add a try of `message`, which says by itself why it failed and when it is tried next; nothing without outcome.

    The caller holds the row of the message: no two tries of it get the same number.
    """
    if outcome is None:
        return
    before = select(func.coalesce(func.max(DeliveryTry.number), 0)).where(DeliveryTry.delivery_id == message.id)
    session.execute(
        insert(DeliveryTry).values(
            organisation_id=message.organisation_id,
            delivery_id=message.id,
            number=before.scalar_subquery() + 1,
            started_at=started_at,
            ended_at=ended_at,
            outcome=outcome.value,
            reason=message.last_error,
            next_try_at=message.next_attempt_at if message.state in _TRIED_AGAIN else None,
        )
    )


def tries_of(session: Session, deliveries: Collection[UUID]) -> dict[UUID, list[DeliveryTry]]:
    """The tries of each of these deliveries, the first one first; those never tried are left out."""
    found: dict[UUID, list[DeliveryTry]] = {}
    wanted = select(DeliveryTry).where(col(DeliveryTry.delivery_id).in_(deliveries))
    for each in session.exec(wanted.order_by(col(DeliveryTry.delivery_id), col(DeliveryTry.number))):
        found.setdefault(each.delivery_id, []).append(each)
    return found
