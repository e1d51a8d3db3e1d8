"""The simulated platform calls its subscribers: several at a time, and again when a call fails, as others do.

A call that fails is repeated later and later, and given up in the end; one that was under way when the platform was
killed is repeated too. So a subscriber is told of news at least once, but for the calls that a fault loses.
"""

import json
import threading
from base64 import b64decode, b64encode
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from secrets import token_bytes
from uuid import UUID

import httpx
import structlog
from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel
from sqlmodel import col, select, update

from gateway.flows.model import SimulatedFlow, SimulatedWebhook
from gateway.flows.representation import FlowView
from gateway.flows.signatures import sign
from gateway.flows.simulator.faults import Fault
from gateway.flows.simulator.platform import SimulatedPlatform
from gateway.flows.simulator.views import flow_view
from gateway.flows.terms import AckStatus, FlowDirection, FlowType

_KEY_BYTES = 32
_BATCH = 50
_AT_ONCE = 4
#: News that are being told are not taken again before this; those of a platform that died meanwhile are, then.
_LEASE = timedelta(seconds=15)
#: After a failure the next call comes when the news are twice as old, within these.
_SHORTEST_PAUSE, _LONGEST_PAUSE = timedelta(seconds=0.5), timedelta(seconds=10)
_PATIENCE = timedelta(minutes=5)
#: Answers that may be others next time, beside 500 and more.
_TRY_AGAIN = (408, 425, 429)
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
        """Call every subscriber about the flows that have news; the number of calls that were answered 2xx."""
        news = self._take_news()
        if not news:
            return 0
        subscriptions = self.all()
        with ThreadPoolExecutor(_AT_ONCE) as callers:
            answers = list(callers.map(lambda flow: self._tell(flow, subscriptions), news))
        with self.platform.database.transaction(self.platform.organisation_id) as session:
            for flow, answered in zip(news, answers, strict=True):
                again = next_call(flow.updated_at, self.platform.clock()) if any(map(_failed, answered)) else None
                told = update(SimulatedFlow).where(
                    col(SimulatedFlow.id) == UUID(flow.flow_id),
                    col(SimulatedFlow.visible_at) == flow.updated_at,  # else there are newer news
                )
                session.exec(told.values(call_at=again))
        return sum(200 <= status < 300 for answered in answers for status in answered)

    def _take_news(self) -> list[FlowView]:
        with self.platform.database.transaction(self.platform.organisation_id) as session:
            self.platform.acknowledge_due(session)
            now = self.platform.clock()
            flows = session.exec(
                select(SimulatedFlow)
                .where(col(SimulatedFlow.call_at) <= now)
                .order_by(col(SimulatedFlow.call_at), col(SimulatedFlow.id))
                .limit(_BATCH)
                .with_for_update(skip_locked=True)
            ).all()
            for flow in flows:
                flow.call_at = now + _LEASE
            return [flow_view(flow) for flow in flows]

    def _tell(self, flow: FlowView, subscriptions: Sequence[SimulatedWebhook]) -> list[int]:
        """The HTTP status of each call about a flow, 0 when there was no answer."""
        return [
            self._call(webhook, flow)
            for webhook in subscriptions
            if _wants(webhook, flow) and not self.platform.dice.strikes(Fault.LOST_WEBHOOK, flow.flow_id)
        ]

    def keep_calling(self, stop: threading.Event, pause: float = 0.2) -> None:
        """Call about news until `stop` is set; `pause` in seconds."""
        while not stop.wait(pause):
            try:
                self.call_about_news()
            except Exception:  # the database may be away for a moment: the next round comes
                _log.exception("simulated_webhooks_failed")

    def _call(self, webhook: SimulatedWebhook, flow: FlowView) -> int:
        body = json.dumps(flow.model_dump(mode="json", by_alias=True, exclude_none=True)).encode()
        headers = sign(body, b64decode(webhook.signing_key), self.platform.clock())
        try:
            answer = self.client.post(
                webhook.callback_url, content=body, headers={**headers, "Content-Type": "application/json"}
            )
        except httpx.HTTPError as error:
            _log.warning("simulated_webhook_failed", url=webhook.callback_url, reason=str(error))
            return 0
        return answer.status_code


def next_call(news_since: datetime, now: datetime) -> datetime | None:
    """When to call again about news that could not be told; None when they are given up. Pure."""
    age = now - news_since
    return None if age > _PATIENCE else now + min(max(age, _SHORTEST_PAUSE), _LONGEST_PAUSE)


def _failed(status: int) -> bool:
    """True when the same call may do better later."""
    return status == 0 or status in _TRY_AGAIN or status >= 500


def _wants(webhook: SimulatedWebhook, flow: FlowView) -> bool:
    wanted = webhook.wanted
    return (
        (not wanted["flow_types"] or flow.flow_type in wanted["flow_types"])
        and wanted["flow_direction"] in (None, flow.flow_direction)
        and wanted["ack_status"] in (None, flow.acknowledgement.status)
    )
