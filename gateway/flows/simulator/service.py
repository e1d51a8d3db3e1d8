"""The simulated platform over HTTP: the Flow Service of XP Z12-013, with faults on demand, and its Directory Service.

It is another company's system: it has its own database, its own clients, and knows nothing of the gateway's.
"""

import asyncio
import hmac
import re
from base64 import b64decode
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from secrets import token_urlsafe
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, FastAPI, Form, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from gateway.access.errors import InvalidTokenError
from gateway.database.errors import InvalidCursorError
from gateway.flows.answering import FlowServiceRoute
from gateway.flows.errors import FlowNotFoundError, InvalidFlowRequestError, MissingFieldError
from gateway.flows.platforms.client import OutgoingFlow
from gateway.flows.representation import (
    FlowView,
    FullFlowInfo,
    SearchAnswer,
    SearchRequest,
)
from gateway.flows.simulator.directory import directory_routes
from gateway.flows.simulator.faults import Fault
from gateway.flows.simulator.platform import SimulatedPlatform
from gateway.flows.simulator.views import flow_view
from gateway.flows.simulator.webhooks import WebhookOrder, Webhooks
from gateway.flows.terms import DocType
from gateway.flows.upload import read_upload
from gateway.kernel.settings import Settings

BASE_PATH = "/flow-service/v1"
_TOKEN_LENGTH = timedelta(hours=1)
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_BYTES = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class PlatformHabits:
    """How the simulated platform behaves as a server; durations in seconds.

    Attributes:
        clients: secret by client identifier.
        slow: how long a slow answer takes.
        lost: how long a lost answer is held back: longer than the client waits.
        max_file_bytes: largest file taken.
    """

    clients: Mapping[str, str]
    slow: float = 0.5
    lost: float = 30.0
    max_file_bytes: int = 100 * 2**20


@dataclass
class _Tokens:
    """Tokens given and when they end; forgotten with the process, as a platform that restarts may do."""

    platform: SimulatedPlatform
    given: dict[str, datetime] = field(default_factory=dict)

    def give(self) -> str:
        token = token_urlsafe(24)
        self.given[token] = self.platform.clock() + _TOKEN_LENGTH
        return token

    def require(self, authorization: str) -> None:
        """Raises InvalidTokenError."""
        token = authorization.removeprefix("Bearer ")
        if self.given.get(token, datetime.min.replace(tzinfo=self.platform.clock().tzinfo)) <= self.platform.clock():
            raise InvalidTokenError

    def forget(self, authorization: str) -> None:
        self.given.pop(authorization.removeprefix("Bearer "), None)


def create_platform(
    platform: SimulatedPlatform, habits: PlatformHabits, webhooks: Webhooks, settings: Settings
) -> FastAPI:
    """The application of the simulated platform; `settings`: those of its directory."""
    app = FastAPI(title="Simulated accredited platform", docs_url=None, redoc_url=None)
    tokens = _Tokens(platform)
    app.include_router(_token_route(habits, tokens))
    app.include_router(_flow_routes(platform, habits, tokens))
    app.include_router(_webhook_routes(webhooks, tokens))
    app.include_router(directory_routes(platform, settings, _bearer(tokens)))
    requests = count(1)

    @app.middleware("http")
    async def show_faults(request: Request, go_on: Callable[[Request], Awaitable[Response]]) -> Response:
        if not request.url.path.startswith(BASE_PATH) or request.url.path.endswith("/healthcheck"):
            return await go_on(request)
        number = next(requests)
        if platform.dice.strikes(Fault.EXPIRED_TOKEN, number):
            tokens.forget(request.headers.get("authorization", ""))
        if platform.dice.strikes(Fault.TOO_MANY_REQUESTS, number):
            return _failure(429, "TOO_MANY_REQUESTS", {"Retry-After": "1"})
        if platform.dice.strikes(Fault.SLOW, number):
            await asyncio.sleep(habits.slow)
        answer = await go_on(request)
        if platform.dice.strikes(Fault.SERVER_ERROR, number):
            return _failure(500, "INTERNAL_ERROR")  # what was asked is done all the same
        if platform.dice.strikes(Fault.LOST_ANSWER, number):
            await asyncio.sleep(habits.lost)
        return answer

    return app


