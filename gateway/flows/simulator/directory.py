"""The directory that the simulated platform offers beside its Flow Service: invented, the same for every client."""

from collections.abc import Callable

from fastapi import APIRouter, Request

from gateway.access.principal import Principal
from gateway.access.scope import Scope
from gateway.flows.directory.api import DirectoryApiContext, router
from gateway.flows.directory.service import Directory
from gateway.flows.directory.simulated import SimulatedDirectory
from gateway.flows.simulator.platform import SimulatedPlatform
from gateway.kernel.settings import Settings


def directory_routes(
    platform: SimulatedPlatform, settings: Settings, authenticate: Callable[[Request], None]
) -> APIRouter:
    """The routes of the Directory Service; `authenticate` refuses who holds no token."""
    organisation_id = platform.organisation_id
    client = Principal(organisation_id, "client", organisation_id, "client", frozenset(), None, Scope.everything())
    directory = Directory(
        platform.database,
        platform.clock,
        settings,
        lambda _: SimulatedDirectory(platform.database, organisation_id, platform.clock),
    )

    def caller(request: Request) -> Principal:
        authenticate(request)
        return client

    return router(DirectoryApiContext(directory, reader=caller, caller=caller))
