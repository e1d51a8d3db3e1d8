"""Refusals by the public portal (601) that are cured: told again, and accepted by silence. Their alerts close."""

from datetime import datetime
from uuid import UUID

from sqlmodel import Session

from gateway.alerts.repository import unsettled_subjects
from gateway.alerts.service import close_of_event
from gateway.collection.service import cancel_for_closed_alert
from gateway.flows.context import FlowsContext
from gateway.kernel.text import Text
from gateway.lifecycle.deliveries import cured_refusals, deliveries_of
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


def _is_cured(session: Session, event_id: UUID, invoice_id: UUID, now: datetime) -> bool:
    invoice = session.get_one(InvoiceRecord, invoice_id)
    return event_id in cured_refusals(deliveries_of(session, invoice, events_of(session, invoice), now).reporting)
