"""The books a careful person would keep by hand: what the facts of a history come to, with none of the gateway's rules.

Slow and plain on purpose: every figure is added up anew from the facts, interest is counted day by day.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from uuid import UUID

from gateway.access.scope import Scope
from gateway.kernel.clock import paris_date
from tests.collection.naive_facts import (
    NOTHING,
    Agreed,
    Bill,
    Called,
    Case,
    Debtor,
    Judged,
    Opening,
    Rated,
    Received,
    Spared,
    Stopped,
)

#: Days that most public buyers have to pay from the receipt of an invoice.
PUBLIC_DAYS = 30


@dataclass
class NaiveBooks:
    """Everything that happened, as facts; `house`: the SIREN of whoever keeps the books."""

    cast: tuple[Debtor, ...]
    house: str = ""
    bills: list[Bill] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)
    spared: list[Spared] = field(default_factory=list)
    promises: list[Agreed] = field(default_factory=list)
    plans: list[Agreed] = field(default_factory=list)
    judged: list[Judged] = field(default_factory=list)
    cases: list[Case] = field(default_factory=list)
    openings: list[Opening] = field(default_factory=list)
    rates: list[Rated] = field(default_factory=list)
    days_to_pay: dict[int, int] = field(default_factory=dict)
    stopped: list[Stopped] = field(default_factory=list)
    calls: list[Called] = field(default_factory=list)
    chases_books: bool = False

    def bill(self, bill_id: UUID) -> Bill:
        """One bill."""
        return next(each for each in self.bills if each.id == bill_id)

    def opening(self, item_id: UUID) -> Opening | None:
        """What only the books know or knew under that id; None: it is a bill."""
        return next((each for each in self.openings if each.id == item_id), None)

    def number(self, item_id: UUID) -> str:
        """The number of a bill, or of what only the books know, which the invoice that arrives bears too."""
        return (self.opening(item_id) or self.bill(item_id)).number

    def balances(self, place: str, scope: Scope) -> dict[tuple[object, str], Decimal]:
        """What is owed by customer, agency, entity or group, in each currency, of what may be seen; no empty ones.

        Invoiced, less what was granted, collected, credited and written off, less money that pays nothing; and what
        only the books of the house know.
        """
        sums: defaultdict[tuple[object, str], Decimal] = defaultdict(lambda: NOTHING)
        for bill in self.bills:
            if scope.allows(bill.agency, self.cast[bill.debtor].siren):
                of = {
                    "customer": bill.debtor,
                    "agency": bill.agency,
                    "entity": bill.seller,
                    "group": self.cast[bill.debtor].siren,
                }[place]
                sums[of, bill.currency] += bill.left
        for money in self.received:
            siren = None if money.of is None else self.cast[money.of].siren
            if scope.is_everything or siren in scope.key_accounts:
                of = {"customer": money.of, "agency": None, "entity": None, "group": siren}[place]
                sums[of, money.currency] -= money.rest
        for each in self.openings:
            siren = self.cast[each.debtor].siren
            if scope.is_everything or siren in scope.key_accounts:
                of = {"customer": each.debtor, "agency": None, "entity": self.house, "group": siren}[place]
                sums[of, "EUR"] += each.left
        return {place: amount for place, amount in sums.items() if amount}

    def why_not(self, bill: Bill, today: date) -> set[str]:
        """Every reason not to chase a bill today, by the name the gateway gives it; disputes recorded here aside."""
        because = set()
        held = bill.holds
        if bill.left <= 0:
            because.add("paid")
        if bill.closed:
            because.add("closed")
        if {"501", "221"} & held.keys() or bill.refused:
            because.add("undelivered")
        if "208" in held:
            because.add("paused")
        if bill.is_announced(today):
            because.add("announced")
        because |= self._why_not_debtor(bill.debtor, bill.issued, today)
        if any(bill in each.bills for each in self.cases if not each.over):
            because.add("litigation")
        if any(each.bill is bill for each in self.spared if each.is_in_force(today)):
            because.add("excluded")
        if any(bill in each.bills and self.is_awaited(each, today) for each in self.promises):
            because.add("promised")
        if any(bill in each.bills and each.is_plain and self.is_running(each, today) for each in self.plans):
            because.add("in_plan")
        return because

    def why_not_opening(self, opening: Opening, today: date) -> set[str]:
        """Every reason not to chase what only the books know today: what holds its customer as a whole, and its own."""
        because = set() if self.chases_books else {"books_only"}
        if opening.left <= 0:
            because.add("paid")
        if any(opening in each.about and self.is_awaited(each, today) for each in self.promises):
            because.add("promised")
        if any(opening in each.about and each.is_plain and self.is_running(each, today) for each in self.plans):
            because.add("in_plan")
        return because | self._why_not_debtor(opening.debtor, opening.day, today)

    def _why_not_debtor(self, debtor: int, issued: date, today: date) -> set[str]:
        """Every reason not to chase a customer as a whole for what was issued on a day."""
        because = set()
        if any(not each.over and each.debtor == debtor and issued <= each.judgment for each in self.judged):
            because.add("insolvent")
        if any(not each.over and each.debtor == debtor and each.whole for each in self.cases):
            because.add("litigation")
        mine = (each for each in self.spared if each.bill is None and each.debtor == debtor)
        if any(each.is_in_force(today) for each in mine):
            because.add("customer_excluded")
        return because

    def unreachable(self, debtor: int, *, by_email: bool) -> bool:
        """Whether the only contact of a customer is the wrong person, or has an e-mail address that nobody has."""
        mine = (each for each in self.stopped if each.debtor == debtor and not each.lifted)
        return any(each.wrong or by_email for each in mine)

    def openings_of(self, debtor: int, currency: str) -> Decimal:
        """What only the books know of an account; they are kept in euros."""
        return sum((each.left for each in self.openings if (each.debtor, currency) == (debtor, "EUR")), NOTHING)

    def credit_of_books(self, debtor: int, currency: str) -> Decimal:
        """What the books take off what an account is asked for, negative: their debts first cover it, unless chased."""
        if not self.chases_books:
            return min(self.openings_of(debtor, currency), NOTHING)
        mine = (each.left for each in self.openings if (each.debtor, currency) == (debtor, "EUR"))
        return sum((each for each in mine if each < 0), NOTHING)

    def last_contact(self, debtor: int, currency: str) -> date:
        """The day a call reached a customer, or a message about what it owes in a currency."""
        mine = (each for each in self.calls if each.debtor == debtor and each.currency in (None, currency))
        return max((each.on for each in mine), default=date.min)

    def is_awaited(self, promise: Agreed, today: date) -> bool:
        """A promise of which nothing came, on whose money no day of grace has passed."""
        return not promise.over and today <= promise.dues[-1][0] and promise.is_plain and not promise.came()

    def is_running(self, plan: Agreed, today: date) -> bool:
        """A plan that was neither called off nor paid, and of which nothing is late."""
        came = plan.came()
        kept = all(came >= amount for grace_until, amount in plan.dues if grace_until < today)
        return not plan.over and kept and plan.owed > 0 and came < plan.dues[-1][1]

    def last_day_to_pay(self, bill: Bill) -> date:
        """A public buyer has so many days from the first 203, when that is later than what the bill says."""
        received = [paris_date(each.at) for each in bill.told if each.code == "203"]
        if self.cast[bill.debtor].kind != "public" or not received:
            return bill.due
        return max(bill.due, min(received) + timedelta(days=self.days_to_pay.get(bill.debtor, PUBLIC_DAYS)))

    def agreed_percent(self, bill: Bill, day: date) -> Decimal | None:
        """The rate that was agreed for a day: with the customer, else in our terms of sale; None: the law's holds."""
        for holder in (bill.debtor, None):
            mine = [each for each in self.rates if each.debtor == holder and each.first <= day]
            latest = max(enumerate(mine), key=lambda each: (each[1].first, each[0]), default=None)
            if latest is not None and latest[1].percent is not None:
                return latest[1].percent
        return None

    def credited(self, bill: Bill) -> Iterator[tuple[date, Decimal]]:
        """What credit notes that name a bill, and stand, take off it: day, amount."""
        for each in self.bills:
            if each.credits is bill and not each.closed and (share := min(-each.left, bill.total)) > 0:
                yield each.issued, share


def interest(
    bill: Bill,
    moves: Iterable[tuple[date, Decimal]],
    excluded: Iterable[tuple[date, date | None, Decimal | None]],
    percent_on: dict[date, Decimal],
    year_days: int,
) -> Decimal:
    """Late-payment interest, a day after the other over the days of `percent_on`; days before lower the base."""
    moves, excluded, sum_of_days = list(moves), list(excluded), Decimal(0)
    for day, percent in percent_on.items():
        base = bill.total - sum((amount for on, amount in moves if on < day), NOTHING)
        for first, last, amount in excluded:
            if first <= day and (last is None or day <= last):
                base -= bill.total * 100 if amount is None else amount
        sum_of_days += max(base, NOTHING) * percent
    return (sum_of_days / (100 * year_days)).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)
