"""Reads UN/CEFACT Cross Industry Invoice, D16B and D22B (syntax binding CEN/TS 16931-3-3), every Factur-X profile."""

from collections.abc import Callable
from typing import Any

from lxml import etree

from gateway.invoices.attachments import read_attachments
from gateway.invoices.cii_parties import BUYER, DELIVERY, PAYEE, SELLER, TAX_REPRESENTATIVE
from gateway.invoices.dialects import CII
from gateway.invoices.limits import ReadingLimits
from gateway.invoices.mapping import PartReader, Where, number_of
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

#: UNTDID 1001 codes that tell additional references apart.
INVOICED_OBJECT, TENDER = "130", "50"

_TRANSACTION = "rsm:SupplyChainTradeTransaction"
_AGREEMENT = f"{_TRANSACTION}/ram:ApplicableHeaderTradeAgreement"
_DELIVERY = f"{_TRANSACTION}/ram:ApplicableHeaderTradeDelivery"
_SETTLEMENT = f"{_TRANSACTION}/ram:ApplicableHeaderTradeSettlement"
_SUMMATION = f"{_SETTLEMENT}/ram:SpecifiedTradeSettlementHeaderMonetarySummation"


def _is_charge(element: etree._Element) -> bool:
    return CII.text_at(element, "ram:ChargeIndicator/udt:Indicator") in {"true", "1"}


def _document_type(element: etree._Element) -> str | None:
    return CII.text_at(element, "ram:TypeCode")


def _invoiced_object(element: etree._Element) -> Identifier | None:
    """BT-18, BT-128: its scheme stands in an element of its own."""
    value = CII.text_at(element, "ram:IssuerAssignedID")
    if value is None or _document_type(element) != INVOICED_OBJECT:
        return None
    return Identifier(value=value, scheme=CII.text_at(element, "ram:ReferenceTypeCode"))


def _tender(element: etree._Element) -> str | None:
    return CII.text_at(element, "ram:IssuerAssignedID") if _document_type(element) == TENDER else None


def _allowances_charges(
    allowance: type[AllowanceCharge], charge: type[AllowanceCharge], path: str, more: dict[str, Where]
) -> dict[str, Where]:
    table: dict[str, Where] = {
        "amount": "ram:ActualAmount",
        "base_amount": "ram:BasisAmount",
        "percentage": "ram:CalculationPercent",
        "reason": "ram:Reason",
        "reason_code": "ram:ReasonCode",
        **more,
    }
    read_allowance, read_charge = PartReader(allowance, CII, table), PartReader(charge, CII, table)
    return {
        "allowances": (path, lambda element: None if _is_charge(element) else read_allowance(element)),
        "charges": (path, lambda element: read_charge(element) if _is_charge(element) else None),
    }


def _period(part: type[InvoicingPeriod] | type[LinePeriod]) -> Callable[[etree._Element], Any]:
    start, end = "ram:StartDateTime/udt:DateTimeString", "ram:EndDateTime/udt:DateTimeString"
    return PartReader(part, CII, {"start": start, "end": end})


_PAYMENT_MEANS = PartReader(
    PaymentMeans,
    CII,
    {
        "code": "ram:TypeCode",
        "text": "ram:Information",
        "card": (
            "ram:ApplicableTradeSettlementFinancialCard",
            PartReader(PaymentCard, CII, {"number": "ram:ID", "holder": "ram:CardholderName"}),
        ),
        "direct_debit": (
            "ram:PayerPartyDebtorFinancialAccount",
            PartReader(DirectDebit, CII, {"debited_account": "ram:IBANID"}),
        ),
    },
)
_CREDIT_TRANSFER = PartReader(
    CreditTransfer,
    CII,
    {
        "account": "ram:PayeePartyCreditorFinancialAccount/ram:IBANID"
        "|ram:PayeePartyCreditorFinancialAccount/ram:ProprietaryID",
        "name": "ram:PayeePartyCreditorFinancialAccount/ram:AccountName",
        "bank": "ram:PayeeSpecifiedCreditorFinancialInstitution/ram:BICID",
    },
)


