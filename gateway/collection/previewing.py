"""A message as a person reads it: as it left, or as it would leave now, before it is confirmed. It writes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlmodel import Session

from gateway.access.scope import Scope
from gateway.collection.dispatching import message_of
from gateway.collection.errors import (
    NothingToSendError,
    ReminderDocumentNotFoundError,
    ReminderPartlyVisibleError,
)
from gateway.collection.holds import Reason
from gateway.collection.messages.values import Draft, Drafter, Paper, PaperKind, ReminderMessage
from gateway.collection.model import Reminder
from gateway.collection.recording import check_again
from gateway.collection.reminder_rows import reminder_by_id, seen_whole
from gateway.collection.reminder_views import may_see, seen_by
from gateway.collection.reminders import NO_CONTACT, ReminderDecision
from gateway.collection.reminding import preview
from gateway.customers.repository import customers_by_id
from gateway.kernel.clock import Clock, paris_date
from gateway.ledger.documents import DocumentStore


@dataclass(frozen=True, slots=True)
class Previews:
    """Shows messages; `draft` words them. `store`: where what left is kept."""

    draft: Drafter
    store: DocumentStore
    clock: Clock

    def of_reminder(self, session: Session, scope: Scope, reminder: Reminder) -> Draft | Reason:
        """A reminder as it would leave now; why nothing would, when what it claims is held back by now.

        Raises ReminderPartlyVisibleError to whoever does not see all of it, and what the wording raises.
        """
        if reminder.id not in seen_whole(session, scope, [reminder]):
            raise ReminderPartlyVisibleError(reminder.id)
        now = self.clock()
        checked = check_again(session, reminder, now)
        if checked.withdrawn is not None:
            return checked.withdrawn
        customer = customers_by_id(session, [reminder.customer_id])[reminder.customer_id]
        return self.draft(session, message_of(reminder, customer.name, checked, paris_date(now)))

    def of_decision(self, session: Session, scope: Scope, customer_id: UUID, currency: str, at: datetime) -> Draft:
        """What the round would send to an account at an instant.

        Raises NothingToSendError, also to who sees nothing of it; ReminderPartlyVisibleError to who sees a part.
        """
        decision = next(
            (each for each in preview(session, at, [customer_id]) if each.account.currency == currency), None
        )
        mine = seen_by(decision, scope) if decision else None
        if decision is None or mine is None or decision.step is None or decision.key == NO_CONTACT:
            raise NothingToSendError(customer_id)
        if (mine.lines, mine.credits, mine.unallocated) != (decision.lines, decision.credits, decision.unallocated):
            raise ReminderPartlyVisibleError(customer_id)
        return self.draft(session, message_decided(decision, paris_date(at)))

    def document(self, session: Session, scope: Scope, reminder_id: UUID, position: int) -> Paper:
        """One document of a reminder, as it left or as it would leave now; `position` counts from 1.

        Raises ReminderNotFoundError, ReminderPartlyVisibleError, ReminderDocumentNotFoundError, also of a document
        that tells more than may be seen; DocumentMissingError, DocumentDamagedError.
        """
        reminder = reminder_by_id(session, scope, reminder_id)
        customer = customers_by_id(session, [reminder.customer_id])[reminder.customer_id]
        if reminder.text is None:
            draft = self.of_reminder(session, scope, reminder)
            return one_of(() if isinstance(draft, Reason) else draft.papers, position, scope, customer.siren)
        if reminder.id not in seen_whole(session, scope, [reminder]):
            raise ReminderPartlyVisibleError(reminder.id)
        kept = reminder.documents[position - 1 : position] if position > 0 else []
        if not kept or not may_see(kept[0].get("kind"), scope, customer.siren):
            raise ReminderDocumentNotFoundError(position)
        told = kept[0]
        kind = PaperKind(told.get("kind", PaperKind.STATEMENT))
        return Paper(kind, told["name"], told["media_type"], self.store.get(told["sha256"]))


def message_decided(decision: ReminderDecision, on: date) -> ReminderMessage:
    """What the wording of a decision depends on, on a day, before it is a reminder. Pure."""
    assert decision.step is not None
    assert decision.channel is not None
    return ReminderMessage(
        reminder_id=None,
        customer_id=decision.account.customer.id,
        customer_name=decision.account.customer.name,
        contact=decision.contact,
        language=decision.language,
        channel=decision.channel,
        template=decision.step.template,
        tone=decision.tone,
        on=on,
        currency=decision.account.currency,
        lines=tuple(each.line for each in decision.lines),
        credits=decision.credits,
        unallocated=decision.unallocated,
        total=decision.total,
    )


def one_of(papers: Sequence[Paper], position: int, scope: Scope, customer_siren: str | None) -> Paper:
    """The paper at a position, from 1. Pure. Raises ReminderDocumentNotFoundError, also when it may not be seen."""
    for number, paper in enumerate(papers, start=1):
        if number == position and may_see(paper.kind, scope, customer_siren):
            return paper
    raise ReminderDocumentNotFoundError(position)
