"""The parties of a CII document."""

from collections.abc import Callable
from typing import Any

from lxml import etree

from gateway.invoices.dialects import CII, text_of
from gateway.invoices.mapping import PartReader, Where
from gateway.invoices.parties import (
    Address,
    Buyer,
    BuyerAddress,
    BuyerContact,
    Contact,
    DeliverToAddress,
    Delivery,
    Payee,
    Seller,
    SellerAddress,
    SellerContact,
    TaxRepresentative,
    TaxRepresentativeAddress,
)

#: Schemes of a tax registration: the VAT number, and the local tax number.
VAT_NUMBER, FISCAL_NUMBER = "VA", "FC"


def _tax_number(scheme: str) -> Callable[[etree._Element], str | None]:
    return lambda element: text_of(element) if element.get("schemeID") == scheme else None


def _address(part: type[Address]) -> PartReader[Any]:
    return PartReader(
        part,
        CII,
        {
            "line_1": "ram:LineOne",
            "line_2": "ram:LineTwo",
            "line_3": "ram:LineThree",
            "city": "ram:CityName",
            "post_code": "ram:PostcodeCode",
            "subdivision": "ram:CountrySubDivisionName",
            "country": "ram:CountryID",
        },
    )


def _party(address: type[Address], contact: type[Contact]) -> dict[str, Where]:
    """The table of seller and buyer. A contact point (BT-41, BT-56) is a person, or else a department."""
    contact_table = {
        "name": "ram:PersonName|ram:DepartmentName",
        "telephone": "ram:TelephoneUniversalCommunication/ram:CompleteNumber",
        "email": "ram:EmailURIUniversalCommunication/ram:URIID",
    }
    return {
        "name": "ram:Name",
        "trading_name": "ram:SpecifiedLegalOrganization/ram:TradingBusinessName",
        "identifiers": "ram:ID|ram:GlobalID",
        "legal_id": "ram:SpecifiedLegalOrganization/ram:ID",
        "vat_id": ("ram:SpecifiedTaxRegistration/ram:ID", _tax_number(VAT_NUMBER)),
        "electronic_address": "ram:URIUniversalCommunication/ram:URIID",
        "address": ("ram:PostalTradeAddress", _address(address)),
        "contact": ("ram:DefinedTradeContact", PartReader(contact, CII, contact_table)),
    }


SELLER = PartReader(
    Seller,
    CII,
    {
        **_party(SellerAddress, SellerContact),
        "tax_registration": ("ram:SpecifiedTaxRegistration/ram:ID", _tax_number(FISCAL_NUMBER)),
        "legal_information": "ram:Description",
    },
)
BUYER = PartReader(Buyer, CII, _party(BuyerAddress, BuyerContact))
PAYEE = PartReader(
    Payee,
    CII,
    {"name": "ram:Name", "identifiers": "ram:ID|ram:GlobalID", "legal_id": "ram:SpecifiedLegalOrganization/ram:ID"},
)
TAX_REPRESENTATIVE = PartReader(
    TaxRepresentative,
    CII,
    {
        "name": "ram:Name",
        "vat_id": ("ram:SpecifiedTaxRegistration/ram:ID", _tax_number(VAT_NUMBER)),
        "address": ("ram:PostalTradeAddress", _address(TaxRepresentativeAddress)),
    },
)
DELIVERY = PartReader(
    Delivery,
    CII,
    {
        "name": "ram:ShipToTradeParty/ram:Name",
        "location": "ram:ShipToTradeParty/ram:ID|ram:ShipToTradeParty/ram:GlobalID",
        "delivered_on": "ram:ActualDeliverySupplyChainEvent/ram:OccurrenceDateTime/udt:DateTimeString",
        "address": ("ram:ShipToTradeParty/ram:PostalTradeAddress", _address(DeliverToAddress)),
    },
)
