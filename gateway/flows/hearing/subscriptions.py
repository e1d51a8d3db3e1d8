"""Let a platform call us, or let it stop: the webhook there, our row and its key here."""

from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session

from gateway.database.engine import Database, organisation_of
from gateway.flows.errors import PlatformError
from gateway.flows.hearing.errors import AlreadySubscribedError, NoPublicAddressError, NotSubscribedError
from gateway.flows.hearing.model import PlatformSubscription, PlatformSubscriptionKey
from gateway.flows.hearing.repository import subscription_of
from gateway.flows.platforms.connections import Connections
from gateway.flows.platforms.repository import connection_by_name
from gateway.flows.platforms.webhooks import OpenedWebhook, PlatformWebhooks
from gateway.kernel.clock import Clock
from gateway.kernel.identifiers import new_id
from gateway.ledger.service import append, take_turn

#: Start of the path that platforms call; the identifier of the subscription follows.
CALLS_PATH = "/platform-calls"
_log = structlog.get_logger(__name__)


def subscribe(
    database: Database,
    clock: Clock,
    connections: Connections,
    organisation_id: UUID,
    name: str,
    public_url: str | None,
) -> PlatformSubscription:
    """Let the platform of a connection call us about every flow.

    `public_url`: where it reaches us. No transaction waits for the platform; a webhook that cannot be kept is closed at
    once. Raises NoPublicAddressError, UnknownPlatformError, AlreadySubscribedError, and what the platform answers.
    """
    if public_url is None:
        raise NoPublicAddressError
    with database.transaction(organisation_id) as session:
        _require_unsubscribed(session, name)
    subscription_id = new_id()
    callback_url = f"{public_url.rstrip('/')}{CALLS_PATH}/{subscription_id}"
    webhooks = connections.webhooks(organisation_id, name)
    opened = webhooks.open(callback_url)
    try:
        with database.transaction(organisation_id) as session:
            return _keep(session, name, subscription_id, callback_url, opened, clock())
    except BaseException:
        _close_unkept(webhooks, opened)
        raise


def unsubscribe(
    database: Database, clock: Clock, connections: Connections, organisation_id: UUID, name: str
) -> PlatformSubscription:
    """End the calls of a platform: there first, so that a failure leaves what can be tried again.

    Raises UnknownPlatformError, NotSubscribedError, and what the platform answers.
    """
    with database.transaction(organisation_id) as session:
        webhook_id = _subscribed(session, name).webhook_id
    connections.webhooks(organisation_id, name).close(webhook_id)
    with database.transaction(organisation_id) as session:
        # The row before the turn: a call being heard holds the row and then waits for the turn.
        row = _subscribed(session, name, lock=True)
        take_turn(session)
        _note(session, name, row, "platform.unsubscribed", clock())
        session.delete(row)
        return row


def _keep(
    session: Session, name: str, subscription_id: UUID, callback_url: str, opened: OpenedWebhook, now: datetime
) -> PlatformSubscription:
    take_turn(session)
    row = PlatformSubscription(
        id=subscription_id,
        organisation_id=organisation_of(session),
        connection_id=_require_unsubscribed(session, name),
        webhook_id=opened.webhook_id,
        callback_url=callback_url,
        created_at=now,
    )
    session.add(row)
    session.flush()
    # The role of requests may not read keys back, as the statement of a session's row would.
    session.execute(insert(PlatformSubscriptionKey).values(subscription_id=row.id, key=opened.key))
    _note(session, name, row, "platform.subscribed", now)
    return row


def _require_unsubscribed(session: Session, name: str) -> UUID:
    """Identifier of a connection whose platform does not call us yet."""
    connection = connection_by_name(session, name)
    if subscription_of(session, connection.id) is not None:
        raise AlreadySubscribedError(name)
    return connection.id


def _subscribed(session: Session, name: str, *, lock: bool = False) -> PlatformSubscription:
    row = subscription_of(session, connection_by_name(session, name).id, lock=lock)
    if row is None:
        raise NotSubscribedError(name)
    return row


def _close_unkept(webhooks: PlatformWebhooks, opened: OpenedWebhook) -> None:
    try:
        webhooks.close(opened.webhook_id)
    except PlatformError as error:  # what stopped us is said; this is said beside it
        _log.error("webhook_left_at_platform", webhook_id=opened.webhook_id, reason=str(error))


def _note(session: Session, name: str, row: PlatformSubscription, kind: str, now: datetime) -> None:
    content = {"webhook_id": row.webhook_id, "callback_url": row.callback_url}
    append(session, at=now, kind=kind, subject=f"platform:{name}", content=content)
