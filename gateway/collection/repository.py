"""Queries of the worklist. The database keeps organisations apart; a `Scope` narrows what a person sees further."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, tuple_
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from gateway.access.scope import Scope
from gateway.alerts.model import Alert
from gateway.collection.decisions import ActionKind
from gateway.collection.errors import ActionNotFoundError
from gateway.collection.model import ActionState, CollectionAction
from gateway.collection.same_matter import Told, by_matter, told_again
from gateway.database.paging import Page, SortKey, fetch_page
from gateway.database.searching import containing

_MOST_USEFUL_FIRST = (
    SortKey(-col(CollectionAction.priority), int),
    SortKey(func.coalesce(CollectionAction.due_on, date.max), date.fromisoformat),
    SortKey(col(CollectionAction.created_at), datetime.fromisoformat),
    SortKey(col(CollectionAction.id), UUID),
)


@dataclass(frozen=True, slots=True)
class ActionFilter:
    """What is looked for; each attribute given narrows the list.

    Attributes:
        states: by default what is still to do.
        kinds, teams: values as stored.
        assigned_to: actions of one person; `unassigned`: those of nobody.
        text: part of the title or of the explanation, in French or in English, in any case.
        invoice_id: actions of one invoice.
    """

    states: tuple[ActionState, ...] = (ActionState.TODO,)
    kinds: tuple[ActionKind, ...] = ()
    teams: tuple[str, ...] = ()
    assigned_to: UUID | None = None
    unassigned: bool = False
    text: str = ""
    invoice_id: UUID | None = None


def worklist(
    session: Session, scope: Scope, wanted: ActionFilter, *, cursor: str | None = None, limit: int = 50
) -> Page[CollectionAction]:
    """The actions wanted: highest priority first, then nearest deadline, then oldest. Raises InvalidCursorError."""
    statement = select(CollectionAction).where(_visible(scope), *_conditions(wanted))
    return fetch_page(session, statement, _MOST_USEFUL_FIRST, cursor=cursor, limit=limit)


def count_actions(session: Session, scope: Scope) -> dict[str, int]:
    """How many actions there are in each state."""
    rows = session.exec(
        select(CollectionAction.state, func.count()).where(_visible(scope)).group_by(CollectionAction.state)
    )
    return dict(rows.all())


def action_by_id(session: Session, scope: Scope, action_id: UUID, *, lock: bool = False) -> CollectionAction:
    """One action, kept from other writers when `lock`. Raises ActionNotFoundError, also outside the scope."""
    statement = select(CollectionAction).where(CollectionAction.id == action_id, _visible(scope))
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    found = session.exec(statement).one_or_none()
    if found is None:
        raise ActionNotFoundError(action_id)
    return found


def actions_of_matter(session: Session, scope: Scope, action: CollectionAction) -> list[CollectionAction]:
    """The other actions to do that tell of the same matter as `action`; kept from other writers."""
    if action.invoice_id is None:
        return []
    rows = session.exec(
        select(CollectionAction, Alert.condition)
        .join(Alert, col(Alert.id) == CollectionAction.alert_id)
        .where(
            CollectionAction.invoice_id == action.invoice_id,
            CollectionAction.state == ActionState.TODO.value,
            _visible(scope),
        )
        .order_by(col(CollectionAction.id))
        .with_for_update(of=CollectionAction)
        .execution_options(populate_existing=True)
    ).all()
    found = {row.id: row for row, _ in rows}
    told = [Told(row.id, condition, row.invoice_id, row.created_at) for row, condition in rows]
    group = next(each for each in by_matter(told) if action.id in {one.action_id for one in each})
    return [found[each.action_id] for each in group if each.action_id != action.id]


def told_by_another() -> ColumnElement[bool]:
    """True of an action to do that tells again of a matter for which another action to do stands; as `by_matter`."""
    own, other, told = aliased(Alert), aliased(CollectionAction), aliased(Alert)
    newer = tuple_(col(other.created_at), col(other.id)) > tuple_(CollectionAction.created_at, CollectionAction.id)
    pairs = [
        and_(col(own.condition) == again, col(told.condition) == first, *((newer,) if again == first else ()))
        for again, firsts in told_again().items()
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


def action_of_alert(session: Session, alert_id: UUID) -> CollectionAction | None:
    """The one action of an alert, kept from other writers."""
    return session.exec(
        select(CollectionAction)
        .where(CollectionAction.alert_id == alert_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()


def _visible(scope: Scope) -> ColumnElement[bool]:
    return scope.condition(CollectionAction.agency_id, CollectionAction.customer_siren)


def _conditions(wanted: ActionFilter) -> Iterator[ColumnElement[bool]]:
    if wanted.states:
        yield col(CollectionAction.state).in_([state.value for state in wanted.states])
    if wanted.kinds:
        yield col(CollectionAction.kind).in_([kind.value for kind in wanted.kinds])
    if wanted.teams:
        yield col(CollectionAction.team).in_(wanted.teams)
    if wanted.assigned_to is not None:
        yield col(CollectionAction.assigned_to) == wanted.assigned_to
    if wanted.unassigned:
        yield col(CollectionAction.assigned_to).is_(None)
    if wanted.text.strip():
        yield containing(
            wanted.text,
            CollectionAction.title_fr,
            CollectionAction.title_en,
            CollectionAction.explanation_fr,
            CollectionAction.explanation_en,
        )
    if wanted.invoice_id is not None:
        yield col(CollectionAction.invoice_id) == wanted.invoice_id
