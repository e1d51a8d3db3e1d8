"""Addresses that reach nobody, or the wrong person: nothing goes there until a person corrects it. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from gateway.customers.values import Contact
from gateway.kernel.dated import data_file, text_of
from gateway.kernel.sayer import filled
from gateway.kernel.text import Text


class FaultKind(StrEnum):
    """What is wrong."""

    #: Whoever was reached there is not the right person: nothing goes to that contact any more, by no way.
    WRONG_CONTACT = "wrong_contact"
    #: A mail server refused the e-mail address, or sent the message back.
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class AddressFault:
    """An address of a customer that is not to be used.

    Attributes:
        address: an e-mail address, a phone number or a name, as `as_kept` writes it.
        since: day it was found out (Europe/Paris). words: the server's answer, or a person's.
    """

    address: str
    kind: FaultKind
    since: date
    words: str = ""

    @property
    def says(self) -> Text:
        """The fault in a sentence."""
        sentence = text_of(data_file("scenarios.toml")["address_fault"][self.kind.value])
        told = f" ({self.words})" if self.words else ""
        return filled(sentence, lambda say: {"address": self.address, "day": say.day(self.since), "words": told})

    def touches(self, contact: Contact) -> bool:
        """Whether it is about that contact."""
        if self.kind is FaultKind.REFUSED:
            return contact.email is not None and as_kept(contact.email) == self.address
        return self.address in {as_kept(each) for each in (contact.email, contact.phone, contact.name) if each}


def as_kept(address: str) -> str:
    """An e-mail address or a name in small letters, with single blanks; a phone number by its digits alone."""
    text = " ".join(address.split()).casefold()
    digits = "".join(each for each in text if each.isdigit())
    return digits if digits and not any(each.isalpha() or each == "@" for each in text) else text


def usable(contacts: Iterable[Contact], faults: Iterable[AddressFault]) -> Iterator[Contact]:
    """The contacts that may be used, each without the addresses that may not."""
    known = tuple(faults)
    for contact in contacts:
        kinds = {each.kind for each in known if each.touches(contact)}
        if FaultKind.WRONG_CONTACT not in kinds:
            yield replace(contact, email=None) if FaultKind.REFUSED in kinds else contact


def faults_of(contacts: Iterable[Contact], faults: Iterable[AddressFault]) -> tuple[AddressFault, ...]:
    """The faults that are about contacts the customer still has."""
    known = tuple(contacts)
    return tuple(each for each in faults if any(each.touches(contact) for contact in known))


def contact_named(contacts: Iterable[Contact], said: str) -> Contact | None:
    """The contact of that name, e-mail address or number; None when it is nobody's, or that of several."""
    sought = as_kept(said)
    found = [
        each
        for each in contacts
        if sought and sought in {as_kept(one) for one in (each.email, each.phone, each.name) if one}
    ]
    return found[0] if len(found) == 1 else None
