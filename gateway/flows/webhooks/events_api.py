"""`/api/v1/webhooks`: programs subscribe to events, sent as CloudEvents signed by Standard Webhooks."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, ConfigDict, Field

from gateway.access.principal import Principal
from gateway.access.roles import ApiScope
from gateway.database.engine import Database
from gateway.flows.webhooks.addresses import callback_policy
from gateway.flows.webhooks.api import require
from gateway.flows.webhooks.calling import secret_of
from gateway.flows.webhooks.events import EVENT_FILTER_PATTERN
from gateway.flows.webhooks.model import Webhook, WebhookKind
from gateway.flows.webhooks.repository import own_webhook, webhooks_of
from gateway.flows.webhooks.service import subscribe, unsubscribe
from gateway.kernel.clock import Clock
from gateway.kernel.problems import problems
from gateway.kernel.settings import Settings

EventFilter = Annotated[str, Field(pattern=EVENT_FILTER_PATTERN)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SubscriptionOrder(_Part):
    """A subscription as asked for."""

    callback_url: str = Field(description="Where to call: https.")
    event_types: tuple[EventFilter, ...] = Field(
        default=(),
        max_length=100,
        description="Types, or what they begin with up to a dot: einvoicing.invoice.status.210, einvoicing.alert. "
        "None: every status of invoices; einvoicing: every event.",
    )


class SubscriptionView(SubscriptionOrder):
    """A subscription as its owner reads it."""

    event_types: tuple[str, ...]
    id: UUID
    created_at: datetime
    last_success_at: datetime | None = Field(description="When a call last arrived")
    failing_since: datetime | None = Field(description="Since when calls fail; null when the last one arrived")
    disabled_at: datetime | None = Field(description="When the gateway gave up; an operator starts it again")


class SubscriptionCreated(SubscriptionView):
    """A new subscription; its secret is shown here only."""

    secret: str = Field(description="whsec_…, as the libraries of Standard Webhooks take it")


class SubscriptionList(_Part):
    """The subscriptions of one program."""

    webhooks: tuple[SubscriptionView, ...]


def router(database: Database, clock: Clock, settings: Settings, authenticate: Callable[..., Any]) -> APIRouter:
    """The routes; their errors are GatewayErrors, which the assembly says as problem details."""
    routes = APIRouter(prefix="/api/v1/webhooks", tags=["Webhooks"], responses=problems(400, 401, 403, 404, 422, 429))
    caller = Annotated[Principal, Depends(authenticate)]

    @routes.post("", status_code=201, summary="Be called about events from now on, in order")
    def create(principal: caller, wanted: SubscriptionOrder) -> SubscriptionCreated:
        """Keep the secret: it is not shown again."""
        require(principal, ApiScope.WEBHOOKS_MANAGE, ApiScope.EVENTS_READ)
        with database.transaction(principal.organisation_id) as session:
            created = subscribe(
                session,
                kind=WebhookKind.EVENT,
                api_client_id=principal.id,
                callback_url=wanted.callback_url,
                wanted={"event_types": list(wanted.event_types)},
                policy=callback_policy(settings),
                now=clock(),
            )
            return SubscriptionCreated(**_view(created.webhook).model_dump(), secret=secret_of(created.key))

    @routes.get("", summary="The subscriptions of the program that asks")
    def subscriptions(principal: caller) -> SubscriptionList:
        require(principal, ApiScope.WEBHOOKS_MANAGE)
        with database.transaction(principal.organisation_id) as session:
            found = webhooks_of(session, principal.id, WebhookKind.EVENT)
            return SubscriptionList(webhooks=tuple(map(_view, found)))

    @routes.delete("/{webhook_id}", status_code=204, summary="End a subscription")
    def delete(principal: caller, webhook_id: UUID) -> Response:
        require(principal, ApiScope.WEBHOOKS_MANAGE)
        with database.transaction(principal.organisation_id) as session:
            unsubscribe(session, own_webhook(session, principal.id, WebhookKind.EVENT, webhook_id), now=clock())
        return Response(status_code=204)

    return routes


def _view(webhook: Webhook) -> SubscriptionView:
    facts = webhook.model_dump(include=set(SubscriptionView.model_fields) - {"event_types"})
    return SubscriptionView(**facts, event_types=tuple(webhook.wanted["event_types"]))
