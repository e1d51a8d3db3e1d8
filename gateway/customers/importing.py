"""What a file of customers says, and what it would change. Pure: a dry run and a real one share it.

One row is one customer, with at most one contact and one cover; further rows of the same customer add contacts and
covers. An empty cell says nothing; a cell with `-` erases. A row that is refused takes nothing with it but itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from gateway.customers.errors import RefusedValueError, UnknownCollectorError, UnreadableCustomerFileError
from gateway.customers.fields import (
    CONTACT_FIELDS,
    COVER_FIELDS,
    FIELDS,
    REQUIRED,
    normalised,
    read_key,
)
from gateway.customers.matching import key_of, key_of_siret
from gateway.customers.table_file import Row
from gateway.customers.told import ToldContact, ToldCover, contact_told, cover_told
from gateway.kernel.dated import data_file
from gateway.kernel.text import Text

ERASE = "-"
_SIREN_DIGITS = 9
_CONTACT, _COVER = "contact_", "cover_"
_READERS = {
    "key": read_key,
    **FIELDS,
    **{f"{_CONTACT}{name}": reader for name, reader in CONTACT_FIELDS.items()},
    **{f"{_COVER}{name}": reader for name, reader in COVER_FIELDS.items()},
}
#: Columns of the file whose name is not that of the field.
_RENAMED = {
    "insurer": "cover_insurer",
    "cover_from": "cover_valid_from",
    "cover_until": "cover_valid_until",
}


@dataclass(frozen=True, slots=True)
class RefusedCell:
    """Why a row is not taken: its line, the column as the file calls it, the value, why, how to mend it."""

    line: int
    column: str
    value: str
    why: Text
    fix: Text

    def as_json(self) -> dict[str, Any]:
        """As it is kept: in both languages."""
        return asdict(self)


@dataclass(slots=True)
class ToldCustomer:
    """All that a file says of one customer; a field that is None is to be erased."""

    key: str
    line: int
    fields: dict[str, Any] = field(default_factory=dict)
    contacts: dict[tuple[str, str], ToldContact] = field(default_factory=dict)
    covers: dict[tuple[str, str, date], ToldCover] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReadFile:
    """A file as read: its customers by key in their order, and the rows that are refused."""

    customers: Mapping[str, ToldCustomer]
    refused: Sequence[RefusedCell]
    rows: int


def read_customers(rows: Sequence[Row], collectors: Mapping[str, UUID]) -> ReadFile:
    """What a table of customers says. `collectors`: people by their e-mail address.

    Raises UnreadableCustomerFileError for a header that names nothing, or one thing twice.
    """
    header = _columns(rows[0])
    customers: dict[str, ToldCustomer] = {}
    refused: list[RefusedCell] = []
    for row in rows[1:]:
        try:
            _take(row, header, collectors, customers)
        except RefusedValueError as error:
            column = header.get(error.where, error.where)
            refused.append(RefusedCell(row.line, column, error.value, error.why, error.fix))
    return ReadFile(customers, refused, len(rows) - 1)


def _columns(header: Row) -> dict[str, str]:
    """The fields of the columns, in their order, with the header of each; those that are not known are passed over."""
    known: dict[str, str] = {
        normalised(word): name for name, words in data_file("customers.toml")["columns"].items() for word in words
    }
    found: dict[str, str] = {}
    for number, written in enumerate(header.cells):
        name = known.get(normalised(written))
        name = _RENAMED.get(name, name) if name else f"?{number}"
        if name in found:
            raise UnreadableCustomerFileError(
                Text(
                    f"Les colonnes « {found[name]} » et « {written} » disent la même chose.",
                    f"The columns '{found[name]}' and '{written}' say the same thing.",
                ),
                Text("Gardez-en une.", "Keep one of them."),
                written,
            )
        found[name] = written
    if not {"key", "siren", "siret", "vat_number", "name"} & set(found):
        raise UnreadableCustomerFileError(
            Text(
                "Aucune colonne ne dit de quel client il s’agit : clé, SIREN, SIRET, TVA ou nom.",
                "No column says which customer a row is about: key, SIREN, SIRET, VAT or name.",
            ),
            Text("Donnez un titre à chaque colonne en première ligne.", "Give each column a title in the first row."),
        )
    return found


def _take(
    row: Row, header: Mapping[str, str], collectors: Mapping[str, UUID], customers: dict[str, ToldCustomer]
) -> None:
    said = {
        name: _read(name, cell)
        for name, cell in zip(header, row.cells, strict=False)
        if cell and not name.startswith("?")
    }
    if "collector" in said:
        said["collector_id"] = _collector(said.pop("collector"), collectors)
    contact, cover = _contact(said), _cover(said)
    key = said.pop("key", None) or _key(said)
    _agree(key, said)
    told = customers.get(key)
    fields = {name: value for name, value in said.items() if not name.startswith((_CONTACT, _COVER))}
    for name, value in fields.items():
        if told and told.fields.get(name, value) != value:
            raise RefusedValueError(
                str(value),
                Text(
                    f"La ligne {told.line} dit autre chose du même client",
                    f"Row {told.line} says something else of the same customer",
                ),
                Text("Accordez les deux lignes.", "Make the two rows agree."),
                name,
            )
    told = customers.setdefault(key, ToldCustomer(key, row.line))
    told.fields.update(fields)
    if contact:
        told.contacts[contact.identity] = contact
    if cover:
        told.covers[cover.identity] = cover


def _read(name: str, cell: str) -> Any:
    if cell == ERASE:
        if name in FIELDS and name not in REQUIRED:
            return False if name.startswith("is_") else None
        raise RefusedValueError(
            cell, Text("Cela ne s’efface pas", "This cannot be erased"), Text("Videz la case.", "Empty the cell."), name
        )
    try:
        return _READERS[name](cell)
    except RefusedValueError as error:
        raise error.of(name) from error


def _collector(email: str | None, collectors: Mapping[str, UUID]) -> UUID | None:
    if email is not None and email not in collectors:
        raise UnknownCollectorError(email)
    return collectors[email] if email else None


def _key(said: Mapping[str, Any]) -> str:
    """By SIREN; a SIRET alone makes the account of an establishment; else by VAT number, else by name."""
    vat_number, siren = said.get("vat_number"), said.get("siren")
    if not siren and said.get("siret"):
        return key_of_siret(said["siret"])
    if not siren and vat_number and vat_number.startswith("FR"):
        siren = vat_number[-_SIREN_DIGITS:]
    if not (siren or vat_number or said.get("name")):
        raise RefusedValueError(
            "",
            Text("Rien ne dit de quel client il s’agit", "Nothing says which customer this is"),
            Text("Donnez son SIREN, son SIRET, sa TVA ou son nom.", "Give its SIREN, SIRET, VAT number or name."),
            "key",
        )
    return key_of(siren=siren, vat_number=vat_number, name=said.get("name") or "")


def _agree(key: str, said: dict[str, Any]) -> None:
    """What the key tells is filled in; a number that contradicts it, or the SIRET, is refused."""
    kind, _, number = key.partition(":")
    implied: dict[str, str] = {}
    if kind == "siret":
        implied = {"siret": number, "siren": number[:_SIREN_DIGITS]}
    elif kind == "siren":
        implied = {"siren": number}
    elif kind == "vat":
        implied = {"vat_number": number}
    for name, value in implied.items():
        if said.get(name, value) != value:
            raise _contradiction(name, said[name], key)
        said[name] = value
    siret, siren = said.get("siret"), said.get("siren")
    if siret and siren and not siret.startswith(siren):
        raise _contradiction("siret", siret, siren)


def _contradiction(name: str, value: object, other: str) -> RefusedValueError:
    return RefusedValueError(
        str(value),
        Text(f"Cela contredit {other}", f"This contradicts {other}"),
        Text("Corrigez l’un des deux.", "Mend one of the two."),
        name,
    )


def _contact(said: Mapping[str, Any]) -> ToldContact | None:
    given = _given(said, _CONTACT)
    if not given.keys() - {"role", "language"}:
        return None
    return contact_told(given, company=said.get("name"))


def _cover(said: Mapping[str, Any]) -> ToldCover | None:
    given = _given(said, _COVER)
    return cover_told(given) if given else None


def _given(said: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    return {name.removeprefix(prefix): value for name, value in said.items() if name.startswith(prefix)}
