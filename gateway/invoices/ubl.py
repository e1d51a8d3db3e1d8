"""Reads UBL 2.1 Invoice and CreditNote (syntax binding CEN/TS 16931-3-2)."""

import re
from collections.abc import Callable
from typing import Any

from lxml import etree

from gateway.invoices.attachments import read_attachments
from gateway.invoices.dialects import CREDIT_NOTE_ROOT, INVOICE_ROOT, UBL, text_of
from gateway.invoices.limits import ReadingLimits
from gateway.invoices.mapping import PartReader, Where, identifier_of, number_of
from gateway.invoices.model import (
    AllowanceCharge,
    Attachment,
    CreditTransfer,
    DirectDebit,
    DocumentAllowance,
    DocumentCharge,
    Invoice,
    InvoicingPeriod,
    Item,
    ItemAttribute,
    Line,
    LineAllowance,
    LineCharge,
    LinePeriod,
    Note,
    PaymentCard,
    PaymentMeans,
    PrecedingInvoice,
    Price,
    Totals,
    VatBreakdown,
)
from gateway.invoices.payment import complete_payment_means
from gateway.invoices.terms import Identifier
from gateway.invoices.ubl_parties import BUYER, DELIVERY, PAYEE, SELLER, TAX_REPRESENTATIVE, sepa_creditor

#: UNTDID 1001 codes that tell document references apart.
INVOICED_OBJECT, PROJECT = "130", "50"
_NOTE = re.compile(r"#([A-Z0-9]{3})#\s*(.*)", re.DOTALL)


def _note(element: etree._Element) -> Note | None:
    """BG-1: UBL has no place for the subject code, which stands before the text between number signs (#PMT#…)."""
    text = text_of(element)
    if text is None:
        return None
    coded = _NOTE.fullmatch(text)
    return Note(subject_code=coded.group(1), text=coded.group(2)) if coded else Note(text=text)


def _is_charge(element: etree._Element) -> bool:
    return UBL.text_at(element, "cbc:ChargeIndicator") in {"true", "1"}


def _only(
    condition: Callable[[etree._Element], bool], read: Callable[[etree._Element], Any], wanted: bool = True
) -> Callable[[etree._Element], Any]:
    """Reads the elements for which `condition` is `wanted`, passes over the others."""
    return lambda element: read(element) if condition(element) is wanted else None


def _document_type(element: etree._Element) -> str | None:
    return UBL.text_at(element, "cbc:DocumentTypeCode")


def _reference_of_type(code: str) -> Callable[[etree._Element], Identifier | None]:
    def read(element: etree._Element) -> Identifier | None:
        found = UBL.find(element, "cbc:ID")
        return identifier_of(found) if found is not None and _document_type(element) == code else None

    return read


def _project(element: etree._Element) -> str | None:
    """BT-11 in a credit note, which has no ProjectReference."""
    return UBL.text_at(element, "cbc:ID") if _document_type(element) == PROJECT else None


_PAYMENT_MEANS = PartReader(
    PaymentMeans,
    UBL,
    {
        "code": "cbc:PaymentMeansCode",
        "text": "cbc:PaymentMeansCode/@name",
        "remittance": "cbc:PaymentID",
        "credit_transfer": (
            "cac:PayeeFinancialAccount",
            PartReader(
                CreditTransfer,
                UBL,
                {"account": "cbc:ID", "name": "cbc:Name", "bank": "cac:FinancialInstitutionBranch/cbc:ID"},
            ),
        ),
        "card": (
            "cac:CardAccount",
            PartReader(PaymentCard, UBL, {"number": "cbc:PrimaryAccountNumberID", "holder": "cbc:HolderName"}),
        ),
        "direct_debit": (
            "cac:PaymentMandate",
            PartReader(DirectDebit, UBL, {"mandate": "cbc:ID", "debited_account": "cac:PayerFinancialAccount/cbc:ID"}),
        ),
    },
)
_ALLOWANCE_CHARGE: dict[str, Where] = {
    "amount": "cbc:Amount",
    "base_amount": "cbc:BaseAmount",
    "percentage": "cbc:MultiplierFactorNumeric",
    "reason": "cbc:AllowanceChargeReason",
    "reason_code": "cbc:AllowanceChargeReasonCode",
}
_DOCUMENT_ALLOWANCE_CHARGE: dict[str, Where] = {
    **_ALLOWANCE_CHARGE,
    "vat_category": "cac:TaxCategory/cbc:ID",
    "vat_rate": "cac:TaxCategory/cbc:Percent",
}


