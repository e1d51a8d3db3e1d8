"""How the services of XP Z12-013 answer when something is wrong: in the standard's error model, never a traceback."""

from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException

from gateway.flows.errors import (
    FlowServiceFaultError,
    FlowServiceUnavailableError,
    InvalidFlowRequestError,
    MethodNotAllowedError,
    MissingFieldError,
    UnknownPathError,
)
from gateway.flows.representation import ErrorView
from gateway.kernel.errors import GatewayError
from gateway.kernel.problems import headers_of
from gateway.kernel.text import Text

_SERVICES = ("/flow-service/", "/directory-service/")
_log = structlog.get_logger(__name__)

_NO_OBJECT = Text(
    "le corps doit être un objet JSON, envoyé en application/json",
    "the body must be a JSON object, sent as application/json",
)

#: What every route may answer beside its result, for the description of the interface.
ERROR_RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {"model": ErrorView} for status in (400, 401, 403, 404, 413, 422, 429, 500, 503)
}


class FlowServiceRoute(APIRoute):
    """A route whose every failure is an answer in the standard's error model, never a traceback."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler of FastAPI, with errors turned into answers."""
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await handle(request)
            except GatewayError as error:
                return _answer(error)
            except RequestValidationError as error:
                return _answer(_invalid(error))
            except HTTPException as error:  # a body that is no JSON at all
                return _answer(InvalidFlowRequestError(error.detail, "body"))
            except (OperationalError, PoolTimeoutError):
                _log.exception("flow_service_unavailable", path=request.url.path)
                return _answer(FlowServiceUnavailableError())
            except Exception:
                _log.exception("flow_service_fault", path=request.url.path)
                return _answer(FlowServiceFaultError())

        return answer


def answer_unrouted(request: Request, error: HTTPException) -> Response | None:
    """The answer to a call under a service of the standard that no route takes; None for calls to other services."""
    if not request.url.path.startswith(_SERVICES):
        return None
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = (error.headers or {}).get("Allow", "")
        return _answer(MethodNotAllowedError(request.method, allowed), {"Allow": allowed})
    if error.status_code == HTTPStatus.NOT_FOUND:
        return _answer(UnknownPathError(request.url.path))
    return _answer(InvalidFlowRequestError(str(error.detail), "request"))


def _invalid(error: RequestValidationError) -> InvalidFlowRequestError:
    first = error.errors()[0]
    if first["type"] == "json_invalid":
        where = f"body, character {first['loc'][-1]}"
        return InvalidFlowRequestError(f"{first['msg']}: {first['ctx']['error']}", where)
    if tuple(first["loc"]) == ("body",) and first["type"] != "missing":
        return InvalidFlowRequestError(_NO_OBJECT, "body")
    where = ".".join(str(step) for step in first["loc"])
    return MissingFieldError(where) if first["type"] == "missing" else InvalidFlowRequestError(first["msg"], where)


def _answer(error: GatewayError, headers: dict[str, str] | None = None) -> JSONResponse:
    view = ErrorView(error_code=error.code, error_message=error.in_language("en"), details=error.in_language("fr"))
    body = view.model_dump(by_alias=True, exclude_none=True)
    return JSONResponse(body, status_code=error.status, headers=headers_of(error) | (headers or {}))
