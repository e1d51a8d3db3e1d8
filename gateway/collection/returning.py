"""Messages that came back, and addresses that a reminder may not go to any more."""

from datetime import datetime
from uuid import UUID

from sqlmodel import Session

from gateway.access.scope import Scope
from gateway.collection.address_faults import fault_of, fault_rows, keep_fault
from gateway.collection.confirming import held_reminder
from gateway.collection.errors import ReminderStateError
from gateway.collection.model import Reminder, ReminderState
from gateway.collection.reachability import AddressFault, FaultKind
from gateway.collection.recording import move
from gateway.collection.reminder_rows import contact_of
from gateway.collection.scenarios import Channel


def stopped(session: Session, reminder: Reminder) -> AddressFault | None:
    """Why an e-mail or a text message may not go where it is addressed; None while it may."""
    contact = contact_of(reminder)
    if contact is None or not Channel(reminder.channel).leaves_by_itself:
        return None
    faults = (fault_of(row) for row in fault_rows(session, [reminder.customer_id]).get(reminder.customer_id, ()))
    return next((each for each in faults if each.touches(contact)), None)


def stop_address(session: Session, reminder: Reminder, words: str, *, by: str, now: datetime) -> None:
    """The address of an e-mail is wrong: nothing goes there any more. The caller holds its turn on the ledger."""
    contact = contact_of(reminder)
    if contact is None or contact.email is None:
        return
    keep_fault(
        session,
        reminder.customer_id,
        contact.email,
        FaultKind.REFUSED,
        words=words,
        by=by,
        now=now,
        reminder_id=reminder.id,
    )


def came_back(session: Session, scope: Scope, reminder_id: UUID, *, by: str, words: str, now: datetime) -> Reminder:
    """An e-mail that had left came back as undeliverable: its step reached nobody, and its address is stopped.

    `words`: what the returned message says. Raises ReminderNotFoundError, ReminderPartlyVisibleError,
    ReminderStateError.
    """
    reminder = held_reminder(session, scope, reminder_id, ReminderState.SENT)
    if reminder.channel != Channel.EMAIL:
        raise ReminderStateError(reminder_id, Channel(reminder.channel).label)
    reminder.sent_at, reminder.delivery_id = None, None
    move(session, reminder, ReminderState.FAILED, now, by=by, outcome=words)
    stop_address(session, reminder, words, by=by, now=now)
    return reminder
