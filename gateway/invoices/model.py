"""An invoice in the terms of EN 16931-1, whatever the syntax it came in.

A mandatory text that the document lacks is the empty string, every other absent term None or an empty tuple: the rules
of validation say what is missing, reading does not. Amounts, quantities and rates are `Decimal` exactly as written,
trailing zeros kept; rates are percentages (20 means 20 %). Codes are kept as written in the document's syntax.
Elements that EN 16931 does not know stay in the original bytes, which the reader always hands on.
"""

from datetime import date
from decimal import Decimal

from gateway.invoices.codes import CREDIT_NOTE_TYPES, SELF_BILLED_TYPES
from gateway.invoices.parties import Buyer, Delivery, Payee, Seller, TaxRepresentative
from gateway.invoices.terms import Identifier, Part, term


class Note(Part):
    """BG-1."""

    subject_code: str | None = term("BT-21", "Invoice note subject code (UNTDID 4451, such as PMT, PMD, AAB)")
    text: str = term("BT-22", "Invoice note", default="")


class PrecedingInvoice(Part):
    """BG-3: an invoice that this one corrects, credits or completes."""

    number: str = term("BT-25", "Preceding invoice reference", default="")
    issue_date: date | None = term("BT-26", "Preceding invoice issue date")


class InvoicingPeriod(Part):
    """BG-14."""

    start: date | None = term("BT-73", "Invoicing period start date")
    end: date | None = term("BT-74", "Invoicing period end date")


class CreditTransfer(Part):
    """BG-17: the account to pay to."""

    account: str | None = term("BT-84", "Payment account identifier (IBAN or national)")
    name: str | None = term("BT-85", "Payment account name")
    bank: str | None = term("BT-86", "Payment service provider identifier (BIC)")


class PaymentCard(Part):
    """BG-18."""

    number: str | None = term("BT-87", "Payment card primary account number (its last digits)")
    holder: str | None = term("BT-88", "Payment card holder name")


class DirectDebit(Part):
    """BG-19."""

    mandate: str | None = term("BT-89", "Mandate reference identifier")
    creditor: str | None = term("BT-90", "Bank assigned creditor identifier")
    debited_account: str | None = term("BT-91", "Debited account identifier")


class PaymentMeans(Part):
    """BG-16. A document repeats the group for each account: at most one account, card or mandate here."""

    code: str = term("BT-81", "Payment means type code (UNTDID 4461)", default="")
    text: str | None = term("BT-82", "Payment means text")
    remittance: str | None = term("BT-83", "Remittance information")
    credit_transfer: CreditTransfer | None = term("BG-17", "Credit transfer")
    card: PaymentCard | None = term("BG-18", "Payment card information")
    direct_debit: DirectDebit | None = term("BG-19", "Direct debit")


class AllowanceCharge(Part):
    """An allowance (deducted) or a charge (added); the amount is positive in both, before VAT."""

    amount: Decimal | None = None
    base_amount: Decimal | None = None
    percentage: Decimal | None = None
    reason: str | None = None
    reason_code: str | None = None


class DocumentAllowance(AllowanceCharge):
    """BG-20."""

    amount: Decimal | None = term("BT-92", "Document level allowance amount")
    base_amount: Decimal | None = term("BT-93", "Document level allowance base amount")
    percentage: Decimal | None = term("BT-94", "Document level allowance percentage")
    vat_category: str | None = term("BT-95", "Document level allowance VAT category code")
    vat_rate: Decimal | None = term("BT-96", "Document level allowance VAT rate")
    reason: str | None = term("BT-97", "Document level allowance reason")
    reason_code: str | None = term("BT-98", "Document level allowance reason code (UNTDID 5189)")


class DocumentCharge(AllowanceCharge):
    """BG-21."""

    amount: Decimal | None = term("BT-99", "Document level charge amount")
    base_amount: Decimal | None = term("BT-100", "Document level charge base amount")
    percentage: Decimal | None = term("BT-101", "Document level charge percentage")
    vat_category: str | None = term("BT-102", "Document level charge VAT category code")
    vat_rate: Decimal | None = term("BT-103", "Document level charge VAT rate")
    reason: str | None = term("BT-104", "Document level charge reason")
    reason_code: str | None = term("BT-105", "Document level charge reason code (UNTDID 7161)")


