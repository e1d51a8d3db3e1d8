"""Whose directory answers for an organisation: that of its default platform, or the simulated one."""

from dataclasses import dataclass
from uuid import UUID

from gateway.database.engine import Database
from gateway.flows.directory.errors import DirectoryUnavailableError, NoDirectoryError
from gateway.flows.directory.simulated import SimulatedDirectory
from gateway.flows.directory.source import DirectorySource
from gateway.flows.directory.standard import StandardDirectory
from gateway.flows.errors import PlatformError
from gateway.flows.platforms.connections import Connections
from gateway.flows.platforms.repository import connection_by_name, platforms_of
from gateway.flows.platforms.transport import Transport
from gateway.flows.simulator.platform import SIMULATOR
from gateway.kernel.clock import Clock


@dataclass(frozen=True, slots=True)
class DirectoryOfPlatform:
    """Gives the directory of an organisation; `builtin` is the platform of those without a connection of their own."""

    database: Database
    clock: Clock
    connections: Connections
    transport: Transport
    builtin: str

    def __call__(self, organisation_id: UUID) -> DirectorySource:
        """The directory of the organisation's default platform. Raises a DirectorySourceError when there is none."""
        with self.database.transaction(organisation_id) as session:
            name = platforms_of(session, self.builtin).default
            if name is None:
                raise DirectoryUnavailableError("no platform is in service")
            if name == SIMULATOR:
                return SimulatedDirectory(self.database, organisation_id, self.clock)
            row = connection_by_name(session, name)
        if row.directory_url is None:
            raise NoDirectoryError
        try:
            auth = self.connections.auth(organisation_id, name)
        except PlatformError as error:
            raise DirectoryUnavailableError(str(error)) from error
        return StandardDirectory(name, self.transport, auth, row.directory_url, row.remote_organisation)
