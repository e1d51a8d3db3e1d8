"""The round of reminders: decide about every account, and record what is due, once, in the organisation's turn.

The dry run shows the decisions of the real run. Nothing leaves here: see `dispatching`.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import structlog
from sqlmodel import Session, col, select

from gateway.access.scope import Scope
from gateway.collection.account_rows import accounts, accounts_of
from gateway.collection.model import ReminderState
from gateway.collection.recording import record, void_reminders, withdraw_if_void
from gateway.collection.reminder_views import seen_by
from gateway.collection.reminders import ReminderDecision, decide
from gateway.collection.scenario_books import book_in_force
from gateway.customers.model import Customer
from gateway.customers.repository import visible_customers
from gateway.database.engine import Database
from gateway.database.paging import Page, SortKey, fetch_page
from gateway.kernel.clock import Clock, paris_date, paris_instant
from gateway.ledger.service import take_turn

REMINDERS_TASK = "reminders.round"
#: Customers recorded in one transaction: for so long the organisation's other writers wait.
_BATCH = 20
#: Customers looked at for one page of a preview: some at a time, and so many times.
_CHUNK, _CHUNKS = 100, 20
_BY_CUSTOMER = (SortKey(col(Customer.id), UUID),)
_log = structlog.get_logger(__name__)


def preview(session: Session, now: datetime, customer_ids: Sequence[UUID] | None = None) -> Iterator[ReminderDecision]:
    """What the round would decide at an instant about every account, or about those of some customers."""
    book = book_in_force(session, paris_date(now))
    found = accounts(session, now) if customer_ids is None else accounts_of(session, customer_ids, now)
    for account in found:
        yield decide(account, book.scenario_for(account), now)


def instant_of(session: Session, day: date) -> datetime:
    """The instant at which a day is decided about: when the scenarios of that day let messages leave first."""
    hours = book_in_force(session, day).scenarios[-1].hours
    return paris_instant(datetime.combine(day, hours.start))


def preview_page(
    session: Session, scope: Scope, now: datetime, *, due_only: bool, cursor: str | None, limit: int
) -> Page[ReminderDecision]:
    """The decisions about the accounts that may be seen, in the order of their customers; `due_only`: those that act.

    It looks at so many customers and no more: a page may hold less than `limit`, even nothing, before the last one.
    Raises InvalidCursorError.
    """
    found: list[ReminderDecision] = []
    for _ in range(_CHUNKS):
        statement = select(Customer.id).where(visible_customers(scope))
        page = fetch_page(session, statement, _BY_CUSTOMER, cursor=cursor, limit=_CHUNK)
        cursor = page.next_cursor
        seen = (seen_by(each, scope) for each in preview(session, now, page.items))
        found += [each for each in seen if each is not None and (each.step is not None or not due_only)]
        if cursor is None or len(found) >= limit:
            break
    return Page(found, cursor)


@dataclass(frozen=True, slots=True)
class Round:
    """What a round did: how many reminders it recorded, by state, and how many it withdrew as they no longer hold."""

    recorded: Mapping[ReminderState, int]
    withdrawn: int


class ReminderRound:
    """The round of an organisation; it may be repeated, stopped anywhere, and run twice at once."""

    def __init__(self, database: Database, clock: Clock, *, automatic: bool) -> None:
        """`automatic`: automatic steps leave by themselves; else a person confirms every message first."""
        self._database = database
        self._clock = clock
        self._automatic = automatic

    def run(self, organisation_id: UUID) -> Round:
        """Record what is due now, then take back what waits for a person and no longer holds.

        In this order what is recorded is what a preview shows; what gives way to it is seen by the next round.
        """
        with self._database.transaction(organisation_id) as session:
            due = [each.account.customer.id for each in preview(session, self._clock()) if each.step is not None]
        customers = list(dict.fromkeys(due))
        recorded: Counter[ReminderState] = Counter()
        for start in range(0, len(customers), _BATCH):
            recorded.update(self._record(organisation_id, customers[start : start + _BATCH]))
        return Round(recorded, self._withdraw_void(organisation_id))

    def _record(self, organisation_id: UUID, customers: Sequence[UUID]) -> list[ReminderState]:
        """Decide again in the turn, so that nobody else writes meanwhile, and record; a failure costs one customer."""
        try:
            with self._database.transaction(organisation_id) as session:
                take_turn(session)
                now = self._clock()
                decisions = list(preview(session, now, customers))
                made = [record(session, each, now, automatic=self._automatic) for each in decisions]
                return [ReminderState(reminder.state) for reminder in made if reminder is not None]
        except Exception:
            if len(customers) == 1:
                _log.exception("reminder_failed", customer=str(customers[0]))
                return []
        return [state for customer in customers for state in self._record(organisation_id, [customer])]

    def _withdraw_void(self, organisation_id: UUID) -> int:
        with self._database.transaction(organisation_id) as session:
            void = void_reminders(session, self._clock())
        withdrawn = 0
        for reminder_id in void:
            with self._database.transaction(organisation_id) as session:
                withdrawn += withdraw_if_void(session, reminder_id, self._clock())
        return withdrawn