def _token_route(habits: PlatformHabits, tokens: _Tokens) -> APIRouter:
    routes = APIRouter()

    @routes.post("/oauth2/token")
    def token(
        request: Request,
        grant_type: Annotated[str, Form()] = "",
        client_id: Annotated[str, Form()] = "",
        client_secret: Annotated[str, Form()] = "",
    ) -> JSONResponse:
        """OAuth2 client credentials, by Basic or in the body."""
        kind, _, encoded = request.headers.get("authorization", "").partition(" ")
        if kind.lower() == "basic":
            client_id, _, client_secret = b64decode(encoded).decode().partition(":")
        secret = habits.clients.get(client_id, "")
        if grant_type != "client_credentials" or not secret or not hmac.compare_digest(secret, client_secret):
            return JSONResponse({"error": "invalid_client"}, 401)
        return JSONResponse(
            {"access_token": tokens.give(), "token_type": "Bearer", "expires_in": int(_TOKEN_LENGTH.total_seconds())}
        )

    return routes


def _flow_routes(platform: SimulatedPlatform, habits: PlatformHabits, tokens: _Tokens) -> APIRouter:
    routes = APIRouter(prefix=BASE_PATH, route_class=FlowServiceRoute, dependencies=[Depends(_bearer(tokens))])
    searches = count(1)

    @routes.post("/flows", status_code=202, response_model_exclude_none=True)
    async def submit(request: Request) -> FullFlowInfo:
        upload = await read_upload(request, habits.max_file_bytes)
        info = upload.info
        outgoing = OutgoingFlow(
            # Without a tracking id each submission is a flow of its own.
            tracking_id=info.tracking_id or token_urlsafe(24),
            name=info.name,
            flow_syntax=info.flow_syntax,
            data=upload.data,
            processing_rule=info.processing_rule,
            flow_profile=info.flow_profile,
        )
        flow_id = await run_in_threadpool(platform.submit, outgoing)
        return FullFlowInfo(**info.model_dump(), flow_id=flow_id, submitted_at=platform.clock())

    @routes.post("/flows/search", response_model_exclude_none=True)
    def search(wanted: SearchRequest) -> SearchAnswer:
        if wanted.where.is_empty:
            raise MissingFieldError("where: at least one criterion")
        if wanted.cursor and platform.dice.strikes(Fault.CHANGED_CURSOR, next(searches)):
            raise InvalidFlowRequestError("it is no longer valid", "cursor")
        try:
            page = platform.find(wanted.where.criteria(), cursor=wanted.cursor, limit=wanted.limit)
        except InvalidCursorError as error:
            raise InvalidFlowRequestError("it was not given by a search", "cursor") from error
        return SearchAnswer(
            results=tuple(flow_view(row) for row in page.items),
            filters=wanted.where,
            limit=wanted.limit,
            next_cursor=page.next_cursor,
        )

    @routes.get("/flows/{flow_id}", response_model=FlowView, response_model_exclude_none=True)
    def read(
        flow_id: str, doc_type: Annotated[DocType, Query(alias="docType")] = DocType.METADATA
    ) -> FlowView | Response:
        row = platform.row(UUID(flow_id)) if _UUID.fullmatch(flow_id) else None
        if row is None or doc_type not in (DocType.METADATA, DocType.ORIGINAL):
            raise FlowNotFoundError(flow_id)
        return flow_view(row) if doc_type is DocType.METADATA else Response(row.data, media_type=_BYTES)

    @routes.get("/healthcheck")
    def healthcheck() -> Response:
        return Response(status_code=200)

    return routes


def _webhook_routes(webhooks: Webhooks, tokens: _Tokens) -> APIRouter:
    routes = APIRouter(prefix=BASE_PATH, route_class=FlowServiceRoute, dependencies=[Depends(_bearer(tokens))])

    @routes.post("/webhooks", status_code=201)
    def subscribe(order: WebhookOrder) -> JSONResponse:
        created = webhooks.subscribe(order)
        return JSONResponse(
            {
                "webhookId": str(created.id),
                "signingKey": created.signing_key,
                "createdAt": created.created_at.isoformat(),
            },
            201,
        )

    @routes.get("/webhooks")
    def subscriptions() -> JSONResponse:
        return JSONResponse({"webhookIds": [str(row.id) for row in webhooks.all()]})

    @routes.delete("/webhooks/{webhook_id}", status_code=204)
    def unsubscribe(webhook_id: UUID) -> Response:
        if not webhooks.unsubscribe(webhook_id):
            raise FlowNotFoundError(str(webhook_id))
        return Response(status_code=204)

    return routes


def _bearer(tokens: _Tokens) -> Callable[[Request], None]:
    def authenticate(request: Request) -> None:
        if not request.url.path.endswith("/healthcheck"):
            tokens.require(request.headers.get("authorization", ""))

    return authenticate


def _failure(status: int, code: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"errorCode": code, "errorMessage": "simulated"}, status, headers=dict(headers or {}))
