"""Write decisions about reminders down, once, and take them back when they no longer hold."""

from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from gateway.access.scope import Scope
from gateway.collection.account import Account
from gateway.collection.account_rows import accounts_of
from gateway.collection.announcing import announce_sent
from gateway.collection.messages.values import CreditLine
from gateway.collection.model import Reminder, ReminderInvoice, ReminderState
from gateway.collection.rechecking import Recheck, recheck
from gateway.collection.reminder_rows import line_of, lines_of
from gateway.collection.reminders import NO_CONTACT, ReminderDecision
from gateway.collection.scenario_books import book_in_force
from gateway.collection.scenarios import PAYMENT, Channel, ScenarioBook
from gateway.customers.values import Contact
from gateway.database.engine import organisation_of
from gateway.jobs.queue import enqueue
from gateway.kernel.clock import paris_date
from gateway.kernel.identifiers import new_id
from gateway.kernel.text import Text
from gateway.ledger.service import append

DISPATCH_TASK = "reminders.dispatch"
#: What waits for a person: it may be overtaken by a payment or a dispute meanwhile.
OPEN_TO_CHANGE = (ReminderState.AWAITING.value, ReminderState.TODO.value)
_PAGE = 500


def record(session: Session, decision: ReminderDecision, now: datetime, *, automatic: bool) -> Reminder | None:
    """Write a decision down; None when it asks for nothing, or was written before.

    The caller took its turn on the ledger before the account was read. `automatic`: automatic steps leave by
    themselves; else a person confirms every message first.
    """
    step, channel = decision.step, decision.channel
    if step is None or channel is None or decision.anchor is None:
        return None
    reminder = Reminder(
        organisation_id=organisation_of(session),
        customer_id=decision.account.customer.id,
        currency=decision.account.currency,
        scenario=decision.scenario,
        step=decision.key,
        title_fr=step.title.fr,
        title_en=step.title.en,
        anchor_id=decision.anchor,
        channel=channel.value,
        template=NO_CONTACT if decision.key == NO_CONTACT else step.template,
        tone=decision.tone,
        is_thanks=step.counts_from == PAYMENT,
        language=decision.language,
        contact=contact_content(decision.contact),
        credits=[credit_content(each) for each in decision.credits],
        unallocated=decision.unallocated,
        total=decision.total,
        state=_first_state(decision, channel, automatic).value,
        decided_at=now,
        decided_on=paris_date(now),
        decided_by="clock",
    )
    written = session.execute(
        insert(Reminder).values(reminder.model_dump()).on_conflict_do_nothing().returning(col(Reminder.id))
    ).first()
    if written is None:
        return None
    session.execute(insert(ReminderInvoice), list(_lines(decision, reminder)))
    content: dict[str, Any] = {
        "customer_id": str(reminder.customer_id),
        "step": reminder.step,
        "channel": reminder.channel,
        "state": reminder.state,
        "total": str(reminder.total),
        "currency": reminder.currency,
        "invoices": [str(each.line.invoice_id) for each in decision.lines if not each.line.books_only],
        "entries": [str(each.line.invoice_id) for each in decision.lines if each.line.books_only],
    }
    append(session, at=now, kind="reminder.decided", subject=f"reminder:{reminder.id}", content=content)
    if reminder.state == ReminderState.PLANNED:
        enqueue(session, DISPATCH_TASK)
    return reminder


def void_reminders(session: Session, now: datetime) -> list[UUID]:
    """Those that wait for a person and no longer hold, a page of customers in a bounded number of statements."""
    waiting: dict[UUID, list[Reminder]] = {}
    for reminder in session.exec(select(Reminder).where(col(Reminder.state).in_(OPEN_TO_CHANGE))):
        waiting.setdefault(reminder.customer_id, []).append(reminder)
    void: list[UUID] = []
    customers, book = list(waiting), book_in_force(session, paris_date(now))
    for start in range(0, len(customers), _PAGE):
        page = customers[start : start + _PAGE]
        lines = _lines_of(session, [each.id for customer in page for each in waiting[customer]])
        found = {(each.customer.id, each.currency): each for each in accounts_of(session, page, now)}
        for reminder in (each for customer in page for each in waiting[customer]):
            account = found.get((reminder.customer_id, reminder.currency))
            if _checked(reminder, lines[reminder.id], account, book, now).withdrawn is not None:
                void.append(reminder.id)
    return void


