"""One round of the drops of an organisation: take what was dropped, tell what became of it."""

from dataclasses import dataclass, field
from uuid import UUID

import structlog
from sqlmodel import select

from gateway.access.model import Organisation
from gateway.flows.context import FlowsContext
from gateway.flows.drops.errors import DropUnavailableError
from gateway.flows.drops.places import open_place
from gateway.flows.drops.taking import Taken, take_files
from gateway.flows.drops.telling import tell_acknowledgements, tell_statuses
from gateway.kernel.settings import DropSettings

DROPS_TASK = "flows.drops"
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class DropRound:
    """What one round of one drop did; `problem` says why it did not."""

    drop: DropSettings
    files: Taken = field(default_factory=Taken)
    acknowledgements: int = 0
    statuses: int = 0
    problem: DropUnavailableError | None = None


def visit_drops(context: FlowsContext, organisation_id: UUID) -> list[DropRound]:
    """A round of every drop of the organisation; one that cannot be reached stops no other."""
    with context.database.transaction(organisation_id) as session:
        siren = session.exec(select(Organisation.siren).where(Organisation.id == organisation_id)).one()
    return [_visit(context, organisation_id, drop) for drop in context.settings.drops if drop.organisation == siren]


def _visit(context: FlowsContext, organisation_id: UUID, drop: DropSettings) -> DropRound:
    try:
        with open_place(drop) as place:
            files = take_files(context, organisation_id, drop, place)
            return DropRound(
                drop,
                files,
                tell_acknowledgements(context, organisation_id, drop, place),
                tell_statuses(context, organisation_id, drop, place),
            )
    except DropUnavailableError as error:
        _log.warning("drop_unavailable", drop=drop.name, reason=str(error))
        return DropRound(drop, problem=error)
