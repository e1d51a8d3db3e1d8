"""Alerts of a rejected (213) or refused (210) invoice, settled by the invoice that replaces it under a new number."""

from datetime import datetime

from sqlmodel import Session

from gateway.access.scope import Scope
from gateway.alerts.conditions import conditions
from gateway.alerts.model import Alert
from gateway.alerts.repository import unsettled_of_invoices
from gateway.alerts.service import close_settled_key
from gateway.kernel.dated import data_file
from gateway.kernel.money import ZERO
from gateway.kernel.text import Text
from gateway.lifecycle.links import corrected_by_it, corrections_of
from gateway.lifecycle.model import Direction, InvoiceRecord
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
    return tuple(
        closed
        for alert in unsettled_of_invoices(session, _settled_by_replacement(), replaced)
        for closed in close_settled_key(session, alert.dedup_key, _because(invoice.number), now)
    )


def close_replaced_before(session: Session, alert: Alert, invoice: InvoiceRecord, now: datetime) -> tuple[Alert, ...]:
    """A status that comes late, after the invoice was replaced, calls for nothing any more: close what it opened."""
    if alert.condition not in _settled_by_replacement():
        return ()
    for each in corrections_of(session, Scope.everything(), invoice):
        stands_in = each.type_code is not None and replaces(each.type_code, invoice.type_code)
        if each.through == invoice.number and stands_in and (each.total_with_vat or ZERO) >= ZERO:
            return close_settled_key(session, alert.dedup_key, _because(each.number), now)
    return ()


def replaces(type_code: str, replaced_type: str | None) -> bool:
    """Whether an invoice (BT-3) that refers to another one takes its place: a corrected invoice does, and one of the
    same type; a final invoice that refers to its advance payment does not. Pure.
    """
    return type_code in data_file("alerts.toml")["corrective_types"] or type_code == replaced_type


def _settled_by_replacement() -> set[str]:
    return {each.id for each in conditions() if each.settled_by_replacement}


def _because(number: str) -> Text:
    return Text(f"Remplacée par la facture {number}.", f"Replaced by invoice {number}.")
