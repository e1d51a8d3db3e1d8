"""The order in which messages leave that share an order key: those about one invoice."""

from sqlalchemy import ColumnElement, exists, literal, or_
from sqlalchemy.orm import aliased
from sqlmodel import col

from gateway.jobs.model import OutboxMessage, OutboxState


def is_held_back() -> ColumnElement[bool]:
    """Whether an `OutboxMessage` has to wait for an earlier one of its order key, whoever is busy with that one.

    It waits until the earlier one was sent. One that was given up lets the next go, unless it leads: without the
    invoice no platform knows what its statuses are about, so that they wait until a person has settled it.
    """
    earlier = aliased(OutboxMessage)
    # Written into the statement: only then does the database know that the index of the unsettled messages serves.
    sent = literal(OutboxState.SENT.value, literal_execute=True)
    return exists().where(
        col(earlier.organisation_id) == col(OutboxMessage.organisation_id),
        col(earlier.order_key) == col(OutboxMessage.order_key),
        col(earlier.place) < col(OutboxMessage.place),
        col(earlier.state) != sent,
        or_(col(earlier.state) != OutboxState.FAILED.value, col(earlier.leads)),
    )
