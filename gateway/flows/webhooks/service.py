"""Subscribe, unsubscribe, start again: use cases of webhooks in the caller's transaction."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from secrets import token_bytes
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session

from gateway.database.engine import organisation_of
from gateway.flows.webhooks.addresses import CallbackPolicy, check_callback
from gateway.flows.webhooks.errors import TooManyWebhooksError, WebhookNotFoundError
from gateway.flows.webhooks.feeds import mark_now, next_news
from gateway.flows.webhooks.model import Webhook, WebhookKey, WebhookKind
from gateway.flows.webhooks.repository import count_of, failed_calls_of, hold_webhook
from gateway.jobs.model import OutboxState
from gateway.jobs.outbox import TASK as OUTBOX_TASK
from gateway.jobs.outbox import put_in_outbox
from gateway.jobs.queue import enqueue
from gateway.kernel.identifiers import new_id
from gateway.ledger.service import append

#: Kind of the outbox messages that `calling` delivers.
WEBHOOK_CALL = "webhook.call"
MOST_WEBHOOKS = 50
_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class CreatedWebhook:
    """A new webhook and its key, which nobody is shown again."""

    webhook: Webhook
    key: bytes


def subscribe(
    session: Session,
    *,
    kind: WebhookKind,
    api_client_id: UUID,
    callback_url: str,
    wanted: Mapping[str, Any],
    policy: CallbackPolicy,
    now: datetime,
) -> CreatedWebhook:
    """Call that address from now on. Raises CallbackRefusedError, TooManyWebhooksError."""
    check_callback(callback_url, policy)
    if count_of(session, api_client_id) >= MOST_WEBHOOKS:
        raise TooManyWebhooksError(MOST_WEBHOOKS)
    webhook = Webhook(
        id=new_id(),
        organisation_id=organisation_of(session),
        api_client_id=api_client_id,
        kind=kind.value,
        callback_url=callback_url,
        wanted=dict(wanted),
        created_at=now,
    )
    mark_now(session, webhook)
    session.add(webhook)
    session.flush()
    key = token_bytes(_KEY_BYTES)
    session.execute(insert(WebhookKey).values(webhook_id=webhook.id, key=key))
    _note(session, webhook, "webhook.created", now)
    return CreatedWebhook(webhook, key)


def unsubscribe(session: Session, webhook: Webhook, *, now: datetime) -> None:
    """End a subscription; a call on its way is given up. Raises WebhookNotFoundError when it has just been ended."""
    # Before the ledger's turn, as whoever gives a webhook up takes them.
    if hold_webhook(session, webhook.id) is None:
        raise WebhookNotFoundError(str(webhook.id))
    _note(session, webhook, "webhook.deleted", now)
    session.delete(webhook)


def go_on(session: Session, webhook: Webhook, *, arrived: str | None, public_url: str | None, now: datetime) -> bool:
    """Put the next call of a webhook (locked) in the outbox; False when there is nothing to tell.

    `arrived`: the call that has just ended. While another one is on its way nothing is added, so that calls arrive in
    order, and a repeat after a crash moves the mark only once. `public_url`: where the gateway is reached.
    """
    if webhook.in_flight != arrived or webhook.disabled_at is not None:
        return False
    news = next_news(session, webhook, public_url)
    webhook.in_flight = f"webhook-{webhook.id}-{news.key}" if news else None
    session.add(webhook)
    if news is None or webhook.in_flight is None:
        return False
    return put_in_outbox(
        session,
        kind=WEBHOOK_CALL,
        idempotency_key=webhook.in_flight,
        payload={"body": news.body, "message_id": news.key},
        now=now,
        subject_id=webhook.id,
    )


def start_again(session: Session, webhook_id: UUID, *, now: datetime) -> int:
    """Let a webhook that was given up go on, its failed calls first; how many of these. Raises WebhookNotFoundError."""
    webhook = hold_webhook(session, webhook_id)
    if webhook is None:
        raise WebhookNotFoundError(str(webhook_id))
    webhook.disabled_at = webhook.failing_since = None
    webhook.failures = 0
    # The ledger's turn before the calls and their job: who holds the turn may be asking for that same job.
    _note(session, webhook, "webhook.restarted", now)
    failed = failed_calls_of(session, webhook_id)
    for call in failed:
        call.state = OutboxState.PENDING.value
        call.attempts = 0
        call.next_attempt_at = now
        session.add(call)
    if failed:
        enqueue(session, OUTBOX_TASK)
    return len(failed)


def disable(session: Session, webhook: Webhook, *, now: datetime) -> None:
    """Stop calling (locked); its mark stays, so that nothing is lost for whoever starts it again."""
    webhook.disabled_at = now
    session.add(webhook)
    _note(session, webhook, "webhook.disabled", now)


def _note(session: Session, webhook: Webhook, kind: str, now: datetime) -> None:
    append(
        session,
        at=now,
        kind=kind,
        subject=f"webhook:{webhook.id}",
        content={"kind": webhook.kind, "callback_url": webhook.callback_url},
    )
