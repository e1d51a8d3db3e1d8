"""What happens around every request: an identifier, a log line, a measure."""

import re
import time
from collections.abc import Awaitable, Callable
from uuid import uuid4

import structlog
from prometheus_client import Counter, Histogram
from starlette.requests import Request
from starlette.responses import Response

REQUESTS = Counter(
    "gateway_requests_total", "HTTP requests, by route, method and status.", ["route", "method", "status"]
)
REQUEST_SECONDS = Histogram("gateway_request_seconds", "Duration of HTTP requests, by route.", ["route"])
_log = structlog.get_logger(__name__)
_ACCEPTABLE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


async def observe_request(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    """Give the request an identifier (the caller's Request-Id when it is a plain one), log it, measure it."""
    given = request.headers.get("request-id", "")
    request_id = given if _ACCEPTABLE_ID.fullmatch(given) else str(uuid4())
    request.state.request_id = request_id
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=request_id)
    started = time.perf_counter()
    status = 500
    try:
        response = await call_next(request)
        status = response.status_code
        response.headers["Request-Id"] = request_id
        return response
    finally:
        seconds = time.perf_counter() - started
        # The route's pattern, not its path: identifiers in a path would make a series each.
        route = getattr(request.scope.get("route"), "path", "unmatched")
        REQUESTS.labels(route, request.method, str(status)).inc()
        REQUEST_SECONDS.labels(route).observe(seconds)
        if route not in ("/healthz", "/readyz", "/metrics", "/static"):
            _log.info(
                "request", method=request.method, path=request.url.path, status=status, ms=round(seconds * 1e3, 1)
            )
