"""Whether a status of ours is owed to the public portal. Pure."""

from datetime import date

from gateway.flows.classification import processing_rule_of
from gateway.flows.terms import ProcessingRule
from gateway.invoices.model import Invoice
from gateway.lifecycle.statuses import status as status_of
from gateway.lifecycle.vat_point import vat_on_receipts_of


def owes_portal_copy(status: str, invoice: Invoice, on: date) -> bool:
    """True when the status set `on` a day is mandatory (210; 212 for VAT on receipts), between French businesses.

    When the invoice does not tell when its VAT is due, its receipts are told: silence does not prove that it was due on
    issue. Invoices to consumers and abroad have no lifecycle at the portal (DGFiP specification, flows 8 and 9).
    """
    known = status_of(status, on)
    if not known.to_ppf or processing_rule_of(invoice) is not ProcessingRule.B2B:
        return False
    return known.obligation == "mandatory" or vat_on_receipts_of(invoice) is not False
