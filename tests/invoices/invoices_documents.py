"""Documents that hold every term of EN 16931, each with a value that tells which term it is.

A text term holds its own number (`BT-27`), an amount its number as euros (115.00), a date the day of that rank after
31 December 2025: a value read into the wrong field shows at once. `@72@` stands for the date of BT-72.
"""
# ruff: noqa: E501 — an element is easier to check on one line.

import re
from base64 import b64encode
from datetime import date, timedelta
from io import BytesIO

from pypdf import PdfWriter

ATTACHED = b"BT-125"


def day_of(term: int) -> date:
    """The date that the term of this number holds."""
    return date(2025, 12, 31) + timedelta(days=term)


def _written(template: str, date_format: str) -> bytes:
    text = re.sub(r"@(\d+)@", lambda m: day_of(int(m[1])).strftime(date_format), template.strip())
    return text.replace("@content@", b64encode(ATTACHED).decode()).encode()


def _ubl_address(l1: int, l2: int, l3: int, city: int, code: int, sub: int, country: int, tag: str) -> str:
    return (
        f"<cac:{tag}><cbc:StreetName>BT-{l1}</cbc:StreetName><cbc:AdditionalStreetName>BT-{l2}"
        f"</cbc:AdditionalStreetName><cbc:CityName>BT-{city}</cbc:CityName><cbc:PostalZone>BT-{code}</cbc:PostalZone>"
        f"<cbc:CountrySubentity>BT-{sub}</cbc:CountrySubentity><cac:AddressLine><cbc:Line>BT-{l3}</cbc:Line>"
        f"</cac:AddressLine><cac:Country><cbc:IdentificationCode>BT-{country}</cbc:IdentificationCode></cac:Country>"
        f"</cac:{tag}>"
    )


def _ubl_allowance(charge: str, amount: int, base: int, percent: int, reason: int, code: int, vat: str = "") -> str:
    return (
        f"<cac:AllowanceCharge><cbc:ChargeIndicator>{charge}</cbc:ChargeIndicator><cbc:AllowanceChargeReasonCode>"
        f"BT-{code}</cbc:AllowanceChargeReasonCode><cbc:AllowanceChargeReason>BT-{reason}</cbc:AllowanceChargeReason>"
        f"<cbc:MultiplierFactorNumeric>{percent}.00</cbc:MultiplierFactorNumeric><cbc:Amount>{amount}.00</cbc:Amount>"
        f"<cbc:BaseAmount>{base}.00</cbc:BaseAmount>{vat}</cac:AllowanceCharge>"
    )


def _ubl_vat(category: int, rate: int, tag: str, more: str = "") -> str:
    return (
        f"<cac:{tag}><cbc:ID>BT-{category}</cbc:ID><cbc:Percent>{rate}.00</cbc:Percent>{more}"
        f"<cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme></cac:{tag}>"
    )


def _ubl_tax_number(term: int, scheme: str) -> str:
    return (
        f"<cac:PartyTaxScheme><cbc:CompanyID>BT-{term}</cbc:CompanyID><cac:TaxScheme><cbc:ID>{scheme}</cbc:ID>"
        "</cac:TaxScheme></cac:PartyTaxScheme>"
    )


