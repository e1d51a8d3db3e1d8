"""Queries on webhooks and their calls. Row-level security keeps organisations apart."""

from collections.abc import Sequence
from uuid import UUID

from sqlmodel import Session, col, func, select

from gateway.flows.webhooks.errors import WebhookNotFoundError
from gateway.flows.webhooks.model import Webhook, WebhookKey, WebhookKind
from gateway.jobs.model import OutboxMessage, OutboxState


def webhooks_of(session: Session, api_client_id: UUID, kind: WebhookKind) -> Sequence[Webhook]:
    """The webhooks of one program, the oldest first."""
    return session.exec(
        select(Webhook)
        .where(Webhook.api_client_id == api_client_id, Webhook.kind == kind.value)
        .order_by(col(Webhook.created_at), col(Webhook.id))
    ).all()


def count_of(session: Session, api_client_id: UUID) -> int:
    """How many webhooks a program has, of both kinds."""
    return session.exec(select(func.count()).where(Webhook.api_client_id == api_client_id)).one()


def own_webhook(session: Session, api_client_id: UUID, kind: WebhookKind, webhook_id: UUID) -> Webhook:
    """A webhook of that program. Raises WebhookNotFoundError."""
    found = session.get(Webhook, webhook_id)
    if found is None or found.api_client_id != api_client_id or found.kind != kind:
        raise WebhookNotFoundError(str(webhook_id))
    return found


def all_webhooks(session: Session) -> Sequence[Webhook]:
    """Every webhook of the organisation, the oldest first."""
    return session.exec(select(Webhook).order_by(col(Webhook.created_at), col(Webhook.id))).all()


def idle_webhooks(session: Session) -> Sequence[UUID]:
    """The webhooks that may have something to be told: none disabled, none with a call on its way."""
    return session.exec(
        select(Webhook.id).where(col(Webhook.in_flight).is_(None), col(Webhook.disabled_at).is_(None))
    ).all()


def hold_webhook(session: Session, webhook_id: UUID) -> Webhook | None:
    """That webhook as it is now, kept from other writers; None when it has been deleted."""
    return session.exec(
        select(Webhook).where(Webhook.id == webhook_id).with_for_update().execution_options(populate_existing=True)
    ).one_or_none()


def key_of(session: Session, webhook_id: UUID) -> bytes | None:
    """The signing key (system session: the role of requests may not read it)."""
    return session.exec(select(WebhookKey.key).where(WebhookKey.webhook_id == webhook_id)).one_or_none()


def calls_of(session: Session, webhook_id: UUID, limit: int) -> Sequence[OutboxMessage]:
    """The latest calls of a webhook, the newest first."""
    return session.exec(
        select(OutboxMessage)
        .where(OutboxMessage.subject_id == webhook_id)
        .order_by(col(OutboxMessage.created_at).desc(), col(OutboxMessage.id))
        .limit(limit)
    ).all()


def failed_calls_of(session: Session, webhook_id: UUID) -> Sequence[OutboxMessage]:
    """The calls of a webhook that were given up, locked."""
    given_up = (OutboxState.FAILED.value, OutboxState.AMBIGUOUS.value)
    return session.exec(
        select(OutboxMessage)
        .where(OutboxMessage.subject_id == webhook_id, col(OutboxMessage.state).in_(given_up))
        .order_by(col(OutboxMessage.created_at))
        .with_for_update()
    ).all()
