"""Which deadlines of an invoice run, which have passed, and when to look again.

Pure decisions over data (`schemas/deadlines.toml`). A deadline that runs is either still ahead or has passed; one that
was met does not run any more, and its alert closes. The first instant after the last one in time is `passes_at`, so
that a deadline in days passes at midnight in Paris.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from gateway.alerts.conditions import AlertDecision
from gateway.alerts.deadline_policy import DeadlinePolicy, DeadlineRule, Matter
from gateway.kernel.clock import paris_date, paris_instant
from gateway.kernel.money import ZERO
from gateway.kernel.sayer import Sayer, filled
from gateway.kernel.text import Text
from gateway.kernel.working_days import add_working_days
from gateway.lifecycle.correlation import InvoiceKey
from gateway.lifecycle.projection import InvoiceState, OpenIssue
from gateway.lifecycle.statuses import StateLine, status
from gateway.lifecycle.transitions import TransitionKind

_UNANSWERED = {"207": Matter.DISPUTE_UNANSWERED, "208": Matter.SUSPENSION_UNANSWERED}
_NOT_DELIVERED = ("501", "221")
#: What stops an approved invoice from being chased for a while: afterwards it is told unpaid again.
_DELAYS_PAYMENT = ("207", "208", "211")


@dataclass(frozen=True, slots=True)
class Unsent:
    """Something of ours that the platform has not taken.

    Attributes:
        since: when it was to leave: the date of a status (MDT-78), the instant an invoice was handed to the outbox.
        given_up: no further try is made without a person.
        code, fingerprint: the status; empty for the invoice itself.
    """

    since: datetime
    given_up: bool
    code: str = ""
    fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """Money known to have come in, by a 212 or in another way such as a bank statement: all of it together.

    Attributes:
        amount: in the invoice's currency, with VAT.
        on: day that what no 212 tells began to come in.
        written_off: what is not awaited any more, beside the money.
    """

    amount: Decimal
    on: date
    written_off: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Disputes:
    """What people and programs made of the disputes of an invoice; its statuses alone do not tell.

    Attributes:
        answered: statuses (206, 207) whose dispute was settled here, although the buyer never took them back.
        since: of such a status whose dispute goes on, since when: later than the status when it was opened again.
        withheld: what is not to be asked for, in the invoice's currency with VAT: contested, or credited since.
    """

    answered: frozenset[str] = frozenset()
    since: Mapping[str, datetime] = field(default_factory=dict)
    withheld: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class InvoiceFacts:
    """What the deadlines of an invoice we issued depend on, beside its state.

    Attributes:
        amount_due: BT-115, negative for a credit note; in `currency` (BT-5).
        issue_date, due_date: BT-2, BT-9.
        vat_on_receipts: whether its VAT is due when the money comes in; None when the invoice does not tell.
        sent_at: when the platform took the invoice from us; None when it did not, or not from us.
        unsent: what still has to leave.
        receipt: None when nothing is known, which does not mean that nothing came in.
        disputes: what was made of them; nothing when there was none.
        is_credit_note: whether its type (BT-3) says so.
    """

    key: InvoiceKey
    currency: str
    amount_due: Decimal
    issue_date: date
    due_date: date | None = None
    vat_on_receipts: bool | None = None
    sent_at: datetime | None = None
    unsent: tuple[Unsent, ...] = ()
    receipt: Receipt | None = None
    disputes: Disputes = Disputes()
    is_credit_note: bool = False


@dataclass(frozen=True, slots=True)
class Deadline:
    """A deadline that runs.

    Attributes:
        rule: the matter, and what to tell.
        since: day it counts from (Europe/Paris).
        passes_at: first instant at which it is late.
        cause: what tells two deadlines of one matter and invoice apart.
        code: the status spoken of, if any.
        amount: what is at stake, when it is not all that is left to pay.
    """

    rule: DeadlineRule
    since: date
    passes_at: datetime
    cause: str = ""
    code: str = ""
    amount: Decimal | None = None

    @property
    def last_day(self) -> date:
        """The last day in time (Europe/Paris)."""
        return paris_date(self.passes_at - timedelta(microseconds=1))


@dataclass(frozen=True, slots=True)
class DeadlineDecision:
    """A deadline that has passed, and the alert to open for it, once."""

    deadline: Deadline
    alert: AlertDecision


def overdue(facts: InvoiceFacts, state: InvoiceState, policy: DeadlinePolicy, now: datetime) -> list[DeadlineDecision]:
    """The deadlines of an invoice that have passed at `now` and are not met."""
    return [
        DeadlineDecision(each, _alert(each, facts)) for each in running(facts, state, policy) if each.passes_at <= now
    ]


def next_look(facts: InvoiceFacts, state: InvoiceState, policy: DeadlinePolicy, now: datetime) -> datetime | None:
    """When another deadline may pass if nothing happens; None when none will.

    An event asks for a look by itself. Our own sending makes no event, so what waits to be sent is looked at again.
    """
    ahead = [each.passes_at for each in running(facts, state, policy) if each.passes_at > now]
    if facts.unsent:
        ahead.append(now + policy.look_again)
    return min(ahead, default=None)


def running(facts: InvoiceFacts, state: InvoiceState, policy: DeadlinePolicy) -> Iterator[Deadline]:
    """Every deadline of the invoice that is not met, passed or still ahead; of a credit note, in its own words."""
    for each in _running(facts, state, policy):
        other = each.rule.of_credit_note if facts.is_credit_note else None
        yield replace(each, rule=other) if other else each


def _running(facts: InvoiceFacts, state: InvoiceState, policy: DeadlinePolicy) -> Iterator[Deadline]:
    yield from _unsent(facts, policy)
    if state.closed:
        return
    if state.issue(*_NOT_DELIVERED) is None:
        yield from _delivery(facts, state, policy)
    yield from _payment(facts, state, policy)
    if not _is_paid(facts, state):
        yield from _answers(facts, state, policy)
    yield from _receipt(facts, state, policy)


def _unsent(facts: InvoiceFacts, policy: DeadlinePolicy) -> Iterator[Deadline]:
    for each in facts.unsent:
        conditional = status(each.code, paris_date(each.since)).obligation == "mandatory_if_vat_on_collection"
        if conditional and facts.vat_on_receipts is False:
            continue
        rule = policy.rules.get(Matter.STATUS_NOT_SENT if each.code else Matter.INVOICE_NOT_SENT)
        if rule:
            passes_at = each.since if each.given_up else each.since + timedelta(hours=rule.hours)
            yield Deadline(rule, paris_date(each.since), passes_at, each.fingerprint, each.code)


def _delivery(facts: InvoiceFacts, state: InvoiceState, policy: DeadlinePolicy) -> Iterator[Deadline]:
    """One step at a time: deposited, then made available, then taken in charge."""
    if state.status is None:
        rule = policy.rules.get(Matter.NOT_DEPOSITED)
        if rule and facts.sent_at:
            yield Deadline(rule, paris_date(facts.sent_at), facts.sent_at + timedelta(hours=rule.hours))
        return
    if facts.amount_due <= 0 or _is_paid(facts, state):
        return
    reached = _reached(state)
    available, taken = (policy.rules.get(each) for each in (Matter.NOT_MADE_AVAILABLE, Matter.NOT_TAKEN_IN_CHARGE))
    if available and not available.met_by & reached.keys():
        yield _step(available, min(reached.values()), facts, policy)
    elif taken and not taken.met_by & reached.keys():
        yield _step(taken, reached.get("203", min(reached.values())), facts, policy)


def _step(rule: DeadlineRule, since: date, facts: InvoiceFacts, policy: DeadlinePolicy) -> Deadline:
    """Within some working days or a share of the payment term, whichever ends first, yet never before a working day."""
    last = add_working_days(since, rule.working_days)
    if rule.term_share is not None:
        days = int((_due(facts, policy) - facts.issue_date).days * rule.term_share)
        last = min(last, add_working_days(facts.issue_date + timedelta(days=max(days, 0)), 0))
    return _by_day(rule, since, max(last, add_working_days(since, 1)))


def _payment(facts: InvoiceFacts, state: InvoiceState, policy: DeadlinePolicy) -> Iterator[Deadline]:
    """What the buyer has approved, unless it is held back. The buyer's word that it has paid (211) buys some days."""
    rule, left = _approved(state, policy), to_ask_for(facts, state)
    if rule is None or facts.amount_due <= 0 or left == 0 or held_back(facts, state):
        return
    due = _due(facts, policy)
    last = add_working_days(due, rule.working_days)
    if state.announced:
        last = max(last, add_working_days(state.announced.on, rule.announced_working_days))
    delays = sum(entry.code in _DELAYS_PAYMENT for entry in state.history)
    settled_here = ":settled" if state.issue(*facts.disputes.answered) else ""
    yield _by_day(rule, due, last, cause=f"{due}:{delays}{settled_here}", amount=left)


