"""The Directory Service of XP Z12-013 (1.3.0): clients ask us, we ask the directory of the organisation's platform."""

from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar, get_args

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from pydantic import ValidationError

from gateway.access.principal import Principal
from gateway.flows.answering import ERROR_RESPONSES, FlowServiceRoute
from gateway.flows.directory.errors import DirectoryEntryAbsentError, DirectoryEntryNotFoundError
from gateway.flows.directory.resources import DirectoryLine, Facility, LegalUnit, Part, RoutingCode
from gateway.flows.directory.searches import AnySearch, LineSearch, RoutingCodeSearch, SirenSearch, SiretSearch
from gateway.flows.directory.selecting import shown
from gateway.flows.directory.service import Directory
from gateway.flows.directory.source import DirectorySource
from gateway.flows.directory.terms import LineField, RoutingCodeField, SirenField, SiretField
from gateway.flows.errors import InvalidFlowRequestError
from gateway.kernel.dated import data_file
from gateway.kernel.text import Text

PREFIX = "/directory-service/v1"
#: Where the service notes the base path that a client called, when it is not the standard's.
CALLED_AS = "gateway.base_path"
#: A search is a few hundred bytes.
_LONGEST_SEARCH = 64 * 1024
_RESPONSES = {status: answer for status, answer in ERROR_RESPONSES.items() if status != 413} | dict.fromkeys(
    (408, 501), ERROR_RESPONSES[500]
)

SearchT = TypeVar("SearchT", bound=Part)
Siren = Annotated[str, Path(pattern=r"^[0-9]{9}$", description="SIREN of a company.")]
Siret = Annotated[str, Path(pattern=r"^[0-9]{14}$", description="SIRET of a facility.")]
Chosen = Annotated[list[str] | None, Query(description="Names, separated by commas; everything when left out.")]
Included = Annotated[list[str] | None, Query(description="Related entries to show, separated by commas.")]


@dataclass(frozen=True, slots=True)
class DirectoryApiContext:
    """What the routes need: `reader` says who asks the directory, `caller` who calls at all (FastAPI dependencies)."""

    directory: Directory
    reader: Callable[..., Any]
    caller: Callable[..., Any]


def router(context: DirectoryApiContext) -> APIRouter:
    """The routes under `/directory-service/v1`."""
    routes = APIRouter(prefix=PREFIX, tags=["Directory Service XP Z12-013"], route_class=FlowServiceRoute)
    reader = Annotated[Principal, Depends(context.reader)]

    for kind in (SirenSearch, SiretSearch, RoutingCodeSearch, LineSearch):
        content = {"application/json": {"schema": _described(kind)}}
        required = kind is RoutingCodeSearch  # the other searches need no body
        routes.add_api_route(
            f"/{kind.path}/search",
            _search(context, reader, kind, required=required),
            methods=["POST"],
            summary=f"Search: {kind.__doc__}",
            responses=_RESPONSES,
            openapi_extra={"requestBody": {"content": content, "required": required}},
        )

    @routes.get("/siren/code-insee:{siren}", responses=_RESPONSES | {200: {"model": LegalUnit}})
    def legal_unit(request: Request, principal: reader, siren: Siren, fields: Chosen = None) -> Response:
        """A company."""
        wanted = _names("fields", fields, get_args(SirenField))
        return _entry(request, lambda: shown(_source(context, principal).legal_unit(siren), wanted, ()))

    @routes.get("/siret/code-insee:{siret}", responses=_RESPONSES | {200: {"model": Facility}})
    def facility(
        request: Request, principal: reader, siret: Siret, fields: Chosen = None, include: Included = None
    ) -> Response:
        """A facility, with its company when asked."""
        wanted, related = _names("fields", fields, get_args(SiretField)), _names("include", include, ("siren",))
        return _entry(request, lambda: shown(_source(context, principal).facility(siret), wanted, related))

    @routes.get(
        "/routing-code/siret:{siret}/code:{routing_identifier}", responses=_RESPONSES | {200: {"model": RoutingCode}}
    )
    def routing_code(
        request: Request,
        principal: reader,
        siret: Siret,
        routing_identifier: Annotated[str, Path(max_length=100)],
        fields: Chosen = None,
        include: Included = None,
    ) -> Response:
        """A routing code, with its company and facility when asked."""
        wanted = _names("fields", fields, get_args(RoutingCodeField))
        related = _names("include", include, ("siren", "siret"))
        return _entry(
            request,
            lambda: shown(_source(context, principal).routing_code(siret, routing_identifier), wanted, related),
        )

    @routes.get("/directory-line/code:{addressing_identifier}", responses=_RESPONSES | {200: {"model": DirectoryLine}})
    def directory_line(
        request: Request,
        principal: reader,
        addressing_identifier: Annotated[str, Path(max_length=125)],
        fields: Chosen = None,
        include: Included = None,
    ) -> Response:
        """The line in force at an address, with its company, facility and routing code when asked."""
        wanted = _names("fields", fields, get_args(LineField))
        related = _names("include", include, ("siren", "siret", "routingCode"))
        line = context.directory.line
        return _entry(request, lambda: shown(line(principal.organisation_id, addressing_identifier), wanted, related))

    @routes.get("/healthcheck", dependencies=[Depends(context.caller)], responses=_RESPONSES)
    def healthcheck() -> Response:
        """200 with no body when the service and its database answer, 503 otherwise."""
        return Response(status_code=200 if context.directory.database.is_ready() else 503)

    return routes