def _payment_means(element: etree._Element) -> PaymentMeans:
    """BG-16: its account (BG-17) has its terms in two elements of the same parent."""
    return PaymentMeans(**_PAYMENT_MEANS.values(element), credit_transfer=_CREDIT_TRANSFER(element))


_ITEM = PartReader(
    Item,
    CII,
    {
        "name": "ram:Name",
        "description": "ram:Description",
        "seller_id": "ram:SellerAssignedID",
        "buyer_id": "ram:BuyerAssignedID",
        "standard_id": "ram:GlobalID",
        "classifications": "ram:DesignatedProductClassification/ram:ClassCode",
        "origin": "ram:OriginTradeCountry/ram:ID",
        "attributes": (
            "ram:ApplicableProductCharacteristic",
            PartReader(ItemAttribute, CII, {"name": "ram:Description", "value": "ram:Value"}),
        ),
    },
)
_NET_PRICE, _GROSS_PRICE = "ram:NetPriceProductTradePrice", "ram:GrossPriceProductTradePrice"
_PRICE = PartReader(
    Price,
    CII,
    {
        "net": f"{_NET_PRICE}/ram:ChargeAmount",
        "discount": f"{_GROSS_PRICE}/ram:AppliedTradeAllowanceCharge/ram:ActualAmount",
        "gross": f"{_GROSS_PRICE}/ram:ChargeAmount",
        "base_quantity": f"{_NET_PRICE}/ram:BasisQuantity|{_GROSS_PRICE}/ram:BasisQuantity",
        "base_unit": f"{_NET_PRICE}/ram:BasisQuantity/@unitCode|{_GROSS_PRICE}/ram:BasisQuantity/@unitCode",
    },
)
_LINE_SETTLEMENT = "ram:SpecifiedLineTradeSettlement"
_LINE = PartReader(
    Line,
    CII,
    {
        "id": "ram:AssociatedDocumentLineDocument/ram:LineID",
        "note": "ram:AssociatedDocumentLineDocument/ram:IncludedNote/ram:Content",
        "invoiced_object": (f"{_LINE_SETTLEMENT}/ram:AdditionalReferencedDocument", _invoiced_object),
        "quantity": "ram:SpecifiedLineTradeDelivery/ram:BilledQuantity",
        "unit": "ram:SpecifiedLineTradeDelivery/ram:BilledQuantity/@unitCode",
        "net_amount": f"{_LINE_SETTLEMENT}/ram:SpecifiedTradeSettlementLineMonetarySummation/ram:LineTotalAmount",
        "order_line_reference": "ram:SpecifiedLineTradeAgreement/ram:BuyerOrderReferencedDocument/ram:LineID",
        "buyer_accounting_reference": f"{_LINE_SETTLEMENT}/ram:ReceivableSpecifiedTradeAccountingAccount/ram:ID",
        "period": (f"{_LINE_SETTLEMENT}/ram:BillingSpecifiedPeriod", _period(LinePeriod)),
        **_allowances_charges(LineAllowance, LineCharge, f"{_LINE_SETTLEMENT}/ram:SpecifiedTradeAllowanceCharge", {}),
        "price": ("ram:SpecifiedLineTradeAgreement", _PRICE),
        "vat_category": f"{_LINE_SETTLEMENT}/ram:ApplicableTradeTax/ram:CategoryCode",
        "vat_rate": f"{_LINE_SETTLEMENT}/ram:ApplicableTradeTax/ram:RateApplicablePercent",
        "item": ("ram:SpecifiedTradeProduct", _ITEM),
    },
)
_TOTALS = PartReader(
    Totals,
    CII,
    {
        "lines": "ram:LineTotalAmount",
        "allowances": "ram:AllowanceTotalAmount",
        "charges": "ram:ChargeTotalAmount",
        "without_vat": "ram:TaxBasisTotalAmount",
        "with_vat": "ram:GrandTotalAmount",
        "paid": "ram:TotalPrepaidAmount",
        "rounding": "ram:RoundingAmount",
        "due": "ram:DuePayableAmount",
    },
)
_VAT_BREAKDOWN = PartReader(
    VatBreakdown,
    CII,
    {
        "taxable_amount": "ram:BasisAmount",
        "tax_amount": "ram:CalculatedAmount",
        "category": "ram:CategoryCode",
        "rate": "ram:RateApplicablePercent",
        "exemption_reason": "ram:ExemptionReason",
        "exemption_code": "ram:ExemptionReasonCode",
    },
)
_ATTACHMENT = PartReader(
    Attachment,
    CII,
    {
        "reference": "ram:IssuerAssignedID",
        "description": "ram:Name",
        "location": "ram:URIID",
        "media_type": "ram:AttachmentBinaryObject/@mimeCode",
        "file_name": "ram:AttachmentBinaryObject/@filename",
    },
)
#: A charge for a service of transport, which the EXTENDED profile keeps apart from the charges it is added to.
_LOGISTICS_CHARGE = PartReader(
    DocumentCharge,
    CII,
    {
        "amount": "ram:AppliedAmount",
        "reason": "ram:Description",
        "vat_category": "ram:AppliedTradeTax/ram:CategoryCode",
        "vat_rate": "ram:AppliedTradeTax/ram:RateApplicablePercent",
    },
)
_PRECEDING = PartReader(
    PrecedingInvoice,
    CII,
    {"number": "ram:IssuerAssignedID", "issue_date": "ram:FormattedIssueDateTime/qdt:DateTimeString"},
)
_INVOICE = PartReader(
    Invoice,
    CII,
    {
        "number": "rsm:ExchangedDocument/ram:ID",
        "issue_date": "rsm:ExchangedDocument/ram:IssueDateTime/udt:DateTimeString",
        "type_code": "rsm:ExchangedDocument/ram:TypeCode",
        "notes": (
            "rsm:ExchangedDocument/ram:IncludedNote",
            PartReader(Note, CII, {"subject_code": "ram:SubjectCode", "text": "ram:Content"}),
        ),
        "process": "rsm:ExchangedDocumentContext/ram:BusinessProcessSpecifiedDocumentContextParameter/ram:ID",
        "specification": "rsm:ExchangedDocumentContext/ram:GuidelineSpecifiedDocumentContextParameter/ram:ID",
        "buyer_reference": f"{_AGREEMENT}/ram:BuyerReference",
        "seller": (f"{_AGREEMENT}/ram:SellerTradeParty", SELLER),
        "buyer": (f"{_AGREEMENT}/ram:BuyerTradeParty", BUYER),
        "tax_representative": (f"{_AGREEMENT}/ram:SellerTaxRepresentativeTradeParty", TAX_REPRESENTATIVE),
        "sales_order_reference": f"{_AGREEMENT}/ram:SellerOrderReferencedDocument/ram:IssuerAssignedID",
        "purchase_order_reference": f"{_AGREEMENT}/ram:BuyerOrderReferencedDocument/ram:IssuerAssignedID",
        "contract_reference": f"{_AGREEMENT}/ram:ContractReferencedDocument/ram:IssuerAssignedID",
        "invoiced_object": (f"{_AGREEMENT}/ram:AdditionalReferencedDocument", _invoiced_object),
        "tender_reference": (f"{_AGREEMENT}/ram:AdditionalReferencedDocument", _tender),
        "project_reference": f"{_AGREEMENT}/ram:SpecifiedProcuringProject/ram:ID",
        "deliver_to": (_DELIVERY, DELIVERY),
        "despatch_advice_reference": f"{_DELIVERY}/ram:DespatchAdviceReferencedDocument/ram:IssuerAssignedID",
        "receiving_advice_reference": f"{_DELIVERY}/ram:ReceivingAdviceReferencedDocument/ram:IssuerAssignedID",
        "currency": f"{_SETTLEMENT}/ram:InvoiceCurrencyCode",
        "vat_accounting_currency": f"{_SETTLEMENT}/ram:TaxCurrencyCode",
        "payee": (f"{_SETTLEMENT}/ram:PayeeTradeParty", PAYEE),
        "payment_means": (f"{_SETTLEMENT}/ram:SpecifiedTradeSettlementPaymentMeans", _payment_means),
        "vat_breakdown": (f"{_SETTLEMENT}/ram:ApplicableTradeTax", _VAT_BREAKDOWN),
        "tax_point_date": f"{_SETTLEMENT}/ram:ApplicableTradeTax/ram:TaxPointDate/udt:DateString",
        "tax_point_code": f"{_SETTLEMENT}/ram:ApplicableTradeTax/ram:DueDateTypeCode",
        "period": (f"{_SETTLEMENT}/ram:BillingSpecifiedPeriod", _period(InvoicingPeriod)),
        **_allowances_charges(
            DocumentAllowance,
            DocumentCharge,
            f"{_SETTLEMENT}/ram:SpecifiedTradeAllowanceCharge",
            {
                "vat_category": "ram:CategoryTradeTax/ram:CategoryCode",
                "vat_rate": "ram:CategoryTradeTax/ram:RateApplicablePercent",
            },
        ),
        "payment_terms": f"{_SETTLEMENT}/ram:SpecifiedTradePaymentTerms/ram:Description",
        "due_date": f"{_SETTLEMENT}/ram:SpecifiedTradePaymentTerms/ram:DueDateDateTime/udt:DateTimeString",
        "totals": (_SUMMATION, _TOTALS),
        "preceding_invoices": (f"{_SETTLEMENT}/ram:InvoiceReferencedDocument", _PRECEDING),
        "buyer_accounting_reference": f"{_SETTLEMENT}/ram:ReceivableSpecifiedTradeAccountingAccount/ram:ID",
        "lines": (f"{_TRANSACTION}/ram:IncludedSupplyChainTradeLineItem", _LINE),
    },
)


