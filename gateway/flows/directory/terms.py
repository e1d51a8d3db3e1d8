"""The words of XP Z12-013 (Directory Service 1.3.0): statuses, kinds, operators and the fields one may ask for."""

from enum import StrEnum
from typing import Literal


class LineStatus(StrEnum):
    """Where a directory line stands."""

    ENABLED = "Enabled"
    #: No platform is tied to the line.
    DISABLED = "Disabled"
    #: Tied to a platform from a day to come.
    UPCOMING = "Upcoming"


class PlatformType(StrEnum):
    """Who receives for the line (UNCL 3035)."""

    ACCREDITED = "WK"
    PUBLIC_PORTAL = "DFH"


EntityType = Literal["Public", "PrivateVatRegistered"]
#: A: active, C: closed.
AdministrativeStatus = Literal["A", "C"]
#: P: main facility, S: secondary.
FacilityType = Literal["P", "S"]
CLOSED: AdministrativeStatus = "C"
PUBLIC: EntityType = "Public"

Strict = Literal["strict"]
ContainsOrStrict = Literal["contains", "strict"]
ContainsOrStart = Literal["contains", "startWith"]
StrictOrStart = Literal["startWith", "strict"]
AnyOperator = Literal["contains", "strict", "startWith"]
Order = Literal["ascending", "descending"]

SirenField = Literal["siren", "businessName", "entityType", "administrativeStatus", "instructions"]
SiretField = Literal[
    "siret", "siren", "name", "facilityType", "administrativeStatus", "siretInstructions", "address", "pmStatus",
    "pmOnly", "managesPaymentStatus", "managesLegalCommitment", "managesLegalCommitmentOrService", "serviceCodeStatus",
]  # fmt: skip
RoutingCodeField = Literal[
    "siret", "routingIdentifierType", "routingCodeName", "routingIdentifier", "managesLegalCommitmentCode",
    "administrativeStatus", "address",
]  # fmt: skip
LineField = Literal["addressingIdentifier", "siren", "siret", "routingIdentifier", "addressingSuffix"]
