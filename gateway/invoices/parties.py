"""The parties of an invoice, BG-4 to BG-15 of EN 16931-1.

Four addresses and two contacts have the same fields under different term numbers, hence a class for each.
"""

from datetime import date

from gateway.invoices.terms import Identifier, Part, term
from gateway.kernel.identifiers import SCHEME_SIREN, SCHEME_SIRET

SIREN_DIGITS = 9
#: A French VAT number is FR, a key of two characters, then the SIREN.
FRENCH_VAT_LENGTH = 13


class Address(Part):
    """A postal address."""

    line_1: str | None = None
    line_2: str | None = None
    line_3: str | None = None
    city: str | None = None
    post_code: str | None = None
    subdivision: str | None = None
    country: str | None = None


class SellerAddress(Address):
    """BG-5."""

    line_1: str | None = term("BT-35", "Seller address line 1")
    line_2: str | None = term("BT-36", "Seller address line 2")
    line_3: str | None = term("BT-162", "Seller address line 3")
    city: str | None = term("BT-37", "Seller city")
    post_code: str | None = term("BT-38", "Seller post code")
    subdivision: str | None = term("BT-39", "Seller country subdivision")
    country: str | None = term("BT-40", "Seller country code (ISO 3166-1 alpha-2)")


class BuyerAddress(Address):
    """BG-8."""

    line_1: str | None = term("BT-50", "Buyer address line 1")
    line_2: str | None = term("BT-51", "Buyer address line 2")
    line_3: str | None = term("BT-163", "Buyer address line 3")
    city: str | None = term("BT-52", "Buyer city")
    post_code: str | None = term("BT-53", "Buyer post code")
    subdivision: str | None = term("BT-54", "Buyer country subdivision")
    country: str | None = term("BT-55", "Buyer country code (ISO 3166-1 alpha-2)")


class TaxRepresentativeAddress(Address):
    """BG-12."""

    line_1: str | None = term("BT-64", "Tax representative address line 1")
    line_2: str | None = term("BT-65", "Tax representative address line 2")
    line_3: str | None = term("BT-164", "Tax representative address line 3")
    city: str | None = term("BT-66", "Tax representative city")
    post_code: str | None = term("BT-67", "Tax representative post code")
    subdivision: str | None = term("BT-68", "Tax representative country subdivision")
    country: str | None = term("BT-69", "Tax representative country code (ISO 3166-1 alpha-2)")


class DeliverToAddress(Address):
    """BG-15."""

    line_1: str | None = term("BT-75", "Deliver to address line 1")
    line_2: str | None = term("BT-76", "Deliver to address line 2")
    line_3: str | None = term("BT-165", "Deliver to address line 3")
    city: str | None = term("BT-77", "Deliver to city")
    post_code: str | None = term("BT-78", "Deliver to post code")
    subdivision: str | None = term("BT-79", "Deliver to country subdivision")
    country: str | None = term("BT-80", "Deliver to country code (ISO 3166-1 alpha-2)")


class Contact(Part):
    """A person or a department to talk to."""

    name: str | None = None
    telephone: str | None = None
    email: str | None = None


class SellerContact(Contact):
    """BG-6."""

    name: str | None = term("BT-41", "Seller contact point")
    telephone: str | None = term("BT-42", "Seller contact telephone number")
    email: str | None = term("BT-43", "Seller contact email address")


class BuyerContact(Contact):
    """BG-9."""

    name: str | None = term("BT-56", "Buyer contact point")
    telephone: str | None = term("BT-57", "Buyer contact telephone number")
    email: str | None = term("BT-58", "Buyer contact email address")


class Party(Part):
    """What seller and buyer have in common."""

    name: str | None = None
    trading_name: str | None = None
    identifiers: tuple[Identifier, ...] = ()
    legal_id: Identifier | None = None
    vat_id: str | None = None
    electronic_address: Identifier | None = None
    address: Address | None = None
    contact: Contact | None = None

    @property
    def siren(self) -> str | None:
        """The SIREN as the document gives it, in order of trust; None when it gives none. Its key is not checked.

        First an identifier of scheme 0002, the legal registration before the others; then the first nine digits of
        a SIRET (0009); then the last nine digits of a French VAT number.
        """
        known = [self.legal_id, *self.identifiers] if self.legal_id else [*self.identifiers]
        siren = next((i.value for i in known if i.scheme == SCHEME_SIREN), None)
        siret = next((i.value for i in known if i.scheme == SCHEME_SIRET), None)
        if siren or siret:
            return siren or (siret or "")[:SIREN_DIGITS]
        vat = (self.vat_id or "").upper()
        digits = vat[-SIREN_DIGITS:]
        return digits if vat.startswith("FR") and len(vat) == FRENCH_VAT_LENGTH and digits.isdecimal() else None


class Seller(Party):
    """BG-4."""

    name: str | None = term("BT-27", "Seller name")
    trading_name: str | None = term("BT-28", "Seller trading name")
    identifiers: tuple[Identifier, ...] = term("BT-29", "Seller identifier", default=())
    legal_id: Identifier | None = term("BT-30", "Seller legal registration identifier")
    vat_id: str | None = term("BT-31", "Seller VAT identifier")
    tax_registration: str | None = term("BT-32", "Seller tax registration identifier")
    legal_information: str | None = term("BT-33", "Seller additional legal information")
    electronic_address: Identifier | None = term("BT-34", "Seller electronic address")
    address: SellerAddress | None = term("BG-5", "Seller postal address")
    contact: SellerContact | None = term("BG-6", "Seller contact")


class Buyer(Party):
    """BG-7."""

    name: str | None = term("BT-44", "Buyer name")
    trading_name: str | None = term("BT-45", "Buyer trading name")
    identifiers: tuple[Identifier, ...] = term("BT-46", "Buyer identifier", default=())
    legal_id: Identifier | None = term("BT-47", "Buyer legal registration identifier")
    vat_id: str | None = term("BT-48", "Buyer VAT identifier")
    electronic_address: Identifier | None = term("BT-49", "Buyer electronic address")
    address: BuyerAddress | None = term("BG-8", "Buyer postal address")
    contact: BuyerContact | None = term("BG-9", "Buyer contact")


class Payee(Part):
    """BG-10: who is to be paid, when it is not the seller (a factor, for example)."""

    name: str | None = term("BT-59", "Payee name")
    identifiers: tuple[Identifier, ...] = term("BT-60", "Payee identifier", default=())
    legal_id: Identifier | None = term("BT-61", "Payee legal registration identifier")


class TaxRepresentative(Part):
    """BG-11."""

    name: str | None = term("BT-62", "Seller tax representative name")
    vat_id: str | None = term("BT-63", "Seller tax representative VAT identifier")
    address: TaxRepresentativeAddress | None = term("BG-12", "Seller tax representative postal address")


class Delivery(Part):
    """BG-13: where and when the goods or services went."""

    name: str | None = term("BT-70", "Deliver to party name")
    location: Identifier | None = term("BT-71", "Deliver to location identifier")
    delivered_on: date | None = term("BT-72", "Actual delivery date")
    address: DeliverToAddress | None = term("BG-15", "Deliver to address")
