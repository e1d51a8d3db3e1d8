"""Queries of notifications."""

from uuid import UUID

from sqlalchemy import func
from sqlmodel import Session, col, select

from gateway.notifications.model import Notification


def notifications_of(session: Session, user_id: UUID, *, limit: int = 50) -> list[Notification]:
    """A person's latest notifications, the newest first."""
    return list(
        session.exec(
            select(Notification)
            .where(Notification.user_id == user_id)
            .order_by(col(Notification.created_at).desc(), col(Notification.id))
            .limit(limit)
        )
    )


def count_unread(session: Session, user_id: UUID) -> int:
    """How many notifications a person has not read."""
    return session.exec(
        select(func.count()).where(Notification.user_id == user_id, col(Notification.read_at).is_(None))
    ).one()


def unread_of(session: Session, user_id: UUID) -> list[Notification]:
    """A person's unread notifications, kept from other writers."""
    return list(
        session.exec(
            select(Notification)
            .where(Notification.user_id == user_id, col(Notification.read_at).is_(None))
            .with_for_update()
        )
    )
