"""Whatever happens to one account, day after day: the pure rules agree with books kept by hand.

Thousands of histories in a minute: no database, only decisions. What the services make of them is lived in
`test_collection_histories`.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import singledispatchmethod
from uuid import UUID, uuid4

from hypothesis import HealthCheck, given, settings

from gateway.collection.account import Account, Exclusion, OpenItem, StepTaken
from gateway.collection.agreements.disputes import Close, Credit, KnownDispute, Matter, Open, reconcile
from gateway.collection.agreements.money import Money
from gateway.collection.agreements.plans import DatedInstalment, judge_plan
from gateway.collection.agreements.policy import agreement_policy
from gateway.collection.agreements.promises import PromiseMade, judge_promises
from gateway.collection.agreements.values import (
    Disputed,
    Instalment,
    Planned,
    PlanState,
    Promised,
    PromiseState,
)
from gateway.collection.law.penalties import Debt, Excluded, Movement, penalty_sheet, rates_between
from gateway.collection.law.statute import DebtorKind
from gateway.collection.rechecking import recheck
from gateway.collection.reminders import decide
from gateway.collection.scenarios import Channel, default_book
from gateway.kernel.clock import ManualClock, paris_date
from gateway.lifecycle.events import StatusEvent, events_of
from gateway.lifecycle.projection import InvoiceAmounts, InvoiceState, project
from gateway.treasury.allocating import Part as GatewayPart
from gateway.treasury.allocating import told as told_by
from gateway.treasury.allocating import undeclared
from gateway.treasury.receivables import Dimension, Family, Item, ItemKind, sum_up
from tests.collection import histories as told
from tests.collection.accounts import CUSTOMER
from tests.collection.histories import CAST, Act, histories
from tests.collection.living import EVERYTHING, LAW, message_of, share
from tests.collection.naive_books import NaiveBooks, interest
from tests.collection.naive_facts import DAY, NOTHING, Agreed, Bill, Case, Judged, Part, Received, Spared, Told
from tests.collection.watching_histories import check_lines, check_reason
from tests.conftest import START

#: How many histories: some in every run of the tests, thousands with `make histories`.
COUNT = int(os.environ.get("HISTORIES", "10")) * 15
STANDARD = default_book().scenarios[-1]
SELLER, CURRENCY = "552100554", "EUR"


@dataclass
class Row:
    """A dispute, for the naive books."""

    amount: Decimal | None
    fingerprint: str
    closed_on: date | None
    outcome: str | None


@dataclass
class Followed:
    """A bill as the gateway's rules see it: its statuses, the parts of receipts, its disputes, its steps."""

    bill: Bill
    received_at: datetime
    events: list[StatusEvent] = field(default_factory=list)
    parts: dict[UUID, GatewayPart] = field(default_factory=dict)
    known_at: dict[UUID, datetime] = field(default_factory=dict)
    own: list[Money] = field(default_factory=list)
    disputes: list[KnownDispute] = field(default_factory=list)
    opened_on: dict[UUID, tuple[date, date | None]] = field(default_factory=dict)
    reached: tuple[StepTaken, ...] = ()

    def __post_init__(self) -> None:
        self.hear()

    def hear(self, *events: StatusEvent) -> None:
        """Statuses come; `state`: where its lifecycle leaves it."""
        self.events.extend(events)
        self.state: InvoiceState = project(self.events, InvoiceAmounts(self.bill.total, CURRENCY))

    @property
    def left(self) -> Decimal:
        """What is open, as the treasury counts it."""
        state, untold = self.state, sum(undeclared(list(self.parts.values())).values(), NOTHING)
        assert state.remaining is not None
        return -state.collected_total - untold if state.closed else state.remaining - untold

    @property
    def owed(self) -> Decimal:
        """What is left to pay."""
        return NOTHING if self.state.closed else self.left

    @property
    def money(self) -> list[Money]:
        """All that came in for it."""
        undone = {part.reverses_id for part in self.parts.values()}
        stands = [each for each in self.parts.values() if each.reverses_id is None and each.id not in undone]
        return [
            *self.own,
            *(Money(self.bill.id, each.received_on, self.known_at[each.id], each.amount) for each in stands),
        ]

    @property
    def rows(self) -> list[Row]:
        """Its disputes as the naive books read them."""
        return [Row(each.amount, each.fingerprint, self.opened_on[each.id][1], each.outcome) for each in self.disputes]

    def contested(self) -> tuple[Disputed, ...]:
        """Its disputes as an account shows them."""
        return tuple(
            Disputed(each.id, self.bill.id, each.amount, "price", "sales", None, *self.opened_on[each.id], each.status)
            for each in self.disputes
        )