def read_cii(root: etree._Element, limits: ReadingLimits) -> Invoice:
    """The invoice of a CrossIndustryInvoice element.

    Raises InvalidNumberError, InvalidDateError, InvalidAttachmentError and the attachment limits.
    """
    values = _INVOICE.values(root)
    agreement, settlement = CII.find(root, _AGREEMENT), CII.find(root, _SETTLEMENT)
    if agreement is not None:
        references = agreement.iterchildren(CII.tag("ram:AdditionalReferencedDocument"))
        supporting = [each for each in references if _document_type(each) not in {INVOICED_OBJECT, TENDER}]
        path = "ram:AttachmentBinaryObject"
        values["attachments"] = read_attachments(supporting, _ATTACHMENT, CII, path, limits)
    if settlement is not None:
        values["payment_means"] = complete_payment_means(
            values.get("payment_means", ()),
            remittance=CII.text_at(settlement, "ram:PaymentReference"),
            mandate=CII.text_at(settlement, "ram:SpecifiedTradePaymentTerms/ram:DirectDebitMandateID"),
            creditor=CII.text_at(settlement, "ram:CreditorReferenceID"),
        )
        logistics = map(_LOGISTICS_CHARGE, settlement.iterchildren(CII.tag("ram:SpecifiedLogisticsServiceCharge")))
        values["charges"] = [*values.get("charges", ()), *(charge for charge in logistics if charge)]
    summation = CII.find(root, _SUMMATION)
    if summation is not None:
        vat = _vat_totals(summation, values.get("currency"), values.get("vat_accounting_currency"))
        values["totals"] = values.get("totals", Totals()).model_copy(update=vat)
    return Invoice(**values)


def _vat_totals(summation: etree._Element, currency: str | None, accounting: str | None) -> dict[str, Any]:
    """BT-110 in the invoice currency and BT-111 in the VAT accounting currency: one element, told by its attribute."""
    found: dict[str, Any] = {}
    for amount in summation.iterchildren(CII.tag("ram:TaxTotalAmount")):
        if accounting not in {None, currency} and amount.get("currencyID") == accounting:
            found.setdefault("vat_in_accounting_currency", number_of(amount, "BT-111"))
        else:
            found.setdefault("vat", number_of(amount, "BT-110"))
    return found
