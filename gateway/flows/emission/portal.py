"""Whether a status of ours is owed to the public portal. Pure; data: `schemas/flows.toml`."""

from gateway.flows.classification import processing_rule_of
from gateway.flows.terms import ProcessingRule
from gateway.invoices.model import Invoice
from gateway.kernel.dated import data_file
from gateway.lifecycle.statuses import status as status_of


def owes_portal_copy(status: str, invoice: Invoice) -> bool:
    """True when the status is mandatory (210; 212 for VAT on receipts) and the invoice is between French businesses.

    Invoices to consumers and abroad have no lifecycle at the portal (DGFiP specification, flows 8 and 9).
    """
    known = status_of(status)
    if not known.to_ppf or processing_rule_of(invoice) is not ProcessingRule.B2B:
        return False
    return known.obligation == "mandatory" or vat_is_due_on_receipt(invoice)


def vat_is_due_on_receipt(invoice: Invoice) -> bool:
    """True unless the invoice shows otherwise: an absent BT-8 does not prove that VAT was due when it was issued."""
    rules = data_file("flows.toml")["vat_on_receipts"]
    if not any(group.category in rules["taxed_categories"] for group in invoice.vat_breakdown):
        return False
    if invoice.tax_point_code in rules["point_on_receipt"]:
        return True
    if invoice.tax_point_code in rules["point_on_invoice"]:
        return False
    is_goods = (invoice.process or "").startswith(rules["goods"])
    return not is_goods or invoice.type_code in rules["advance_types"]
