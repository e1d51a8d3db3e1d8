"""What the jobs of the flows work with."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from uuid import UUID

from gateway.database.engine import Database
from gateway.flows.errors import UnknownPlatformError
from gateway.flows.platforms.client import PlatformClient
from gateway.invoices.limits import ReadingLimits
from gateway.kernel.clock import Clock
from gateway.kernel.settings import Settings
from gateway.ledger.documents import DocumentStore

#: Makes the client of a platform for one organisation, with that organisation's credentials.
PlatformFactory = Callable[[UUID], PlatformClient]


@dataclass(frozen=True, slots=True)
class FlowsContext:
    """Everything the jobs need, made once by the assembly; `platforms` holds the clients by platform name."""

    database: Database
    store: DocumentStore
    clock: Clock
    settings: Settings
    limits: ReadingLimits
    platforms: Mapping[str, PlatformFactory]

    def platform(self, name: str, organisation_id: UUID) -> PlatformClient:
        """The client of a platform for an organisation. Raises UnknownPlatformError."""
        factory = self.platforms.get(name)
        if factory is None:
            raise UnknownPlatformError(name)
        return factory(organisation_id)
