"""The outbox: everything that leaves (platform, e-mail, webhook) is a row first, delivered by a job, once.

A message is marked in a transaction of its own before its first byte leaves. Its row then stays locked until the end is
written: a marked row that nobody holds was left by a worker that died, and may have left.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from gateway.database.engine import Database, organisation_of
from gateway.jobs.channels import (
    Channel,
    Delivery,
    DeliveryAmbiguousError,
    DeliveryFailedError,
    DeliveryPostponedError,
    Finding,
    LookUp,
)
from gateway.jobs.metrics import DELIVERIES
from gateway.jobs.model import OutboxMessage, OutboxState, TryOutcome
from gateway.jobs.queue import enqueue
from gateway.jobs.retrying import RetryDecision, decide_retry
from gateway.jobs.tries import keep_try
from gateway.kernel.clock import Clock
from gateway.kernel.identifiers import new_id

TASK = "outbox.deliver"
#: Between the mark and the lock on the row: nobody takes a row for abandoned earlier than this.
_GRACE = timedelta(minutes=1)
_DUE = (OutboxState.PENDING.value, OutboxState.LEAVING.value, OutboxState.UNCERTAIN.value)
_log = structlog.get_logger(__name__)


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
            lookups=0,
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


@dataclass(frozen=True, slots=True)
class _Taken:
    """A message that was due; `leaves`: it is marked and leaves next, else a doubt about it was dealt with."""

    id: UUID
    attempt: int
    leaves: bool = False


class OutboxWorker:
    """Drains the due messages of one organisation, each alone."""

    def __init__(
        self, database: Database, clock: Clock, channels: Mapping[str, Channel], *, attempts: int, batch: int
    ) -> None:
        """`channels`: how messages leave, by kind; `attempts`: tries before a person must decide."""
        self._database = database
        self._clock = clock
        self._channels = channels
        self._attempts = attempts
        self._batch = batch
        self._jitter = random.Random()

    def drain(self, organisation_id: UUID) -> int:
        """Deliver what is due, at most one batch, and say how many messages were tried."""
        tried = 0
        following: _Taken | None = None
        while tried < self._batch:
            taken = following or self._take_next(organisation_id)
            if taken is None:
                return tried
            tried += 1
            following = self._let_go(organisation_id, taken, tried < self._batch) if taken.leaves else None
        with self._database.transaction(organisation_id) as session:
            enqueue(session, TASK)
        return tried

    def _take_next(self, organisation_id: UUID) -> _Taken | None:
        """Mark the next message due, or deal with the doubt about it; None when nothing is due."""
        with self._database.transaction(organisation_id) as session:
            message = self._next_due(session)
            if message is None:
                return None
            session.add(message)
            if message.state == OutboxState.PENDING:
                return self._mark(message)
            abandoned = message.state == OutboxState.LEAVING
            started = (message.left_at if abandoned else None) or self._clock()
            outcome = self._doubt(message, "the worker died while it was leaving") if abandoned else self._ask(message)
            keep_try(session, message, outcome, started, self._clock())
            return _Taken(message.id, message.attempts)

    def _next_due(self, session: Session) -> OutboxMessage | None:
        """The message that has waited longest, locked; those that other workers hold are passed over."""
        return session.exec(
            select(OutboxMessage)
            .where(col(OutboxMessage.state).in_(_DUE), OutboxMessage.next_attempt_at <= self._clock())
            .order_by(col(OutboxMessage.next_attempt_at), col(OutboxMessage.created_at))
            .limit(1)
            .with_for_update(skip_locked=True)
        ).first()

    def _mark(self, message: OutboxMessage) -> _Taken:
        message.state = OutboxState.LEAVING.value
        message.attempts += 1
        message.lookups = 0
        message.left_at = self._clock()
        message.next_attempt_at = message.left_at + _GRACE
        return _Taken(message.id, message.attempts, leaves=True)

    def _let_go(self, organisation_id: UUID, taken: _Taken, marks_following: bool) -> _Taken | None:
        """Send a marked message while its row is held, and write how that ended.

        The next one is marked with it when asked for, which spares a commit: it leaves right after that commit.
        """
        with self._database.transaction(organisation_id) as session:
            message = session.exec(select(OutboxMessage).where(OutboxMessage.id == taken.id).with_for_update()).one()
            # Held up for longer than the grace, this worker was taken for dead: the message is no longer its own.
            if message.state == OutboxState.LEAVING and message.attempts == taken.attempt:
                started, outcome = message.left_at or self._clock(), self._deliver(message)
                session.add(message)
                keep_try(session, message, outcome, started, self._clock())
            following = self._next_due(session) if marks_following else None
            if following is None or following.id == message.id or following.state != OutboxState.PENDING:
                return None
            session.add(following)
            return self._mark(following)

    def _deliver(self, message: OutboxMessage) -> TryOutcome | None:
        """How it ended; None when nothing was tried."""
        try:
            channel = self._channels.get(message.kind)
            if channel is None:
                raise DeliveryFailedError(f"nothing delivers messages of kind {message.kind}", permanent=True)
            remote_id = channel.deliver(_delivery(message))
        except DeliveryAmbiguousError as error:
            return self._doubt(message, str(error))
        except DeliveryPostponedError as error:
            message.attempts -= 1
            message.left_at = None
            self._wait(message, OutboxState.PENDING, error.until, str(error))
            return None
        except DeliveryFailedError as error:
            self._fail(message, error)
            return TryOutcome.REFUSED if error.permanent else TryOutcome.FAILED
        except Exception as error:  # a fault of ours, before or after the other side took it: nobody knows
            _log.exception("delivery_fault", kind=message.kind, message_id=str(message.id))
            return self._doubt(message, f"{type(error).__name__}: {error}")
        self._arrived(message, remote_id)
        return TryOutcome.SENT

    def _fail(self, message: OutboxMessage, error: DeliveryFailedError) -> None:
        """It certainly did not leave: again later, or a person decides."""
        decision = self._retry(message.attempts, 0 if error.permanent else self._attempts, error.retry_after)
        if decision.at is None:
            self._settle(message, OutboxState.FAILED, str(error))
        else:
            self._wait(message, OutboxState.PENDING, decision.at, str(error))

    def _doubt(self, message: OutboxMessage, reason: str) -> TryOutcome:
        """It may have left: the other side is asked, or recognises a repeat, or a person decides."""
        channel = self._channels.get(message.kind)
        if channel is not None and channel.look_up is not None:
            self._wait(message, OutboxState.UNCERTAIN, self._clock(), reason)
            return TryOutcome.IN_DOUBT
        repeatable = channel is not None and channel.repeatable
        decision = self._retry(message.attempts, self._attempts if repeatable else 0)
        if decision.at is None:
            self._settle(message, OutboxState.AMBIGUOUS, reason)
        else:
            self._wait(message, OutboxState.PENDING, decision.at, reason)
        return TryOutcome.IN_DOUBT

    def _ask(self, message: OutboxMessage) -> TryOutcome | None:
        """Ask the other side what became of a message, and act on what it knows; None when it is to be asked later."""
        channel = self._channels.get(message.kind)
        if channel is None or channel.look_up is None:
            self._settle(message, OutboxState.AMBIGUOUS, "nothing can ask the other side any more")
            return TryOutcome.IN_DOUBT
        now = self._clock()
        message.lookups += 1
        try:
            found = channel.look_up(_delivery(message), message.left_at or message.created_at, now)
        except DeliveryPostponedError as error:
            message.lookups -= 1
            self._wait(message, OutboxState.UNCERTAIN, error.until, str(error))
            return None
        except DeliveryFailedError as error:
            return self._ask_again(message, error)
        except Exception as error:
            _log.exception("lookup_fault", kind=message.kind, message_id=str(message.id))
            return self._ask_again(message, DeliveryFailedError(f"{type(error).__name__}: {error}"))
        return self._act_on(message, found, now)

    def _ask_again(self, message: OutboxMessage, error: DeliveryFailedError) -> TryOutcome:
        limit = 0 if error.permanent else self._attempts
        decision = self._retry(message.lookups, limit, error.retry_after)
        if decision.at is None:
            self._settle(message, OutboxState.AMBIGUOUS, f"the other side cannot tell: {error}")
        else:
            self._wait(message, OutboxState.UNCERTAIN, decision.at, str(error))
        return TryOutcome.IN_DOUBT

    def _act_on(self, message: OutboxMessage, found: LookUp, now: datetime) -> TryOutcome | None:
        if found.finding is Finding.ARRIVED:
            self._arrived(message, found.remote_id)
            return TryOutcome.FOUND
        if found.finding is Finding.LOOK_AGAIN:
            # Waiting until the other side shows what it took is no failure of it.
            message.lookups -= 1
            self._wait(message, OutboxState.UNCERTAIN, found.at or now + _GRACE, message.last_error)
            return None
        if found.finding is Finding.UNDECIDABLE:
            self._settle(message, OutboxState.AMBIGUOUS, found.reason)
            return TryOutcome.IN_DOUBT
        self._fail(message, DeliveryFailedError(message.last_error or ""))
        return TryOutcome.ABSENT

    def _retry(self, tries: int, limit: int, not_before: timedelta | None = None) -> RetryDecision:
        return decide_retry(attempts=tries, limit=limit, now=self._clock(), jitter=self._jitter, not_before=not_before)

    def _arrived(self, message: OutboxMessage, remote_id: str | None) -> None:
        message.remote_id = remote_id
        message.sent_at = self._clock()
        self._settle(message, OutboxState.SENT, None)

    def _wait(self, message: OutboxMessage, state: OutboxState, until: datetime, reason: str | None) -> None:
        message.state = state.value
        message.next_attempt_at = until
        message.last_error = reason
        DELIVERIES.labels(message.kind, "retry" if state is OutboxState.PENDING else state.value).inc()
        _log.info("delivery_waits", kind=message.kind, state=state.value, until=until.isoformat(), reason=reason)

    def _settle(self, message: OutboxMessage, state: OutboxState, reason: str | None) -> None:
        message.state = state.value
        message.last_error = reason
        DELIVERIES.labels(message.kind, state.value).inc()
        log = _log.info if state is OutboxState.SENT else _log.warning
        log("delivery_settled", kind=message.kind, state=state.value, reason=reason, subject=str(message.subject_id))


def _delivery(message: OutboxMessage) -> Delivery:
    return Delivery(message.organisation_id, message.idempotency_key, message.payload, message.subject_id)
