"""What the gateway asks of a platform's directory: one class for each way of answering."""

from typing import Protocol

from gateway.flows.directory.resources import Facility, LegalUnit, RoutingCode
from gateway.flows.directory.searches import AnySearch
from gateway.flows.directory.selecting import Found


class DirectorySource(Protocol):
    """One organisation's access to the directory of one platform.

    Every method raises a DirectorySourceError when the directory gives no usable answer; the readers raise
    DirectoryEntryNotFoundError when it holds no such entry. Directory lines are only searched: the standard's reading
    of one line does not tell an upcoming line.
    """

    @property
    def name(self) -> str:
        """Whose directory it is."""
        ...

    def search(self, wanted: AnySearch) -> Found:
        """Entries that meet the criteria; `wanted` is within limits."""
        ...

    def legal_unit(self, siren: str) -> LegalUnit:
        """A company."""
        ...

    def facility(self, siret: str) -> Facility:
        """A facility with its company."""
        ...

    def routing_code(self, siret: str, identifier: str) -> RoutingCode:
        """A routing code with its facility and company."""
        ...
