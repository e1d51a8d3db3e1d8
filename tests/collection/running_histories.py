"""Days of a history: reviews, the round, the mail server; with crashes, two workers, and a dry run beside."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from threading import Thread
from traceback import format_exc
from typing import Any
from uuid import UUID

from sqlalchemy import event
from sqlmodel import col, select

from gateway.collection.dispatching import REMINDER_MAIL, Dispatching, dispatch, last_check, message_of
from gateway.collection.ladder import is_pre_due
from gateway.collection.law.context import LawContext
from gateway.collection.law.tasks import review_law
from gateway.collection.model import Reminder, ReminderInvoice, ReminderState
from gateway.collection.rechecking import Recheck
from gateway.collection.reminders import ReminderDecision
from gateway.collection.reminding import ReminderRound
from gateway.collection.scenarios import Channel
from gateway.customers.model import Customer
from gateway.flows.agreeing import review_promises_and_plans
from gateway.flows.context import FlowsContext
from gateway.flows.deadlines import DEADLINES_TASK, review_due_invoices
from gateway.invoices.limits import ReadingLimits
from gateway.jobs.channels import Delivery, DeliveryAmbiguousError, DeliveryFailedError
from gateway.jobs.model import OutboxMessage
from gateway.jobs.outbox import OutboxWorker
from gateway.ledger.documents import DocumentStore
from gateway.notifications.mail import ADDRESS_REFUSED
from gateway.treasury.receipts import receipts_known
from tests.collection import histories as told
from tests.collection.histories import CAST
from tests.collection.living import EVERYTHING
from tests.collection.living_contacts import ReachedLife
from tests.collection.naive_facts import Called
from tests.collection.owing import said
from tests.collection.watching_histories import (
    SCOPES,
    check_agreements,
    check_balances,
    check_claim,
    check_decisions,
    check_excesses,
    check_money,
    check_penalties,
    lines_of,
    sought_of,
)


def _is_followed_at_once(decision: ReminderDecision) -> bool:
    """Whether the next round may decide more about the account: messages follow a task, thanks follow a notice."""
    step = decision.step
    return step is not None and (decision.channel is Channel.TASK or is_pre_due(step))


class KilledError(BaseException):
    """As `kill -9`: nothing more of the process runs, its transaction is rolled back."""


@dataclass
class Watched(ReachedLife):
    """A life of which every instant is watched.

    `teller`: which reminder told a step of an invoice, by its number. `nowhere`: those whose address the mail server
    does not know.
    """

    store: DocumentStore | None = None
    server: str = "works"
    teller: dict[tuple[str, str], UUID] = field(default_factory=dict)
    nowhere: list[UUID] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    @cached_property
    def law(self) -> LawContext:
        """What the review of claims works with, and remembers."""
        return LawContext(self.database, self.store, self.clock, self.settings, ReadingLimits())  # type: ignore[arg-type]

    def live(self, act: told.Act) -> None:
        """Do what an act says, then look at the money."""
        if isinstance(act, told.Days):
            self.pass_days(act)
        else:
            super().live(act)
            check_balances(self)

    def pass_days(self, act: told.Days) -> None:
        """Some days later, in the morning: reviews, then what leaves; then all that must hold."""
        morning = datetime.combine(self.clock().date() + timedelta(days=act.count), datetime.min.time(), UTC)
        self.clock.advance(morning + timedelta(hours=9) - self.clock())
        self.review()
        foreseen = check_decisions(self)
        self.server = act.server
        try:
            if act.killed_at is None:
                self.send(2 if act.twice else 1, foreseen, act.meanwhile)
            else:
                self._send_until(act.killed_at)
        except KilledError:
            self.server = "works"
            self.clock.advance(timedelta(minutes=2))
            self.send()
        self.server = "works"
        self._hear_of_addresses()
        if act.meanwhile:
            self.review()
        assert not self.faults, self.faults
        check_money(self, EVERYTHING, SCOPES[1 + act.count % 2])
        check_agreements(self)
        check_excesses(self)
        check_penalties(self)
        self._check_steps()

    def review(self) -> None:
        """What the clock has the gateway look at."""
        limits = ReadingLimits()
        context = FlowsContext(self.database, self.store, self.clock, self.settings, limits, {}, None)  # type: ignore[arg-type]
        while review_due_invoices(context, self.organisation, receipts_known) == self.settings.batch_size:
            pass
        review_promises_and_plans(context, self.organisation, DEADLINES_TASK)
        review_law(self.law, self.organisation)

    def send(
        self, workers: int = 1, foreseen: list[ReminderDecision] | None = None, meanwhile: Sequence[told.Act] = ()
    ) -> None:
        """A round, and all that follows; at once by several workers. `meanwhile` comes before messages leave."""
        before = {each.id: each.state for each in self.reminders()}
        self._together(workers, lambda: self._round().run(self.organisation))
        after = self.reminders()
        new = [each for each in after if each.id not in before]
        withdrawn = {
            each.customer_id
            for each in after
            if each.state == ReminderState.WITHDRAWN and before.get(each.id) != ReminderState.WITHDRAWN
        }
        if foreseen is not None:
            followed = {each.account.customer.id for each in foreseen if _is_followed_at_once(each)}
            self._check_foreseen(foreseen, new, seen_again=withdrawn | followed if workers > 1 else set())
        self._check_waiting()
        self._together(workers, lambda: dispatch(self._dispatching(), self.organisation))
        self._check_worded(foreseen or [], new)
        for act in meanwhile:
            self.live(act)
        self._together(workers, self._deliver)
        dispatch(self._dispatching(), self.organisation)

    def _round(self) -> ReminderRound:
        return ReminderRound(self.database, self.clock, automatic=True)

    def _dispatching(self) -> Dispatching:
        return Dispatching(
            database=self.database,
            clock=self.clock,
            compose=lambda _session, message: said(message),
            leaves=frozenset({Channel.EMAIL}),
            batch=50,
        )

    def _deliver(self) -> None:
        channels = {REMINDER_MAIL: last_check(self._dispatching(), self._take)}
        OutboxWorker(self.database, self.clock, channels, attempts=2, batch=20).drain(self.organisation)

    def _take(self, delivery: Delivery) -> str:
        """The mail server. What it is given is judged by the books, before it answers in its way."""
        try:
            self._judge(delivery)
        except AssertionError:
            self.faults.append(format_exc(limit=-1))
        if self.server == "away":
            raise DeliveryFailedError("away")
        if self.server == "refuses":
            raise DeliveryFailedError("550 spam", permanent=True)
        assert delivery.subject_id is not None
        if self.server == "knows no such address":
            self.nowhere.append(delivery.subject_id)
            raise DeliveryFailedError(f"{ADDRESS_REFUSED}: 550 5.1.1", permanent=True)
        if not self._takes:
            raise KilledError if self.server == "dies, not having sent it" else DeliveryAmbiguousError("silent")
        self._took(delivery.subject_id)
        if self.server == "silent, having taken it":
            raise DeliveryAmbiguousError("silent")
        if self.server == "dies, having sent it":
            raise KilledError
        return "<1@example>"

    def _took(self, reminder_id: UUID) -> None:
        self.taken[reminder_id] = self.taken.get(reminder_id, 0) + 1
        reminder = next(each for each in self.reminders() if each.id == reminder_id)
        debtor = self.debtor_of(reminder.customer_id)
        self.books.calls.append(Called(debtor, self.today, reminder_id, reminder.currency))

    @property
    def _takes(self) -> bool:
        """Whether the mail server takes a message, whatever the sender hears of it."""
        return self.server in ("works", "silent, having taken it", "dies, having sent it")

    def _judge(self, delivery: Delivery) -> None:
        with self.database.transaction(self.organisation) as session:
            reminder = session.exec(select(Reminder).where(Reminder.id == delivery.subject_id)).one()
            check_claim(self, session, reminder)
            debtor = self.debtor_of(reminder.customer_id)
            assert delivery.payload["to"] == CAST[debtor].email
            assert not self.books.unreachable(debtor, by_email=True)
            for line in lines_of(session, reminder.id):
                if line.step is not None and self._takes:
                    told_by = self.books.number(line.item_id), line.step
                    teller = self.teller.setdefault(told_by, reminder.id)
                    assert teller == reminder.id, f"{line.number} is told {line.step} twice"

    def _hear_of_addresses(self) -> None:
        """What the server said of addresses is known, unless the process died before it wrote so."""
        failed = {each.id: each.customer_id for each in self.reminders() if each.state == ReminderState.FAILED}
        for reminder_id in self.nowhere:
            if reminder_id in failed:
                self.stop(self.debtor_of(failed[reminder_id]), wrong=False)
        self.nowhere.clear()

    def _check_foreseen(
        self, foreseen: list[ReminderDecision], new: list[Reminder], *, seen_again: Collection[UUID]
    ) -> None:
        """The dry run of this instant is the real run.

        `seen_again`: customers of whom one of two workers withdrew or decided something after which more is due, before
        the other looked: its round is then the next one, and may decide more.
        """
        with self.database.transaction(self.organisation) as session:
            lines = {each.id: lines_of(session, each.id) for each in new}
        real: defaultdict[tuple[UUID, str], list[Any]] = defaultdict(list)
        for each in new:
            real[each.customer_id, each.currency].append(
                (
                    each.step,
                    each.anchor_id,
                    each.channel,
                    each.tone,
                    each.total,
                    each.unallocated,
                    [(line.item_id, line.claimed, line.remaining, line.due_date) for line in lines[each.id]],
                    [(UUID(credit["invoice_id"]), credit["remaining"]) for credit in each.credits],
                )
            )
        dry = {
            (each.account.customer.id, each.account.currency): (
                each.key,
                each.anchor,
                each.channel,
                each.tone,
                each.total,
                each.unallocated,
                [(one.line.invoice_id, one.line.claimed, one.line.remaining, one.line.due_date) for one in each.lines],
                [(credit.invoice_id, str(credit.remaining)) for credit in each.credits],
            )
            for each in foreseen
            if each.step is not None
        }
        assert all(made in real[place] for place, made in dry.items()), (real, dry)
        once = {place: made for place, made in real.items() if place[0] not in seen_again}
        assert once == {place: [made] for place, made in dry.items() if place[0] not in seen_again}

    def _check_worded(self, foreseen: list[ReminderDecision], new: list[Reminder]) -> None:
        """What was decided is worded as the dry run has it; what waits for a person claims nothing it must not."""
        dry = {(each.account.customer.id, each.account.currency): each for each in foreseen if each.step is not None}
        known = {each.id: each for each in self.reminders()}
        with self.database.transaction(self.organisation) as session:
            for old in new:
                reminder = known[old.id]
                if reminder.step != "no_contact":
                    check_claim(self, session, reminder)
                if Channel(reminder.channel).is_written and reminder.state != ReminderState.FAILED:
                    assert not self.books.unreachable(self.debtor_of(reminder.customer_id), by_email=False)
                decision = dry.get((reminder.customer_id, reminder.currency))
                if reminder.text is None or decision is None or decision.key != reminder.step:
                    continue
                name = session.get_one(Customer, reminder.customer_id).name
                checked = Recheck(
                    tuple(each.line for each in decision.lines), decision.credits, decision.unallocated, decision.total
                )
                assert reminder.text == said(message_of(reminder, name, checked, self.today)).text

    def _check_steps(self) -> None:
        """No step of an invoice in two reminders, no message twice."""
        assert all(count == 1 for count in self.taken.values())
        with self.database.transaction(self.organisation) as session:
            told_of = session.exec(select(ReminderInvoice).where(col(ReminderInvoice.step).is_not(None)))
            steps = [(self.books.number(row.item_id), row.step) for row in told_of]
            assert len(set(steps)) == len(steps)
            keys = [row.idempotency_key for row in session.exec(select(OutboxMessage))]
            assert len(set(keys)) == len(keys)

    def _check_waiting(self) -> None:
        """What waits for a person would still be asked for; what was decided today may be overtaken tomorrow."""
        with self.database.transaction(self.organisation) as session:
            sought = sought_of(session)
        for reminder in self.reminders():
            waits = reminder.state in (ReminderState.AWAITING, ReminderState.TODO) and not reminder.is_thanks
            if waits and reminder.decided_on < self.today:
                opening = self.books.opening(reminder.anchor_id)
                if opening is None:
                    bill = self.books.bill(reminder.anchor_id)
                    because = self.books.why_not(bill, self.today)
                    assert "in_plan" in because or bill.id not in sought or not bill.is_sought(self.today)
                else:
                    because = self.books.why_not_opening(opening, self.today)
                assert because <= {"in_plan"}, (reminder.step, because)

    def _together(self, workers: int, deed: Callable[[], Any]) -> None:
        if workers == 1:
            deed()
            return
        faults: list[BaseException] = []

        def work() -> None:
            try:
                deed()
            except BaseException as error:
                faults.append(error)

        threads = [Thread(target=work) for _ in range(workers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if faults:
            raise min(faults, key=lambda fault: isinstance(fault, KilledError))

    def _send_until(self, place: int) -> None:
        """Send, and be killed at that statement that writes, or commit, if there are so many. Raises KilledError."""
        seen = 0

        def kill(*_: Any) -> None:
            nonlocal seen
            if seen == place:
                raise KilledError
            seen += 1

        def kill_before_writing(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
            if any(word in statement for word in ("INSERT", "UPDATE", "gateway_enqueue")):
                kill()

        with _listening(self.database.engine, before_cursor_execute=kill_before_writing, commit=kill):
            self.send()


@contextmanager
def _listening(engine: Any, **listeners: Callable[..., None]) -> Iterator[None]:
    for name, listener in listeners.items():
        event.listen(engine, name, listener)
    try:
        yield
    finally:
        for name, listener in listeners.items():
            event.remove(engine, name, listener)