class Totals(Part):
    """BG-22, in the invoice currency (BT-5), except BT-111 in the accounting currency (BT-6)."""

    lines: Decimal | None = term("BT-106", "Sum of invoice line net amounts")
    allowances: Decimal | None = term("BT-107", "Sum of allowances on document level")
    charges: Decimal | None = term("BT-108", "Sum of charges on document level")
    without_vat: Decimal | None = term("BT-109", "Invoice total amount without VAT")
    vat: Decimal | None = term("BT-110", "Invoice total VAT amount")
    vat_in_accounting_currency: Decimal | None = term("BT-111", "Invoice total VAT amount in accounting currency")
    with_vat: Decimal | None = term("BT-112", "Invoice total amount with VAT")
    paid: Decimal | None = term("BT-113", "Paid amount")
    rounding: Decimal | None = term("BT-114", "Rounding amount")
    due: Decimal | None = term("BT-115", "Amount due for payment")


class VatBreakdown(Part):
    """BG-23: one VAT category and rate."""

    taxable_amount: Decimal | None = term("BT-116", "VAT category taxable amount")
    tax_amount: Decimal | None = term("BT-117", "VAT category tax amount")
    category: str | None = term("BT-118", "VAT category code (UNTDID 5305)")
    rate: Decimal | None = term("BT-119", "VAT category rate")
    exemption_reason: str | None = term("BT-120", "VAT exemption reason text")
    exemption_code: str | None = term("BT-121", "VAT exemption reason code (VATEX)")


class Attachment(Part):
    """BG-24: a supporting document, by its content, by its location, or only by its reference."""

    reference: str | None = term("BT-122", "Supporting document reference")
    description: str | None = term("BT-123", "Supporting document description")
    location: str | None = term("BT-124", "External document location")
    content: bytes | None = term("BT-125", "Attached document, decoded")
    media_type: str | None = term("BT-125-1", "Attached document Mime code")
    file_name: str | None = term("BT-125-2", "Attached document filename")


class LinePeriod(Part):
    """BG-26."""

    start: date | None = term("BT-134", "Invoice line period start date")
    end: date | None = term("BT-135", "Invoice line period end date")


class LineAllowance(AllowanceCharge):
    """BG-27."""

    amount: Decimal | None = term("BT-136", "Invoice line allowance amount")
    base_amount: Decimal | None = term("BT-137", "Invoice line allowance base amount")
    percentage: Decimal | None = term("BT-138", "Invoice line allowance percentage")
    reason: str | None = term("BT-139", "Invoice line allowance reason")
    reason_code: str | None = term("BT-140", "Invoice line allowance reason code (UNTDID 5189)")


class LineCharge(AllowanceCharge):
    """BG-28."""

    amount: Decimal | None = term("BT-141", "Invoice line charge amount")
    base_amount: Decimal | None = term("BT-142", "Invoice line charge base amount")
    percentage: Decimal | None = term("BT-143", "Invoice line charge percentage")
    reason: str | None = term("BT-144", "Invoice line charge reason")
    reason_code: str | None = term("BT-145", "Invoice line charge reason code (UNTDID 7161)")


class Price(Part):
    """BG-29, before VAT."""

    net: Decimal | None = term("BT-146", "Item net price")
    discount: Decimal | None = term("BT-147", "Item price discount")
    gross: Decimal | None = term("BT-148", "Item gross price")
    base_quantity: Decimal | None = term("BT-149", "Item price base quantity")
    base_unit: str | None = term("BT-150", "Item price base quantity unit of measure code")


class ItemAttribute(Part):
    """BG-32."""

    name: str | None = term("BT-160", "Item attribute name")
    value: str | None = term("BT-161", "Item attribute value")


class Item(Part):
    """BG-31."""

    name: str = term("BT-153", "Item name", default="")
    description: str | None = term("BT-154", "Item description")
    seller_id: str | None = term("BT-155", "Item Seller's identifier")
    buyer_id: str | None = term("BT-156", "Item Buyer's identifier")
    standard_id: Identifier | None = term("BT-157", "Item standard identifier (GTIN and others)")
    classifications: tuple[Identifier, ...] = term("BT-158", "Item classification identifier", default=())
    origin: str | None = term("BT-159", "Item country of origin (ISO 3166-1 alpha-2)")
    attributes: tuple[ItemAttribute, ...] = term("BG-32", "Item attributes", default=())


