"""Which actions of an invoice tell of one matter: a dispute or suspension, told again when its deadline passes.

Data: `collection.told_again` of `schemas/alerts.toml`. The decision is pure; `told_by_another` is the same in a query.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select, tuple_
from sqlalchemy.orm import aliased
from sqlmodel import col

from gateway.alerts.model import Alert
from gateway.collection.model import ActionState, CollectionAction
from gateway.kernel.dated import data_file


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


def told_by_another() -> ColumnElement[bool]:
    """True of an action to do that tells again of a matter for which another action to do stands."""
    own, other, told = aliased(Alert), aliased(CollectionAction), aliased(Alert)
    newer = tuple_(col(other.created_at), col(other.id)) > tuple_(CollectionAction.created_at, CollectionAction.id)
    pairs = [
        and_(col(own.condition) == again, col(told.condition) == first, *((newer,) if again == first else ()))
        for again, firsts in _told_again().items()
        for first in firsts
    ]
    return (
        select(col(other.id))
        .join(told, col(told.id) == other.alert_id)
        .join(own, col(own.id) == CollectionAction.alert_id)
        .where(
            col(other.invoice_id) == CollectionAction.invoice_id,
            col(other.state) == ActionState.TODO.value,
            or_(*pairs),
        )
        .correlate(CollectionAction)
        .exists()
    )


def _head(told: Told, newest_first: Sequence[Told]) -> Told:
    """The latest action that what `told` tells again stands for; itself when there is none."""
    for condition in _told_again().get(told.condition, ()):
        for other in newest_first:
            if other.condition == condition:
                return other
    return told


def _told_again() -> Mapping[str, Sequence[str]]:
    return data_file("alerts.toml")["collection"]["told_again"]  # type: ignore[no-any-return]
