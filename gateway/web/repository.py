"""Queries that only pages ask: counts beside the navigation, names behind identifiers, what is in quarantine."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, func, true
from sqlmodel import Session, col, select

from gateway.access.model import User
from gateway.access.principal import Principal
from gateway.access.roles import Permission
from gateway.access.scope import Scope
from gateway.alerts.model import Alert, AlertState
from gateway.collection.model import ActionState, CollectionAction, Reminder
from gateway.collection.reminder_rows import WAITING, visible_reminders
from gateway.collection.repository import told_by_another
from gateway.database.paging import Page, SortKey, fetch_page
from gateway.flows.errors import FlowNotFoundError
from gateway.flows.model import Flow, FlowState
from gateway.lifecycle.model import Direction, InvoiceRecord
from gateway.lifecycle.repository import visible_invoices
from gateway.notifications.model import Notification


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits for a person, as counts beside the navigation; None where the person has no such page."""

    alerts: int
    actions: int
    reminders: int
    notifications: int
    quarantine: int | None


@dataclass(frozen=True, slots=True)
class StatusCount:
    """How many invoices stand at a status code, None being before the first."""

    status: str | None
    invoices: int


def waiting(session: Session, person: Principal) -> Waiting:
    """The counts of one person, in one query."""
    scope = person.scope
    counts = [
        _count(Alert.id, col(Alert.state) != AlertState.CLOSED, scope.condition(Alert.agency_id, Alert.customer_siren)),
        _count(
            CollectionAction.id,
            col(CollectionAction.state) == ActionState.TODO,
            scope.condition(CollectionAction.agency_id, CollectionAction.customer_siren),
            ~told_by_another(),
        ),
        _count(Reminder.id, col(Reminder.state).in_(WAITING), visible_reminders(scope)),
        _count(Notification.id, col(Notification.user_id) == person.id, col(Notification.read_at).is_(None)),
        _count(Flow.id, col(Flow.state) == FlowState.QUARANTINED, _visible_flows(scope)),
    ]
    alerts, actions, reminders, notifications, quarantine = session.execute(select(*counts)).one()
    if not person.may(Permission.REPLAY_FLOWS):
        quarantine = None
    return Waiting(alerts, actions, reminders, notifications, quarantine)


def status_counts(session: Session, scope: Scope, direction: Direction) -> list[StatusCount]:
    """The invoices of one direction by current status, the most numerous first."""
    rows = session.exec(
        select(InvoiceRecord.status, func.count())
        .where(visible_invoices(scope), InvoiceRecord.direction == direction.value)
        .group_by(InvoiceRecord.status)
        .order_by(func.count().desc(), col(InvoiceRecord.status))
    ).all()
    return [StatusCount(status, count) for status, count in rows]


def statuses_in_use(session: Session, scope: Scope) -> list[str]:
    """The status codes that at least one visible invoice has now, by code."""
    codes = session.exec(select(InvoiceRecord.status).where(visible_invoices(scope)).distinct()).all()
    return sorted(code for code in codes if code)


def open_alerts_of(session: Session, invoice_ids: Iterable[UUID]) -> dict[UUID, int]:
    """How many alerts are not closed on each of the invoices; those without any are left out."""
    rows = session.exec(
        select(Alert.invoice_id, func.count())
        .where(col(Alert.invoice_id).in_(list(invoice_ids)), col(Alert.state) != AlertState.CLOSED)
        .group_by(col(Alert.invoice_id))
    ).all()
    return {invoice_id: count for invoice_id, count in rows if invoice_id}


def invoices_by_id(session: Session, invoice_ids: Iterable[UUID | None]) -> dict[UUID, InvoiceRecord]:
    """The invoices behind identifiers, for lists that show their number and customer."""
    wanted = {each for each in invoice_ids if each}
    rows = session.exec(select(InvoiceRecord).where(col(InvoiceRecord.id).in_(wanted))).all() if wanted else ()
    return {row.id: row for row in rows}


def user_names(session: Session, user_ids: Iterable[UUID | None]) -> dict[UUID, str]:
    """Names of people, by identifier."""
    wanted = {each for each in user_ids if each}
    rows = session.exec(select(User.id, User.name).where(col(User.id).in_(wanted))).all() if wanted else ()
    return dict(iter(rows))


def user_email(session: Session, user_id: UUID | None) -> str | None:
    """The e-mail address of a person, to fill in a form."""
    return session.exec(select(User.email).where(User.id == user_id)).one_or_none() if user_id else None


def alerts_of_flow(session: Session, scope: Scope, flow_id: UUID) -> list[Alert]:
    """The alerts that a flow opened and that may be seen."""
    visible = scope.condition(Alert.agency_id, Alert.customer_siren)
    return list(session.exec(select(Alert).where(Alert.flow_id == flow_id, visible)))


def quarantined(session: Session, scope: Scope, cursor: str | None) -> Page[Flow]:
    """The flows in quarantine that may be seen, the latest first. Raises InvalidCursorError."""
    statement = select(Flow).where(Flow.state == FlowState.QUARANTINED.value, _visible_flows(scope))
    order = (SortKey(col(Flow.submitted_at), datetime.fromisoformat), SortKey(col(Flow.id), UUID))
    return fetch_page(session, statement, order, cursor=cursor, descending=True)


def visible_flow(session: Session, scope: Scope, flow_id: UUID) -> Flow:
    """One flow. Raises FlowNotFoundError, also when it lies outside the scope."""
    found = session.exec(select(Flow).where(Flow.id == flow_id, _visible_flows(scope))).one_or_none()
    if found is None:
        raise FlowNotFoundError(str(flow_id))
    return found


def _visible_flows(scope: Scope) -> ColumnElement[bool]:
    """Of a flow in trouble often nothing is known, not even its customer: its agency alone decides."""
    return true() if scope.agencies is None else col(Flow.agency_id).in_(scope.agencies)


def _count(identifier: object, *conditions: ColumnElement[bool]) -> ColumnElement[int]:
    return select(func.count(identifier)).where(*conditions).scalar_subquery()  # type: ignore[arg-type]
