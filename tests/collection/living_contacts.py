"""How a customer is reached in a history: calls and what comes of them, addresses that reach nobody, refused files."""

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from functools import cached_property, singledispatchmethod
from uuid import UUID, uuid4

from sqlmodel import Session, col, select

from gateway.access.model import User
from gateway.access.principal import Principal
from gateway.access.roles import Role
from gateway.alerts.refused_deliveries import RefusedDelivery
from gateway.collection.address_faults import lift_fault
from gateway.collection.agreements.model import Promise
from gateway.collection.model import AddressFaultRow, Reminder, ReminderState
from gateway.collection.reachability import FaultKind
from gateway.collection.returning import came_back
from gateway.collection.scenarios import Channel
from gateway.collection.worklist.calls import NewCall, record_call
from gateway.collection.worklist.matters import Viewer, matters
from gateway.collection.worklist.policy import CallOutcome, worklist_policy
from gateway.collection.worklist.ranking import Matter, Source
from gateway.flows.consequences import follow_accepted_delivery, follow_refused_delivery
from gateway.lifecycle.model import InvoiceRecord
from tests.collection import histories as told
from tests.collection.histories import Act
from tests.collection.living import BY, CHANNELS, EVERYTHING, share
from tests.collection.living_books import BookedLife
from tests.collection.naive_facts import NOTHING, Agreed, Bill, Called, Opening, Stopped
from tests.conftest import START


@dataclass
class ReachedLife(BookedLife):
    """A life in which people call, and messages come back.

    `taken`: the messages that the mail server took, by reminder, without those that came back.
    """

    taken: dict[UUID, int] = field(default_factory=dict)

    @singledispatchmethod
    def act(self, act: Act) -> None:
        """Do what an act says. Raises what the services raise."""
        super().act(act)

    @cached_property
    def caller(self) -> Principal:
        """Whoever calls, and sees everything."""
        with self.database.transaction(self.organisation) as session:
            user = User(
                organisation_id=self.organisation,
                email=f"{self.organisation}@maison.example",
                name="Marie",
                password_hash="x",
                role=Role.COLLECTOR.value,
                created_at=START,
            )
            session.add(user)
            session.flush()
            return Principal(self.organisation, "user", user.id, user.name, frozenset(), Role.COLLECTOR, EVERYTHING)

    def debtor_of(self, customer_id: UUID | None) -> int:
        """The one of the cast."""
        return next(number for number, each in self.customers.items() if each == customer_id)

    @act.register
    def _(self, act: told.Call) -> None:
        person = self.caller
        with self.database.transaction(self.organisation) as session:
            lines = [each for each in matters(session, Viewer.of(person)) if each.customer_id is not None]
        line = self.some(act.about, sorted(lines, key=lambda each: each.id))
        debtor, outcome = self.debtor_of(line.customer_id), CallOutcome(act.outcome)
        owing, amount = self._promised(line, debtor, act.percent)
        new = NewCall(
            outcome,
            contact="Comptabilité" if act.names else "",
            amount=amount if outcome in (CallOutcome.PROMISE, CallOutcome.DISPUTE) else None,
            due_on=self.today + timedelta(days=act.due_in),
            reason="price",
        )
        with self.database.transaction(self.organisation) as session:
            call = record_call(session, person, line.source, line.id, new, CHANNELS, self.clock())
            if outcome is CallOutcome.PROMISE:
                row = session.get_one(Promise, call.agreement_id)
                self.books.promises.append(Agreed(row.id, owing, self.clock(), [(row.grace_until, row.amount)]))
            named = act.names or _had_contact(session, line)
        if outcome is CallOutcome.WRONG_CONTACT and named:
            self.stop(debtor, wrong=True)
        if outcome in worklist_policy(self.today).reaching:
            self.books.calls.append(Called(debtor, self.today))

    def _promised(self, line: Matter, debtor: int, percent: int) -> tuple[list[Bill | Opening], Decimal]:
        """What a promise of so much is about: the invoice of the line when it fits, else the first ones due."""
        owing = self.open_to(debtor, line.currency or "EUR")
        mine = [each for each in owing if each.id == line.invoice_id]
        amount = share(percent, sum((each.left for each in mine or owing), NOTHING))
        return (mine if mine and amount <= mine[0].left else self.first(owing, amount)), amount

    def stop(self, debtor: int, *, wrong: bool) -> None:
        """Nothing may go there any more."""
        known = any(each.debtor == debtor and each.wrong == wrong and not each.lifted for each in self.books.stopped)
        if not known:
            self.books.stopped.append(Stopped(debtor, wrong))

    def _undo_stop(self, act: told.Undo) -> None:
        with self.database.transaction(self.organisation) as session:
            rows = session.exec(select(AddressFaultRow).where(col(AddressFaultRow.lifted_at).is_(None))).all()
        fault = self.some(act.about, sorted(rows, key=lambda each: each.id))
        self.within(lift_fault, fault.id, by=BY)
        debtor, wrong = self.debtor_of(fault.customer_id), fault.kind == FaultKind.WRONG_CONTACT
        mine = (each for each in self.books.stopped if (each.debtor, each.wrong) == (debtor, wrong))
        (stopped,) = (each for each in mine if not each.lifted)
        stopped.lifted = True

    @act.register
    def _(self, act: told.Returned) -> None:
        sent = [each for each in self.reminders() if each.state == ReminderState.SENT and each.channel == Channel.EMAIL]
        reminder = self.some(act.about, sent)
        self.within(came_back, reminder.id, by=BY, words="550 5.1.1")
        self.taken.pop(reminder.id, None)
        self.books.calls = [each for each in self.books.calls if each.reminder_id != reminder.id]
        self.stop(self.debtor_of(reminder.customer_id), wrong=False)

    def has_arrived(self, reminder: Reminder) -> bool:
        """The mail server knows."""
        return reminder.id in self.taken

    @act.register
    def _(self, act: told.FileRefused) -> None:
        bill = self.some(act.about, [each for each in self.books.bills if bool(each.refused) == act.taken_back])
        now, delivery_id = self.clock(), bill.refused or uuid4()
        with self.database.transaction(self.organisation) as session:
            if act.taken_back:
                follow_accepted_delivery(session, delivery_id, now)
            else:
                row = session.get_one(InvoiceRecord, bill.id)
                refused = RefusedDelivery(delivery_id, "Plateforme", f"{bill.number}.xml", (), invoice=row)
                follow_refused_delivery(session, refused, self.settings, now)
        bill.refused = None if act.taken_back else delivery_id


def _had_contact(session: Session, line: Matter) -> bool:
    return line.source is Source.REMINDER and session.get_one(Reminder, line.id).contact is not None
