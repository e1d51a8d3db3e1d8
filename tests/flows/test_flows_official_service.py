"""The Flow Service against the official description of XP Z12-013, by a generator of requests that no one here wrote.

The description is not ours to publish: without it these tests are skipped. More requests: OFFICIAL_EXAMPLES=500.
"""

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from gateway.access.roles import ApiScope
from gateway.access.service import create_client
from gateway.app.service import create_app
from gateway.app.services import build_services
from gateway.kernel.settings import load_settings
from tests.flows.official import how_to_give, official_description, read_description

schemathesis = pytest.importorskip("schemathesis")
from schemathesis.generation import GenerationMode  # noqa: E402
from schemathesis.python import asgi  # noqa: E402
from schemathesis.specs.openapi import checks  # noqa: E402

EXAMPLES = int(os.environ.get("OFFICIAL_EXAMPLES", "12"))
SEED = 20_260_901
BASE_URL = "http://testserver/flow-service"

pytestmark = pytest.mark.skipif(official_description("flow-service") is None, reason=how_to_give("flow-service"))


def described(siren: str) -> dict[str, Any]:
    """The official description, with what its words say and its schemas leave out."""
    document: dict[str, Any] = json.loads(read_description("flow-service"))
    schemas = document["components"]["schemas"]
    # "Predefined values + ability to extend": a predefined value fits both branches, which oneOf forbids.
    schemas["ReasonCode"]["anyOf"] = schemas["ReasonCode"].pop("oneOf")
    # "Filtering criteria, at least one is required"; a page holds one flow at least.
    schemas["SearchFlowFilters"]["minProperties"] = 1
    schemas["SearchFlowFilters"]["additionalProperties"] = False
    schemas["Limit"]["minimum"] = 1
    # "Opaque cursor", "fingerprint of the attached file": no generator can guess one.
    del schemas["SearchFlowParams"]["properties"]["cursor"]
    del schemas["FlowInfoExtension"]["properties"]["sha256"]
    # Required to search and to subscribe, as the words around them say.
    for name in ("FlowSearchRequest", "WebhookPostRequest", "FlowPostRequest"):
        document["components"]["requestBodies"][name]["required"] = True
    # A gateway calls only where it may, and an organisation is one the client acts for.
    schemas["WebhookParams"]["properties"]["callbackUrl"]["enum"] = ["https://erp.example.org/calls?a=b"]
    for parameter in all_parameters(document):
        if parameter["name"] == "Organization-Id":
            parameter["schema"]["enum"] = [siren]
    document["servers"] = [{"url": BASE_URL}]
    return document


def all_parameters(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for operations in document["paths"].values():
        for operation in operations.values():
            yield from (each for each in operation.get("parameters", ()) if "name" in each)
    yield from document["components"]["parameters"].values()


@pytest.fixture
def application(database, company, tmp_path):
    """The whole application, with a token that may do everything."""
    configured = load_settings(data_dir=tmp_path, rate_limit_per_minute=1_000_000, rate_limit_burst=1_000_000)
    services = build_services(configured, database=database)
    with database.transaction(company) as session:
        created = create_client(session, name="ERP", scopes=sorted(ApiScope), now=services.clock())
    with asgi.get_client(create_app(services)) as client:
        answer = client.post(
            "/oauth2/token",
            data={"grant_type": "client_credentials"},
            auth=(created.client.client_id, created.secret),
        )
        yield client, {"Authorization": f"Bearer {answer.json()['access_token']}"}


OPERATIONS = (
    ("POST", "/v1/flows"),
    ("POST", "/v1/flows/search"),
    ("GET", "/v1/flows/{flowId}"),
    ("GET", "/v1/webhooks"),
    ("POST", "/v1/webhooks"),
    ("DELETE", "/v1/webhooks/{webhookUid}"),
    ("GET", "/v1/healthcheck"),
)


def accepted(context: Any, response: Any, case: Any) -> bool | None:
    """What fits the description is accepted; but a generator does give two files one trackingId, which is 422."""
    if response.status_code == 422 and response.json()["errorCode"] == "TRACKING_ID_REUSED":
        return None
    return checks.positive_data_acceptance(context, response, case)


def refused(context: Any, response: Any, case: Any) -> bool | None:
    """What does not fit is refused; but many programs write null for what they leave out, and are read that way."""
    return None if holds_null(case.body) else checks.negative_data_rejection(context, response, case)


def holds_null(value: Any) -> bool:
    return value is None or (isinstance(value, dict) and any(holds_null(each) for each in value.values()))


CONFORMANCE = [
    schemathesis.checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    refused,
    accepted,
]


def test_every_operation_of_the_description_is_tried(seller):
    document = described(seller.siren)
    told = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    assert told == set(OPERATIONS)


def test_a_generator_of_requests_finds_no_answer_outside_the_description(application, seller, invoice):
    client, token = application
    schema = schemathesis.openapi.from_dict(described(seller.siren))
    schema.config.generation.update(allow_x00=False)
    seen: set[tuple[str, int]] = set()
    for method, path in OPERATIONS:
        for mode in GenerationMode:
            seen |= answers(schema[path][method], mode, client, token)
    there = submit(client, token, invoice("F1"))
    seen |= answers(schema["/v1/flows/{flowId}"]["GET"], GenerationMode.POSITIVE, client, token, {"flowId": there})
    assert seen >= {
        ("POST /v1/flows", 202), ("POST /v1/flows", 400),
        ("POST /v1/flows/search", 200), ("POST /v1/flows/search", 400),
        ("GET /v1/flows/{flowId}", 200), ("GET /v1/flows/{flowId}", 404),
        ("GET /v1/webhooks", 200), ("POST /v1/webhooks", 201), ("POST /v1/webhooks", 400),
        ("DELETE /v1/webhooks/{webhookUid}", 404), ("GET /v1/healthcheck", 200),
    }  # fmt: skip


def submit(client: Any, token: dict[str, str], data: bytes) -> str:
    info = json.dumps({"flowSyntax": "UBL", "name": "F1.xml"})
    parts = {"flowInfo": (None, info, "application/json"), "file": ("F1.xml", data, "application/xml")}
    flow_id: str = client.post(f"{BASE_URL}/v1/flows", files=parts, headers=token).json()["flowId"]
    return flow_id


def answers(
    operation: Any, mode: Any, client: Any, token: dict[str, str], path_parameters: dict[str, str] | None = None
) -> set[tuple[str, int]]:
    """Try an operation and say which statuses it answered; fails at the first answer outside the description."""
    # The description has the health check refuse a malformed Request-Id and gives it no status to say so: it is 200.
    expected = [each for each in CONFORMANCE if not (operation.path.endswith("healthcheck") and each is refused)]
    seen: set[tuple[str, int]] = set()

    @seed(SEED)
    @settings(max_examples=EXAMPLES, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode, path_parameters=path_parameters))
    def one(case: Any) -> None:
        response = case.call(session=client, headers=token)
        case.validate_response(response, checks=expected)
        seen.add((operation.label, response.status_code))

    one()
    return seen
