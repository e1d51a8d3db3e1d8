"""Is it alive, is it ready, how is it doing: for operators and orchestrators, no sign-in needed, no data shown."""

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import JSONResponse, Response

from gateway import __version__
from gateway.database import Database


def router(database: Database) -> APIRouter:
    """Routes `/healthz` (the process answers), `/readyz` (its database answers too) and `/metrics` (Prometheus)."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/healthz")
    def healthz() -> dict[str, str]:
        return {"status": "alive", "version": __version__}

    @routes.get("/readyz")
    def readyz() -> JSONResponse:
        ready = database.is_ready()
        return JSONResponse(
            {"status": "ready" if ready else "unavailable", "database": "up" if ready else "down"},
            status_code=200 if ready else 503,
        )

    @routes.get("/metrics")
    def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return routes
