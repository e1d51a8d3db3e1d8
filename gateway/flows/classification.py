"""What a flow is, in the words of XP Z12-013, from what it holds and whose it is. Pure; data: `schemas/flows.toml`."""

from collections.abc import Iterable

from gateway.flows.errors import NotOurInvoiceError
from gateway.flows.terms import FlowProfile, FlowType, ProcessingRule
from gateway.invoices.model import Invoice
from gateway.invoices.parties import Party
from gateway.kernel.dated import data_file
from gateway.lifecycle.cdar.model import ROLE_PLATFORM, ROLE_PUBLIC_PORTAL, CdarMessage
from gateway.lifecycle.correlation import siren_of
from gateway.lifecycle.model import Direction

_PURCHASES = frozenset({FlowType.SUPPLIER_INVOICE.value, FlowType.SUPPLIER_INVOICE_LC.value})


def direction_of_invoice(invoice: Invoice, siren: str) -> Direction:
    """Ours to collect when we sell, ours to pay when we buy. Raises NotOurInvoiceError when we do neither."""
    if invoice.seller_siren == siren:
        return Direction.RECEIVABLE
    if invoice.buyer_siren == siren:
        return Direction.PAYABLE
    raise NotOurInvoiceError(siren, invoice.seller_siren, invoice.buyer_siren)


def is_issued_by(invoice: Invoice, siren: str) -> bool:
    """True when it is for that company to send the invoice: the buyer of a self-billed one, else the seller."""
    issuer = invoice.buyer if invoice.is_self_billed else invoice.seller
    return issuer.siren == siren


def direction_of_message(message: CdarMessage, siren: str, flow_type: str | None) -> Direction:
    """Whose invoice a status speaks of: a status from one of our suppliers concerns a purchase.

    The seller it names (MDT-129) decides; when it names none (allowed for a 501), the type the platform gave the flow.
    """
    sellers = {siren_of(document.seller) for document in message.documents} - {""}
    if sellers:
        return Direction.RECEIVABLE if siren in sellers else Direction.PAYABLE
    return Direction.PAYABLE if flow_type in _PURCHASES else Direction.RECEIVABLE


def is_ours_to_send(message: CdarMessage, siren: str) -> bool:
    """True when the status was set by the organisation itself (MDT-38): it has to reach the platform."""
    return siren_of(message.issuer) == siren


def is_said_by_another(message: CdarMessage, siren: str) -> bool:
    """True when a platform or another company set the status; not when the message hides who did (MDT-38, MDT-40)."""
    issuer = siren_of(message.issuer)
    by_platform = message.issuer is not None and message.issuer.role in (ROLE_PLATFORM, ROLE_PUBLIC_PORTAL)
    return issuer != siren if issuer else by_platform


def type_of_invoice(direction: Direction) -> FlowType:
    """Customer for sales, supplier for purchases."""
    return FlowType.CUSTOMER_INVOICE if direction is Direction.RECEIVABLE else FlowType.SUPPLIER_INVOICE


def is_for_portal(message: CdarMessage) -> bool:
    """True for the copy of a mandatory status that goes to the public portal."""
    return [party.role for party in message.recipients] == [ROLE_PUBLIC_PORTAL]


def type_of_message(direction: Direction, *, for_portal: bool = False) -> FlowType:
    """Customer for the statuses of sales, supplier for those of purchases; State for the copies to the portal."""
    if direction is Direction.RECEIVABLE:
        return FlowType.STATE_CUSTOMER_INVOICE_LC if for_portal else FlowType.CUSTOMER_INVOICE_LC
    return FlowType.STATE_SUPPLIER_INVOICE_LC if for_portal else FlowType.SUPPLIER_INVOICE_LC


def type_of_report_status(listed: str | None) -> FlowType:
    """That of a status of an e-reporting transmission: as the platform listed it, when it named one."""
    if listed == FlowType.STATE_PAYMENT_REPORT_LC:
        return FlowType.STATE_PAYMENT_REPORT_LC
    return FlowType.STATE_TRANSACTION_REPORT_LC


def profile_of(profile: str) -> FlowProfile:
    """The FlowProfile of the profile an invoice claims (BT-24); Undefined for those the reform does not name."""
    return FlowProfile(data_file("flows.toml")["profile"].get(profile, FlowProfile.UNDEFINED.value))


def processing_rule_of(invoice: Invoice) -> ProcessingRule:
    """The rule an invoice falls under, as far as the invoice itself tells.

    Its BAR note decides (BR-FR-20). Without one, a seller or a buyer established elsewhere makes it international, a
    buyer with a SIREN domestic, any other buyer is a consumer. The directory alone knows public buyers (B2G):
    see `preflight`.
    """
    data = data_file("flows.toml")
    for note in invoice.notes:
        if note.subject_code == "BAR" and note.text in data["processing_rule"]:
            return ProcessingRule(data["processing_rule"][note.text])
    if not invoice.seller_siren and _is_abroad(invoice.seller):
        return ProcessingRule.B2B_INT
    if invoice.buyer_siren:
        return ProcessingRule.B2B
    return ProcessingRule.B2B_INT if _is_abroad(invoice.buyer) or invoice.buyer.vat_id else ProcessingRule.B2C


def processing_rule_of_message(rules_of_invoices: Iterable[str | None]) -> ProcessingRule:
    """The rule of a status: that of the invoices it speaks of, when they agree; else none applies to it by itself."""
    known = {rule for rule in rules_of_invoices if rule}
    return ProcessingRule(known.pop()) if len(known) == 1 else ProcessingRule.NOT_APPLICABLE


def _is_abroad(party: Party) -> bool:
    country = party.address.country if party.address else None
    return country is not None and country not in data_file("flows.toml")["vat_territory"]["countries"]
