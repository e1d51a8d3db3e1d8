"""Keep promises, disputes and plans in step with what came in, and with the days that pass."""

from collections.abc import Callable, Sequence
from typing import TypeVar
from uuid import UUID

import structlog
from sqlmodel import Session

from gateway.collection.agreements.following import follow_customers, follow_invoices
from gateway.collection.agreements.naming import lines_to_look_at, looked_at
from gateway.collection.agreements.repository import customers_past_grace, customers_with_agreements
from gateway.flows.context import FlowsContext
from gateway.jobs.queue import enqueue
from gateway.kernel.clock import paris_date
from gateway.ledger.service import take_turn
from gateway.lifecycle.model import InvoiceRecord
from gateway.notifications.service import channels_of

_log = structlog.get_logger(__name__)
T = TypeVar("T")


def follow_money(session: Session, context: FlowsContext, invoices: Sequence[InvoiceRecord]) -> Sequence[InvoiceRecord]:
    """Something came for these receivables: look at their disputes, and at the promises and plans of their customers.

    The caller holds its turn on the ledger and the rows. What fails is logged; the invoices to look at again later.
    """
    now, channels = context.clock(), channels_of(context.settings)
    failed = _each_alone(session, invoices, lambda some: follow_invoices(session, some, now))
    customers = customers_with_agreements(session, [each.id for each in invoices])
    if _each_alone(session, customers, lambda some: follow_customers(session, some, channels, now)):
        return invoices
    return failed


def review_promises_and_plans(context: FlowsContext, organisation_id: UUID, task: str) -> int:
    """Judge the promises and plans whose days of grace have passed, and those about lines of the books that changed.

    At most one batch of each; says of how many customers. A full batch asks for another run of `task`.
    """
    now, limit = context.clock(), context.settings.batch_size
    with context.database.transaction(organisation_id) as session:
        if not customers_past_grace(session, paris_date(now), 1) and not lines_to_look_at(session, now, 1):
            return 0
        take_turn(session)  # before any row, and before reading what others may be writing
        late, changed = customers_past_grace(session, paris_date(now), limit), lines_to_look_at(session, now, limit)
        customers = sorted({*late, *customers_with_agreements(session, changed)})
        channels = channels_of(context.settings)
        failed = _each_alone(session, customers, lambda some: follow_customers(session, some, channels, now))
        if not failed:
            looked_at(session, changed)
            if limit in (len(late), len(changed)):
                enqueue(session, task)
        return len(customers)


def _each_alone(session: Session, what: Sequence[T], act: Callable[[Sequence[T]], None]) -> list[T]:
    """Act on all together; when a fault of ours fails that, on each alone, so that it keeps no other waiting.

    Returns those that failed.
    """
    if not what or _done(session, what, act):
        return []
    return [each for each in what if not _done(session, [each], act)]


def _done(session: Session, what: Sequence[T], act: Callable[[Sequence[T]], None]) -> bool:
    try:
        with session.begin_nested():
            act(what)
    except Exception:
        _log.exception("agreements_failed", count=len(what))
        return False
    return True
