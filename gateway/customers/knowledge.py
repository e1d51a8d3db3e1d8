"""What is known of a customer's existence: identifiers that hold, its place in the directory, insolvency. Pure."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from stdnum.eu import vat

from gateway.kernel.identifiers import is_siren, is_siret
from gateway.kernel.text import Text

_SIREN_DIGITS = 9


class Confidence(StrEnum):
    """How a fact stands."""

    HOLDS = "holds"
    UNKNOWN = "unknown"
    FAILS = "fails"

    @property
    def label(self) -> Text:
        """What is shown beside the fact."""
        return _CONFIDENCE_LABELS[self]


_CONFIDENCE_LABELS = {
    Confidence.HOLDS: Text("vérifié", "checked"),
    Confidence.UNKNOWN: Text("inconnu", "unknown"),
    Confidence.FAILS: Text("à voir", "to be seen"),
}


class DirectoryState(StrEnum):
    """What the directory of recipients says of a SIREN."""

    #: It has an address that invoices can be sent to.
    ADDRESSABLE = "addressable"
    #: It is known and receives nothing yet.
    NOT_ADDRESSABLE = "not_addressable"
    #: The directory does not know it.
    ABSENT = "absent"
    #: The company is closed.
    CEASED = "ceased"


@dataclass(frozen=True, slots=True)
class KnownFact:
    """One fact: what was looked at, how it stands, what to know of it."""

    name: str
    confidence: Confidence
    says: Text


@dataclass(frozen=True, slots=True)
class Identity:
    """What an account says it is; see `gateway.customers.model.Customer`."""

    siren: str | None
    siret: str | None
    vat_number: str | None
    is_consumer: bool
    directory_state: str | None
    insolvent_since: date | None


def known_facts(identity: Identity) -> tuple[KnownFact, ...]:
    """Every fact, in the order people check them."""
    return (_siren(identity), *_siret(identity), _vat(identity), _directory(identity), _insolvency(identity))


def _siren(identity: Identity) -> KnownFact:
    siren = identity.siren
    if siren is None:
        if identity.is_consumer:
            return KnownFact("siren", Confidence.HOLDS, Text("Particulier : pas de SIREN.", "A consumer has no SIREN."))
        return KnownFact("siren", Confidence.UNKNOWN, Text("SIREN inconnu.", "The SIREN is not known."))
    if is_siren(siren):
        return KnownFact(
            "siren", Confidence.HOLDS, Text(f"SIREN {siren} : clé juste.", f"SIREN {siren}: key is right.")
        )
    return KnownFact(
        "siren",
        Confidence.FAILS,
        Text(f"SIREN {siren} : clé fausse, il n’existe pas.", f"SIREN {siren}: wrong key, there is no such number."),
    )


def _siret(identity: Identity) -> tuple[KnownFact, ...]:
    siret = identity.siret
    if siret is None:
        return ()
    if not is_siret(siret):
        says = Text(f"SIRET {siret} : clé fausse.", f"SIRET {siret}: wrong key.")
    elif identity.siren and siret[:_SIREN_DIGITS] != identity.siren:
        says = Text(f"Le SIRET {siret} n’est pas du même SIREN.", f"SIRET {siret} belongs to another SIREN.")
    else:
        return (KnownFact("siret", Confidence.HOLDS, Text(f"SIRET {siret} : juste.", f"SIRET {siret}: right.")),)
    return (KnownFact("siret", Confidence.FAILS, says),)


def _vat(identity: Identity) -> KnownFact:
    number = identity.vat_number
    if number is None:
        return KnownFact("vat", Confidence.UNKNOWN, Text("Numéro de TVA inconnu.", "The VAT number is not known."))
    if not vat.is_valid(number):
        says = Text(f"Numéro de TVA {number} : forme ou clé fausse.", f"VAT number {number}: wrong form or key.")
    elif identity.siren and number.startswith("FR") and number[-_SIREN_DIGITS:] != identity.siren:
        says = Text(f"Le numéro de TVA {number} n’est pas du même SIREN.", f"VAT number {number} is of another SIREN.")
    else:
        return KnownFact(
            "vat",
            Confidence.HOLDS,
            Text(f"Numéro de TVA {number} : juste.", f"VAT number {number}: right."),
        )
    return KnownFact("vat", Confidence.FAILS, says)


def _directory(identity: Identity) -> KnownFact:
    if identity.directory_state is None:
        return KnownFact(
            "directory", Confidence.UNKNOWN, Text("Annuaire non consulté.", "The directory was not asked.")
        )
    state = DirectoryState(identity.directory_state)
    says = {
        DirectoryState.ADDRESSABLE: Text("Présent à l’annuaire, joignable.", "In the directory, and reachable."),
        DirectoryState.NOT_ADDRESSABLE: Text(
            "Présent à l’annuaire, sans adresse de réception.", "In the directory, without an address to receive at."
        ),
        DirectoryState.ABSENT: Text("Absent de l’annuaire.", "Not in the directory."),
        DirectoryState.CEASED: Text("Fermé selon l’annuaire.", "Closed, says the directory."),
    }[state]
    holds = state is DirectoryState.ADDRESSABLE
    return KnownFact("directory", Confidence.HOLDS if holds else Confidence.FAILS, says)


def _insolvency(identity: Identity) -> KnownFact:
    since = identity.insolvent_since
    if since is None:
        return KnownFact(
            "insolvency",
            Confidence.HOLDS,
            Text("Aucune procédure collective enregistrée.", "No insolvency proceedings are recorded."),
        )
    return KnownFact(
        "insolvency",
        Confidence.FAILS,
        Text(f"Procédure collective depuis le {since:%d/%m/%Y}.", f"In insolvency proceedings since {since}."),
    )
