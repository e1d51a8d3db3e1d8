"""One HTTP request to a platform: bounded in time and in size, never redirected, its failures told apart."""

import time
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpx

from gateway.flows.errors import PlatformAmbiguousError, PlatformUnavailableError
from gateway.flows.platforms.answers import Answer
from gateway.flows.platforms.errors import PlatformFileTooLargeError

#: A slow answer is read for as long as this many times the longest silence.
_PATIENCE = 10
#: Nothing has left: no connection was made.
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, httpx.UnsupportedProtocol)


class Transport:
    """The HTTP client of one process, for all its connections. Threads may share it."""

    def __init__(self, http: httpx.Client, *, timeout_seconds: float) -> None:
        """`timeout_seconds`: longest silence."""
        self._http = http
        self._timeout = timeout_seconds

    @classmethod
    def open(cls, *, timeout_seconds: float) -> "Transport":
        """A transport over the network; certificates are checked, against those of SSL_CERT_FILE too.

        No cookie is kept: two organisations at one platform share this client.
        """
        no_cookies = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
        return cls(httpx.Client(follow_redirects=False, cookies=no_cookies), timeout_seconds=timeout_seconds)

    def send(self, method: str, url: str, *, max_bytes: int, effects: bool, **content: Any) -> Answer:
        """The answer, whatever its status, read to its end.

        Raises PlatformUnavailableError when nothing was done, PlatformAmbiguousError when the request may have had
        `effects` and its answer was lost, PlatformFileTooLargeError past `max_bytes`.
        """
        try:
            with self._http.stream(method, url, timeout=self._timeout, **content) as response:
                return Answer(response.status_code, dict(response.headers), self._read(response, max_bytes))
        except _NOT_SENT as error:
            raise PlatformUnavailableError(_said(error)) from error
        except (httpx.HTTPError, PlatformFileTooLargeError) as error:
            if effects:
                raise PlatformAmbiguousError(_said(error)) from error
            if isinstance(error, PlatformFileTooLargeError):
                raise
            raise PlatformUnavailableError(_said(error)) from error
        except httpx.InvalidURL as error:
            raise PlatformUnavailableError(_said(error)) from error

    def close(self) -> None:
        """Give back the connections."""
        self._http.close()

    def _read(self, response: httpx.Response, max_bytes: int) -> bytes:
        read, end = bytearray(), time.monotonic() + _PATIENCE * self._timeout
        for chunk in response.iter_bytes():
            read += chunk
            if len(read) > max_bytes:
                raise PlatformFileTooLargeError(response.request.url.path, max_bytes)
            if time.monotonic() > end:
                raise httpx.ReadTimeout("the answer takes too long")
        return bytes(read)


def _said(error: Exception) -> str:
    """What happened, without the address or the content of the request."""
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
