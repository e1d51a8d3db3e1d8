"""What a person decides about a reminder: confirm or refuse it, say that it was done, settle a doubt about it.

Each takes the reminder's row first and its turn on the ledger after, as whoever sends reminders does.
"""

from datetime import datetime
from email.utils import parseaddr
from typing import Any
from uuid import UUID

from sqlmodel import Session

from gateway.access.scope import Scope
from gateway.collection.errors import InvalidRecipientError, ReminderPartlyVisibleError, ReminderStateError
from gateway.collection.model import Reminder, ReminderState
from gateway.collection.recording import DISPATCH_TASK, move
from gateway.collection.reminder_rows import reminder_by_id, seen_whole
from gateway.jobs.queue import enqueue
from gateway.jobs.undelivered import mark_arrived, send_again
from gateway.kernel.text import Text
from gateway.ledger.service import take_turn

LONGEST_NOTE = 2000
#: Of an address that no contact of the customer had.
_STRANGER: dict[str, Any] = {"role": "other", "name": "", "phone": None, "language": "fr", "postal": []}


def confirm(
    session: Session, scope: Scope, reminder_id: UUID, *, by: str, now: datetime, note: str = "", email: str = ""
) -> Reminder:
    """Let a reminder leave, with words of one's own in it, or to another address of the customer.

    It is checked once more before it does. Raises ReminderNotFoundError, ReminderPartlyVisibleError,
    ReminderStateError, InvalidRecipientError.
    """
    reminder = held_reminder(session, scope, reminder_id, ReminderState.AWAITING)
    if email.strip():
        reminder.contact = _addressed(reminder, email)
    reminder.note = note.strip()[:LONGEST_NOTE]
    facts = {"note": reminder.note, "to": (reminder.contact or {}).get("email") or ""}
    move(session, reminder, ReminderState.PLANNED, now, by=by, facts=facts)
    enqueue(session, DISPATCH_TASK)
    return reminder


def refuse(session: Session, scope: Scope, reminder_id: UUID, *, by: str, reason: str, now: datetime) -> Reminder:
    """Let it not leave, ever; its steps count as taken. Raises as `confirm` does."""
    states = (ReminderState.AWAITING, ReminderState.TODO, ReminderState.FAILED)
    reminder = held_reminder(session, scope, reminder_id, *states)
    move(session, reminder, ReminderState.CANCELLED, now, by=by, outcome=reason)
    return reminder


def complete(
    session: Session, scope: Scope, reminder_id: UUID, *, by: str, outcome: Text | str, now: datetime
) -> Reminder:
    """A person has posted the letter, made the call or done the task; `outcome`: what came of it, or the postal number.

    Raises ReminderNotFoundError, ReminderPartlyVisibleError, ReminderStateError.
    """
    reminder = held_reminder(session, scope, reminder_id, ReminderState.TODO)
    reminder.sent_at = now
    move(session, reminder, ReminderState.SENT, now, by=by, outcome=outcome)
    return reminder


def settle(
    session: Session,
    scope: Scope,
    reminder_id: UUID,
    *,
    by: str,
    arrived: bool,
    now: datetime,
    email: str = "",
) -> Reminder:
    """A person knows whether a message in doubt, or given up, has arrived; when it has not, it is sent again.

    `email`: where to, when it was the address that was wrong; the message is then checked and worded anew. Raises
    ReminderNotFoundError, ReminderPartlyVisibleError, ReminderStateError, InvalidRecipientError,
    DeliveryNotSettledByPersonError.
    """
    reminder = held_reminder(session, scope, reminder_id, ReminderState.IN_DOUBT, ReminderState.FAILED)
    take_turn(session)
    if arrived:
        reminder.sent_at = now
        if reminder.delivery_id is not None:
            reminder.sent_at = mark_arrived(session, reminder.delivery_id, now=now).sent_at
        move(session, reminder, ReminderState.SENT, now, by=by)
    elif email.strip():
        reminder.contact, reminder.delivery_id = _addressed(reminder, email), None
        facts = {"to": reminder.contact["email"]}
        move(session, reminder, ReminderState.PLANNED, now, by=by, facts=facts)
        enqueue(session, DISPATCH_TASK)
    elif reminder.delivery_id is not None:
        send_again(session, reminder.delivery_id, now=now)
        move(session, reminder, ReminderState.QUEUED, now, by=by)
    else:
        move(session, reminder, ReminderState.PLANNED, now, by=by)
        enqueue(session, DISPATCH_TASK)
    return reminder


def held_reminder(session: Session, scope: Scope, reminder_id: UUID, *states: ReminderState) -> Reminder:
    """The reminder, locked, when it stands where this may be done and all of it may be seen.

    Raises ReminderNotFoundError, ReminderPartlyVisibleError, ReminderStateError.
    """
    reminder = reminder_by_id(session, scope, reminder_id, lock=True)
    if not seen_whole(session, scope, [reminder]):
        raise ReminderPartlyVisibleError(reminder_id)
    if reminder.state not in states:
        raise ReminderStateError(reminder_id, ReminderState(reminder.state).label)
    return reminder


def _addressed(reminder: Reminder, email: str) -> dict[str, Any]:
    """The contact of a reminder that goes to another address, whose it is nobody said. Raises InvalidRecipientError."""
    return {**(reminder.contact or _STRANGER), "name": "", "phone": None, "email": _address(email)}


def _address(text: str) -> str:
    """One plain e-mail address. Raises InvalidRecipientError."""
    address = text.strip()
    local, at, domain = address.rpartition("@")
    if parseaddr(address)[1] != address or not (local and at and "." in domain) or not address.isascii():
        raise InvalidRecipientError(address)
    return address
