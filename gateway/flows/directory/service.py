"""What the directory says of addresses, asked once in a while: the same answer for the service, the check, the sending.

No transaction of its own waits for the network. After a failure the directory is left alone for a moment, so that one
that is down slows nothing.
"""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from uuid import UUID

import structlog
from sqlmodel import Session

from gateway.database.engine import Database
from gateway.flows.directory.addresses import ElectronicAddress, read_address
from gateway.flows.directory.checking import AddressCheck, Lookup, check, malformed, not_checked, not_offered
from gateway.flows.directory.errors import (
    DirectoryEntryNotFoundError,
    DirectorySourceError,
    DirectoryUnavailableError,
    NoDirectoryError,
    PastDayError,
)
from gateway.flows.directory.model import DirectoryLookup
from gateway.flows.directory.repository import cached_lookup, forget_lookups, keep_lookup
from gateway.flows.directory.resources import DirectoryLine
from gateway.flows.directory.searches import Criterion, LineFilters, LineSearch
from gateway.flows.directory.source import DirectorySource
from gateway.flows.directory.terms import LineStatus
from gateway.kernel.clock import Clock, paris_date
from gateway.kernel.dated import data_file
from gateway.kernel.settings import Settings

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Answered:
    """What a directory told of an address, and when."""

    lookup: Lookup
    asked_at: datetime


@dataclass(frozen=True)
class Directory:
    """The directories of one installation; `source` gives that of an organisation's platform."""

    database: Database
    clock: Clock
    settings: Settings
    source: Callable[[UUID], DirectorySource]
    _resting: dict[UUID, datetime] = field(default_factory=dict, compare=False, repr=False)

    def check(
        self,
        organisation_id: UUID,
        text: str,
        *,
        anew: bool = False,
        on: date | None = None,
        within: "Asking | None" = None,
    ) -> AddressCheck:
        """Whether an invoice can be sent to an address; `anew`: as the directory says now, whatever it said before.

        `on`: on that day (Europe/Paris), as far as the directory tells now. `within`: for whom one transaction asks.
        Raises PastDayError; never for what the directory does or does not say.
        """
        today = paris_date(self.clock())
        if on is not None and on < today:
            raise PastDayError(on)
        address = read_address(text)
        if address is None:
            return malformed(text.strip())
        try:
            answered = self.look_up(organisation_id, address, anew=anew, within=within)
        except NoDirectoryError:
            return not_offered(address.text)
        except DirectorySourceError as error:
            _log.warning("address_not_checked", address=address.text, code=error.code, reason=str(error))
            return not_checked(address.text)
        return check(address, answered.lookup, answered.asked_at, on=on if on != today else None)

    def line(self, organisation_id: UUID, text: str) -> DirectoryLine:
        """The line in force at an address; one that is only to come shows as disabled, as the standard wants.

        Raises DirectoryEntryNotFoundError, or a DirectorySourceError.
        """
        address = read_address(text)
        if address is None:
            raise DirectoryEntryNotFoundError(text)
        lookup = self.look_up(organisation_id, address).lookup
        if lookup.current is not None:
            return lookup.current
        if lookup.upcoming is not None:
            return lookup.upcoming.model_copy(update={"directory_line_status": LineStatus.DISABLED})
        raise DirectoryEntryNotFoundError(text)

    def look_up(
        self,
        organisation_id: UUID,
        address: ElectronicAddress,
        *,
        anew: bool = False,
        within: "Asking | None" = None,
    ) -> Answered:
        """What the directory tells of an address, at most `directory_cache_seconds` old, or `anew`.

        Raises a DirectorySourceError when it tells nothing.
        """
        source = within.source if within else self.source(organisation_id)
        now = self.clock()
        oldest = now - timedelta(seconds=self.settings.directory_cache_seconds)
        with nullcontext(within.session) if within else self.database.transaction(organisation_id) as session:
            known = cached_lookup(session, source.name, address.text, oldest)
        if known is not None and not anew:
            return Answered(Lookup.model_validate(known.answer), known.asked_at)
        lookup = self._ask(organisation_id, source, address)
        with self.database.transaction(organisation_id) as session:
            row = DirectoryLookup(
                organisation_id=organisation_id,
                directory=source.name,
                address=address.text,
                answer=lookup.model_dump(mode="json", exclude_none=True),
                asked_at=now,
            )
            keep_lookup(session, row)
        return Answered(lookup, now)

    def forget_expired(self) -> None:
        """Drop the answers that are too old to be used."""
        with self.database.system_transaction() as session:
            forget_lookups(session, self.clock() - timedelta(seconds=self.settings.directory_cache_seconds))

    def _ask(self, organisation_id: UUID, source: DirectorySource, address: ElectronicAddress) -> Lookup:
        until = self._resting.get(organisation_id)
        if until is not None and self.clock() < until:
            raise DirectoryUnavailableError(f"it failed a moment ago and is asked again from {until:%H:%M:%S} UTC on")
        try:
            lookup = lookup_of(source, address)
        except DirectorySourceError:
            pause = timedelta(seconds=self.settings.directory_pause_seconds)
            self._resting[organisation_id] = self.clock() + pause
            raise
        self._resting.pop(organisation_id, None)
        return lookup


@dataclass
class Asking:
    """One transaction that asks about many addresses: whose directory it is is found once, each address looked up once.

    Answers that were kept are read in that transaction; the directory itself is asked as ever.
    """

    directory: Directory
    session: Session
    organisation_id: UUID
    _answers: dict[str, AddressCheck] = field(default_factory=dict)

    @cached_property
    def source(self) -> DirectorySource:
        """The organisation's directory. Raises a DirectorySourceError when there is none."""
        return self.directory.source(self.organisation_id)

    def check(self, text: str) -> AddressCheck:
        """See `Directory.check`."""
        if text not in self._answers:
            self._answers[text] = self.directory.check(self.organisation_id, text, within=self)
        return self._answers[text]


def lookup_of(source: DirectorySource, address: ElectronicAddress) -> Lookup:
    """Ask a directory about an address; when nothing can be sent there now, about the others of the company too."""
    lines = _lines(source, LineFilters(addressing_identifier=Criterion(op="strict", value=address.text)))
    exact = tuple(line for line in lines if line.addressing_identifier == address.text)
    lookup = Lookup(lines=exact)
    if lookup.current is not None and lookup.current.directory_line_status is LineStatus.ENABLED:
        return lookup
    others = _lines(source, LineFilters(siren=Criterion(op="strict", value=address.siren)))
    enabled = [line for line in others if line.directory_line_status is LineStatus.ENABLED and line not in exact]
    return Lookup(lines=exact, others=tuple(enabled[: data_file("directory.toml")["check"]["others"]]))


def _lines(source: DirectorySource, filters: LineFilters) -> tuple[DirectoryLine, ...]:
    wanted = LineSearch(
        filters=filters,
        include=["siren", "siret", "routingCode"],
        limit=data_file("directory.toml")["page"]["highest"],
    )
    found = source.search(wanted.within_limits())
    return tuple(entry for entry in found.entries if isinstance(entry, DirectoryLine))
