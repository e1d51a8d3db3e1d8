"""The Directory Service answers as the official description says, whatever it is asked; real clients read it.

The description itself is not ours to ship: without it the tests over it are skipped, and say so.
"""

import json
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pyfrctc.pyfrctc as pyfrctc
import pytest
import schemathesis
import uvicorn
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, assume, given, settings
from schemathesis.generation import GenerationMode
from starlette.testclient import TestClient

from gateway.access.roles import ApiScope
from gateway.access.service import create_client
from gateway.app.service import create_app
from gateway.app.services import build_services
from gateway.flows.directory.errors import DirectoryTimeoutError
from gateway.flows.directory.searches import LineSearch, RoutingCodeSearch, SirenSearch, SiretSearch
from gateway.flows.directory.simulated import SimulatedDirectory
from gateway.flows.directory.standard import StandardDirectory
from gateway.flows.platforms.transport import Transport
from tests.flows.official import read_description

BASE = "http://testserver/directory-service"
EXAMPLES = 12
PUBLIC, TRAVAUX = "163334725", "163334725_16333472500013_TRAVAUX"
#: What is there to be read, by operation of the official description.
KNOWN = {
    "getCompanyBySiren": {"siren": PUBLIC},
    "getFacilityBySiret": {"siret": "16333472500013"},
    "getRoutingCodeBySiretAndId": {"siret": "16333472500013", "routing-identifier": "TRAVAUX"},
    "getDirectoryLineById": {"addressing-identifier": TRAVAUX},
}


@dataclass(frozen=True)
class Service:
    """The assembled gateway, and a program of the organisation that may ask the directory."""

    app: FastAPI
    http: TestClient
    headers: dict[str, str]
    client_id: str
    secret: str


@pytest.fixture
def service(database, settings, clock, organisation) -> Iterator[Service]:
    paths = {"directory_service_paths": ("/directory-service", "/afnor-directory"), "rate_limit_per_minute": 0}
    services = build_services(settings.model_copy(update=paths), clock=clock, database=database)
    with database.transaction(organisation) as session:
        created = create_client(session, name="ERP", scopes=[ApiScope.DIRECTORY_READ], now=clock())
        client_id, secret = created.client.client_id, created.secret
    app = create_app(services)
    with TestClient(app, raise_server_exceptions=False) as http:
        asked = {"grant_type": "client_credentials"}
        token = http.post("/oauth2/token", data=asked, auth=(client_id, secret)).json()["access_token"]
        yield Service(app, http, {"Authorization": f"Bearer {token}"}, client_id, secret)
    services.flows.connections.close()


@pytest.fixture(scope="session")
def official() -> dict[str, Any]:
    """The official description, mended in the two places where it contradicts itself."""
    document: dict[str, Any] = json.loads(read_description("directory-service"))
    for name in ("directoryLineStatus", "uniqueDirectoryLineStatus"):
        assert document["components"]["schemas"][name].pop("maxLength") < len("Disabled")  # one of its own values
    health = document["paths"]["/v1/healthcheck"]["get"]
    assert health["security"] == [{"bearerAuth": ["health.read"]}]  # a token is wanted,
    health["responses"]["401"] = {"$ref": "#/components/responses/Error401Response"}  # so its absence has an answer
    return document


def operations(service: Service, official: dict[str, Any]) -> dict[str, Any]:
    schema = schemathesis.openapi.from_dict(official)
    schema.app = service.app
    found = [result.ok() for result in schema.get_all_operations()]
    return {operation.definition.raw["operationId"]: operation for operation in found}


def test_nothing_that_is_asked_gets_an_answer_outside_the_official_description(service, official):
    seen: Counter[tuple[str, int]] = Counter()

    def ask(operation: Any, mode: GenerationMode) -> None:
        @given(case=operation.as_strategy(generation_mode=mode))
        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        def one(case: schemathesis.Case) -> None:
            # On the wire a list of one empty name, which is wrong, is an empty list, which is right.
            assume(mode is GenerationMode.POSITIVE or "" not in case.query.values())
            answer = case.call(base_url=BASE, headers=service.headers)
            seen[mode.name, answer.status_code] += 1
            case.validate_response(answer, headers=service.headers)

        one()

    for operation in operations(service, official).values():
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            ask(operation, mode)
    assert seen["POSITIVE", 200] > 4 * EXAMPLES, seen
    assert seen["NEGATIVE", 400] > 4 * EXAMPLES, seen
    assert not [status for _, status in seen if status >= 500], seen


