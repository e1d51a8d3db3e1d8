"""Queries of alerts. The database keeps organisations apart; a `Scope` narrows what a person sees further."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, func, or_
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from gateway.access.model import User
from gateway.access.roles import Role
from gateway.access.scope import Scope
from gateway.alerts.conditions import Severity
from gateway.alerts.errors import AlertNotFoundError
from gateway.alerts.model import Alert, AlertState
from gateway.database.paging import Page, SortKey, fetch_page
from gateway.database.searching import containing
from gateway.lifecycle.correlation import InvoiceKey
from gateway.lifecycle.model import Direction, LifecycleEvent

UNSETTLED = (AlertState.OPEN, AlertState.ACKNOWLEDGED)

_RANK = {severity.value: rank for rank, severity in enumerate(reversed(Severity))}
_MOST_PRESSING_FIRST = (
    SortKey(case(_RANK, value=col(Alert.severity), else_=len(_RANK)), int),
    SortKey(func.coalesce(Alert.due_on, date.max), date.fromisoformat),
    SortKey(col(Alert.opened_at), datetime.fromisoformat),
    SortKey(col(Alert.id), UUID),
)


@dataclass(frozen=True, slots=True)
class AlertFilter:
    """What is looked for; each attribute given narrows the list.

    Attributes:
        states: by default those that still need someone.
        severities, teams: values as stored.
        text: part of the title or of the reason, in French or in English, in any case.
        invoice_id: alerts of one invoice.
    """

    states: tuple[AlertState, ...] = UNSETTLED
    severities: tuple[Severity, ...] = ()
    teams: tuple[str, ...] = ()
    text: str = ""
    invoice_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class AlertCounts:
    """How many alerts there are by state, and how many unsettled ones by severity and by team."""

    by_state: dict[str, int]
    by_severity: dict[str, int]
    by_team: dict[str, int]


def list_alerts(
    session: Session, scope: Scope, wanted: AlertFilter, *, cursor: str | None = None, limit: int = 50
) -> Page[Alert]:
    """The alerts wanted: the gravest first, then the nearest deadline, then the oldest. Raises InvalidCursorError."""
    statement = select(Alert).where(_visible(scope), *_conditions(wanted))
    return fetch_page(session, statement, _MOST_PRESSING_FIRST, cursor=cursor, limit=limit)


def count_alerts(session: Session, scope: Scope) -> AlertCounts:
    """The counts shown above the inbox, in one query."""
    rows = session.exec(
        select(Alert.state, Alert.severity, Alert.team, func.count())
        .where(_visible(scope))
        .group_by(Alert.state, Alert.severity, Alert.team)
    ).all()
    counts = AlertCounts({}, {}, {})
    for state, severity, team, number in rows:
        counts.by_state[state] = counts.by_state.get(state, 0) + number
        if state != AlertState.CLOSED:
            counts.by_severity[severity] = counts.by_severity.get(severity, 0) + number
            counts.by_team[team] = counts.by_team.get(team, 0) + number
    return counts


def alert_by_id(session: Session, scope: Scope, alert_id: UUID, *, lock: bool = False) -> Alert:
    """One alert, kept from other writers when `lock`. Raises AlertNotFoundError, also outside the scope."""
    statement = select(Alert).where(Alert.id == alert_id, _visible(scope))
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    found = session.exec(statement).one_or_none()
    if found is None:
        raise AlertNotFoundError(alert_id)
    return found


def alert_of_key(session: Session, dedup_key: str) -> Alert | None:
    """The alert of a deduplication key."""
    return session.exec(select(Alert).where(Alert.dedup_key == dedup_key)).one_or_none()


def invoices_with_unsettled_alerts() -> SelectOfScalar[UUID | None]:
    """A query of invoice identifiers, for `InvoiceFilter.among`."""
    return select(col(Alert.invoice_id)).where(_in_states(UNSETTLED), col(Alert.invoice_id).is_not(None))


def unsettled_of(
    session: Session, conditions: set[str], *, invoice_id: UUID | None, direction: Direction, key: InvoiceKey
) -> list[Alert]:
    """Unsettled alerts of some conditions on an invoice, or on its key while the invoice is unknown; locked."""
    same_key = select(LifecycleEvent.id).where(
        LifecycleEvent.direction == direction.value,
        LifecycleEvent.number == key.number,
        LifecycleEvent.seller_siren == key.seller_siren,
        LifecycleEvent.year == key.year,
    )
    about = col(Alert.event_id).in_(same_key)
    return list(
        session.exec(
            select(Alert)
            .where(
                col(Alert.condition).in_(conditions),
                _in_states(UNSETTLED),
                about if invoice_id is None else or_(about, col(Alert.invoice_id) == invoice_id),
            )
            .order_by(col(Alert.opened_at), col(Alert.id))
            .with_for_update()
        )
    )


def unsettled_about(session: Session, ids: Sequence[UUID], numbers: Sequence[str]) -> list[UUID | str]:
    """What unsettled alerts are about, among invoices and events by their identifiers, and refused files by number.

    An alert that has its invoice is told by it; the event tells of one whose invoice is unknown.
    """
    rows = session.exec(
        select(Alert.invoice_id, Alert.event_id, Alert.invoice_number).where(
            _in_states(UNSETTLED),
            or_(
                col(Alert.invoice_id).in_(ids),
                and_(col(Alert.invoice_id).is_(None), col(Alert.event_id).in_(ids)),
                col(Alert.invoice_number).in_(numbers),
            ),
        )
    )
    return [each for row in rows for each in row if each is not None]


def unsettled_of_invoices(session: Session, conditions: set[str], invoice_ids: Sequence[UUID]) -> list[Alert]:
    """Unsettled alerts of some conditions on these invoices; locked."""
    return list(
        session.exec(
            select(Alert)
            .where(col(Alert.invoice_id).in_(invoice_ids), col(Alert.condition).in_(conditions), _in_states(UNSETTLED))
            .order_by(col(Alert.opened_at), col(Alert.id))
            .with_for_update()
        )
    )


def unsettled_of_number(session: Session, condition: str, number: str) -> list[Alert]:
    """Unsettled alerts of a condition on files that bear an invoice number and became no invoice; locked."""
    return list(
        session.exec(
            select(Alert)
            .where(Alert.invoice_number == number, Alert.condition == condition, _in_states(UNSETTLED))
            .order_by(col(Alert.opened_at), col(Alert.id))
            .with_for_update()
        )
    )


def unsettled_of_flow(session: Session, condition: str, flow_id: UUID) -> list[Alert]:
    """Unsettled alerts of a condition on a flow; locked."""
    return list(
        session.exec(
            select(Alert)
            .where(Alert.flow_id == flow_id, Alert.condition == condition, _in_states(UNSETTLED))
            .order_by(col(Alert.opened_at), col(Alert.id))
            .with_for_update()
        )
    )


def unsettled_of_condition(session: Session, condition: str) -> list[Alert]:
    """Unsettled alerts of one condition, the oldest first; locked."""
    return list(
        session.exec(
            select(Alert)
            .where(Alert.condition == condition, _in_states(UNSETTLED))
            .order_by(col(Alert.opened_at), col(Alert.id))
            .with_for_update()
        )
    )


def unsettled_subjects(session: Session, condition: str) -> list[tuple[UUID, UUID]]:
    """The event and the invoice of each unsettled alert of a condition that has both, the oldest first; not locked."""
    found = session.exec(
        select(Alert.event_id, Alert.invoice_id)
        .where(Alert.condition == condition, _in_states(UNSETTLED))
        .order_by(col(Alert.opened_at), col(Alert.id))
    )
    return [(event_id, invoice_id) for event_id, invoice_id in found if event_id and invoice_id]


def unsettled_of_event(session: Session, event_id: UUID) -> list[Alert]:
    """Unsettled alerts that an event opened; locked."""
    return list(
        session.exec(
            select(Alert)
            .where(Alert.event_id == event_id, _in_states(UNSETTLED))
            .order_by(col(Alert.opened_at), col(Alert.id))
            .with_for_update()
        )
    )


def without_invoice(session: Session, event_ids: tuple[UUID, ...]) -> list[Alert]:
    """Alerts of these events whose invoice was unknown when they opened; locked."""
    return list(
        session.exec(
            select(Alert)
            .where(col(Alert.event_id).in_(event_ids), col(Alert.invoice_id).is_(None))
            .order_by(col(Alert.id))
            .with_for_update()
        )
    )


def active_people(session: Session, roles: tuple[Role, ...]) -> list[User]:
    """The organisation's active people of some roles."""
    return list(
        session.exec(
            select(User)
            .where(col(User.role).in_([role.value for role in roles]), col(User.is_active))
            .order_by(col(User.email))
        )
    )


def _visible(scope: Scope) -> ColumnElement[bool]:
    return scope.condition(Alert.agency_id, Alert.customer_siren)


def _in_states(states: tuple[AlertState, ...]) -> ColumnElement[bool]:
    return col(Alert.state).in_([state.value for state in states])


def _conditions(wanted: AlertFilter) -> Iterator[ColumnElement[bool]]:
    if wanted.states:
        yield _in_states(wanted.states)
    if wanted.severities:
        yield col(Alert.severity).in_([severity.value for severity in wanted.severities])
    if wanted.teams:
        yield col(Alert.team).in_(wanted.teams)
    if wanted.text.strip():
        yield containing(wanted.text, Alert.title_fr, Alert.title_en, Alert.reason_fr, Alert.reason_en)
    if wanted.invoice_id is not None:
        yield col(Alert.invoice_id) == wanted.invoice_id
