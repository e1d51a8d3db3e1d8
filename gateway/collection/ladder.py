"""Which step of a scenario an invoice, or an instalment of a plan, has come to on a day. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from gateway.collection.account import OpenItem, StepTaken
from gateway.collection.agreements.values import Instalment
from gateway.collection.holds import Hold, Reason
from gateway.collection.scenarios import DUE_DATE, INSTALMENT, PAYMENT, Scenario, Step
from gateway.kernel.clock import paris_date


@dataclass(frozen=True, slots=True)
class Deserved:
    """A step whose day has come.

    Attributes:
        position: its place in the scenario: the higher, the more advanced. key: what is kept of it.
    """

    step: Step
    position: int
    key: str

    @property
    def is_pre_due(self) -> bool:
        """A notice before the due date."""
        return is_pre_due(self.step)


@dataclass(frozen=True, slots=True)
class _Rung:
    """A step that was not taken yet: the day it comes (None: an event must come first)."""

    step: Step
    position: int
    day: date | None


def is_pre_due(step: Step) -> bool:
    """Whether the step speaks of an invoice that is not late yet."""
    return step.counts_from == DUE_DATE and step.days <= 0


def step_of_invoice(item: OpenItem, claimable: Decimal, scenario: Scenario, today: date) -> Deserved | Reason:
    """The step that an invoice has come to, or why there is none today.

    Never one that was taken, nor one before it. With `catch_up` "jump" it is the furthest deserved; whoever was never
    reached is written to first. With "in_order" it is the first.
    """
    rungs = list(_rungs(item, claimable, scenario, today))
    due = [rung for rung in rungs if rung.day is not None and rung.day <= today]
    if not due:
        return _not_yet(item, rungs, today)
    chosen = due[0]
    if scenario.catch_up == "jump":
        never_reached = not any(taken.done for taken in item.reached)
        written = [rung for rung in due if rung.step.channel.is_written] if never_reached else []
        chosen = (written or due)[-1]
    if is_pre_due(chosen.step) and not _has_arrived(item, scenario):
        return Reason(Hold.NOT_ARRIVED, team="billing")
    return Deserved(chosen.step, chosen.position, chosen.step.key)


def arrival_awaited(item: OpenItem, scenario: Scenario, today: date) -> Reason | None:
    """Why an invoice that may never have reached its buyer is not reminded of, although it is due.

    Its alert is worked first, for `arrival_days` of the scenario after the due date at most: a 203 is no mandatory
    status, and a platform that says nothing must not stop reminders for ever.
    """
    until = item.due_date + timedelta(days=scenario.arrival_days + 1)
    if not item.arrival_sought or _has_arrived(item, scenario) or not item.due_date < today < until:
        return None
    return Reason(Hold.ARRIVAL_UNKNOWN, until, team="billing")


def step_of_instalment(
    instalment: Instalment, reached: tuple[StepTaken, ...], scenario: Scenario, today: date
) -> Deserved | None:
    """The furthest step that an instalment has come to and that was not taken for it."""
    taken = {each.name for each in reached}
    found = None
    for position, step in enumerate(scenario.steps):
        key = f"{step.key}:{instalment.due_on.isoformat()}"
        if step.counts_from == INSTALMENT and key not in taken:
            day = instalment.due_on + timedelta(days=step.days)
            if day <= today and (step.days > 0 or today <= instalment.due_on):
                found = Deserved(step, position, key)
    return found


def step_of_thanks(item: OpenItem, scenario: Scenario) -> Deserved | None:
    """The thank-you for an invoice that was paid after a step had reached the customer, once."""
    for position, step in enumerate(scenario.steps):
        if step.counts_from == PAYMENT and all(taken.name != step.key for taken in item.reached):
            return Deserved(step, position, step.key) if any(taken.done for taken in item.reached) else None
    return None


def _has_arrived(item: OpenItem, scenario: Scenario) -> bool:
    """Whether a status tells that the buyer has it; what only the books know came by another way."""
    return item.books_only or item.state.status not in (None, *scenario.not_arrived)


def _rungs(item: OpenItem, claimable: Decimal, scenario: Scenario, today: date) -> Iterator[_Rung]:
    """The steps still ahead of an invoice, in the order of the scenario."""
    taken = {each.name for each in item.reached}
    last = max((position for position, step in enumerate(scenario.steps) if step.key in taken), default=-1)
    for position, step in enumerate(scenario.steps):
        if position <= last or step.counts_from in (INSTALMENT, PAYMENT) or claimable < step.at_least:
            continue
        if is_pre_due(step) and today > item.due_date:
            continue
        counted_from = _counted_from(step, item)
        if counted_from is not None:
            yield _Rung(step, position, _allowed_on(step, counted_from + timedelta(days=step.days), item.reached))


def _counted_from(step: Step, item: OpenItem) -> date | None:
    if step.counts_from == DUE_DATE:
        return item.due_date
    state = item.state
    return paris_date(state.status_at) if state.status == step.counts_from and state.status_at else None


def _allowed_on(step: Step, day: date, reached: tuple[StepTaken, ...]) -> date | None:
    """`day`, or later when the step must wait for one that reached the customer; None when none has."""
    if step.after is None and step.after_days == 0:
        return day
    before = [each.on for each in reached if each.done and step.after in (None, each.name)]
    return max(day, before[-1] + timedelta(days=step.after_days)) if before else None


def _not_yet(item: OpenItem, rungs: list[_Rung], today: date) -> Reason:
    dated = [(rung.day, rung.position, rung.step) for rung in rungs if rung.day is not None]
    if dated:
        day, _, step = min(dated, key=lambda each: each[:2])
        return Reason(Hold.NEXT_STEP if today > item.due_date else Hold.NOT_DUE, day, step.title)
    if rungs:
        return Reason(Hold.UNREACHED, words=rungs[0].step.title)
    return Reason(Hold.AT_THE_END) if today > item.due_date else Reason(Hold.NOT_DUE)