def test_what_is_there_is_read_as_described_with_any_fields_and_relations(service, official):
    read = 0
    for name, operation in operations(service, official).items():
        if name not in KNOWN:
            continue
        parameters = {each["name"]: each for each in operation.definition.raw["parameters"] if "name" in each}
        choices = {key: parameters[key]["schema"]["items"] for key in ("fields", "include") if key in parameters}
        for query in queries(choices, official):
            case = operation.Case(path_parameters=KNOWN[name], query=query)
            answer = case.call(base_url=BASE, headers=service.headers)
            case.validate_response(answer, headers=service.headers)
            assert answer.status_code == 200, (name, query, answer.text)
            read += 1
    assert read > 40


def queries(choices: dict[str, Any], official: dict[str, Any]) -> Iterator[dict[str, str]]:
    """Nothing, each name alone, and all the names of each parameter together."""
    yield {}
    for key, items in choices.items():
        reference = items.get("$ref", "").rsplit("/", 1)[-1]
        names = items.get("enum") or official["components"]["schemas"][reference]["enum"]
        for chosen in (*([name] for name in names), names):
            yield {key: ",".join(chosen)}


@pytest.mark.parametrize("path", ["siren/code-insee:732829321", "siret/code-insee:16333472500099", "nothing"])
def test_what_is_not_there_is_told_in_the_words_of_the_standard(service, path):
    answer = service.http.get(f"/directory-service/v1/{path}", headers=service.headers)
    assert (answer.status_code, answer.json()["errorCode"]) == (404, "MISSING_RESOURCE")


