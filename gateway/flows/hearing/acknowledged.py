"""Keep what platforms say of the flows that we handed over, beside their deliveries; tell people of a refusal."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy import or_
from sqlmodel import Session, col, select

from gateway.alerts.refused_deliveries import RefusedDelivery
from gateway.flows.announcing import announce_answer
from gateway.flows.consequences import follow_accepted_delivery, follow_refused_delivery
from gateway.flows.context import FlowsContext
from gateway.flows.hearing.answers import delivery_of, news
from gateway.flows.metrics import ACKNOWLEDGEMENTS
from gateway.flows.platforms.client import PlatformFlow
from gateway.flows.reports.service import report_of_flow
from gateway.flows.terms import AckStatus
from gateway.jobs.model import OutboxMessage
from gateway.ledger.service import append_all, take_turn
from gateway.lifecycle.deliveries import PLATFORM_FLOW, KeptAnswer
from gateway.lifecycle.model import Direction, InvoiceRecord, LifecycleEvent
from gateway.lifecycle.records import key_of_event
from gateway.lifecycle.repository import invoice_of_key
from gateway.lifecycle.statuses import status

_log = structlog.get_logger(__name__)


def keep_answers(
    session: Session, platform: str, flows: Sequence[PlatformFlow], context: FlowsContext
) -> datetime | None:
    """Keep the acknowledgements that are new; the oldest updatedAt of those that could not be kept now, None if none.

    A delivery whose row another process holds is passed over, never waited for: it may be leaving at this moment.
    """
    meant = _meant(session, platform, flows)
    if not meant:
        return None
    take_turn(session)
    held = session.exec(
        select(OutboxMessage)
        .where(col(OutboxMessage.id).in_(meant))
        .order_by(col(OutboxMessage.id))
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).all()
    kept = [(message, answer) for message in held if (answer := _answer(message, meant[message.id])) is not None]
    for message, answer in kept:
        message.answer = answer.model_dump(mode="json")
        session.add(message)
        ACKNOWLEDGEMENTS.labels(platform, answer.status).inc()
    _tell_ledger(session, kept, context.clock())
    for message, answer in kept:
        announce_answer(session, message, answer, context.clock())
        _follow(session, message, answer, context)
    left = meant.keys() - {message.id for message in held}
    return min((meant[delivery_id].updated_at for delivery_id in left), default=None)


def _meant(session: Session, platform: str, flows: Sequence[PlatformFlow]) -> dict[UUID, PlatformFlow]:
    """The flows that say something new of a delivery of ours, by its identifier. No row is locked."""
    if not flows:
        return {}
    messages = session.exec(
        select(OutboxMessage).where(
            OutboxMessage.kind == PLATFORM_FLOW,
            or_(
                col(OutboxMessage.remote_id).in_([flow.flow_id for flow in flows]),
                col(OutboxMessage.idempotency_key).in_([flow.tracking_id for flow in flows if flow.tracking_id]),
            ),
        )
    ).all()
    meant = {}
    for flow in flows:
        message = delivery_of(flow, platform, messages)
        if message is None:
            _log.debug("platform_flow_of_another_program", platform=platform, flow_id=flow.flow_id)
        elif _answer(message, flow) is not None:
            meant[message.id] = flow
    return meant


def _answer(message: OutboxMessage, flow: PlatformFlow) -> KeptAnswer | None:
    if flow.acknowledgement is None:
        return None
    kept = KeptAnswer.model_validate(message.answer) if message.answer else None
    return news(kept, flow.acknowledgement, flow.updated_at)


def _tell_ledger(session: Session, kept: Sequence[tuple[OutboxMessage, KeptAnswer]], now: datetime) -> None:
    for kind, refused in (("delivery.acknowledged", False), ("delivery.refused", True)):
        facts = [
            (
                f"delivery:{message.id}",
                {
                    "platform": message.payload["platform"],
                    "key": message.idempotency_key,
                    "remote_id": message.remote_id,
                    "status": answer.status,
                    "reasons": [remark.reason_code for remark in answer.remarks],
                },
            )
            for message, answer in kept
            if (answer.status == AckStatus.ERROR) is refused
        ]
        if facts:
            append_all(session, at=now, kind=kind, facts=facts)


def _follow(session: Session, message: OutboxMessage, answer: KeptAnswer, context: FlowsContext) -> None:
    now = context.clock()
    if answer.status != AckStatus.ERROR:
        follow_accepted_delivery(session, message.id, now)
        return
    code, invoice = _told_by(session, message.subject_id) if message.subject_id else (None, None)
    report = report_of_flow(session, message.subject_id) if message.subject_id else None
    refused = RefusedDelivery(
        delivery_id=message.id,
        platform=message.payload["platform"],
        name=message.payload["name"],
        remarks=answer.remarks,
        status=status(code) if code else None,
        invoice=invoice,
        report=report.number if report else None,
    )
    follow_refused_delivery(session, refused, context.settings, now)


def _told_by(session: Session, flow_id: UUID) -> tuple[str | None, InvoiceRecord | None]:
    """The status that a flow of ours tells, None for an invoice, and the invoice that it brought or speaks of."""
    invoice = session.exec(select(InvoiceRecord).where(InvoiceRecord.flow_id == flow_id)).first()
    if invoice is not None:
        return None, invoice
    event = session.exec(select(LifecycleEvent).where(LifecycleEvent.flow_id == flow_id)).first()
    if event is None:
        return None, None
    return event.status, invoice_of_key(session, Direction(event.direction), key_of_event(event))
