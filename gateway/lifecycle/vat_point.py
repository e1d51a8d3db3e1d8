"""Whether the VAT of an invoice is due when the money comes in. Pure; data: `schemas/lifecycle.toml`.

The public portal is owed the receipts (212) of such an invoice (DGFiP specification 2.3.2). Whoever asks gets this one
answer.
"""

from collections.abc import Iterable
from decimal import Decimal

from gateway.invoices.model import Invoice
from gateway.kernel.dated import data_file
from gateway.lifecycle.model import InvoiceRecord


def vat_on_receipts(
    *, tax_point_code: str | None, process: str | None, type_code: str, rates: Iterable[Decimal]
) -> bool | None:
    """True when VAT is due on receipt, False when it is not, None when the invoice does not tell.

    Args:
        tax_point_code: BT-8, which decides when it is there.
        process: BT-23 (BR-FR-08), whose first letter says what is sold. Services are due on receipt unless the seller
            opted for the debits, which BT-8 then tells (CGI 269-2 c); goods on delivery; a mix of both is not settled.
        type_code: BT-3; the VAT of an advance payment is due when it is paid, whatever is sold (CGI 269-2 a and c).
        rates: VAT rates of the invoice in percent (BT-119). When all are zero nothing can fall due: reverse charge,
            exemption, export. No rate at all tells nothing.
    """
    rules = data_file("lifecycle.toml")["vat_on_receipts"]
    charged = list(rates)
    if charged and not any(charged):
        return False
    if tax_point_code in rules["point_on_receipt"]:
        return True
    if tax_point_code in rules["point_on_invoice"]:
        return False
    if type_code in rules["advance_types"]:
        return True
    what_is_sold = (process or "")[:1]
    if what_is_sold in rules["services"]:
        return True
    return False if what_is_sold in rules["goods"] else None


def vat_on_receipts_of(invoice: InvoiceRecord | Invoice) -> bool | None:
    """`vat_on_receipts` of an invoice as followed, or as read from its file."""
    if isinstance(invoice, Invoice):
        rates = [group.rate for group in invoice.vat_breakdown if group.rate is not None]
    else:
        rates = [Decimal(rate) for rate in invoice.totals_by_rate]
    return vat_on_receipts(
        tax_point_code=invoice.tax_point_code, process=invoice.process, type_code=invoice.type_code, rates=rates
    )
