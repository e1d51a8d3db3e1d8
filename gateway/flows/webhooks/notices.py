"""Tell the administrators that a webhook was given up: a notification, and an e-mail where a mail server is set."""

from datetime import datetime

from sqlmodel import Session

from gateway.access.roles import Role
from gateway.alerts.repository import active_people
from gateway.flows.webhooks.model import Webhook
from gateway.kernel.settings import Settings
from gateway.kernel.text import Text
from gateway.notifications.service import Notice, Recipient, channels_of, notify


def tell_administrators(session: Session, webhook: Webhook, settings: Settings, *, now: datetime) -> None:
    """Tell each administrator once that the webhook is no longer called, why, and how to start it again."""
    recipients = [
        Recipient(user.id, user.email, "en" if user.language == "en" else "fr")
        for user in active_people(session, (Role.ADMINISTRATOR,))
    ]
    notify(session, recipients, notice_of(webhook, now), channels_of(settings), now=now)


def notice_of(webhook: Webhook, now: datetime) -> Notice:
    """What is said. Pure."""
    return Notice(
        dedup_key=f"webhook-disabled:{webhook.id}:{now.isoformat()}",
        subject=Text("Un webhook ne répond plus : il est arrêté", "A webhook no longer answers: it is stopped"),
        body=Text(
            f"{webhook.callback_url} ne répond plus ({webhook.last_error}). Rien n’est perdu : corrigez le "
            f"destinataire, puis relancez par « gateway webhooks retry {webhook.id} ».",
            f"{webhook.callback_url} no longer answers ({webhook.last_error}). Nothing is lost: mend the receiver, "
            f"then start again with “gateway webhooks retry {webhook.id}”.",
        ),
        link="/notifications",
    )
