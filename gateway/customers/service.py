"""What people and programs change of a customer. Each change goes to the ledger with who made it, before and after."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, select

from gateway.access.model import User
from gateway.access.scope import Scope
from gateway.customers.errors import (
    ContactNotFoundError,
    CoverNotFoundError,
    EmptyNoteError,
    RefusedValueError,
    UnknownCollectorError,
)
from gateway.customers.fields import CONTACT_FIELDS, COVER_FIELDS, FIELDS, REQUIRED
from gateway.customers.keeping import keep_contact, keep_cover
from gateway.customers.knowledge import DirectoryState
from gateway.customers.model import Customer, CustomerContact, CustomerCover, CustomerNote
from gateway.customers.repository import contact_rows, cover_rows, find_customer, lock_customer
from gateway.customers.told import contact_told, cover_told, following, told_contact, told_cover
from gateway.kernel.text import Text
from gateway.ledger.service import append, take_turn

LONGEST_NOTE = 5000
#: What the key of an account tells, by its kind.
_FIXED = {"siren": {"siren"}, "siret": {"siren", "siret"}, "vat": {"vat_number"}}


def change_customer(
    session: Session, scope: Scope, customer_id: UUID, told: Mapping[str, str], *, by: str, now: datetime
) -> Customer:
    """Change some facts, written as in a file of customers; an empty text erases one.

    What its key tells (SIREN, SIRET, VAT number) stays. Contacts that spoke its language follow when that changes.
    Raises CustomerNotFoundError, RefusedValueError.
    """
    row = _locked(session, scope, customer_id)
    read = {name: _read(FIELDS, name, text) for name, text in told.items()}
    for name in read.keys() & _FIXED.get(row.key.partition(":")[0], set()):
        if read[name] != getattr(row, name):
            raise _fixed_by_key(name, told[name])
    if "collector" in read:
        read["collector_id"] = _person(session, read.pop("collector"))
    before = {name: getattr(row, name) for name in read}
    changed = {name: value for name, value in read.items() if value != before[name]}
    if changed:
        row.sqlmodel_update(changed)
        row.updated_at = now
        session.add(row)
        if "language" in changed:
            for contact in contact_rows(session, [row.id]).get(row.id, ()):
                contact.language = following(told_contact(contact), before["language"], row.language).language
        fields = {name: {"before": _kept(before[name]), "after": _kept(value)} for name, value in changed.items()}
        _tell(session, row, "customer.changed", {"by": by, "fields": fields}, now)
    return row


def add_contact(
    session: Session, scope: Scope, customer_id: UUID, told: Mapping[str, str], *, by: str, now: datetime
) -> CustomerContact:
    """A person or a mailbox to write to; one of the same role and address is changed.

    Raises CustomerNotFoundError, RefusedValueError.
    """
    row = _locked(session, scope, customer_id)
    contact = contact_told(_read_all(CONTACT_FIELDS, told), company=None, language=row.language)
    kept = keep_contact(session, row, contact, contact_rows(session, [row.id]).get(row.id, ()), now)
    _tell(session, row, "customer.contact_kept", {"by": by, **contact.content}, now)
    return kept


def remove_contact(
    session: Session, scope: Scope, customer_id: UUID, contact_id: UUID, *, by: str, now: datetime
) -> None:
    """Nobody is written to there any more. Raises CustomerNotFoundError, ContactNotFoundError."""
    row = _locked(session, scope, customer_id)
    contact = session.get(CustomerContact, contact_id)
    if contact is None or contact.customer_id != customer_id:
        raise ContactNotFoundError(contact_id)
    session.delete(contact)
    _tell(session, row, "customer.contact_removed", {"by": by, **told_contact(contact).content}, now)


def add_cover(
    session: Session, scope: Scope, customer_id: UUID, told: Mapping[str, str], *, by: str, now: datetime
) -> CustomerCover:
    """An insurer's guarantee; one of the same reference and first day is changed, such as to give it an end.

    Raises CustomerNotFoundError, RefusedValueError.
    """
    row = _locked(session, scope, customer_id)
    cover = cover_told(_read_all(COVER_FIELDS, told))
    kept = keep_cover(session, row, cover, cover_rows(session, [row.id]).get(row.id, ()), by=by, now=now)
    _tell(session, row, "customer.cover_kept", {"by": by, **cover.content}, now)
    return kept


def remove_cover(session: Session, scope: Scope, customer_id: UUID, cover_id: UUID, *, by: str, now: datetime) -> None:
    """A cover that was recorded by mistake; one that ends is recorded again with its last day."""
    row = _locked(session, scope, customer_id)
    cover = session.get(CustomerCover, cover_id)
    if cover is None or cover.customer_id != customer_id:
        raise CoverNotFoundError(cover_id)
    session.delete(cover)
    _tell(session, row, "customer.cover_removed", {"by": by, **told_cover(cover).content}, now)


def add_note(
    session: Session, scope: Scope, customer_id: UUID, text: str, *, by: str, author_name: str, now: datetime
) -> CustomerNote:
    """Keep what someone knows of a customer, with their name and the time.

    Raises CustomerNotFoundError, EmptyNoteError.
    """
    row = find_customer(session, scope, str(customer_id))
    written = "".join(char for char in text.strip() if char.isprintable() or char == "\n")[:LONGEST_NOTE]
    if not written:
        raise EmptyNoteError
    note = CustomerNote(
        organisation_id=row.organisation_id,
        customer_id=row.id,
        text=written,
        at=now,
        author=by,
        author_name=author_name,
    )
    session.add(note)
    _tell(session, row, "customer.note_added", {"by": by, "text": written}, now)
    return note


def record_directory_state(session: Session, customer_id: UUID, state: DirectoryState, now: datetime) -> bool:
    """Keep what the directory, which is a room above this one, said of a customer. True when it is news."""
    row = _locked(session, Scope.everything(), customer_id)
    is_news = row.directory_state != state
    row.directory_state, row.directory_checked_at = state.value, now
    session.add(row)
    if is_news:
        _tell(session, row, "customer.directory_checked", {"state": state.value}, now)
    return is_news


def _locked(session: Session, scope: Scope, customer_id: UUID) -> Customer:
    """The customer, kept from other writers; the turn comes before the row."""
    take_turn(session)
    find_customer(session, scope, str(customer_id))
    return lock_customer(session, customer_id)


def _read(readers: Mapping[str, Any], name: str, text: str) -> Any:
    if name not in readers:
        why = Text("Ce champ n’existe pas", "There is no such field")
        raise RefusedValueError(
            name, why, Text(f"Connus : {', '.join(readers)}.", f"Known: {', '.join(readers)}."), name
        )
    if not text.strip():
        if name in REQUIRED:
            why = Text("Cela ne s’efface pas", "This cannot be erased")
            raise RefusedValueError("", why, Text("Donnez une valeur.", "Give a value."), name)
        return False if name.startswith("is_") else None
    try:
        return readers[name](text)
    except RefusedValueError as error:
        raise error.of(name) from error


def _read_all(readers: Mapping[str, Any], told: Mapping[str, str]) -> dict[str, Any]:
    return {name: _read(readers, name, text) for name, text in told.items() if text.strip()}


def _person(session: Session, email: str | None) -> UUID | None:
    if email is None:
        return None
    found = session.exec(select(User.id).where(col(User.email) == email)).one_or_none()
    if found is None:
        raise UnknownCollectorError(email)
    return found


def _fixed_by_key(name: str, text: str) -> RefusedValueError:
    return RefusedValueError(
        text,
        Text("La clé du compte le fixe", "The key of the account fixes it"),
        Text("Importez un autre compte sous sa propre clé.", "Import another account under a key of its own."),
        name,
    )


def _tell(session: Session, row: Customer, kind: str, content: dict[str, Any], now: datetime) -> None:
    append(session, at=now, kind=kind, subject=f"customer:{row.key}", content=content)


def _kept(value: object) -> str | bool | None:
    return value if value is None or isinstance(value, bool) else str(value)
