"""What happens around every request: an identifier, a log line, a measure; and other base paths of the services."""

import re
import time
from collections.abc import Awaitable, Callable
from uuid import uuid4

import structlog
from prometheus_client import Counter, Histogram
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.flows.directory.api import CALLED_AS
from gateway.kernel.configuration import PREFIX
from gateway.kernel.settings import Settings, SettingsError
from gateway.kernel.text import Text

REQUESTS = Counter(
    "gateway_requests_total", "HTTP requests, by route, method and status.", ["route", "method", "status"]
)
REQUEST_SECONDS = Histogram("gateway_request_seconds", "Duration of HTTP requests, by route.", ["route"])
_log = structlog.get_logger(__name__)
#: Base paths under which the gateway itself has routes of `/v1`.
_OWN_PATHS = frozenset({"/flow-service", "/directory-service", "/api"})
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


class BasePaths:
    """Serves a service of the standard under further base paths, such as `/afnor-flow/v1` for `/flow-service/v1`.

    The path is replaced before any route sees it: under each base path there is the same service, to the letter.
    """

    def __init__(self, app: ASGIApp, others: dict[str, str]) -> None:
        """`others`: base path as clients call it -> base path of the routes."""
        self._app = app
        self._others = others

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Replace the base path of an HTTP request when it is one of the others."""
        base, version, rest = scope.get("path", "").partition("/v1/")
        if scope["type"] == "http" and version and base in self._others:
            own = self._others[base] + version
            _, _, as_sent = scope.get("raw_path", b"").partition(version.encode())
            scope = dict(scope) | {"path": own + rest, "raw_path": own.encode() + as_sent, CALLED_AS: base}
        await self._app(scope, receive, send)


def other_base_paths(settings: Settings) -> dict[str, str]:
    """What `BasePaths` replaces. Raises SettingsError for a base path that leads to two places."""
    others: dict[str, str] = {}
    for name, own in (("flow_service_paths", "/flow-service"), ("directory_service_paths", "/directory-service")):
        for path in set(getattr(settings, name)) - {own}:
            if path in _OWN_PATHS or path in others:
                raise SettingsError(
                    Text(f"Le chemin {path} mène déjà ailleurs.", f"The path {path} leads elsewhere already."),
                    Text("Choisissez-en un autre.", "Choose another one."),
                    PREFIX + name.upper(),
                )
            others[path] = own
    return others
