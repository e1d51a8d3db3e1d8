"""How errors are said outside the rooms that say their own: a page to people, problem+json (RFC 9457) to programs."""

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from gateway.flows.answering import answer_unrouted
from gateway.kernel.errors import GatewayError
from gateway.kernel.problems import MEDIA_TYPE, Problem, headers_of
from gateway.web.context import WebContext
from gateway.web.errors import PageNotFoundError
from gateway.web.security import error_page

_NOT_FOUND, _UNPROCESSABLE, _INTERNAL = 404, 422, 500
_log = structlog.get_logger(__name__)


def say_failures(app: FastAPI, pages: WebContext) -> None:
    """Register the handlers of what no route has answered."""

    @app.exception_handler(HTTPException)
    async def http_failure(request: Request, error: HTTPException) -> Response:
        answer = answer_unrouted(request, error)
        if answer is not None:
            return answer
        if error.status_code == _NOT_FOUND and "text/html" in request.headers.get("accept", ""):
            return await error_page(pages, request, PageNotFoundError())
        return problem(error.status_code, f"HTTP_{error.status_code}", str(error.detail), error.headers)

    @app.exception_handler(GatewayError)
    async def named_failure(_request: Request, error: GatewayError) -> Response:
        return problem(error.status, error.code, str(error), headers_of(error))

    @app.exception_handler(RequestValidationError)
    async def malformed(_request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        return problem(_UNPROCESSABLE, "INVALID_REQUEST", f"{place}: {first['msg']}")

    @app.exception_handler(Exception)
    async def fault(request: Request, error: Exception) -> Response:
        _log.error("request_fault", path=request.url.path, exc_info=error)
        return problem(_INTERNAL, "INTERNAL_ERROR", "The request failed; its Request-Id finds it in the logs.")


def problem(status: int, code: str, detail: str, headers: object = None) -> JSONResponse:
    """A problem detail: `code` is the stable name of the error, `detail` what, where and how to fix."""
    said = Problem(title=code.replace("_", " ").capitalize(), status=status, code=code, detail=detail)
    return JSONResponse(
        said.model_dump(),
        status_code=status,
        media_type=MEDIA_TYPE,
        headers=headers if isinstance(headers, dict) else None,
    )
