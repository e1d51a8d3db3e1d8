"""What became of a flow, in one piece for people: its report, its acknowledgement, the invoice, the alerts."""

from dataclasses import dataclass
from uuid import UUID

from sqlmodel import Session, col, or_, select

from gateway.alerts.model import Alert, AlertState
from gateway.flows.model import Flow, FlowState
from gateway.flows.repository import flow_by_id
from gateway.lifecycle.model import InvoiceRecord, LifecycleEvent
from gateway.validation.report import Report


@dataclass(frozen=True, slots=True)
class Outcome:
    """A flow and what came of it.

    Attributes:
        report: the validation report; None while the flow waits.
        invoices: those the flow brought, or that its statuses speak of.
        numbers: invoice numbers (BT-1) the flow speaks of, of unknown invoices too.
        alerts: those the flow opened and that are not closed.
    """

    flow: Flow
    report: Report | None
    invoices: tuple[InvoiceRecord, ...]
    numbers: tuple[str, ...]
    alerts: tuple[Alert, ...]

    @property
    def is_pending(self) -> bool:
        """True while the flow waits to be processed."""
        return self.flow.state == FlowState.RECEIVED.value


def outcome_of(session: Session, flow_id: UUID) -> Outcome:
    """The outcome of a flow as of now. Raises FlowNotFoundError."""
    flow = flow_by_id(session, flow_id)
    session.refresh(flow)
    events = session.exec(select(LifecycleEvent).where(LifecycleEvent.flow_id == flow_id)).all()
    # The same file may have come by another way before: its invoice is known by its document.
    mine = [col(InvoiceRecord.flow_id) == flow_id, col(InvoiceRecord.document_sha256) == flow.document_sha256]
    mine += [
        (col(InvoiceRecord.number) == event.number)
        & (col(InvoiceRecord.seller_siren) == event.seller_siren)
        & (col(InvoiceRecord.year) == event.year)
        & (col(InvoiceRecord.direction) == event.direction)
        for event in events
    ]
    invoices = tuple(session.exec(select(InvoiceRecord).where(or_(*mine)).order_by(InvoiceRecord.number)))
    alerts = session.exec(
        select(Alert)
        .where(Alert.flow_id == flow_id, Alert.state != AlertState.CLOSED.value)
        .order_by(col(Alert.opened_at), col(Alert.id))
    )
    return Outcome(
        flow=flow,
        report=None if flow.report is None else Report.from_data(flow.report),
        invoices=invoices,
        numbers=tuple(dict.fromkeys([*(invoice.number for invoice in invoices), *(event.number for event in events)])),
        alerts=tuple(alerts),
    )
