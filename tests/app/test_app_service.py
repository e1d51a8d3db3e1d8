"""The assembled service: alive, ready, measured; every failure is said in the form its caller reads."""

import re
from pathlib import Path
from urllib.parse import urljoin

import pytest
from fastapi.testclient import TestClient

from gateway.app.service import create_app
from gateway.app.services import build_services
from gateway.kernel.errors import GatewayError
from gateway.kernel.text import Text

SCHEMAS = Path(__file__).parents[2] / "schemas"


@pytest.fixture
def app(database, settings, clock):
    return create_app(build_services(settings, clock=clock, database=database))


@pytest.fixture
def http(app):
    return TestClient(app, raise_server_exceptions=False)


def test_it_is_alive_and_ready(http):
    assert http.get("/healthz").json()["status"] == "alive"
    assert http.get("/readyz").json() == {"status": "ready", "database": "up"}


def test_it_is_not_ready_without_its_database(app, database):
    database.engine = type("Down", (), {"connect": lambda self: 1 / 0, "dispose": lambda self: None})()
    answer = TestClient(app).get("/readyz")
    assert (answer.status_code, answer.json()["database"]) == (503, "down")


def test_requests_are_measured_by_route(http):
    http.get("/healthz")
    assert 'gateway_requests_total{method="GET",route="/healthz",status="200"}' in http.get("/metrics").text


def test_a_plain_request_id_comes_back_and_another_is_replaced(http):
    assert http.get("/healthz", headers={"Request-Id": "abc-1"}).headers["Request-Id"] == "abc-1"
    strange = 'x" injected="1'
    assert http.get("/healthz", headers={"Request-Id": strange}).headers["Request-Id"] != strange


def test_each_published_schema_is_served_under_the_id_it_bears_for_everybody_to_keep(http):
    files = sorted(SCHEMAS.glob("*.schema.json"))
    assert len(files) == 9
    for file in files:
        answer = http.get(f"/schemas/{file.name}")
        assert answer.content == file.read_bytes()
        assert answer.json()["$id"] == file.name
        assert answer.headers["content-type"] == "application/schema+json"
        assert answer.headers["cache-control"] == "public, max-age=86400"
        for reference in re.findall(r'"\$ref": "([^#"]+)"', answer.text):
            assert http.get(urljoin(f"/schemas/{file.name}", reference)).status_code == 200


@pytest.mark.parametrize("name", ["simulator.toml", "other.schema.json", "%2e%2e%2fpyproject.toml"])
def test_no_other_file_is_served_beside_the_schemas(http, name):
    assert http.get(f"/schemas/{name}").status_code == 404


def test_an_unknown_address_is_a_page_to_people_and_a_problem_to_programs(http):
    page = http.get("/no-such-page", headers={"Accept": "text/html"})
    assert page.status_code == 404
    assert "Cette page n" in page.text
    answer = http.get("/no-such-page")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == 404


def test_a_named_error_is_a_problem_with_its_code(app, http):
    class TeapotError(GatewayError):
        code = "TEAPOT"
        status = 418

    @app.get("/api/v1/teapot")
    def teapot() -> None:
        raise TeapotError(
            Text("Je suis une théière.", "I am a teapot."), Text("Faites du thé.", "Make tea."), "kitchen"
        )

    answer = http.get("/api/v1/teapot")
    assert answer.status_code == 418
    assert answer.json()["code"] == "TEAPOT"
    assert answer.json()["detail"] == "I am a teapot. [kitchen] Make tea."


def test_a_fault_of_ours_never_shows_its_traceback(app, http):
    @app.get("/api/v1/fault")
    def fault() -> None:
        raise RuntimeError("inner detail")

    answer = http.get("/api/v1/fault")
    assert answer.status_code == 500
    assert "inner detail" not in answer.text
