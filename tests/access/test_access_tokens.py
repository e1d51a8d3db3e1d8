"""Programs: tokens by OAuth2 client credentials, and what a bearer token opens."""

from base64 import b64encode
from datetime import timedelta

import pytest
from fastapi import Depends, FastAPI
from sqlalchemy import text
from sqlmodel import select

from gateway.access import service
from gateway.access.api import AccessContext, client_authentication
from gateway.access.errors import InvalidTokenError, MissingScopeError
from gateway.access.model import ApiClient
from gateway.access.oauth2 import router
from gateway.access.roles import ApiScope
from gateway.app.tables import METADATA

GRANT = {"grant_type": "client_credentials"}


@pytest.fixture
def program(database, organisation, clock):
    with database.transaction(organisation) as session:
        return service.create_client(session, name="ERP", scopes=["flows:write", "flows:read"], now=clock())


@pytest.fixture
def http(database, settings, clock, client_of):
    context = AccessContext(database, settings, clock)
    app = FastAPI()
    app.include_router(router(context))

    @app.get("/who")
    def who(principal=Depends(client_authentication(context, ApiScope.FLOWS_READ))):
        return {"organisation": str(principal.organisation_id), "name": principal.name, "kind": principal.kind}

    @app.exception_handler(InvalidTokenError)
    @app.exception_handler(MissingScopeError)
    async def refused(request, error):
        from starlette.responses import JSONResponse

        return JSONResponse({"code": error.code}, status_code=error.status)

    return client_of(app)


def in_body(program):
    return GRANT | {"client_id": program.client.client_id, "client_secret": program.secret}


def basic(client_id, secret):
    return {"Authorization": "Basic " + b64encode(f"{client_id}:{secret}".encode()).decode()}


def token_of(http, program, **changed):
    return http.post("/oauth2/token", data=in_body(program) | changed).json()["access_token"]


def ask(http, token):
    return http.get("/who", headers={"Authorization": f"Bearer {token}"})


@pytest.mark.parametrize("way", ["body", "basic"])
def test_a_program_gets_a_token_with_its_secret_either_way(http, program, organisation, way):
    if way == "body":
        answer = http.post("/oauth2/token", data=in_body(program))
    else:
        answer = http.post("/oauth2/token", data=GRANT, headers=basic(program.client.client_id, program.secret))
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert (body["token_type"], body["expires_in"], body["scope"]) == ("Bearer", 3600, "flows:read flows:write")
    assert ask(http, body["access_token"]).json() == {
        "organisation": str(organisation),
        "name": "ERP",
        "kind": "client",
    }


@pytest.mark.parametrize(
    ("changed", "status", "error"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_id": "gw-unknown"}, 401, "invalid_client"),
        ({"client_id": "\x00"}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": ""}, 400, "invalid_request"),
        ({"scope": "events:read"}, 400, "invalid_scope"),
        ({"scope": "flows:read everything"}, 400, "invalid_scope"),
    ],
)
def test_a_wrong_request_gets_the_error_of_rfc_6749(http, program, changed, status, error):
    answer = http.post("/oauth2/token", data=in_body(program) | changed)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert answer.headers["cache-control"] == "no-store"
    assert ("www-authenticate" in answer.headers) is (status == 401)


@pytest.mark.parametrize("header", ["Basic ", "Basic %%%", "Basic " + b64encode(b"no colon").decode()])
def test_a_broken_basic_header_is_an_unknown_client(http, program, header):
    answer = http.post("/oauth2/token", data=in_body(program), headers={"Authorization": header})
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_a_token_holds_only_the_scopes_asked_for(http, program):
    token = token_of(http, program, scope="flows:write")
    answer = ask(http, token)
    assert (answer.status_code, answer.json()) == (403, {"code": "INSUFFICIENT_SCOPE"})


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Bearer unknown", "Basic YTpi"])
def test_nothing_opens_without_a_good_token(http, program, header):
    answer = http.get("/who", headers={"Authorization": header} if header is not None else {})
    assert (answer.status_code, answer.json()) == (401, {"code": "INVALID_TOKEN"})


def test_a_token_ends_when_its_time_is_over(http, program, settings, clock):
    token = token_of(http, program)
    clock.advance(settings.token_length - timedelta(seconds=1))
    assert ask(http, token).status_code == 200
    clock.advance(timedelta(seconds=1))
    assert ask(http, token).status_code == 401


def test_a_deactivated_program_loses_its_tokens_at_once(database, http, program):
    token = token_of(http, program)
    with database.system_transaction() as session:
        session.get_one(ApiClient, program.client.id).is_active = False
    assert ask(http, token).status_code == 401
    assert http.post("/oauth2/token", data=in_body(program)).status_code == 401


def test_the_database_keeps_neither_the_secret_nor_the_token(database, http, program):
    token = token_of(http, program)
    with database.system_transaction() as session:
        assert program.secret not in session.exec(select(ApiClient)).one().model_dump_json()
        tables = [name for name, table in METADATA.tables.items() if not name.startswith("procrastinate")]
        kept = "".join(
            str(session.connection().execute(text(f'SELECT t::text FROM "{name}" t')).all()) for name in tables
        )
    assert program.client.client_id in kept
    assert token.split(".")[2] not in kept


def test_the_token_service_holds_one_network_address_to_its_limit_and_says_how_long(http, program, settings, clock):
    answers = [http.post("/oauth2/token", data=in_body(program)) for _ in range(settings.token_limit_per_minute)]
    assert {answer.status_code for answer in answers} == {200}
    refused = http.post("/oauth2/token", data=in_body(program))
    assert (refused.status_code, refused.json()["error"]) == (429, "temporarily_unavailable")
    assert refused.headers["retry-after"] == "1"
    clock.advance(timedelta(seconds=1))
    assert http.post("/oauth2/token", data=in_body(program)).status_code == 200