def _approved(state: InvoiceState, policy: DeadlinePolicy) -> DeadlineRule | None:
    """The rule of an invoice that is approved (205), or in part only (206); None when it is not, or nobody is told."""
    approved, part = (policy.rules.get(each) for each in (Matter.APPROVED_UNPAID, Matter.APPROVED_PART_UNPAID))
    if approved and approved.met_by & _reached(state).keys():
        return approved
    return part if part and state.issue(*part.met_by) else None


def _answers(facts: InvoiceFacts, state: InvoiceState, policy: DeadlinePolicy) -> Iterator[Deadline]:
    for code, matter in _UNANSWERED.items():
        rule, issue = policy.rules.get(matter), state.issue(code)
        if rule and issue and code not in facts.disputes.answered:
            began = facts.disputes.since.get(code, issue.at)
            since = paris_date(began)
            cause = issue.fingerprint if began == issue.at else f"{issue.fingerprint}:{began.isoformat()}"
            last = add_working_days(since, rule.working_days)
            yield _by_day(rule, since, last, cause=cause, code=code, amount=issue.disputed)


def _receipt(facts: InvoiceFacts, state: InvoiceState, policy: DeadlinePolicy) -> Iterator[Deadline]:
    """Money that came in and that no 212 tells, while VAT is due on it, or may be."""
    receipt, on_receipts, missing = facts.receipt, facts.vat_on_receipts, untold(facts, state)
    if receipt is None or on_receipts is False or missing <= 0:
        return
    rule = policy.rules.get(Matter.RECEIPT_NOT_REPORTED if on_receipts else Matter.RECEIPT_TO_CHECK)
    if rule:
        last = add_working_days(receipt.on, rule.working_days)
        yield _by_day(rule, receipt.on, last, cause=receipt.on.isoformat(), amount=missing)


