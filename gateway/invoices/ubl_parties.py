"""The parties of a UBL document."""

from collections.abc import Callable
from typing import Any

from lxml import etree

from gateway.invoices.dialects import UBL, text_of
from gateway.invoices.mapping import PartReader, Where, identifier_of
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
from gateway.invoices.terms import Identifier

#: Scheme by which a party identification is the SEPA creditor identifier (BT-90) and no identifier of the party.
SEPA = "SEPA"


def _tax_number(vat: bool) -> Callable[[etree._Element], str | None]:
    """The number of a PartyTaxScheme: the VAT one, or one of another scheme."""

    def read(element: etree._Element) -> str | None:
        is_vat = (UBL.text_at(element, "cac:TaxScheme/cbc:ID") or "").upper() == "VAT"
        return UBL.text_at(element, "cbc:CompanyID") if is_vat is vat else None

    return read


def _party_identifier(element: etree._Element) -> Identifier | None:
    return None if element.get("schemeID") == SEPA else identifier_of(element)


def _address(part: type[Address]) -> PartReader[Any]:
    return PartReader(
        part,
        UBL,
        {
            "line_1": "cbc:StreetName",
            "line_2": "cbc:AdditionalStreetName",
            "line_3": "cac:AddressLine/cbc:Line",
            "city": "cbc:CityName",
            "post_code": "cbc:PostalZone",
            "subdivision": "cbc:CountrySubentity",
            "country": "cac:Country/cbc:IdentificationCode",
        },
    )


def _party(address: type[Address], contact: type[Contact]) -> dict[str, Where]:
    """The table of seller and buyer."""
    contact_table = {"name": "cbc:Name", "telephone": "cbc:Telephone", "email": "cbc:ElectronicMail"}
    return {
        "name": "cac:PartyLegalEntity/cbc:RegistrationName",
        "trading_name": "cac:PartyName/cbc:Name",
        "identifiers": ("cac:PartyIdentification/cbc:ID", _party_identifier),
        "legal_id": "cac:PartyLegalEntity/cbc:CompanyID",
        "vat_id": ("cac:PartyTaxScheme", _tax_number(vat=True)),
        "electronic_address": "cbc:EndpointID",
        "address": ("cac:PostalAddress", _address(address)),
        "contact": ("cac:Contact", PartReader(contact, UBL, contact_table)),
    }


SELLER = PartReader(
    Seller,
    UBL,
    {
        **_party(SellerAddress, SellerContact),
        "tax_registration": ("cac:PartyTaxScheme", _tax_number(vat=False)),
        "legal_information": "cac:PartyLegalEntity/cbc:CompanyLegalForm",
    },
)
BUYER = PartReader(Buyer, UBL, _party(BuyerAddress, BuyerContact))
PAYEE = PartReader(
    Payee,
    UBL,
    {
        "name": "cac:PartyName/cbc:Name",
        "identifiers": ("cac:PartyIdentification/cbc:ID", _party_identifier),
        "legal_id": "cac:PartyLegalEntity/cbc:CompanyID",
    },
)
TAX_REPRESENTATIVE = PartReader(
    TaxRepresentative,
    UBL,
    {
        "name": "cac:PartyName/cbc:Name",
        "vat_id": ("cac:PartyTaxScheme", _tax_number(vat=True)),
        "address": ("cac:PostalAddress", _address(TaxRepresentativeAddress)),
    },
)
DELIVERY = PartReader(
    Delivery,
    UBL,
    {
        "name": "cac:DeliveryParty/cac:PartyName/cbc:Name",
        "location": "cac:DeliveryLocation/cbc:ID",
        "delivered_on": "cbc:ActualDeliveryDate",
        "address": ("cac:DeliveryLocation/cac:Address", _address(DeliverToAddress)),
    },
)


def sepa_creditor(root: etree._Element) -> str | None:
    """BT-90: the identifier of scheme SEPA of the payee, else of the seller."""
    for path in ("cac:PayeeParty", "cac:AccountingSupplierParty/cac:Party"):
        party = UBL.find(root, path)
        if party is None:
            continue
        for identification in party.iterchildren(UBL.tag("cac:PartyIdentification")):
            identifier = UBL.find(identification, "cbc:ID")
            if identifier is not None and identifier.get("schemeID") == SEPA:
                return text_of(identifier)
    return None
