"""The story of the demonstration, day by day: what customers do, what the gateway decides, what people do about it.

Killed in the middle and started again it goes on with the day it had come to: whatever it does twice changes nothing.
"""

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from decimal import Decimal
from threading import Event
from uuid import UUID

from sqlmodel import col, func, select

from fixtures.collection import portfolio
from fixtures.samples import DemoInvoice
from gateway.app.demo.clock import StoryClock
from gateway.app.demo.collector import Collector
from gateway.app.demo.program import BillingSystem
from gateway.app.demo.script import DAYS, Script, works_at
from gateway.app.demo.stage import DEMO_EMAIL, Stage
from gateway.app.errors import StoryStuckError
from gateway.app.services import Services
from gateway.collection.agreements.model import Promise
from gateway.collection.law.model import AgreedRate, Penalty
from gateway.collection.law.tasks import LAW_TASK
from gateway.collection.recording import DISPATCH_TASK
from gateway.collection.reminding import REMINDERS_TASK
from gateway.collection.worklist.policy import CallOutcome
from gateway.flows.deadlines import DEADLINES_TASK
from gateway.flows.model import Flow, FlowState
from gateway.flows.tasks import POLL_TASK, PROCESS_TASK
from gateway.jobs.model import OutboxMessage, OutboxState
from gateway.jobs.outbox import TASK as OUTBOX_TASK
from gateway.kernel.clock import paris_date
from gateway.lifecycle.model import InvoiceRecord

#: Per cent a year, as agreed with the customer who pays late.
RATE = Decimal(12)
#: Days of the story on which somebody acts of their own accord.
PAID_IN_TIME_AFTER = 36
PAID_IN_PART_AFTER, DISPUTE_PAID_AFTER, CLAIMED_AFTER = 52, 60, 67
PAID_IN_PART = Decimal(3000)
_PROMISED_IN = timedelta(days=3)
#: Working days before the present on which nobody confirms anything: that is left to whoever looks on.
_LEFT_TO_DO = 2
#: Rounds of the tasks after which whatever still waits is stuck.
_ROUNDS = 20
_UNFINISHED = (OutboxState.PENDING.value, OutboxState.LEAVING.value, OutboxState.UNCERTAIN.value)


