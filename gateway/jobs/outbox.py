"""The outbox: everything that leaves (platform, e-mail, webhook) is a row first, delivered by a job, once.

A message is marked in a transaction of its own before its first byte leaves. Its row then stays locked until the end is
written: a marked row that nobody holds was left by a worker that died, and may have left. Messages about which the
other side can be asked share these two transactions.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import perf_counter
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import or_
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
from gateway.jobs.ordering import is_held_back
from gateway.jobs.queue import enqueue
from gateway.jobs.retrying import RetryDecision, decide_retry
from gateway.jobs.tries import Try, keep_tries
from gateway.kernel.clock import Clock
from gateway.kernel.identifiers import new_id

TASK = "outbox.deliver"
#: Between the mark and the lock on the row: nobody takes a row for abandoned earlier than this.
_GRACE = timedelta(minutes=1)
#: Messages of one transaction, unless it takes long: the rest is then given back.
_TOGETHER = 16
_LONG_SECONDS = 1.0
_GIVEN_UP = (OutboxState.FAILED.value, OutboxState.AMBIGUOUS.value)
_DUE = (OutboxState.PENDING.value, OutboxState.LEAVING.value, OutboxState.UNCERTAIN.value)
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to deliver.

    Attributes:
        subject_id: the row it is about.
        order_key: messages that share it leave one after the other, in the order in which they were asked for.
        leads: the later ones of its order key make no sense without it, and wait even when it was given up.
    """

    idempotency_key: str
    payload: dict[str, Any]
    subject_id: UUID | None = None
    order_key: str | None = None
    leads: bool = False


def put_in_outbox(
    session: Session,
    *,
    kind: str,
    idempotency_key: str,
    payload: dict[str, Any],
    now: datetime,
    subject_id: UUID | None = None,
    order_key: str | None = None,
    leads: bool = False,
) -> bool:
    """Ask for a delivery in the caller's transaction; False when that key is there already. See `Outgoing`."""
    message = Outgoing(idempotency_key, payload, subject_id, order_key, leads)
    return bool(put_all_in_outbox(session, [message], kind=kind, now=now))


def put_all_in_outbox(session: Session, messages: Sequence[Outgoing], *, kind: str, now: datetime) -> int:
    """Ask for deliveries of one kind, in their order; how many had a key that was not there already."""
    rows = [
        {
            "id": new_id(),
            "organisation_id": organisation_of(session),
            "kind": kind,
            "idempotency_key": message.idempotency_key,
            "payload": message.payload,
            "state": OutboxState.PENDING.value,
            "attempts": 0,
            "lookups": 0,
            "created_at": now,
            "next_attempt_at": now,
            "subject_id": message.subject_id,
            "order_key": message.order_key,
            "leads": message.leads,
        }
        for message in messages
    ]
    if not rows:
        return 0
    added = insert(OutboxMessage).values(rows).on_conflict_do_nothing().returning(col(OutboxMessage.id))
    asked = len(session.connection().execute(added).all())
    if asked:
        enqueue(session, TASK)
    return asked


@dataclass(frozen=True, slots=True)
class _Taken:
    """Messages that were due: those that are marked and leave next, else one whose doubt was dealt with."""

    count: int
    leaving: Mapping[UUID, int] = field(default_factory=dict)  # attempt by identifier, in the order of leaving


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
        while tried < self._batch:
            taken = self._take(organisation_id, min(_TOGETHER, self._batch - tried))
            if not taken.count:
                return tried
            tried += taken.count
            if taken.leaving:
                self._let_go(organisation_id, taken.leaving)
        with self._database.transaction(organisation_id) as session:
            enqueue(session, TASK)
        return tried

    def _take(self, organisation_id: UUID, limit: int) -> _Taken:
        """Mark the messages due next, or deal with the doubt about the first one."""
        with self._database.transaction(organisation_id) as session:
            due = self._next_due(session, limit)
            if not due:
                return _Taken(0)
            first, leaving = due[0], [each for each in due if self._leaves_with_others(each)]
            if first.state == OutboxState.PENDING:
                marked = leaving if first in leaving else [first]
                return _Taken(len(marked), {each.id: self._mark(each) for each in marked})
            abandoned = first.state == OutboxState.LEAVING
            started = (first.left_at if abandoned else None) or self._clock()
            outcome = self._doubt(first, "the worker died while it was leaving") if abandoned else self._ask(first)
            self._keep(session, [Try(first, outcome, started, self._clock())])
            return _Taken(1)

    def _next_due(self, session: Session, limit: int) -> Sequence[OutboxMessage]:
        """The messages that have waited longest, locked; those that other workers hold are passed over.

        Of those that share an order key the first one only: the others may leave once it is settled.
        """
        return session.exec(
            select(OutboxMessage)
            .where(col(OutboxMessage.state).in_(_DUE), OutboxMessage.next_attempt_at <= self._clock())
            .where(or_(col(OutboxMessage.order_key).is_(None), ~is_held_back()))
            .order_by(col(OutboxMessage.next_attempt_at), col(OutboxMessage.created_at))
            .limit(limit)
            .with_for_update(skip_locked=True)
        ).all()

    def _leaves_with_others(self, message: OutboxMessage) -> bool:
        """Whether a worker that dies with several messages leaves no more to do than to ask about each of them.

        A message that failed once, or went with one that killed its worker, leaves alone from then on.
        """
        channel = self._channels.get(message.kind)
        can_be_asked = channel is not None and channel.look_up is not None
        return can_be_asked and message.state == OutboxState.PENDING and message.attempts == 0

    def _mark(self, message: OutboxMessage) -> int:
        message.state = OutboxState.LEAVING.value
        message.attempts += 1
        message.lookups = 0
        message.left_at = self._clock()
        message.next_attempt_at = message.left_at + _GRACE
        return message.attempts

    def _let_go(self, organisation_id: UUID, leaving: Mapping[UUID, int]) -> None:
        """Send marked messages while their rows are held, and write how each ended. When it takes long, some wait."""
        with self._database.transaction(organisation_id) as session:
            held = session.exec(
                select(OutboxMessage)
                .where(col(OutboxMessage.id).in_(leaving))
                .order_by(col(OutboxMessage.id))
                .with_for_update()
            )
            # Held up for longer than the grace, this worker was taken for dead: such a message is no longer its own.
            own = {
                each.id: each
                for each in held
                if each.state == OutboxState.LEAVING and each.attempts == leaving[each.id]
            }
            begun, tries = perf_counter(), list[Try]()
            for message in (own[each] for each in leaving if each in own):
                if tries and perf_counter() - begun > _LONG_SECONDS:
                    self._give_back(message)
                    continue
                message.left_at = started = self._clock()
                outcome = self._deliver(message)
                tries.append(Try(message, outcome, started, self._clock()))
            self._keep(session, tries)

    def _keep(self, session: Session, tries: Sequence[Try]) -> None:
        """Write how tries ended; the messages that are given up are told last, as that may wait for other writers."""
        keep_tries(session, tries)
        for message in (each.message for each in tries if each.message.state in _GIVEN_UP):
            channel = self._channels.get(message.kind)
            if channel is not None and channel.given_up is not None:
                channel.given_up(session, message, self._clock())

    def _give_back(self, message: OutboxMessage) -> None:
        """It was marked and has not left."""
        message.state = OutboxState.PENDING.value
        message.attempts -= 1
        message.left_at = None
        message.next_attempt_at = self._clock()

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
