"""Call the subscribers: a message of the outbox is one signed POST, tried until it arrives or the webhook is given up.

A webhook has one call on its way at a time. What it is answered decides (`judge`): arrived, refused for good (a flow
that its receiver calls malformed: the next one goes on), gone, or failed, to be repeated later and later. After
`webhook_give_up_days` without one success the webhook is disabled, and the administrators are told.
"""

import random
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import httpx
import structlog
from standardwebhooks import Webhook as StandardWebhook

from gateway.access.model import ApiClient
from gateway.database.engine import Database
from gateway.flows.signatures import sign
from gateway.flows.webhooks.addresses import callback_policy, check_callback, resolve
from gateway.flows.webhooks.errors import CallbackRefusedError
from gateway.flows.webhooks.events import CONTENT_TYPE
from gateway.flows.webhooks.model import Webhook, WebhookKind
from gateway.flows.webhooks.notices import tell_administrators
from gateway.flows.webhooks.repository import hold_webhook, key_of
from gateway.flows.webhooks.service import disable, go_on
from gateway.jobs.channels import Channel, Delivery, DeliveryFailedError, DeliveryPostponedError
from gateway.jobs.retrying import decide_retry
from gateway.kernel.clock import Clock
from gateway.kernel.settings import Settings

_REFUSALS = frozenset({400, 422})
_GONE = 410
_NO_LIMIT = 2**31
_log = structlog.get_logger(__name__)


class Answer(StrEnum):
    """What a call came to."""

    ARRIVED = "arrived"
    #: The receiver wants no more calls at all.
    GONE = "gone"
    #: The receiver finds this very message malformed: repeating it cannot help.
    REFUSED = "refused"
    FAILED = "failed"


def judge(kind: WebhookKind, status: int) -> Answer:
    """What an HTTP status means. An event is never passed over, so that its feed has no hole: it is only repeated."""
    if 200 <= status < 300:
        return Answer.ARRIVED
    if status == _GONE:
        return Answer.GONE
    return Answer.REFUSED if status in _REFUSALS and kind is WebhookKind.FLOW else Answer.FAILED


def headers_for(kind: WebhookKind, body: bytes, key: bytes, *, message_id: str, now: datetime) -> dict[str, str]:
    """The signature and the media type of a call."""
    if kind is WebhookKind.FLOW:
        return {"Content-Type": "application/json", **sign(body, key, now)}
    signature = StandardWebhook(key).sign(message_id, now, body.decode())
    return {
        "Content-Type": CONTENT_TYPE,
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signature,
    }


def secret_of(key: bytes) -> str:
    """The key of a webhook of events as the libraries of Standard Webhooks take it."""
    return f"whsec_{b64encode(key).decode()}"


