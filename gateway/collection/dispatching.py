"""Let reminders leave: each is checked again, worded, and put in the outbox or before a person; its end is followed.

Lock order: the reminder's own row, then the turn of the ledger. A message is worded before the turn.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date, datetime
from hashlib import sha256
from uuid import UUID

import structlog
from sqlalchemy import case, func
from sqlmodel import Session, col, select

from gateway.access.scope import Scope
from gateway.collection.messages.values import ComposedMessage, Composer, PaperKind, ReminderMessage
from gateway.collection.model import Reminder, ReminderInvoice, ReminderState
from gateway.collection.rechecking import Recheck
from gateway.collection.recording import DISPATCH_TASK, check_again, credit_content, move, withdraw
from gateway.collection.reminder_rows import contact_of, lines_of, reminder_by_id
from gateway.collection.returning import stop_address, stopped
from gateway.collection.scenarios import Channel
from gateway.customers.repository import customers_by_id
from gateway.database.engine import Database
from gateway.jobs.channels import Channel as WayOut
from gateway.jobs.channels import Deliverer, Delivery, DeliveryFailedError
from gateway.jobs.model import OutboxMessage, OutboxState
from gateway.jobs.outbox import put_in_outbox
from gateway.jobs.queue import enqueue
from gateway.kernel.clock import Clock, paris_date
from gateway.kernel.errors import GatewayError
from gateway.kernel.money import ZERO
from gateway.kernel.text import Text
from gateway.ledger.service import take_turn
from gateway.notifications.mail import ADDRESS_REFUSED

#: Kinds of outbox messages: checked a last time at the moment they leave.
REMINDER_MAIL = "reminder.email"
REMINDER_SMS = "reminder.sms"
_KINDS = {Channel.EMAIL: REMINDER_MAIL, Channel.SMS_HOOK: REMINDER_SMS}
_ENDS = {
    OutboxState.SENT.value: ReminderState.SENT.value,
    OutboxState.FAILED.value: ReminderState.FAILED.value,
    OutboxState.AMBIGUOUS.value: ReminderState.IN_DOUBT.value,
}
_FOLLOWED = (ReminderState.QUEUED.value, ReminderState.IN_DOUBT.value, ReminderState.FAILED.value)
#: Why a message stays: it is worded again, or withdrawn.
_STALE = Text("ce qu’elle réclame a changé pendant qu’elle attendait", "what it claims has changed while it waited")
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Dispatching:
    """How reminders leave.

    Attributes:
        compose: words a message.
        leaves: the channels that a server is set for; what else is written, a person sends.
        batch: how many are handled in one go.
    """

    database: Database
    clock: Clock
    compose: Composer
    leaves: frozenset[Channel]
    batch: int


def dispatch(context: Dispatching, organisation_id: UUID) -> int:
    """Let what was decided leave, each alone, and follow what left; how many were handled."""
    handled = follow(context, organisation_id)
    while handled < context.batch:
        if not _let_go_next(context, organisation_id):
            return handled
        handled += 1
    with context.database.transaction(organisation_id) as session:
        enqueue(session, DISPATCH_TASK)
    return handled


def last_check(context: Dispatching, deliver: Deliverer, *, repeatable: bool = False) -> WayOut:
    """The way out of reminders: what was paid or disputed while a message waited for the server is not sent, and
    nothing is to an address that was found wrong meanwhile.

    `repeatable`: the other side recognises a repeat by its key.
    """

    def send(delivery: Delivery) -> str | None:
        with context.database.transaction(delivery.organisation_id) as session:
            reminder = session.exec(select(Reminder).where(Reminder.id == delivery.subject_id)).one()
            fault = stopped(session, reminder)
            stale = not _is_as_worded(session, reminder, check_again(session, reminder, context.clock()))
        if fault is not None:
            raise DeliveryFailedError(_in_one(fault.says), permanent=True)
        if stale:
            raise DeliveryFailedError(_in_one(_STALE), permanent=True)
        return deliver(delivery)

    return WayOut(send, repeatable=repeatable)


def follow(context: Dispatching, organisation_id: UUID) -> int:
    """Move the reminders whose messages have come to another end, and tell the ledger; how many."""
    with context.database.transaction(organisation_id) as session:
        end = case(_ENDS, value=col(OutboxMessage.state), else_=ReminderState.QUEUED.value)
        found = session.exec(
            select(Reminder, OutboxMessage)
            .join(OutboxMessage, col(OutboxMessage.id) == col(Reminder.delivery_id))
            .where(col(Reminder.state).in_(_FOLLOWED), col(Reminder.state) != end)
            .limit(context.batch)
            .with_for_update(of=Reminder, skip_locked=True)
        ).all()
        for reminder, message in found:
            _move_as(session, reminder, message, context.clock())
        return len(found)


def _move_as(session: Session, reminder: Reminder, message: OutboxMessage, now: datetime) -> None:
    refused = message.last_error or ""
    if message.state == OutboxState.FAILED and refused.endswith(_STALE.en):
        move(session, reminder, ReminderState.PLANNED, now, outcome=_STALE)
        enqueue(session, DISPATCH_TASK)
        return
    state = ReminderState(_ENDS.get(message.state, ReminderState.QUEUED.value))
    reminder.sent_at = message.sent_at
    facts = {"remote_id": message.remote_id or "", "sent_at": message.sent_at.isoformat() if message.sent_at else ""}
    fault = stopped(session, reminder) if state is ReminderState.FAILED else None
    told = fault.says if fault is not None and refused == _in_one(fault.says) else message.last_error
    move(session, reminder, state, now, outcome=told, facts=facts)
    if state is ReminderState.FAILED and refused.startswith(ADDRESS_REFUSED):
        stop_address(session, reminder, refused.removeprefix(f"{ADDRESS_REFUSED}: "), by="gateway", now=now)


def _let_go_next(context: Dispatching, organisation_id: UUID) -> bool:
    """Handle the reminder that was decided first; False when there is none. One that fails is left to a person."""
    reminder_id: UUID | None = None
    try:
        with context.database.transaction(organisation_id) as session:
            reminder = session.exec(
                select(Reminder)
                .where(Reminder.state == ReminderState.PLANNED.value)
                .order_by(col(Reminder.decided_at), col(Reminder.id))
                .limit(1)
                .with_for_update(skip_locked=True)
            ).first()
            if reminder is None:
                return False
            reminder_id = reminder.id
            _let_go(session, reminder, context)
    except Exception as error:
        if reminder_id is None:
            raise
        _log.exception("reminder_not_worded", reminder=str(reminder_id))
        with context.database.transaction(organisation_id) as session:
            reminder = reminder_by_id(session, Scope.everything(), reminder_id, lock=True)
            if reminder.state == ReminderState.PLANNED:
                move(session, reminder, ReminderState.FAILED, context.clock(), outcome=_said_by(error))
    return True


def _said_by(error: Exception) -> Text:
    """Why a message could not be worded."""
    if isinstance(error, GatewayError):
        return Text(error.in_language("fr"), error.in_language("en"))
    return Text.of(f"{type(error).__name__}: {error}")


def _in_one(told: Text) -> str:
    """What the outbox keeps as the reason of a failure."""
    return f"{told.fr} / {told.en}"


def _let_go(session: Session, reminder: Reminder, context: Dispatching) -> None:
    now = context.clock()
    checked = check_again(session, reminder, now)
    if checked.withdrawn is not None:
        withdraw(session, reminder, checked, now)
        return
    if fault := stopped(session, reminder):
        move(session, reminder, ReminderState.FAILED, now, outcome=fault.says)
        return
    customer = customers_by_id(session, [reminder.customer_id])[reminder.customer_id]
    message = message_of(reminder, customer.name, checked, paris_date(now))
    composed = context.compose(session, message)
    _keep(session, reminder, checked, composed)
    address = _address(message)
    if address is None or message.channel not in context.leaves:
        move(session, reminder, ReminderState.TODO, now, facts=_facts(composed), documents=_hashes(composed))
        return
    earlier = session.exec(select(func.count()).where(OutboxMessage.subject_id == reminder.id)).one()
    key = f"reminder:{reminder.id}:{earlier}"
    take_turn(session)
    put_in_outbox(
        session,
        kind=_KINDS[message.channel],
        idempotency_key=key,
        payload={
            "to": address,
            "subject": composed.subject,
            "body": composed.text,
            "html": composed.html,
            "attachments": [each for each in reminder.documents if each["kind"] != PaperKind.EVIDENCE],
            "reply_to": composed.reply_to,
        },
        now=now,
        subject_id=reminder.id,
    )
    reminder.delivery_id = session.exec(select(OutboxMessage.id).where(OutboxMessage.idempotency_key == key)).one()
    facts = {"to": address, **_facts(composed)}
    move(session, reminder, ReminderState.QUEUED, now, facts=facts, documents=_hashes(composed))


def message_of(reminder: Reminder, customer_name: str, checked: Recheck, on: date) -> ReminderMessage:
    """What the wording of a reminder depends on, on a day. Pure."""
    return ReminderMessage(
        reminder_id=reminder.id,
        customer_id=reminder.customer_id,
        customer_name=customer_name,
        contact=contact_of(reminder),
        language="fr" if reminder.language == "fr" else "en",
        channel=Channel(reminder.channel),
        template=reminder.template,
        tone=reminder.tone,
        on=on,
        currency=reminder.currency,
        lines=checked.lines,
        credits=checked.credits,
        unallocated=checked.unallocated,
        total=checked.total,
        note=reminder.note,
    )


def _keep(session: Session, reminder: Reminder, checked: Recheck, composed: ComposedMessage) -> None:
    """Keep what was worded: the amounts of now; a line that is held back by now claims nothing and takes no step."""
    claimed = {(line.invoice_id, line.due_date): line for line in checked.lines}
    for row in _rows(session, reminder):
        line = claimed.get((row.item_id, row.due_date))
        row.claimed, row.remaining = (line.claimed, line.remaining) if line else (ZERO, row.remaining)
        row.step = row.step if line else None
        session.add(row)
    reminder.total, reminder.unallocated = checked.total, checked.unallocated
    reminder.credits = [credit_content(each) for each in checked.credits]
    reminder.subject, reminder.text = composed.subject, composed.text
    reminder.documents = [asdict(each) for each in composed.attachments]


def _is_as_worded(session: Session, reminder: Reminder, checked: Recheck) -> bool:
    said = {(row.item_id, row.due_date): row.claimed for row in _rows(session, reminder) if row.claimed}
    holds = {(line.invoice_id, line.due_date): line.claimed for line in checked.lines}
    return checked.withdrawn is None and said == holds and reminder.total == checked.total


def _rows(session: Session, reminder: Reminder) -> Iterable[ReminderInvoice]:
    return lines_of(session, [reminder.id], Scope.everything())[reminder.id]


def _address(message: ReminderMessage) -> str | None:
    """Where a message that leaves by itself goes."""
    if message.contact is None or not message.channel.leaves_by_itself:
        return None
    return message.contact.email if message.channel is Channel.EMAIL else message.contact.phone


def _facts(composed: ComposedMessage) -> dict[str, str]:
    """What the ledger keeps of the wording besides the documents."""
    worded = f"{composed.subject}\n\n{composed.text}"
    return {"subject": composed.subject, "text_sha256": sha256(worded.encode()).hexdigest()}


def _hashes(composed: ComposedMessage) -> tuple[str, ...]:
    return tuple(each.sha256 for each in composed.attachments)
