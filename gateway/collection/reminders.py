"""What to send to an account now, to whom, and why; or why not. Pure: the dry run and the real run share it.

One message per account: the most advanced invoice sets the step and the tone, and every overdue invoice that nothing
holds back is in it. Credit notes and unallocated money are taken off the total.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from gateway.collection.account import Account, OpenItem
from gateway.collection.agreements.values import Agreements, Instalment, PlanState
from gateway.collection.holds import Hold, Reason, standing_of
from gateway.collection.ladder import Deserved, arrival_awaited, step_of_instalment, step_of_invoice, step_of_thanks
from gateway.collection.messages.values import CreditLine, ReminderLine
from gateway.collection.reachability import usable
from gateway.collection.scenarios import Channel, Scenario, Step
from gateway.customers.values import Contact, ContactRole
from gateway.kernel.clock import paris_date
from gateway.kernel.money import ZERO
from gateway.kernel.text import Language, Text

FIRMEST = 5
#: Kept as a step of the invoice that asked for a message nobody could get: the task to find a contact is opened once.
NO_CONTACT = "no_contact"


@dataclass(frozen=True, slots=True)
class Claimed:
    """A line of the message; `key` is the step taken for it by this message, None when it is only shown."""

    line: ReminderLine
    agency_id: UUID | None
    key: str | None


@dataclass(frozen=True, slots=True)
class Withheld:
    """An open invoice that is not in the message, and why."""

    item: OpenItem
    reason: Reason


@dataclass(frozen=True, slots=True)
class ReminderDecision:
    """What to do about an account now.

    Attributes:
        scenario: key of the one it follows, empty when none fits.
        step: what is sent or done; None: nothing today. key: the step as kept for the `anchor`.
        anchor: the most advanced invoice, which sets the step and the tone.
        channel: that of the step; a task instead when nobody can be reached by it.
        lines, credits, unallocated, total: what the message says; unallocated is negative or nil.
        withheld: every other open invoice with its reason.
        contact: to whom; language: in which.
        needs_confirmation: a person confirms it first.
        why_not: why nothing is done for the whole account, when it is the account that is held back.
    """

    account: Account
    scenario: str
    step: Step | None = None
    key: str = ""
    anchor: UUID | None = None
    channel: Channel | None = None
    tone: int = 0
    lines: tuple[Claimed, ...] = ()
    credits: tuple[CreditLine, ...] = ()
    unallocated: Decimal = ZERO
    total: Decimal = ZERO
    withheld: tuple[Withheld, ...] = ()
    contact: Contact | None = None
    language: Language = "fr"
    needs_confirmation: bool = False
    why_not: Reason | None = None


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A line that nothing holds back, and the step it deserves today, if any; `waits`: why there is none."""

    item: OpenItem
    line: ReminderLine
    deserved: Deserved | None
    waits: Reason | None = None

    @property
    def late(self) -> bool:
        return self.line.days_late > 0


def decide(account: Account, scenario: Scenario | None, now: datetime) -> ReminderDecision:
    """What to send to an account at an instant (aware), under the scenario that fits it."""
    today = paris_date(now)
    agreements = Agreements(account.promises, account.disputes, account.plans)
    standings = [(item, standing_of(item, account, agreements, today)) for item in account.debts]
    withheld = tuple(Withheld(item, standing.held) for item, standing in standings if standing.held)
    if scenario is None:
        nobody = Reason(Hold.NO_SCENARIO)
        rest = (Withheld(item, nobody) for item, standing in standings if not standing.held)
        return ReminderDecision(account, "", withheld=(*withheld, *rest), why_not=nobody)
    free = [(item, standing.claimable) for item, standing in standings if not standing.held]
    sought = [(item, reason) for item, _ in free if (reason := arrival_awaited(item, scenario, today))]
    withheld += tuple(Withheld(item, reason) for item, reason in sought)
    waiting_for = {item.invoice_id for item, _ in sought}
    candidates = [
        _candidate(item, claimable, scenario, today) for item, claimable in free if item.invoice_id not in waiting_for
    ]
    candidates.extend(_instalments(account, withheld, scenario, today))
    decision = ReminderDecision(account, scenario.key, withheld=withheld)
    chosen = max((each for each in candidates if each.deserved), key=_advance, default=None)
    if chosen is not None and chosen.deserved is not None:
        return _remind(decision, candidates, chosen.item, chosen.deserved, scenario, now)
    if not any(each.late for each in candidates) and (thanked := _thanked(withheld, scenario, today)):
        decision = _thank(decision, thanked, scenario, now)
    waiting = (Withheld(each.item, each.waits) for each in candidates if each.waits)
    return replace(decision, withheld=(*decision.withheld, *waiting))


