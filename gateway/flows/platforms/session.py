"""Calls to one platform under our token."""

from typing import Any
from uuid import uuid4

from gateway.flows.platforms.answers import Answer, require_done
from gateway.flows.platforms.tokens import TokenAuth
from gateway.flows.platforms.transport import Transport
from gateway.kernel.clock import Clock

#: Longest answer that is not a file: a page of a hundred flows takes some tens of kilobytes.
MAX_JSON_BYTES = 8 * 2**20


class PlatformSession:
    """An authenticated way to one platform. Threads may share it."""

    def __init__(
        self, transport: Transport, auth: TokenAuth, clock: Clock, *, remote_organisation: str | None = None
    ) -> None:
        """`remote_organisation`: Organization-Id at a platform that holds several organisations for one client."""
        self._transport = transport
        self._auth = auth
        self._clock = clock
        self._organisation = {"Organization-Id": remote_organisation} if remote_organisation else {}

    def call(
        self,
        method: str,
        url: str,
        *,
        effects: bool = False,
        service: bool = True,
        max_bytes: int = MAX_JSON_BYTES,
        **content: Any,
    ) -> Answer:
        """The successful answer to a request; `effects`, `service`: see `require_done`.

        Raises PlatformRefusedError, PlatformUnavailableError, PlatformAmbiguousError, PlatformCredentialsError,
        PlatformFileTooLargeError.
        """
        headers = {"Request-Id": str(uuid4()), "Accept-Encoding": "identity", **self._organisation}
        answer = self._transport.send(
            method, url, max_bytes=max_bytes, effects=effects, headers=headers, auth=self._auth, **content
        )
        return require_done(answer, self._clock(), effects=effects, service=service)
