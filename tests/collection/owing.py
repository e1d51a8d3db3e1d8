"""A customer who owes, in a real database, and what happens to what it owes."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from sqlmodel import select
from stdnum import luhn

from gateway.access.scope import Scope
from gateway.collection.dispatching import REMINDER_MAIL, Dispatching, dispatch, last_check
from gateway.collection.messages.letterhead import Letterhead
from gateway.collection.messages.printing import plain_text
from gateway.collection.messages.texts import default_texts
from gateway.collection.messages.values import ComposedMessage, ReminderMessage
from gateway.collection.messages.wording import word
from gateway.collection.model import Reminder, ReminderInvoice
from gateway.collection.reminding import ReminderRound, Round
from gateway.collection.scenarios import Channel
from gateway.customers.linking import link_invoice
from gateway.customers.model import Customer, CustomerContact
from gateway.database import Database
from gateway.invoices.parties import Buyer
from gateway.invoices.terms import Identifier
from gateway.jobs.channels import Delivery
from gateway.jobs.model import OutboxMessage
from gateway.jobs.outbox import OutboxWorker
from gateway.kernel.clock import ManualClock
from gateway.lifecycle.model import InvoiceRecord
from gateway.treasury.allocating import NewReceipt
from gateway.treasury.model import ReceiptSource
from gateway.treasury.receipts import record_receipt
from tests.lifecycle.following import invoice, record, register
from tests.lifecycle.making_events import BUYER_SIREN, START

DUE = date(2026, 10, 31)
#: Tuesday, 17 November 2026, at eleven in Paris.
NOW = datetime(2026, 11, 17, 10, 0, tzinfo=UTC)


def siren(number: int) -> str:
    """A valid SIREN, another for each number."""
    digits = f"{50000000 + number:08d}"
    return digits + luhn.calc_check_digit(digits)


def worded(message: ReminderMessage) -> ComposedMessage:
    """What a reminder claims, in a few words."""
    lines = [f"{line.number} {line.claimed}" for line in message.lines]
    return ComposedMessage(f"{message.template} {message.total}", "\n".join([*lines, message.note]))


class MailServer:
    """Takes messages, or fails as told."""

    def __init__(self) -> None:
        self.taken: list[Delivery] = []
        self.fails_with: BaseException | None = None

    def deliver(self, delivery: Delivery) -> str:
        if self.fails_with is not None:
            raise self.fails_with
        self.taken.append(delivery)
        return f"<{len(self.taken)}@example>"


def said(message: ReminderMessage) -> ComposedMessage:
    """The words of a message, without any paper."""
    letterhead = Letterhead(name="Vendeur SA")
    worded = word(message, letterhead, default_texts())
    return ComposedMessage(worded.subject, plain_text(worded, letterhead))


@dataclass
class Collecting:
    """The collection of one organisation: its rounds, its messages, its mail server."""

    database: Database
    organisation: UUID
    clock: ManualClock
    automatic: bool = True

    def __post_init__(self) -> None:
        self.server = MailServer()
        self.context = Dispatching(
            database=self.database,
            clock=self.clock,
            compose=lambda _session, message: said(message),
            leaves=frozenset({Channel.EMAIL}),
            batch=50,
        )

    def owe(
        self,
        number: str = "F1",
        due: str = "1200.00",
        *,
        on: date = DUE,
        siren: str = BUYER_SIREN,
        email: str | None = "compta@batir.example",
        agency_id: UUID | None = None,
        **changes: object,
    ) -> InvoiceRecord:
        """An invoice taken in charge by its buyer, whose accounting can be written to."""
        buyer = Buyer(name=f"Client {siren}", legal_id=Identifier(value=siren, scheme="0002"))
        facts = {"issue_date": date(2026, 10, 1), "due_date": on, "buyer": buyer, **changes}
        made = register(self.database, self.organisation, invoice(number, due, **facts), agency_id=agency_id)
        with self.database.transaction(self.organisation) as session:
            link_invoice(session, made, buyer, START)
            customer = session.exec(select(Customer).where(Customer.siren == siren)).one()
            known = session.exec(select(CustomerContact).where(CustomerContact.customer_id == customer.id)).first()
            if email and known is None:
                session.add(_contact(customer, email))
        record(self.database, self.organisation, "204", number=number)
        return made.invoice

    def pay(self, paid: InvoiceRecord, amount: str = "1200.00") -> None:
        """Money comes in for an invoice."""
        new = NewReceipt(
            amount=Decimal(amount),
            currency="EUR",
            received_on=date(2026, 11, 2),
            reference=f"VIR-{paid.number}-{amount}",
            allocations={paid.id: Decimal(amount)},
        )
        with self.database.transaction(self.organisation) as session:
            record_receipt(session, Scope.everything(), new, source=ReceiptSource.API, by="t", now=self.clock())

    def run(self) -> Round:
        """A round now."""
        return ReminderRound(self.database, self.clock, automatic=self.automatic).run(self.organisation)

    def dispatch(self) -> int:
        """Let what was decided go to the outbox, and follow what left."""
        return dispatch(self.context, self.organisation)

    def deliver(self) -> None:
        """Let the outbox speak to the mail server, and follow."""
        channels = {REMINDER_MAIL: last_check(self.context, self.server.deliver)}
        OutboxWorker(self.database, self.clock, channels, attempts=3, batch=20).drain(self.organisation)
        self.dispatch()

    def send(self) -> None:
        """A round, and all that follows."""
        self.run()
        self.dispatch()
        self.deliver()

    def days(self, count: int) -> None:
        """Wait."""
        self.clock.advance(timedelta(days=count))

    def reminders(self) -> list[Reminder]:
        """Every reminder, the oldest first."""
        with self.database.transaction(self.organisation) as session:
            return list(session.exec(select(Reminder).order_by(Reminder.decided_at, Reminder.id)))

    def lines(self) -> list[ReminderInvoice]:
        """Every line of every reminder."""
        with self.database.transaction(self.organisation) as session:
            return list(session.exec(select(ReminderInvoice).order_by(ReminderInvoice.position)))

    def outbox(self) -> list[OutboxMessage]:
        """Every message in the outbox."""
        with self.database.transaction(self.organisation) as session:
            return list(session.exec(select(OutboxMessage)))


def _contact(customer: Customer, email: str) -> CustomerContact:
    return CustomerContact(
        organisation_id=customer.organisation_id,
        customer_id=customer.id,
        role="accounting",
        name="Comptabilité",
        email=email,
        phone=None,
        language="fr",
        postal=["1 rue de la Paix", "75002 Paris"],
        created_at=START,
    )
