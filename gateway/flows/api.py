"""The Flow Service of XP Z12-013 (1.3.0), as billing systems call it."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import quote
from uuid import UUID

import structlog
from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import HTTPException, RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from gateway.access.errors import MissingScopeError
from gateway.access.model import Organisation
from gateway.access.principal import Principal
from gateway.access.roles import ApiScope
from gateway.database.engine import Database
from gateway.database.errors import InvalidCursorError
from gateway.flows.errors import (
    FlowNotFoundError,
    FlowServiceFaultError,
    FlowServiceUnavailableError,
    ForeignOrganisationError,
    InvalidFlowRequestError,
    MissingFieldError,
    NotAvailableYetError,
)
from gateway.flows.intake import Submission, accept_flow
from gateway.flows.model import Flow
from gateway.flows.repository import flow_by_id, search_flows
from gateway.flows.representation import (
    ErrorView,
    FlowInfo,
    FlowView,
    FullFlowInfo,
    SearchAnswer,
    SearchRequest,
    flow_view,
    submitted_view,
)
from gateway.flows.terms import DocType
from gateway.flows.upload import read_upload
from gateway.kernel.clock import Clock
from gateway.kernel.errors import GatewayError
from gateway.kernel.settings import Settings
from gateway.kernel.text import Text
from gateway.ledger.documents import DocumentStore

#: Source of what comes in through this service.
API_SOURCE = "api"
UNAUTHORIZED = 401
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class FlowApiContext:
    """What the routes need; `authenticate` is a FastAPI dependency that says who calls or raises a GatewayError."""

    database: Database
    store: DocumentStore
    clock: Clock
    settings: Settings
    authenticate: Callable[..., Any]


class FlowServiceRoute(APIRoute):
    """A route whose every failure is an answer in the standard's error model, never a traceback."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler of FastAPI, with errors turned into answers."""
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await handle(request)
            except GatewayError as error:
                return _error_answer(error)
            except RequestValidationError as error:
                return _error_answer(_invalid(error))
            except HTTPException as error:  # a body that is no JSON at all
                return _error_answer(InvalidFlowRequestError(error.detail, "body"))
            except (OperationalError, PoolTimeoutError):
                _log.exception("flow_service_unavailable", path=request.url.path)
                return _error_answer(FlowServiceUnavailableError())
            except Exception:
                _log.exception("flow_service_fault", path=request.url.path)
                return _error_answer(FlowServiceFaultError())

        return answer


def router(context: FlowApiContext) -> APIRouter:
    """The routes under `/flow-service/v1`."""
    routes = APIRouter(prefix="/flow-service/v1", tags=["Flow Service XP Z12-013"], route_class=FlowServiceRoute)
    caller = Annotated[Principal, Depends(context.authenticate)]
    organisation_header = Annotated[str | None, Header(alias="Organization-Id", description="SIREN or identifier.")]
    request_header = Annotated[UUID | None, Header(alias="Request-Id")]

    @routes.post("/flows", status_code=202, responses=_RESPONSES, openapi_extra=_UPLOAD_BODY)
    async def submit(
        request: Request,
        principal: caller,
        organization_id: organisation_header = None,
        request_id: request_header = None,
    ) -> FullFlowInfo:
        """Submit an invoice or a lifecycle message. 202: stored durably; the acknowledgement follows."""
        _require(principal, ApiScope.FLOWS_WRITE)
        upload = await read_upload(request, context.settings.max_file_bytes)
        submission = _submission(upload.info, upload.data, request_id)
        return await run_in_threadpool(_store, context, principal, organization_id, submission)

    @routes.post("/flows/search", responses=_RESPONSES, response_model_exclude_none=True)
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
            _check_organisation(session.get(Organisation, principal.organisation_id), organization_id)
            try:
                page = search_flows(session, wanted.where.criteria(), cursor=wanted.cursor, limit=wanted.limit)
            except InvalidCursorError as error:
                raise InvalidFlowRequestError("it was not given by a search", "cursor") from error
            return SearchAnswer(
                results=tuple(flow_view(flow) for flow in page.items),
                filters=wanted.where,
                limit=wanted.limit,
                next_cursor=page.next_cursor,
            )

    @routes.get("/flows/{flow_id}", responses=_RESPONSES, response_model=FlowView, response_model_exclude_none=True)
    def read(
        principal: caller,
        flow_id: str,
        doc_type: Annotated[DocType, Query(alias="docType")] = DocType.METADATA,
        organization_id: organisation_header = None,
        request_id: request_header = None,
    ) -> FlowView | Response:
        """The metadata of a flow, or its original file."""
        _require(principal, ApiScope.FLOWS_READ)
        if doc_type in (DocType.CONVERTED, DocType.READABLE_VIEW):
            raise NotAvailableYetError(Text(f"Le document {doc_type}", f"The document {doc_type}"), "docType")
        with context.database.transaction(principal.organisation_id) as session:
            _check_organisation(session.get(Organisation, principal.organisation_id), organization_id)
            flow = flow_by_id(session, _identifier(flow_id))
            return _original(context.store, flow) if doc_type is DocType.ORIGINAL else flow_view(flow)

    @routes.get("/healthcheck", responses=_RESPONSES)
    def healthcheck() -> Response:
        """200 with no body when the service and its database answer, 503 otherwise."""
        return Response(status_code=200 if context.database.is_ready() else 503)

    for path, method in (("/webhooks", "GET"), ("/webhooks", "POST"), ("/webhooks/{webhook_id}", "DELETE")):
        routes.add_api_route(path, _webhooks(caller), methods=[method], status_code=501, responses=_RESPONSES)
    return routes


