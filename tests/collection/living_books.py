"""What the accounting tells in a history: debts that only the books know, what pays them; and rates that are agreed."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from functools import singledispatchmethod
from io import BytesIO
from typing import Any
from uuid import uuid4

from sqlmodel import select

from gateway.collection.law import claiming
from gateway.collection.scenario_books import book_content, store_book
from gateway.collection.scenarios import default_book
from gateway.customers.service import change_customer
from gateway.treasury.accounting.importing import assign_account, import_entries
from gateway.treasury.accounting.model import AccountingEntry
from gateway.treasury.accounting.paying import pay_opening
from tests.collection import histories as told
from tests.collection.histories import SELLERS, Act
from tests.collection.living import BY, LAW, Life, share
from tests.collection.naive_facts import NOTHING, Bill, Opening, Part, Rated
from tests.conftest import START
from tests.treasury.making_books import fec, row


@dataclass
class BookedLife(Life):
    """A life whose accounting tells, too; `accounts`: those of the books whose customer was told."""

    accounts: set[str] = field(default_factory=set)

    @singledispatchmethod
    def act(self, act: Act) -> None:
        """Do what an act says. Raises what the services raise."""
        super().act(act)

    @act.register
    def _(self, act: told.Opening) -> None:
        debtor = self.some(act.debtor, sorted(self.customers))
        opening = Opening(
            id=uuid4(),
            number=f"V{len(self.books.openings) + 1}",
            debtor=debtor,
            day=START.date() - timedelta(days=act.days_before),
            amount=Decimal(act.cents) / 100,
        )
        self._import(_asking(opening))
        account = _account(debtor)
        if account not in self.accounts:
            self.within(assign_account, account, str(self.customers[debtor]), scope=None, by=BY)
            self.accounts.add(account)
        with self.database.transaction(self.organisation) as session:
            opening.id = session.exec(select(AccountingEntry.id).where(AccountingEntry.piece == opening.number)).one()
        self.books.openings.append(opening)

    def _import(self, *entries: list[dict[str, str]]) -> None:
        file = BytesIO(fec(*(line for entry in entries for line in entry)).encode())
        import_entries(self.database, self.organisation, file, dry_run=False, by=BY, now=self.clock())

    @act.register
    def _(self, act: told.Booked) -> None:
        opening = self.some(act.about, [each for each in self.books.openings if not each.over])
        deeds: dict[str, Callable[[Opening, int], None]] = {
            "settled": self._settle,
            "paid": self._pay,
            "arrived": self._arrive,
        }
        deeds[act.what](opening, act.percent)

    def _settle(self, opening: Opening, _percent: int) -> None:
        """A letter joins it with its payment."""
        letter = {"letter": opening.number, "on": f"{opening.day:%Y%m%d}"}
        self._import(_asking(opening, **letter), _settling(opening, **letter))
        opening.settled_at = self.clock()

    def _pay(self, opening: Opening, percent: int) -> None:
        """Money of its customer comes in, which pays a part of it and leaves some over."""
        amount = share(percent, max(opening.left, NOTHING))
        self.receive([], {}, amount + 1, opening.debtor, self.today)
        money = self.books.received[-1]
        self.within(pay_opening, opening.id, amount, money.id, by=BY)
        money.used += amount
        opening.paid.append((money, amount, self.clock()))

    def _arrive(self, opening: Opening, percent: int) -> None:
        """The invoice itself takes the place of what the books told; the money told to pay it pays it, as it fits."""
        bill = Bill(
            id=uuid4(),
            number=opening.number,
            debtor=opening.debtor,
            agency=None,
            seller=SELLERS[0],
            currency="EUR",
            issued=opening.day,
            due=opening.day + timedelta(days=45),
            total=share(percent, opening.amount),
        )
        self.register(bill)
        opening.bill = bill
        for money, amount, known_at in sorted(opening.paid, key=lambda each: (each[0].on, each[0].id)):
            if money.undone:
                continue
            money.used -= amount
            if (fits := min(amount, max(bill.left, NOTHING))) > 0:
                part = Part(money.on, known_at, fits)
                bill.parts.append(part)
                money.parts.append((bill, part))
        self.tell(bill, told.Status(0, "204"))

    @act.register
    def _(self, _act: told.ChaseBooks) -> None:
        content = book_content(default_book())
        for scenario in content["scenario"]:
            scenario["chase_books"] = True
        self.within(store_book, content, valid_from=self.today, comment="", by=BY)
        self.books.chases_books = True

    @act.register
    def _(self, act: told.Terms) -> None:
        debtor = None if act.ours else self.some(act.about, self.books.bills).debtor
        customer_id = None if debtor is None else self.customers[debtor]
        first = self.today - timedelta(days=act.from_days_ago)
        percent = None if act.points is None else least_rate(first) + act.points
        facts: dict[str, Any] = {"customer_id": customer_id, "source": "x", "by": BY}
        self.within(claiming.agree_on_rate, LAW, percent, first, scope=None, **facts)
        self.books.rates.append(Rated(debtor, first, percent))
        if debtor is not None:
            self.within(change_customer, customer_id, {"payment_terms": str(act.days_to_pay)}, by=BY)
            self.books.days_to_pay[debtor] = act.days_to_pay


def least_rate(day: date) -> Decimal:
    """Three times the legal interest: what the law allows at the least between businesses."""
    return 3 * LAW.legal_interest_on(day).percent


def _account(debtor: int) -> str:
    return f"C{debtor}"


def _asking(opening: Opening, **letter: str) -> list[dict[str, str]]:
    """The entry of the sale."""
    return _entry("VE", opening.number, opening.amount, opening, "706000", piece=opening.number, **letter)


def _settling(opening: Opening, **letter: str) -> list[dict[str, str]]:
    """The entry of the bank."""
    return _entry("BQ", f"P{opening.number}", -opening.amount, opening, "512000", **letter)


def _entry(
    journal: str, number: str, amount: Decimal, opening: Opening, other: str, piece: str = "", **letter: str
) -> list[dict[str, str]]:
    """The customer's account is moved by an amount, another one the other way."""
    debit, credit = (f"{max(each, NOTHING):.2f}".replace(".", ",") for each in (amount, -amount))
    facts = {"day": f"{opening.day:%Y%m%d}", "piece": piece}
    return [
        row(journal, number, "411000", debit, credit, aux=_account(opening.debtor), **facts, **letter),
        row(journal, number, other, credit, debit, **facts),
    ]
