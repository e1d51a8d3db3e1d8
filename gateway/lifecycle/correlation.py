"""Which invoice a status speaks of."""

import re
import unicodedata
from dataclasses import dataclass

from gateway.kernel.dated import data_file
from gateway.kernel.identifiers import SCHEME_E_ADDRESS, SCHEME_SIREN, SCHEME_SIRET
from gateway.lifecycle.cdar.model import Party, ReferencedDocument

#: Schemes (and the lack of one) that carry a SIREN in their first nine characters, the surest first.
_SIREN_SCHEMES = (SCHEME_SIREN, SCHEME_SIRET, SCHEME_E_ADDRESS, "")


@dataclass(frozen=True, slots=True, order=True)
class InvoiceKey:
    """What identifies an invoice for the public portal: number, seller, year (DGFiP specification, uniqueness).

    Attributes:
        number: BT-1, normalised; "" when the message quotes none.
        seller_siren: nine digits of BT-30; "" when the message names no seller (allowed for a 501).
        year: calendar year of BT-2; 0 when absent (allowed for a 501).
    """

    number: str
    seller_siren: str = ""
    year: int = 0

    @property
    def is_complete(self) -> bool:
        """Whether the key designates one invoice. An incomplete one can only be matched through the flow it answers."""
        return bool(self.number and self.seller_siren and self.year)

    def __str__(self) -> str:
        return f"{self.number}/{self.seller_siren}/{self.year}"


def key_of(document: ReferencedDocument) -> InvoiceKey:
    """The key of the invoice that a message refers to.

    Tolerance: the number loses outer spaces, and inner runs of spaces become one (the public portal's rule G1.05
    allows single inner spaces); case and other characters are kept, because two invoices may differ by them. The SIREN
    is taken from MDT-129 in scheme 0002, else from the SIRET (0009), the e-address (0225) or an identifier without
    scheme. What the public portal writes when it could not read the object (XXXX…, 1900, 000000000) counts as absent.
    """
    placeholders = data_file("lifecycle.toml")["ppf"]
    number = normalised_number(document.number)
    siren = siren_of(document.seller)
    day = document.issued.day if document.issued else None
    year = day.year if day else 0
    return InvoiceKey(
        number="" if re.fullmatch("X{20}", number) else number,
        seller_siren="" if siren == placeholders["unreadable_seller"] else siren,
        year=0 if year == placeholders["unreadable_year"] else year,
    )


def normalised_number(written: str) -> str:
    """An invoice number as keys hold it: composed Unicode, no outer space, single inner spaces."""
    return " ".join(unicodedata.normalize("NFC", written).split())


def siren_of(party: Party | None) -> str:
    """The SIREN among the identifiers of a party, "" when there is none."""
    if party is None:
        return ""
    for scheme in _SIREN_SCHEMES:
        found = re.match(r"[0-9]{9}(?![0-9])|[0-9]{9}(?=[0-9]{5}(?![0-9]))", party.id_in(scheme).replace(" ", ""))
        if found:
            return found.group()
    return ""
