"""Contacts and covers as a file, a form or a program tells them, whole and sound. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from gateway.customers.errors import ContactWithoutNameError, CoverIncompleteError, CoverPeriodError
from gateway.customers.model import CustomerContact, CustomerCover
from gateway.customers.values import ContactRole


@dataclass(frozen=True, slots=True)
class ToldContact:
    """A contact; it is the same contact as one of the same role and e-mail address, or name.

    `language` is empty when it was not told.
    """

    role: str
    name: str
    email: str | None
    phone: str | None
    language: str
    postal: tuple[str, ...]

    @property
    def identity(self) -> tuple[str, str]:
        """What makes it that contact."""
        return (self.role, self.email or self.name.casefold())

    @property
    def content(self) -> dict[str, Any]:
        """As the ledger keeps it."""
        return {"role": self.role, "name": self.name, "email": self.email, "phone": self.phone, "to": list(self.postal)}


@dataclass(frozen=True, slots=True)
class ToldCover:
    """An insurer's cover; the same one has the same insurer, reference and first day. Without last day: permanent."""

    insurer: str
    reference: str
    amount: Decimal
    valid_from: date
    valid_until: date | None

    @property
    def identity(self) -> tuple[str, str, date]:
        """What makes it that cover."""
        return (self.insurer, self.reference, self.valid_from)

    @property
    def content(self) -> dict[str, Any]:
        """As the ledger keeps it."""
        return {
            "insurer": self.insurer,
            "reference": self.reference,
            "amount": str(self.amount),
            "from": self.valid_from.isoformat(),
            "until": self.valid_until.isoformat() if self.valid_until else None,
        }


def following(contact: ToldContact, spoke: str, speaks: str) -> ToldContact:
    """A contact when its customer's language changes: who spoke that language goes on speaking it."""
    return replace(contact, language=speaks) if contact.language == spoke else contact


def contact_told(values: Mapping[str, Any], *, company: str | None, language: str = "") -> ToldContact:
    """A contact from the values of `fields.CONTACT_FIELDS`; `company` stands for a name.

    Raises ContactWithoutNameError.
    """
    name = values.get("name") or values.get("email") or company
    if not name:
        raise ContactWithoutNameError
    return ToldContact(
        role=values.get("role", ContactRole.ACCOUNTING.value),
        name=name,
        email=values.get("email"),
        phone=values.get("phone"),
        language=values.get("language") or language,
        postal=tuple(values.get("address", ())),
    )


def cover_told(values: Mapping[str, Any]) -> ToldCover:
    """A cover from the values of `fields.COVER_FIELDS`. Raises CoverIncompleteError, CoverPeriodError."""
    for name in ("insurer", "amount", "valid_from"):
        if name not in values:
            raise CoverIncompleteError(name)
    first, last = values["valid_from"], values.get("valid_until")
    if last is not None and last < first:
        raise CoverPeriodError(last)
    return ToldCover(values["insurer"], values.get("reference", ""), values["amount"], first, last)


def told_contact(row: CustomerContact) -> ToldContact:
    """A contact that is known."""
    return ToldContact(row.role, row.name, row.email, row.phone, row.language, tuple(row.postal))


def told_cover(row: CustomerCover) -> ToldCover:
    """A cover that is known."""
    return ToldCover(row.insurer, row.reference, row.amount, row.valid_from, row.valid_until)
