"""What the deadlines of invoices depend on, read from the database for many invoices at once."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from gateway.alerts.deadlines import Disputes, InvoiceFacts, Receipt, Unsent
from gateway.jobs.model import OutboxMessage, OutboxState
from gateway.kernel.clock import paris_date
from gateway.lifecycle.correlation import InvoiceKey
from gateway.lifecycle.deliveries import PLATFORM_FLOW, is_sent_again
from gateway.lifecycle.model import Direction, InvoiceRecord, LifecycleEvent
from gateway.lifecycle.records import key_of_invoice
from gateway.lifecycle.statuses import ever_mandatory, status
from gateway.lifecycle.vat_point import vat_on_receipts_of

#: What is known of money that came in, by invoice; an invoice left out is one of which nothing is known. Whoever learns
#: of a payment also sets `InvoiceRecord.next_check_at`, so that the invoice is looked at.
ReceiptsKnown = Callable[[Session, Sequence[InvoiceRecord]], Mapping[UUID, Receipt]]
#: What was made of disputes, by invoice; one left out has none. Whoever opens or settles one sets `next_check_at`, too.
DisputesKnown = Callable[[Session, Sequence[InvoiceRecord]], Mapping[UUID, Disputes]]

_GIVEN_UP = (OutboxState.FAILED, OutboxState.AMBIGUOUS)


def no_receipts_known(_session: Session, _invoices: Sequence[InvoiceRecord]) -> Mapping[UUID, Receipt]:
    """Nothing but the statuses tells of payments."""
    return {}


def no_disputes_known(_session: Session, _invoices: Sequence[InvoiceRecord]) -> Mapping[UUID, Disputes]:
    """Nothing but the statuses tells of disputes."""
    return {}


def due_for_review(session: Session, now: datetime, limit: int) -> list[InvoiceRecord]:
    """The invoices whose deadlines are to be looked at, the longest due first, kept from other writers."""
    return list(
        session.exec(
            select(InvoiceRecord)
            .where(col(InvoiceRecord.next_check_at) <= now)
            .order_by(col(InvoiceRecord.next_check_at))
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
    )


def facts_of(
    session: Session,
    invoices: Sequence[InvoiceRecord],
    receipts_known: ReceiptsKnown,
    disputes_known: DisputesKnown = no_disputes_known,
) -> dict[UUID, InvoiceFacts]:
    """The facts of each invoice, in a fixed number of queries whatever their number."""
    statuses = _mandatory_statuses(session, invoices)
    flow_ids = [each.flow_id for each in invoices] + [each.flow_id for each in statuses]
    messages = _outgoing(session, flow_ids)
    receipts, disputes = receipts_known(session, invoices), disputes_known(session, invoices)
    by_key: dict[InvoiceKey, list[Unsent]] = {}
    for event in statuses:
        waiting = [_unsent(each, event) for each in messages.get(event.flow_id, ()) if not _is_sent(each)]
        by_key.setdefault(InvoiceKey(event.number, event.seller_siren, event.year), []).extend(waiting)
    facts = {}
    for invoice in invoices:
        own = messages.get(invoice.flow_id, ())
        key = key_of_invoice(invoice)
        facts[invoice.id] = InvoiceFacts(
            key=key,
            currency=invoice.currency,
            amount_due=invoice.amount_due,
            issue_date=invoice.issue_date,
            due_date=invoice.due_date,
            vat_on_receipts=vat_on_receipts_of(invoice),
            sent_at=min((each.sent_at for each in own if each.sent_at), default=None),
            unsent=(*(_unsent(each) for each in own if not _is_sent(each)), *by_key.get(key, ())),
            receipt=receipts.get(invoice.id),
            disputes=disputes.get(invoice.id, Disputes()),
            is_credit_note=invoice.is_credit_note,
        )
    return facts


def _mandatory_statuses(session: Session, invoices: Sequence[InvoiceRecord]) -> Sequence[LifecycleEvent]:
    """The events of these invoices that came in a flow, and whose status was mandatory on its day."""
    told = session.exec(
        select(LifecycleEvent).where(
            LifecycleEvent.direction == Direction.RECEIVABLE.value,
            col(LifecycleEvent.number).in_({each.number for each in invoices}),
            col(LifecycleEvent.status).in_(ever_mandatory()),
            col(LifecycleEvent.flow_id).is_not(None),
        )
    )
    return [each for each in told if status(each.status, paris_date(each.status_at)).mandatory]


def _outgoing(session: Session, flow_ids: Sequence[UUID | None]) -> dict[UUID | None, list[OutboxMessage]]:
    """What was to be sent, by the flow it carries."""
    known = {each for each in flow_ids if each is not None}
    mine = (OutboxMessage.kind == PLATFORM_FLOW, col(OutboxMessage.subject_id).in_(known))
    found = session.exec(select(OutboxMessage).where(*mine)).all()
    by_flow: dict[UUID | None, list[OutboxMessage]] = {}
    for each in found:
        by_flow.setdefault(each.subject_id, []).append(each)
    return by_flow


def _is_sent(message: OutboxMessage) -> bool:
    return message.state == OutboxState.SENT


def _unsent(message: OutboxMessage, event: LifecycleEvent | None = None) -> Unsent:
    """What waits to leave, since when: a status since its own date, what was refused and is sent again since that."""
    given_up = message.state in _GIVEN_UP
    if event is None:
        return Unsent(message.created_at, given_up)
    since = message.created_at if is_sent_again(message) else event.status_at
    return Unsent(since, given_up, event.status, event.fingerprint)