def untold(facts: InvoiceFacts, state: InvoiceState) -> Decimal:
    """Money that came in and that no 212 tells."""
    return facts.receipt.amount - state.collected_total if facts.receipt else ZERO


def settled(facts: InvoiceFacts, state: InvoiceState) -> Decimal:
    """What lowers an invoice beyond its statuses: money that no 212 tells, and what is written off."""
    return untold(facts, state) + (facts.receipt.written_off if facts.receipt else ZERO)


def to_ask_for(facts: InvoiceFacts, state: InvoiceState) -> Decimal | None:
    """What the buyer may be asked for, never less than nothing; None when it is not known what is left to pay."""
    if _is_paid(facts, state):
        return ZERO
    if state.remaining is None:
        return None
    partly = _partly_approved(facts, state)
    contested = max(facts.disputes.withheld, (partly and partly.disputed) or ZERO)
    return max(ZERO, state.remaining - settled(facts, state) - contested)


def held_back(facts: InvoiceFacts, state: InvoiceState) -> bool:
    """Nothing is asked for until a dispute (207) or a suspension (208) is settled, or a 206 tells what it contests."""
    partly = _partly_approved(facts, state)
    unclear = partly is not None and partly.disputed is None and not facts.disputes.withheld
    return unclear or state.issue(*(_UNANSWERED.keys() - facts.disputes.answered)) is not None


def _partly_approved(facts: InvoiceFacts, state: InvoiceState) -> OpenIssue | None:
    """The 206 that stands and whose dispute nobody settled here."""
    return None if "206" in facts.disputes.answered else state.issue("206")


def _is_paid(facts: InvoiceFacts, state: InvoiceState) -> bool:
    """Nothing is left to pay of an invoice, whether a 212 tells the money or not."""
    return state.paid or (state.remaining is not None and state.remaining <= settled(facts, state))


def _reached(state: InvoiceState) -> dict[str, date]:
    """The statuses that the invoice was given, each with the first day it was (Europe/Paris)."""
    reached: dict[str, date] = {}
    for entry in state.history:
        if entry.line is StateLine.INVOICE and entry.kind is not TransitionKind.IMPOSSIBLE:
            reached.setdefault(entry.code, paris_date(entry.at))
    return reached


def _due(facts: InvoiceFacts, policy: DeadlinePolicy) -> date:
    return facts.due_date or facts.issue_date + policy.default_term


def _by_day(
    rule: DeadlineRule, since: date, last: date, *, cause: str = "", code: str = "", amount: Decimal | None = None
) -> Deadline:
    passes_at = paris_instant(datetime.combine(last + timedelta(days=1), time()))
    return Deadline(rule, since, passes_at, cause, code, amount)


def _alert(deadline: Deadline, facts: InvoiceFacts) -> AlertDecision:
    rule = deadline.rule
    return AlertDecision(
        condition=rule.matter.value,
        severity=rule.severity,
        title=told(rule.title, deadline, facts),
        reason=told(rule.reason, deadline, facts),
        next_step=rule.next_step,
        team=rule.team,
        also_concerned=(),
        working_days=rule.act_in_working_days,
        dedup_key=f"{rule.matter.value}:{facts.key}:{deadline.cause}",
        key=facts.key,
        event="",
        of_credit_note=facts.is_credit_note,
    )


def told(sentence: Text, deadline: Deadline, facts: InvoiceFacts) -> Text:
    """A sentence of the data with what it knows of the deadline and the invoice."""

    def told_facts(say: Sayer) -> dict[str, str]:
        label = say.say(status(deadline.code, deadline.since).label) if deadline.code else ""
        return {
            "number": facts.key.number,
            "since": say.day(deadline.since),
            "limit": say.day(deadline.last_day),
            "hours": str(deadline.rule.hours),
            "status": f"{label} ({deadline.code})",
            "amount": say.money(deadline.amount or ZERO, facts.currency),
        }

    return filled(sentence, told_facts)
