"""The outbox: everything that leaves (platform, e-mail, webhook) is a row first, delivered by a job, once.

A deliverer is a function of the message; how it ends is told by what it raises.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from gateway.database.engine import Database, organisation_of
from gateway.jobs.metrics import DELIVERIES
from gateway.jobs.model import OutboxMessage, OutboxState
from gateway.jobs.queue import enqueue
from gateway.jobs.retrying import decide_retry
from gateway.kernel.clock import Clock
from gateway.kernel.identifiers import new_id

TASK = "outbox.deliver"
_log = structlog.get_logger(__name__)


class DeliveryFailedError(Exception):
    """The message certainly did not leave; it may be tried again, not before `retry_after` if one was given."""

    def __init__(self, reason: str, *, retry_after: timedelta | None = None, permanent: bool = False) -> None:
        """`permanent`: no further try can succeed."""
        super().__init__(reason)
        self.retry_after = retry_after
        self.permanent = permanent


class DeliveryAmbiguousError(Exception):
    """The message may or may not have left: never repeated blindly."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a deliverer gets: an idempotency key that the other side honours, and what to send."""

    organisation_id: UUID
    idempotency_key: str
    payload: Mapping[str, Any]
    subject_id: UUID | None


#: Delivers a message and returns the identifier the other side gave, or raises one of the two errors above.
Deliverer = Callable[[Delivery], str | None]


def put_in_outbox(
    session: Session,
    *,
    kind: str,
    idempotency_key: str,
    payload: dict[str, Any],
    now: datetime,
    subject_id: UUID | None = None,
) -> bool:
    """Ask for a delivery in the caller's transaction; False when that key is there already."""
    inserted = session.execute(
        insert(OutboxMessage)
        .values(
            id=new_id(),
            organisation_id=organisation_of(session),
            kind=kind,
            idempotency_key=idempotency_key,
            payload=payload,
            state=OutboxState.PENDING.value,
            attempts=0,
            created_at=now,
            next_attempt_at=now,
            subject_id=subject_id,
        )
        .on_conflict_do_nothing()
        .returning(col(OutboxMessage.id))
    ).first()
    if inserted is not None:
        enqueue(session, TASK)
    return inserted is not None


class OutboxWorker:
    """Drains the due messages of one organisation, each in its own transaction."""

    def __init__(
        self, database: Database, clock: Clock, deliverers: Mapping[str, Deliverer], *, attempts: int, batch: int
    ) -> None:
        self._database = database
        self._clock = clock
        self._deliverers = deliverers
        self._attempts = attempts
        self._batch = batch
        self._jitter = random.Random()

    def drain(self, organisation_id: UUID) -> int:
        """Deliver what is due, at most one batch, and say how many messages were tried."""
        tried = 0
        while tried < self._batch and self._deliver_next(organisation_id):
            tried += 1
        if tried == self._batch:
            with self._database.transaction(organisation_id) as session:
                enqueue(session, TASK)
        return tried

    def _deliver_next(self, organisation_id: UUID) -> bool:
        # The row stays locked while the message leaves, so that no other worker takes it; a crash releases it
        # and the idempotency key makes the second try harmless.
        with self._database.transaction(organisation_id) as session:
            message = session.exec(
                select(OutboxMessage)
                .where(OutboxMessage.state == OutboxState.PENDING.value, OutboxMessage.next_attempt_at <= self._clock())
                .order_by(col(OutboxMessage.next_attempt_at), col(OutboxMessage.created_at))
                .limit(1)
                .with_for_update(skip_locked=True)
            ).first()
            if message is None:
                return False
            self._deliver(message)
            session.add(message)
        return True

    def _deliver(self, message: OutboxMessage) -> None:
        message.attempts += 1
        delivery = Delivery(message.organisation_id, message.idempotency_key, message.payload, message.subject_id)
        try:
            deliverer = self._deliverers.get(message.kind)
            if deliverer is None:
                raise DeliveryFailedError(f"nothing delivers messages of kind {message.kind}", permanent=True)
            message.remote_id = deliverer(delivery)
        except DeliveryAmbiguousError as error:
            self._settle(message, OutboxState.AMBIGUOUS, str(error))
        except DeliveryFailedError as error:
            self._fail(message, str(error), error.retry_after, permanent=error.permanent)
        except Exception as error:  # a fault of ours: keep the message, say it, try again later
            _log.exception("delivery_fault", kind=message.kind, message_id=str(message.id))
            self._fail(message, f"{type(error).__name__}: {error}", None, permanent=False)
        else:
            message.sent_at = self._clock()
            self._settle(message, OutboxState.SENT, None)

    def _fail(self, message: OutboxMessage, reason: str, retry_after: timedelta | None, *, permanent: bool) -> None:
        decision = decide_retry(
            attempts=message.attempts,
            limit=0 if permanent else self._attempts,
            now=self._clock(),
            jitter=self._jitter,
            not_before=retry_after,
        )
        if decision.at is None:
            self._settle(message, OutboxState.FAILED, reason)
        else:
            message.next_attempt_at = decision.at
            message.last_error = reason
            DELIVERIES.labels(message.kind, "retry").inc()

    def _settle(self, message: OutboxMessage, state: OutboxState, reason: str | None) -> None:
        message.state = state.value
        message.last_error = reason
        DELIVERIES.labels(message.kind, state.value).inc()
        log = _log.info if state is OutboxState.SENT else _log.warning
        log("delivery_settled", kind=message.kind, state=state.value, reason=reason, subject=str(message.subject_id))
