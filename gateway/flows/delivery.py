"""Hand flows over to the platform: a row of the outbox first, then its deliverer."""

from datetime import datetime
from uuid import UUID

from sqlmodel import Session

from gateway.flows.context import FlowsContext
from gateway.flows.errors import (
    PlatformAmbiguousError,
    PlatformRefusedError,
    PlatformUnavailableError,
    UncheckedFlowError,
)
from gateway.flows.model import Flow
from gateway.flows.platforms.client import OutgoingFlow
from gateway.jobs.channels import Channel, Delivery, DeliveryAmbiguousError, DeliveryFailedError
from gateway.jobs.outbox import put_in_outbox
from gateway.validation.report import Verdict

#: Kind of the outbox messages that this module delivers.
PLATFORM_FLOW = "platform.flow"


def send_to_platform(session: Session, flow: Flow, *, platform: str, now: datetime, about: UUID | None = None) -> bool:
    """Ask for the delivery of a flow, once for ever: the flow's identifier is the key. False when asked before.

    `about`: the flow that first told the status, when this one is a copy of it for the public portal.

    Raises UncheckedFlowError unless the flow carries a validation report that finds it valid.
    """
    if (flow.report or {}).get("verdict") != Verdict.VALID:
        raise UncheckedFlowError(str(flow.id))
    return put_in_outbox(
        session,
        kind=PLATFORM_FLOW,
        idempotency_key=f"flow-{flow.id}",
        payload={
            "platform": platform,
            "name": flow.name,
            "flow_syntax": flow.flow_syntax,
            "flow_profile": flow.flow_profile,
            "processing_rule": flow.processing_rule,
            "document": flow.document_sha256,
        },
        now=now,
        subject_id=about or flow.id,
    )


def platform_channel(context: FlowsContext) -> Channel:
    """The channel of `platform.flow`: the tracking id is the idempotency key, the answer the platform's flow id."""

    def deliver(delivery: Delivery) -> str:
        payload = delivery.payload
        flow = OutgoingFlow(
            tracking_id=delivery.idempotency_key,
            name=payload["name"],
            flow_syntax=payload["flow_syntax"],
            data=context.store.get(payload["document"]),
            processing_rule=payload["processing_rule"],
            flow_profile=payload["flow_profile"],
        )
        try:
            return context.platform(payload["platform"], delivery.organisation_id).submit(flow)
        except PlatformRefusedError as error:
            raise DeliveryFailedError(str(error), permanent=True) from error
        except PlatformUnavailableError as error:
            raise DeliveryFailedError(str(error), retry_after=error.retry_after) from error
        except PlatformAmbiguousError as error:
            raise DeliveryAmbiguousError(str(error)) from error

    return Channel(deliver, repeatable=True)
