"""What must hold at every instant of a history: what the services say beside what the naive books say."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Protocol
from uuid import UUID

from sqlmodel import Session, col, select

from gateway.access.scope import Scope
from gateway.alerts.model import Alert, AlertState
from gateway.collection.account import Account
from gateway.collection.agreements.model import Dispute, DisputeOutcome
from gateway.collection.agreements.reading import read_agreements
from gateway.collection.agreements.values import PlanState, PromiseState
from gateway.collection.law.model import Penalty, PenaltyKind
from gateway.collection.law.positions import positions_of
from gateway.collection.law.warning import EXCESS
from gateway.collection.messages.values import ReminderLine
from gateway.collection.model import ActionState, CollectionAction, Reminder, ReminderInvoice, ReminderState
from gateway.collection.receivables import Books
from gateway.collection.reminder_views import seen_by
from gateway.collection.reminders import ReminderDecision
from gateway.collection.reminding import preview
from gateway.collection.scenarios import PAYMENT, Channel, default_book
from gateway.lifecycle.model import InvoiceRecord
from gateway.treasury.receivable_rows import open_items
from gateway.treasury.receivables import Dimension, Family
from gateway.treasury.service import aged_balance
from tests.collection.histories import AGENCIES, CAST
from tests.collection.living import EVERYTHING, LAW
from tests.collection.living_books import least_rate
from tests.collection.living_contacts import ReachedLife
from tests.collection.naive_books import NaiveBooks, interest
from tests.collection.naive_facts import DAY, NOTHING, Agreed, Bill

SCOPES = (EVERYTHING, Scope.limited_to([AGENCIES[1]], []), Scope.limited_to([AGENCIES[2]], [CAST[2].siren]))
_ASKED = (
    Family.INVOICED,
    Family.DEPOSITS,
    Family.CREDIT_NOTES,
    Family.OPENINGS,
    Family.PAYMENTS,
    Family.WRITTEN_OFF,
    Family.UNALLOCATED,
)
_HELD_BACK = (Family.LITIGATION, Family.PLANNED, Family.DISPUTED, Family.PROMISED, Family.FREE)
#: C. com. D441-5: once for an invoice paid late between professionals.
INDEMNITY = Decimal(40)
#: Whether the customer will have it, or has it, nobody knows yet.
_IN_BETWEEN = (ReminderState.AWAITING, ReminderState.IN_DOUBT)
_SETTLED = frozenset({DisputeOutcome.CREDIT_NOTE, DisputeOutcome.PAYMENT, DisputeOutcome.REFUSED})


def check_balances(life: ReachedLife) -> None:
    """Money is conserved: invoiced = open + collected + credited + written off, by customer, to the cent."""
    numbers = {customer_id: number for number, customer_id in life.customers.items()}
    sums: defaultdict[tuple[object, str], Decimal] = defaultdict(lambda: NOTHING)
    with life.database.transaction(life.organisation) as session:
        for item in open_items(session, EVERYTHING, life.today):
            sums[numbers[item.customer_id] if item.customer_id else None, item.currency] += item.remaining
    found = {place: amount for place, amount in sums.items() if amount}
    assert found == life.books.balances("customer", EVERYTHING)


def check_money(life: ReachedLife, *scopes: Scope) -> None:
    """Money is conserved, wherever it is added up; every figure is the sum of the lines it opens to.

    Whoever sees a part sees the sums of that part.
    """
    numbers = {customer_id: number for number, customer_id in life.customers.items()}
    with life.database.transaction(life.organisation) as session:
        for scope in scopes:
            books = Books.read(session, scope, life.today)
            for dimension in Dimension:
                found = {}
                for cell in books.cells(dimension):
                    balance = cell.amount(Family.BALANCE)
                    owed = cell.amount(Family.OVERDUE) + cell.amount(Family.NOT_DUE)
                    assert balance == sum(cell.amount(each) for each in _ASKED)
                    assert balance == owed + cell.amount(Family.TO_DEDUCT)
                    assert owed == sum(cell.amount(each) for each in _HELD_BACK)
                    of = numbers[cell.of] if isinstance(cell.of, UUID) and cell.of in numbers else cell.of
                    if balance:
                        found[of, cell.currency] = balance
                    for family, figure in cell.figures.items():
                        named = None if cell.of is None else str(cell.of)
                        parts = books.parts(dimension, named, cell.currency, family)
                        assert figure.amount == sum((part.amount for part in parts), NOTHING)
                        assert figure.count == len(parts)
                assert found == life.books.balances(dimension.value, scope), (dimension, scope)
            of_bill = {
                item.invoice_id: item.remaining for item in books.items if item.invoice_id and not item.penalty_id
            }
            seen = [each for each in life.books.bills if scope.allows(each.agency, CAST[each.debtor].siren)]
            expected = {each.id: each.left for each in seen if each.left}
            assert of_bill == expected, (scope, of_bill, expected)
            _check_aged_balance(life, session, scope, seen)
            claims = session.exec(select(Penalty).where(col(Penalty.invoice_id).in_([each.id for each in seen])))
            asked = sum((cell.amount(Family.PENALTIES) for cell in books.cells(Dimension.CUSTOMER)), NOTHING)
            assert asked == sum((life.left_of_penalty(row) for row in claims), NOTHING)


def _check_aged_balance(life: ReachedLife, session: Session, scope: Scope, seen: list[Bill]) -> None:
    stands = Counter[str]()
    for each in seen:
        stands[each.currency] += NOTHING if each.closed else each.left  # type: ignore[assignment]
    for opening in life.books.openings:
        if scope.is_everything or CAST[opening.debtor].siren in scope.key_accounts:
            stands["EUR"] += opening.left  # type: ignore[assignment]
    aged = {each.currency: each.total for each in aged_balance(session, scope, life.today)}
    assert +Counter(aged) == +stands
    assert -Counter(aged) == -stands


def check_accounts(life: ReachedLife, found: Iterable[Account]) -> None:
    """What reminders go by is what the treasury counts."""
    balances = life.books.balances("customer", EVERYTHING)
    for account in found:
        place = life.debtor_of(account.customer.id), account.currency
        money = [each for each in life.books.received if (each.of, each.currency) == place and each.rest]
        owed_back = [each for each in life.books.bills if each.closed and (each.debtor, each.currency) == place]
        unallocated = -sum((each.rest for each in money), NOTHING) + sum((each.left for each in owed_back), NOTHING)
        openings, credit = life.books.openings_of(*place), life.books.credit_of_books(*place)
        assert account.unallocated == min(unallocated + credit, NOTHING)
        of_books = sum((item.remaining for item in account.items if item.books_only), NOTHING)
        assert of_books == (openings - credit if life.books.chases_books else NOTHING)
        invoices = [item for item in account.items if not item.books_only and not item.state.closed]
        items = sum((item.remaining for item in invoices), NOTHING)
        assert items + unallocated + openings == balances.get(place, NOTHING)


def check_agreements(life: ReachedLife) -> None:
    """The states of promises and plans follow from the money and the day; what is stored is what follows."""
    with life.database.transaction(life.organisation) as session:
        reading = read_agreements(session, list(life.customers.values()), life.today)
        promises = {each.row.id: each for each in reading.promises}
        plans = {each.row.id: each for each in reading.plans}
        for promise in life.books.promises:
            read = promises[promise.id]
            assert read.row.state == read.decision.state
            assert read.row.awaited == read.decision.awaited
            _check_promise(life, promise, read.decision.state, read.decision.awaited)
        for plan in life.books.plans:
            stored, decision = plans[plan.id].row, plans[plan.id].decision
            assert stored.state == decision.state or stored.state in (PlanState.DONE, PlanState.CANCELLED)
            if plan.is_plain and not plan.over:
                assert (decision.state is PlanState.ACTIVE) == life.books.is_running(plan, life.today)
                paid = sum((each.paid for each in decision.instalments), NOTHING)
                assert paid == min(plan.came(), plan.dues[-1][1])


def _check_promise(life: ReachedLife, promise: Agreed, state: PromiseState, awaited: Decimal) -> None:
    grace_until, amount = promise.dues[-1]
    in_time, owed = promise.came(grace_until), max(promise.owed, NOTHING)
    if promise.over:
        assert (state, awaited) == (PromiseState.CANCELLED, NOTHING)
    if promise.over or not promise.is_plain:
        return
    assert NOTHING <= awaited <= min(amount, owed)
    if state is PromiseState.OPEN:
        assert life.today <= grace_until
    elif state is PromiseState.KEPT:
        assert in_time >= amount or in_time > 0
    elif state is PromiseState.CANCELLED:
        assert not owed or in_time == 0
    else:
        assert life.today > grace_until
    alone = all(
        other.over or not set(map(id, other.about)) & set(map(id, promise.about)) for other in _others(life, promise)
    )
    alone = alone and promise.is_simple
    if alone and in_time >= amount:
        assert state is PromiseState.KEPT
    if alone and in_time < amount and owed:
        broken = PromiseState.PARTLY_KEPT if in_time else PromiseState.BROKEN
        assert state is (PromiseState.OPEN if life.today <= grace_until else broken)
        assert awaited == max(min(amount - promise.came(), owed), NOTHING)


def _others(life: ReachedLife, promise: Agreed) -> Iterator[Agreed]:
    return (each for each in life.books.promises if each is not promise and not each.over)


def check_penalties(life: ReachedLife) -> None:
    """Interest is that of a count day by day; what was claimed stays claimed, and what ran is never lost."""
    bills = [each for each in life.books.bills if each.total > 0]
    until = life.today
    with life.database.transaction(life.organisation) as session:
        rows = [session.get_one(InvoiceRecord, each.id) for each in bills]
        disputes = list(session.exec(select(Dispute)))
        claimed = defaultdict(list)
        for row in session.exec(select(Penalty)):
            claimed[row.invoice_id].append(row)
        positions = {each.invoice.id: each for each in positions_of(session, rows, until, LAW)}
        stored = {
            each.row.id: each.row.state for each in read_agreements(session, list(life.customers.values()), until).plans
        }
    for bill in bills:
        position = positions[bill.id]
        moves = [(on, amount) for on, _, amount in bill.money()] + list(life.books.credited(bill))
        moves += [(bill.issued, bill.granted)] + [(each.on, each.amount) for each in bill.lost if not each.undone]
        excluded = list(_excluded(life, bill, disputes, stored))
        percents = _percents(life.books, bill, until)
        assert position.sheet.total == interest(bill, moves, excluded, percents, year_days=365) >= 0
        asked = {kind.value: NOTHING for kind in PenaltyKind}
        for row in claimed[bill.id]:
            asked[row.kind] += life.asked_of_penalty(row)
        assert position.interest_to_claim == max(position.sheet.total - asked[PenaltyKind.INTEREST], NOTHING)
        assert asked[PenaltyKind.INDEMNITY] in (0, INDEMNITY)
        late = bool(position.sheet.lines) and CAST[bill.debtor].kind != "consumer"
        assert position.indemnity_to_claim <= (INDEMNITY if late and not asked[PenaltyKind.INDEMNITY] else 0)
        if late and not asked[PenaltyKind.INDEMNITY] and not life.books.judged:
            assert position.indemnity_to_claim == INDEMNITY
        for line in position.sheet.lines:
            for day in (line.first, line.last):
                assert 0 < line.base <= bill.total - sum((amount for on, amount in moves if on < day), NOTHING)
        for each in position.claimed:
            assert 0 <= each.left == life.left_of_penalty(each.penalty)


def check_excesses(life: ReachedLife) -> None:
    """A claim of more than is due was told, and only such a claim is still to be corrected."""
    with life.database.transaction(life.organisation) as session:
        claimed = session.exec(select(InvoiceRecord).where(col(InvoiceRecord.id).in_(select(Penalty.invoice_id)))).all()
        positions = positions_of(session, claimed, life.today, LAW)
        alerts = session.exec(select(Alert).where(Alert.condition == EXCESS)).all()
    exceeding = {each.invoice.id for each in positions if each.interest_excess or each.indemnity_excess}
    assert exceeding == {each.invoice_id for each in alerts if each.state != AlertState.CLOSED}


def _excluded(
    life: ReachedLife, bill: Bill, disputes: list[Dispute], stored: dict[UUID, str]
) -> Iterator[tuple[date, date | None, Decimal | None]]:
    for row in disputes:
        if row.invoice_id == bill.id and row.outcome != DisputeOutcome.REFUSED:
            yield row.opened_on, row.closed_on, row.amount
    for plan in life.books.plans:
        if plan.suspends and bill in plan.bills and stored[plan.id] in (PlanState.ACTIVE, PlanState.DONE):
            yield plan.made_at.date(), None, None
    judgments = [each.judgment for each in life.books.judged if each.debtor == bill.debtor]
    for judgment in judgments:
        if bill.issued <= judgment:
            yield judgment, None, None
    if bill.closed:
        yield bill.issued, None, None


def _percents(books: NaiveBooks, bill: Bill, until: date) -> dict[date, Decimal]:
    kind, first = CAST[bill.debtor].kind, books.last_day_to_pay(bill) + DAY
    days = [first + timedelta(days=count) for count in range((until - first).days + 1)]
    if kind == "public":  # the rate of the first day holds to the end, whatever was agreed
        return dict.fromkeys(days, Decimal(8) + LAW.refinancing_on(first).percent)
    percents = {}
    for day in days:
        agreed = books.agreed_percent(bill, day)
        if kind == "consumer":
            percents[day] = agreed or Decimal(0)
        else:
            by_law = Decimal(10) + LAW.refinancing_on(day).percent
            percents[day] = by_law if agreed is None else max(agreed, least_rate(day))
    return percents


_LOOKED_FOR = ("deadline.invoice_not_sent", "deadline.not_deposited", "deadline.not_made_available")


def sought_of(session: Session) -> set[UUID | None]:
    """The invoices that an action asks people to look for: nobody knows whether they reached their buyer."""
    asked = (
        select(CollectionAction.invoice_id)
        .join(Alert, col(Alert.id) == CollectionAction.alert_id)
        .where(col(Alert.condition).in_(_LOOKED_FOR), CollectionAction.state == ActionState.TODO.value)
    )
    return set(session.exec(asked))


def check_decisions(life: ReachedLife) -> list[ReminderDecision]:
    """Every open invoice has its line or a true reason; a limited person sees sums of their lines only."""
    with life.database.transaction(life.organisation) as session:
        found = list(preview(session, life.clock()))
        disputes = disputes_of(session)
        sought = sought_of(session)
    check_accounts(life, [each.account for each in found])
    lines = Counter(each.line.invoice_id for one in found for each in one.lines if not each.line.is_instalment)
    reasons = {each.item.invoice_id: each.reason.hold.value for one in found for each in one.withheld}
    for bill in life.books.bills:
        if bill.total < 0:
            continue
        if bill.left > 0:
            assert lines[bill.id] + (bill.id in reasons) == 1, bill.number
        check_reason(life.books, life.today, bill, reasons.get(bill.id), disputes)
        if bill.id in sought and bill.is_sought(life.today):
            assert not lines[bill.id], bill.number
        if reasons.get(bill.id) == "arrival_unknown":
            assert bill.id in sought, bill.number
    for opening in life.books.openings:
        told = lines[opening.id] + (opening.id in reasons)
        assert told == (life.books.chases_books and opening.left > 0), opening.number
        agreed = {"promised": life.books.promises, "in_plan": life.books.plans}.get(reasons.get(opening.id, ""))
        assert agreed is None or any(opening in each.about for each in agreed), opening.number
    reminders = life.reminders()
    for one in found:
        if one.channel is not None and one.channel.is_written:
            by_email = one.channel is Channel.EMAIL
            assert not life.books.unreachable(life.debtor_of(one.account.customer.id), by_email=by_email)
        if one.step is not None and one.step.counts_from != PAYMENT and one.channel is not Channel.TASK:
            _check_distance(life, one, reminders)
        for scope in SCOPES[1:]:
            seen = seen_by(one, scope)
            if seen is not None:
                mine = [each for each in one.lines if scope.allows(each.agency_id, one.account.customer.siren)]
                assert list(seen.lines) == mine
                claimed = sum((each.line.claimed for each in mine), NOTHING)
                taken_off = sum((each.remaining for each in seen.credits), seen.unallocated)
                assert seen.total == (claimed + taken_off if mine else NOTHING)
    return found


def _check_distance(life: ReachedLife, one: ReminderDecision, reminders: Iterable[Reminder]) -> None:
    """Contacts keep their distance, also from those that a person is still to make; no two calls wait for one."""
    of = one.account.customer.id, one.account.currency
    mine = [each for each in reminders if (each.customer_id, each.currency) == of]
    assert not [each for each in mine if each.state in _IN_BETWEEN], one.key
    to_do = [each for each in mine if each.state == ReminderState.TODO and each.channel != Channel.TASK]
    assert one.channel is not Channel.CALL or Channel.CALL not in [each.channel for each in to_do], one.key
    last = life.books.last_contact(life.debtor_of(of[0]), one.account.currency)
    least = {each.key: each.minimum_days for each in default_book(life.today).scenarios}[one.scenario]
    assert life.today >= max([last, *(each.decided_on for each in to_do)]) + timedelta(days=least), one.key


def disputes_of(session: Session) -> dict[UUID, list[Dispute]]:
    """The disputes of each invoice."""
    found = defaultdict(list)
    for row in session.exec(select(Dispute)):
        found[row.invoice_id].append(row)
    return found


class Contested(Protocol):
    """A dispute, from the database or not."""

    amount: Decimal | None
    fingerprint: str
    closed_on: date | None
    outcome: str | None


def disputed(bill: Bill, rows: Sequence[Contested]) -> Decimal:
    """The part of a bill that must not be claimed: what a status in force contests, and what people recorded."""
    left = max(bill.left, NOTHING)
    settled = {row.fingerprint for row in rows if row.outcome in _SETTLED}
    parts = sum((left if row.amount is None else row.amount for row in rows if row.closed_on is None), NOTHING)
    for code, told in bill.holds.items():
        if code in ("206", "207") and told.fingerprint not in settled:
            parts = max(parts, left if code == "207" or told.amount is None else told.amount)
    return min(parts, left)


#: Reasons that the naive books know; each must be given only where it holds.
_KNOWN = frozenset({
    "paid", "closed", "undelivered", "litigation", "insolvent", "excluded", "customer_excluded", "announced", "in_plan"
})  # fmt: skip


def check_reason(
    books: NaiveBooks, today: date, bill: Bill, reason: str | None, disputes: Mapping[UUID, Sequence[Contested]]
) -> None:
    """A reason is given only where it holds."""
    because = books.why_not(bill, today)
    if reason is None:
        return
    if reason in _KNOWN and not (reason == "in_plan" and not all(each.is_plain for each in books.plans)):
        assert reason in because, (bill.number, reason, because)
    if reason == "arrival_unknown":
        assert bill.is_sought(today), bill.number
    if reason == "promised":
        assert any(bill in each.bills and today <= each.dues[-1][0] for each in books.promises)
    if reason == "disputed":
        assert disputed(bill, disputes.get(bill.id, ())) == bill.left
    if reason == "paused":
        assert bill.holds.keys() & {"206", "207", "208"}


def check_claim(life: ReachedLife, session: Session, reminder: Reminder) -> None:
    """A message asks for nothing that is paid, excluded, disputed, rejected, refused, promised, in a plan, insolvent,
    in litigation or looked for, and takes off what lowers the debt."""
    lines = lines_of(session, reminder.id)
    if reminder.is_thanks:
        for line in lines:
            bill = life.books.bill(line.item_id)
            assert bill.left <= 0, bill.number
            assert not bill.closed, bill.number
            assert all(each.small or each.undone for each in bill.lost), bill.number
        return
    check_lines(life.books, life.today, lines, disputes_of(session))
    check_not_sought(life, lines, sought_of(session))
    number = next(number for number, each in life.customers.items() if each == reminder.customer_id)
    theirs = [each for each in life.books.bills if (each.debtor, each.currency) == (number, reminder.currency)]
    lower = sum((each.left for each in theirs if each.left < 0), NOTHING)
    lower -= sum(
        (each.rest for each in life.books.received if (each.of, each.currency) == (number, reminder.currency)), NOTHING
    )
    lower += life.books.credit_of_books(number, reminder.currency)
    claimed = sum((line.claimed for line in lines), NOTHING)
    assert 0 < reminder.total <= claimed + lower
    assert reminder.total <= claimed


def check_not_sought(life: ReachedLife, lines: Iterable[ReminderInvoice], sought: Collection[UUID | None]) -> None:
    """Nothing is claimed of what people are asked to look for first."""
    for line in lines:
        if line.claimed and not line.is_instalment and line.item_id in sought:
            assert not life.books.bill(line.item_id).is_sought(life.today), line.number


def check_lines(
    books: NaiveBooks,
    today: date,
    lines: Iterable[ReminderInvoice | ReminderLine],
    disputes: Mapping[UUID, Sequence[Contested]],
) -> None:
    """Nothing is claimed against which the naive books know anything, and never a part that is contested."""
    for line in lines:
        if not line.claimed:
            continue
        item_id = line.invoice_id if isinstance(line, ReminderLine) else line.item_id
        if (opening := books.opening(item_id)) is not None:
            because = books.why_not_opening(opening, today)
        else:
            bill = books.bill(item_id)
            because = books.why_not(bill, today)
        if line.is_instalment:
            assert because <= {"in_plan"}, (line.number, because)
            mine = [plan for plan in books.plans if (opening or bill) in plan.about and not plan.over]
            assert any(0 < line.claimed <= plan.owed for plan in mine), line.number
        elif opening is not None:
            assert not because, (opening.number, because)
            assert line.claimed == opening.left, opening.number
        else:
            assert not because, (bill.number, because)
            assert 0 < line.claimed <= bill.left - disputed(bill, disputes.get(bill.id, ())), bill.number


def lines_of(session: Session, reminder_id: UUID) -> list[ReminderInvoice]:
    """The lines of a reminder, in their order."""
    mine = select(ReminderInvoice).where(ReminderInvoice.reminder_id == reminder_id)
    return list(session.exec(mine.order_by(col(ReminderInvoice.position))))
