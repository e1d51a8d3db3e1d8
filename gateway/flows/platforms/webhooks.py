"""Our webhook at a platform that speaks XP Z12-013 (Flow Service 1.3.0): opened once, closed when no longer wanted."""

from base64 import b64decode
from binascii import Error as Base64Error
from dataclasses import dataclass, field
from urllib.parse import quote

from gateway.flows.errors import PlatformRefusedError
from gateway.flows.platforms.answers import Answer
from gateway.flows.platforms.errors import PlatformAnswerError
from gateway.flows.platforms.session import PlatformSession

#: A signing key has 256 or 512 bits.
_SHORTEST_KEY = 32
_GONE = "HTTP 404"


@dataclass(frozen=True, slots=True)
class OpenedWebhook:
    """A webhook as the platform made it; its key is told this once."""

    webhook_id: str
    key: bytes = field(repr=False)


class PlatformWebhooks:
    """The webhooks of one connection."""

    def __init__(self, session: PlatformSession, flow_url: str) -> None:
        """`flow_url`: address of the Flow Service with its version."""
        self._session = session
        self._url = f"{flow_url.rstrip('/')}/webhooks"

    def open(self, callback_url: str) -> OpenedWebhook:
        """Be called at that address about the flows of both directions (POST /webhooks, without a filter).

        Raises PlatformUnavailableError, PlatformRefusedError, PlatformAmbiguousError: a webhook may be there whose key
        nobody knows, and its calls are refused.
        """
        answer = self._session.call("POST", self._url, effects=True, json={"callbackUrl": callback_url})
        told = answer.object()
        webhook_id, key = told.get("webhookId"), _key(answer)
        if not isinstance(webhook_id, str) or not webhook_id:
            raise PlatformAnswerError("it tells no webhookId")
        return OpenedWebhook(webhook_id, key)

    def close(self, webhook_id: str) -> None:
        """Be called no more (DELETE /webhooks/{webhookUid}); one that the platform does not know is closed.

        Raises PlatformUnavailableError, PlatformRefusedError.
        """
        try:
            self._session.call("DELETE", f"{self._url}/{quote(webhook_id, safe='')}", service=False)
        except PlatformRefusedError as error:
            if error.where != _GONE:
                raise


def _key(answer: Answer) -> bytes:
    try:
        key = b64decode(str(answer.object().get("signingKey") or ""), validate=True)
    except (Base64Error, ValueError) as error:
        raise PlatformAnswerError("its signing key is not base64") from error
    if len(key) < _SHORTEST_KEY:
        raise PlatformAnswerError(f"its signing key is shorter than {8 * _SHORTEST_KEY} bits")
    return key
