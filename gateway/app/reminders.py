"""The parts by which reminders are decided and leave, put together."""

from collections.abc import Mapping

from gateway.collection.dispatching import REMINDER_MAIL, REMINDER_SMS, Dispatching, dispatch, last_check
from gateway.collection.evidence import EvidenceKeeper
from gateway.collection.law.context import LawContext
from gateway.collection.messages.composing import MessageComposer
from gateway.collection.messages.values import Composer
from gateway.collection.recording import DISPATCH_TASK
from gateway.collection.reminding import REMINDERS_TASK, ReminderRound
from gateway.collection.scenarios import Channel
from gateway.jobs.channels import Channel as WayOut
from gateway.jobs.engine import JobEngine
from gateway.kernel.settings import Settings
from gateway.notifications.mail import mail_deliverer
from gateway.notifications.sms_hook import sms_deliverer


def composer_of(parts: LawContext) -> MessageComposer:
    """What words reminders."""
    return MessageComposer(
        store=parts.store,
        clock=parts.clock,
        limits=parts.limits,
        law=lambda: parts.law,
        evidence=EvidenceKeeper(parts.store, lambda: parts.key, parts.clock),
        most_bytes=parts.settings.reminder_attachments_bytes,
        most_invoices=parts.settings.reminder_attachments,
    )


def reminders_of(parts: LawContext, compose: Composer) -> Dispatching:
    """How reminders leave: by the servers that are set; what has none, a person sends."""
    settings = parts.settings
    servers = {Channel.EMAIL: settings.smtp_url, Channel.SMS_HOOK: settings.sms_hook_url}
    return Dispatching(
        database=parts.database,
        clock=parts.clock,
        compose=compose,
        leaves=frozenset(channel for channel, server in servers.items() if server is not None),
        batch=settings.batch_size,
    )


def ways_out(reminders: Dispatching, parts: LawContext) -> Mapping[str, WayOut]:
    """The outbox channels of reminders, by kind."""
    by_mail, by_sms = mail_deliverer(parts.settings, parts.clock, parts.store), sms_deliverer(parts.settings)
    found = {}
    if by_mail is not None:
        found[REMINDER_MAIL] = last_check(reminders, by_mail)
    if by_sms is not None:
        found[REMINDER_SMS] = last_check(reminders, by_sms, repeatable=True)
    return found


def round_of(reminders: Dispatching, settings: Settings) -> ReminderRound:
    """The round that decides whom to remind."""
    return ReminderRound(reminders.database, reminders.clock, automatic=settings.reminders_automatic)


def register_reminders(engine: JobEngine, reminders: Dispatching, settings: Settings) -> None:
    """The jobs of reminders."""
    engine.register(REMINDERS_TASK, round_of(reminders, settings).run)
    engine.register(DISPATCH_TASK, lambda organisation_id: dispatch(reminders, organisation_id))
