"""The web application: routes of every room, what happens around each request, how errors are said."""

from collections.abc import Callable
from pathlib import Path
from uuid import UUID

from fastapi import FastAPI, Request
from starlette.staticfiles import StaticFiles

from gateway import __version__, web
from gateway.access import oauth2
from gateway.access.api import AccessContext, client_authentication, person_acting
from gateway.access.principal import Principal
from gateway.access.roles import ApiScope
from gateway.app import health, published
from gateway.app.failures import say_failures
from gateway.app.middleware import BasePaths, observe_request, other_base_paths
from gateway.app.services import Services
from gateway.collection import previewing_api, receivables_api, reminders_api
from gateway.collection.agreements import api as agreements_api
from gateway.collection.agreements.api import AgreementsApiContext
from gateway.collection.law import claims_api, penalties_api
from gateway.collection.law.penalties_api import LawApiContext
from gateway.collection.previewing_api import PreviewsApiContext
from gateway.collection.receivables_api import ReceivablesApiContext
from gateway.collection.reminders_api import RemindersApiContext
from gateway.collection.worklist import api as worklist_api
from gateway.collection.worklist.api import WorklistApiContext
from gateway.customers import api as customers_api
from gateway.customers.api import CustomersApiContext
from gateway.flows import api as flows_api
from gateway.flows.api import FlowApiContext
from gateway.flows.awaiting import awaited_of
from gateway.flows.declaring import declare_receipt
from gateway.flows.directory import addresses_api
from gateway.flows.directory import api as directory_api
from gateway.flows.directory.addresses_api import AddressApiContext
from gateway.flows.directory.api import DirectoryApiContext
from gateway.flows.emission import api as emission_api
from gateway.flows.emission.api import EmissionApiContext
from gateway.flows.emission.resending import resend
from gateway.flows.hearing import api as hearing_api
from gateway.flows.processing import replay
from gateway.flows.reports import api as reports_api
from gateway.flows.reports.api import ReportsApiContext
from gateway.flows.webhooks import events_api, feed_api
from gateway.lifecycle import api as lifecycle_api
from gateway.lifecycle.api import LifecycleApiContext
from gateway.notifications.service import channels_of
from gateway.treasury import api as treasury_api
from gateway.treasury import write_offs_api
from gateway.treasury.accounting import api as accounting_api
from gateway.treasury.accounting.api import AccountingApiContext
from gateway.treasury.api import ReceiptsApiContext
from gateway.treasury.write_off_rows import left_of
from gateway.treasury.write_offs_api import WriteOffsApiContext
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
    app.include_router(published.router())
    app.include_router(oauth2.router(access))
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
    app.include_router(hearing_api.router(services.flows))
    directory = services.directory
    app.include_router(
        directory_api.router(
            DirectoryApiContext(
                directory=directory,
                reader=client_authentication(access, ApiScope.DIRECTORY_READ),
                caller=client_authentication(access),
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
        resend_delivery=lambda session, delivery_id, by: resend(
            session, services.flows, delivery_id, by=by, now=services.clock()
        ),
        previews=services.previews,
    )
    app.include_router(pages.router(page_context))
    reader = _program_or_person(access, page_context, ApiScope.INVOICES_READ)
    follower = _program_or_person(access, page_context, ApiScope.EVENTS_READ)
    validator = _program_or_person(access, page_context, ApiScope.VALIDATE)
    app.include_router(
        validation_api.router(ValidationApiContext(services.clock, service_options(services.settings), validator))
    )
    app.include_router(
        lifecycle_api.router(
            LifecycleApiContext(services.database, reader, follower, services.clock, awaited_of, left_of)
        )
    )
    asker = _program_or_person(access, page_context, ApiScope.DIRECTORY_READ)
    app.include_router(addresses_api.router(AddressApiContext(directory, asker)))
    writer = client_authentication(access, ApiScope.FLOWS_WRITE)
    subscriber = client_authentication(access)
    app.include_router(events_api.router(services.database, services.clock, services.settings, subscriber))
    app.include_router(reports_api.router(ReportsApiContext(services.database, services.clock, reader)))
    app.include_router(feed_api.router(services.database, follower, services.settings.public_url))
    app.include_router(emission_api.router(EmissionApiContext(services.flows, writer)))
    app.include_router(
        treasury_api.router(
            ReceiptsApiContext(
                database=services.database,
                clock=services.clock,
                reader=reader,
                writer=client_authentication(access, ApiScope.RECEIPTS_WRITE),
                declare=lambda session, receipt, now: declare_receipt(session, services.flows, receipt, now=now),
            )
        )
    )
    account_reader = _program_or_person(access, page_context, ApiScope.COLLECTION_READ)
    app.include_router(
        agreements_api.router(
            AgreementsApiContext(
                database=services.database,
                clock=services.clock,
                reader=account_reader,
                writer=client_authentication(access, ApiScope.COLLECTION_WRITE),
                channels=channels_of(services.settings),
            )
        )
    )
    app.include_router(
        previewing_api.router(
            PreviewsApiContext(
                database=services.database,
                clock=services.clock,
                reader=account_reader,
                previews=services.previews,
            )
        )
    )
    app.include_router(
        reminders_api.router(
            RemindersApiContext(
                database=services.database,
                clock=services.clock,
                reader=account_reader,
                writer=client_authentication(access, ApiScope.COLLECTION_WRITE),
            )
        )
    )
    app.include_router(
        worklist_api.router(
            WorklistApiContext(
                database=services.database,
                clock=services.clock,
                reader=account_reader,
                writer=client_authentication(access, ApiScope.COLLECTION_WRITE),
                channels=channels_of(services.settings),
            )
        )
    )
    customer_writer = client_authentication(access, ApiScope.CUSTOMERS_WRITE)
    app.include_router(
        customers_api.router(
            CustomersApiContext(services.database, services.clock, services.law.law, account_reader, customer_writer)
        )
    )
    app.include_router(receivables_api.router(ReceivablesApiContext(services.database, services.clock, account_reader)))
    app.include_router(
        accounting_api.router(
            AccountingApiContext(
                database=services.database,
                clock=services.clock,
                reader=account_reader,
                writer=client_authentication(access, ApiScope.ACCOUNTING_WRITE),
            )
        )
    )
    app.include_router(
        write_offs_api.router(
            WriteOffsApiContext(
                database=services.database,
                clock=services.clock,
                reader=account_reader,
                writer=client_authentication(access, ApiScope.COLLECTION_WRITE),
            )
        )
    )
    law = LawApiContext(
        parts=services.law,
        reader=account_reader,
        writer=client_authentication(access, ApiScope.COLLECTION_WRITE),
    )
    app.include_router(penalties_api.router(law))
    app.include_router(claims_api.router(law))
    app.mount("/static", StaticFiles(directory=_STATIC), name="static")
    app.middleware("http")(observe_request)
    app.add_middleware(BasePaths, others=other_base_paths(services.settings))
    say_failures(app, page_context)
    return app


def _program_or_person(access: AccessContext, pages: WebContext, scope: ApiScope) -> Callable[[Request], Principal]:
    """A dependency of routes that programs call with a token of `scope`, and people from their session."""
    by_token = client_authentication(access, scope)

    def authenticate(request: Request) -> Principal:
        person = None if "authorization" in request.headers else signed_in_person(pages, request)
        return person_acting(access, request, person) if person else by_token(request)

    return authenticate
