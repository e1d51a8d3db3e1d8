"""Lives a history through the real services on the real database, and keeps the naive books beside it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import singledispatchmethod
from typing import Any, TypeVar
from uuid import UUID, uuid4

from sqlmodel import Session, col, select

from gateway.access.scope import Scope
from gateway.collection.agreements import disputing, planning, promising
from gateway.collection.agreements.model import Dispute as DisputeRow
from gateway.collection.agreements.model import PlanInstalment, Settlement
from gateway.collection.confirming import complete, confirm, refuse, settle
from gateway.collection.exclusions import exclude, lift
from gateway.collection.law import claiming, handing_over, proceedings
from gateway.collection.law.correcting import correct_claims
from gateway.collection.law.insolvency import InsolvencyKind
from gateway.collection.law.model import Penalty, Treatment
from gateway.collection.law.repository import PENALTY
from gateway.collection.law.statute import statute
from gateway.collection.model import Reminder, ReminderState
from gateway.customers.matching import key_of_siret
from gateway.customers.model import Customer, CustomerContact
from gateway.database import Database
from gateway.flows.consequences import OpenAlerts, follow_registration, follow_statuses
from gateway.invoices.model import PrecedingInvoice
from gateway.invoices.parties import Buyer, Seller
from gateway.invoices.terms import Identifier
from gateway.kernel.clock import ManualClock, paris_date
from gateway.kernel.errors import GatewayError
from gateway.kernel.settings import Settings
from gateway.lifecycle.cdar.model import CdarDate, CdarMessage, Characteristic, Party
from gateway.lifecycle.cdar.model import Identifier as PartyIdentifier
from gateway.lifecycle.model import Direction
from gateway.lifecycle.records import InvoiceDocument
from gateway.lifecycle.service import record_message, register_invoice
from gateway.notifications.service import Channels
from gateway.treasury.allocating import NewReceipt
from gateway.treasury.model import ReceiptSource, ReceiptUse, WriteOffKind
from gateway.treasury.receipts import record_receipt, reverse_receipt
from gateway.treasury.writing_off import undo_write_off, write_off
from tests.collection import histories as told
from tests.collection.histories import AGENCIES, CAST, CURRENCIES, SELLERS, Act
from tests.collection.naive_books import NaiveBooks
from tests.collection.naive_facts import (
    NOTHING,
    Agreed,
    Bill,
    Case,
    Judged,
    Lost,
    Opening,
    Part,
    Received,
    Spared,
    Told,
)
from tests.lifecycle.following import invoice as invoice_of
from tests.lifecycle.making_events import START, message

EVERYTHING = Scope.everything()
CHANNELS = Channels(by_email=False)
LAW = statute()
BY = "user:1"
T = TypeVar("T")


def share(percent: int, amount: Decimal) -> Decimal:
    """`percent` of an amount, in cents; a cent at least."""
    part = (amount * percent / 100).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)
    return part or Decimal("0.01")


@dataclass
class Life:
    """One organisation and what happens to what it is owed; an act that the services refuse changes nothing.

    `done`: which acts were taken, which refused; for whoever asks whether histories are lively.
    """

    database: Database
    organisation: UUID
    clock: ManualClock
    settings: Settings
    books: NaiveBooks = field(default_factory=lambda: NaiveBooks(CAST))
    customers: dict[int, UUID] = field(default_factory=dict)
    messages: list[tuple[Bill, CdarMessage]] = field(default_factory=list)
    penalties: list[UUID] = field(default_factory=list)
    paid_penalties: list[tuple[UUID, Received, Decimal]] = field(default_factory=list)
    waived_penalties: dict[UUID, Decimal] = field(default_factory=dict)
    corrected_penalties: dict[UUID, Decimal] = field(default_factory=dict)
    disputes: list[UUID] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    serial: int = 0

    def live(self, act: Act) -> None:
        """Do what an act says, if anything there is fits it."""
        self.clock.advance(timedelta(minutes=1))
        try:
            self.act(act)
        except GatewayError as error:
            self.done.append(f"{type(act).__name__} refused: {type(error).__name__}")
        except _NothingFitsError:
            self.done.append(f"{type(act).__name__}: nothing fits")
        else:
            self.done.append(f"{type(act).__name__} {getattr(act, 'what', getattr(act, 'code', ''))}".strip())

    @property
    def today(self) -> date:
        """The legal day."""
        return paris_date(self.clock())

    def some(self, number: int, among: Sequence[T]) -> T:
        """The one that a number names."""
        if not among:
            raise _NothingFitsError
        return among[number % len(among)]

    def open_bill(self, number: int) -> Bill:
        """An invoice that something is left of."""
        return self.some(number, [each for each in self.books.bills if each.left > 0 and each.total > 0])

    @singledispatchmethod
    def act(self, act: Act) -> None:
        """Do what an act says. Raises what the services raise."""
        raise NotImplementedError(act)

    def within(self, deed: Callable[..., T], *arguments: Any, scope: Scope | None = EVERYTHING, **named: Any) -> T:
        """Call a service in a transaction of its own."""
        with self.database.transaction(self.organisation) as session:
            places = (session,) if scope is None else (session, scope)
            return deed(*places, *arguments, now=self.clock(), **named)

    # What platforms and billing systems tell

    @act.register
    def _(self, act: told.Invoice) -> None:
        issued = min(self.today - timedelta(days=act.issued_ago), date(2026, 12, 31))
        due = max(issued, self.today + timedelta(days=act.due_in))
        bill = Bill(
            id=uuid4(),
            number=f"F{len(self.books.bills) + 1}",
            debtor=act.debtor,
            agency=AGENCIES[act.agency],
            seller=SELLERS[act.seller],
            currency=CURRENCIES[act.currency],
            issued=issued,
            due=due,
            total=Decimal(act.cents) / 100,
        )
        early = [(self.message_of(bill, each), each) for each in act.early]
        for written, each in early:
            self.hear(bill, written, each)
        self.register(bill)
        code = "200" if act.silent else "204"
        if not any(each.code == code for each in act.early):
            self.tell(bill, told.Status(0, code, days_ago=act.issued_ago % 5))

    @act.register
    def _(self, act: told.CreditNote) -> None:
        credited = self.some(act.about, [each for each in self.books.bills if each.total > 0])
        bill = Bill(
            id=uuid4(),
            number=f"A{len(self.books.bills) + 1}",
            debtor=credited.debtor,
            agency=credited.agency,
            seller=credited.seller,
            currency=credited.currency,
            issued=min(self.today, date(2026, 12, 31)),
            due=self.today,
            total=-share(act.percent, credited.total),
            credits=credited,
        )
        self.register(bill)

    @act.register
    def _(self, act: told.Status) -> None:
        self.tell(self.some(act.about, self.books.bills), act)

    @act.register
    def _(self, act: told.Collected) -> None:
        bill = self.some(act.about, [each for each in self.books.bills if each.parts])
        self.tell(bill, told.Status(0, "212", act.days_ago, act.percent))

    @act.register
    def _(self, act: told.Repeat) -> None:
        bill, written = self.some(act.about, self.messages)
        assert self.hear(bill, written, None)

    def register(self, bill: Bill) -> None:
        """The invoice is registered, goes to its account, and takes over what was told before."""
        debtor = CAST[bill.debtor]
        scheme = ("0009", debtor.siret) if debtor.siret else ("0002", debtor.siren)
        identifiers = (Identifier(value=scheme[1], scheme=scheme[0]),) if debtor.siret else ()
        buyer = Buyer(
            name=f"Client {bill.debtor}",
            legal_id=Identifier(value=debtor.siren, scheme="0002"),
            identifiers=identifiers,
        )
        changes: dict[str, Any] = {
            "issue_date": bill.issued,
            "due_date": bill.due,
            "currency": bill.currency,
            "type_code": "380" if bill.total > 0 else "381",
            "preceding_invoices": (PrecedingInvoice(number=bill.credits.number, issue_date=bill.credits.issued),)
            if bill.credits
            else (),
            "seller": Seller(name="Vendeur", legal_id=Identifier(value=bill.seller, scheme="0002")),
            "buyer": buyer,
        }
        what = invoice_of(bill.number, str(abs(bill.total)), **changes)
        now = self.clock()
        with self.database.transaction(self.organisation) as session:
            self._open_account(session, bill.debtor)
            made = register_invoice(
                session,
                invoice=what,
                document=InvoiceDocument("UBL", "EN 16931", uuid4().hex * 2),
                flow_id=None,
                agency_id=bill.agency,
                direction=Direction.RECEIVABLE,
                now=now,
            )
            follow_registration(session, made, buyer, now, OpenAlerts(session, {made.invoice.id: bill.number}))
            bill.id = made.invoice.id
        with self.database.transaction(self.organisation) as session:
            self._know_account(session, bill.debtor)
        self.books.bills.append(bill)

    def _open_account(self, session: Session, number: int) -> None:
        """An establishment has an account of its own only when it was imported."""
        siret, now = CAST[number].siret, self.clock()
        if siret and number not in self.customers:
            row = Customer(
                organisation_id=self.organisation,
                key=key_of_siret(siret),
                name="Établissement",
                siren=CAST[number].siren,
                siret=siret,
                created_at=now,
                updated_at=now,
            )
            session.add(row)
            session.flush()

    def _know_account(self, session: Session, number: int) -> None:
        if number in self.customers:
            return
        debtor = CAST[number]
        key = key_of_siret(debtor.siret) if debtor.siret else f"siren:{debtor.siren}"
        row = session.exec(select(Customer).where(Customer.key == key)).one()
        row.is_public, row.is_consumer = debtor.kind == "public", debtor.kind == "consumer"
        contact = CustomerContact(
            organisation_id=self.organisation,
            customer_id=row.id,
            role="accounting",
            name="Comptabilité",
            email=debtor.email,
            language="fr",
            postal=["1 rue de la Paix", "75002 Paris"],
            created_at=START,
        )
        session.add_all([row, contact])
        self.customers[number] = row.id

    def tell(self, bill: Bill, act: told.Status) -> None:
        """A status comes for a bill."""
        self.hear(bill, self.message_of(bill, act), act)

    def message_of(self, bill: Bill, act: told.Status) -> CdarMessage:
        """The message of a status, on a second of its own."""
        self.serial += 1
        return message_of(bill, act, self.clock(), self.serial)

    def hear(self, bill: Bill, written: CdarMessage, act: told.Status | None) -> bool:
        """Record a message with all that follows from it; whether it was known. `act` None: it is a repetition."""
        now = self.clock()
        with self.database.transaction(self.organisation) as session:
            (recorded,) = record_message(
                session,
                message=written,
                direction=Direction.RECEIVABLE,
                document_sha256="0" * 64,
                flow_id=None,
                now=now,
                source="platform:test",
            )
            numbers = {recorded.id: bill.number} | ({recorded.invoice.id: bill.number} if recorded.invoice else {})
            follow_statuses(session, [recorded], self.settings, now, OpenAlerts(session, numbers))
        if act is not None:
            self.messages.append((bill, written))
            event = recorded.event
            collected = [each for each in event.data("MEN") if each.amount is not None]
            contested = [each.amount for each in event.data("MNATTC")]
            bill.tell(
                Told(
                    code=event.code,
                    at=event.status_at,
                    known_at=now,
                    fingerprint=event.fingerprint,
                    amount=collected[0].amount if collected else contested[0] if contested else None,
                    granted=sum((each.amount or NOTHING for each in event.data("ESC")), NOTHING),
                    day=collected[0].on.day if collected and collected[0].on else None,
                )
            )
            if event.code == "212":
                bill.give_way()
        return recorded.is_duplicate

    # Money

    @act.register
    def _(self, act: told.Receipt) -> None:
        asking = [each for each in self.books.bills if each.total > 0 and each.left + each.written_off > 0]
        bills = list({id(each): each for each in (self.some(number, asking) for number in act.about)}.values())
        bills = [each for each in bills if each.currency == bills[0].currency and not each.closed]
        parts = {each.id: share(act.percent, each.left + each.written_off) for each in bills}
        amount = sum(parts.values(), NOTHING) + Decimal(act.extra) / 100
        payer = self.some(sum(act.about), sorted(self.customers)) if act.names_payer else None
        self.receive(bills, parts, amount, payer, self.today - timedelta(days=act.days_ago))

    @act.register
    def _(self, act: told.Refund) -> None:
        owing = [each for each in self.books.bills if each.left < 0 and not each.closed]
        bill = self.some(act.about, owing)
        amount = -share(act.percent, -bill.left)
        self.receive([bill], {bill.id: amount}, amount, None, self.today)

    def receive(
        self, bills: list[Bill], parts: dict[UUID, Decimal], amount: Decimal, payer: int | None, on: date
    ) -> None:
        """Money comes in, or goes back."""
        currency = bills[0].currency if bills else "EUR"
        customer_id = None if payer is None else self.customers[payer]
        new = NewReceipt(amount, currency, on, str(uuid4()), "", "", parts, customer_id)
        receipt = self.within(record_receipt, new, source=ReceiptSource.API, by=BY).receipt
        money = Received(receipt.id, amount, currency, payer, on=on)
        for bill in bills:
            part = Part(on, self.clock(), parts[bill.id])
            bill.parts.append(part)
            bill.give_way()
            money.parts.append((bill, part))
        self.books.received.append(money)

    # What people agree on, contest and decide

    @act.register
    def _(self, act: told.Dispute) -> None:
        bill = self.open_bill(act.about)
        amount = None if act.percent is None else share(act.percent, bill.left)
        new = disputing.NewDispute(bill.id, "price", amount)
        self.disputes.append(self.within(disputing.open_dispute, new, CHANNELS, by=BY).id)

    @act.register
    def _(self, act: told.Promise) -> None:
        owing, owed, ids = self._owing(act.about, whole=act.whole)
        due_on = self.today + timedelta(days=act.due_in)
        new = promising.NewPromise(
            self.customers[owing[0].debtor], share(act.percent, owed), due_on, self.currency_of(owing[0]), **ids
        )
        row = self.within(promising.make_promise, new, by=BY)
        named = owing if ids else self.first(owing, new.amount)
        self.books.promises.append(Agreed(row.id, named, self.clock(), [(row.grace_until, row.amount)]))

    @act.register
    def _(self, act: told.Plan) -> None:
        owing, owed, ids = self._owing(act.about, whole=act.whole)
        amounts = [share(100 // len(act.days), owed) for _ in act.days[1:]]
        amounts.append(owed - sum(amounts, NOTHING))
        days = [self.today + timedelta(days=each) for each in act.days]
        spread = [planning.NewInstalment(*each) for each in zip(days, amounts, strict=True)]
        currency = self.currency_of(owing[0])
        customer_id, suspends = self.customers[owing[0].debtor], act.suspends
        new = planning.NewPlan(customer_id, spread, currency, suspends_penalties=suspends, **ids)
        row = self.within(planning.make_plan, new, by=BY)
        with self.database.transaction(self.organisation) as session:
            dues, sum_of = [], NOTHING
            mine = select(PlanInstalment).where(PlanInstalment.plan_id == row.id)
            for each in session.exec(mine.order_by(col(PlanInstalment.position))):
                sum_of += each.amount
                dues.append((each.grace_until, sum_of))
        self.books.plans.append(Agreed(row.id, owing, self.clock(), dues, suspends=act.suspends))

    def _owing(self, about: int, *, whole: bool) -> tuple[list[Bill | Opening], Decimal, dict[str, tuple[UUID, ...]]]:
        """A debt, here or in the books, or all its customer owes in its currency; what is left; which to name."""
        debts = [each for each in self.books.bills if each.left > 0 and each.total > 0]
        named = self.some(about, [*debts, *(each for each in self.books.openings if each.left > 0)])
        owing = self.open_to(named.debtor, self.currency_of(named)) if whole else [named]
        field_named = "invoice_ids" if isinstance(named, Bill) else "entry_ids"
        return owing, sum((each.left for each in owing), NOTHING), {} if whole else {field_named: (named.id,)}

    def open_to(self, debtor: int, currency: str) -> list[Bill | Opening]:
        """What a customer owes in a currency: its bills, then what only the books know, of each the first due first."""
        bills = [each for each in self.books.bills if (each.debtor, each.currency) == (debtor, currency)]
        bills = [each for each in bills if each.left > 0 and each.total > 0]
        known = [each for each in self.books.openings if (each.debtor, "EUR") == (debtor, currency) and each.left > 0]
        known.sort(key=lambda each: (each.day, each.number, each.id))
        return [*sorted(bills, key=lambda each: (each.due, str(each.id))), *known]

    @staticmethod
    def currency_of(debt: Bill | Opening) -> str:
        """The books are kept in euros."""
        return debt.currency if isinstance(debt, Bill) else "EUR"

    @staticmethod
    def first(owing: Sequence[Bill | Opening], amount: Decimal) -> list[Bill | Opening]:
        """What an amount is taken to be about, the first ones."""
        taken = []
        for each in owing:
            if amount > 0:
                taken.append(each)
            amount -= each.left
        return taken

    @act.register
    def _(self, act: told.Spare) -> None:
        bill = self.some(act.about, self.books.bills)
        until = None if act.days is None else self.today + timedelta(days=act.days)
        invoice_id, customer = None if act.whole else bill.id, str(self.customers[bill.debtor])
        row = self.within(exclude, customer, invoice_id=invoice_id, until=until, reason="x", by=BY)
        self.books.spared.append(Spared(row.id, bill.debtor, None if act.whole else bill, until))

    @act.register
    def _(self, act: told.Insolvency) -> None:
        debtor = self.some(act.about, self.books.bills).debtor
        judgment = self.today - timedelta(days=act.days_ago)
        row = self.within(
            proceedings.record_insolvency,
            str(self.customers[debtor]),
            InsolvencyKind.RECEIVERSHIP,
            LAW,
            judgment_on=judgment,
            published_on=None,
            source="BODACC",
            by=BY,
        )
        self.books.judged.append(Judged(row.id, debtor, judgment))

    @act.register
    def _(self, act: told.HandOver) -> None:
        bill = self.open_bill(act.about)
        customer = str(self.customers[bill.debtor])
        row, _ = self.within(
            handing_over.hand_over, customer, [bill.id], LAW, whole_customer=act.whole, handed_to="Me X", by=BY
        )
        self.books.cases.append(Case(row.id, bill.debtor, [bill], act.whole))

    @act.register
    def _(self, act: told.WriteOff) -> None:
        bill = self.some(act.about, [each for each in self.books.bills if each.left])
        amount = share(act.percent, bill.left)
        kind = WriteOffKind.SMALL_DIFFERENCE if abs(amount) <= 1 else WriteOffKind.LOSS
        row = self.within(write_off, bill.id, amount, kind=kind, reason="x", by=BY)
        small = kind is WriteOffKind.SMALL_DIFFERENCE
        bill.lost.append(Lost(row.id, self.today, amount, small))

    def _undo_write_off(self, act: told.Undo) -> None:
        lost = self.some(act.about, [each for bill in self.books.bills for each in bill.lost])
        self.within(undo_write_off, lost.id, reason="x", by=BY)
        lost.undone = True

    @act.register
    def _(self, act: told.Claim) -> None:
        bill = self.some(act.about, [each for each in self.books.bills if each.total > 0])
        if act.what == "claim":
            rows = self.within(claiming.claim_penalties, bill.id, LAW, until=self.today, by=BY)
            self.penalties += [row.id for row in rows]
        elif act.what == "choose":
            treatment = list(Treatment)[act.about % 3]
            self.within(
                claiming.choose_treatment,
                treatment,
                scope=None,
                customer_id=self.customers[bill.debtor],
                reason="x",
                by=BY,
            )
        elif act.what == "waive":
            penalty_id = self.some(act.about, self.penalties)
            waived = self.within(claiming.waive_penalty, penalty_id, None, reason="x", by=BY).waived
            self.waived_penalties[penalty_id] = waived
        elif act.what == "correct":
            self._correct(act.about)
        else:
            self._pay_penalty(act.about)

    def _correct(self, about: int) -> None:
        """A person takes back what is claimed too much of a bill, and what paid it pays nothing again."""
        bill = self.some(about, [each for each in self.books.bills if each.total > 0])
        position = self.within(correct_claims, bill.id, LAW, reason="x", by=BY)
        self.corrected_penalties |= {each.penalty.id: each.corrected for each in position.claimed}
        given_back = select(ReceiptUse).where(
            ReceiptUse.used_at == self.clock(), ReceiptUse.purpose == PENALTY, col(ReceiptUse.amount) < 0
        )
        with self.database.transaction(self.organisation) as session:
            uses = session.exec(given_back).all()
        for use in uses:
            money = next(each for each in self.books.received if each.id == use.receipt_id)
            money.used += use.amount
            self.paid_penalties.append((use.purpose_id, money, use.amount))

    def _pay_penalty(self, about: int) -> None:
        penalty_id = self.some(about, self.penalties)
        with self.database.transaction(self.organisation) as session:
            penalty = session.get_one(Penalty, penalty_id)
        able = [each for each in self.books.received if each.rest > 0 and each.currency == penalty.currency]
        money = self.some(about, able)
        amount = min(money.rest, penalty.amount)
        self.within(claiming.pay_penalty, penalty_id, amount, money.id, by=BY)
        money.used += amount
        self.paid_penalties.append((penalty_id, money, amount))

    def left_of_penalty(self, row: Penalty) -> Decimal:
        """What is still asked for of a claim: money of an undone receipt never paid it."""
        paid = [amount for each, money, amount in self.paid_penalties if each == row.id and not money.undone]
        return self.asked_of_penalty(row) - sum(paid, NOTHING) - self.waived_penalties.get(row.id, NOTHING)

    def asked_of_penalty(self, row: Penalty) -> Decimal:
        """What a claim asks for, once corrected."""
        return row.amount - self.corrected_penalties.get(row.id, NOTHING)

    @act.register
    def _(self, act: told.Undo) -> None:
        getattr(self, f"_undo_{act.what}")(act)

    def _undo_receipt(self, act: told.Undo) -> None:
        money = self.some(act.about, [each for each in self.books.received if not each.undone])
        self.within(reverse_receipt, money.id, reason="Rejeté.", by=BY)
        money.undone = True
        for _, part in money.parts:
            part.undone = True

    def _undo_dispute(self, act: told.Undo) -> None:
        self.within(
            disputing.settle,
            self.some(act.about, self._disputes(is_open=True)),
            list(Settlement)[act.days % 3],
            "x",
            by=BY,
        )

    def _undo_reopen(self, act: told.Undo) -> None:
        self.within(disputing.reopen, self.some(act.about, self._disputes(is_open=False)), "x", CHANNELS, by=BY)

    def _disputes(self, *, is_open: bool) -> list[UUID]:
        with self.database.transaction(self.organisation) as session:
            wanted = select(DisputeRow.id).where(col(DisputeRow.closed_on).is_(None) == is_open)
            return sorted(session.exec(wanted))

    def _undo_promise(self, act: told.Undo) -> None:
        promise = self.some(act.about, self.books.promises)
        self.within(promising.cancel_promise, promise.id, because="x", by=BY)
        promise.over = True

    def _undo_plan(self, act: told.Undo) -> None:
        plan = self.some(act.about, self.books.plans)
        self.within(planning.cancel_plan, plan.id, because="x", by=BY)
        plan.over = True

    def _undo_exclusion(self, act: told.Undo) -> None:
        spared = self.some(act.about, self.books.spared)
        self.within(lift, spared.id, by=BY)
        spared.lifted = True

    def _undo_insolvency(self, act: told.Undo) -> None:
        judged = self.some(act.about, self.books.judged)
        self.within(proceedings.end_insolvency, judged.id, LAW, ended_on=self.today, by=BY)
        judged.over = True

    def _undo_case(self, act: told.Undo) -> None:
        case = self.some(act.about, self.books.cases)
        self.within(handing_over.close_hand_over, case.id, on=self.today, because="x", by=BY)
        case.over = True

    @act.register
    def _(self, act: told.Person) -> None:
        reminder = self.some(act.about, [each for each in self.reminders() if each.state in _WAITING])
        if reminder.state == ReminderState.AWAITING:
            deed, facts = (confirm, {}) if act.yes else (refuse, {"reason": "x"})
        elif reminder.state == ReminderState.TODO:
            deed, facts = (complete, {"outcome": "x"}) if act.yes else (refuse, {"reason": "x"})
        else:
            deed, facts = settle, {"arrived": self.has_arrived(reminder)}
        self.within(deed, reminder.id, by=BY, **facts)

    def has_arrived(self, reminder: Reminder) -> bool:
        """What a person finds out about a message in doubt, or given up: the truth."""
        return False

    def reminders(self) -> list[Reminder]:
        """Every reminder, the oldest first."""
        with self.database.transaction(self.organisation) as session:
            return list(session.exec(select(Reminder).order_by(col(Reminder.decided_at), col(Reminder.id))))


class _NothingFitsError(Exception):
    """An act finds nothing that it could be about."""


_WAITING = (ReminderState.AWAITING, ReminderState.TODO, ReminderState.IN_DOUBT, ReminderState.FAILED)


def _characteristic(currency: str, code: str, amount: Decimal, on: date | None) -> Characteristic:
    return Characteristic(
        type_code=code,
        amount=amount,
        currency=currency,
        on=CdarDate(raw=on.strftime("%Y%m%d"), format="102") if on else None,
    )


def message_of(bill: Bill, act: told.Status, now: datetime, serial: int) -> CdarMessage:
    """The message of a status, dated some days ago; `serial` gives it a second of its own."""
    at = now - timedelta(days=act.days_ago) + timedelta(seconds=serial % 60)
    data = []
    if act.code == "212":
        due = bill.untold or bill.left or bill.total
        data.append(("MEN", share(act.percent, due), paris_date(at)))
        if act.granted:
            data.append(("ESC", Decimal("1.50"), None))
    elif act.code == "206" and act.percent < 100:
        data.append(("MNATTC", share(act.percent, abs(bill.total)), None))
    reasons = {"206": ["QTE_ERR"], "207": ["PU_ERR"], "208": ["JUSTIF_ABS"], "210": ["CMD_ERR"]}
    reasons |= {"213": ["REJ_COH"], "221": ["ROUTAGE_ERR"], "501": ["IRR_SYNTAX"]}
    written = message(
        act.code,
        (at - START).total_seconds() / 3600,
        number=bill.number,
        reasons=reasons.get(act.code, ()),
        data=[_characteristic(bill.currency, *each) for each in data],
        message_id=f"{bill.number}-{serial}",
    )
    seller = Party(ids=(PartyIdentifier(scheme="0002", value=bill.seller),))
    document = written.documents[0].model_copy(update={"seller": seller})
    return written.model_copy(update={"documents": (document,)})
