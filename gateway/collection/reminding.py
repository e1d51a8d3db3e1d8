"""The round of reminders: decide about every account, and record what is due, once, in the organisation's turn.

The dry run shows the decisions of the real run. Nothing leaves here: see `dispatching`.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog
from sqlmodel import Session

from gateway.collection.account_rows import accounts, accounts_of
from gateway.collection.model import ReminderState
from gateway.collection.recording import record, void_reminders, withdraw_if_void
from gateway.collection.reminders import ReminderDecision, decide
from gateway.collection.scenario_books import book_in_force
from gateway.database.engine import Database
from gateway.kernel.clock import Clock, paris_date
from gateway.ledger.service import take_turn

REMINDERS_TASK = "reminders.round"
#: Customers recorded in one transaction: for so long the organisation's other writers wait.
_BATCH = 20
_log = structlog.get_logger(__name__)


def preview(session: Session, now: datetime, customer_ids: Sequence[UUID] | None = None) -> Iterator[ReminderDecision]:
    """What the round would decide at an instant about every account, or about those of some customers."""
    book = book_in_force(session, paris_date(now))
    found = accounts(session, now) if customer_ids is None else accounts_of(session, customer_ids, now)
    for account in found:
        yield decide(account, book.scenario_for(account), now)


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
        """Record what is due now; what waits for a person and no longer holds is taken back."""
        withdrawn = self._withdraw_void(organisation_id)
        with self._database.transaction(organisation_id) as session:
            due = [each.account.customer.id for each in preview(session, self._clock()) if each.step is not None]
        customers = list(dict.fromkeys(due))
        recorded: Counter[ReminderState] = Counter()
        for start in range(0, len(customers), _BATCH):
            recorded.update(self._record(organisation_id, customers[start : start + _BATCH]))
        return Round(recorded, withdrawn)

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
