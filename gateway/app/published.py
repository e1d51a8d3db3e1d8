"""The published JSON Schemas over HTTP: no sign-in needed, nothing of anyone in them."""

from fastapi import APIRouter, HTTPException
from starlette.responses import Response

from gateway.kernel.published import SCHEMAS_PATH, json_schemas

_HEADERS = {"Cache-Control": "public, max-age=86400"}


def router() -> APIRouter:
    """The route `/schemas/{name}`: a JSON Schema, 404 when there is none of that name."""
    routes = APIRouter(include_in_schema=False)

    @routes.get(f"{SCHEMAS_PATH}/{{name}}")
    def schema(name: str) -> Response:
        content = json_schemas().get(name)
        if content is None:
            raise HTTPException(404)
        return Response(content, media_type="application/schema+json", headers=_HEADERS)

    return routes
