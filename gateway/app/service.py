"""The web application: routes of every room, what happens around each request, how errors are said."""

from collections.abc import Callable
from pathlib import Path
from uuid import UUID

from fastapi import FastAPI, Request
from starlette.staticfiles import StaticFiles

from gateway import __version__, web
from gateway.access import api as access_api
from gateway.access.api import AccessContext, client_authentication
from gateway.access.principal import Principal
from gateway.access.roles import ApiScope
from gateway.app import health
from gateway.app.failures import say_failures
from gateway.app.middleware import observe_request
from gateway.app.services import Services
from gateway.flows import api as flows_api
from gateway.flows.api import FlowApiContext
from gateway.flows.emission import api as emission_api
from gateway.flows.emission.api import EmissionApiContext
from gateway.flows.processing import replay
from gateway.lifecycle import api as lifecycle_api
from gateway.lifecycle.api import LifecycleApiContext
from gateway.validation import api as validation_api
from gateway.validation.api import ValidationApiContext
from gateway.validation.settings import service_options
from gateway.web import routes as pages
from gateway.web.context import WebContext
from gateway.web.security import signed_in_person

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
    reader = _program_or_person(access, page_context)
    app.include_router(
        validation_api.router(ValidationApiContext(services.clock, service_options(services.settings), reader))
    )
    app.include_router(lifecycle_api.router(LifecycleApiContext(services.database, reader)))
    writer = client_authentication(access, ApiScope.FLOWS_WRITE)
    app.include_router(emission_api.router(EmissionApiContext(services.flows, writer)))
    app.mount("/static", StaticFiles(directory=_STATIC), name="static")
    app.middleware("http")(observe_request)
    say_failures(app, page_context)
    return app


def _program_or_person(access: AccessContext, pages: WebContext) -> Callable[[Request], Principal]:
    """A dependency of routes that programs call with a token of scope api:read, and people from their session."""
    by_token = client_authentication(access, ApiScope.API_READ)

    def authenticate(request: Request) -> Principal:
        person = None if "authorization" in request.headers else signed_in_person(pages, request)
        return person or by_token(request)

    return authenticate
