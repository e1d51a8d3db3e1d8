"""Which delivery a flow from us is, and whether what its platform says of it is new. Pure."""

from collections.abc import Sequence
from datetime import datetime

from gateway.flows.platforms.client import PlatformAcknowledgement, PlatformFlow
from gateway.flows.terms import AckStatus
from gateway.jobs.model import OutboxMessage
from gateway.lifecycle.deliveries import KeptAnswer


def delivery_of(flow: PlatformFlow, platform: str, messages: Sequence[OutboxMessage]) -> OutboxMessage | None:
    """The delivery that handed a flow over, among `messages`; None for one that another program sent.

    The platform's identifier tells once we know it; until then our tracking id does, where the platform shows it.
    """
    for message in messages:
        if message.payload["platform"] != platform:
            continue
        if message.remote_id == flow.flow_id:
            return message
        if message.remote_id is None and message.idempotency_key == flow.tracking_id:
            return message
    return None


def news(kept: KeptAnswer | None, told: PlatformAcknowledgement, at: datetime) -> KeptAnswer | None:
    """The answer to keep, None when it tells nothing new.

    A first Pending only repeats that the flow was taken. What is older than the answer kept was overtaken on its way.
    """
    answer = KeptAnswer(status=told.status.value, at=at, remarks=told.remarks)
    if kept is None:
        return None if told.status is AckStatus.PENDING else answer
    if at < kept.at or (answer.status, answer.remarks) == (kept.status, kept.remarks):
        return None
    return answer