def reachable(contacts: Iterable[Contact], channel: Channel, role: ContactRole) -> Contact | None:
    """The contact that a channel reaches: of that role, else of accounting, else the first of any."""
    able = [each for each in contacts if _reaches(each, channel)]
    for wanted in (role, ContactRole.ACCOUNTING):
        for each in able:
            if each.role is wanted:
                return each
    return next(iter(able), None)


def credits_of(account: Account) -> tuple[CreditLine, ...]:
    """The credit notes and overpaid invoices of an account, which lower what it owes, the oldest first."""
    return tuple(
        CreditLine(each.invoice_id, each.number, each.issue_date, each.remaining)
        for each in sorted(account.items, key=lambda each: (each.issue_date, each.number))
        if each.remaining < 0 and not each.state.closed
    )


def _remind(
    decision: ReminderDecision,
    candidates: list[_Candidate],
    anchor: OpenItem,
    deserved: Deserved,
    scenario: Scenario,
    now: datetime,
) -> ReminderDecision:
    """The message that the most advanced invoice calls for, unless the account as a whole holds it back."""
    account, step = decision.account, deserved.step
    inside = [each for each in candidates if _belongs(each, deserved)]
    outside = [
        Withheld(each.item, each.waits or _gives_way(deserved))
        for each in candidates
        if not _belongs(each, deserved) and not each.line.is_instalment
    ]
    credits = credits_of(account)
    total = sum((each.line.claimed for each in inside), ZERO)
    total += sum((each.remaining for each in credits), ZERO) + account.unallocated
    contact = reachable(usable(account.customer.contacts, account.faults), step.channel, step.role)
    why_not = _held_back(account, step, scenario, total, now)
    found_nobody = contact is None and step.channel not in (Channel.CALL, Channel.TASK)
    if why_not is None and found_nobody:
        why_not = _nobody(account, step, anchor)
    if why_not is not None:
        held = [Withheld(each.item, why_not) for each in inside if not each.line.is_instalment]
        return replace(decision, withheld=(*decision.withheld, *held, *outside), why_not=why_not)
    sharper = anchor.state.status in scenario.sharpened_by and not deserved.is_pre_due
    inside.sort(key=lambda each: (each.line.due_date, each.line.number))
    return replace(
        decision,
        step=step,
        key=NO_CONTACT if found_nobody else deserved.key,
        anchor=anchor.invoice_id,
        channel=Channel.TASK if found_nobody else step.channel,
        tone=min(step.tone + sharper, FIRMEST),
        lines=tuple(Claimed(each.line, each.item.agency_id, _kept(each, anchor, found_nobody)) for each in inside),
        credits=credits,
        unallocated=account.unallocated,
        total=total,
        withheld=(*decision.withheld, *outside),
        contact=contact,
        language=contact.language if contact else account.customer.language,
        needs_confirmation=not step.automatic and step.channel.is_written and not found_nobody,
    )


def _held_back(account: Account, step: Step, scenario: Scenario, total: Decimal, now: datetime) -> Reason | None:
    """What holds the whole account back."""
    if account.waiting is not None and step.channel is not Channel.TASK:
        return Reason(Hold.WAITING, words=account.waiting.title)
    if account.to_call is not None and step.channel is Channel.CALL:
        return Reason(Hold.WAITING, words=account.to_call.title)
    if total <= 0:
        return Reason(Hold.COVERED, team="ar")
    if total < scenario.floor:
        return Reason(Hold.BELOW_FLOOR)
    if step.channel is not Channel.TASK and account.last_contact_on is not None:
        again = account.last_contact_on + timedelta(days=scenario.minimum_days)
        if paris_date(now) < again:
            return Reason(Hold.TOO_SOON, again)
    return _closed_hours(step, scenario, now)


def _nobody(account: Account, step: Step, anchor: OpenItem) -> Reason | None:
    """Why nothing is done when nobody can be reached: an address is to be corrected, or the task to find one exists."""
    if account.faults and reachable(account.customer.contacts, step.channel, step.role) is not None:
        says = [each.says for each in account.faults]
        words = Text(" ".join(each.fr for each in says), " ".join(each.en for each in says))
        return Reason(Hold.WRONG_ADDRESS, words=words, team="ar")
    asked = any(taken.name == NO_CONTACT for taken in anchor.reached)
    return Reason(Hold.NO_CONTACT, words=step.channel.label) if asked else None


def _closed_hours(step: Step, scenario: Scenario, now: datetime) -> Reason | None:
    opens = scenario.hours.next_open(now)
    return Reason(Hold.CLOSED_HOURS, paris_date(opens)) if step.channel.leaves_by_itself and opens > now else None


def _thanked(withheld: Iterable[Withheld], scenario: Scenario, today: date) -> list[Claimed]:
    """The invoices paid in full after a reminder, each not thanked for yet."""
    lines = []
    for each in withheld:
        if each.reason.hold is Hold.PAID and (found := step_of_thanks(each.item, scenario)):
            line = replace(_line(each.item, each.item.total, today), days_late=0)
            lines.append(Claimed(line, each.item.agency_id, found.key))
    return lines


