"""What the pages need from the assembly."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from sqlmodel import Session

from gateway.collection.previewing import Previews
from gateway.database.engine import Database
from gateway.invoices.limits import ReadingLimits
from gateway.kernel.clock import Clock
from gateway.kernel.settings import Settings
from gateway.ledger.documents import DocumentStore

#: Puts a flow in quarantine back to work, inside the caller's transaction.
ReplayFlow = Callable[[Session, UUID], object]
#: Sends a refused delivery again, inside the caller's transaction; the last argument says who decided it.
ResendDelivery = Callable[[Session, UUID, str], object]


@dataclass(frozen=True, slots=True)
class WebContext:
    """The parts of the service that pages work with.

    `demo_user_id`: the person whom the demo signs in by itself; None everywhere else.
    """

    database: Database
    store: DocumentStore
    clock: Clock
    settings: Settings
    demo_user_id: UUID | None
    limits: ReadingLimits
    replay_flow: ReplayFlow
    resend_delivery: ResendDelivery
    previews: Previews
