"""`POST /api/v1/validate`: who may, a document in, its report out, and every refusal a problem with its code."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from gateway.access.roles import ApiScope, Role
from gateway.access.service import create_client, create_user
from gateway.access.sign_in import open_session
from gateway.access.tokens import issue_token
from gateway.app.service import create_app
from gateway.app.services import build_services
from gateway.validation.report import Report, Verdict
from gateway.web.security import SESSION_COOKIE

Valid = Callable[..., bytes]
Broken = Callable[[bytes, str, str | None], bytes]
ROUTE = "/api/v1/validate"
LIMIT = 60_000


@pytest.fixture
def http(database: Any, settings: Any, clock: Any) -> Iterator[TestClient]:
    """The assembled service with a small size limit."""
    small = settings.model_copy(update={"max_file_bytes": LIMIT})
    with TestClient(create_app(build_services(small, clock=clock, database=database))) as client:
        yield client


@pytest.fixture
def token(database: Any, settings: Any, clock: Any, organisation: UUID) -> Callable[[ApiScope], dict[str, str]]:
    """The Authorization header of a program with one scope."""

    def make(scope: ApiScope) -> dict[str, str]:
        with database.transaction(organisation) as session:
            created = create_client(session, name=f"ERP {scope}", scopes=[scope], now=clock())
            client_id, secret = created.client.client_id, created.secret
        with database.system_transaction() as session:
            issued = issue_token(session, settings, client_id=client_id, secret=secret, scopes=frozenset(), now=clock())
        return {"Authorization": f"Bearer {issued.token}"}

    return make


def test_a_document_in_gives_its_report(http: TestClient, token: Any, valid: Valid, broken: Broken) -> None:
    headers = token(ApiScope.VALIDATE)
    answer = http.post(ROUTE, params={"name": "a.xml"}, content=valid("UBL"), headers=headers)
    assert answer.status_code == 200
    report = Report.from_data(answer.json())
    assert (report.path, report.verdict, report.syntax) == ("a.xml", Verdict.VALID, "UBL")
    assert report.complete
    assert answer.json() == report.to_data()
    wrong = http.post(ROUTE, content=broken(valid("UBL"), "PayableAmount", "1.00"), headers=headers).json()
    assert wrong["verdict"] == "invalid"
    assert "BR-CO-16" in {finding["rule"] for finding in wrong["findings"]}


def test_a_document_that_is_none_gets_a_report_too(http: TestClient, token: Any) -> None:
    answer = http.post(ROUTE, content=b"", headers=token(ApiScope.VALIDATE))
    assert (answer.status_code, answer.json()["verdict"]) == (200, "unreadable")


def test_rules_and_date_are_those_asked_for(http: TestClient, token: Any, valid: Valid) -> None:
    asked = {"rules": "fr-ctc", "on": "2026-08-31"}
    report = http.post(ROUTE, params=asked, content=valid("UBL"), headers=token(ApiScope.VALIDATE)).json()
    assert report["on"] == "2026-08-31"
    assert [layer["status"] for layer in report["layers"]] == ["passed", *["not_run"] * 4]


def test_without_a_token_or_a_session_it_is_401(http: TestClient, valid: Valid) -> None:
    answer = http.post(ROUTE, content=valid("UBL"))
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_person_in_a_session_may_validate_too(
    http: TestClient, database: Any, settings: Any, clock: Any, organisation: UUID, valid: Valid
) -> None:
    with database.transaction(organisation) as session:
        user = create_user(
            session, email="a@b.fr", name="A", password="une phrase assez longue", role=Role.READER, now=clock()
        )
        cookie = open_session(session, user, settings, clock()).token
    answer = http.post(ROUTE, content=valid("UBL"), headers={"Cookie": f"{SESSION_COOKIE}={cookie}"})
    assert (answer.status_code, answer.json()["verdict"]) == (200, "valid")


def test_a_token_of_another_scope_is_403(http: TestClient, token: Any, valid: Valid) -> None:
    answer = http.post(ROUTE, content=valid("UBL"), headers=token(ApiScope.FLOWS_WRITE))
    assert answer.status_code == 403
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("announced", [True, False])
def test_a_document_over_the_limit_is_413(announced: bool, http: TestClient, token: Any) -> None:
    content: Any = b"x" * (LIMIT + 1) if announced else iter([b"x" * LIMIT, b"x"])
    answer = http.post(ROUTE, content=content, headers=token(ApiScope.VALIDATE))
    assert (answer.status_code, answer.json()["code"]) == (413, "DOCUMENT_TOO_LARGE")


def test_unknown_rules_are_422_with_the_known_ones(http: TestClient, token: Any, valid: Valid) -> None:
    answer = http.post(ROUTE, params={"rules": "xds"}, content=valid("UBL"), headers=token(ApiScope.VALIDATE))
    assert (answer.status_code, answer.json()["code"]) == (422, "UNKNOWN_RULES")
    assert "fr-ctc" in answer.json()["detail"]
