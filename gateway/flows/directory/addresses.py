"""An electronic address of scheme 0225 (BT-34, BT-49), taken apart. Pure."""

import re
from dataclasses import dataclass

from gateway.kernel.identifiers import SCHEME_E_ADDRESS, is_siren

LONGEST_ADDRESS = 125
#: BR-FR-23: letters, digits, `-`, `_`, `.`; `+` is let through as the rule's own expression does.
_ADDRESS = re.compile(r"(?P<siren>[0-9]{9})(?:_(?P<rest>[A-Za-z0-9+._-]+))?")
_SIRET_DIGITS = 14


@dataclass(frozen=True, slots=True)
class ElectronicAddress:
    """SIREN, SIREN_SIRET, SIREN_SIRET_routing or SIREN_suffix.

    Attributes:
        text: the whole address, without its scheme.
        siret: of the facility, when the address names one.
        routing_identifier: of the desk inside that facility.
        suffix: of an address that is tied to no facility.
    """

    text: str
    siren: str
    siret: str | None = None
    routing_identifier: str | None = None
    suffix: str | None = None

    @property
    def is_bare(self) -> bool:
        """True for a SIREN alone."""
        return self.text == self.siren


def read_address(text: str) -> ElectronicAddress | None:
    """The address, with or without `0225:` before it; None when it is not one, or when the SIREN has a wrong key."""
    given = text.strip().removeprefix(f"{SCHEME_E_ADDRESS}:")
    match = _ADDRESS.fullmatch(given)
    if match is None or len(given) > LONGEST_ADDRESS or not is_siren(match["siren"]):
        return None
    siren, rest = match["siren"], match["rest"]
    if rest is None:
        return ElectronicAddress(given, siren)
    first, _, routing = rest.partition("_")
    if len(first) == _SIRET_DIGITS and first.isdecimal() and first.startswith(siren):
        return ElectronicAddress(given, siren, siret=first, routing_identifier=routing or None)
    return ElectronicAddress(given, siren, suffix=rest)