_UBL = f"""
<?xml version="1.0" encoding="UTF-8"?>
<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"
  xmlns:cac="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
  xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2">
<cbc:CustomizationID>BT-24</cbc:CustomizationID><cbc:ProfileID>BT-23</cbc:ProfileID><cbc:ID>BT-1</cbc:ID>
<cbc:IssueDate>@2@</cbc:IssueDate><cbc:DueDate>@9@</cbc:DueDate><cbc:InvoiceTypeCode>BT-3</cbc:InvoiceTypeCode>
<cbc:Note>#AAB#BT-22</cbc:Note><cbc:TaxPointDate>@7@</cbc:TaxPointDate>
<cbc:DocumentCurrencyCode>BT-5</cbc:DocumentCurrencyCode><cbc:TaxCurrencyCode>BT-6</cbc:TaxCurrencyCode>
<cbc:AccountingCost>BT-19</cbc:AccountingCost><cbc:BuyerReference>BT-10</cbc:BuyerReference>
<cac:InvoicePeriod><cbc:StartDate>@73@</cbc:StartDate><cbc:EndDate>@74@</cbc:EndDate>
<cbc:DescriptionCode>BT-8</cbc:DescriptionCode></cac:InvoicePeriod>
<cac:OrderReference><cbc:ID>BT-13</cbc:ID><cbc:SalesOrderID>BT-14</cbc:SalesOrderID></cac:OrderReference>
<cac:BillingReference><cac:InvoiceDocumentReference><cbc:ID>BT-25</cbc:ID><cbc:IssueDate>@26@</cbc:IssueDate>
</cac:InvoiceDocumentReference></cac:BillingReference>
<cac:DespatchDocumentReference><cbc:ID>BT-16</cbc:ID></cac:DespatchDocumentReference>
<cac:ReceiptDocumentReference><cbc:ID>BT-15</cbc:ID></cac:ReceiptDocumentReference>
<cac:OriginatorDocumentReference><cbc:ID>BT-17</cbc:ID></cac:OriginatorDocumentReference>
<cac:ContractDocumentReference><cbc:ID>BT-12</cbc:ID></cac:ContractDocumentReference>
<cac:AdditionalDocumentReference><cbc:ID schemeID="BT-18-1">BT-18</cbc:ID><cbc:DocumentTypeCode>130</cbc:DocumentTypeCode>
</cac:AdditionalDocumentReference>
<cac:AdditionalDocumentReference><cbc:ID>BT-122</cbc:ID><cbc:DocumentDescription>BT-123</cbc:DocumentDescription>
<cac:Attachment><cbc:EmbeddedDocumentBinaryObject mimeCode="BT-125-1" filename="BT-125-2">@content@</cbc:EmbeddedDocumentBinaryObject>
<cac:ExternalReference><cbc:URI>BT-124</cbc:URI></cac:ExternalReference></cac:Attachment></cac:AdditionalDocumentReference>
<cac:ProjectReference><cbc:ID>BT-11</cbc:ID></cac:ProjectReference>
<cac:AccountingSupplierParty><cac:Party><cbc:EndpointID schemeID="BT-34-1">BT-34</cbc:EndpointID>
<cac:PartyIdentification><cbc:ID schemeID="SEPA">BT-90</cbc:ID></cac:PartyIdentification>
<cac:PartyIdentification><cbc:ID schemeID="BT-29-1">BT-29</cbc:ID></cac:PartyIdentification>
<cac:PartyName><cbc:Name>BT-28</cbc:Name></cac:PartyName>{_ubl_address(35, 36, 162, 37, 38, 39, 40, "PostalAddress")}
{_ubl_tax_number(32, "LOC")}{_ubl_tax_number(31, "VAT")}
<cac:PartyLegalEntity><cbc:RegistrationName>BT-27</cbc:RegistrationName><cbc:CompanyID schemeID="BT-30-1">BT-30</cbc:CompanyID>
<cbc:CompanyLegalForm>BT-33</cbc:CompanyLegalForm></cac:PartyLegalEntity>
<cac:Contact><cbc:Name>BT-41</cbc:Name><cbc:Telephone>BT-42</cbc:Telephone><cbc:ElectronicMail>BT-43</cbc:ElectronicMail>
</cac:Contact></cac:Party></cac:AccountingSupplierParty>
<cac:AccountingCustomerParty><cac:Party><cbc:EndpointID schemeID="BT-49-1">BT-49</cbc:EndpointID>
<cac:PartyIdentification><cbc:ID schemeID="BT-46-1">BT-46</cbc:ID></cac:PartyIdentification>
<cac:PartyName><cbc:Name>BT-45</cbc:Name></cac:PartyName>{_ubl_address(50, 51, 163, 52, 53, 54, 55, "PostalAddress")}
{_ubl_tax_number(48, "VAT")}
<cac:PartyLegalEntity><cbc:RegistrationName>BT-44</cbc:RegistrationName><cbc:CompanyID schemeID="BT-47-1">BT-47</cbc:CompanyID>
</cac:PartyLegalEntity><cac:Contact><cbc:Name>BT-56</cbc:Name><cbc:Telephone>BT-57</cbc:Telephone>
<cbc:ElectronicMail>BT-58</cbc:ElectronicMail></cac:Contact></cac:Party></cac:AccountingCustomerParty>
<cac:PayeeParty><cac:PartyIdentification><cbc:ID schemeID="BT-60-1">BT-60</cbc:ID></cac:PartyIdentification>
<cac:PartyName><cbc:Name>BT-59</cbc:Name></cac:PartyName>
<cac:PartyLegalEntity><cbc:CompanyID schemeID="BT-61-1">BT-61</cbc:CompanyID></cac:PartyLegalEntity></cac:PayeeParty>
<cac:TaxRepresentativeParty><cac:PartyName><cbc:Name>BT-62</cbc:Name></cac:PartyName>
{_ubl_address(64, 65, 164, 66, 67, 68, 69, "PostalAddress")}{_ubl_tax_number(63, "VAT")}</cac:TaxRepresentativeParty>
<cac:Delivery><cbc:ActualDeliveryDate>@72@</cbc:ActualDeliveryDate><cac:DeliveryLocation>
<cbc:ID schemeID="BT-71-1">BT-71</cbc:ID>{_ubl_address(75, 76, 165, 77, 78, 79, 80, "Address")}</cac:DeliveryLocation>
<cac:DeliveryParty><cac:PartyName><cbc:Name>BT-70</cbc:Name></cac:PartyName></cac:DeliveryParty></cac:Delivery>
<cac:PaymentMeans><cbc:PaymentMeansCode name="BT-82">BT-81</cbc:PaymentMeansCode><cbc:PaymentID>BT-83</cbc:PaymentID>
<cac:CardAccount><cbc:PrimaryAccountNumberID>BT-87</cbc:PrimaryAccountNumberID><cbc:HolderName>BT-88</cbc:HolderName>
</cac:CardAccount><cac:PayeeFinancialAccount><cbc:ID>BT-84</cbc:ID><cbc:Name>BT-85</cbc:Name>
<cac:FinancialInstitutionBranch><cbc:ID>BT-86</cbc:ID></cac:FinancialInstitutionBranch></cac:PayeeFinancialAccount>
<cac:PaymentMandate><cbc:ID>BT-89</cbc:ID><cac:PayerFinancialAccount><cbc:ID>BT-91</cbc:ID></cac:PayerFinancialAccount>
</cac:PaymentMandate></cac:PaymentMeans><cac:PaymentTerms><cbc:Note>BT-20</cbc:Note></cac:PaymentTerms>
{_ubl_allowance("false", 92, 93, 94, 97, 98, _ubl_vat(95, 96, "TaxCategory"))}
{_ubl_allowance("true", 99, 100, 101, 104, 105, _ubl_vat(102, 103, "TaxCategory"))}
<cac:TaxTotal><cbc:TaxAmount currencyID="BT-5">110.00</cbc:TaxAmount><cac:TaxSubtotal>
<cbc:TaxableAmount>116.00</cbc:TaxableAmount><cbc:TaxAmount>117.00</cbc:TaxAmount>
{
    _ubl_vat(
        118,
        119,
        "TaxCategory",
        "<cbc:TaxExemptionReasonCode>BT-121</cbc:TaxExemptionReasonCode>"
        "<cbc:TaxExemptionReason>BT-120</cbc:TaxExemptionReason>",
    )
}</cac:TaxSubtotal></cac:TaxTotal>
<cac:TaxTotal><cbc:TaxAmount currencyID="BT-6">111.00</cbc:TaxAmount></cac:TaxTotal>
<cac:LegalMonetaryTotal><cbc:LineExtensionAmount>106.00</cbc:LineExtensionAmount>
<cbc:TaxExclusiveAmount>109.00</cbc:TaxExclusiveAmount><cbc:TaxInclusiveAmount>112.00</cbc:TaxInclusiveAmount>
<cbc:AllowanceTotalAmount>107.00</cbc:AllowanceTotalAmount><cbc:ChargeTotalAmount>108.00</cbc:ChargeTotalAmount>
<cbc:PrepaidAmount>113.00</cbc:PrepaidAmount><cbc:PayableRoundingAmount>114.00</cbc:PayableRoundingAmount>
<cbc:PayableAmount currencyID="BT-5">115.00</cbc:PayableAmount></cac:LegalMonetaryTotal>
<cac:InvoiceLine><cbc:ID>BT-126</cbc:ID><cbc:Note>BT-127</cbc:Note>
<cbc:InvoicedQuantity unitCode="BT-130">129.00</cbc:InvoicedQuantity><cbc:LineExtensionAmount>131.00</cbc:LineExtensionAmount>
<cbc:AccountingCost>BT-133</cbc:AccountingCost>
<cac:InvoicePeriod><cbc:StartDate>@134@</cbc:StartDate><cbc:EndDate>@135@</cbc:EndDate></cac:InvoicePeriod>
<cac:OrderLineReference><cbc:LineID>BT-132</cbc:LineID></cac:OrderLineReference>
<cac:DocumentReference><cbc:ID schemeID="BT-128-1">BT-128</cbc:ID><cbc:DocumentTypeCode>130</cbc:DocumentTypeCode>
</cac:DocumentReference>{_ubl_allowance("false", 136, 137, 138, 139, 140)}{
    _ubl_allowance("true", 141, 142, 143, 144, 145)
}
<cac:Item><cbc:Description>BT-154</cbc:Description><cbc:Name>BT-153</cbc:Name>
<cac:BuyersItemIdentification><cbc:ID>BT-156</cbc:ID></cac:BuyersItemIdentification>
<cac:SellersItemIdentification><cbc:ID>BT-155</cbc:ID></cac:SellersItemIdentification>
<cac:StandardItemIdentification><cbc:ID schemeID="BT-157-1">BT-157</cbc:ID></cac:StandardItemIdentification>
<cac:OriginCountry><cbc:IdentificationCode>BT-159</cbc:IdentificationCode></cac:OriginCountry>
<cac:CommodityClassification><cbc:ItemClassificationCode listID="BT-158-1" listVersionID="BT-158-2">BT-158</cbc:ItemClassificationCode>
</cac:CommodityClassification>{_ubl_vat(151, 152, "ClassifiedTaxCategory")}
<cac:AdditionalItemProperty><cbc:Name>BT-160</cbc:Name><cbc:Value>BT-161</cbc:Value></cac:AdditionalItemProperty></cac:Item>
<cac:Price><cbc:PriceAmount>146.00</cbc:PriceAmount><cbc:BaseQuantity unitCode="BT-150">149.00</cbc:BaseQuantity>
<cac:AllowanceCharge><cbc:ChargeIndicator>false</cbc:ChargeIndicator><cbc:Amount>147.00</cbc:Amount>
<cbc:BaseAmount>148.00</cbc:BaseAmount></cac:AllowanceCharge></cac:Price></cac:InvoiceLine>
</Invoice>
"""


