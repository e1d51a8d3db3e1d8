"""A search carried out over entries in memory, and what of an entry is shown. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from pydantic import BaseModel
from pydantic.alias_generators import to_snake

from gateway.flows.directory.resources import Entry, Part
from gateway.flows.directory.searches import AnySearch, Sorting

EntryT = TypeVar("EntryT", bound=Part)

#: Relation of an entry -> what `include` calls it.
RELATIONS = {"legal_unit": "siren", "facility": "siret", "routing_code": "routingCode"}
_REQUIREMENTS = "b2g_additional_data"
#: Fields that lie in `b2gAdditionalData`, under another name in three cases.
_REQUIREMENT_FIELDS = {
    "pmStatus": "pm",
    "pmOnly": "pm_only",
    "managesPaymentStatus": "manages_payment_status",
    "managesLegalCommitment": "manages_legal_commitment_code",
    "managesLegalCommitmentOrService": "manages_legal_commitment_or_service_code",
    "serviceCodeStatus": "service_code_status",
}
#: What no field names is shown whatever the fields: without it an address could not be judged.
_ALWAYS_SHOWN = {"platform_type", "directory_line_status"}


@dataclass(frozen=True, slots=True)
class Found:
    """A page of entries, and how many there are in all; -1 when the directory does not count them."""

    entries: tuple[Entry, ...]
    total: int


def select(entries: Iterable[Entry], search: AnySearch) -> Found:
    """The page of `entries` that a search within limits asks for, in its order, with what it wants shown."""
    matching = [entry for entry in entries if _matches(entry, search.filters)]
    criteria: Sequence[Sorting[Any]] = search.sorting or ()
    for sorting in reversed(criteria):
        if sorting.field is not None:
            matching.sort(key=partial(_sort_key, sorting.field), reverse=sorting.order == "descending")
    start = search.ignore or 0
    page = matching[start : start + (search.limit or 0)]
    include = getattr(search, "include", None) or ()
    return Found(tuple(shown(entry, search.fields or (), include) for entry in page), len(matching))


def shown(entry: EntryT, fields: Sequence[str], include: Sequence[str]) -> EntryT:
    """The entry with these fields (all when there is none) and, of its relations, those included."""
    hidden: dict[str, Any] = {
        relation: None for relation, name in RELATIONS.items() if hasattr(entry, relation) and name not in include
    }
    if fields:
        wanted = {to_snake(field) for field in fields} | _ALWAYS_SHOWN | set(RELATIONS)
        hidden |= {name: None for name in type(entry).model_fields if name not in wanted}
        requirements = {_REQUIREMENT_FIELDS[field] for field in fields if field in _REQUIREMENT_FIELDS}
        held = getattr(entry, _REQUIREMENTS, None)
        if held is not None and requirements:
            unwanted = {name: None for name in type(held).model_fields if name not in requirements}
            hidden[_REQUIREMENTS] = held.model_copy(update=unwanted)
    return entry.model_copy(update=hidden)


def _matches(entry: Entry, filters: BaseModel | None) -> bool:
    names = type(filters).model_fields if filters is not None else ()
    return all(_meets(entry, name, getattr(filters, name)) for name in names)


def _meets(entry: Entry, name: str, criterion: Any) -> bool:
    if criterion is None or criterion.value is None:
        return True
    value, wanted = _value(entry, name), criterion.value
    if value is None:
        return False
    match criterion.op or ("contains" if name == "address_lines" else "strict"):
        case "contains":
            return wanted.casefold() in str(value).casefold()
        case "startWith":
            return str(value).casefold().startswith(wanted.casefold())
        case _:
            return bool(value == wanted)


def _value(entry: Entry, name: str) -> Any:
    """A property of the entry, or of its postal address."""
    return getattr(entry, name) if hasattr(entry, name) else getattr(getattr(entry, "address", None), name, None)


def _sort_key(field: str, entry: Entry) -> tuple[bool, str]:
    """Entries without the field come last when ascending."""
    requirement = _REQUIREMENT_FIELDS.get(field)
    holder: Any = getattr(entry, _REQUIREMENTS, None) if requirement else entry
    value = getattr(holder, requirement or to_snake(field), None)
    return value is None, value.model_dump_json() if isinstance(value, BaseModel) else str(value)
