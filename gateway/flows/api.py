"""The Flow Service of XP Z12-013 (1.3.0), as billing systems call it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import quote
from uuid import UUID

import structlog
from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.concurrency import run_in_threadpool

from gateway.access.errors import MissingScopeError
from gateway.access.principal import Principal
from gateway.access.roles import ApiScope
from gateway.database.engine import Database
from gateway.database.errors import InvalidCursorError
from gateway.flows.answering import ERROR_RESPONSES, FlowServiceRoute
from gateway.flows.documents import FlowFile, file_of
from gateway.flows.errors import FlowNotFoundError, InvalidFlowRequestError, MissingFieldError
from gateway.flows.intake import Submission, accept_flow
from gateway.flows.repository import flow_by_id
from gateway.flows.representation import (
    FlowInfo,
    FlowView,
    FullFlowInfo,
    SearchAnswer,
    SearchRequest,
    flow_view,
    submitted_view,
)
from gateway.flows.searching import search_flows
from gateway.flows.terms import DocType
from gateway.flows.upload import read_upload
from gateway.flows.webhooks import api as webhooks_api
from gateway.invoices.limits import reading_limits
from gateway.kernel.clock import Clock
from gateway.kernel.settings import Settings
from gateway.kernel.text import Text
from gateway.ledger.documents import DocumentStore

#: Start of the source of what comes in through this service; the client's identifier follows: each counts its own
#: tracking ids.
API_SOURCE = "api:"
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class FlowApiContext:
    """What the routes need; `authenticate` is a FastAPI dependency that says who calls or raises a GatewayError."""

    database: Database
    store: DocumentStore
    clock: Clock
    settings: Settings
    authenticate: Callable[..., Any]


def router(context: FlowApiContext) -> APIRouter:
    """The routes under `/flow-service/v1`."""
    routes = APIRouter(
        prefix="/flow-service/v1",
        tags=["Flow Service XP Z12-013"],
        route_class=FlowServiceRoute,
        responses=ERROR_RESPONSES,
    )
    caller = Annotated[Principal, Depends(context.authenticate)]
    organisation_header = Annotated[str | None, Header(alias="Organization-Id", description="SIREN or identifier.")]
    request_header = Annotated[UUID | None, Header(alias="Request-Id")]

    @routes.post("/flows", status_code=202, response_model_exclude_none=True, openapi_extra=_UPLOAD_BODY)
    async def submit(
        request: Request,
        principal: caller,
        organization_id: organisation_header = None,
        request_id: request_header = None,
    ) -> FullFlowInfo:
        """Submit an invoice or a lifecycle message. 202: stored durably; the acknowledgement follows."""
        _require(principal, ApiScope.FLOWS_WRITE)
        upload = await read_upload(request, context.settings.max_file_bytes)
        submission = _submission(upload.info, upload.data, principal, request_id)
        return await run_in_threadpool(_store, context, principal, submission)

    @routes.post("/flows/search", response_model_exclude_none=True)
    def search(
        principal: caller,
        wanted: SearchRequest,
        organization_id: organisation_header = None,
        request_id: request_header = None,
    ) -> SearchAnswer:
        """Search the flows of the organisation, oldest update first."""
        _require(principal, ApiScope.FLOWS_READ)
        if wanted.where.is_empty:
            raise MissingFieldError("where: at least one criterion")
        with context.database.transaction(principal.organisation_id) as session:
            try:
                page = search_flows(session, wanted.where.criteria(), cursor=wanted.cursor, limit=wanted.limit)
            except InvalidCursorError as error:
                raise InvalidFlowRequestError(
                    Text("aucune recherche ne l’a donné", "it was not given by a search"), "cursor"
                ) from error
            return SearchAnswer(
                results=tuple(flow_view(flow) for flow in page.items),
                filters=wanted.where,
                limit=wanted.limit,
                next_cursor=page.next_cursor,
            )

    @routes.get("/flows/{flow_id}", response_model=FlowView, response_model_exclude_none=True)
    def read(
        principal: caller,
        flow_id: str,
        doc_type: Annotated[DocType, Query(alias="docType")] = DocType.METADATA,
        organization_id: organisation_header = None,
        request_id: request_header = None,
    ) -> FlowView | Response:
        """The metadata of a flow, or one of its files: as it came, the XML of a Factur-X, or as people read it."""
        _require(principal, ApiScope.FLOWS_READ)
        with context.database.transaction(principal.organisation_id) as session:
            flow = flow_by_id(session, _identifier(flow_id))
            if doc_type is DocType.METADATA:
                return flow_view(flow)
            return _download(file_of(flow, doc_type, context.store, reading_limits(context.settings)))

    @routes.get("/healthcheck")
    def healthcheck() -> Response:
        """200 with no body when the service and its database answer, 503 otherwise."""
        return Response(status_code=200 if context.database.is_ready() else 503)

    routes.include_router(webhooks_api.router(context.database, context.clock, context.settings, context.authenticate))
    return routes


def _store(context: FlowApiContext, principal: Principal, submission: Submission) -> FullFlowInfo:
    """The answer is made here, but FastAPI sends it only once the transaction is committed and this has returned."""
    with context.database.transaction(principal.organisation_id) as session:
        accepted = accept_flow(session, context.store, submission, now=context.clock())
        view = submitted_view(accepted.flow)
    _log.info("flow_accepted", flow_id=view.flow_id, already_known=accepted.already_known)
    return view


def _submission(info: FlowInfo, data: bytes, principal: Principal, request_id: UUID | None) -> Submission:
    return Submission(
        data=data,
        name=info.name,
        source=f"{API_SOURCE}{principal.id}",
        tracking_id=info.tracking_id or None,  # some systems send an empty one with each file
        flow_syntax=info.flow_syntax.value,
        flow_profile=info.flow_profile.value if info.flow_profile else None,
        processing_rule=info.processing_rule.value if info.processing_rule else None,
        sha256=info.sha256,
        request_id=str(request_id) if request_id else None,
    )


def _download(file: FlowFile) -> Response:
    return Response(
        file.data,
        media_type="application/octet-stream",
        headers={
            "Content-Disposition": f"attachment;filename*=UTF-8''{quote(file.name, safe='')}",
            "X-Content-Type-Options": "nosniff",
        },
    )


def _require(principal: Principal, scope: ApiScope) -> None:
    if scope.value not in principal.scopes:
        raise MissingScopeError(scope.value)


def _identifier(flow_id: str) -> UUID:
    try:
        return UUID(flow_id)
    except ValueError as error:
        raise FlowNotFoundError(flow_id) from error


_UPLOAD_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["flowInfo", "file"],
                    "properties": {
                        "flowInfo": FlowInfo.model_json_schema(by_alias=True),
                        "file": {"type": "string", "format": "binary"},
                    },
                },
                "encoding": {"flowInfo": {"contentType": "application/json"}},
            }
        },
    }
}
