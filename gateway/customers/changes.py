"""What a file would change of a customer. Pure: shown by a dry run, written by a real one."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from uuid import UUID

from gateway.customers.importing import ToldCustomer
from gateway.customers.matching import UNNAMED
from gateway.customers.model import Customer, CustomerContact, CustomerCover
from gateway.customers.payment_terms import Lawfulness, TermVerdict, check_payment_terms, read_payment_terms
from gateway.customers.statutory_terms import StatutoryTerms
from gateway.customers.told import ToldContact, ToldCover, following, told_contact, told_cover
from gateway.kernel.text import DEFAULT_LANGUAGE, Text


class ChangeKind(StrEnum):
    """What becomes of a customer of the file."""

    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One fact before and after, as text; None: nothing was or will be said."""

    field: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class CustomerChange:
    """What a file would change of one customer.

    Attributes:
        line: of its first row. fields: its own facts.
        contacts, covers: those added, or changed to this.
        remarks: what is taken and is not right all the same, such as terms past the law.
    """

    key: str
    name: str
    line: int
    kind: ChangeKind
    fields: tuple[FieldChange, ...] = ()
    contacts: tuple[ToldContact, ...] = ()
    covers: tuple[ToldCover, ...] = ()
    remarks: tuple[Text, ...] = ()


def change_of(
    told: ToldCustomer,
    row: Customer | None,
    contacts: Iterable[CustomerContact],
    covers: Iterable[CustomerCover],
    *,
    people: Mapping[UUID, str],
    on: date,
    law: StatutoryTerms,
) -> CustomerChange:
    """The difference between what is told and what is known; `people`: e-mail addresses, to show a collector.

    `law`: what the agreed terms are compared with, as it is `on` that day.
    """
    fields = tuple(
        FieldChange(name, before, after)
        for name, value in told.fields.items()
        for before, after in [(_shown(getattr(row, name, None), people), _shown(value, people))]
        if before != after
    )
    known_contacts = {each.identity: each for each in map(told_contact, contacts)}
    spoke = row.language if row else DEFAULT_LANGUAGE
    speaks = told.fields.get("language") or spoke
    followed = {name: following(each, spoke, speaks) for name, each in known_contacts.items()}
    merged = {each.identity: _merged(each, followed.get(each.identity), speaks) for each in told.contacts.values()}
    known_covers = {each.identity: each for each in map(told_cover, covers)}
    new_contacts = tuple(each for name, each in {**followed, **merged}.items() if each != known_contacts.get(name))
    new_covers = tuple(each for each in told.covers.values() if known_covers.get(each.identity) != each)
    changed = fields or new_contacts or new_covers
    kind = ChangeKind.CREATED if row is None else ChangeKind.CHANGED if changed else ChangeKind.UNCHANGED
    verdict = _terms(told, row, on, law)
    return CustomerChange(
        key=told.key,
        name=told.fields.get("name") or (row.name if row else name_of_key(told.key)),
        line=told.line,
        kind=kind,
        fields=fields,
        contacts=new_contacts,
        covers=new_covers,
        remarks=(verdict.reason,) if verdict and verdict.lawfulness is not Lawfulness.LAWFUL else (),
    )


def name_of_key(key: str) -> str:
    """What an account is called as long as nobody says its name."""
    return key.partition(":")[2] or UNNAMED


def _terms(told: ToldCustomer, row: Customer | None, on: date, law: StatutoryTerms) -> TermVerdict | None:
    written = told.fields.get("payment_terms")
    if not written:
        return None
    is_public, is_consumer = (
        bool(told.fields.get(name, getattr(row, name, False))) for name in ("is_public", "is_consumer")
    )
    return check_payment_terms(read_payment_terms(written), on, law, is_public=is_public, is_consumer=is_consumer)


def _shown(value: object, people: Mapping[UUID, str]) -> str | None:
    if value is None:
        return None
    return people.get(value, str(value)) if isinstance(value, UUID) else str(value)


def _merged(told: ToldContact, known: ToldContact | None, speaks: str) -> ToldContact:
    """What is told, completed by what is known: an empty cell says nothing. A new contact speaks as its customer."""
    if known is None:
        return replace(told, language=told.language or speaks)
    return replace(
        told,
        phone=told.phone or known.phone,
        language=told.language or known.language,
        postal=told.postal or known.postal,
    )
