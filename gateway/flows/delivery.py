"""Hand flows over to their platform: a row of the outbox first, then its channel."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, select

from gateway.flows.announcing import announce_given_up
from gateway.flows.context import FlowsContext
from gateway.flows.errors import (
    PlatformAmbiguousError,
    PlatformError,
    PlatformRefusedError,
    PlatformUnavailableError,
    UncheckedFlowError,
)
from gateway.flows.model import Flow
from gateway.flows.platforms.client import OutgoingFlow, PlatformClient, SentFlow
from gateway.flows.platforms.errors import NoRouteError, PlatformPausedError, StatusNotTakenError
from gateway.flows.platforms.profile import platform_profile
from gateway.flows.platforms.repository import connection_of_name, platforms_of
from gateway.flows.platforms.routing import Platforms, RoutedDocument, route
from gateway.flows.platforms.sightings import settle
from gateway.flows.terms import FlowSyntax, FlowType
from gateway.jobs.channels import (
    Channel,
    Delivery,
    DeliveryAmbiguousError,
    DeliveryFailedError,
    DeliveryPostponedError,
    LookUp,
)
from gateway.jobs.model import OutboxMessage
from gateway.jobs.outbox import Outgoing, put_all_in_outbox
from gateway.kernel.dated import data_file
from gateway.kernel.settings import Settings
from gateway.ledger.service import append
from gateway.lifecycle.correlation import InvoiceKey
from gateway.lifecycle.deliveries import PLATFORM_FLOW
from gateway.lifecycle.model import InvoiceRecord
from gateway.validation.report import Verdict

#: Statuses told to the public portal, in a flow of their own.
_FOR_PORTAL = (FlowType.STATE_CUSTOMER_INVOICE_LC.value, FlowType.STATE_SUPPLIER_INVOICE_LC.value)


@dataclass(frozen=True, slots=True)
class Sending:
    """A flow to be handed over.

    Attributes:
        document: what decides its platform.
        about: the flow that first told the status, when this one is a copy of it for the public portal.
        invoice: what its deliveries are ordered by: that which the flow brings, or the first that it speaks of; None
            when nobody can tell.
    """

    flow: Flow
    document: RoutedDocument
    about: UUID | None = None
    invoice: InvoiceKey | None = None


def send_to_platforms(session: Session, sendings: Sequence[Sending], settings: Settings, *, now: datetime) -> int:
    """Ask for the delivery of flows to the platforms in charge, of each once for ever; how many were not asked before.

    The flow's identifier is the key. Raises NoRouteError, and UncheckedFlowError unless each flow carries a validation
    report that finds it valid.
    """
    if not sendings:
        return 0
    platforms = platforms_of(session, settings.platform)
    return put_all_in_outbox(session, [_outgoing(each, platforms) for each in sendings], kind=PLATFORM_FLOW, now=now)


def _outgoing(sending: Sending, platforms: Platforms) -> Outgoing:
    flow = sending.flow
    if (flow.report or {}).get("verdict") != Verdict.VALID:
        raise UncheckedFlowError(str(flow.id))
    chosen = route(sending.document, platforms)
    if chosen.platform is None:
        raise NoRouteError(chosen.reason)
    payload = {
        "platform": chosen.platform,
        "name": flow.name,
        "flow_syntax": flow.flow_syntax,
        "flow_profile": flow.flow_profile,
        "processing_rule": flow.processing_rule,
        "document": flow.document_sha256,
        "for_portal": flow.flow_type in _FOR_PORTAL,
    }
    return Outgoing(
        idempotency_key=f"flow-{flow.id}",
        payload=payload,
        subject_id=sending.about or flow.id,
        order_key=str(sending.invoice) if sending.invoice else None,
        leads=flow.flow_syntax != FlowSyntax.CDAR,
    )


def routed_invoice(session: Session, invoice: InvoiceRecord) -> RoutedDocument:
    """An invoice that is registered, as routing sees it: with the platform that brought it or that it was sent to."""
    flow = session.get(Flow, invoice.flow_id) if invoice.flow_id else None
    platform = flow.platform if flow else None
    if flow is not None and platform is None:
        sent = select(OutboxMessage).where(
            OutboxMessage.subject_id == flow.id, OutboxMessage.idempotency_key == f"flow-{flow.id}"
        )
        message = session.exec(sent).one_or_none()
        platform = message.payload["platform"] if message else None
    return RoutedDocument(
        seller_siren=invoice.seller_siren,
        agency_id=invoice.agency_id,
        processing_rule=flow.processing_rule if flow else None,
        platform=platform,
    )


def require_taken(session: Session, invoice: InvoiceRecord, status: str, settings: Settings) -> None:
    """Refuse a status (MDT-105) that the platform of the invoice does not take on it. Raises StatusNotTakenError."""
    document = routed_invoice(session, invoice)
    name = route(document, platforms_of(session, settings.platform)).platform
    connection = connection_of_name(session, name) if name else None
    if connection is None:  # a platform of this process takes everything
        return
    profile, rule = platform_profile(connection.kind), document.processing_rule or ""
    if not profile.takes_status(status, rule):
        raise StatusNotTakenError(status, rule, connection.name, profile.statuses[rule])


def portal_signature(session: Session, invoice: InvoiceRecord, settings: Settings) -> str:
    """Number (scheme 0238) of the platform that signs the portal's copies of the invoice's statuses; "" if unknown."""
    name = route(routed_invoice(session, invoice), platforms_of(session, settings.platform)).platform
    connection = connection_of_name(session, name) if name else None
    if connection is not None:
        return connection.number or ""
    return str(data_file("flows.toml")["platform_number"].get(name, ""))


def platform_channel(context: FlowsContext) -> Channel:
    """How `platform.flow` leaves: the tracking id is the idempotency key, the answer the platform's flow id.

    After a doubt the platform is asked whether it holds the flow; nothing is sent again before it says no.
    """

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
            return _client(delivery).submit(flow)
        except PlatformAmbiguousError as error:
            raise DeliveryAmbiguousError(str(error)) from error
        except PlatformError as error:
            raise _as_delivery_error(error) from error

    def look_up(delivery: Delivery, left_at: datetime, now: datetime) -> LookUp:
        payload = delivery.payload
        sent = SentFlow(delivery.idempotency_key, payload["name"], payload["document"], left_at)
        try:
            client = _client(delivery)
            return settle(client.look_up(sent), left_at=left_at, now=now, visible_within=client.visible_within)
        except PlatformError as error:
            raise _as_delivery_error(error) from error

    def _client(delivery: Delivery) -> PlatformClient:
        return context.platform(delivery.payload["platform"], delivery.organisation_id)

    def given_up(session: Session, message: OutboxMessage, now: datetime) -> None:
        content = {"key": message.idempotency_key, "state": message.state, "reason": message.last_error or ""}
        append(session, at=now, kind="delivery.given_up", subject=f"delivery:{message.id}", content=content)
        announce_given_up(session, message, now)

    return Channel(deliver, look_up, given_up=given_up)


def _as_delivery_error(error: PlatformError) -> DeliveryFailedError | DeliveryPostponedError:
    """Nothing was done: the way is closed, the platform does not answer, refuses, or is not known any more."""
    if isinstance(error, PlatformPausedError):
        return DeliveryPostponedError(str(error), error.until)
    pause = error.retry_after if isinstance(error, PlatformUnavailableError) else None
    return DeliveryFailedError(str(error), retry_after=pause, permanent=isinstance(error, PlatformRefusedError))
