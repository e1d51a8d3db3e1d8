"""`GET /api/v1/events/all`: the whole feed of events, which programs follow by asking."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from gateway.access.principal import Principal
from gateway.database.engine import Database
from gateway.database.paging import LONGEST_PAGE
from gateway.flows.webhooks.events import EVENT_FILTER_PATTERN, CloudEvent, cloud_event
from gateway.flows.webhooks.feed import some_events
from gateway.flows.webhooks.feeds import siren_of
from gateway.flows.webhooks.wanted import EventFilter
from gateway.kernel.problems import problems
from gateway.lifecycle.errors import LimitedViewError
from gateway.notifications.announcements import NAMESPACE

_LARGEST_SEQUENCE = 2**63 - 1
EventType = Annotated[str, Field(pattern=EVENT_FILTER_PATTERN)]


class CloudEventFeed(BaseModel):
    """Events of the types asked for, as webhooks tell them, in the order they were recorded."""

    model_config = ConfigDict(frozen=True)

    events: tuple[CloudEvent, ...]
    next_after: int = Field(description="Give it back as `after`, also when `events` is empty")


def router(database: Database, authenticate: Callable[..., Any], public_url: str | None) -> APIRouter:
    """The routes; their errors are GatewayErrors, which the assembly says as problem details.

    `authenticate`: a FastAPI dependency that says who follows the feed. `public_url`: where the gateway is reached.
    """
    routes = APIRouter(prefix="/api/v1", tags=["Events"], responses=problems(401, 403, 422))
    follower = Annotated[Principal, Depends(authenticate)]

    @routes.get(
        "/events/all",
        response_model=CloudEventFeed,
        response_model_exclude_none=True,
        summary="Statuses, alerts, flows, deliveries, promises and reminders, in the order recorded",
    )
    def events(
        principal: follower,
        type: Annotated[
            list[EventType] | None,
            Query(max_length=100, description="A type, or what types begin with up to a dot; may be repeated."),
        ] = None,
        after: Annotated[int, Query(ge=0, le=_LARGEST_SEQUENCE, description="`next_after` of the last answer.")] = 0,
        limit: Annotated[int, Query(ge=1, le=LONGEST_PAGE)] = 100,
    ) -> CloudEventFeed:
        """As `/events`, in the same places, each event as webhooks tell it. Without `type`: every event.

        Keep `next_after`, ask again with it: no event is ever recorded behind it.
        """
        if not principal.scope.is_everything:  # an event that came before its invoice is of no agency yet
            raise LimitedViewError
        wanted = EventFilter(tuple(type or (NAMESPACE,)))
        with database.transaction(principal.organisation_id) as session:
            read_to, found = some_events(session, after, wanted, limit)
            siren = siren_of(session)
            told = tuple(cloud_event(event, siren, public_url) for event in found)
        return CloudEventFeed(events=told, next_after=read_to)

    return routes
