"""Instalment plans: how they are spread, what money pays of them, when they break. Pure."""

from calendar import monthrange
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from itertools import pairwise

from gateway.collection.agreements.errors import (
    InstalmentInThePastError,
    InstalmentsOutOfOrderError,
    NoAmountError,
    PlanSumError,
)
from gateway.collection.agreements.values import Instalment, PlanState
from gateway.kernel.money import CENT, ZERO, share_out


@dataclass(frozen=True, slots=True)
class NewInstalment:
    """One payment as agreed on: its day (Europe/Paris) and its amount, VAT included."""

    due_on: date
    amount: Decimal


@dataclass(frozen=True, slots=True)
class DatedInstalment:
    """An instalment and the last day on which money still pays it without breaking the plan."""

    instalment: Instalment
    grace_until: date


@dataclass(frozen=True, slots=True)
class PlanDecision:
    """Where a plan stands.

    Attributes:
        instalments: each with what the money has paid of it, the first one first.
        late: places (from 0) of the instalments that break it.
    """

    state: PlanState
    instalments: tuple[Instalment, ...]
    late: tuple[int, ...]


def spread_evenly(total: Decimal, count: int, first_on: date) -> tuple[NewInstalment, ...]:
    """`total` in `count` monthly instalments from `first_on`, equal to the cent; they add up to `total`.

    A day that a month does not have becomes its last one. Raises NoAmountError when a cent would not go round.
    """
    if count < 1 or total < count * CENT or total % CENT:
        raise NoAmountError(total)
    amounts = share_out(total, [Decimal(1)] * count)
    return tuple(NewInstalment(_months_later(first_on, place), amount) for place, amount in enumerate(amounts))


def require_plan(instalments: Sequence[NewInstalment], owed: Decimal, today: date) -> None:
    """The instalments are dated today or later, each after the one before, and sum to what is owed, to the cent.

    Raises NoAmountError, InstalmentInThePastError, InstalmentsOutOfOrderError or PlanSumError.
    """
    for each in instalments:
        if each.amount <= 0 or each.amount % CENT:
            raise NoAmountError(each.amount)
        if each.due_on < today:
            raise InstalmentInThePastError(each.due_on)
    days = [each.due_on for each in instalments]
    if any(later <= sooner for sooner, later in pairwise(days)):
        raise InstalmentsOutOfOrderError
    total = sum((each.amount for each in instalments), ZERO)
    if not instalments or total != owed:
        raise PlanSumError(total, owed)


def fill(instalments: Iterable[Instalment], paid: Decimal) -> tuple[Instalment, ...]:
    """What `paid` pays of each instalment: the first one in full before the second."""
    filled = []
    for each in instalments:
        share = max(ZERO, min(paid, each.amount))
        filled.append(replace(each, paid=share))
        paid -= share
    return tuple(filled)


def judge_plan(instalments: Sequence[DatedInstalment], paid: Decimal, owed: Decimal, today: date) -> PlanDecision:
    """Where a plan stands today (Europe/Paris), from the money that came in since it was made.

    `owed`: what is left to pay of its invoices; a plan whose invoices are settled otherwise is done. It breaks when an
    instalment is short past its days of grace, and runs again once the customer has caught up.
    """
    filled = fill((each.instalment for each in instalments), paid)
    if owed <= 0 or all(each.remaining == 0 for each in filled):
        return PlanDecision(PlanState.DONE, filled, ())
    late = tuple(
        place
        for place, (dated, each) in enumerate(zip(instalments, filled, strict=True))
        if each.remaining > 0 and dated.grace_until < today
    )
    return PlanDecision(PlanState.BROKEN if late else PlanState.ACTIVE, filled, late)


def _months_later(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