def test_a_client_needs_a_token_and_the_scope(service, database, organisation, clock):
    path = f"/directory-service/v1/siren/code-insee:{PUBLIC}"
    answer = service.http.get(path)
    assert (answer.status_code, "errorCode" in answer.json()) == (401, True)
    with database.transaction(organisation) as session:
        other = create_client(session, name="flows only", scopes=[ApiScope.FLOWS_READ], now=clock())
        credentials = (other.client.client_id, other.secret)
    asked = {"grant_type": "client_credentials"}
    token = service.http.post("/oauth2/token", data=asked, auth=credentials).json()["access_token"]
    for refused in (path, f"/api/v1/addresses/{PUBLIC}"):
        answer = service.http.get(refused, headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 403, refused


def test_the_failures_of_the_platform_s_directory_reach_the_client_by_their_names(service, monkeypatch):
    def silent(self: SimulatedDirectory, siren: str) -> None:
        raise DirectoryTimeoutError

    monkeypatch.setattr(SimulatedDirectory, "legal_unit", silent)
    answer = service.http.get(f"/directory-service/v1/siren/code-insee:{PUBLIC}", headers=service.headers)
    assert (answer.status_code, answer.json()["errorCode"]) == (408, "REQUEST_TIMEOUT")


def test_our_own_description_of_the_searches_stands_alone(service):
    paths = service.http.get("/api/openapi.json").json()["paths"]
    for kind in ("siren", "siret", "routing-code", "directory-line"):
        described = json.dumps(paths[f"/directory-service/v1/{kind}/search"]["post"]["requestBody"])
        assert "$defs" not in described
        assert '"startWith"' in described or kind == "directory-line"


def test_a_search_is_bounded_and_is_json(service):
    path = "/directory-service/v1/siren/search"
    long = service.http.post(path, headers=service.headers, json={"news": "x" * 70_000})
    text = service.http.post(path, headers=service.headers | {"Content-Type": "text/plain"}, content=b"{}")
    assert (long.status_code, text.status_code) == (400, 400)


def test_the_address_of_a_customer_is_checked_by_one_call(service):
    answer = service.http.get(f"/api/v1/addresses/0225:{PUBLIC}_16333472500013_CANTINE", headers=service.headers)
    said = answer.json()
    assert (answer.status_code, said["addressable"], said["verdict"]) == (200, False, "ceased")
    assert TRAVAUX in said["other_addresses"]


def test_our_client_reads_our_service_as_the_directory_behind_it_answers(service, database, organisation, clock):
    """One gateway may stand behind another: nothing is lost or added on the way."""

    class Token(httpx.Auth):
        def auth_flow(self, request: httpx.Request) -> Any:
            request.headers.update(service.headers)
            yield request

    theirs = SimulatedDirectory(database, organisation, clock)
    ours = StandardDirectory("gateway", Transport(service.http, timeout_seconds=5), Token(), f"{BASE}/v1")
    everything = {"limit": 100, "ignore": 0}
    for wanted in (
        SirenSearch(**everything),
        SiretSearch(**everything, include=["siren"]),
        RoutingCodeSearch(**everything, include=["siren", "siret"]),
        LineSearch(**everything, include=["siren", "siret", "routingCode"]),
    ):
        known, found = theirs.search(wanted), ours.search(wanted)
        assert (found.total, [each.as_standard() for each in found.entries]) == (
            known.total,
            [each.as_standard() for each in known.entries],
        )
    assert ours.legal_unit(PUBLIC) == theirs.legal_unit(PUBLIC)
    assert ours.facility("16333472500013") == theirs.facility("16333472500013")
    assert ours.routing_code("16333472500013", "TRAVAUX") == theirs.routing_code("16333472500013", "TRAVAUX")


# --- pyfrctc, the client of an accounting package


@contextmanager
def listening(app: FastAPI) -> Iterator[str]:
    """The gateway on a free port of this machine; its address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [free]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{free.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture
def accounting(service, monkeypatch) -> Iterator[Any]:
    """A session of pyfrctc with the running gateway as its platform."""
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    with listening(service.app) as address:
        platform = {"afnor_base_url": address, "token_url": f"{address}/oauth2/token", "label": "Gateway"}
        monkeypatch.setitem(pyfrctc.PLATFORMS, "gateway", platform)
        no_token: Callable[[str], dict[str, None]] = lambda _: {"access_token": None, "expires_at": None}  # noqa: E731
        session = pyfrctc.get_session(
            "gateway", "client_credentials", "company", no_token, lambda _: None, service.client_id, service.secret
        )
        yield session
        session.close()


def test_an_accounting_package_reads_companies_facilities_and_lines(accounting):
    assert pyfrctc.healthcheck(accounting, type="directory") is True
    company = pyfrctc.get_directory_siren_parsed(accounting, PUBLIC)
    assert (company["name"], company["closed"], company["entity_type"]) == (
        "Syndicat des eaux de la Valbrune",
        False,
        "public",
    )
    assert pyfrctc.get_directory_siren_parsed(accounting, "164630642")["closed"] is True
    facility = pyfrctc.get_directory_siret_parsed(accounting, "16333472500013")
    assert (facility["zip"], facility["city"], facility["b2g_commitment_required"]) == ("53000", "Laval", True)
    lines = pyfrctc.get_directory_lines_parsed(accounting, PUBLIC)
    assert {address: (line["type"], line["state"]) for address, line in lines.items()} == {
        PUBLIC: ("siren", "active"),
        f"{PUBLIC}_16333472500013": ("siret", "active"),
        TRAVAUX: ("routing_code", "active"),
        f"{PUBLIC}_16333472500013_CANTINE": ("routing_code", "disabled"),
    }
    upcoming = pyfrctc.get_directory_lines_parsed(accounting, "166909655")
    assert upcoming["166909655_COMPTA"] == {
        "type": "suffix",
        "siren": "166909655",
        "siret": None,
        "suffix": "COMPTA",
        "routing_code": False,
        "routing_code_name": False,
        "commitment_required": False,
        "state": "upcoming",
    }


def test_an_accounting_package_is_told_of_what_is_not_there_in_the_code_it_knows(accounting):
    assert pyfrctc.get_directory_siret(accounting, "73282932000074") is False