def _thank(decision: ReminderDecision, thanked: list[Claimed], scenario: Scenario, now: datetime) -> ReminderDecision:
    account = decision.account
    step = next(each for each in scenario.steps if each.key == thanked[0].key)
    contact = reachable(usable(account.customer.contacts, account.faults), step.channel, step.role)
    closed = _closed_hours(step, scenario, now)
    if contact is None or closed is not None:
        return replace(decision, why_not=closed)
    in_message = {each.line.invoice_id for each in thanked}
    return replace(
        decision,
        step=step,
        key=step.key,
        anchor=thanked[0].line.invoice_id,
        channel=step.channel,
        tone=step.tone,
        lines=tuple(thanked),
        total=sum((each.line.claimed for each in thanked), ZERO),
        withheld=tuple(each for each in decision.withheld if each.item.invoice_id not in in_message),
        contact=contact,
        language=contact.language,
        needs_confirmation=not step.automatic,
    )


def _candidate(item: OpenItem, claimable: Decimal, scenario: Scenario, today: date) -> _Candidate:
    found = step_of_invoice(item, claimable, scenario, today)
    line = _line(item, claimable, today)
    return _Candidate(item, line, found) if isinstance(found, Deserved) else _Candidate(item, line, None, found)


def _instalments(
    account: Account, withheld: Iterable[Withheld], scenario: Scenario, today: date
) -> Iterator[_Candidate]:
    """The instalments that ask for a step or are late, of the plans that nothing else holds back."""
    in_plan = {each.item.invoice_id: each.item for each in withheld if each.reason.hold is Hold.IN_PLAN}
    for plan in account.plans:
        covered = [in_plan[each] for each in plan.invoice_ids if each in in_plan]
        if plan.state is not PlanState.ACTIVE or not covered:
            continue
        for each in plan.instalments:
            deserved = step_of_instalment(each, covered[0].reached, scenario, today)
            if each.remaining > 0 and (deserved is not None or each.due_on < today):
                yield _Candidate(covered[0], _line_of_instalment(each, covered, today), deserved)


def _line_of_instalment(instalment: Instalment, covered: list[OpenItem], today: date) -> ReminderLine:
    line = _line(covered[0], instalment.remaining, today)
    return replace(
        line,
        number=", ".join(item.number for item in covered),
        due_date=instalment.due_on,
        days_late=(today - instalment.due_on).days,
        total=instalment.amount,
        remaining=instalment.remaining,
        is_instalment=True,
    )


def _line(item: OpenItem, claimed: Decimal, today: date) -> ReminderLine:
    return ReminderLine(
        invoice_id=item.invoice_id,
        number=item.number,
        seller_siren=item.seller_siren,
        issue_date=item.issue_date,
        due_date=item.due_date,
        days_late=(today - item.due_date).days,
        total=item.total,
        remaining=item.remaining,
        claimed=claimed,
        books_only=item.books_only,
    )


def _advance(candidate: _Candidate) -> tuple[bool, int, int, str]:
    """Tasks first, as they reach nobody; invoices before instalments; then the highest step; then the latest."""
    deserved = candidate.deserved
    assert deserved is not None
    is_task = deserved.step.channel is Channel.TASK
    position = -1 if candidate.line.is_instalment else deserved.position
    return is_task, position, candidate.line.days_late, str(candidate.item.invoice_id)


def _belongs(candidate: _Candidate, chosen: Deserved) -> bool:
    """Whether a line is in the message: of a task, those that ask for it; of a notice, those it is for; else what is
    late, and what asks for a step of its own."""
    deserved = candidate.deserved
    if chosen.step.channel is Channel.TASK:
        return deserved is not None and deserved.key == chosen.key
    if chosen.is_pre_due:
        return deserved is not None and deserved.is_pre_due
    if deserved is not None:
        return not deserved.is_pre_due and deserved.step.channel is not Channel.TASK
    return candidate.late


def _gives_way(chosen: Deserved) -> Reason:
    return Reason(Hold.AFTER_THE_TASK if chosen.step.channel is Channel.TASK else Hold.GIVES_WAY)


def _kept(candidate: _Candidate, anchor: OpenItem, found_nobody: bool) -> str | None:
    """The step that the message takes for a line."""
    if found_nobody:
        return NO_CONTACT if candidate.item.invoice_id == anchor.invoice_id else None
    return candidate.deserved.key if candidate.deserved else None


def _reaches(contact: Contact, channel: Channel) -> bool:
    if channel is Channel.EMAIL:
        return contact.email is not None
    if channel in (Channel.SMS_HOOK, Channel.CALL):
        return contact.phone is not None
    return bool(contact.postal) if channel.is_written else True
