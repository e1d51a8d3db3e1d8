"""When the simulated platform says what to the sender of an invoice, its faults included. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from gateway.flows.simulator.answers import AnsweredInvoice, answer
from gateway.flows.simulator.faults import Fault, FaultDice
from gateway.flows.simulator.scenarios import Step
from gateway.lifecycle.cdar.writing import write_cdar

#: Format 204 (MDT-78) counts whole seconds: two steps never share one, so that their order can be read.
_SHORTEST_STEP = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class PlannedAnswer:
    """One flow that the platform will list: `step` counts from 1, `visible_at` is its updatedAt."""

    step: int
    name: str
    data: bytes
    visible_at: datetime


def plan_answers(
    subject: AnsweredInvoice, steps: tuple[Step, ...], *, now: datetime, pause: timedelta, dice: FaultDice
) -> list[PlannedAnswer]:
    """The answers to an invoice taken `now`, one every `pause`, with the faults that strike them."""
    planned = []
    for number, step in enumerate(steps, start=1):
        message = answer(subject, step, at=now + number * max(pause, _SHORTEST_STEP), received_at=now)
        planned.append(PlannedAnswer(number, f"{message.message_id}.xml", write_cdar(message), now + number * pause))
    invoice = subject.invoice.number
    return [flow for each in _reordered(planned, dice, invoice) for flow in _repeated(each, pause, dice, invoice)]


def _reordered(planned: list[PlannedAnswer], dice: FaultDice, invoice: str) -> list[PlannedAnswer]:
    """Two neighbours change places in the list; the dates inside the messages stay."""
    shown = list(planned)
    for place in range(len(shown) - 1):
        first, second = shown[place], shown[place + 1]
        if dice.strikes(Fault.REORDERED, invoice, place):
            shown[place] = replace(second, visible_at=first.visible_at)
            shown[place + 1] = replace(first, visible_at=second.visible_at)
    return shown


def _repeated(each: PlannedAnswer, pause: timedelta, dice: FaultDice, invoice: str) -> Iterator[PlannedAnswer]:
    """The answer, after a damaged file and before its double when these strike."""
    if dice.strikes(Fault.DAMAGED, invoice, each.step):
        yield replace(each, name=f"damaged-{each.name}", data=each.data[: len(each.data) // 2])
    yield each
    if dice.strikes(Fault.DUPLICATED, invoice, each.step):
        yield replace(each, visible_at=each.visible_at + pause / 2)
