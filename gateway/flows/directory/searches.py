"""What clients may search for (XP Z12-013, Directory Service 1.3.0): filters, sorting, fields, relations, a page.

The types are exactly those of the standard: no property is required, none may be null, none is converted.
"""

from typing import Annotated, Any, ClassVar, Generic, Literal, Self, TypeVar

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from gateway.flows.directory.resources import DirectoryLine, Entry, Facility, LegalUnit, Part, RoutingCode
from gateway.flows.directory.terms import (
    AdministrativeStatus,
    AnyOperator,
    ContainsOrStart,
    ContainsOrStrict,
    EntityType,
    FacilityType,
    LineField,
    Order,
    RoutingCodeField,
    SirenField,
    SiretField,
    Strict,
    StrictOrStart,
)
from gateway.kernel.dated import data_file

#: The numbers of the standard (format int32); negative ones count as zero.
Number = Annotated[int, Field(ge=-(2**31), lt=2**31)]


class _Asked(Part):
    """Part of a request. Values are taken as written: "5" is no number."""

    model_config = ConfigDict(strict=True, regex_engine="python-re")

    @model_validator(mode="before")
    @classmethod
    def _no_null(cls, given: Any) -> Any:
        for name, value in given.items() if isinstance(given, dict) else ():
            if value is None and any(name in (known, field.alias) for known, field in cls.model_fields.items()):
                raise ValueError(f"{name} may be left out, but not be null")
        return given


Operator = TypeVar("Operator")
Value = TypeVar("Value")
FieldName = TypeVar("FieldName")

Text5 = Annotated[str, StringConstraints(max_length=5)]
Text9 = Annotated[str, StringConstraints(max_length=9)]
Text14 = Annotated[str, StringConstraints(max_length=14)]
Text100 = Annotated[str, StringConstraints(max_length=100)]
Text125 = Annotated[str, StringConstraints(max_length=125)]
Text150 = Annotated[str, StringConstraints(max_length=150)]
Text255 = Annotated[str, StringConstraints(max_length=255)]
Text600 = Annotated[str, StringConstraints(max_length=600)]
#: Empty, or not only white space.
Words100 = Annotated[str, StringConstraints(max_length=100, pattern=r"^$|^(?!\s*$).+")]


class Criterion(_Asked, Generic[Operator, Value]):
    """How one property must compare. Without a value it asks for nothing; without an operator, for equality."""

    op: Operator | None = None
    value: Value | None = None


class Sorting(_Asked, Generic[FieldName]):
    """One sorting criterion; ascending unless told."""

    field: FieldName | None = None
    order: Order | None = None


class SirenFilters(_Asked):
    """Criteria on companies; all must hold."""

    siren: Criterion[Strict, Text9] | None = None
    business_name: Criterion[AnyOperator, Text150] | None = None
    entity_type: Criterion[Strict, EntityType] | None = None
    administrative_status: Criterion[Strict, AdministrativeStatus] | None = None


class SiretFilters(_Asked):
    """Criteria on facilities; all must hold."""

    siret: Criterion[Strict, Text14] | None = None
    siren: Criterion[Strict, Text9] | None = None
    facility_type: Criterion[Strict, FacilityType] | None = None
    name: Criterion[AnyOperator, Text100] | None = None
    address_lines: Criterion[ContainsOrStart, Text600] | None = None
    postal_code: Criterion[StrictOrStart, Text5] | None = None
    country_subdivision: Criterion[Strict, Text255] | None = None
    locality: Criterion[AnyOperator, Text100] | None = None
    administrative_status: Criterion[Strict, AdministrativeStatus] | None = None


class RoutingCodeFilters(_Asked):
    """Criteria on routing codes; all must hold."""

    routing_identifier: Criterion[ContainsOrStrict, Words100] | None = None
    siret: Criterion[Strict, Text14] | None = None
    routing_code_name: Criterion[ContainsOrStrict, Words100] | None = None
    administrative_status: Criterion[Strict, AdministrativeStatus] | None = None
    address_lines: Criterion[ContainsOrStart, Text600] | None = None
    postal_code: Criterion[StrictOrStart, Text5] | None = None
    locality: Criterion[AnyOperator, Text100] | None = None


class LineFilters(_Asked):
    """Criteria on directory lines; all must hold."""

    addressing_identifier: Criterion[ContainsOrStrict, Text125] | None = None
    siren: Criterion[Strict, Text9] | None = None
    siret: Criterion[Strict, Text14] | None = None
    routing_identifier: Criterion[ContainsOrStrict, Words100] | None = None
    addressing_suffix: Criterion[ContainsOrStrict, Text100] | None = None


class Search(_Asked):
    """A search; `path` is its place in the service, `entry` what it finds, `ignore` how many entries to skip."""

    path: ClassVar[str]
    entry: ClassVar[type[Entry]]

    limit: Number | None = None
    ignore: Number | None = None

    def within_limits(self) -> Self:
        """The page as it is served: at most the highest limit, nothing below zero. It is what the answer repeats."""
        page = data_file("directory.toml")["page"]
        wanted = page["default"] if self.limit is None else self.limit
        limit = min(max(wanted, 0), page["highest"])
        return self.model_copy(update={"limit": limit, "ignore": max(self.ignore or 0, 0)})


class SirenSearch(Search):
    """Companies."""

    path: ClassVar[str] = "siren"
    entry: ClassVar[type[Entry]] = LegalUnit

    filters: SirenFilters | None = None
    sorting: list[Sorting[SirenField]] | None = None
    fields: list[SirenField] | None = None


class SiretSearch(Search):
    """Facilities."""

    path: ClassVar[str] = "siret"
    entry: ClassVar[type[Entry]] = Facility

    filters: SiretFilters | None = None
    sorting: list[Sorting[SiretField]] | None = None
    fields: list[SiretField] | None = None
    include: list[Literal["siren"]] | None = None


class RoutingCodeSearch(Search):
    """Routing codes."""

    path: ClassVar[str] = "routing-code"
    entry: ClassVar[type[Entry]] = RoutingCode

    filters: RoutingCodeFilters | None = None
    sorting: list[Sorting[RoutingCodeField]] | None = None
    fields: list[RoutingCodeField] | None = None
    include: list[Literal["siren", "siret"]] | None = None


class LineSearch(Search):
    """Directory lines."""

    path: ClassVar[str] = "directory-line"
    entry: ClassVar[type[Entry]] = DirectoryLine

    filters: LineFilters | None = None
    sorting: list[Sorting[LineField]] | None = None
    fields: list[LineField] | None = None
    include: list[Literal["siren", "siret", "routingCode"]] | None = None


AnySearch = SirenSearch | SiretSearch | RoutingCodeSearch | LineSearch
