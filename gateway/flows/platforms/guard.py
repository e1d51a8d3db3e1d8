"""A client behind its circuit breaker: a platform in trouble is left alone, by every process at once."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

import structlog
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session

from gateway.database.engine import Database
from gateway.flows.errors import PlatformAmbiguousError, PlatformRefusedError, PlatformUnavailableError
from gateway.flows.platforms.breaker import (
    Breaker,
    BreakerPolicy,
    BreakerState,
    after_failure,
    after_success,
    ask_passage,
)
from gateway.flows.platforms.client import FlowPage, OutgoingFlow, PlatformClient, PlatformFlow, SentFlow, Sighting
from gateway.flows.platforms.errors import PlatformPausedError
from gateway.flows.platforms.model import PlatformBreaker
from gateway.flows.platforms.repository import breaker_of, breaker_row
from gateway.kernel.clock import Clock
from gateway.kernel.text import Text

_T = TypeVar("_T")
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class SharedBreaker:
    """The breaker of one connection, in the database; each decision is a transaction of its own."""

    database: Database
    clock: Clock
    organisation_id: UUID
    connection_id: UUID
    name: str
    policy: BreakerPolicy

    def current(self) -> Breaker:
        """The breaker as it is, whether or not a call may be made."""
        with self.database.transaction(self.organisation_id) as session:
            return breaker_of(breaker_row(session, self.connection_id))

    def enter(self) -> Breaker:
        """The breaker of a call that may be made. Raises PlatformPausedError."""
        with self.database.transaction(self.organisation_id) as session:
            now = self.clock()
            breaker = breaker_of(breaker_row(session, self.connection_id))
            if breaker.state is not BreakerState.CLOSED:  # of several calls, one may be the one that tries
                breaker = breaker_of(breaker_row(session, self.connection_id, lock=True))
            passage = ask_passage(breaker, self.policy, now)
            if passage.breaker != breaker:
                self._write(session, passage.breaker, now, None)
        if not passage.allowed:
            raise self.resting(replace(passage.breaker, until=passage.until))
        return passage.breaker

    def resting(self, breaker: Breaker, why: str = "") -> PlatformPausedError:
        """What to raise for a call that has to wait; `why`: what has just failed."""
        now = self.clock()
        until = breaker.until or now
        at = f"{until:%H:%M:%S} UTC"
        reason = Text(
            f"La plateforme {self.name} n’est pas sollicitée avant {at}. {why}".strip(),
            f"The platform {self.name} is not asked before {at}. {why}".strip(),
        )
        return PlatformPausedError(reason, until, now)

    def failed(self, reason: str, retry_after: timedelta | None) -> None:
        """A call failed."""
        with self.database.transaction(self.organisation_id) as session:
            now = self.clock()
            before = breaker_of(breaker_row(session, self.connection_id, lock=True))
            after = after_failure(before, self.policy, now, retry_after=retry_after)
            self._write(session, after, now, reason)
        if after.state is BreakerState.OPEN and before.state is not BreakerState.OPEN:
            _log.error("platform_rests", platform=self.name, until=str(after.until), reason=reason)

    def succeeded(self, before: Breaker) -> None:
        """A call was answered; `before`: what `enter` gave. A sound breaker costs no write."""
        if before.is_sound:
            return
        with self.database.transaction(self.organisation_id) as session:
            self._write(session, after_success(), self.clock(), None)
        _log.info("platform_back", platform=self.name)

    def _write(self, session: Session, breaker: Breaker, now: datetime, reason: str | None) -> None:
        values = {
            "state": breaker.state.value,
            "failures": breaker.failures,
            "openings": breaker.openings,
            "until": breaker.until,
            "changed_at": now,
        }
        # A try under way does not hide why the breaker opened.
        told = values if breaker.state is BreakerState.HALF_OPEN else values | {"last_error": reason}
        row = insert(PlatformBreaker).values(
            organisation_id=self.organisation_id, connection_id=self.connection_id, **told
        )
        session.execute(row.on_conflict_do_update(index_elements=["connection_id"], set_=told))


@dataclass(frozen=True, slots=True)
class GuardedPlatform:
    """A `PlatformClient` whose calls pass a breaker. Also raises PlatformPausedError, before anything is tried."""

    client: PlatformClient
    breaker: SharedBreaker

    @property
    def visible_within(self) -> timedelta:
        """As the client says."""
        return self.client.visible_within

    def submit(self, flow: OutgoingFlow) -> str:
        """See `PlatformClient`."""
        return self._guarded(lambda: self.client.submit(flow))

    def look_up(self, flow: SentFlow) -> Sighting:
        """See `PlatformClient`."""
        return self._guarded(lambda: self.client.look_up(flow))

    def search(self, *, updated_after: datetime | None, cursor: str | None = None) -> FlowPage:
        """See `PlatformClient`."""
        return self._guarded(lambda: self.client.search(updated_after=updated_after, cursor=cursor))

    def read(self, flow_id: str) -> PlatformFlow:
        """See `PlatformClient`."""
        return self._guarded(lambda: self.client.read(flow_id))

    def download(self, flow_id: str) -> bytes:
        """See `PlatformClient`."""
        return self._guarded(lambda: self.client.download(flow_id))

    def check(self) -> None:
        """See `PlatformClient`. A person asks: the breaker does not stand in the way, and learns what came of it."""
        self._reported(self.breaker.current(), self.client.check)

    def _guarded(self, call: Callable[[], _T]) -> _T:
        before = self.breaker.enter()
        try:
            return self._reported(before, call)
        except PlatformUnavailableError as error:
            after = self.breaker.current()
            if after.state is BreakerState.OPEN:
                # What found it in trouble waits like all that comes after: an outage of hours gives nothing up.
                raise self.breaker.resting(after, str(error)) from error
            raise

    def _reported(self, before: Breaker, call: Callable[[], _T]) -> _T:
        try:
            result = call()
        except PlatformUnavailableError as error:
            self.breaker.failed(str(error), error.retry_after)
            raise
        except PlatformAmbiguousError as error:
            self.breaker.failed(str(error), None)
            raise
        except PlatformRefusedError:  # an answer, if not the one that was wanted
            self.breaker.succeeded(before)
            raise
        self.breaker.succeeded(before)
        return result
