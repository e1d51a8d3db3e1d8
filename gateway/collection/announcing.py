"""Tell programs what became of a promise, and that a reminder was sent."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from pydantic import Field
from sqlmodel import Session

from gateway.collection.agreements.model import Promise, Step
from gateway.collection.model import Reminder
from gateway.kernel.text import Text
from gateway.notifications.announcements import Fact, announce


class PromiseFact(Fact):
    """A promise of payment as it was kept, partly kept, broken, or runs again."""

    promise_id: UUID
    customer_id: UUID
    amount: Decimal = Field(description="What was promised, VAT included")
    currency: str
    due_on: date = Field(description="Day promised, Europe/Paris")
    awaited: Decimal = Field(description="What is still to come of it")
    contact: str = Field(description="Who promised; empty when not told")


class ReminderFact(Fact):
    """A reminder that has left, or that a person has carried out."""

    reminder_id: UUID
    customer_id: UUID
    scenario: str
    step: str
    title: Text
    channel: str
    total: Decimal = Field(description="Claimed, less credit notes and unallocated money")
    currency: str
    sent_at: datetime | None


def announce_promise(session: Session, promise: Promise, step: Step, now: datetime) -> None:
    """`step`: what became of it."""
    fact = PromiseFact(promise_id=promise.id, **promise.model_dump(include=set(PromiseFact.model_fields)))
    announce(session, f"promise.{step.value}", f"promise/{promise.id}", fact, now)


def announce_sent(session: Session, reminder: Reminder, now: datetime) -> None:
    """It has left, or was carried out."""
    fact = ReminderFact(
        reminder_id=reminder.id,
        title=Text(reminder.title_fr, reminder.title_en),
        **reminder.model_dump(include=set(ReminderFact.model_fields)),
    )
    announce(session, "reminder.sent", f"reminder/{reminder.id}", fact, now)
