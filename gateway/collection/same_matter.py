"""Which actions of an invoice tell of one matter: a dispute or suspension, told again when its deadline passes.

Data: `collection.told_again` of `schemas/alerts.toml`. Pure; `repository.told_by_another` is the same in a query.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from gateway.alerts.conditions import Severity
from gateway.kernel.dated import data_file

_GRAVEST_FIRST = [severity.value for severity in reversed(Severity)]


@dataclass(frozen=True, slots=True)
class Told:
    """An action to do: the condition of its alert, what it is about, and when it was created."""

    action_id: UUID
    condition: str
    invoice_id: UUID | None
    at: datetime


def by_matter(told: Iterable[Told]) -> list[list[Told]]:
    """The actions that tell of one matter together, the one that tells it first; every action is in one group."""
    newest_first = sorted(told, key=lambda each: (each.at, each.action_id), reverse=True)
    of_invoice: dict[UUID, list[Told]] = {}
    for each in newest_first:
        if each.invoice_id is not None:
            of_invoice.setdefault(each.invoice_id, []).append(each)
    groups: dict[UUID, list[Told]] = {}
    for each in newest_first:
        head = _head(each, of_invoice.get(each.invoice_id, ()) if each.invoice_id else ())
        group = groups.setdefault(head.action_id, [])
        group.insert(0 if head is each else len(group), each)
    return list(groups.values())


def _head(told: Told, newest_first: Sequence[Told]) -> Told:
    """The latest action that what `told` tells again stands for; itself when there is none."""
    for condition in told_again().get(told.condition, ()):
        for other in newest_first:
            if other.condition == condition:
                return other
    return told


def urgency(severity: str, due_on: date | None, action_id: UUID) -> tuple[int, date, str]:
    """What orders the actions of one matter: the first leads. The gravest comes first, then the one due first."""
    return _GRAVEST_FIRST.index(severity), due_on or date.max, str(action_id)


def told_again() -> Mapping[str, Sequence[str]]:
    """The conditions that an alert may tell again of, by its own condition."""
    return data_file("alerts.toml")["collection"]["told_again"]  # type: ignore[no-any-return]
