"""OAuth2 client credentials (RFC 6749, 4.4): a token is got once, renewed before it expires, and when it is refused."""

import threading
from base64 import b64encode
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote_plus

import httpx

from gateway.flows.errors import PlatformUnavailableError
from gateway.flows.platforms.answers import Answer
from gateway.flows.platforms.credentials import Credentials
from gateway.flows.platforms.errors import PlatformAddressError, PlatformAnswerError, PlatformCredentialsError
from gateway.flows.platforms.profile import PlatformProfile
from gateway.flows.platforms.retry_after import retry_after
from gateway.flows.platforms.transport import Transport
from gateway.kernel.clock import Clock

_MAX_BYTES = 2**16
_UNAUTHORISED = 401
#: Life of a token whose platform does not tell it (expires_in is only recommended).
_UNTOLD_LIFE = timedelta(minutes=5)
_LONGEST_LIFE = timedelta(days=1)
#: A token is renewed this long before its end, at most a tenth of its life before.
_MARGIN = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class _Token:
    value: str
    renew_at: datetime

    def __repr__(self) -> str:
        return f"_Token(renew_at={self.renew_at})"


class Tokens:
    """The access tokens of one connection. Threads may share it: one asks, the others wait for its token."""

    def __init__(
        self, transport: Transport, url: str, profile: PlatformProfile, credentials: Credentials, clock: Clock
    ) -> None:
        """`url`: the token endpoint."""
        self._transport = transport
        self._url = url
        self._profile = profile
        self._credentials = credentials
        self._clock = clock
        self._lock = threading.Lock()
        self._held: _Token | None = None

    def current(self) -> str:
        """A token that is valid for a while. Raises PlatformUnavailableError, PlatformCredentialsError."""
        with self._lock:
            if self._held is None or self._held.renew_at <= self._clock():
                self._held = self._ask()
            return self._held.value

    def instead_of(self, refused: str) -> str:
        """Another token than the one the platform has just refused: that of another thread, or a new one."""
        with self._lock:
            if self._held is None or self._held.value == refused:
                self._held = self._ask()
            return self._held.value

    def _ask(self) -> _Token:
        answer = self._transport.send("POST", self._url, max_bytes=_MAX_BYTES, effects=False, **self._request())
        now = self._clock()
        if not answer.is_done:
            raise _refused(answer, now)
        told = answer.object()
        value = told.get("access_token")
        if not isinstance(value, str) or not value.isascii() or not value.isprintable() or not value:
            raise PlatformAnswerError("its token endpoint answers without an access_token")
        life = _life(told.get("expires_in"))
        return _Token(value, now + life - min(_MARGIN, life / 10))

    def _request(self) -> Mapping[str, Any]:
        """The request in the platform's style; header and form encode the two names as RFC 6749, 2.3.1 says."""
        secret = self._credentials.secret().get_secret_value()
        asked = {"grant_type": "client_credentials", "scope": self._profile.scope, "audience": self._profile.audience}
        fields = {name: value for name, value in asked.items() if value}
        if self._profile.token_auth == "basic":
            pair = f"{quote_plus(self._credentials.client_id)}:{quote_plus(secret)}"
            return {"data": fields, "headers": {"Authorization": "Basic " + b64encode(pair.encode()).decode()}}
        fields |= {"client_id": self._credentials.client_id, "client_secret": secret}
        return {"json": fields} if self._profile.token_auth == "json" else {"data": fields}


class TokenAuth(httpx.Auth):
    """Puts the token on each request; one that is refused (401: nothing was done) is renewed once."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """As `httpx` asks; raises what `Tokens` raises."""
        token = self._tokens.current()
        request.headers["Authorization"] = f"Bearer {token}"
        response = yield request
        if response.status_code == _UNAUTHORISED:
            request.headers["Authorization"] = f"Bearer {self._tokens.instead_of(token)}"
            yield request


def _life(expires_in: object) -> timedelta:
    """expires_in in seconds, as a number or, at some servers, as its text."""
    try:
        seconds = float(str(expires_in))
    except ValueError:
        return _UNTOLD_LIFE
    return timedelta(seconds=seconds) if 0 < seconds <= _LONGEST_LIFE.total_seconds() else _UNTOLD_LIFE


def _refused(answer: Answer, now: datetime) -> PlatformUnavailableError:
    """Why there is no token; of the answer only the error code of RFC 6749, 5.2, is repeated."""
    if answer.status in (400, 401, 403):
        try:
            code = str(answer.object().get("error", ""))[:100]
        except PlatformAnswerError:
            code = ""
        return PlatformCredentialsError(
            f"it does not accept our credentials ({answer.status} {code})".replace(" )", ")")
        )
    if answer.status < 500 and answer.status not in (408, 425, 429):
        return PlatformAddressError(f"no token endpoint at this address ({answer.status})")
    return PlatformUnavailableError(
        f"its token endpoint answers {answer.status}", retry_after(answer.headers.get("retry-after"), now)
    )
