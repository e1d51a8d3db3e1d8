"""Who is told of a new alert: the AR managers, and the collectors who see its agency or its customer."""

from datetime import datetime
from uuid import UUID

from sqlmodel import Session

from gateway.access.model import User
from gateway.access.repository import scope_of
from gateway.access.roles import Role
from gateway.alerts import repository
from gateway.alerts.model import Alert
from gateway.kernel.text import Text
from gateway.notifications.service import Channels, Notice, Recipient, notify


def tell_people(session: Session, alert: Alert, channels: Channels, *, now: datetime) -> list[UUID]:
    """Notify the people concerned by a new alert, once each; the identifiers of the notifications that are new."""
    recipients = [
        Recipient(user.id, user.email, "en" if user.language == "en" else "fr")
        for user in repository.active_people(session, (Role.AR_MANAGER, Role.COLLECTOR))
        if _is_concerned(session, user, alert)
    ]
    return notify(session, recipients, notice_of(alert), channels, now=now)


def notice_of(alert: Alert) -> Notice:
    """What is said of an alert: its title, then why, what to do and by when. Pure."""
    day = f"{alert.due_on:%d/%m/%Y}" if alert.due_on else ""
    deadline = Text(f"À faire au plus tard le {day}.", f"To be done by {day}.") if day else Text("", "")
    return Notice(
        dedup_key=f"alert:{alert.id}",
        subject=Text(alert.title_fr, alert.title_en),
        body=Text(
            "\n\n".join(filter(None, (alert.reason_fr, alert.next_step_fr, deadline.fr))),
            "\n\n".join(filter(None, (alert.reason_en, alert.next_step_en, deadline.en))),
        ),
        link=f"/alerts/{alert.id}",
    )


def _is_concerned(session: Session, user: User, alert: Alert) -> bool:
    return user.role == Role.AR_MANAGER or scope_of(session, user.id).allows(alert.agency_id, alert.customer_siren)
