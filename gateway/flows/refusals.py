"""Refusals by the public portal (601): those that wait for a person, those that are cured and whose alerts close."""

from datetime import datetime
from uuid import UUID

from sqlmodel import Session

from gateway.alerts.repository import unsettled_subjects
from gateway.alerts.service import close_of_event
from gateway.collection.service import cancel_for_closed_alert
from gateway.flows.context import FlowsContext
from gateway.kernel.text import Text
from gateway.lifecycle.deliveries import Report, cured_refusals, deliveries_of
from gateway.lifecycle.model import InvoiceRecord
from gateway.lifecycle.repository import events_of

_CONDITION = "reporting.status_rejected"
_CURED = Text(
    "Le statut a été transmis de nouveau au portail public, qui ne l’a plus refusé dans le délai.",
    "The status was told to the public portal again, and the portal has not refused it in time.",
)


def close_cured_refusals(context: FlowsContext, organisation_id: UUID) -> int:
    """Close the alerts of refusals that are cured now, and say how many.

    No event tells the silence of the portal: the open alerts of refusals, few at any time, are looked at by the clock.
    They are read before the turn on the ledger, for which other writers wait.
    """
    now = context.clock()
    with context.database.transaction(organisation_id) as session:
        refused = unsettled_subjects(session, _CONDITION)
        cured = [event_id for event_id, invoice_id in refused if _is_cured(session, event_id, invoice_id, now)]
        closed = [alert for event_id in cured for alert in close_of_event(session, event_id, _CURED, now)]
        for alert in closed:
            cancel_for_closed_alert(session, alert, now)
    return len(closed)


def refused_reports(session: Session, now: datetime) -> list[Report]:
    """The reports that the portal refused, that may be told it again and were not: those of open alerts."""
    invoices = dict.fromkeys(invoice_id for _, invoice_id in unsettled_subjects(session, _CONDITION))
    reports = (each for invoice_id in invoices for each in _reports(session, invoice_id, now))
    return [each for each in reports if each.answers and each.may_be_resent]


def _is_cured(session: Session, event_id: UUID, invoice_id: UUID, now: datetime) -> bool:
    return event_id in cured_refusals(_reports(session, invoice_id, now))


def _reports(session: Session, invoice_id: UUID, now: datetime) -> tuple[Report, ...]:
    invoice = session.get_one(InvoiceRecord, invoice_id)
    return deliveries_of(session, invoice, events_of(session, invoice), now).reporting
