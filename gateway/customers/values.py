"""What the rooms above read of a customer: who it is, whom to write to, how far it is trusted. Pure values."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from gateway.kernel.text import Language, Text


class ContactRole(StrEnum):
    """What a contact is there for."""

    ACCOUNTING = "accounting"
    BUYER = "buyer"
    MANAGEMENT = "management"
    LEGAL = "legal"
    OTHER = "other"

    @property
    def label(self) -> Text:
        """The role's name for people."""
        return _ROLE_LABELS[self]


_ROLE_LABELS = {
    ContactRole.ACCOUNTING: Text("Comptabilité", "Accounting"),
    ContactRole.BUYER: Text("Achats", "Buyer"),
    ContactRole.MANAGEMENT: Text("Direction", "Management"),
    ContactRole.LEGAL: Text("Juridique", "Legal"),
    ContactRole.OTHER: Text("Autre", "Other"),
}


@dataclass(frozen=True, slots=True)
class Contact:
    """A person or a mailbox at the customer; `postal` are the lines of an address, the first one on top."""

    role: ContactRole
    name: str
    email: str | None
    phone: str | None
    language: Language
    postal: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CustomerFacts:
    """One debtor account.

    Attributes:
        id: of its row. key: how it is told from the others, such as `siren:123456789` (see `matching`).
        name: as people call it. siren: nine digits, when known.
        segment: the organisation's own class of customers, in lower case.
        language: of what is written to it when a contact does not say.
        contacts: in the order they were given.
        credit_limit: how much may be open, in `credit_currency`; None: no limit was set.
        collector_id: the person who follows it.
        is_public: B2G: other terms and rates hold.
        is_consumer: not a business: limitation of two years, no fixed indemnity.
        insolvent_since: day of the judgment or of its publication (BODACC); None when healthy.
    """

    id: UUID
    key: str
    name: str
    siren: str | None
    segment: str | None
    language: Language
    contacts: tuple[Contact, ...]
    credit_limit: Decimal | None
    credit_currency: str
    collector_id: UUID | None
    is_public: bool
    is_consumer: bool
    insolvent_since: date | None
