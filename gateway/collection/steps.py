"""The steps of scenarios that were taken, read for many invoices and lines of the books at once."""

from collections.abc import Collection
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select, union_all
from sqlmodel import Session, col

from gateway.collection.account import StepTaken
from gateway.collection.model import Reminder, ReminderInvoice, ReminderState
from gateway.collection.reminders import NO_CONTACT
from gateway.collection.scenarios import Channel
from gateway.kernel.clock import paris_date
from gateway.treasury.accounting.model import AccountingEntry


def steps_taken(
    session: Session, invoice_ids: Collection[UUID], entry_ids: Collection[UUID]
) -> dict[UUID, tuple[StepTaken, ...]]:
    """The steps taken for each invoice and line of the books, the oldest first; one that left counts as done that day.

    What was taken for a line of the books counts for the invoice that it turned out to be.
    """
    facts: tuple[Any, ...] = (
        col(ReminderInvoice.step),
        col(Reminder.decided_at),
        col(Reminder.decided_on),
        col(Reminder.sent_at),
        col(Reminder.tone),
        col(Reminder.state),
        col(Reminder.channel),
        col(Reminder.id).label("reminder_id"),
    )
    taken_for = (
        select(col(ReminderInvoice.invoice_id).label("item_id"), *facts)
        .join(Reminder, col(Reminder.id) == ReminderInvoice.reminder_id)
        .where(col(ReminderInvoice.invoice_id) == func.any(list(invoice_ids)))
    )
    by_books = (
        select(func.coalesce(col(AccountingEntry.invoice_id), col(AccountingEntry.id)), *facts)
        .join(Reminder, col(Reminder.id) == ReminderInvoice.reminder_id)
        .join(AccountingEntry, col(AccountingEntry.id) == ReminderInvoice.entry_id)
        .where(
            col(ReminderInvoice.entry_id).is_not(None),  # few: they are looked up by that
            or_(
                col(AccountingEntry.invoice_id) == func.any(list(invoice_ids)),
                col(AccountingEntry.id) == func.any(list(entry_ids)),
            ),
        )
    )
    every = union_all(taken_for, by_books).subquery()
    statement = select(every).where(every.c.step.is_not(None)).order_by(every.c.decided_at, every.c.reminder_id)
    found: dict[UUID, tuple[StepTaken, ...]] = {}
    for row in session.execute(statement):
        done = row.state == ReminderState.SENT and row.channel != Channel.TASK and row.step != NO_CONTACT
        taken = StepTaken(row.step, day_of(row.sent_at, row.decided_on), row.tone, done)
        found[row.item_id] = (*found.get(row.item_id, ()), taken)
    return found


def day_of(sent_at: datetime | None, decided_on: date) -> date:
    """When a reminder reached the customer, else when it was decided (Europe/Paris)."""
    return paris_date(sent_at) if sent_at is not None else decided_on
