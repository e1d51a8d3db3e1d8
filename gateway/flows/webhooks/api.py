"""Webhooks of XP Z12-013 (Flow Service 1.3.0): a program subscribes to flows, lists and ends its subscriptions."""

from base64 import b64encode
from collections.abc import Callable
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Response
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from gateway.access.errors import MissingScopeError
from gateway.access.principal import Principal
from gateway.access.roles import ApiScope
from gateway.database.engine import Database
from gateway.flows.answering import FlowServiceRoute
from gateway.flows.representation import Instant
from gateway.flows.terms import AckStatus, FlowDirection, FlowType
from gateway.flows.webhooks.addresses import callback_policy
from gateway.flows.webhooks.model import Webhook, WebhookKind
from gateway.flows.webhooks.repository import own_webhook, webhooks_of
from gateway.flows.webhooks.service import CreatedWebhook, subscribe, unsubscribe
from gateway.kernel.clock import Clock
from gateway.kernel.settings import Settings


class _Part(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True)


class WebhookParams(_Part):
    """A subscription as asked for: where to call, and for which flows; without a filter, for every flow."""

    callback_url: str
    flow_types: tuple[FlowType, ...] | None = None
    flow_direction: FlowDirection | None = None
    ack_status: AckStatus | None = None

    @property
    def wanted(self) -> dict[str, Any]:
        """The filters, as they are kept."""
        return self.model_dump(mode="json", exclude={"callback_url"}, exclude_none=True)


class WebhookCreated(_Part):
    """A new subscription; its key (base64 of 256 bits) is shown here only."""

    webhook_id: UUID
    signing_key: str
    created_at: Instant


class WebhookView(WebhookParams):
    """A subscription as its owner reads it."""

    webhook_id: UUID
    created_at: Instant


class WebhookList(_Part):
    """The subscriptions of one program. The standard requires `webhookIds` and describes `webhooks`: both are there."""

    count: int
    webhook_ids: tuple[UUID, ...]
    webhooks: tuple[WebhookView, ...] = Field(default=())


def router(database: Database, clock: Clock, settings: Settings, authenticate: Callable[..., Any]) -> APIRouter:
    """The routes under `/webhooks`."""
    routes = APIRouter(prefix="/webhooks", route_class=FlowServiceRoute)
    caller = Annotated[Principal, Depends(authenticate)]
    organisation_header = Annotated[str | None, Header(alias="Organization-Id", description="SIREN or identifier.")]
    request_header = Annotated[UUID | None, Header(alias="Request-Id")]

    @routes.post("", status_code=201)
    def create(
        principal: caller,
        wanted: WebhookParams,
        organization_id: organisation_header = None,
        request_id: request_header = None,
    ) -> WebhookCreated:
        """Be called about flows from now on. Keep the signing key: it is not shown again."""
        require(principal, ApiScope.WEBHOOKS_MANAGE, ApiScope.FLOWS_READ)
        with database.transaction(principal.organisation_id) as session:
            created = subscribe(
                session,
                kind=WebhookKind.FLOW,
                api_client_id=principal.id,
                callback_url=wanted.callback_url,
                wanted=wanted.wanted,
                policy=callback_policy(settings),
                now=clock(),
            )
            return _created(created)

    @routes.get("", response_model_exclude_none=True)
    def subscriptions(
        principal: caller, organization_id: organisation_header = None, request_id: request_header = None
    ) -> WebhookList:
        """The subscriptions of the program that asks."""
        require(principal, ApiScope.WEBHOOKS_MANAGE)
        with database.transaction(principal.organisation_id) as session:
            found = tuple(_view(webhook) for webhook in webhooks_of(session, principal.id, WebhookKind.FLOW))
        return WebhookList(count=len(found), webhook_ids=tuple(each.webhook_id for each in found), webhooks=found)

    @routes.delete("/{webhook_id}", status_code=204)
    def delete(
        principal: caller,
        webhook_id: UUID,
        organization_id: organisation_header = None,
        request_id: request_header = None,
    ) -> Response:
        """End a subscription of the program that asks."""
        require(principal, ApiScope.WEBHOOKS_MANAGE)
        with database.transaction(principal.organisation_id) as session:
            webhook = own_webhook(session, principal.id, WebhookKind.FLOW, webhook_id)
            unsubscribe(session, webhook, now=clock())
        return Response(status_code=204)

    return routes


def _created(created: CreatedWebhook) -> WebhookCreated:
    return WebhookCreated(
        webhook_id=created.webhook.id,
        signing_key=b64encode(created.key).decode(),
        created_at=created.webhook.created_at,
    )


def _view(webhook: Webhook) -> WebhookView:
    return WebhookView(
        webhook_id=webhook.id, created_at=webhook.created_at, callback_url=webhook.callback_url, **webhook.wanted
    )


def require(principal: Principal, *scopes: ApiScope) -> None:
    """Raises MissingScopeError: whoever is called about something must be allowed to read it too."""
    for scope in scopes:
        if scope.value not in principal.scopes:
            raise MissingScopeError(scope.value)