def _cii_address(l1: int, l2: int, l3: int, city: int, code: int, sub: int, country: int) -> str:
    return (
        f"<ram:PostalTradeAddress><ram:PostcodeCode>BT-{code}</ram:PostcodeCode><ram:LineOne>BT-{l1}</ram:LineOne>"
        f"<ram:LineTwo>BT-{l2}</ram:LineTwo><ram:LineThree>BT-{l3}</ram:LineThree><ram:CityName>BT-{city}</ram:CityName>"
        f"<ram:CountryID>BT-{country}</ram:CountryID><ram:CountrySubDivisionName>BT-{sub}</ram:CountrySubDivisionName>"
        "</ram:PostalTradeAddress>"
    )


def _cii_contact(name: int, telephone: int, email: int) -> str:
    return (
        f"<ram:DefinedTradeContact><ram:PersonName>BT-{name}</ram:PersonName><ram:TelephoneUniversalCommunication>"
        f"<ram:CompleteNumber>BT-{telephone}</ram:CompleteNumber></ram:TelephoneUniversalCommunication>"
        f"<ram:EmailURIUniversalCommunication><ram:URIID>BT-{email}</ram:URIID></ram:EmailURIUniversalCommunication>"
        "</ram:DefinedTradeContact>"
    )


def _cii_allowance(charge: str, amount: int, base: int, percent: int, reason: int, code: int, vat: str = "") -> str:
    return (
        f"<ram:SpecifiedTradeAllowanceCharge><ram:ChargeIndicator><udt:Indicator>{charge}</udt:Indicator>"
        f"</ram:ChargeIndicator><ram:CalculationPercent>{percent}.00</ram:CalculationPercent><ram:BasisAmount>{base}.00"
        f"</ram:BasisAmount><ram:ActualAmount>{amount}.00</ram:ActualAmount><ram:ReasonCode>BT-{code}</ram:ReasonCode>"
        f"<ram:Reason>BT-{reason}</ram:Reason>{vat}</ram:SpecifiedTradeAllowanceCharge>"
    )


