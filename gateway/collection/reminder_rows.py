"""Queries of reminders. The database keeps organisations apart; a `Scope` narrows what a person sees further."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Subquery, func, true
from sqlalchemy import select as select_columns
from sqlmodel import Session, col, select

from gateway.access.scope import Scope
from gateway.collection.errors import ReminderNotFoundError
from gateway.collection.messages.values import ReminderLine
from gateway.collection.model import Reminder, ReminderInvoice, ReminderState
from gateway.collection.scenarios import Channel
from gateway.customers.model import Customer
from gateway.customers.values import Contact, ContactRole
from gateway.database.paging import Page, SortKey, fetch_page
from gateway.kernel.text import Language
from gateway.lifecycle.model import InvoiceRecord
from gateway.lifecycle.repository import visible_invoices
from gateway.treasury.accounting.model import AccountingEntry

_LATEST_FIRST = (SortKey(col(Reminder.decided_at), datetime.fromisoformat), SortKey(col(Reminder.id), UUID))
#: What waits for a person.
WAITING = (ReminderState.AWAITING, ReminderState.TODO, ReminderState.IN_DOUBT, ReminderState.FAILED)


@dataclass(frozen=True, slots=True)
class ReminderFilter:
    """What is looked for; each attribute given narrows the list.

    Attributes:
        states: where they stand; none: anywhere.
        channels: how they are taken.
        customer_id: of one customer.
        invoice_id: about one invoice, or about the line of the books that turned out to be it.
    """

    states: tuple[ReminderState, ...] = ()
    channels: tuple[Channel, ...] = ()
    customer_id: UUID | None = None
    invoice_id: UUID | None = None


def visible_reminders(scope: Scope) -> ColumnElement[bool]:
    """The condition under which a reminder may be seen: one of its lines may be."""
    if scope.is_everything:
        return true()
    return col(Reminder.id).in_(select(ReminderInvoice.reminder_id).where(visible_lines(scope)))


def visible_lines(scope: Scope) -> ColumnElement[bool]:
    """The same of a line: the books name no agency, so that what only they know is seen with its key account."""
    if scope.is_everything:
        return true()
    invoices = select(InvoiceRecord.id).where(visible_invoices(scope))
    of_key_accounts = (
        select(Reminder.id)
        .join(Customer, col(Customer.id) == Reminder.customer_id)
        .where(col(Customer.siren).in_(scope.key_accounts))
    )
    known = col(ReminderInvoice.entry_id).is_not(None) & col(ReminderInvoice.reminder_id).in_(of_key_accounts)
    return col(ReminderInvoice.invoice_id).in_(invoices) | known


def reminders_page(
    session: Session, scope: Scope, wanted: ReminderFilter, *, cursor: str | None = None, limit: int = 50
) -> Page[Reminder]:
    """The reminders wanted, the latest first. Raises InvalidCursorError."""
    statement = select(Reminder).where(visible_reminders(scope))
    if wanted.states:
        statement = statement.where(col(Reminder.state).in_([state.value for state in wanted.states]))
    if wanted.channels:
        statement = statement.where(col(Reminder.channel).in_([channel.value for channel in wanted.channels]))
    if wanted.customer_id is not None:
        statement = statement.where(Reminder.customer_id == wanted.customer_id)
    if wanted.invoice_id is not None:
        about = lines_about([wanted.invoice_id])
        statement = statement.where(col(Reminder.id).in_(select(about.c.reminder_id)))
    return fetch_page(session, statement, _LATEST_FIRST, cursor=cursor, limit=limit, descending=True)


def count_waiting(session: Session, scope: Scope) -> dict[str, int]:
    """How many reminders wait for a person, by state."""
    rows = session.exec(
        select(Reminder.state, func.count())
        .where(col(Reminder.state).in_([state.value for state in WAITING]), visible_reminders(scope))
        .group_by(Reminder.state)
    )
    return dict(rows.all())


def reminder_by_id(session: Session, scope: Scope, reminder_id: UUID, *, lock: bool = False) -> Reminder:
    """One reminder, kept from other writers when `lock`: before the ledger's turn, as whoever sends it does.

    Raises ReminderNotFoundError, also outside the scope.
    """
    statement = select(Reminder).where(Reminder.id == reminder_id, visible_reminders(scope))
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    found = session.exec(statement).one_or_none()
    if found is None:
        raise ReminderNotFoundError(reminder_id)
    return found


def lines_of(session: Session, reminder_ids: Collection[UUID], scope: Scope) -> dict[UUID, list[ReminderInvoice]]:
    """The lines of these reminders that may be seen, in their order."""
    rows = session.exec(
        select(ReminderInvoice)
        .where(col(ReminderInvoice.reminder_id) == func.any(list(reminder_ids)), visible_lines(scope))
        .order_by(col(ReminderInvoice.reminder_id), col(ReminderInvoice.position))
    )
    found: dict[UUID, list[ReminderInvoice]] = {}
    for row in rows:
        found.setdefault(row.reminder_id, []).append(row)
    return found


def seen_whole(session: Session, scope: Scope, reminders: Sequence[Reminder]) -> frozenset[UUID]:
    """Those of which everything may be seen: each line, each credit note, and what no invoice takes of the account."""
    ids = [each.id for each in reminders]
    if scope.is_everything:
        return frozenset(ids)
    every, mine = lines_of(session, ids, Scope.everything()), lines_of(session, ids, scope)
    credits = {each.id: {UUID(credit["invoice_id"]) for credit in each.credits} for each in reminders}
    sirens = dict(
        session.exec(
            select(Customer.id, Customer.siren).where(
                col(Customer.id) == func.any([each.customer_id for each in reminders])
            )
        ).all()
    )
    visible = set(
        session.exec(
            select(InvoiceRecord.id).where(
                col(InvoiceRecord.id) == func.any(list(set().union(*credits.values()))), visible_invoices(scope)
            )
        )
    )
    return frozenset(
        each.id
        for each in reminders
        if len(mine.get(each.id, [])) == len(every.get(each.id, []))
        and credits[each.id] <= visible
        and (not each.unallocated or sirens[each.customer_id] in scope.key_accounts)
    )


def lines_about(invoice_ids: Collection[UUID]) -> Subquery:
    """The lines of reminders about these invoices, also of when the books alone knew them.

    Columns: `invoice_id`, `reminder_id`, `number`, `position`.
    """
    told = (col(ReminderInvoice.reminder_id), col(ReminderInvoice.number), col(ReminderInvoice.position))
    among = func.any(list(invoice_ids))
    invoice_id = col(ReminderInvoice.invoice_id)
    named: Any = select_columns(invoice_id.label("invoice_id"), *told).where(invoice_id == among)
    arrived = (
        select_columns(col(AccountingEntry.invoice_id), *told)
        .join(AccountingEntry, col(AccountingEntry.id) == ReminderInvoice.entry_id)
        .where(col(ReminderInvoice.entry_id).is_not(None), col(AccountingEntry.invoice_id) == among)  # few: by that
    )
    found: Subquery = named.union_all(arrived).subquery()
    return found


def line_of(row: ReminderInvoice, on: date) -> ReminderLine:
    """A line as it is told on a day. Pure."""
    return ReminderLine(
        invoice_id=row.item_id,
        number=row.number,
        seller_siren=row.seller_siren,
        issue_date=row.issue_date,
        due_date=row.due_date,
        days_late=(on - row.due_date).days,
        total=row.total,
        remaining=row.remaining,
        claimed=row.claimed,
        is_instalment=row.is_instalment,
        books_only=row.entry_id is not None,
    )


def contact_of(reminder: Reminder) -> Contact | None:
    """To whom a reminder goes; None when nobody is known. Pure."""
    if reminder.contact is None:
        return None
    told = reminder.contact
    language: Language = told["language"]
    return Contact(
        ContactRole(told["role"]), told["name"], told["email"], told["phone"], language, tuple(told["postal"])
    )
