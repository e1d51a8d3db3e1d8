"""Alerts of a rejected (213) or refused (210) invoice, settled by the invoice that replaces it under a new number."""

from datetime import datetime

from sqlmodel import Session

from gateway.access.scope import Scope
from gateway.alerts.conditions import conditions
from gateway.alerts.model import Alert
from gateway.alerts.repository import unsettled_of_invoices
from gateway.alerts.service import close_settled_key
from gateway.kernel.dated import data_file
from gateway.kernel.text import Text
from gateway.lifecycle.links import corrected_by_it
from gateway.lifecycle.model import Direction
from gateway.lifecycle.service import Registration, RegistrationOutcome


def close_replaced(session: Session, registration: Registration, now: datetime) -> tuple[Alert, ...]:
    """A new invoice of ours replaces those that it refers to (BT-25): close what called for a new one.

    A credit note replaces nothing: what it credits may still have to be issued again.
    """
    invoice = registration.invoice
    created = registration.outcome is RegistrationOutcome.CREATED
    if not (created and registration.refers_to) or invoice.direction != Direction.RECEIVABLE or invoice.amount_due < 0:
        return ()
    replaced = [
        each.invoice_id
        for each in corrected_by_it(session, Scope.everything(), invoice)
        if each.through == invoice.number and each.invoice_id and replaces(invoice.type_code, each.type_code)
    ]
    settled = {each.id for each in conditions() if each.settled_by_replacement}
    because = Text(f"Remplacée par la facture {invoice.number}.", f"Replaced by invoice {invoice.number}.")
    return tuple(
        closed
        for alert in unsettled_of_invoices(session, settled, replaced)
        for closed in close_settled_key(session, alert.dedup_key, because, now)
    )


def replaces(type_code: str, replaced_type: str | None) -> bool:
    """Whether an invoice (BT-3) that refers to another one takes its place: a corrected invoice does, and one of the
    same type; a final invoice that refers to its advance payment does not. Pure.
    """
    return type_code in data_file("alerts.toml")["corrective_types"] or type_code == replaced_type