def _described(kind: type[Part]) -> Any:
    """The JSON Schema of a request, its definitions in place: in an OpenAPI document references start elsewhere."""
    schema = kind.model_json_schema(by_alias=True)
    definitions = schema.pop("$defs", {})

    def in_place(part: Any) -> Any:
        if isinstance(part, dict):
            reference = part.get("$ref", "").removeprefix("#/$defs/")
            return {key: in_place(value) for key, value in (definitions[reference] if reference else part).items()}
        return [in_place(each) for each in part] if isinstance(part, list) else part

    return in_place(schema)


def _source(context: DirectoryApiContext, principal: Principal) -> DirectorySource:
    return context.directory.source(principal.organisation_id)


def _search(
    context: DirectoryApiContext, reader: Any, kind: type[AnySearch], *, required: bool
) -> Callable[..., Coroutine[Any, Any, Response]]:
    async def search(request: Request, principal: reader) -> Response:
        wanted = _read(kind, await _body(request), required=required).within_limits()
        found = await run_in_threadpool(lambda: _source(context, principal).search(wanted))
        return JSONResponse(
            {
                "search": wanted.as_standard(),
                "totalNumberOfResults": found.total,
                "results": [entry.as_standard() for entry in found.entries],
            }
        )

    return search


async def _body(request: Request) -> bytes:
    """The body of a search, which is JSON. Raises InvalidFlowRequestError."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LONGEST_SEARCH:
            raise InvalidFlowRequestError(
                Text(
                    f"la recherche dépasse {_LONGEST_SEARCH} octets",
                    f"the search is longer than {_LONGEST_SEARCH} bytes",
                ),
                "body",
            )
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if body and kind != "application/json":
        raise InvalidFlowRequestError(
            Text("le corps doit être en application/json", "the body must be application/json"), "Content-Type"
        )
    return bytes(body)


def _read(kind: type[SearchT], body: bytes, *, required: bool) -> SearchT:
    try:
        return kind.model_validate_json(body if body or required else b"{}")
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(step) for step in first["loc"]) or "body"
        raise InvalidFlowRequestError(first["msg"], where) from error


def _names(parameter: str, given: Iterable[str] | None, known: tuple[str, ...]) -> tuple[str, ...]:
    """The names that a query gives, `a,b` as well as repeated, maybe none. Raises InvalidFlowRequestError."""
    names = [name for part in given or () if part for name in part.split(",")]
    unknown = [name for name in names if name not in known]
    if unknown:
        raise InvalidFlowRequestError(
            Text(
                f"« {unknown[0]} » n’est pas parmi {', '.join(known)}", f"“{unknown[0]}” is none of {', '.join(known)}"
            ),
            f"query.{parameter}",
        )
    return tuple(names)


def _entry(request: Request, read: Callable[[], Part]) -> Response:
    """The entry, or its absence under the code that clients of this base path expect."""
    try:
        return JSONResponse(read().as_standard())
    except DirectoryEntryNotFoundError as error:
        expected = data_file("directory.toml")["error_code"].get(request.scope.get(CALLED_AS))
        if expected == DirectoryEntryAbsentError.code:
            raise DirectoryEntryAbsentError(error.where) from error
        raise