class Line(Part):
    """BG-25."""

    id: str = term("BT-126", "Invoice line identifier", default="")
    note: str | None = term("BT-127", "Invoice line note")
    invoiced_object: Identifier | None = term("BT-128", "Invoice line object identifier")
    quantity: Decimal | None = term("BT-129", "Invoiced quantity")
    unit: str | None = term("BT-130", "Invoiced quantity unit of measure code (UN/ECE Recommendations 20 and 21)")
    net_amount: Decimal | None = term("BT-131", "Invoice line net amount")
    order_line_reference: str | None = term("BT-132", "Referenced purchase order line reference")
    buyer_accounting_reference: str | None = term("BT-133", "Invoice line Buyer accounting reference")
    period: LinePeriod | None = term("BG-26", "Invoice line period")
    allowances: tuple[LineAllowance, ...] = term("BG-27", "Invoice line allowances", default=())
    charges: tuple[LineCharge, ...] = term("BG-28", "Invoice line charges", default=())
    price: Price = term("BG-29", "Price details", default=Price())
    vat_category: str | None = term("BT-151", "Invoiced item VAT category code", group="BG-30")
    vat_rate: Decimal | None = term("BT-152", "Invoiced item VAT rate", group="BG-30")
    item: Item = term("BG-31", "Item information", default=Item())


class Invoice(Part):
    """An invoice or a credit note."""

    number: str = term("BT-1", "Invoice number", default="")
    issue_date: date | None = term("BT-2", "Invoice issue date")
    type_code: str = term("BT-3", "Invoice type code (UNTDID 1001)", default="")
    currency: str = term("BT-5", "Invoice currency code (ISO 4217)", default="")
    vat_accounting_currency: str | None = term("BT-6", "VAT accounting currency code (ISO 4217)")
    tax_point_date: date | None = term("BT-7", "Value added tax point date")
    tax_point_code: str | None = term(
        "BT-8", "Value added tax point date code (UNTDID 2005 in UBL: 3, 35, 432; UNTDID 2475 in CII: 5, 29, 72)"
    )
    due_date: date | None = term("BT-9", "Payment due date")
    buyer_reference: str | None = term("BT-10", "Buyer reference")
    project_reference: str | None = term("BT-11", "Project reference")
    contract_reference: str | None = term("BT-12", "Contract reference")
    purchase_order_reference: str | None = term("BT-13", "Purchase order reference")
    sales_order_reference: str | None = term("BT-14", "Sales order reference")
    receiving_advice_reference: str | None = term("BT-15", "Receiving advice reference")
    despatch_advice_reference: str | None = term("BT-16", "Despatch advice reference")
    tender_reference: str | None = term("BT-17", "Tender or lot reference")
    invoiced_object: Identifier | None = term("BT-18", "Invoiced object identifier")
    buyer_accounting_reference: str | None = term("BT-19", "Buyer accounting reference")
    payment_terms: str | None = term("BT-20", "Payment terms")
    notes: tuple[Note, ...] = term("BG-1", "Invoice notes", default=())
    process: str | None = term("BT-23", "Business process type (French “cadre de facturation”)", group="BG-2")
    specification: str = term("BT-24", "Specification identifier", default="", group="BG-2")
    preceding_invoices: tuple[PrecedingInvoice, ...] = term("BG-3", "Preceding invoice references", default=())
    seller: Seller = term("BG-4", "Seller", default=Seller())
    buyer: Buyer = term("BG-7", "Buyer", default=Buyer())
    payee: Payee | None = term("BG-10", "Payee")
    tax_representative: TaxRepresentative | None = term("BG-11", "Seller tax representative party")
    deliver_to: Delivery | None = term("BG-13", "Delivery information")
    period: InvoicingPeriod | None = term("BG-14", "Invoicing period")
    payment_means: tuple[PaymentMeans, ...] = term("BG-16", "Payment instructions", default=())
    allowances: tuple[DocumentAllowance, ...] = term("BG-20", "Document level allowances", default=())
    charges: tuple[DocumentCharge, ...] = term("BG-21", "Document level charges", default=())
    totals: Totals = term("BG-22", "Document totals", default=Totals())
    vat_breakdown: tuple[VatBreakdown, ...] = term("BG-23", "VAT breakdown", default=())
    attachments: tuple[Attachment, ...] = term("BG-24", "Additional supporting documents", default=())
    lines: tuple[Line, ...] = term("BG-25", "Invoice lines, none in MINIMUM and BASIC WL", default=())

    @property
    def seller_siren(self) -> str | None:
        """SIREN of the seller (see `Party.siren`)."""
        return self.seller.siren

    @property
    def buyer_siren(self) -> str | None:
        """SIREN of the buyer (see `Party.siren`)."""
        return self.buyer.siren

    @property
    def is_credit_note(self) -> bool:
        """True when the type code (BT-3) is one by which the seller gives money back."""
        return self.type_code in CREDIT_NOTE_TYPES

    @property
    def is_self_billed(self) -> bool:
        """True when the type code (BT-3) is one that the buyer issues in the name of the seller."""
        return self.type_code in SELF_BILLED_TYPES