def _webhooks(caller: Any) -> Callable[..., None]:
    def webhooks(principal: caller) -> None:
        """Webhooks are not served yet: poll `flows/search`."""
        raise NotAvailableYetError(Text("Les webhooks", "Webhooks"), "/flow-service/v1/webhooks")

    return webhooks


def _store(
    context: FlowApiContext, principal: Principal, organization_id: str | None, submission: Submission
) -> FullFlowInfo:
    """The answer is made here, but FastAPI sends it only once the transaction is committed and this has returned."""
    with context.database.transaction(principal.organisation_id) as session:
        _check_organisation(session.get(Organisation, principal.organisation_id), organization_id)
        accepted = accept_flow(session, context.store, submission, now=context.clock())
        view = submitted_view(accepted.flow)
    _log.info("flow_accepted", flow_id=view.flow_id, already_known=accepted.already_known)
    return view


def _submission(info: FlowInfo, data: bytes, request_id: UUID | None) -> Submission:
    return Submission(
        data=data,
        name=info.name,
        source=API_SOURCE,
        tracking_id=info.tracking_id,
        flow_syntax=info.flow_syntax.value,
        flow_profile=info.flow_profile.value if info.flow_profile else None,
        processing_rule=info.processing_rule.value if info.processing_rule else None,
        sha256=info.sha256,
        request_id=str(request_id) if request_id else None,
    )


def _original(store: DocumentStore, flow: Flow) -> Response:
    if flow.document_sha256 is None:  # listed by a platform, not fetched yet
        raise FlowNotFoundError(str(flow.id))
    return Response(
        store.get(flow.document_sha256),
        media_type="application/octet-stream",
        headers={
            "Content-Disposition": f"attachment;filename*=UTF-8''{quote(flow.name, safe='')}",
            "X-Content-Type-Options": "nosniff",
        },
    )


def _require(principal: Principal, scope: ApiScope) -> None:
    if scope.value not in principal.scopes:
        raise MissingScopeError(scope.value)


def _check_organisation(organisation: Organisation | None, asked: str | None) -> None:
    """Organization-Id may name the caller's organisation only, by SIREN or identifier."""
    if organisation is None or asked in (None, organisation.siren, str(organisation.id)):
        return
    raise ForeignOrganisationError


def _identifier(flow_id: str) -> UUID:
    try:
        return UUID(flow_id)
    except ValueError as error:
        raise FlowNotFoundError(flow_id) from error


def _invalid(error: RequestValidationError) -> InvalidFlowRequestError:
    first = error.errors()[0]
    where = ".".join(str(step) for step in first["loc"])
    return MissingFieldError(where) if first["type"] == "missing" else InvalidFlowRequestError(first["msg"], where)


def _error_answer(error: GatewayError) -> JSONResponse:
    view = ErrorView(error_code=error.code, error_message=error.in_language("en"), details=error.in_language("fr"))
    headers = {"WWW-Authenticate": "Bearer"} if error.status == UNAUTHORIZED else None
    return JSONResponse(view.model_dump(by_alias=True, exclude_none=True), status_code=error.status, headers=headers)


_RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {"model": ErrorView} for status in (400, 401, 403, 404, 413, 422, 429, 500, 501, 503)
}
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