def _allowances_charges(
    allowance: type[AllowanceCharge], charge: type[AllowanceCharge], table: dict[str, Where]
) -> dict[str, Where]:
    path = "cac:AllowanceCharge"
    return {
        "allowances": (path, _only(_is_charge, PartReader(allowance, UBL, table), wanted=False)),
        "charges": (path, _only(_is_charge, PartReader(charge, UBL, table))),
    }


_TOTALS = PartReader(
    Totals,
    UBL,
    {
        "lines": "cbc:LineExtensionAmount",
        "allowances": "cbc:AllowanceTotalAmount",
        "charges": "cbc:ChargeTotalAmount",
        "without_vat": "cbc:TaxExclusiveAmount",
        "with_vat": "cbc:TaxInclusiveAmount",
        "paid": "cbc:PrepaidAmount",
        "rounding": "cbc:PayableRoundingAmount",
        "due": "cbc:PayableAmount",
    },
)
_VAT_BREAKDOWN = PartReader(
    VatBreakdown,
    UBL,
    {
        "taxable_amount": "cbc:TaxableAmount",
        "tax_amount": "cbc:TaxAmount",
        "category": "cac:TaxCategory/cbc:ID",
        "rate": "cac:TaxCategory/cbc:Percent",
        "exemption_reason": "cac:TaxCategory/cbc:TaxExemptionReason",
        "exemption_code": "cac:TaxCategory/cbc:TaxExemptionReasonCode",
    },
)
_ATTACHMENT = PartReader(
    Attachment,
    UBL,
    {
        "reference": "cbc:ID",
        "description": "cbc:DocumentDescription",
        "location": "cac:Attachment/cac:ExternalReference/cbc:URI",
        "media_type": "cac:Attachment/cbc:EmbeddedDocumentBinaryObject/@mimeCode",
        "file_name": "cac:Attachment/cbc:EmbeddedDocumentBinaryObject/@filename",
    },
)
_PERIOD = {"start": "cbc:StartDate", "end": "cbc:EndDate"}
_ITEM = PartReader(
    Item,
    UBL,
    {
        "name": "cbc:Name",
        "description": "cbc:Description",
        "seller_id": "cac:SellersItemIdentification/cbc:ID",
        "buyer_id": "cac:BuyersItemIdentification/cbc:ID",
        "standard_id": "cac:StandardItemIdentification/cbc:ID",
        "classifications": "cac:CommodityClassification/cbc:ItemClassificationCode",
        "origin": "cac:OriginCountry/cbc:IdentificationCode",
        "attributes": (
            "cac:AdditionalItemProperty",
            PartReader(ItemAttribute, UBL, {"name": "cbc:Name", "value": "cbc:Value"}),
        ),
    },
)
_PRICE = PartReader(
    Price,
    UBL,
    {
        "net": "cbc:PriceAmount",
        "discount": "cac:AllowanceCharge/cbc:Amount",
        "gross": "cac:AllowanceCharge/cbc:BaseAmount",
        "base_quantity": "cbc:BaseQuantity",
        "base_unit": "cbc:BaseQuantity/@unitCode",
    },
)


def _line(quantity: str) -> PartReader[Line]:
    return PartReader(
        Line,
        UBL,
        {
            "id": "cbc:ID",
            "note": "cbc:Note",
            "invoiced_object": ("cac:DocumentReference", _reference_of_type(INVOICED_OBJECT)),
            "quantity": quantity,
            "unit": f"{quantity}/@unitCode",
            "net_amount": "cbc:LineExtensionAmount",
            "order_line_reference": "cac:OrderLineReference/cbc:LineID",
            "buyer_accounting_reference": "cbc:AccountingCost",
            "period": ("cac:InvoicePeriod", PartReader(LinePeriod, UBL, _PERIOD)),
            **_allowances_charges(LineAllowance, LineCharge, _ALLOWANCE_CHARGE),
            "price": ("cac:Price", _PRICE),
            "vat_category": "cac:Item/cac:ClassifiedTaxCategory/cbc:ID",
            "vat_rate": "cac:Item/cac:ClassifiedTaxCategory/cbc:Percent",
            "item": ("cac:Item", _ITEM),
        },
    )


