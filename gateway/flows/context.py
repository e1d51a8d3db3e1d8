"""What the jobs of the flows work with."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from uuid import UUID

from gateway.database.engine import Database
from gateway.flows.directory.service import Directory
from gateway.flows.platforms.client import PlatformClient
from gateway.flows.platforms.connections import Connections
from gateway.invoices.limits import ReadingLimits
from gateway.kernel.clock import Clock
from gateway.kernel.settings import Settings
from gateway.ledger.documents import DocumentStore

#: Makes the client of a platform of this process for one organisation.
PlatformFactory = Callable[[UUID], PlatformClient]


@dataclass(frozen=True, slots=True)
class FlowsContext:
    """Everything the jobs need, made once by the assembly.

    Attributes:
        platforms: the platforms that live in this process, by name: the simulator.
        connections: the clients of accredited platforms.
        directory: where the addresses of buyers are checked; None: they are not.
    """

    database: Database
    store: DocumentStore
    clock: Clock
    settings: Settings
    limits: ReadingLimits
    platforms: Mapping[str, PlatformFactory]
    connections: Connections
    directory: Directory | None = None

    def platform(self, name: str, organisation_id: UUID) -> PlatformClient:
        """The client of a platform for an organisation.

        Raises UnknownPlatformError, and PlatformPausedError when the connection is switched off.
        """
        factory = self.platforms.get(name)
        return factory(organisation_id) if factory else self.connections.client(organisation_id, name)