def _cii_vat(category: int, rate: int) -> str:
    return (
        f"<ram:CategoryTradeTax><ram:TypeCode>VAT</ram:TypeCode><ram:CategoryCode>BT-{category}</ram:CategoryCode>"
        f"<ram:RateApplicablePercent>{rate}.00</ram:RateApplicablePercent></ram:CategoryTradeTax>"
    )


def _cii_date(term: int, tag: str, prefix: str = "udt", inner: str = "DateTimeString") -> str:
    return f'<ram:{tag}><{prefix}:{inner} format="102">@{term}@</{prefix}:{inner}></ram:{tag}>'


def _cii_reference(term: int, tag: str, more: str = "") -> str:
    return f"<ram:{tag}><ram:IssuerAssignedID>BT-{term}</ram:IssuerAssignedID>{more}</ram:{tag}>"


_CII = f"""
<?xml version="1.0" encoding="UTF-8"?>
<rsm:CrossIndustryInvoice xmlns:rsm="urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100"
  xmlns:ram="urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100"
  xmlns:udt="urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100"
  xmlns:qdt="urn:un:unece:uncefact:data:standard:QualifiedDataType:100">
<rsm:ExchangedDocumentContext>
<ram:BusinessProcessSpecifiedDocumentContextParameter><ram:ID>BT-23</ram:ID></ram:BusinessProcessSpecifiedDocumentContextParameter>
<ram:GuidelineSpecifiedDocumentContextParameter><ram:ID>BT-24</ram:ID></ram:GuidelineSpecifiedDocumentContextParameter>
</rsm:ExchangedDocumentContext>
<rsm:ExchangedDocument><ram:ID>BT-1</ram:ID><ram:TypeCode>BT-3</ram:TypeCode>{_cii_date(2, "IssueDateTime")}
<ram:IncludedNote><ram:Content>BT-22</ram:Content><ram:SubjectCode>AAB</ram:SubjectCode></ram:IncludedNote></rsm:ExchangedDocument>
<rsm:SupplyChainTradeTransaction>
<ram:IncludedSupplyChainTradeLineItem><ram:AssociatedDocumentLineDocument><ram:LineID>BT-126</ram:LineID>
<ram:IncludedNote><ram:Content>BT-127</ram:Content></ram:IncludedNote></ram:AssociatedDocumentLineDocument>
<ram:SpecifiedTradeProduct><ram:GlobalID schemeID="BT-157-1">BT-157</ram:GlobalID><ram:SellerAssignedID>BT-155</ram:SellerAssignedID>
<ram:BuyerAssignedID>BT-156</ram:BuyerAssignedID><ram:Name>BT-153</ram:Name><ram:Description>BT-154</ram:Description>
<ram:ApplicableProductCharacteristic><ram:Description>BT-160</ram:Description><ram:Value>BT-161</ram:Value>
</ram:ApplicableProductCharacteristic><ram:DesignatedProductClassification>
<ram:ClassCode listID="BT-158-1" listVersionID="BT-158-2">BT-158</ram:ClassCode></ram:DesignatedProductClassification>
<ram:OriginTradeCountry><ram:ID>BT-159</ram:ID></ram:OriginTradeCountry></ram:SpecifiedTradeProduct>
<ram:SpecifiedLineTradeAgreement><ram:BuyerOrderReferencedDocument><ram:LineID>BT-132</ram:LineID></ram:BuyerOrderReferencedDocument>
<ram:GrossPriceProductTradePrice><ram:ChargeAmount>148.00</ram:ChargeAmount><ram:AppliedTradeAllowanceCharge>
<ram:ChargeIndicator><udt:Indicator>false</udt:Indicator></ram:ChargeIndicator><ram:ActualAmount>147.00</ram:ActualAmount>
</ram:AppliedTradeAllowanceCharge></ram:GrossPriceProductTradePrice><ram:NetPriceProductTradePrice>
<ram:ChargeAmount>146.00</ram:ChargeAmount><ram:BasisQuantity unitCode="BT-150">149.00</ram:BasisQuantity>
</ram:NetPriceProductTradePrice></ram:SpecifiedLineTradeAgreement>
<ram:SpecifiedLineTradeDelivery><ram:BilledQuantity unitCode="BT-130">129.00</ram:BilledQuantity></ram:SpecifiedLineTradeDelivery>
<ram:SpecifiedLineTradeSettlement><ram:ApplicableTradeTax><ram:TypeCode>VAT</ram:TypeCode><ram:CategoryCode>BT-151</ram:CategoryCode>
<ram:RateApplicablePercent>152.00</ram:RateApplicablePercent></ram:ApplicableTradeTax>
<ram:BillingSpecifiedPeriod>{_cii_date(134, "StartDateTime")}{
    _cii_date(135, "EndDateTime")
}</ram:BillingSpecifiedPeriod>
{_cii_allowance("false", 136, 137, 138, 139, 140)}{_cii_allowance("true", 141, 142, 143, 144, 145)}
<ram:SpecifiedTradeSettlementLineMonetarySummation><ram:LineTotalAmount>131.00</ram:LineTotalAmount>
</ram:SpecifiedTradeSettlementLineMonetarySummation>
{
    _cii_reference(
        128,
        "AdditionalReferencedDocument",
        "<ram:TypeCode>130</ram:TypeCode><ram:ReferenceTypeCode>BT-128-1</ram:ReferenceTypeCode>",
    )
}
<ram:ReceivableSpecifiedTradeAccountingAccount><ram:ID>BT-133</ram:ID></ram:ReceivableSpecifiedTradeAccountingAccount>
</ram:SpecifiedLineTradeSettlement></ram:IncludedSupplyChainTradeLineItem>
<ram:ApplicableHeaderTradeAgreement><ram:BuyerReference>BT-10</ram:BuyerReference>
<ram:SellerTradeParty><ram:GlobalID schemeID="BT-29-1">BT-29</ram:GlobalID><ram:Name>BT-27</ram:Name>
<ram:Description>BT-33</ram:Description><ram:SpecifiedLegalOrganization><ram:ID schemeID="BT-30-1">BT-30</ram:ID>
<ram:TradingBusinessName>BT-28</ram:TradingBusinessName></ram:SpecifiedLegalOrganization>{_cii_contact(41, 42, 43)}
{_cii_address(35, 36, 162, 37, 38, 39, 40)}
<ram:URIUniversalCommunication><ram:URIID schemeID="BT-34-1">BT-34</ram:URIID></ram:URIUniversalCommunication>
<ram:SpecifiedTaxRegistration><ram:ID schemeID="FC">BT-32</ram:ID></ram:SpecifiedTaxRegistration>
<ram:SpecifiedTaxRegistration><ram:ID schemeID="VA">BT-31</ram:ID></ram:SpecifiedTaxRegistration></ram:SellerTradeParty>
<ram:BuyerTradeParty><ram:GlobalID schemeID="BT-46-1">BT-46</ram:GlobalID><ram:Name>BT-44</ram:Name>
<ram:SpecifiedLegalOrganization><ram:ID schemeID="BT-47-1">BT-47</ram:ID><ram:TradingBusinessName>BT-45</ram:TradingBusinessName>
</ram:SpecifiedLegalOrganization>{_cii_contact(56, 57, 58)}{_cii_address(50, 51, 163, 52, 53, 54, 55)}
<ram:URIUniversalCommunication><ram:URIID schemeID="BT-49-1">BT-49</ram:URIID></ram:URIUniversalCommunication>
<ram:SpecifiedTaxRegistration><ram:ID schemeID="VA">BT-48</ram:ID></ram:SpecifiedTaxRegistration></ram:BuyerTradeParty>
<ram:SellerTaxRepresentativeTradeParty><ram:Name>BT-62</ram:Name>{_cii_address(64, 65, 164, 66, 67, 68, 69)}
<ram:SpecifiedTaxRegistration><ram:ID schemeID="VA">BT-63</ram:ID></ram:SpecifiedTaxRegistration>
</ram:SellerTaxRepresentativeTradeParty>{_cii_reference(14, "SellerOrderReferencedDocument")}
{_cii_reference(13, "BuyerOrderReferencedDocument")}{_cii_reference(12, "ContractReferencedDocument")}
<ram:AdditionalReferencedDocument><ram:IssuerAssignedID>BT-122</ram:IssuerAssignedID><ram:URIID>BT-124</ram:URIID>
<ram:TypeCode>916</ram:TypeCode><ram:Name>BT-123</ram:Name>
<ram:AttachmentBinaryObject mimeCode="BT-125-1" filename="BT-125-2">@content@</ram:AttachmentBinaryObject></ram:AdditionalReferencedDocument>
{_cii_reference(17, "AdditionalReferencedDocument", "<ram:TypeCode>50</ram:TypeCode>")}
{
    _cii_reference(
        18,
        "AdditionalReferencedDocument",
        "<ram:TypeCode>130</ram:TypeCode><ram:ReferenceTypeCode>BT-18-1</ram:ReferenceTypeCode>",
    )
}
<ram:SpecifiedProcuringProject><ram:ID>BT-11</ram:ID><ram:Name>Projet</ram:Name></ram:SpecifiedProcuringProject>
</ram:ApplicableHeaderTradeAgreement>
<ram:ApplicableHeaderTradeDelivery><ram:ShipToTradeParty><ram:GlobalID schemeID="BT-71-1">BT-71</ram:GlobalID>
<ram:Name>BT-70</ram:Name>{_cii_address(75, 76, 165, 77, 78, 79, 80)}</ram:ShipToTradeParty>
<ram:ActualDeliverySupplyChainEvent>{_cii_date(72, "OccurrenceDateTime")}</ram:ActualDeliverySupplyChainEvent>
{_cii_reference(16, "DespatchAdviceReferencedDocument")}{_cii_reference(15, "ReceivingAdviceReferencedDocument")}
</ram:ApplicableHeaderTradeDelivery>
<ram:ApplicableHeaderTradeSettlement><ram:CreditorReferenceID>BT-90</ram:CreditorReferenceID>
<ram:PaymentReference>BT-83</ram:PaymentReference><ram:TaxCurrencyCode>BT-6</ram:TaxCurrencyCode>
<ram:InvoiceCurrencyCode>BT-5</ram:InvoiceCurrencyCode><ram:PayeeTradeParty><ram:GlobalID schemeID="BT-60-1">BT-60</ram:GlobalID>
<ram:Name>BT-59</ram:Name><ram:SpecifiedLegalOrganization><ram:ID schemeID="BT-61-1">BT-61</ram:ID></ram:SpecifiedLegalOrganization>
</ram:PayeeTradeParty><ram:SpecifiedTradeSettlementPaymentMeans><ram:TypeCode>BT-81</ram:TypeCode><ram:Information>BT-82</ram:Information>
<ram:ApplicableTradeSettlementFinancialCard><ram:ID>BT-87</ram:ID><ram:CardholderName>BT-88</ram:CardholderName>
</ram:ApplicableTradeSettlementFinancialCard><ram:PayerPartyDebtorFinancialAccount><ram:IBANID>BT-91</ram:IBANID>
</ram:PayerPartyDebtorFinancialAccount><ram:PayeePartyCreditorFinancialAccount><ram:IBANID>BT-84</ram:IBANID>
<ram:AccountName>BT-85</ram:AccountName></ram:PayeePartyCreditorFinancialAccount>
<ram:PayeeSpecifiedCreditorFinancialInstitution><ram:BICID>BT-86</ram:BICID></ram:PayeeSpecifiedCreditorFinancialInstitution>
</ram:SpecifiedTradeSettlementPaymentMeans>
<ram:ApplicableTradeTax><ram:CalculatedAmount>117.00</ram:CalculatedAmount><ram:TypeCode>VAT</ram:TypeCode>
<ram:ExemptionReason>BT-120</ram:ExemptionReason><ram:BasisAmount>116.00</ram:BasisAmount><ram:CategoryCode>BT-118</ram:CategoryCode>
<ram:ExemptionReasonCode>BT-121</ram:ExemptionReasonCode>{_cii_date(7, "TaxPointDate", inner="DateString")}
<ram:DueDateTypeCode>BT-8</ram:DueDateTypeCode><ram:RateApplicablePercent>119.00</ram:RateApplicablePercent></ram:ApplicableTradeTax>
<ram:BillingSpecifiedPeriod>{_cii_date(73, "StartDateTime")}{_cii_date(74, "EndDateTime")}</ram:BillingSpecifiedPeriod>
{_cii_allowance("false", 92, 93, 94, 97, 98, _cii_vat(95, 96))}{
    _cii_allowance("true", 99, 100, 101, 104, 105, _cii_vat(102, 103))
}
<ram:SpecifiedTradePaymentTerms><ram:Description>BT-20</ram:Description>{_cii_date(9, "DueDateDateTime")}
<ram:DirectDebitMandateID>BT-89</ram:DirectDebitMandateID></ram:SpecifiedTradePaymentTerms>
<ram:SpecifiedTradeSettlementHeaderMonetarySummation><ram:LineTotalAmount>106.00</ram:LineTotalAmount>
<ram:ChargeTotalAmount>108.00</ram:ChargeTotalAmount><ram:AllowanceTotalAmount>107.00</ram:AllowanceTotalAmount>
<ram:TaxBasisTotalAmount>109.00</ram:TaxBasisTotalAmount><ram:TaxTotalAmount currencyID="BT-5">110.00</ram:TaxTotalAmount>
<ram:TaxTotalAmount currencyID="BT-6">111.00</ram:TaxTotalAmount><ram:RoundingAmount>114.00</ram:RoundingAmount>
<ram:GrandTotalAmount>112.00</ram:GrandTotalAmount><ram:TotalPrepaidAmount>113.00</ram:TotalPrepaidAmount>
<ram:DuePayableAmount>115.00</ram:DuePayableAmount></ram:SpecifiedTradeSettlementHeaderMonetarySummation>
{_cii_reference(25, "InvoiceReferencedDocument", _cii_date(26, "FormattedIssueDateTime", "qdt"))}
<ram:ReceivableSpecifiedTradeAccountingAccount><ram:ID>BT-19</ram:ID></ram:ReceivableSpecifiedTradeAccountingAccount>
</ram:ApplicableHeaderTradeSettlement></rsm:SupplyChainTradeTransaction></rsm:CrossIndustryInvoice>
"""

