"""French company identifiers (SIREN, SIRET) and random identifiers of our own."""

from uuid import UUID, uuid4

from stdnum.fr import siren as _siren
from stdnum.fr import siret as _siret

#: ISO 6523 scheme identifiers (ICD) used in French e-invoices.
SCHEME_SIREN = "0002"
SCHEME_SIRET = "0009"
SCHEME_E_ADDRESS = "0225"
SCHEME_PLATFORM = "0238"


def new_id() -> UUID:
    """A fresh random identifier for a row."""
    return uuid4()


def is_siren(value: str) -> bool:
    """True for nine digits with a valid Luhn key."""
    return bool(_siren.is_valid(value)) and value == _siren.compact(value)


def is_siret(value: str) -> bool:
    """True for fourteen digits with a valid key (La Poste's establishments have their own)."""
    return bool(_siret.is_valid(value)) and value == _siret.compact(value)
