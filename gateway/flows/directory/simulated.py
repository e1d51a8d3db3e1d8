"""The directory of the platform simulator: always the same answers, enough to try every case an address can be in.

It knows the companies of `schemas/directory.toml`, the buyers and sellers of the organisation's invoices under their
names, and every other SIREN with a right key as soon as it is asked for.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from stdnum import luhn

from gateway.database.engine import Database
from gateway.flows.directory.addresses import ElectronicAddress, read_address
from gateway.flows.directory.errors import DirectoryEntryNotFoundError
from gateway.flows.directory.repository import party_name, party_names
from gateway.flows.directory.resources import (
    DirectoryLine,
    Entry,
    Facility,
    Instructions,
    LegalUnit,
    PostalAddress,
    PublicRequirements,
    RoutingCode,
)
from gateway.flows.directory.searches import AnySearch, LineSearch
from gateway.flows.directory.selecting import Found, select
from gateway.flows.directory.terms import LineStatus, PlatformType
from gateway.kernel.clock import Clock, paris_date
from gateway.kernel.dated import Table, data_file
from gateway.kernel.identifiers import is_siren, is_siret

#: Type of the routing codes of the French directory, and what the standard lets them be made of.
_ROUTING_TYPE = "0224"
_ROUTING_IDENTIFIER = re.compile(r"[-_/a-zA-Z0-9]{1,100}")
#: Longest names of a company and of a facility in the standard.
_COMPANY_NAME, _FACILITY_NAME = 150, 100
_SIREN_DIGITS = 9
_INSTRUCTIONS = Instructions(is_sales_prospecting_forbidden=False)


@dataclass(frozen=True)
class _Company:
    """A company with all that the directory tells of it."""

    unit: LegalUnit
    facilities: tuple[Facility, ...]
    routing_codes: tuple[RoutingCode, ...] = ()
    lines: tuple[DirectoryLine, ...] = ()


@dataclass(frozen=True)
class SimulatedDirectory:
    """The directory as one organisation sees it."""

    database: Database
    organisation_id: UUID
    clock: Clock
    name: str = "simulator"

    def search(self, wanted: AnySearch) -> Found:
        """Among the companies with data, those of the invoices, and the one whose identifier the search names."""
        entries: list[Entry] = []
        for company in self._companies(wanted):
            match wanted.path:
                case "siren":
                    entries.append(company.unit)
                case "siret":
                    entries.extend(company.facilities)
                case "routing-code":
                    entries.extend(company.routing_codes)
                case _:
                    entries.extend(company.lines)
        return select(entries, wanted)

    def legal_unit(self, siren: str) -> LegalUnit:
        """A company: any SIREN with a right key."""
        return self._company(siren, siren).unit

    def facility(self, siret: str) -> Facility:
        """A facility with data, or a head office."""
        known = self._company(siret[:_SIREN_DIGITS], siret).facilities
        found = next((facility for facility in known if facility.siret == siret), None)
        if found is None:
            raise DirectoryEntryNotFoundError(siret)
        return found

    def routing_code(self, siret: str, identifier: str) -> RoutingCode:
        """A routing code with data."""
        known = self._company(siret[:_SIREN_DIGITS], siret).routing_codes
        found = next((code for code in known if (code.siret, code.routing_identifier) == (siret, identifier)), None)
        if found is None:
            raise DirectoryEntryNotFoundError(f"{siret} {identifier}")
        return found

    def _companies(self, wanted: AnySearch) -> Iterator[_Company]:
        """The one company that the search names, or all those the directory knows of itself."""
        address = _address_named(wanted)
        named = address.siren if address else _siren_named(wanted)
        if named is None:
            names = self._names()
            for siren in sorted(set(_tables()) | set(names)):
                yield self._known(siren, names.get(siren))
        else:
            company = self._known(named, self._name(named))
            yield _with_address(company, address, self._today) if address and named not in _tables() else company

    def _company(self, siren: str, asked: str) -> _Company:
        if not is_siren(siren):
            raise DirectoryEntryNotFoundError(asked)
        return self._known(siren, self._name(siren))

    def _known(self, siren: str, name: str | None) -> _Company:
        table = _tables().get(siren)
        return _described(table, self._today) if table else _ordinary(siren, name)

    @property
    def _today(self) -> date:
        return paris_date(self.clock())

    def _name(self, siren: str) -> str | None:
        with self.database.transaction(self.organisation_id) as session:
            return party_name(session, siren)

    def _names(self) -> dict[str, str]:
        with self.database.transaction(self.organisation_id) as session:
            return {siren: name for siren, name in party_names(session).items() if is_siren(siren)}


def _tables() -> dict[str, Table]:
    return {table["siren"]: table for table in data_file("directory.toml")["simulated"]["company"]}


def _described(table: Table, today: date) -> _Company:
    """A company of the data file as it stands that day."""
    siren = table["siren"]
    unit = _unit(siren, table["name"], table.get("entity", "PrivateVatRegistered"), table.get("status", "A"))
    facilities = {each["siret"]: _facility(unit, each) for each in table["facilities"]}
    codes = tuple(_routing_code(unit, facilities[each["siret"]], each) for each in table.get("routing_codes", ()))
    lines = []
    for each in table["lines"]:
        address = read_address("_".join(filter(None, (siren, each["address"]))))
        if address is None:
            raise ValueError(f"directory.toml: {siren} {each['address']}")
        code = next((code for code in codes if code.routing_identifier == address.routing_identifier), None)
        facility = facilities.get(address.siret or "")
        first_day: date = each.get("from", date.min)
        lines.append(_line(address, unit, facility, code, each.get("platform"), first_day, today))
    return _Company(unit, tuple(facilities.values()), codes, tuple(lines))


def _ordinary(siren: str, name: str | None) -> _Company:
    """A company without data: reachable under its SIREN and its head office."""
    unit = _unit(siren, name or f"Entreprise {siren}", "PrivateVatRegistered", "A")
    head = siren + "0001"
    office = _facility(unit, {"siret": head + luhn.calc_check_digit(head), "name": unit.business_name, "type": "P"})
    lines = [
        _line(address, unit, facility, None, PlatformType.ACCREDITED)
        for text, facility in ((siren, None), (f"{siren}_{office.siret}", office))
        if (address := read_address(text))
    ]
    return _Company(unit, (office,), (), tuple(lines))


def _with_address(company: _Company, address: ElectronicAddress, today: date) -> _Company:
    """The company with the line that was asked for, as the last part of the address decides."""
    simulated = data_file("directory.toml")["simulated"]
    case = simulated["suffix"].get(address.text.rpartition("_")[2], "enabled")
    if case == "unknown" or any(line.addressing_identifier == address.text for line in company.lines):
        return company
    facility = next((each for each in company.facilities if each.siret == address.siret), None)
    if address.routing_identifier and not _ROUTING_IDENTIFIER.fullmatch(address.routing_identifier):
        return company
    if address.siret and facility is None:
        if not is_siret(address.siret):
            return company
        facility = _facility(company.unit, {"siret": address.siret, "name": company.unit.business_name, "type": "S"})
    code = None
    if facility is not None and address.routing_identifier:
        code = _routing_code(company.unit, facility, {"code": address.routing_identifier})
    platform = {"disabled": None, "portal": PlatformType.PUBLIC_PORTAL}.get(case, PlatformType.ACCREDITED)
    first_day = today + timedelta(days=simulated["upcoming_days"]) if case == "upcoming" else date.min
    line = _line(address, company.unit, facility, code, platform, first_day, today)
    return _Company(company.unit, company.facilities, company.routing_codes, (*company.lines, line))


def _unit(siren: str, name: str, entity: str, status: str) -> LegalUnit:
    return LegalUnit.model_validate(
        {"siren": siren, "businessName": name[:_COMPANY_NAME], "entityType": entity, "administrativeStatus": status}
        | {"instructions": _INSTRUCTIONS}
    )


def _facility(unit: LegalUnit, table: Table) -> Facility:
    address = PostalAddress(
        address_line1=table.get("street"),
        postal_code=table.get("postcode"),
        locality=table.get("city"),
        country_subdivision=table.get("region"),
        country_code="FR",
        country_name="France",
    )
    public = PublicRequirements(
        pm=False,
        pm_only=False,
        manages_payment_status=True,
        manages_legal_commitment_code=table.get("commitment", False),
        manages_legal_commitment_or_service_code=False,
        service_code_status=table.get("service", False),
    )
    return Facility(
        siret=table["siret"],
        siren=unit.siren,
        name=table["name"][:_FACILITY_NAME],
        facility_type=table["type"],
        administrative_status=table.get("status", unit.administrative_status),
        siret_instructions=_INSTRUCTIONS,
        address=address,
        b2g_additional_data=public if unit.entity_type == "Public" else None,
        legal_unit=unit,
    )


def _routing_code(unit: LegalUnit, facility: Facility, table: Table) -> RoutingCode:
    return RoutingCode(
        routing_identifier=table["code"],
        siret=facility.siret,
        routing_identifier_type=_ROUTING_TYPE,
        routing_code_name=table.get("name", table["code"]),
        manages_legal_commitment_code=table.get("commitment", False),
        administrative_status=table.get("status", "A"),
        address=facility.address,
        legal_unit=unit,
        facility=facility.included(),
    )


def _line(
    address: ElectronicAddress,
    unit: LegalUnit,
    facility: Facility | None,
    code: RoutingCode | None,
    platform: str | None,
    first_day: date = date.min,
    today: date = date.max,
) -> DirectoryLine:
    """A line of a platform type, or without one; upcoming until its first day."""
    active = LineStatus.ENABLED if first_day <= today else LineStatus.UPCOMING
    return DirectoryLine(
        addressing_identifier=address.text,
        platform_type=PlatformType(platform) if platform else None,
        directory_line_status=active if platform else LineStatus.DISABLED,
        siren=address.siren,
        siret=address.siret,
        routing_identifier=address.routing_identifier,
        addressing_suffix=address.suffix,
        routing_code=code.included() if code else None,
        legal_unit=unit,
        facility=facility.included() if facility else None,
        effective_from=first_day if first_day > today else None,
    )


def _address_named(wanted: AnySearch) -> ElectronicAddress | None:
    """The address that a search for one line names exactly."""
    filters = wanted.filters if isinstance(wanted, LineSearch) else None
    criterion = filters.addressing_identifier if filters else None
    if criterion is None or criterion.value is None or criterion.op == "contains":
        return None
    return read_address(criterion.value)


def _siren_named(wanted: AnySearch) -> str | None:
    """The SIREN that a search names, by itself or in a SIRET."""
    for name in ("siren", "siret"):
        criterion = getattr(wanted.filters, name, None)
        value = (criterion.value or "")[:_SIREN_DIGITS] if criterion else ""
        if is_siren(value):
            return str(value)
    return None
