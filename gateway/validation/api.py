"""`POST /api/v1/validate`: a document in, its report out. Nothing is kept."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.concurrency import run_in_threadpool

from gateway.access.principal import Principal
from gateway.kernel.clock import Clock, paris_date
from gateway.validation.catalog import load_catalog
from gateway.validation.errors import DocumentTooLargeError
from gateway.validation.layers import RuleSelection
from gateway.validation.options import ValidationOptions
from gateway.validation.report import Report
from gateway.validation.service import validate

_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"*/*": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@dataclass(frozen=True, slots=True)
class ValidationApiContext:
    """What the route needs; `authenticate` is a FastAPI dependency that says who calls or raises a GatewayError."""

    clock: Clock
    options: ValidationOptions
    authenticate: Callable[..., Any]


def router(context: ValidationApiContext) -> APIRouter:
    """Route `POST /api/v1/validate`; its errors are GatewayErrors, which the assembly says as problem details."""
    routes = APIRouter(prefix="/api/v1", tags=["Validation"])
    caller = Annotated[Principal, Depends(context.authenticate)]

    @routes.post(
        "/validate",
        openapi_extra=_BODY,
        summary="Validate an invoice, a lifecycle message or an e-reporting transmission",
    )
    async def validate_document(
        request: Request,
        principal: caller,
        rules: Annotated[
            str, Query(description="auto, or names of layers or artefacts, separated by commas.")
        ] = "auto",
        on: Annotated[date | None, Query(description="Legal date whose rules apply; today by default.")] = None,
        name: Annotated[str, Query(max_length=255, description="Name of the document in the report.")] = "",
    ) -> Report:
        """The body is the document itself: UBL, CII, CDAR or e-reporting (Flux 10) in XML, or a Factur-X PDF."""
        options = context.options
        selection = RuleSelection.parse(rules, load_catalog(options.catalog_file))
        data = await _body(request, options.reading.max_file_bytes)
        day = on or paris_date(context.clock())
        return await run_in_threadpool(validate, data, path=name, rules=selection, on=day, options=options)

    return routes


async def _body(request: Request, limit: int) -> bytes:
    """The whole body. Raises DocumentTooLargeError as soon as it passes the limit, without reading on."""
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limit:
        raise DocumentTooLargeError(limit)
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > limit:
            raise DocumentTooLargeError(limit)
    return bytes(data)
