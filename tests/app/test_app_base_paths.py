"""A service of the standard answers under every base path that the settings name, as under its own."""

import pytest
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from gateway.access.service import create_client
from gateway.app.middleware import BasePaths, other_base_paths
from gateway.app.service import create_app
from gateway.app.services import build_services
from gateway.kernel.clock import ManualClock
from gateway.kernel.settings import SettingsError, load_settings
from tests.conftest import SELLER_SIREN, START, add_organisation, fresh_database

AFNOR = {"flow_service_paths": "/flow-service,/afnor-flow,/peppol/x/flow", "directory_service_paths": "/annuaire"}


@pytest.fixture(scope="module")
def http(server_url, tmp_path_factory):
    """A client of the service with further base paths, as a program of scope flows:read."""
    changed = load_settings(data_dir=tmp_path_factory.mktemp("paths"), **AFNOR)
    with fresh_database(server_url) as database:
        with database.transaction(add_organisation(database, SELLER_SIREN, "Comptoir")) as session:
            made = create_client(session, name="ERP", scopes=["flows:read"], now=START)
        client = TestClient(create_app(build_services(changed, clock=ManualClock(START), database=database)))
        grant = {"grant_type": "client_credentials"}
        answer = client.post("/oauth2/token", data=grant, auth=(made.client.client_id, made.secret))
        client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        yield client


@pytest.mark.parametrize("base", ["/flow-service", "/afnor-flow", "/peppol/x/flow"])
def test_the_flow_service_answers_under_each_base_path(http, base):
    assert http.get(f"{base}/v1/healthcheck").status_code == 200
    refused = http.post(f"{base}/v1/flows/search", json={}, headers={"Authorization": ""})
    assert (refused.status_code, refused.json()["errorCode"]) == (401, "INVALID_TOKEN")
    assert refused.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("path", ["/afnor-flow", "/afnor-flow/v2/healthcheck", "/afnor-flowers/v1/healthcheck"])
def test_nothing_else_answers_there(http, path):
    assert http.get(path).status_code == 404


def test_the_rest_of_the_path_and_the_query_stay_as_they_are():
    async def echo(scope, receive, send):
        said = f"{scope['path']} {scope['raw_path'].decode()}?{scope['query_string'].decode()}"
        await PlainTextResponse(said)(scope, receive, send)

    http = TestClient(BasePaths(echo, {"/afnor-flow": "/flow-service"}))
    said = http.get("/afnor-flow/v1/flows/a%20b/v1/x?docType=Original").text
    assert said == "/flow-service/v1/flows/a b/v1/x /flow-service/v1/flows/a%20b/v1/x?docType=Original"
    assert http.get("/other/v1/flows").text == "/other/v1/flows /other/v1/flows?"


@pytest.mark.parametrize(
    "wrong",
    [
        {"flow_service_paths": "/api"},
        {"flow_service_paths": "/directory-service"},
        {"directory_service_paths": "/flow-service"},
        {"flow_service_paths": "/same", "directory_service_paths": "/same"},
    ],
)
def test_a_base_path_that_leads_to_two_places_is_refused_by_name(tmp_path, wrong):
    with pytest.raises(SettingsError, match=r"leads elsewhere.*SERVICE_PATHS"):
        other_base_paths(load_settings(data_dir=tmp_path, **wrong))


@pytest.mark.parametrize("path", ["afnor", "/afnor/", "/", "/a b", "/../x y"])
def test_what_is_no_base_path_is_refused_by_name(tmp_path, path):
    with pytest.raises(SettingsError, match="FLOW_SERVICE_PATHS"):
        load_settings(data_dir=tmp_path, flow_service_paths=path)


@pytest.mark.parametrize(
    ("given", "status"), [("8c0d6a51-0b5a-4b0e-8a3f-1f4a0a1b2c3d", 404), ("no-uuid", 400), ("a b", 400)]
)
def test_a_request_id_is_echoed_and_must_be_a_uuid_where_the_standard_says_so(http, given, status):
    answer = http.get("/flow-service/v1/flows/none", headers={"Request-Id": given})
    assert answer.status_code == status
    assert (answer.headers["request-id"] == given) is (given != "a b")