class Story:
    """One telling, in the caller's thread. No worker runs meanwhile: days would pass in the middle of its work."""

    def __init__(
        self, services: Services, clock: StoryClock, stage: Stage, script: Script, billing: BillingSystem
    ) -> None:
        self._services = services
        self._clock = clock
        self._organisation = stage.organisation_id
        self._script = script
        self._story = script.story
        self._billing = billing
        self._camille = Collector(services, stage)

    def tell(self, told: Callable[[date], None] = lambda _day: None, stopping: Event | None = None) -> None:
        """Live every day that is left until the present, saying which is over, and none after `stopping` is set.

        Raises StoryStuckError.
        """
        come_to, days = paris_date(self._clock()), self._script.days
        for before, day in days:
            if stopping is not None and stopping.is_set():
                return
            if day >= come_to and self._clock.may_move_to(works_at(day)):
                self._clock.move_to(works_at(day))
                self._live(before, day, confirms=day < days[-_LEFT_TO_DO][1])
                told(day)
        self._clock.catch_up()
        self._let_flows_through()
        self._run(DEADLINES_TASK)

    def _live(self, before: date, day: date, *, confirms: bool) -> None:
        for file in self._script.files_between(before, day):
            self._billing.push(file)
        self._let_flows_through()
        for after, deed in self._deeds():
            if before < self._day(after) <= day:
                deed()
        for task in (DEADLINES_TASK, LAW_TASK, REMINDERS_TASK):
            self._run(task)
        if confirms:
            self._camille.confirm_reminders()
            self._run(DISPATCH_TASK)
            self._camille.send_by_hand()
            self._call_customers(day)

    def _deeds(self) -> Iterable[tuple[int, Callable[[], None]]]:
        """What happens besides, by the day of the story."""
        yield 0, self._set_up_accounts
        yield PAID_IN_TIME_AFTER, lambda: self._pay("VIR-1", PAID_IN_TIME_AFTER, self._in_full(self._story.reissued))
        yield PAID_IN_PART_AFTER, self._pay_in_part
        yield DISPUTE_PAID_AFTER, self._pay_what_was_disputed
        yield CLAIMED_AFTER, self._claim_penalties

    def _set_up_accounts(self) -> None:
        self._billing.import_customers(portfolio(self._story, DEMO_EMAIL))
        late = self._story.late[0].customer
        with self._services.database.transaction(self._organisation) as session:
            is_agreed = session.exec(select(AgreedRate.id)).first() is not None
        if not is_agreed:
            source = "Contrat-cadre, article 9"
            self._billing.claim_by_itself(f"siren:{late.siren}", source)
            self._billing.agree_on_rate(f"siren:{late.siren}", RATE, self._script.first_day, source)

    def _pay_in_part(self) -> None:
        self._pay("VIR-2", PAID_IN_PART_AFTER, {self._story.late[2]: PAID_IN_PART})

    def _pay_what_was_disputed(self) -> None:
        self._pay(
            "VIR-3", DISPUTE_PAID_AFTER, self._in_full(self._story.disputed, self._story.beside, self._story.credit)
        )

    def _claim_penalties(self) -> None:
        for invoice in self._story.late:
            invoice_id = self._id(invoice)
            with self._services.database.transaction(self._organisation) as session:
                is_claimed = (
                    session.exec(select(Penalty.id).where(Penalty.invoice_id == invoice_id)).first() is not None
                )
            if not is_claimed:
                self._billing.claim_penalties(invoice_id, self._day(CLAIMED_AFTER))

    def _call_customers(self, day: date) -> None:
        """Two promise to pay, and are waited for; the late payer never answers; others are reached."""
        later = self._script.first_day + DAYS + 2 * _PROMISED_IN
        promised_for = {_siren(self._story.promised): day + _PROMISED_IN, _siren(self._story.promised_later): later}
        contacts = {_siren(each): each.customer.contact.name for each in self._story.invoices}
        for line in self._camille.calls_to_make():
            siren = line.customer_siren or ""
            contact, waited_for = contacts.get(siren, ""), promised_for.get(siren)
            if waited_for is not None:
                if not self._has_promised(line.customer_id):
                    note = "Virement annoncé par le gérant."
                    self._camille.call(line, CallOutcome.PROMISE, contact=contact, note=note, promised_for=waited_for)
            elif siren != _siren(self._story.late[0]):
                self._camille.finish_call(line)
            elif line.calls:
                self._camille.give_up_call(line)
            else:
                self._camille.call(line, CallOutcome.NO_ANSWER, contact=contact, note="Répondeur.")

    def _has_promised(self, customer_id: UUID | None) -> bool:
        with self._services.database.transaction(self._organisation) as session:
            return session.exec(select(Promise.id).where(Promise.customer_id == customer_id)).first() is not None

    def _pay(self, reference: str, after: int, paid: dict[DemoInvoice, Decimal]) -> None:
        wording = " ".join(each.number for each in paid)
        self._billing.record_receipt(
            reference, self._day(after), wording, {self._id(each): amount for each, amount in paid.items()}
        )

    def _in_full(self, *invoices: DemoInvoice) -> dict[DemoInvoice, Decimal]:
        return {each: -each.draft.payable if each.draft.is_credit_note else each.draft.payable for each in invoices}

    def _day(self, after: int) -> date:
        return self._script.first_day + timedelta(days=after)

    def _id(self, invoice: DemoInvoice) -> UUID:
        with self._services.database.transaction(self._organisation) as session:
            return session.exec(select(InvoiceRecord.id).where(InvoiceRecord.number == invoice.number)).one()

    def _run(self, task: str) -> None:
        self._services.engine.run_here(task, self._organisation)

    def _let_flows_through(self) -> None:
        """Until all that was pushed has left, and all that platforms have said so far was heard."""
        for _ in range(_ROUNDS):
            for task in (PROCESS_TASK, OUTBOX_TASK, POLL_TASK, PROCESS_TASK):
                self._run(task)
            waiting = self._waiting()
            if not waiting:
                return
        raise StoryStuckError(paris_date(self._clock()), waiting)

    def _waiting(self) -> int:
        now = self._clock()
        with self._services.database.transaction(self._organisation) as session:
            flows = select(func.count()).where(Flow.state == FlowState.RECEIVED.value, col(Flow.next_attempt_at) <= now)
            messages = select(func.count()).where(
                col(OutboxMessage.state).in_(_UNFINISHED), col(OutboxMessage.next_attempt_at) <= now
            )
            return session.exec(flows).one() + session.exec(messages).one()


def _siren(invoice: DemoInvoice) -> str:
    return invoice.customer.siren
