"""How the worklist is ordered, and when a matter comes back after a call. Data: `schemas/collection.toml`, dated."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache

from gateway.kernel.dated import Table, data_file, in_force, text_of
from gateway.kernel.text import Text
from gateway.kernel.working_days import add_working_days


class CallOutcome(StrEnum):
    """What came of a call."""

    PROMISE = "promise"
    DISPUTE = "dispute"
    NO_ANSWER = "no_answer"
    MESSAGE_LEFT = "message_left"
    PAID = "paid"
    WRONG_CONTACT = "wrong_contact"

    @property
    def label(self) -> Text:
        """For people."""
        return text_of(_version("calls")["outcome"][self.value])


def kind_label(kind: str) -> Text:
    """The name of a kind of matter for people; of an action, what is to be done."""
    named = data_file("collection.toml")["worklist_kind"].get(kind)
    actions = data_file("alerts.toml")["collection"]["action"]
    return text_of(named) if named else text_of(actions[kind]["title"]) if kind in actions else Text(kind, kind)


@dataclass(frozen=True, slots=True)
class WorklistPolicy:
    """What holds on a day.

    Attributes:
        unknown_amount: stands for an amount nobody knows. chance: by kind of matter, 0 to 1.
        attempt_keeps: part of the chance left after each call that nobody answered, 0 to 1.
        deadline: days left at most, and the weight then, the nearest first.
        age: days waited at least, and the weight then, the longest first.
        euros: what a unit of a currency weighs, for the order only.
        back_in: working days until a matter comes back, by outcome of the call.
        reaching: outcomes of calls that reached the customer, as a message does.
    """

    unknown_amount: Decimal
    default_chance: Decimal
    chance: Mapping[str, Decimal]
    attempt_keeps: Decimal
    deadline: tuple[tuple[int, Decimal], ...]
    age: tuple[tuple[int, Decimal], ...]
    euros: Mapping[str, Decimal]
    back_in: Mapping[CallOutcome, int]
    reaching: frozenset[CallOutcome]

    def back_on(self, outcome: CallOutcome, today: date) -> date | None:
        """The day a matter comes back after a call; None when the call settled it."""
        days = self.back_in.get(outcome)
        return None if days is None else add_working_days(today, days)


@lru_cache(maxsize=64)
def worklist_policy(on: date) -> WorklistPolicy:
    """The policy in force on a day (Europe/Paris); before the first version, the latest."""
    table, calls = _version("worklist", on), _version("calls", on)
    return WorklistPolicy(
        unknown_amount=Decimal(table["unknown_amount"]),
        default_chance=_per_cent(table["default_chance"]),
        chance={kind: _per_cent(chance) for kind, chance in table["chance"].items()},
        attempt_keeps=_per_cent(table["attempt_keeps"]),
        deadline=tuple((each["days_left"], Decimal(each["weight"])) for each in table["deadline"]),
        age=tuple((each["days"], Decimal(each["weight"])) for each in table["age"]),
        euros={currency: Decimal(weight) for currency, weight in table["euros"].items()},
        back_in={
            CallOutcome(outcome): each["back_in"] for outcome, each in calls["outcome"].items() if "back_in" in each
        },
        reaching=frozenset(CallOutcome(outcome) for outcome, each in calls["outcome"].items() if each.get("reaches")),
    )


def _version(name: str, on: date | None = None) -> Table:
    entry = data_file("collection.toml")[name]
    found = in_force(entry, on) or in_force(entry)
    if found is None:
        raise KeyError(name)
    return found


def _per_cent(number: int) -> Decimal:
    return Decimal(number) / 100