@dataclass
class PureLife:
    """One account in one currency, and what happens to it."""

    clock: ManualClock = field(default_factory=lambda: ManualClock(START))
    books: NaiveBooks = field(default_factory=lambda: NaiveBooks(CAST))
    followed: list[Followed] = field(default_factory=list)
    promises: list[PromiseMade] = field(default_factory=list)
    plans: list[tuple[Planned, list[date], datetime]] = field(default_factory=list)
    unallocated: Decimal = NOTHING
    last_contact_on: date | None = None
    serial: int = 0

    @property
    def today(self) -> date:
        return paris_date(self.clock())

    def live(self, act: Act) -> None:
        self.clock.advance(timedelta(minutes=1))
        if isinstance(act, told.Invoice) or self.followed:
            self.act(act)
        self.settle_disputes()
        self.check_money()

    def some(self, number: int) -> Followed:
        return self.followed[number % len(self.followed)]

    @singledispatchmethod
    def act(self, act: Act) -> None:
        """Acts of other accounts and of people at a screen are lived elsewhere."""

    @act.register
    def _(self, act: told.Invoice) -> None:
        self._bill(Decimal(act.cents) / 100, self.today - timedelta(days=act.issued_ago), act.due_in)
        for each in (*act.early, told.Status(0, "204")):
            self._tell(self.followed[-1], each)

    @act.register
    def _(self, act: told.CreditNote) -> None:
        credited = self.some(act.about).bill
        if credited.total > 0:
            self._bill(-share(act.percent, credited.total), self.today, 0, credited)

    def _bill(self, total: Decimal, issued: date, due_in: int, credited: Bill | None = None) -> None:
        number = f"F{len(self.followed) + 1}"
        due = max(issued, self.today + timedelta(days=due_in))
        bill = Bill(uuid4(), number, 0, None, SELLER, CURRENCY, issued, due, total, credited)
        self.books.bills.append(bill)
        self.followed.append(Followed(bill, self.clock()))

    @act.register
    def _(self, act: told.Status) -> None:
        self._tell(self.some(act.about), act)

    @act.register
    def _(self, act: told.Collected) -> None:
        if paid := [each for each in self.followed if each.bill.parts]:
            self._tell(paid[act.about % len(paid)], told.Status(0, "212", act.days_ago, act.percent))

    def _tell(self, of: Followed, act: told.Status) -> None:
        self.serial += 1
        bill = of.bill
        (event,) = events_of(message_of(bill, act, self.clock(), self.serial), self.clock())
        of.hear(event)
        collected = [each for each in event.data("MEN") if each.amount]
        contested = [each.amount for each in event.data("MNATTC")]
        granted = sum((each.amount or NOTHING for each in event.data("ESC")), NOTHING)
        amount = collected[0].amount if collected else contested[0] if contested else None
        day = collected[0].on.day if collected and collected[0].on else None
        bill.tell(Told(event.code, event.status_at, self.clock(), event.fingerprint, amount, granted, day))
        if event.code == "212" and amount and day:
            parts = sorted(of.parts.values(), key=lambda each: (each.received_on, of.known_at[each.id]))
            shares = told_by(amount, parts, undeclared(parts))
            for part_id, told_of_it in shares.items():
                part = of.parts[part_id]
                of.parts[part_id] = replace(part, declared=part.declared + told_of_it)
            if rest := amount - sum(shares.values(), NOTHING):
                of.own.append(Money(bill.id, day, self.clock(), rest))

    @act.register
    def _(self, act: told.Receipt) -> None:
        on, received = self.today - timedelta(days=act.days_ago), Received(uuid4(), NOTHING, CURRENCY, 0)
        for number in sorted({each % len(self.followed) for each in act.about}):
            of = self.followed[number]
            amount = min(share(act.percent, of.left), of.left) if of.left > 0 else NOTHING
            if amount > 0 and not of.state.closed:
                part = GatewayPart(uuid4(), received.id, of.bill.id, on, amount)
                of.parts[part.id], of.known_at[part.id] = part, self.clock()
                mine = Part(on, self.clock(), amount)
                of.bill.parts.append(mine)
                received.parts.append((of.bill, mine))
                received.amount += amount
        received.amount += Decimal(act.extra) / 100
        self.unallocated -= Decimal(act.extra) / 100
        self.books.received.append(received)

    @act.register
    def _(self, act: told.Undo) -> None:
        standing = [each for each in self.books.received if not each.undone and each.parts]
        if act.what == "receipt" and standing:
            undone = standing[act.about % len(standing)]
            self.unallocated += undone.rest
            undone.undone = True
            for of in self.followed:
                for part in [each for each in of.parts.values() if each.receipt_id == undone.id]:
                    counter = GatewayPart(uuid4(), uuid4(), of.bill.id, self.today, -part.amount, reverses_id=part.id)
                    of.parts[counter.id], of.known_at[counter.id] = counter, self.clock()
            for _, mine in undone.parts:
                mine.undone = True
        elif act.what == "dispute":
            self._refuse_disputes(self.some(act.about))

    def _refuse_disputes(self, of: Followed) -> None:
        for place, each in enumerate(of.disputes):
            if each.outcome is None:
                of.disputes[place] = replace(each, outcome="refused")
                of.opened_on[each.id] = (of.opened_on[each.id][0], self.today)

    @act.register
    def _(self, act: told.Dispute) -> None:
        of = self.some(act.about)
        if of.owed > 0 and all(each.outcome for each in of.disputes):
            amount = None if act.percent is None else min(share(act.percent, of.owed), of.owed)
            self._contest(of, KnownDispute(uuid4(), amount, self.clock(), "", "", None))

    def _contest(self, of: Followed, dispute: KnownDispute) -> None:
        of.disputes.append(dispute)
        of.opened_on[dispute.id] = (paris_date(dispute.since), None)

    def settle_disputes(self) -> None:
        """What statuses, money and credit notes make of the disputes."""
        for of in self.followed:
            credits = [
                Credit(other.received_at, -other.bill.total)
                for other in self.followed
                if other.bill.credits is of.bill and not other.state.closed
            ]
            for decision in reconcile(of.disputes, Matter(of.state, of.owed, of.money, credits)):
                if isinstance(decision, Open):
                    issue = decision.issue
                    self._contest(
                        of, KnownDispute(uuid4(), decision.amount, issue.at, issue.code, issue.fingerprint, None)
                    )
                    continue
                place = next(at for at, each in enumerate(of.disputes) if each.id == decision.dispute_id)
                known, day = of.disputes[place], of.opened_on[decision.dispute_id][0]
                if isinstance(decision, Close):
                    of.disputes[place] = replace(known, outcome=decision.outcome.value)
                    of.opened_on[known.id] = (day, self.today)
                else:
                    issue = decision.issue
                    of.disputes[place] = KnownDispute(
                        known.id, decision.amount, issue.at, issue.code, issue.fingerprint, None
                    )
                    of.opened_on[known.id] = (day, None)

    @act.register
    def _(self, act: told.Promise) -> None:
        of = self.some(act.about)
        if of.owed <= 0:
            return
        amount, due_on = min(share(act.percent, of.owed), of.owed), self.today + timedelta(days=act.due_in)
        grace = agreement_policy(self.today).promise_grace_until(due_on)
        promised = Promised(uuid4(), (of.bill.id,), amount, due_on, grace, PromiseState.OPEN, amount)
        self.promises.append(PromiseMade(promised, self.clock()))
        self.books.promises.append(Agreed(promised.id, [of.bill], self.clock(), [(grace, amount)]))

    @act.register
    def _(self, act: told.Plan) -> None:
        of = self.some(act.about)
        if of.owed <= 0 or any(of.bill in each.bills for each in self.books.plans):
            return
        amounts = [share(100 // len(act.days), of.owed) for _ in act.days[1:]]
        amounts.append(of.owed - sum(amounts, NOTHING))
        days = [self.today + timedelta(days=each) for each in act.days]
        graces = [agreement_policy(self.today).plan_grace_until(day) for day in days]
        if min(amounts) <= 0:
            return
        spread = tuple(Instalment(day, amount, NOTHING) for day, amount in zip(days, amounts, strict=True))
        plan = Planned(uuid4(), (of.bill.id,), spread, PlanState.ACTIVE)
        self.plans.append((plan, graces, self.clock()))
        dues = [(grace, sum(amounts[: place + 1], NOTHING)) for place, grace in enumerate(graces)]
        self.books.plans.append(Agreed(plan.id, [of.bill], self.clock(), dues))

    @act.register
    def _(self, act: told.Spare) -> None:
        bill, until = self.some(act.about).bill, None if act.days is None else self.today + timedelta(days=act.days)
        self.books.spared.append(Spared(uuid4(), 0, None if act.whole else bill, until))

    @act.register
    def _(self, act: told.Insolvency) -> None:
        if not self.books.judged:
            self.books.judged.append(Judged(uuid4(), 0, self.today - timedelta(days=act.days_ago)))

    @act.register
    def _(self, act: told.HandOver) -> None:
        self.books.cases.append(Case(uuid4(), 0, [self.some(act.about).bill], act.whole))

    @act.register
    def _(self, act: told.Days) -> None:
        morning = datetime.combine(self.clock().date() + timedelta(days=act.count), datetime.min.time(), UTC)
        self.clock.advance(morning + timedelta(hours=9) - self.clock())
        self.settle_disputes()
        self.judge_promises()
        self.remind(reaches=act.server == "works")
        self.check_penalties()

    # What must hold

    def account(self) -> Account:
        """The account as it stands."""
        items = tuple(
            OpenItem(
                of.bill.id,
                of.bill.number,
                None,
                SELLER,
                of.bill.issued,
                of.bill.due,
                of.bill.total,
                of.state.remaining if of.state.closed and of.state.remaining else of.left,
                of.state,
                in_litigation=any(of.bill in each.bills and not each.whole for each in self.books.cases),
                reached=of.reached,
            )
            for of in self.followed
        )
        judgment = min((each.judgment for each in self.books.judged), default=None)
        return Account(
            customer=replace(CUSTOMER, insolvent_since=judgment),
            currency=CURRENCY,
            items=items,
            unallocated=self.unallocated,
            promises=tuple(each.promised for each in self.promises),
            disputes=tuple(one for of in self.followed for one in of.contested()),
            plans=tuple(self._judged(*each) for each in self.plans),
            exclusions=tuple(
                Exclusion(each.bill.id if each.bill else None, each.until, "x") for each in self.books.spared
            ),
            last_contact_on=self.last_contact_on,
            in_litigation=any(each.whole for each in self.books.cases),
        )

    def _judged(self, plan: Planned, graces: list[date], made_at: datetime) -> Planned:
        (of,) = (each for each in self.followed if each.bill.id in plan.invoice_ids)
        paid = sum((each.amount for each in of.money if each.known_at >= made_at), NOTHING)
        dated = [DatedInstalment(each, grace) for each, grace in zip(plan.instalments, graces, strict=True)]
        decision = judge_plan(dated, paid, of.owed, self.today)
        return replace(plan, instalments=decision.instalments, state=decision.state)

    def judge_promises(self) -> None:
        """A promise is kept by money that came in time, and by nothing else."""
        money = [each for of in self.followed for each in of.money]
        owed = {of.bill.id: of.owed for of in self.followed}
        judged = judge_promises(self.promises, money, owed, self.today)
        self.promises = [
            replace(each, promised=replace(each.promised, state=now.state, awaited=now.awaited))
            for each in self.promises
            for now in [judged[each.promised.id]]
        ]
        for made, agreed in zip(self.promises, self.books.promises, strict=True):
            grace, amount = agreed.dues[-1]
            alone = sum(agreed.bills[0] in each.bills for each in self.books.promises) == 1
            if alone and agreed.is_simple and agreed.came(grace) >= amount:
                assert made.promised.state is PromiseState.KEPT
            if alone and agreed.is_simple and agreed.came(grace) < amount and agreed.owed > 0:
                in_time = PromiseState.PARTLY_KEPT if agreed.came(grace) else PromiseState.BROKEN
                assert made.promised.state is (PromiseState.OPEN if self.today <= grace else in_time)

    def remind(self, *, reaches: bool) -> None:
        """What is decided claims nothing that it must not, holds when checked again, and takes each step once."""
        account = self.account()
        decision = decide(account, STANDARD, self.clock())
        assert decision == decide(account, STANDARD, self.clock())
        rows = {
            of.bill.id: [
                Row(each.amount, each.fingerprint, of.opened_on[each.id][1], each.outcome) for each in of.disputes
            ]
            for of in self.followed
        }
        thanks = decision.step is not None and decision.step.counts_from == "payment"
        if not thanks:
            check_lines(self.books, self.today, [each.line for each in decision.lines], rows)
        for each in decision.withheld:
            check_reason(self.books, self.today, self.books.bill(each.item.invoice_id), each.reason.hold.value, rows)
        if decision.step is None or decision.anchor is None or decision.channel is None:
            return
        lines = [each.line for each in decision.lines]
        checked = recheck(lines, decision.anchor, account, STANDARD, self.today, is_thanks=thanks)
        assert (checked.withdrawn, checked.total) == (None, decision.total)
        assert decision.total <= sum((each.claimed for each in lines), NOTHING)
        if decision.channel is not Channel.TASK and not thanks and self.last_contact_on is not None:
            assert (self.today - self.last_contact_on).days >= STANDARD.minimum_days
        for of in self.followed:
            mine = {each.key for each in decision.lines if each.line.invoice_id == of.bill.id and each.key}
            assert not mine & {each.name for each in of.reached}
            of.reached += tuple(StepTaken(key, self.today, decision.tone, reaches) for key in sorted(mine))
        if decision.channel is not Channel.TASK:
            self.last_contact_on = self.today

    def check_money(self) -> None:
        """Invoiced = open + collected + credited, whatever came in whatever order."""
        items = [
            Item(
                ItemKind.MONEY if of.state.closed else ItemKind.INVOICE if of.bill.total > 0 else ItemKind.CREDIT_NOTE,
                CURRENCY, UUID(int=1), None, SELLER, of.bill.id, None, of.bill.number, of.bill.due,
                of.left if of.state.closed else of.bill.total, of.left, None,
            )
            for of in self.followed
            if of.left
        ]  # fmt: skip
        balance = sum((of.left for of in self.followed), self.unallocated)
        expected = self.books.balances("customer", EVERYTHING).get((0, CURRENCY), NOTHING)
        assert balance == expected
        cells = sum_up(items, {}, by=Dimension.CUSTOMER, groups={}, as_of=self.today)
        assert sum((cell.amount(Family.BALANCE) for cell in cells), self.unallocated) == expected

    def check_penalties(self) -> None:
        """Interest is that of a count day by day, on what was really outstanding."""
        for of in self.followed:
            bill, first = of.bill, of.bill.due + DAY
            if bill.total < 0 or first > self.today:
                continue
            excluded = [(*of.opened_on[each.id], each.amount) for each in of.disputes if each.outcome != "refused"]
            naive = [(on, amount) for on, _, amount in bill.money()]
            moves = tuple(Movement(each.on, each.amount) for each in of.money)
            debt = Debt(bill.total, bill.due, moves, tuple(Excluded(*each) for each in excluded))
            sheet = penalty_sheet(debt, rates_between(LAW, DebtorKind.BUSINESS, (), first, self.today), 365, self.today)
            days = [first + timedelta(days=count) for count in range((self.today - bill.due).days)]
            percents = {day: 10 + LAW.refinancing_on(day).percent for day in days}
            assert sheet.total == interest(bill, naive, excluded, percents, 365) >= 0
            earlier = penalty_sheet(debt, rates_between(LAW, DebtorKind.BUSINESS, (), first, self.today), 365, first)
            assert earlier.total <= sheet.total


@settings(max_examples=COUNT, suppress_health_check=list(HealthCheck))
@given(histories(most_weeks=10))
def test_every_day_of_a_history_agrees_with_books_kept_by_hand(told: Sequence[Act]) -> None:
    life = PureLife()
    for act in told:
        life.live(act)
