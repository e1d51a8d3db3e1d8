"""The review of deadlines: invoices whose next look is due, batch by batch, each alone; then of what was agreed."""

from datetime import timedelta
from uuid import UUID

import structlog
from sqlmodel import Session

from gateway.alerts.deadline_facts import ReceiptsKnown, due_for_review, facts_of, no_receipts_known
from gateway.alerts.deadline_policy import Matter
from gateway.alerts.deadlines import InvoiceFacts
from gateway.alerts.model import Alert
from gateway.alerts.repository import unsettled_of_invoices
from gateway.alerts.service import review_deadlines
from gateway.collection.agreements.answers import disputes_known
from gateway.flows.agreeing import follow_money
from gateway.flows.consequences import follow_deadlines
from gateway.flows.context import FlowsContext
from gateway.jobs.queue import enqueue
from gateway.ledger.service import take_turn
from gateway.lifecycle.model import InvoiceRecord

DEADLINES_TASK = "alerts.deadlines"
_CONDITIONS = {matter.value for matter in Matter}
_log = structlog.get_logger(__name__)


def review_due_invoices(
    context: FlowsContext, organisation_id: UUID, receipts_known: ReceiptsKnown = no_receipts_known
) -> int:
    """Look at the deadlines that are due, at most one batch, and say how many invoices that were.

    A full batch asks for another run. `receipts_known` tells of money that came in by another way than a 212.
    """
    settings, now = context.settings, context.clock()
    with context.database.transaction(organisation_id) as session:
        take_turn(session)  # before any row: every writer comes in this order
        invoices = due_for_review(session, now, settings.batch_size)
        if not invoices:
            return 0
        failed = follow_money(session, context, invoices)  # it settles disputes, which deadlines wait for
        facts = facts_of(session, invoices, receipts_known, disputes_known)
        watched: dict[UUID | None, list[Alert]] = {}
        for alert in unsettled_of_invoices(session, _CONDITIONS, [each.id for each in invoices]):
            watched.setdefault(alert.invoice_id, []).append(alert)
        for invoice in invoices:
            _review(session, context, invoice, facts[invoice.id], watched.get(invoice.id, []))
        for invoice in failed:
            _look_again(session, context, invoice)
        if len(invoices) == settings.batch_size:
            enqueue(session, DEADLINES_TASK)
    return len(invoices)


def _review(
    session: Session, context: FlowsContext, invoice: InvoiceRecord, facts: InvoiceFacts, watched: list[Alert]
) -> None:
    """One invoice; a fault of ours is logged and tried again later, and keeps no other invoice waiting."""
    now = context.clock()
    try:
        with session.begin_nested():
            review = review_deadlines(session, invoice, facts, watched, now)
            follow_deadlines(session, review, context.settings, now)
    except Exception:
        _log.exception("deadline_review_failed", invoice=str(facts.key))
        _look_again(session, context, invoice)


def _look_again(session: Session, context: FlowsContext, invoice: InvoiceRecord) -> None:
    invoice.next_check_at = context.clock() + timedelta(seconds=context.settings.deadlines_seconds)
    session.add(invoice)
    session.flush()
