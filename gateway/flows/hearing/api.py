"""`POST /platform-calls/{subscription}`: where platforms call us. The signature of a call is all that proves it."""

from asyncio import Semaphore
from datetime import timedelta

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool

from gateway.access.errors import TooManyRequestsError
from gateway.access.rate_limits import RateLimit, RateLimiter
from gateway.flows.context import FlowsContext
from gateway.flows.hearing.calls import Call, hear_call
from gateway.flows.hearing.errors import CallTooLargeError
from gateway.flows.hearing.subscriptions import CALLS_PATH
from gateway.flows.signatures import SIGNATURE_HEADER, TIMESTAMP_HEADER
from gateway.kernel.problems import problems

#: The metadata of a flow are a few hundred bytes, and as much for each remark on it.
_LARGEST_CALL = 256 * 1024
#: Calls heard at a time: each waits for its platform, and all of them together leave threads to the other routes.
_AT_ONCE = 8


def router(context: FlowsContext) -> APIRouter:
    """The route; 200 with no body once what the call tells is committed."""
    routes = APIRouter(tags=["Calls of platforms"])
    per_minute = context.settings.platform_call_limit_per_minute
    limiter = RateLimiter(RateLimit(per_minute, per_minute) if per_minute else None)
    at_once = Semaphore(_AT_ONCE)

    @routes.post(CALLS_PATH + "/{subscription}", responses=problems(400, 401, 409, 413, 429, 503))
    async def hear(request: Request, subscription: str) -> Response:
        """Take a signed call of a platform (XP Z12-013, WebhookCallback)."""
        address = request.client.host if request.client else "unknown"
        wait = limiter.count(address, context.clock())
        if wait > timedelta(0):
            raise TooManyRequestsError(wait)
        call = Call(
            await _body(request),
            request.headers.get(SIGNATURE_HEADER, ""),
            request.headers.get(TIMESTAMP_HEADER, ""),
        )
        async with at_once:
            await run_in_threadpool(hear_call, context, subscription, call)
        return Response(status_code=200)

    return routes


async def _body(request: Request) -> bytes:
    """The body, not read on past the limit. Raises CallTooLargeError."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LARGEST_CALL:
            raise CallTooLargeError(_LARGEST_CALL)
    return bytes(body)
