"""Accounts as the database holds them now: many at once, a page of customers in a bounded number of statements."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Text as SqlText
from sqlalchemy import cast, func, select
from sqlalchemy.dialects.postgresql import array
from sqlmodel import Session, col

from gateway.access.scope import Scope
from gateway.alerts.model import Alert
from gateway.alerts.repository import UNSETTLED
from gateway.collection.account import Account, Exclusion, OpenItem, StepTaken, Waiting
from gateway.collection.address_faults import fault_of, fault_rows
from gateway.collection.agreements.reading import agreements_of
from gateway.collection.agreements.values import Agreements
from gateway.collection.books import numbers_known, openings_by_account, with_books
from gateway.collection.law.model import HandOver, HandOverInvoice
from gateway.collection.model import (
    ActionState,
    CollectionAction,
    Reminder,
    ReminderExclusion,
    ReminderInvoice,
    ReminderState,
)
from gateway.collection.reachability import AddressFault, faults_of
from gateway.collection.scenario_books import book_in_force
from gateway.collection.scenarios import Channel, ScenarioBook
from gateway.collection.scoring import Punctuality, punctuality_of, risk_of
from gateway.collection.steps import day_of, steps_taken
from gateway.collection.worklist.model import CollectionCall
from gateway.collection.worklist.policy import worklist_policy
from gateway.customers.model import Customer, CustomerInvoice
from gateway.customers.repository import facts_of
from gateway.database.engine import plan_for_values
from gateway.kernel.clock import paris_date
from gateway.kernel.money import ZERO
from gateway.kernel.text import Text
from gateway.lifecycle.model import Direction, InvoiceRecord
from gateway.lifecycle.projection import InvoiceState
from gateway.treasury.accounting.model import AccountingEntry
from gateway.treasury.accounting.opening_rows import Opening
from gateway.treasury.definitions import definitions
from gateway.treasury.left_rows import left_of_invoices
from gateway.treasury.receivable_rows import unallocated_money
from gateway.treasury.write_off_rows import invoices_lost

_PAGE = 500
_REFUSED_DELIVERY = "delivery.refused"
#: Conditions of the alerts that say that an invoice is on its way for too long.
_NOT_ARRIVED = ("deadline.invoice_not_sent", "deadline.not_deposited", "deadline.not_made_available")
#: A thank-you comes soon after the payment or never.
_THANKED_WITHIN = timedelta(days=60)
#: Parts of the projected state that no decision about reminders reads.
_UNREAD = (
    "history",
    "expected_next",
    "collected",
    "granted",
    "remaining",
    "remaining_by_rate",
    "currency",
    "transmission",
    "reporting",
    "payee",
)
_ON_THEIR_WAY = (ReminderState.PLANNED, ReminderState.QUEUED)
_REACHED = (*_ON_THEIR_WAY, ReminderState.SENT, ReminderState.IN_DOUBT)
#: What a person is to post or to say keeps the distance from the day it was decided, until it is done.
_CONTACTS = (*_REACHED, ReminderState.TODO)
_WAITING = (ReminderState.AWAITING, ReminderState.IN_DOUBT)


def accounts(session: Session, now: datetime) -> Iterator[Account]:
    """Every account with something open or to be thanked for, page by page, in the order of their customers."""
    whole = _Whole.read(session, now)
    after: UUID | None = None
    while True:
        statement = select(col(Customer.id)).order_by(col(Customer.id)).limit(_PAGE)
        if after is not None:
            statement = statement.where(col(Customer.id) > after)
        page = session.execute(statement).scalars().all()
        if not page:
            return
        yield from _page(session, page, whole, now)
        after = page[-1]


def accounts_of(session: Session, customer_ids: Collection[UUID], now: datetime) -> Iterator[Account]:
    """The accounts of these customers that have anything open or to be thanked for, one for each currency."""
    yield from _page(session, customer_ids, _Whole.read(session, now, customer_ids), now)


def _page(session: Session, customer_ids: Collection[UUID], whole: "_Whole", now: datetime) -> Iterator[Account]:
    rows = _Rows.read(session, customer_ids, whole, now)
    places = {*rows.items, *whole.to_chase(customer_ids)}
    customers = facts_of(session, list({customer_id for customer_id, _ in places}))
    for place in sorted(places):
        customer_id, currency = place
        items = rows.items.get(place, [])
        books = whole.books.get(place, ())
        ids = {item.invoice_id for item in items} | {each.entry_id for each in books}
        agreed, history = rows.agreements.get(customer_id, Agreements()), rows.history[place]
        contacts = [day for day in (history.last_contact_on, rows.called_on.get(customer_id)) if day is not None]
        account = Account(
            customer=customers[customer_id],
            currency=currency,
            items=tuple(items),
            unallocated=whole.unallocated.get(place, ZERO),
            promises=tuple(each for each in agreed.promises if ids.intersection(each.invoice_ids)),
            disputes=tuple(each for each in agreed.disputes if each.invoice_id in ids),
            plans=tuple(each for each in agreed.plans if ids.intersection(each.invoice_ids)),
            exclusions=tuple(rows.exclusions[customer_id]),
            last_contact_on=max(contacts, default=None),
            waiting=history.waiting,
            to_call=history.to_call,
            faults=faults_of(customers[customer_id].contacts, rows.faults.get(customer_id, ())),
            in_litigation=customer_id in rows.litigating,
            score=risk_of(whole.punctuality.get(place), paris_date(now)),
        )
        scenario = whole.scenarios.scenario_for(account)
        chased = scenario is not None and scenario.chase_books
        account = with_books(account, books, rows.steps, whole.numbers, chased=chased)
        if account.items:
            yield account


@dataclass(frozen=True, slots=True)
class _Whole:
    """What is read at once for all the accounts wanted, and not page by page: it would be looked for in everything.

    Attributes:
        left: what is left of each invoice; of a closed one, what was never paid of it. open_of: the same by customer.
        unallocated: what no invoice takes of an account.
        scenarios: those in force. books: what only the books know of each account; numbers: those that invoices bear.
    """

    scenarios: ScenarioBook

    left: dict[UUID, Decimal] = field(default_factory=dict)
    open_of: dict[UUID, list[UUID]] = field(default_factory=lambda: defaultdict(list))
    unallocated: dict[tuple[UUID, str], Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    punctuality: Mapping[tuple[UUID, str], Punctuality] = field(default_factory=dict)
    undelivered: frozenset[UUID] = frozenset()
    sought: frozenset[UUID] = frozenset()
    books: Mapping[tuple[UUID, str], Sequence[Opening]] = field(default_factory=dict)
    numbers: frozenset[str] = frozenset()

    def to_chase(self, customer_ids: Collection[UUID]) -> set[tuple[UUID, str]]:
        """The accounts of these customers of which the books may know something to be chased."""
        wanted = set(customer_ids) if self.scenarios.chases_books else set()
        return {place for place in self.books if place[0] in wanted}

    @classmethod
    def read(cls, session: Session, now: datetime, customer_ids: Collection[UUID] | None = None) -> "_Whole":
        plan_for_values(session)
        scenarios, books = (
            book_in_force(session, paris_date(now)),
            openings_by_account(session, paris_date(now), customer_ids),
        )
        known = [each for mine in books.values() for each in mine] if scenarios.chases_books else []
        whole = cls(
            scenarios=scenarios,
            books=books,
            numbers=numbers_known(session, known),
            punctuality=punctuality_of(session, customer_ids, paris_date(now)),
            undelivered=_alerted(session, customer_ids, _REFUSED_DELIVERY),
            sought=_alerted(session, customer_ids, *_NOT_ARRIVED, to_do=True),
        )
        for each in left_of_invoices(session, customer_ids):
            if each.is_closed:
                whole.unallocated[each.customer_id, each.currency] += each.amount
            if left := each.remaining if each.is_closed else each.amount:
                whole.left[each.invoice_id] = left
                whole.open_of[each.customer_id].append(each.invoice_id)
        for item in unallocated_money(session, Scope.everything(), customer_ids):
            if item.customer_id is not None:
                whole.unallocated[item.customer_id, item.currency] += item.remaining
        return whole


@dataclass(slots=True)
class _History:
    """What was sent to an account so far, its calls under a scenario included."""

    last_contact_on: date | None = None
    waiting: Waiting | None = None
    to_call: Waiting | None = None


@dataclass(slots=True)
class _Rows:
    """What the accounts of some customers are made of."""

    items: dict[tuple[UUID, str], list[OpenItem]] = field(default_factory=lambda: defaultdict(list))
    agreements: dict[UUID, Agreements] = field(default_factory=dict)
    exclusions: dict[UUID, list[Exclusion]] = field(default_factory=lambda: defaultdict(list))
    history: dict[tuple[UUID, str], _History] = field(default_factory=lambda: defaultdict(_History))
    called_on: dict[UUID, date] = field(default_factory=dict)
    faults: dict[UUID, list[AddressFault]] = field(default_factory=dict)
    litigating: set[UUID] = field(default_factory=set)
    steps: Mapping[UUID, tuple[StepTaken, ...]] = field(default_factory=dict)

    @classmethod
    def read(cls, session: Session, customer_ids: Collection[UUID], whole: _Whole, now: datetime) -> "_Rows":
        """One statement for each kind of rows."""
        rows = cls()
        found, booked = list(_invoices(session, customer_ids, whole, now)), whole.to_chase(customer_ids)
        if not found and not booked:
            return rows
        owing = {row.customer_id for row in found} | {customer_id for customer_id, _ in booked}
        rows.agreements = dict(agreements_of(session, owing, paris_date(now)))
        rows._read_exclusions(session, owing)
        rows._read_history(session, owing)
        rows._read_calls(session, owing, now)
        rows.faults = {of: [fault_of(row) for row in kept] for of, kept in fault_rows(session, owing).items()}
        handed_over = rows._read_hand_overs(session, owing)
        entries = [each.entry_id for place in booked for each in whole.books[place]]
        rows.steps = steps_taken(session, [row.id for row in found], entries)
        term = timedelta(days=definitions(paris_date(now)).default_term_days)
        for row in found:
            item = OpenItem(
                invoice_id=row.id,
                number=row.number,
                agency_id=row.agency_id,
                seller_siren=row.seller_siren,
                issue_date=row.issue_date,
                due_date=row.due_date or row.issue_date + term,
                total=row.amount_due,
                remaining=whole.left.get(row.id, ZERO),
                state=InvoiceState.model_validate_json(row.state),
                delivery_refused=row.id in whole.undelivered,
                in_litigation=row.id in handed_over,
                arrival_sought=row.id in whole.sought,
                reached=rows.steps.get(row.id, ()),
            )
            rows.items[row.customer_id, row.currency].append(item)
        return rows

    def _read_hand_overs(self, session: Session, customer_ids: Collection[UUID]) -> set[UUID]:
        """The invoices in litigation; a customer handed over as a whole is kept besides."""
        invoices = set()
        for row in session.execute(
            select(col(HandOver.customer_id), col(HandOver.whole_customer), col(HandOverInvoice.invoice_id))
            .outerjoin(HandOverInvoice, col(HandOverInvoice.hand_over_id) == HandOver.id)
            .where(col(HandOver.customer_id) == func.any(list(customer_ids)), col(HandOver.closed_on).is_(None))
        ):
            invoices.add(row.invoice_id)
            if row.whole_customer:
                self.litigating.add(row.customer_id)
        return invoices

    def _read_exclusions(self, session: Session, customer_ids: Collection[UUID]) -> None:
        for row in session.execute(
            select(
                col(ReminderExclusion.customer_id),
                func.coalesce(
                    col(ReminderExclusion.invoice_id),
                    col(AccountingEntry.invoice_id),  # what the line of the books turned out to be
                    col(ReminderExclusion.entry_id),
                ).label("about"),
                col(ReminderExclusion.until),
                col(ReminderExclusion.reason),
            )
            .outerjoin(AccountingEntry, col(AccountingEntry.id) == ReminderExclusion.entry_id)
            .where(
                col(ReminderExclusion.customer_id) == func.any(list(customer_ids)),
                col(ReminderExclusion.lifted_at).is_(None),
            )
            .order_by(col(ReminderExclusion.made_at), col(ReminderExclusion.id))
        ):
            self.exclusions[row.customer_id].append(Exclusion(row.about, row.until, row.reason))

    def _read_history(self, session: Session, customer_ids: Collection[UUID]) -> None:
        """The last contact of each account, and what of it waits for a person."""
        for row in session.execute(
            select(
                col(Reminder.id),
                col(Reminder.customer_id),
                col(Reminder.currency),
                col(Reminder.channel),
                col(Reminder.state),
                col(Reminder.title_fr),
                col(Reminder.title_en),
                col(Reminder.decided_on),
                col(Reminder.sent_at),
            )
            .where(
                col(Reminder.customer_id) == func.any(list(customer_ids)),
                col(Reminder.state).in_({*_CONTACTS, *_WAITING}),
            )
            .order_by(col(Reminder.decided_at), col(Reminder.id))
        ):
            history = self.history[row.customer_id, row.currency]
            told = Waiting(row.id, Text(row.title_fr, row.title_en), row.decided_on)
            if row.state in _WAITING:
                history.waiting = told
            if row.state == ReminderState.TODO and row.channel == Channel.CALL:
                history.to_call = told
            if row.state in _CONTACTS and row.channel != Channel.TASK:
                on = day_of(row.sent_at, row.decided_on)
                history.last_contact_on = max(history.last_contact_on or on, on)

    def _read_calls(self, session: Session, customer_ids: Collection[UUID], now: datetime) -> None:
        """The last call that reached each customer, whatever it was about."""
        reaching = [outcome.value for outcome in worklist_policy(paris_date(now)).reaching]
        for row in session.execute(
            select(col(CollectionCall.customer_id), func.max(col(CollectionCall.at)).label("at"))
            .where(
                col(CollectionCall.customer_id) == func.any(list(customer_ids)),
                col(CollectionCall.outcome).in_(reaching),
            )
            .group_by(col(CollectionCall.customer_id))
        ):
            self.called_on[row.customer_id] = paris_date(row.at)


def _invoices(session: Session, customer_ids: Collection[UUID], whole: _Whole, now: datetime) -> Iterable[Any]:
    """What is open, what was closed unpaid, and what was reminded of lately, to be thanked for unless given up."""
    reminded = (
        select(col(ReminderInvoice.invoice_id))
        .join(Reminder, col(Reminder.id) == ReminderInvoice.reminder_id)
        .where(
            col(Reminder.customer_id) == func.any(list(customer_ids)),
            col(Reminder.state) == ReminderState.SENT.value,
            col(Reminder.sent_at) > now - _THANKED_WITHIN,
            col(ReminderInvoice.invoice_id).is_not(None),
            col(ReminderInvoice.invoice_id).not_in(invoices_lost()),
        )
    )
    wanted = {invoice_id for each in customer_ids for invoice_id in whole.open_of.get(each, ())}
    wanted.update(session.execute(reminded).scalars())
    return session.execute(
        select(
            col(CustomerInvoice.customer_id),
            col(InvoiceRecord.id),
            col(InvoiceRecord.number),
            col(InvoiceRecord.agency_id),
            col(InvoiceRecord.seller_siren),
            col(InvoiceRecord.issue_date),
            col(InvoiceRecord.due_date),
            col(InvoiceRecord.currency),
            col(InvoiceRecord.amount_due),
            cast(col(InvoiceRecord.state).op("-")(array(_UNREAD)), SqlText).label("state"),
        )
        .join(InvoiceRecord, col(InvoiceRecord.id) == CustomerInvoice.invoice_id)
        .where(
            col(CustomerInvoice.customer_id) == func.any(list(customer_ids)),
            col(InvoiceRecord.direction) == Direction.RECEIVABLE.value,
            col(InvoiceRecord.id) == func.any(list(wanted)),
        )
        .order_by(col(InvoiceRecord.issue_date), col(InvoiceRecord.number), col(InvoiceRecord.id))
    )


def _alerted(
    session: Session, customer_ids: Collection[UUID] | None, *conditions: str, to_do: bool = False
) -> frozenset[UUID]:
    """The invoices with an unsettled alert of these conditions; `to_do`: nobody has done its action."""
    alerted = select(col(Alert.invoice_id)).where(
        col(Alert.condition).in_(conditions),
        col(Alert.state).in_([state.value for state in UNSETTLED]),
    )
    if to_do:
        alerted = alerted.join(CollectionAction, col(CollectionAction.alert_id) == Alert.id).where(
            col(CollectionAction.state) == ActionState.TODO.value
        )
    if customer_ids is not None:
        alerted = alerted.join(CustomerInvoice, col(CustomerInvoice.invoice_id) == Alert.invoice_id).where(
            col(CustomerInvoice.customer_id) == func.any(list(customer_ids))
        )
    return frozenset(each for each in session.execute(alerted).scalars() if each)