UBL_INVOICE = _written(_UBL, "%Y-%m-%d")
CII_INVOICE = _written(_CII, "%Y%m%d")
UBL_CREDIT_NOTE = (
    UBL_INVOICE.replace(b"schema:xsd:Invoice-2", b"schema:xsd:CreditNote-2")
    .replace(b"InvoiceTypeCode>", b"CreditNoteTypeCode>")
    .replace(b"InvoiceLine>", b"CreditNoteLine>")
    .replace(b"InvoicedQuantity", b"CreditedQuantity")
    .replace(b"<Invoice", b"<CreditNote")
    .replace(b"</Invoice>", b"</CreditNote>")
    .replace(b"<cbc:DueDate>2026-01-09</cbc:DueDate>", b"")
    .replace(b"<cbc:PaymentID>", b"<cbc:PaymentDueDate>2026-01-09</cbc:PaymentDueDate><cbc:PaymentID>")
    .replace(
        b"<cac:ProjectReference><cbc:ID>BT-11</cbc:ID></cac:ProjectReference>",
        b"<cac:AdditionalDocumentReference><cbc:ID>BT-11</cbc:ID>"
        b"<cbc:DocumentTypeCode>50</cbc:DocumentTypeCode></cac:AdditionalDocumentReference>",
    )
)
CDAR = (
    b'<rsm:CrossDomainAcknowledgementAndResponse xmlns:rsm="urn:un:unece:uncefact:data:standard:'
    b'CrossDomainAcknowledgementAndResponse:100"/>'
)


def pdf_with(*files: tuple[str, bytes], password: str | None = None) -> bytes:
    """A one-page PDF with these embedded files."""
    writer = PdfWriter()
    writer.add_blank_page(width=200, height=200)
    for name, content in files:
        writer.add_attachment(name, content)
    if password:
        writer.encrypt(password, algorithm="RC4-128")
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


def factur_x() -> bytes:
    """A PDF with the CII invoice under the name that Factur-X prescribes."""
    return pdf_with(("factur-x.xml", CII_INVOICE))


def broken(document: bytes, old: bytes, new: bytes) -> bytes:
    """`document` with one thing changed; fails when there is nothing to change."""
    assert old in document, old
    return document.replace(old, new, 1)


def raw_pdf(*objects: bytes) -> bytes:
    """A PDF of these objects, numbered from 1; the first one is the catalog."""
    out, offsets = b"%PDF-1.7\n", []
    for number, content in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    head = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    trailer = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, len(out))
    return out + head + table + trailer


def stream(content: bytes, more: bytes = b"") -> bytes:
    """The PDF object of an embedded file."""
    return b"<< /Type /EmbeddedFile %s /Length %d >>\nstream\n%s\nendstream" % (more, len(content), content)
