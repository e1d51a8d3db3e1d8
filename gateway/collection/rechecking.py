"""Whether a reminder still holds just before it leaves: what was paid or disputed meanwhile is in no message. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from uuid import UUID

from gateway.collection.account import Account, OpenItem
from gateway.collection.agreements.values import Agreements, PlanState
from gateway.collection.holds import Hold, Reason, standing_of
from gateway.collection.ladder import arrival_awaited
from gateway.collection.messages.values import CreditLine, ReminderLine
from gateway.collection.reminders import credits_of
from gateway.collection.scenarios import Scenario
from gateway.kernel.money import ZERO


@dataclass(frozen=True, slots=True)
class Recheck:
    """What a reminder claims now.

    Attributes:
        lines: those that still hold, with the amounts of now. credits, unallocated, total: likewise.
        withdrawn: why nothing is to leave at all; None while it holds.
    """

    lines: tuple[ReminderLine, ...]
    credits: tuple[CreditLine, ...]
    unallocated: Decimal
    total: Decimal
    withdrawn: Reason | None = None


def recheck(
    lines: Iterable[ReminderLine],
    anchor: UUID,
    account: Account | None,
    scenario: Scenario | None,
    today: date,
    *,
    is_thanks: bool,
) -> Recheck:
    """The reminder as it may leave today (Europe/Paris): without the lines that something holds back by now.

    It is withdrawn as a whole when the invoice that called for it (`anchor`) is among them, or when credit notes and
    unallocated money cover the rest. `account`: as it is now, None when nothing of it is left. `scenario`: the one that
    it follows now, if any. `is_thanks`: the lines are thanked for, and must be paid.
    """
    if account is None:
        return Recheck((), (), ZERO, ZERO, Reason(Hold.PAID))
    kept: list[ReminderLine] = []
    withdrawn: Reason | None = None
    for line in lines:
        now = _now(line, account, scenario, today, is_thanks)
        if isinstance(now, ReminderLine):
            kept.append(now)
        elif line.invoice_id == anchor:
            withdrawn = now
    claimed = sum((line.claimed for line in kept), ZERO)
    if is_thanks:
        return Recheck(tuple(kept), (), ZERO, claimed, withdrawn)
    credits = credits_of(account)
    total = claimed + sum((each.remaining for each in credits), ZERO) + account.unallocated
    if withdrawn is None and total <= 0:
        withdrawn = Reason(Hold.COVERED, team="ar")
    return Recheck(tuple(kept), credits, account.unallocated, total, withdrawn)


def _now(
    line: ReminderLine, account: Account, scenario: Scenario | None, today: date, is_thanks: bool
) -> ReminderLine | Reason:
    """A line with the amounts of now, or what holds it back."""
    item = next((each for each in account.items if each.invoice_id == line.invoice_id), None)
    if item is None:
        return Reason(Hold.PAID)
    agreements = Agreements(account.promises, account.disputes, account.plans)
    standing = standing_of(item, account, agreements, today)
    hold = standing.held.hold if standing.held else None
    days_late = (today - line.due_date).days
    if is_thanks:
        return replace(line, days_late=0) if hold is Hold.PAID else Reason(Hold.NOT_DUE)
    if line.is_instalment:
        left = sum(_left_of(line, account, item), ZERO)
        if hold is Hold.IN_PLAN and left > 0:
            return replace(line, days_late=days_late, remaining=left, claimed=left)
        return standing.held or Reason(Hold.PAID)
    held = standing.held or (arrival_awaited(item, scenario, today) if scenario is not None else None)
    if held is not None:
        return held
    return replace(line, days_late=days_late, remaining=item.remaining, claimed=standing.claimable)


def _left_of(line: ReminderLine, account: Account, item: OpenItem) -> Iterator[Decimal]:
    """What is left of an instalment."""
    for plan in account.plans:
        if plan.state is PlanState.ACTIVE and item.invoice_id in plan.invoice_ids:
            yield from (each.remaining for each in plan.instalments if each.due_on == line.due_date)
