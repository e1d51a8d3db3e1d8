"""From a status to its alert and its action, in one transaction, as the processing of a flow does it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from gateway.alerts.service import AlertReaction, react
from gateway.collection.model import CollectionAction
from gateway.collection.service import cancel_for_closed_alert, create_action_for
from gateway.database import Database
from gateway.lifecycle.model import Direction
from gateway.lifecycle.service import RecordedEvent, record_message
from tests.lifecycle.making_events import START, message

#: A status that opens an alert, with a reason it may carry.
ALERTING = {
    "213": "REJ_SEMAN",
    "210": "TX_TVA_ERR",
    "207": "PU_ERR",
    "208": "JUSTIF_ABS",
    "206": "QTE_ERR",
    "501": "IRR_SYNTAX",
    "221": "ROUTAGE_ERR",
}


@dataclass(frozen=True)
class Followed:
    """What one status led to."""

    recorded: RecordedEvent
    reaction: AlertReaction
    action: CollectionAction | None


def follow(
    database: Database,
    organisation: UUID,
    code: str,
    hours: float = 0,
    *,
    direction: Direction = Direction.RECEIVABLE,
    now: datetime = START,
    **details: Any,
) -> Followed:
    """Record a status given to F1, react to it, and bring the worklist up to date."""
    with database.transaction(organisation) as session:
        (recorded,) = record_message(
            session,
            message=message(code, hours, **details),
            direction=direction,
            document_sha256=None,
            flow_id=None,
            now=now,
        )
        reaction = react(session, recorded, now)
        for alert in reaction.closed:
            cancel_for_closed_alert(session, alert, now)
        action = create_action_for(session, reaction.opened, now) if reaction.opened else None
        return Followed(recorded, reaction, action)