def withdraw_if_void(session: Session, reminder_id: UUID, now: datetime) -> bool:
    """Withdraw a reminder that waits for a person when it no longer holds; one that someone handles is left alone."""
    reminder = session.exec(
        select(Reminder)
        .where(Reminder.id == reminder_id, col(Reminder.state).in_(OPEN_TO_CHANGE))
        .with_for_update(skip_locked=True)
    ).one_or_none()
    if reminder is None:
        return False
    checked = check_again(session, reminder, now)
    if checked.withdrawn is not None:
        withdraw(session, reminder, checked, now)
    return checked.withdrawn is not None


def check_again(session: Session, reminder: Reminder, now: datetime) -> Recheck:
    """A reminder against its account as it is now."""
    found = accounts_of(session, [reminder.customer_id], now)
    account = next((each for each in found if each.currency == reminder.currency), None)
    lines, book = _lines_of(session, [reminder.id])[reminder.id], book_in_force(session, paris_date(now))
    return _checked(reminder, lines, account, book, now)


def _checked(
    reminder: Reminder, lines: list[ReminderInvoice], account: Account | None, book: ScenarioBook, now: datetime
) -> Recheck:
    today = paris_date(now)
    told = [line_of(row, today) for row in lines]
    scenario = None if account is None else book.scenario_for(account)
    return recheck(told, reminder.anchor_id, account, scenario, today, is_thanks=reminder.is_thanks)


def _lines_of(session: Session, reminder_ids: list[UUID]) -> dict[UUID, list[ReminderInvoice]]:
    return lines_of(session, reminder_ids, Scope.everything())


def withdraw(session: Session, reminder: Reminder, checked: Recheck, now: datetime) -> None:
    """What it claimed is held back by now: it will not leave, and its steps count as not taken."""
    move(session, reminder, ReminderState.WITHDRAWN, now, outcome=checked.withdrawn.text if checked.withdrawn else "")
    session.execute(update(ReminderInvoice).where(col(ReminderInvoice.reminder_id) == reminder.id).values(step=None))


def move(
    session: Session,
    reminder: Reminder,
    state: ReminderState,
    now: datetime,
    *,
    by: str | None = None,
    outcome: Text | str | None = None,
    facts: dict[str, Any] | None = None,
    documents: tuple[str, ...] = (),
) -> None:
    """Change where a reminder stands, and say so in the ledger; its row is locked by the caller.

    `by`: who decided it, None for the gateway itself. `facts`, `documents`: what else the entry tells.
    """
    reminder.state = state.value
    reminder.settled_by = by or reminder.settled_by
    reminder.tell(outcome)
    session.add(reminder)
    content = {"state": state.value, "by": by or "gateway", "outcome": reminder.outcome_fr or "", **(facts or {})}
    append(
        session,
        at=now,
        kind=f"reminder.{state.value}",
        subject=f"reminder:{reminder.id}",
        content=content,
        documents=documents,
    )
    if state is ReminderState.SENT:
        announce_sent(session, reminder, now)


def credit_content(credit: CreditLine) -> dict[str, str]:
    """A credit note as it is kept with the reminder that took it off."""
    return {
        "invoice_id": str(credit.invoice_id),
        "number": credit.number,
        "issue_date": credit.issue_date.isoformat(),
        "remaining": str(credit.remaining),
    }


def contact_content(contact: Contact | None) -> dict[str, Any] | None:
    """A contact as it is kept with the reminder it got."""
    return None if contact is None else {**asdict(contact), "postal": list(contact.postal)}


def _first_state(decision: ReminderDecision, channel: Channel, automatic: bool) -> ReminderState:
    if not channel.is_written:
        return ReminderState.TODO
    return ReminderState.AWAITING if decision.needs_confirmation or not automatic else ReminderState.PLANNED


def _lines(decision: ReminderDecision, reminder: Reminder) -> list[dict[str, Any]]:
    """The rows of the lines; a step is taken for an invoice by the first of them only."""
    taken: set[tuple[UUID, str]] = set()
    rows = []
    for position, each in enumerate(decision.lines):
        line, key = each.line, each.key
        if key is not None and (line.invoice_id, key) in taken:
            key = None
        elif key is not None:
            taken.add((line.invoice_id, key))
        row = ReminderInvoice(
            organisation_id=reminder.organisation_id,
            id=new_id(),
            reminder_id=reminder.id,
            invoice_id=None if line.books_only else line.invoice_id,
            entry_id=line.invoice_id if line.books_only else None,
            step=key,
            position=position,
            number=line.number,
            seller_siren=line.seller_siren,
            issue_date=line.issue_date,
            due_date=line.due_date,
            total=line.total,
            remaining=line.remaining,
            claimed=line.claimed,
            is_instalment=line.is_instalment,
        )
        rows.append(row.model_dump())
    return rows
