"""Which customer an invoice belongs to. Pure.

By default the account of the buyer's SIREN; an account that was imported for one establishment (SIRET) comes before it.
A buyer without SIREN is known by its VAT number, else by its name. Keys: `siren:…`, `siret:…`, `vat:…`, `name:…`.
"""

import re
from dataclasses import dataclass

from gateway.customers.values import Contact, ContactRole
from gateway.invoices.parties import Buyer
from gateway.kernel.identifiers import SCHEME_SIRET

_SIRET = re.compile(r"\d{14}")
UNNAMED = "?"


@dataclass(frozen=True, slots=True)
class BuyerIdentity:
    """What an invoice says of its buyer, as far as accounts are concerned.

    Attributes:
        key: of the account that is made when there is none. name: BT-44, or "?".
        siren: nine digits. siret: of the establishment invoiced. vat_number: BT-48 without blanks.
        contact: BG-9 with the address BG-8; None when the invoice has neither.
    """

    key: str
    name: str
    siren: str | None = None
    siret: str | None = None
    vat_number: str | None = None
    contact: Contact | None = None

    @property
    def keys(self) -> tuple[str, str]:
        """The account that is preferred if it exists, and the one that is made if not; they may be the same."""
        return (key_of_siret(self.siret) if self.siret else self.key, self.key)


def identity_of(buyer: Buyer, siren: str | None) -> BuyerIdentity:
    """Who the buyer is; `siren` as the invoice is followed under it."""
    name = " ".join((buyer.name or "").split())
    vat = re.sub(r"[^0-9A-Z]", "", (buyer.vat_id or "").upper()) or None
    return BuyerIdentity(
        key=key_of(siren=siren, vat_number=vat, name=name),
        name=name or UNNAMED,
        siren=siren,
        siret=_siret_of(buyer),
        vat_number=vat,
        contact=_contact_of(buyer, name),
    )


def key_of(*, siren: str | None, vat_number: str | None, name: str) -> str:
    """The key of the account of a buyer: by SIREN, else by VAT number, else by name without regard to case."""
    if siren:
        return f"siren:{siren}"
    return f"vat:{vat_number}" if vat_number else f"name:{' '.join(name.casefold().split())}"


def key_of_siret(siret: str) -> str:
    """The key of an account for one establishment."""
    return f"siret:{siret}"


def _siret_of(buyer: Buyer) -> str | None:
    known = (buyer.legal_id, *buyer.identifiers) if buyer.legal_id else buyer.identifiers
    written = (each.value.replace(" ", "") for each in known if each.scheme == SCHEME_SIRET)
    return next((siret for siret in written if _SIRET.fullmatch(siret)), None)


def _contact_of(buyer: Buyer, company: str) -> Contact | None:
    person, place = buyer.contact, buyer.address
    town = " ".join(part for part in (place.post_code, place.city) if part) if place else ""
    lines = (place.line_1, place.line_2, place.line_3, town) if place else ()
    postal = tuple(line for line in lines if line)
    if place and place.country and place.country != "FR" and postal:
        postal = (*postal, place.country)
    email, phone = (person.email, person.telephone) if person else (None, None)
    if not (email or phone or postal):
        return None
    name = (person.name if person else None) or company or UNNAMED
    return Contact(ContactRole.ACCOUNTING, name, email, phone, "fr", postal)
