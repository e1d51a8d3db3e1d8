"""Text messages leave through a hook: an address of the operator's own that is called with the number and the text."""

from collections.abc import Callable

import httpx

from gateway.jobs.channels import Deliverer, Delivery, DeliveryAmbiguousError, DeliveryFailedError
from gateway.kernel.settings import Settings

TIMEOUT_SECONDS = 15.0
#: Posts a body with its headers to an address and returns the HTTP status. Raises httpx.HTTPError.
Post = Callable[[str, dict[str, str], dict[str, str]], int]


def sms_deliverer(settings: Settings, post: Post | None = None) -> Deliverer | None:
    """The deliverer of text messages; None when no hook is set.

    The hook gets `{"to": "+33…", "text": "…"}` and the header `Idempotency-Key`, by which it must recognise a repeat:
    what may have arrived is called again under the same key.
    """
    if settings.sms_hook_url is None:
        return None
    address, call = settings.sms_hook_url.get_secret_value(), post or _post

    def deliver(delivery: Delivery) -> None:
        body = {"to": delivery.payload["to"], "text": delivery.payload["body"]}
        try:
            status = call(address, body, {"Idempotency-Key": delivery.idempotency_key})
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise DeliveryFailedError(f"SMS hook: {error}") from error
        except httpx.HTTPError as error:
            raise DeliveryAmbiguousError(f"SMS hook silent after the call: {error}") from error
        if not 200 <= status < 300:
            raise DeliveryFailedError(
                f"SMS hook answers HTTP {status}", permanent=400 <= status < 500 and status != 429
            )

    return deliver


def _post(address: str, body: dict[str, str], headers: dict[str, str]) -> int:
    return httpx.post(address, json=body, headers=headers, timeout=TIMEOUT_SECONDS, follow_redirects=False).status_code
