"""Deliveries that only a person can settle: given up, or in a doubt that no look-up removes."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from gateway.jobs.errors import DeliveryNotFoundError, DeliveryNotSettledByPersonError
from gateway.jobs.model import OutboxMessage, OutboxState
from gateway.jobs.outbox import TASK
from gateway.jobs.queue import enqueue

_WAITING_FOR_A_PERSON = (OutboxState.FAILED.value, OutboxState.AMBIGUOUS.value)


def undelivered(session: Session, *, limit: int = 100) -> Sequence[OutboxMessage]:
    """The deliveries that wait for a person, the oldest first."""
    return session.exec(
        select(OutboxMessage)
        .where(col(OutboxMessage.state).in_(_WAITING_FOR_A_PERSON))
        .order_by(col(OutboxMessage.created_at), col(OutboxMessage.id))
        .limit(limit)
    ).all()


def send_again(session: Session, delivery_id: UUID, *, now: datetime) -> OutboxMessage:
    """A person is sure that it did not arrive: it is sent from the beginning.

    Raises DeliveryNotFoundError, DeliveryNotSettledByPersonError.
    """
    message = _held(session, delivery_id)
    message.state = OutboxState.PENDING.value
    message.attempts = 0
    message.next_attempt_at = now
    session.add(message)
    enqueue(session, TASK)
    return message


def mark_arrived(session: Session, delivery_id: UUID, *, remote_id: str | None = None, now: datetime) -> OutboxMessage:
    """A person has seen that it arrived; `remote_id`: the other side's identifier when it is known.

    Raises DeliveryNotFoundError, DeliveryNotSettledByPersonError.
    """
    message = _held(session, delivery_id)
    message.state = OutboxState.SENT.value
    message.sent_at = message.left_at or now
    message.remote_id = remote_id
    message.last_error = None
    session.add(message)
    enqueue(session, TASK)  # later ones of its order key may leave now
    return message


def _held(session: Session, delivery_id: UUID) -> OutboxMessage:
    """That delivery, locked. One that a worker is sending is never waited for: the caller may hold the ledger's turn.

    A worker keeps the row for as long as the other side takes to answer, and may wait for that turn itself.
    """
    wanted = select(OutboxMessage).where(OutboxMessage.id == delivery_id)
    message = session.exec(wanted).one_or_none()
    if message is None:
        raise DeliveryNotFoundError(str(delivery_id))
    held = session.exec(
        wanted.with_for_update(skip_locked=True).execution_options(populate_existing=True)
    ).one_or_none()
    if held is None or held.state not in _WAITING_FOR_A_PERSON:
        raise DeliveryNotSettledByPersonError(str(delivery_id), message.state)
    return held
