"""Customers who owe, money that comes, days that pass: what tests of promises, disputes and plans stand on."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from sqlmodel import select

from gateway.access.scope import Scope
from gateway.alerts.model import Alert
from gateway.collection.agreements import following
from gateway.collection.agreements.model import AgreementLine
from gateway.collection.agreements.repository import customers_past_grace, customers_with_agreements
from gateway.collection.model import CollectionAction
from gateway.customers.linking import link_invoice
from gateway.customers.model import CustomerInvoice
from gateway.database import Database
from gateway.invoices.model import Invoice
from gateway.kernel.clock import paris_date
from gateway.ledger.model import LedgerEntry
from gateway.ledger.service import take_turn
from gateway.lifecycle.model import InvoiceRecord
from gateway.lifecycle.service import RecordedEvent
from gateway.notifications.service import Channels
from gateway.treasury.allocating import NewReceipt
from gateway.treasury.model import Receipt, ReceiptSource
from gateway.treasury.receipts import follow_collection, record_receipt, reverse_receipt
from tests.lifecycle.following import invoice, record, register
from tests.lifecycle.making_events import START

EVERYTHING = Scope.everything()
CHANNELS = Channels(by_email=False)
BY = "user:1"


@dataclass
class House:
    """An organisation with open invoices; `now` moves on with each thing that happens."""

    database: Database
    organisation: UUID
    now: datetime = START
    owed: dict[str, InvoiceRecord] = field(default_factory=dict)

    def owes(
        self, number: str, amount: str = "120.00", *, agency_id: UUID | None = None, **changes: Any
    ) -> InvoiceRecord:
        """A customer owes an invoice (Bâtir Ensemble by default)."""
        what: Invoice = invoice(number, amount, **changes)
        now = self.tick()
        registration = register(
            self.database, self.organisation, what, content=number.encode(), agency_id=agency_id, now=now
        )
        with self.database.transaction(self.organisation) as session:
            link_invoice(session, registration, what.buyer, now)
            following.follow_registration(session, registration, now)
        self.owed[number] = registration.invoice
        return registration.invoice

    def customer(self, number: str = "F1") -> UUID:
        """The customer of an invoice."""
        with self.database.transaction(self.organisation) as session:
            return session.exec(
                select(CustomerInvoice.customer_id).where(CustomerInvoice.invoice_id == self.owed[number].id)
            ).one()

    def tick(self, **step: float) -> datetime:
        """Some time later; a minute by default."""
        self.now += timedelta(**(step or {"minutes": 1}))
        return self.now

    def go_to(self, day: date) -> None:
        """The morning of a day."""
        self.now = datetime.combine(day, START.timetz())

    def pay(self, amount: str, number: str = "F1", on: date | None = None) -> Receipt:
        """Money comes for one invoice."""
        now = self.tick()
        new = NewReceipt(
            amount=Decimal(amount),
            currency="EUR",
            received_on=on or paris_date(now),
            reference=str(uuid4()),
            allocations={self.owed[number].id: Decimal(amount)},
        )
        with self.database.transaction(self.organisation) as session:
            receipt = record_receipt(session, EVERYTHING, new, source=ReceiptSource.API, by=BY, now=now).receipt
        self.look(number)
        return receipt

    def bounce(self, receipt: Receipt, number: str = "F1") -> None:
        """That money never came."""
        with self.database.transaction(self.organisation) as session:
            reverse_receipt(session, EVERYTHING, receipt.id, reason="Rejeté.", by=BY, now=self.tick())
        self.look(number)

    def hear(self, code: str, **details: Any) -> RecordedEvent:
        """A status comes, dated now."""
        hours = (self.tick() - START).total_seconds() / 3600
        recorded = record(self.database, self.organisation, code, hours, now=self.now, **details)
        with self.database.transaction(self.organisation) as session:
            follow_collection(session, recorded, self.now)
            following.follow_status(session, recorded, self.now)
        return recorded

    def look(self, *numbers: str) -> None:
        """What the review of deadlines does when something came for invoices."""
        with self.database.transaction(self.organisation) as session:
            take_turn(session)
            rows = [session.get_one(InvoiceRecord, self.owed[number].id) for number in numbers]
            following.follow_invoices(session, rows, self.now)
            customers = customers_with_agreements(session, [row.id for row in rows])
            following.follow_customers(session, customers, CHANNELS, self.now)

    def pass_days(self, day: date) -> None:
        """What the clock does on the morning of a day."""
        self.go_to(day)
        with self.database.transaction(self.organisation) as session:
            take_turn(session)
            customers = customers_past_grace(session, paris_date(self.now), 100)
            following.follow_customers(session, customers, CHANNELS, self.now)
            assert customers_past_grace(session, paris_date(self.now), 100) == []

    def rows(self, table: type) -> list[Any]:
        """Every row of a table of ours."""
        with self.database.transaction(self.organisation) as session:
            return list(session.exec(select(table)))

    def alerts(self, condition: str) -> list[Alert]:
        """The alerts of a condition, open or not."""
        return [each for each in self.rows(Alert) if each.condition == condition]

    def actions(self, alert: Alert) -> list[CollectionAction]:
        """The actions of an alert."""
        return [each for each in self.rows(CollectionAction) if each.alert_id == alert.id]

    def steps(self, agreement_id: UUID) -> list[str]:
        """The history of a promise, a dispute or a plan."""
        lines = [each for each in self.rows(AgreementLine) if each.agreement_id == agreement_id]
        return [each.step for each in sorted(lines, key=lambda line: line.number)]

    def told(self, kind: str, agreement_id: UUID) -> list[str]:
        """What the ledger says of it."""
        subject = f"{kind}:{agreement_id}"
        entries = sorted(self.rows(LedgerEntry), key=lambda entry: entry.position)
        return [each.kind for each in entries if each.subject == subject]
