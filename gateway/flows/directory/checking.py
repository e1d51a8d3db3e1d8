"""Can an invoice be sent to this address? The answer in plain words, from what the directory says. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from gateway.flows.directory.addresses import ElectronicAddress
from gateway.flows.directory.resources import DirectoryLine
from gateway.flows.directory.terms import CLOSED, PUBLIC, LineStatus, PlatformType
from gateway.kernel.dated import data_file
from gateway.kernel.sayer import ENGLISH, FRENCH
from gateway.kernel.text import Language, Text


class AddressVerdict(StrEnum):
    """What the directory makes of an address."""

    #: An accredited platform (WK) receives there.
    ADDRESSABLE = "addressable"
    #: The public portal (DFH) receives there.
    PUBLIC_PORTAL = "public_portal"
    #: A platform will receive there from a day to come.
    UPCOMING = "upcoming"
    UNKNOWN = "unknown"
    DISABLED = "disabled"
    #: The default line of a company that has chosen no platform (9998).
    NO_PLATFORM = "no_platform"
    #: The company, the facility or the routing code is closed.
    CEASED = "ceased"
    #: No address of scheme 0225.
    MALFORMED = "malformed"
    #: The directory did not answer: neither good nor bad.
    NOT_CHECKED = "not_checked"
    #: The connection to the platform has no directory address: there is nobody to ask.
    NOT_OFFERED = "not_offered"


class Lookup(BaseModel):
    """What a directory told of one address.

    Attributes:
        lines: those that bear the address: none, one, or the current one and the one to come.
        others: of an address where nothing can be sent now, enabled lines of the same SIREN.
    """

    model_config = ConfigDict(frozen=True)

    lines: tuple[DirectoryLine, ...] = ()
    others: tuple[DirectoryLine, ...] = ()

    @property
    def current(self) -> DirectoryLine | None:
        """The line in force: the enabled one, else the disabled one; None when there is none or only one to come."""
        in_force = [line for line in self.lines if line.directory_line_status is not LineStatus.UPCOMING]
        return min(in_force, key=lambda line: line.directory_line_status is not LineStatus.ENABLED, default=None)

    @property
    def upcoming(self) -> DirectoryLine | None:
        """The line to come, the earliest one."""
        to_come = [line for line in self.lines if line.directory_line_status is LineStatus.UPCOMING]
        return min(to_come, key=lambda line: line.effective_from or date.max, default=None)

    def as_of(self, day: date) -> "Lookup":
        """What stands on a day to come, as far as it was told: a line whose first day has come then is in force."""
        opening = [line for line in self.lines if line.directory_line_status is LineStatus.UPCOMING]
        open_then = [line for line in opening if line.effective_from is not None and line.effective_from <= day]
        latest = max(open_then, key=lambda line: line.effective_from or date.min, default=None)
        if latest is None:
            return self
        in_force = latest.model_copy(update={"directory_line_status": LineStatus.ENABLED, "effective_from": None})
        return self.model_copy(update={"lines": (in_force, *(line for line in opening if line not in open_then))})


@dataclass(frozen=True, slots=True)
class AddressCheck:
    """The answer about one address.

    Attributes:
        address: as it was asked, without scheme.
        effective_from: first day of an upcoming address, when the directory tells it.
        name: of the company, when known.
        others: addresses of the same company that receive invoices now.
        says, to_do: what is the matter, what to do.
        asked_at: when the directory was asked; None when it was not, or gave no answer.
        on: the day to come that was asked about; None: now.
        is_public: the directory names a public entity, or the public portal receives for it: its invoices are B2G.
    """

    address: str
    verdict: AddressVerdict
    says: Text
    to_do: Text
    platform_type: PlatformType | None = None
    effective_from: date | None = None
    name: str | None = None
    others: tuple[str, ...] = ()
    asked_at: datetime | None = None
    on: date | None = None
    is_public: bool = False

    @property
    def is_addressable(self) -> bool:
        """True when an invoice sent now, or on the day asked about, would be routed."""
        return self.verdict in (AddressVerdict.ADDRESSABLE, AddressVerdict.PUBLIC_PORTAL)

    @property
    def is_checked(self) -> bool:
        """False when nothing is known of the address: the directory did not answer, or there is none."""
        return self.verdict not in (AddressVerdict.NOT_CHECKED, AddressVerdict.NOT_OFFERED)


def check(address: ElectronicAddress, told: Lookup, asked_at: datetime, on: date | None = None) -> AddressCheck:
    """The answer about an address, from what the directory told at `asked_at`; `on`: about a day to come."""
    lookup = told.as_of(on) if on else told
    line = lookup.current or lookup.upcoming
    verdict = _verdict(address, lookup)
    name = line.legal_unit.business_name if line and line.legal_unit else None
    first_day = lookup.upcoming.effective_from if verdict is AddressVerdict.UPCOMING and lookup.upcoming else None
    others = tuple(line.addressing_identifier for line in lookup.others if line.addressing_identifier)
    says, to_do = _sentences(verdict, address.text, name=name, first_day=first_day, others=others)
    return AddressCheck(
        address.text,
        verdict,
        _said_of(on, says) if on else says,
        to_do,
        platform_type=line.platform_type if line else None,
        effective_from=first_day,
        name=name,
        others=others,
        asked_at=asked_at,
        on=on,
        is_public=line is not None and _is_public(line),
    )


def malformed(text: str) -> AddressCheck:
    """The answer about a text that is no address: the directory is not asked."""
    return AddressCheck(text, AddressVerdict.MALFORMED, *_sentences(AddressVerdict.MALFORMED, text))


def not_checked(address: str) -> AddressCheck:
    """The answer when the directory gave none."""
    return AddressCheck(address, AddressVerdict.NOT_CHECKED, *_sentences(AddressVerdict.NOT_CHECKED, address))


def not_offered(address: str) -> AddressCheck:
    """The answer when there is no directory to ask."""
    return AddressCheck(address, AddressVerdict.NOT_OFFERED, *_sentences(AddressVerdict.NOT_OFFERED, address))


def _verdict(address: ElectronicAddress, lookup: Lookup) -> AddressVerdict:
    line = lookup.current or lookup.upcoming
    if line is None:
        return AddressVerdict.UNKNOWN
    if _is_closed(line):
        return AddressVerdict.CEASED
    if line.directory_line_status is LineStatus.ENABLED:
        portal = line.platform_type is PlatformType.PUBLIC_PORTAL
        return AddressVerdict.PUBLIC_PORTAL if portal else AddressVerdict.ADDRESSABLE
    if lookup.upcoming is not None:
        return AddressVerdict.UPCOMING
    return AddressVerdict.NO_PLATFORM if address.is_bare else AddressVerdict.DISABLED


def _is_public(line: DirectoryLine) -> bool:
    unit = line.legal_unit
    return line.platform_type is PlatformType.PUBLIC_PORTAL or (unit is not None and unit.entity_type == PUBLIC)


def _is_closed(line: DirectoryLine) -> bool:
    holders = (line.legal_unit, line.facility, line.routing_code)
    return any(holder is not None and holder.administrative_status == CLOSED for holder in holders)


def _said_of(day: date, says: Text) -> Text:
    """A sentence about a day to come: the directory may still change."""
    fr = f"Pour le {FRENCH.figures(day)}, selon l’annuaire d’aujourd’hui : {says.fr}"
    return Text(fr, f"For {ENGLISH.day(day)}, as the directory stands today: {says.en}")


def _sentences(
    verdict: AddressVerdict,
    address: str,
    *,
    name: str | None = None,
    first_day: date | None = None,
    others: Iterable[str] = (),
) -> tuple[Text, Text]:
    """What the check says, and what it advises (`schemas/directory.toml`)."""
    table = data_file("directory.toml")["verdict"][verdict.value]
    told = {
        "fr": f"le {FRENCH.figures(first_day)}" if first_day else "plus tard",
        "en": f"on {ENGLISH.day(first_day)}" if first_day else "later",
    }
    listed = ", ".join(others)
    hints = {
        "fr": f" Adresses actives de ce SIREN : {listed}." if listed else "",
        "en": f" Active addresses of this SIREN: {listed}." if listed else "",
    }

    def fill(key: str, language: Language) -> str:
        sentence: str = table[key]
        shown = {"address": address, "name": f" ({name})" if name else "", "day": told[language]}
        return sentence.format(**shown, others=hints[language])

    return Text(fill("fr", "fr"), fill("en", "en")), Text(fill("to_do_fr", "fr"), fill("to_do_en", "en"))
