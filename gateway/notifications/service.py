"""Say something to people: a notification in the pages for each, and an e-mail where a mail server is set."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col

from gateway.database.engine import organisation_of
from gateway.jobs.outbox import put_in_outbox
from gateway.kernel.identifiers import new_id
from gateway.kernel.settings import Settings
from gateway.kernel.text import Language, Text
from gateway.notifications.mail import EMAIL
from gateway.notifications.model import Notification
from gateway.notifications.repository import unread_of

_SEE = Text("Voir :", "See:")


@dataclass(frozen=True, slots=True)
class Recipient:
    """A person to tell, in their language."""

    user_id: UUID
    email: str
    language: Language


@dataclass(frozen=True, slots=True)
class Notice:
    """What is to be said.

    Attributes:
        dedup_key: names the fact, which nobody is told twice.
        subject, body: the message; `link`: path of the page that shows the matter.
    """

    dedup_key: str
    subject: Text
    body: Text
    link: str


@dataclass(frozen=True, slots=True)
class Channels:
    """How notifications leave: `by_email` when a mail server is set; `public_url` makes their links absolute."""

    by_email: bool
    public_url: str = ""


def channels_of(settings: Settings) -> Channels:
    """How notifications leave this installation."""
    return Channels(by_email=settings.smtp_url is not None, public_url=settings.public_url or "")


def notify(
    session: Session, recipients: Iterable[Recipient], notice: Notice, channels: Channels, *, now: datetime
) -> list[UUID]:
    """Tell each recipient once; the identifiers of the notifications that are new."""
    return [
        notification_id
        for recipient in recipients
        if (notification_id := _tell(session, recipient, notice, channels, now)) is not None
    ]


def mark_read(session: Session, user_id: UUID, *, now: datetime) -> int:
    """Note that a person has seen every notification so far; how many were new to them."""
    unread = unread_of(session, user_id)
    for notification in unread:
        notification.read_at = now
        session.add(notification)
    session.flush()
    return len(unread)


def _tell(session: Session, to: Recipient, notice: Notice, channels: Channels, now: datetime) -> UUID | None:
    subject, body = notice.subject.on_page(to.language), notice.body.on_page(to.language)
    inserted = session.execute(
        insert(Notification)
        .values(
            id=new_id(),
            organisation_id=organisation_of(session),
            user_id=to.user_id,
            dedup_key=notice.dedup_key,
            subject=subject,
            body=body,
            link=notice.link,
            created_at=now,
        )
        .on_conflict_do_nothing()
        .returning(col(Notification.id))
    ).first()
    if inserted is None:
        return None
    notification_id: UUID = inserted.id
    if channels.by_email:
        see = f"\n\n{_SEE.on_page(to.language)} {channels.public_url}{notice.link}" if channels.public_url else ""
        put_in_outbox(
            session,
            kind=EMAIL,
            idempotency_key=f"notification:{notification_id}",
            payload={"to": to.email, "subject": subject, "body": body + see},
            now=now,
            subject_id=notification_id,
        )
    return notification_id
