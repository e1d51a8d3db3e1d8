"""The web application: routes of every room, what happens around each request, how errors are said."""

from pathlib import Path
from uuid import UUID

from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

from gateway import __version__, web
from gateway.access import api as access_api
from gateway.access.api import AccessContext, client_authentication
from gateway.app import health
from gateway.app.failures import say_failures
from gateway.app.middleware import observe_request
from gateway.app.services import Services
from gateway.flows import api as flows_api
from gateway.flows.api import FlowApiContext
from gateway.flows.processing import replay
from gateway.web import routes as pages
from gateway.web.context import WebContext

_STATIC = Path(web.__file__).parent / "static"


def create_app(services: Services, *, demo_user_id: UUID | None = None) -> FastAPI:
    """The application of one process. Only the demonstration gives `demo_user_id`: the person signed in by itself."""
    app = FastAPI(
        title="E-invoicing lifecycle gateway",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
    )
    access = AccessContext(services.database, services.settings, services.clock)
    app.include_router(health.router(services.database))
    app.include_router(access_api.router(access))
    app.include_router(
        flows_api.router(
            FlowApiContext(
                database=services.database,
                store=services.documents,
                clock=services.clock,
                settings=services.settings,
                authenticate=client_authentication(access),
            )
        )
    )
    page_context = WebContext(
        database=services.database,
        store=services.documents,
        clock=services.clock,
        settings=services.settings,
        demo_user_id=demo_user_id,
        limits=services.limits,
        replay_flow=lambda session, flow_id: replay(session, flow_id, context=services.flows),
    )
    app.include_router(pages.router(page_context))
    app.mount("/static", StaticFiles(directory=_STATIC), name="static")
    app.middleware("http")(observe_request)
    say_failures(app, page_context)
    return app
