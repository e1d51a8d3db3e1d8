"""What an HTTP answer of a platform means for us: done, refused, to be tried again, or in doubt."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gateway.flows.errors import PlatformAmbiguousError, PlatformRefusedError, PlatformUnavailableError
from gateway.flows.platforms.errors import PlatformAddressError, PlatformAnswerError, PlatformCredentialsError
from gateway.flows.platforms.retry_after import retry_after
from gateway.kernel.text import Text, printable

#: The platform certainly did nothing, and says so: try again later.
_LATER = frozenset({408, 425, 429})
#: There is no such service at this address, or not yet: the connection is at fault, not the flow.
_NO_SERVICE = frozenset({404, 405})
#: It may hold the flow already.
_CONFLICT = 409
_UNAUTHORISED = 401
_NOT_IMPLEMENTED = 501
_LONGEST_REASON = 500


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer read to its end; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def is_done(self) -> bool:
        """True for a success."""
        return 200 <= self.status < 300

    def object(self) -> dict[str, Any]:
        """The JSON object of the answer. Raises PlatformAnswerError."""
        try:
            value = json.loads(self.content)
        except ValueError as error:
            raise PlatformAnswerError(f"its answer is not JSON ({self.status})") from error
        if not isinstance(value, dict):
            raise PlatformAnswerError(f"its answer is no JSON object ({self.status})")
        return value

    @property
    def reason(self) -> str:
        """What the platform says went wrong: the fields of the standard's error, or the start of the text."""
        try:
            told = self.object()
        except PlatformAnswerError:
            words = [self.content[: 4 * _LONGEST_REASON].decode("utf-8", "replace")]
        else:
            words = [
                str(told[key]) for key in ("errorCode", "errorMessage", "message", "details", "detail") if told.get(key)
            ]
        said = " — ".join(" ".join(word.split()) for word in words if word.strip())
        return printable(f"{self.status} {said}".strip()[:_LONGEST_REASON])


def require_done(answer: Answer, now: datetime, *, effects: bool, service: bool = True) -> Answer:
    """The answer, when it is a success.

    `effects`: the call may have changed something at the platform; `service`: a 404 means that the service is missing,
    else only what was asked for. Raises PlatformRefusedError, PlatformUnavailableError,
    PlatformCredentialsError or PlatformAmbiguousError.
    """
    if answer.is_done:
        return answer
    status, reason = answer.status, answer.reason
    if status < 200 or 300 <= status < 400:
        # Another address would get our token and our invoices: none is followed.
        raise PlatformAnswerError(f"it sends us elsewhere ({status})")
    if status == _UNAUTHORISED:
        raise PlatformCredentialsError("it refuses a token that it has just given (401)")
    if status in _LATER:
        raise PlatformUnavailableError(reason, retry_after(answer.headers.get("retry-after"), now))
    if status in _NO_SERVICE and service:
        raise PlatformAddressError(f"no such service at this address: {reason}")
    fault = status >= 500 and status != _NOT_IMPLEMENTED
    if effects and (fault or status == _CONFLICT):
        raise PlatformAmbiguousError(reason)
    if fault:
        raise PlatformUnavailableError(reason, retry_after(answer.headers.get("retry-after"), now))
    raise PlatformRefusedError(Text(reason, reason), f"HTTP {status}")
