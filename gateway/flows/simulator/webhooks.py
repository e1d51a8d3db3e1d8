"""The simulated platform calls those who subscribed, once a flow and without a second try: calls do get lost."""

import json
import threading
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from secrets import token_bytes
from uuid import UUID

import httpx
import structlog
from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel
from sqlmodel import col, select

from gateway.flows.model import SimulatedFlow, SimulatedWebhook
from gateway.flows.representation import FlowView
from gateway.flows.signatures import sign
from gateway.flows.simulator.faults import Fault
from gateway.flows.simulator.platform import SimulatedPlatform
from gateway.flows.simulator.views import flow_view
from gateway.flows.terms import AckStatus, FlowDirection, FlowType

_KEY_BYTES = 32
_BATCH = 50
_log = structlog.get_logger(__name__)


class WebhookOrder(BaseModel):
    """A subscription as a client asks for it (WebhookParams)."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True)

    callback_url: str
    flow_types: tuple[FlowType, ...] = ()
    flow_direction: FlowDirection | None = None
    ack_status: AckStatus | None = None


@dataclass
class Webhooks:
    """The subscriptions of the simulated platform and the calls it makes."""

    platform: SimulatedPlatform
    client: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=5))

    def subscribe(self, order: WebhookOrder) -> SimulatedWebhook:
        """A new subscription, with its signing key (base64)."""
        row = SimulatedWebhook(
            organisation_id=self.platform.organisation_id,
            callback_url=order.callback_url,
            signing_key=b64encode(token_bytes(_KEY_BYTES)).decode(),
            wanted=order.model_dump(mode="json", exclude={"callback_url"}),
            created_at=self.platform.clock(),
        )
        with self.platform.database.transaction(self.platform.organisation_id) as session:
            session.add(row)
            session.flush()
            session.expunge(row)
        return row

    def all(self) -> Sequence[SimulatedWebhook]:
        """Every subscription, the oldest first."""
        with self.platform.database.transaction(self.platform.organisation_id) as session:
            rows = session.exec(select(SimulatedWebhook).order_by(col(SimulatedWebhook.created_at))).all()
            for row in rows:
                session.expunge(row)
            return rows

    def unsubscribe(self, webhook_id: UUID) -> bool:
        """End a subscription; False when there is none of that identifier."""
        with self.platform.database.transaction(self.platform.organisation_id) as session:
            row = session.get(SimulatedWebhook, webhook_id)
            if row is None:
                return False
            session.delete(row)
            return True

    def call_about_news(self) -> int:
        """Call every subscriber about the flows that became visible; the number of calls that were answered 2xx."""
        with self.platform.database.transaction(self.platform.organisation_id) as session:
            flows = session.exec(
                select(SimulatedFlow)
                .where(col(SimulatedFlow.notified_at).is_(None), SimulatedFlow.visible_at <= self.platform.clock())
                .order_by(col(SimulatedFlow.visible_at), col(SimulatedFlow.id))
                .limit(_BATCH)
                .with_for_update(skip_locked=True)
            ).all()
            for flow in flows:
                flow.notified_at = self.platform.clock()
            news = [flow_view(flow) for flow in flows]
        subscriptions = self.all()
        return sum(
            self._call(webhook, flow)
            for flow in news
            for webhook in subscriptions
            if _wants(webhook, flow) and not self.platform.dice.strikes(Fault.LOST_WEBHOOK, flow.flow_id)
        )

    def keep_calling(self, stop: threading.Event, pause: float = 0.2) -> None:
        """Call about news until `stop` is set; `pause` in seconds."""
        while not stop.wait(pause):
            try:
                self.call_about_news()
            except Exception:  # the database may be away for a moment: the next round comes
                _log.exception("simulated_webhooks_failed")

    def _call(self, webhook: SimulatedWebhook, flow: FlowView) -> bool:
        body = json.dumps(flow.model_dump(mode="json", by_alias=True, exclude_none=True)).encode()
        headers = sign(body, b64decode(webhook.signing_key), self.platform.clock())
        try:
            answer = self.client.post(
                webhook.callback_url, content=body, headers={**headers, "Content-Type": "application/json"}
            )
        except httpx.HTTPError as error:
            _log.warning("simulated_webhook_lost", url=webhook.callback_url, reason=str(error))
            return False
        return answer.is_success


def _wants(webhook: SimulatedWebhook, flow: FlowView) -> bool:
    wanted = webhook.wanted
    return (
        (not wanted["flow_types"] or flow.flow_type in wanted["flow_types"])
        and wanted["flow_direction"] in (None, flow.flow_direction)
        and wanted["ack_status"] in (None, flow.acknowledgement.status)
    )
