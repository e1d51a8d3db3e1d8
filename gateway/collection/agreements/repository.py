"""Queries of promises, disputes and plans. The database keeps organisations apart; a `Scope` narrows further."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, not_, true
from sqlmodel import Session, col, select

from gateway.access.scope import Scope
from gateway.collection.agreements.errors import DisputeNotFoundError, PlanNotFoundError, PromiseNotFoundError
from gateway.collection.agreements.model import (
    Dispute,
    Plan,
    PlanInstalment,
    PlanInvoice,
    Promise,
    PromiseInvoice,
)
from gateway.collection.agreements.naming import all_visible, named_by_plans, plans_about, promises_about
from gateway.collection.agreements.values import PlanState, PromiseState
from gateway.customers.model import CustomerInvoice
from gateway.database.paging import Page, SortKey, fetch_page
from gateway.lifecycle.model import InvoiceRecord
from gateway.lifecycle.repository import visible_invoices

_FAR = date.max
_PROMISES = (SortKey(col(Promise.due_on), date.fromisoformat), SortKey(col(Promise.id), UUID))
_PLANS = (SortKey(col(Plan.id), UUID),)
_DISPUTES = (
    SortKey(func.coalesce(Dispute.deadline, _FAR), date.fromisoformat),
    SortKey(col(Dispute.id), UUID),
)


class PromiseList(StrEnum):
    """Which promises are looked at."""

    #: Past their day, and something is missing.
    LATE = "late"
    #: For one of the next days, and something is missing.
    AT_RISK = "at_risk"
    OPEN = "open"
    OVER = "over"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class PromiseFilter:
    """What is looked for; `today` (Europe/Paris) and `at_risk_until` bound the late ones and those at risk."""

    today: date
    at_risk_until: date
    view: PromiseList = PromiseList.ALL
    customer_id: UUID | None = None
    invoice_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class DisputeFilter:
    """What is looked for; each attribute given narrows the list, `is_open` None takes both."""

    is_open: bool | None = True
    team: str = ""
    owner_id: UUID | None = None
    unowned: bool = False
    customer_id: UUID | None = None
    invoice_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class PlanFilter:
    """What is looked for; each attribute given narrows the list."""

    states: tuple[PlanState, ...] = ()
    customer_id: UUID | None = None
    invoice_id: UUID | None = None


def promises_page(
    session: Session, scope: Scope, wanted: PromiseFilter, *, cursor: str | None = None, limit: int = 50
) -> Page[Promise]:
    """The promises wanted, the nearest day first. Raises InvalidCursorError."""
    statement = select(Promise).where(_visible_promises(scope), _of_view(wanted))
    if wanted.customer_id is not None:
        statement = statement.where(Promise.customer_id == wanted.customer_id)
    if wanted.invoice_id is not None:
        statement = statement.where(col(Promise.id).in_(promises_about([wanted.invoice_id])))
    return fetch_page(session, statement, _PROMISES, cursor=cursor, limit=limit)


def plans_page(
    session: Session, scope: Scope, wanted: PlanFilter, *, cursor: str | None = None, limit: int = 50
) -> Page[Plan]:
    """The plans wanted. Raises InvalidCursorError."""
    statement = select(Plan).where(_visible_plans(scope))
    if wanted.states:
        statement = statement.where(col(Plan.state).in_([state.value for state in wanted.states]))
    if wanted.customer_id is not None:
        statement = statement.where(Plan.customer_id == wanted.customer_id)
    if wanted.invoice_id is not None:
        statement = statement.where(col(Plan.id).in_(plans_about([wanted.invoice_id])))
    return fetch_page(session, statement, _PLANS, cursor=cursor, limit=limit)


def disputes_page(
    session: Session, scope: Scope, wanted: DisputeFilter, *, cursor: str | None = None, limit: int = 50
) -> Page[Dispute]:
    """The disputes wanted, the nearest deadline first. Raises InvalidCursorError."""
    statement = select(Dispute).where(_visible_disputes(scope))
    if wanted.is_open is not None:
        statement = statement.where(col(Dispute.closed_on).is_(None) == wanted.is_open)
    if wanted.team:
        statement = statement.where(Dispute.team == wanted.team)
    if wanted.owner_id is not None:
        statement = statement.where(Dispute.owner_id == wanted.owner_id)
    if wanted.unowned:
        statement = statement.where(col(Dispute.owner_id).is_(None))
    if wanted.customer_id is not None:
        mine = select(CustomerInvoice.invoice_id).where(CustomerInvoice.customer_id == wanted.customer_id)
        statement = statement.where(col(Dispute.invoice_id).in_(mine))
    if wanted.invoice_id is not None:
        statement = statement.where(Dispute.invoice_id == wanted.invoice_id)
    return fetch_page(session, statement, _DISPUTES, cursor=cursor, limit=limit)


def promise_by_id(session: Session, scope: Scope, promise_id: UUID) -> Promise:
    """One promise as it is now. Raises PromiseNotFoundError, also outside the scope."""
    found = _one(session, select(Promise).where(Promise.id == promise_id, _visible_promises(scope)))
    if found is None:
        raise PromiseNotFoundError(promise_id)
    return found  # type: ignore[no-any-return]


def plan_by_id(session: Session, scope: Scope, plan_id: UUID) -> Plan:
    """One plan as it is now. Raises PlanNotFoundError, also outside the scope."""
    found = _one(session, select(Plan).where(Plan.id == plan_id, _visible_plans(scope)))
    if found is None:
        raise PlanNotFoundError(plan_id)
    return found  # type: ignore[no-any-return]


def dispute_by_id(session: Session, scope: Scope, dispute_id: UUID) -> Dispute:
    """One dispute as it is now. Raises DisputeNotFoundError, also outside the scope."""
    found = _one(session, select(Dispute).where(Dispute.id == dispute_id, _visible_disputes(scope)))
    if found is None:
        raise DisputeNotFoundError(dispute_id)
    return found  # type: ignore[no-any-return]


def promises_of(session: Session, customer_ids: Collection[UUID]) -> list[Promise]:
    """Every promise of these customers, the oldest first."""
    return list(
        session.exec(
            select(Promise)
            .where(col(Promise.customer_id) == func.any(list(customer_ids)))
            .order_by(col(Promise.made_at), col(Promise.id))
            .execution_options(populate_existing=True)
        )
    )


def plans_of(session: Session, customer_ids: Collection[UUID]) -> list[Plan]:
    """Every plan of these customers, the oldest first."""
    return list(
        session.exec(
            select(Plan)
            .where(col(Plan.customer_id) == func.any(list(customer_ids)))
            .order_by(col(Plan.made_at), col(Plan.id))
            .execution_options(populate_existing=True)
        )
    )


def disputes_of_customers(session: Session, customer_ids: Collection[UUID]) -> list[tuple[UUID, Dispute]]:
    """Every dispute about invoices of these customers with its customer, the oldest first."""
    rows = session.exec(
        select(CustomerInvoice.customer_id, Dispute)
        .join(Dispute, col(Dispute.invoice_id) == CustomerInvoice.invoice_id)
        .where(col(CustomerInvoice.customer_id) == func.any(list(customer_ids)))
        .order_by(col(Dispute.since), col(Dispute.id))
        .execution_options(populate_existing=True)
    )
    return [(customer_id, dispute) for customer_id, dispute in rows]


def disputes_of(session: Session, invoice_ids: Collection[UUID]) -> dict[UUID, list[Dispute]]:
    """Every dispute about these invoices, the oldest first."""
    rows = session.exec(
        select(Dispute)
        .where(col(Dispute.invoice_id) == func.any(list(invoice_ids)))
        .order_by(col(Dispute.since), col(Dispute.id))
        .execution_options(populate_existing=True)
    )
    return _by(rows, "invoice_id")


def instalments_of(session: Session, plan_ids: Iterable[UUID]) -> dict[UUID, list[PlanInstalment]]:
    """The instalments of each plan, in the order of their days."""
    rows = session.exec(
        select(PlanInstalment)
        .where(col(PlanInstalment.plan_id) == func.any(list(plan_ids)))
        .order_by(col(PlanInstalment.position))
        .execution_options(populate_existing=True)
    )
    return _by(rows, "plan_id")


def running_plans_of(session: Session, item_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """The plan, neither done nor cancelled, that each of these invoices and lines of the books is in."""
    running = (PlanState.ACTIVE.value, PlanState.BROKEN.value)
    plan_ids = session.exec(
        select(Plan.id).where(col(Plan.id).in_(plans_about(item_ids)), col(Plan.state).in_(running))
    )
    named = named_by_plans(session, plan_ids)
    return {
        each.item_id: plan_id for plan_id, about in named.items() for each in about if each.item_id in set(item_ids)
    }


def customers_with_agreements(session: Session, item_ids: Collection[UUID]) -> list[UUID]:
    """The customers who promised to pay some of these invoices and lines of the books, or pay them by instalments."""
    promised = select(Promise.customer_id).where(
        col(Promise.id).in_(promises_about(item_ids)), Promise.state != PromiseState.CANCELLED.value
    )
    planned = select(Plan.customer_id).where(
        col(Plan.id).in_(plans_about(item_ids)), Plan.state != PlanState.CANCELLED.value
    )
    return sorted(session.execute(promised.union(planned)).scalars())


def customers_past_grace(session: Session, today: date, limit: int) -> list[UUID]:
    """Customers with an open promise or a running plan whose days of grace have passed without the money."""
    promised = select(Promise.customer_id).where(
        Promise.state == PromiseState.OPEN.value, col(Promise.grace_until) < today
    )
    planned = (
        select(Plan.customer_id)
        .join(PlanInstalment, col(PlanInstalment.plan_id) == Plan.id)
        .where(
            Plan.state == PlanState.ACTIVE.value,
            col(PlanInstalment.paid) < PlanInstalment.amount,
            col(PlanInstalment.grace_until) < today,
        )
    )
    return sorted(session.execute(promised.union(planned).limit(limit)).scalars())


def _of_view(wanted: PromiseFilter) -> ColumnElement[bool]:
    missing, due = col(Promise.awaited) > 0, col(Promise.due_on)
    is_open = col(Promise.state) == PromiseState.OPEN.value
    match wanted.view:
        case PromiseList.LATE:
            return and_(missing, due < wanted.today)
        case PromiseList.AT_RISK:
            return and_(missing, is_open, due.between(wanted.today, wanted.at_risk_until))
        case PromiseList.OPEN:
            return is_open
        case PromiseList.OVER:
            return not_(is_open)
        case PromiseList.ALL:
            return true()


def _visible_disputes(scope: Scope) -> ColumnElement[bool]:
    if scope.is_everything:
        return true()
    return col(Dispute.invoice_id).in_(select(InvoiceRecord.id).where(visible_invoices(scope)))


def _visible_promises(scope: Scope) -> ColumnElement[bool]:
    """Those all of whose invoices may be seen: the amount tells of every one of them."""
    if scope.is_everything:
        return true()
    mine = col(PromiseInvoice.promise_id) == Promise.id
    return all_visible(scope, PromiseInvoice, mine, col(Promise.customer_id))


def _visible_plans(scope: Scope) -> ColumnElement[bool]:
    """The same of plans."""
    if scope.is_everything:
        return true()
    mine = col(PlanInvoice.plan_id) == Plan.id
    return all_visible(scope, PlanInvoice, mine, col(Plan.customer_id))


def _one(session: Session, statement: Any) -> Any:
    return session.exec(statement.execution_options(populate_existing=True)).one_or_none()


def _by(rows: Iterable[Any], name: str) -> dict[UUID, list[Any]]:
    found: dict[UUID, list[Any]] = {}
    for row in rows:
        found.setdefault(getattr(row, name), []).append(row)
    return found