_PRECEDING = PartReader(PrecedingInvoice, UBL, {"number": "cbc:ID", "issue_date": "cbc:IssueDate"})
_BOTH: dict[str, Where] = {
    "number": "cbc:ID",
    "issue_date": "cbc:IssueDate",
    "currency": "cbc:DocumentCurrencyCode",
    "vat_accounting_currency": "cbc:TaxCurrencyCode",
    "tax_point_date": "cbc:TaxPointDate",
    "tax_point_code": "cac:InvoicePeriod/cbc:DescriptionCode",
    "buyer_reference": "cbc:BuyerReference",
    "contract_reference": "cac:ContractDocumentReference/cbc:ID",
    "purchase_order_reference": "cac:OrderReference/cbc:ID",
    "sales_order_reference": "cac:OrderReference/cbc:SalesOrderID",
    "receiving_advice_reference": "cac:ReceiptDocumentReference/cbc:ID",
    "despatch_advice_reference": "cac:DespatchDocumentReference/cbc:ID",
    "tender_reference": "cac:OriginatorDocumentReference/cbc:ID",
    "invoiced_object": ("cac:AdditionalDocumentReference", _reference_of_type(INVOICED_OBJECT)),
    "buyer_accounting_reference": "cbc:AccountingCost",
    "payment_terms": "cac:PaymentTerms/cbc:Note",
    "notes": ("cbc:Note", _note),
    "process": "cbc:ProfileID",
    "specification": "cbc:CustomizationID",
    "preceding_invoices": ("cac:BillingReference/cac:InvoiceDocumentReference", _PRECEDING),
    "seller": ("cac:AccountingSupplierParty/cac:Party", SELLER),
    "buyer": ("cac:AccountingCustomerParty/cac:Party", BUYER),
    "payee": ("cac:PayeeParty", PAYEE),
    "tax_representative": ("cac:TaxRepresentativeParty", TAX_REPRESENTATIVE),
    "deliver_to": ("cac:Delivery", DELIVERY),
    "period": ("cac:InvoicePeriod", PartReader(InvoicingPeriod, UBL, _PERIOD)),
    "payment_means": ("cac:PaymentMeans", _PAYMENT_MEANS),
    **_allowances_charges(DocumentAllowance, DocumentCharge, _DOCUMENT_ALLOWANCE_CHARGE),
}
_READERS = {
    INVOICE_ROOT: PartReader(
        Invoice,
        UBL,
        {
            **_BOTH,
            "type_code": "cbc:InvoiceTypeCode",
            "due_date": "cbc:DueDate",
            "project_reference": "cac:ProjectReference/cbc:ID",
            "lines": ("cac:InvoiceLine", _line("cbc:InvoicedQuantity")),
        },
    ),
    CREDIT_NOTE_ROOT: PartReader(
        Invoice,
        UBL,
        {
            **_BOTH,
            "type_code": "cbc:CreditNoteTypeCode",
            "due_date": "cac:PaymentMeans/cbc:PaymentDueDate",
            "project_reference": ("cac:AdditionalDocumentReference", _project),
            "lines": ("cac:CreditNoteLine", _line("cbc:CreditedQuantity")),
        },
    ),
}


def read_ubl(root: etree._Element, limits: ReadingLimits) -> Invoice:
    """The invoice of a UBL Invoice or CreditNote element.

    Raises InvalidNumberError, InvalidDateError, InvalidAttachmentError and the attachment limits.
    """
    values = _READERS[root.tag].values(root)
    values.update(_totals(root, values.get("currency"), values.get("vat_accounting_currency")))
    values["payment_means"] = complete_payment_means(values.get("payment_means", ()), creditor=sepa_creditor(root))
    other_uses = {INVOICED_OBJECT, PROJECT} if root.tag == CREDIT_NOTE_ROOT else {INVOICED_OBJECT}
    supporting = [
        reference
        for reference in root.iterchildren(UBL.tag("cac:AdditionalDocumentReference"))
        if _document_type(reference) not in other_uses
    ]
    content_path = "cac:Attachment/cbc:EmbeddedDocumentBinaryObject"
    values["attachments"] = read_attachments(supporting, _ATTACHMENT, UBL, content_path, limits)
    return Invoice(**values)


def _totals(root: etree._Element, currency: str | None, accounting: str | None) -> dict[str, Any]:
    """BG-22 and BG-23: one TaxTotal in the invoice currency, perhaps another in the VAT accounting currency."""
    monetary = UBL.find(root, "cac:LegalMonetaryTotal")
    totals = _TOTALS.values(monetary) if monetary is not None else {}
    breakdown: list[VatBreakdown] = []
    for tax_total in root.iterchildren(UBL.tag("cac:TaxTotal")):
        amount = UBL.find(tax_total, "cbc:TaxAmount")
        if amount is not None and accounting not in {None, currency} and amount.get("currencyID") == accounting:
            totals.setdefault("vat_in_accounting_currency", number_of(amount, "BT-111"))
            continue
        if amount is not None:
            totals.setdefault("vat", number_of(amount, "BT-110"))
        subtotals = map(_VAT_BREAKDOWN, tax_total.iterchildren(UBL.tag("cac:TaxSubtotal")))
        breakdown += [subtotal for subtotal in subtotals if subtotal]
    return {"totals": Totals(**totals), "vat_breakdown": breakdown}