@dataclass(frozen=True, slots=True)
class Caller:
    """Makes the calls.

    Attributes:
        send: posts a body with its headers to an address and returns the HTTP status. Raises OSError,
            httpx.HTTPError, CallbackRefusedError.
    """

    database: Database
    clock: Clock
    settings: Settings
    send: Callable[[str, bytes, dict[str, str]], int]

    def deliver(self, delivery: Delivery) -> None:
        """One call, as the outbox asks for it."""
        webhook, key = self._subscriber(delivery)
        if webhook.disabled_at is not None:
            raise DeliveryFailedError("the webhook is disabled", permanent=True)
        kind, body = WebhookKind(webhook.kind), str(delivery.payload["body"]).encode()
        headers = headers_for(kind, body, key, message_id=delivery.payload["message_id"], now=self.clock())
        try:
            status = self.send(webhook.callback_url, body, headers)
        except (OSError, httpx.HTTPError, CallbackRefusedError) as error:
            answer, reason = Answer.FAILED, str(error) or type(error).__name__
        else:
            answer, reason = judge(kind, status), f"HTTP {status}"
        if answer is Answer.ARRIVED:
            self._arrived(webhook, delivery)
        else:
            self._failed(webhook, delivery, answer, reason)

    def _subscriber(self, delivery: Delivery) -> tuple[Webhook, bytes]:
        with self.database.system_transaction() as session:
            webhook = session.get(Webhook, delivery.subject_id)
            key = key_of(session, webhook.id) if webhook else None
            if webhook is None or key is None:
                raise DeliveryFailedError("the webhook was deleted", permanent=True)
            if not session.get_one(ApiClient, webhook.api_client_id).is_active:
                raise DeliveryFailedError("the program that subscribed was revoked", permanent=True)
            return webhook, key

    def _arrived(self, webhook: Webhook, delivery: Delivery) -> None:
        with self.database.transaction(delivery.organisation_id) as session:
            row = hold_webhook(session, webhook.id)
            if row is not None:
                row.failures, row.failing_since, row.last_error = 0, None, None
                row.last_success_at = self.clock()
                go_on(
                    session,
                    row,
                    arrived=delivery.idempotency_key,
                    public_url=self.settings.public_url,
                    now=self.clock(),
                )
                session.add(row)

    def _failed(self, webhook: Webhook, delivery: Delivery, answer: Answer, reason: str) -> None:
        """Note a call that did not arrive; raises what tells the outbox what becomes of the message."""
        now = self.clock()
        with self.database.transaction(delivery.organisation_id) as session:
            row = hold_webhook(session, webhook.id)
            if row is None:
                raise DeliveryFailedError("the webhook was deleted", permanent=True)
            row.failures += 1
            row.failing_since = row.failing_since or now
            row.last_error = reason
            session.add(row)
            failures, patience = row.failures, timedelta(days=self.settings.webhook_give_up_days)
            gives_up = answer is Answer.GONE or now - row.failing_since >= patience
            if gives_up:
                disable(session, row, now=now)
                tell_administrators(session, row, self.settings, now=now)
            elif answer is Answer.REFUSED:
                go_on(session, row, arrived=delivery.idempotency_key, public_url=self.settings.public_url, now=now)
        if gives_up:
            _log.error("webhook_disabled", webhook_id=str(webhook.id), url=webhook.callback_url, reason=reason)
            raise DeliveryFailedError(f"the webhook is given up: {reason}", permanent=True)
        if answer is Answer.REFUSED:
            raise DeliveryFailedError(f"the receiver refuses this message: {reason}", permanent=True)
        retry = decide_retry(attempts=failures, limit=_NO_LIMIT, now=now, jitter=random.Random())
        raise DeliveryPostponedError(reason, retry.at or now)


def webhook_channel(database: Database, clock: Clock, settings: Settings) -> Channel:
    """The channel of `webhook.call`: receivers know a repeat by its identifier, so that a doubt is settled by one."""
    return Channel(Caller(database, clock, settings, sender(settings)).deliver, repeatable=True)


def sender(settings: Settings) -> Callable[[str, bytes, dict[str, str]], int]:
    """Posts to the address that was judged, whatever the name says a moment later; follows no redirection."""
    policy = callback_policy(settings)
    client = httpx.Client(
        timeout=settings.webhook_timeout_seconds,
        trust_env=False,
        follow_redirects=False,
        # A connection is never shared: one made for a name would serve another name at the same address, unproved.
        limits=httpx.Limits(max_keepalive_connections=0),
    )

    def send(address: str, body: bytes, headers: dict[str, str]) -> int:
        check_callback(address, policy)
        url = httpx.URL(address)
        request = client.build_request(
            "POST",
            url.copy_with(host=resolve(url, policy)),
            content=body,
            headers={**headers, "Host": url.netloc.decode(), "User-Agent": "e-invoicing-gateway"},
            extensions={"sni_hostname": url.host},
        )
        response = client.send(request, stream=True)  # what the receiver says beyond its status is not read
        response.close()
        return response.status_code

    return send
