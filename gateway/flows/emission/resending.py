"""Send again what was taken and then refused: by its platform the same file, by the portal a new message."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from gateway.alerts.refused_deliveries import refused_delivery_key
from gateway.alerts.service import close_settled_key
from gateway.collection.service import cancel_for_closed_alert
from gateway.flows.context import FlowsContext
from gateway.flows.emission.errors import DeliveryNotRefusedError
from gateway.flows.emission.repeating import repeat_report
from gateway.flows.terms import AckStatus
from gateway.jobs.errors import DeliveryNotFoundError
from gateway.jobs.model import OutboxMessage
from gateway.jobs.outbox import put_in_outbox
from gateway.kernel.text import Text
from gateway.ledger.service import append
from gateway.lifecycle.deliveries import PLATFORM_FLOW, following_attempt, is_refused

_NOT_REFUSED = Text("la plateforme ne l’a pas refusé", "its platform has not refused it")
_RESENT_BEFORE = Text("il a déjà été renvoyé", "it was sent again before")
_CLOSES = Text("Le fichier a été renvoyé à la plateforme.", "The file was sent to the platform again.")


def refused_deliveries(session: Session, *, limit: int = 100) -> Sequence[OutboxMessage]:
    """The deliveries that their platform took and then refused, and that were not sent again; the oldest first."""
    refused = session.exec(
        select(OutboxMessage)
        .where(OutboxMessage.kind == PLATFORM_FLOW)
        .where(col(OutboxMessage.answer).contains({"status": AckStatus.ERROR.value}))
        .order_by(col(OutboxMessage.created_at), col(OutboxMessage.id))
        .limit(limit)
    ).all()
    following = {following_attempt(message)[0]: message for message in refused}
    resent = select(OutboxMessage.idempotency_key).where(col(OutboxMessage.idempotency_key).in_(following))
    done = set(session.exec(resent))
    return [message for key, message in following.items() if key not in done]


def resend(session: Session, context: FlowsContext, delivery_id: UUID, *, by: str, now: datetime) -> OutboxMessage:
    """Ask for a new delivery of what was refused: by its platform the same file, by the portal (601) a new message.

    The alert of a platform's refusal closes; that of the portal's once silence accepts the new message. `by`: who
    decided it, for the ledger. Raises DeliveryNotFoundError, DeliveryNotRefusedError, MessageNotSendableError.
    """
    # The row before the ledger's turn, as whoever keeps an acknowledgement passes over a row that is held.
    held = select(OutboxMessage).where(OutboxMessage.id == delivery_id, OutboxMessage.kind == PLATFORM_FLOW)
    message = session.exec(held.with_for_update().execution_options(populate_existing=True)).one_or_none()
    if message is None:
        raise DeliveryNotFoundError(str(delivery_id))
    if is_refused(message):
        return _new_attempt(session, message, by=by, now=now)
    if message.payload.get("for_portal"):
        return repeat_report(session, context, message, by=by, now=now)
    raise DeliveryNotRefusedError(str(delivery_id), _NOT_REFUSED)


def _new_attempt(session: Session, message: OutboxMessage, *, by: str, now: datetime) -> OutboxMessage:
    key, attempt = following_attempt(message)
    content = {"key": key, "instead_of": message.idempotency_key, "by": by}
    append(session, at=now, kind="delivery.resent", subject=f"delivery:{message.id}", content=content)
    asked = put_in_outbox(
        session,
        kind=PLATFORM_FLOW,
        idempotency_key=key,
        payload={**message.payload, "attempt": attempt},
        now=now,
        subject_id=message.subject_id,
        order_key=message.order_key,
        leads=message.leads,
    )
    if not asked:
        raise DeliveryNotRefusedError(str(message.id), _RESENT_BEFORE)
    for closed in close_settled_key(session, refused_delivery_key(message.id), _CLOSES, now):
        cancel_for_closed_alert(session, closed, now)
    return session.exec(select(OutboxMessage).where(OutboxMessage.idempotency_key == key)).one()
