"""Queries on our subscriptions at platforms and the calls heard lately."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from gateway.database.engine import organisation_of
from gateway.flows.hearing.model import PlatformCall, PlatformSubscription, PlatformSubscriptionKey
from gateway.flows.platforms.model import PlatformConnection


@dataclass(frozen=True, slots=True)
class Subscriber:
    """Who is called under a subscription, by which platform, and the key that proves it."""

    organisation_id: UUID
    platform: str
    is_active: bool
    key: bytes = field(repr=False)


def subscriber_of(session: Session, subscription_id: UUID) -> Subscriber | None:
    """The subscriber behind a subscription (system session: the role of requests may not read the key)."""
    row = session.exec(
        select(PlatformConnection, PlatformSubscriptionKey)
        .join(PlatformSubscription, col(PlatformSubscription.connection_id) == PlatformConnection.id)
        .join(PlatformSubscriptionKey, col(PlatformSubscriptionKey.subscription_id) == PlatformSubscription.id)
        .where(PlatformSubscription.id == subscription_id)
    ).one_or_none()
    if row is None:
        return None
    connection, key = row
    return Subscriber(connection.organisation_id, connection.name, connection.is_active, key.key)


def subscription_of(session: Session, connection_id: UUID, *, lock: bool = False) -> PlatformSubscription | None:
    """Our subscription at a connection; `lock`: no call is being heard on it while the transaction lasts."""
    query = select(PlatformSubscription).where(PlatformSubscription.connection_id == connection_id)
    return session.exec(query.with_for_update() if lock else query).one_or_none()


def keep_subscribed(session: Session, subscription_id: UUID) -> bool:
    """Whether the subscription still stands; if so it does until the transaction ends."""
    query = select(PlatformSubscription.id).where(PlatformSubscription.id == subscription_id)
    return session.exec(query.with_for_update(read=True, key_share=True)).first() is not None


def was_heard(session: Session, subscription_id: UUID, fingerprint: str) -> bool:
    """Whether that very call was heard before."""
    return session.get(PlatformCall, (subscription_id, fingerprint)) is not None


def mark_heard(session: Session, subscription_id: UUID, fingerprint: str, now: datetime) -> bool:
    """Remember a call; False when it was heard before. Of two at once the second waits for the first to end."""
    mark = insert(PlatformCall).values(
        organisation_id=organisation_of(session),
        subscription_id=subscription_id,
        fingerprint=fingerprint,
        heard_at=now,
    )
    return session.execute(mark.on_conflict_do_nothing().returning(col(PlatformCall.fingerprint))).first() is not None


def forget_calls(session: Session, before: datetime) -> None:
    """Forget the calls heard before an instant, of every organisation (system session)."""
    session.execute(delete(PlatformCall).where(col(PlatformCall.heard_at) < before))
