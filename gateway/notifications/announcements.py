"""Tell programs a fact: it joins the feed of events, which `/api/v1/events` shows and webhooks follow."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict
from sqlmodel import Session

from gateway.database.engine import organisation_of
from gateway.ledger.service import take_turn
from gateway.notifications.model import Announcement

#: What every type of event begins with.
NAMESPACE = "einvoicing"


class Fact(BaseModel):
    """The data of an announcement; each room has its own, published as a JSON Schema."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def announce(session: Session, what: str, subject: str, fact: Fact, now: datetime) -> None:
    """Add a fact to the feed, in the caller's transaction; `what`: its type without the namespace, `alert.opened`.

    The turn on the ledger comes first and is kept until the commit: nothing is ever added behind a reader's place.
    """
    take_turn(session)
    session.add(
        Announcement(
            organisation_id=organisation_of(session),
            type=f"{NAMESPACE}.{what}",
            subject=subject,
            at=now,
            data=fact.model_dump(mode="json"),
        )
    )
