"""The clients of an organisation's connections, made once in a process and again when a connection changes."""

import threading
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx

from gateway.database.engine import Database
from gateway.flows.platforms.breaker import breaker_policy
from gateway.flows.platforms.client import PlatformClient
from gateway.flows.platforms.credentials import Credentials
from gateway.flows.platforms.errors import PlatformPausedError
from gateway.flows.platforms.guard import GuardedPlatform, SharedBreaker
from gateway.flows.platforms.model import PlatformConnection
from gateway.flows.platforms.profile import platform_profile
from gateway.flows.platforms.repository import connection_by_name
from gateway.flows.platforms.session import PlatformSession
from gateway.flows.platforms.standard import StandardPlatform
from gateway.flows.platforms.tokens import TokenAuth, Tokens
from gateway.flows.platforms.transport import Transport
from gateway.flows.platforms.webhooks import PlatformWebhooks
from gateway.kernel.clock import Clock
from gateway.kernel.text import Text

#: What waits for a connection that is switched off looks again after this.
_SWITCHED_OFF_PAUSE = timedelta(minutes=5)


class Connections:
    """Clients by connection. Threads share them, and with them their tokens."""

    def __init__(self, database: Database, clock: Clock, transport: Transport, *, max_file_bytes: int) -> None:
        """`max_file_bytes`: largest file taken from a platform."""
        self._database = database
        self._clock = clock
        self._transport = transport
        self._max_file_bytes = max_file_bytes
        self._lock = threading.Lock()
        self._tokens: dict[UUID, tuple[dict[str, Any], TokenAuth]] = {}

    def client(self, organisation_id: UUID, name: str) -> PlatformClient:
        """The client of a connection. Raises UnknownPlatformError; PlatformPausedError when it is switched off."""
        row = self._row(organisation_id, name)
        standard = StandardPlatform(
            self._session_of(row), platform_profile(row.kind), row.flow_url, max_download_bytes=self._max_file_bytes
        )
        policy = breaker_policy(row.kind)
        breaker = SharedBreaker(self._database, self._clock, organisation_id, row.id, name, policy)
        return GuardedPlatform(standard, breaker)

    def webhooks(self, organisation_id: UUID, name: str) -> PlatformWebhooks:
        """Our webhooks at a connection. Raises as `client` does."""
        row = self._row(organisation_id, name)
        return PlatformWebhooks(self._session_of(row), row.flow_url)

    def auth(self, organisation_id: UUID, name: str) -> httpx.Auth:
        """The token of a connection on requests to the other services of the standard. Raises as `client` does."""
        return self._auth_of(self._row(organisation_id, name))

    def close(self) -> None:
        """Give back the network connections."""
        self._transport.close()

    def _row(self, organisation_id: UUID, name: str) -> PlatformConnection:
        with self._database.transaction(organisation_id) as session:
            row = connection_by_name(session, name)
        if not row.is_active:
            now = self._clock()
            off = Text(f"La plateforme {name} est désactivée.", f"The platform {name} is switched off.")
            raise PlatformPausedError(off, now + _SWITCHED_OFF_PAUSE, now)
        return row

    def _session_of(self, row: PlatformConnection) -> PlatformSession:
        return PlatformSession(
            self._transport, self._auth_of(row), self._clock, remote_organisation=row.remote_organisation
        )

    def _auth_of(self, row: PlatformConnection) -> TokenAuth:
        """The token of a connection as the connection is now."""
        facts = row.model_dump()
        with self._lock:
            known = self._tokens.get(row.id)
            if known is None or known[0] != facts:
                credentials = Credentials(row.client_id, row.secret_reference)
                profile = platform_profile(row.kind)
                tokens = Tokens(self._transport, row.token_url, profile, credentials, self._clock)
                known = self._tokens[row.id] = (facts, TokenAuth(tokens))
            return known[1]
