"""The order of the worklist: what brings in most cash first. Pure; the weights are dated data.

Expected cash = amount at stake × chance that it moves today × weight of the deadline × weight of the age.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from gateway.collection.worklist.policy import WorklistPolicy
from gateway.kernel.money import CENT
from gateway.kernel.sayer import Sayer, in_both
from gateway.kernel.text import Text

_ONE = Decimal(1)
_UNKNOWN, _CHANCE = Text("montant inconnu", "unknown amount"), Text("de chances", "chance")
_OVERDUE, _DUE_TODAY = Text("en retard", "overdue"), Text("à faire aujourd’hui", "due today")
_DUE_WITHIN = Text("à faire sous {days} j", "due within {days} d")
_WAITING = Text("attend depuis {days} jours", "waiting for {days} days")
_ONE_CALL = Text("{calls} appel sans suite", "{calls} call in vain")
_CALLS = Text("{calls} appels sans suite", "{calls} calls in vain")
#: Minus the expected cash, the deadline, the day it came up, the source and the identifier.
Place = tuple[Decimal, date, date, str, UUID]


class Source(StrEnum):
    """What a line stands for."""

    #: The action of an alert: status, deadline, broken promise or plan, dispute, limitation, insolvency.
    ACTION = "action"
    #: A reminder that waits for a person.
    REMINDER = "reminder"
    #: A call that reached the wrong person: the right one is to be found.
    CALL = "call"
    #: An address that is stopped: the right one is to be found.
    ADDRESS = "address"


@dataclass(frozen=True, slots=True)
class Matter:
    """One line of the worklist.

    Attributes:
        id: of its action, reminder, call or stopped address.
        kind: an `ActionKind`, `reminder_…` or `find_contact`; it sets the chance.
        customer_id: None when the invoice is unknown here.
        agencies: those of what is at stake; empty when unknown.
        amount: at stake, VAT included, in `currency`; None when unknown.
        due_on: last day to do it. since: day it came up (Europe/Paris).
        assigned_to: who does it. collector_id: who follows the customer.
        calls: how often it was called about in vain so far.
        back_on: day it comes back after the last of these calls.
        also: the other actions that tell of the same matter, for which this line stands.
    """

    source: Source
    id: UUID
    kind: str
    title: Text
    explanation: Text
    team: str
    since: date
    customer_id: UUID | None = None
    customer_name: str = ""
    customer_siren: str | None = None
    is_key_account: bool = False
    collector_id: UUID | None = None
    agencies: tuple[UUID, ...] = ()
    invoice_id: UUID | None = None
    amount: Decimal | None = None
    currency: str | None = None
    due_on: date | None = None
    assigned_to: UUID | None = None
    calls: int = 0
    back_on: date | None = None
    also: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class Ranked:
    """A line with its place on a day.

    Attributes:
        expected: expected cash in rough euros, to the cent: for the order only.
        chance: that it moves today, 0 to 1. deadline, age: weights, 1 when they do not count.
    """

    matter: Matter
    today: date
    expected: Decimal
    chance: Decimal
    deadline: Decimal
    age: Decimal

    @property
    def why(self) -> Text:
        """Why it stands there, in one line."""
        return in_both(lambda say: _why(self, say))


def rank(matters: Iterable[Matter], today: date, policy: WorklistPolicy) -> list[Ranked]:
    """The most expected cash first; then the nearest deadline, then the oldest. Total: whatever order they come in."""
    return sorted((ranked(each, today, policy) for each in matters), key=place)


def place(line: Ranked) -> Place:
    """Where a line stands: the smaller, the sooner."""
    matter = line.matter
    return -line.expected, matter.due_on or date.max, matter.since, matter.source.value, matter.id


def ranked(matter: Matter, today: date, policy: WorklistPolicy) -> Ranked:
    """The expected cash of one matter. More money, or more chance, never lowers it."""
    amount = policy.unknown_amount if matter.amount is None else abs(matter.amount)
    euros = amount * policy.euros.get(matter.currency or "", _ONE)
    chance = policy.chance.get(matter.kind, policy.default_chance) * policy.attempt_keeps**matter.calls
    deadline, age = _deadline_weight(matter, today, policy), _age_weight(matter, today, policy)
    return Ranked(matter, today, (euros * chance * deadline * age).quantize(CENT), chance, deadline, age)


def _deadline_weight(matter: Matter, today: date, policy: WorklistPolicy) -> Decimal:
    if matter.due_on is None:
        return _ONE
    left = (matter.due_on - today).days
    return next((weight for days, weight in policy.deadline if left <= days), _ONE)


def _age_weight(matter: Matter, today: date, policy: WorklistPolicy) -> Decimal:
    waited = (today - matter.since).days
    return next((weight for days, weight in policy.age if waited >= days), _ONE)


def _why(line: Ranked, say: Sayer) -> str:
    matter = line.matter
    at_stake = say.say(_UNKNOWN)
    if matter.amount is not None and matter.currency:
        at_stake = say.money(abs(matter.amount), matter.currency)
    parts = [f"{at_stake} × {say.percent(line.chance)} {say.say(_CHANCE)}"]
    if line.deadline != _ONE and matter.due_on is not None:
        left = (matter.due_on - line.today).days
        when = _OVERDUE if left < 0 else _DUE_TODAY if left == 0 else _DUE_WITHIN
        parts.append(f"{say.say(when).format(days=left)} (× {say.number(line.deadline)})")
    if line.age != _ONE:
        waited = (line.today - matter.since).days
        parts.append(f"{say.say(_WAITING).format(days=waited)} (× {say.number(line.age)})")
    if matter.calls:
        parts.append(say.say(_ONE_CALL if say.is_one(matter.calls) else _CALLS).format(calls=matter.calls))
    return ", ".join(parts)
