"""Billing systems call the Flow Service as XP Z12-013 says, and every failure is an answer in its error model."""

import hashlib
import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any
from uuid import uuid4

import pytest
from fastapi import FastAPI, Request, Response
from pypdf import PdfReader
from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException

from fixtures.pdf import to_facturx
from fixtures.profiles import Profile
from gateway.access.api import AccessContext, client_authentication
from gateway.access.roles import ApiScope
from gateway.access.service import create_client
from gateway.access.tokens import issue_token
from gateway.flows import intake
from gateway.flows.answering import answer_unrouted
from gateway.flows.api import FlowApiContext, router
from gateway.flows.model import Flow
from gateway.invoices.reading import read_document
from gateway.jobs.model import OutboxMessage
from tests.flows.official import official_description, read_description

OFFICIAL = official_description("flow-service")
BASE = "/flow-service/v1"
UPLOAD_LIMIT = 200_000


@pytest.fixture
def service(world, client_of) -> Iterator[Any]:
    """The Flow Service alone, over the organisation of `world`."""
    settings = world.context.settings.model_copy(update={"max_file_bytes": UPLOAD_LIMIT})
    access = AccessContext(world.database, settings, world.clock)
    app = FastAPI()
    app.include_router(
        router(FlowApiContext(world.database, world.store, world.clock, settings, client_authentication(access)))
    )

    @app.exception_handler(HTTPException)
    async def unrouted(request: Request, error: HTTPException) -> Response:
        return answer_unrouted(request, error) or Response(status_code=error.status_code)

    with client_of(app, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def token(world) -> Callable[..., dict[str, str]]:
    """Makes the Authorization header of a new client of an organisation."""

    def make(*scopes: ApiScope, organisation_id=None) -> dict[str, str]:
        wanted = frozenset(scopes or ApiScope)
        with world.database.transaction(organisation_id or world.organisation_id) as session:
            created = create_client(session, name=f"ERP {uuid4()}", scopes=sorted(wanted), now=world.clock())
        with world.database.system_transaction() as session:
            issued = issue_token(
                session,
                world.context.settings,
                client_id=created.client.client_id,
                secret=created.secret,
                scopes=frozenset(),
                now=world.clock(),
            )
        return {"Authorization": f"Bearer {issued.token}"}

    return make


@pytest.fixture
def factur_x(draft_of) -> Callable[[str], bytes]:
    """Makes a Factur-X (PDF) invoice by its number."""
    return lambda number: to_facturx(draft_of(number), Profile.EN_16931)


@pytest.fixture
def submit(service, token) -> Callable[..., Any]:
    """Submits a file; keyword arguments change flowInfo, None removes a property."""
    mine = token()

    def call(data: bytes, headers: dict[str, str] | None = None, **changes: object) -> Any:
        info = {"flowSyntax": "UBL", "name": "F1.xml"} | changes
        info = {key: value for key, value in info.items() if value is not None}
        parts = {"flowInfo": (None, json.dumps(info), "application/json"), "file": ("F1.xml", data, "application/xml")}
        return service.post(f"{BASE}/flows", files=parts, headers=mine | (headers or {}))

    return call


def official(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(read_description("flow-service"))["components"]["schemas"]
    return document | {"": document[name]}


def conforms(value: Any, schema: dict[str, Any], schemas: dict[str, Any], at: str = "") -> list[str]:
    """What is wrong with `value` under the parts of JSON Schema that the official file uses.

    Its `oneOf` of an enumeration and any text cannot mean exactly one: it is read as any of them.
    """
    if "$ref" in schema:
        return conforms(value, schemas[schema["$ref"].rsplit("/", 1)[1]], schemas, at)
    faults = [fault for part in schema.get("allOf", ()) for fault in conforms(value, part, schemas, at)]
    if "oneOf" in schema and all(conforms(value, part, schemas, at) for part in schema["oneOf"]):
        faults.append(f"{at}: no alternative fits")
    kinds = {"string": str, "integer": int, "array": list, "object": dict}
    if "type" in schema and not isinstance(value, kinds[schema["type"]]):
        return [*faults, f"{at}: {value!r} is no {schema['type']}"]
    if "enum" in schema and value not in schema["enum"]:
        faults.append(f"{at}: {value!r} is not in {schema['enum']}")
    if isinstance(value, str) and len(value) > schema.get("maxLength", len(value)):
        faults.append(f"{at}: too long")
    if schema.get("format") == "date-time" and datetime.fromisoformat(value).tzinfo is None:
        faults.append(f"{at}: no time zone")
    if isinstance(value, list):
        faults += [f"{at}: too few"] if len(value) < schema.get("minItems", 0) else []
        faults += [fault for item in value for fault in conforms(item, schema.get("items", {}), schemas, f"{at}[]")]
    if isinstance(value, dict):
        faults += [f"{at}.{name} is missing" for name in schema.get("required", ()) if name not in value]
        for name, part in schema.get("properties", {}).items():
            if name in value:
                faults += conforms(value[name], part, schemas, f"{at}.{name}")
    return faults


def assert_official(value: Any, name: str) -> None:
    if OFFICIAL is not None:
        schemas = official(name)
        assert conforms(value, schemas[name], schemas) == []


def assert_error(response: Any, status: int, code: str) -> None:
    assert response.status_code == status, response.text
    body = response.json()
    assert body["errorCode"] == code
    assert body["errorMessage"]
    assert set(body) <= {"errorCode", "errorMessage", "details"}
    assert_official(body, "Error")


def download(service, token, flow_id: str, doc_type: str) -> Any:
    return service.get(f"{BASE}/flows/{flow_id}?docType={doc_type}", headers=token())


def test_a_submitted_invoice_is_stored_and_answered_202_with_its_flow(submit, invoice, world):
    data = invoice("F1")
    digest = hashlib.sha256(data).hexdigest()
    response = submit(data, trackingId="t-1", sha256=digest, processingRule="B2B", flowProfile="CIUS")
    assert response.status_code == 202
    body = response.json()
    [flow] = world.rows(Flow)
    assert body["flowId"] == str(flow.id)
    assert (body["trackingId"], body["sha256"], body["flowSyntax"], body["name"]) == ("t-1", digest, "UBL", "F1.xml")
    assert datetime.fromisoformat(body["submittedAt"]) == world.clock()
    assert_official(body, "FullFlowInfo")


def test_202_is_answered_after_the_commit(submit, invoice, monkeypatch, world):
    def broken(*_, **__):
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(intake, "append", broken)
    response = submit(invoice("F1"))
    assert_error(response, 500, "INTERNAL_ERROR")
    assert "disk" not in response.text
    assert world.rows(Flow) == []


def test_a_database_that_does_not_answer_is_503(submit, invoice, monkeypatch):
    def unreachable(*_, **__):
        raise OperationalError("SELECT 1", {}, Exception("connection refused"))

    monkeypatch.setattr(intake, "append", unreachable)
    assert_error(submit(invoice("F1")), 503, "RESOURCE_ERROR")


def test_the_same_submission_twice_is_one_flow(submit, invoice, world):
    answers = [submit(invoice("F1"), trackingId="t-1").json()["flowId"] for _ in range(2)]
    assert len(set(answers)) == len(world.rows(Flow)) == 1


def test_an_empty_tracking_id_is_none_and_two_files_may_bear_it(submit, invoice, world):
    answers = [submit(invoice(number), trackingId="") for number in ("F1", "F2")]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert "trackingId" not in answers[0].json()
    assert len(world.rows(Flow)) == 2


def test_a_flow_info_part_of_type_text_or_with_a_file_name_is_read(service, token, invoice):
    for number, info_part in enumerate([(None, "{}", "text/plain"), ("info.json", "{}", "application/json")]):
        text = json.dumps({"flowSyntax": "UBL", "name": "a.xml"})
        parts = {"flowInfo": (info_part[0], text, info_part[2]), "file": ("a.xml", invoice(f"F{number}"))}
        assert service.post(f"{BASE}/flows", files=parts, headers=token()).status_code == 202


WRONG_FLOW_INFO = [
    ({"flowSyntax": None}, "MISSING_REQUIRED_FIELD"),
    ({"name": None}, "MISSING_REQUIRED_FIELD"),
    ({"flowSyntax": "EDIFACT"}, "INVALID_REQUEST"),
    ({"name": "n" * 256}, "INVALID_REQUEST"),
    ({"name": "a\0b"}, "INVALID_REQUEST"),
    ({"trackingId": "t" * 65}, "INVALID_REQUEST"),
    ({"trackingId": 12}, "INVALID_REQUEST"),
    ({"sha256": "ABC"}, "INVALID_REQUEST"),
    ({"processingRule": "b2b"}, "INVALID_REQUEST"),
]


def test_a_wrong_flow_info_is_refused_by_the_name_of_its_field(submit, invoice, world):
    for changes, code in WRONG_FLOW_INFO:
        response = submit(invoice("F1"), **changes)
        assert_error(response, 400, code)
        assert f"flowInfo.{next(iter(changes))}" in response.json()["errorMessage"]
    assert world.rows(Flow) == []


def test_a_wrong_checksum_is_422(submit, invoice):
    assert_error(submit(invoice("F1"), sha256="0" * 64), 422, "CHECKSUM_MISMATCH")


def test_a_tracking_id_with_another_file_is_422(submit, invoice):
    submit(invoice("F1"), trackingId="t-1")
    assert_error(submit(invoice("F2"), trackingId="t-1"), 422, "TRACKING_ID_REUSED")


def test_two_billing_systems_that_count_tracking_ids_alike_do_not_refuse_each_other(service, token, invoice, world):
    def push(number: str, client: dict[str, str]) -> Any:
        info = json.dumps({"flowSyntax": "UBL", "name": "a.xml", "trackingId": "0001"})
        parts = {"flowInfo": (None, info), "file": ("a.xml", invoice(number))}
        return service.post(f"{BASE}/flows", files=parts, headers=client)

    one, other = token(), token()
    answers = [push("F1", one), push("F2", other), push("F1", one), push("F2", other)]
    assert [answer.status_code for answer in answers] == [202] * 4
    first, second, *repeats = [answer.json()["flowId"] for answer in answers]
    assert (repeats, first != second) == ([first, second], True)
    assert_error(push("F2", one), 422, "TRACKING_ID_REUSED")
    assert len(world.rows(Flow)) == 2


def test_one_file_pushed_by_two_billing_systems_is_sent_once(service, token, invoice, world):
    info = json.dumps({"flowSyntax": "UBL", "name": "a.xml"})
    parts = {"flowInfo": (None, info), "file": ("a.xml", invoice("F1"))}
    for client in (token(), token()):
        assert service.post(f"{BASE}/flows", files=parts, headers=client).status_code == 202
    world.drain()
    assert [flow.ack_status for flow in world.rows(Flow)] == ["Ok", "Ok"]
    assert len(world.rows(OutboxMessage)) == 1


@pytest.mark.parametrize("missing", ["file", "flowInfo"])
def test_a_missing_part_is_400(service, token, invoice, missing):
    parts = {"flowInfo": (None, json.dumps({"flowSyntax": "UBL", "name": "a"})), "file": ("a.xml", invoice("F1"))}
    del parts[missing]
    parts["other"] = (None, "x")
    assert_error(service.post(f"{BASE}/flows", files=parts, headers=token()), 400, "MISSING_REQUIRED_FIELD")


PART = b'--b\r\nContent-Disposition: form-data; name="flowInfo"\r\n\r\n'
NO_MULTIPART = [
    ("application/json", b"{}"),
    ("multipart/form-data", b"x"),
    ("multipart/form-data; boundary=b", b"not multipart"),
    ("multipart/form-data; boundary=b", PART + b"\xff\r\n--b--"),
    ("multipart/form-data; boundary=b", PART + b"x" * 100_000 + b"\r\n--b--"),
]


def test_a_body_that_is_no_multipart_is_400(service, token):
    headers = token()
    for content_type, body in NO_MULTIPART:
        response = service.post(f"{BASE}/flows", content=body, headers=headers | {"Content-Type": content_type})
        assert response.status_code == 400, body
        assert_error(response, 400, response.json()["errorCode"])


def test_a_file_over_the_limit_is_413(submit, world):
    assert_error(submit(b"x" * (UPLOAD_LIMIT + 1)), 413, "FILE_SIZE_EXCEEDED")
    assert world.rows(Flow) == []


def test_an_endless_body_is_cut_off_without_being_read_to_its_end(service, token):
    sent = 0

    def body() -> Iterator[bytes]:
        nonlocal sent
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
        while sent < 100 * UPLOAD_LIMIT:
            sent += 10_000
            yield b"x" * 10_000

    headers = token() | {"Content-Type": "multipart/form-data; boundary=b"}
    assert_error(service.post(f"{BASE}/flows", content=body(), headers=headers), 413, "FILE_SIZE_EXCEEDED")


def test_without_a_token_every_route_but_the_health_check_is_401(service):
    calls = [("POST", "/flows"), ("POST", "/flows/search"), ("GET", f"/flows/{uuid4()}"), ("GET", "/webhooks")]
    for method, path in calls:
        response = service.request(method, BASE + path, json={"where": {}} if "search" in path else None)
        assert_error(response, 401, "INVALID_TOKEN")
        assert response.headers["WWW-Authenticate"] == "Bearer"
    assert service.get(f"{BASE}/healthcheck").status_code == 200


def test_a_token_that_only_reads_does_not_write_nor_the_other_way_round(service, token, invoice):
    reading, writing = token(ApiScope.FLOWS_READ), token(ApiScope.FLOWS_WRITE)
    parts = {"flowInfo": (None, json.dumps({"flowSyntax": "UBL", "name": "a"})), "file": ("a.xml", invoice("F1"))}
    assert_error(service.post(f"{BASE}/flows", files=parts, headers=reading), 403, "INSUFFICIENT_SCOPE")
    search = {"where": {"trackingId": "t"}}
    assert_error(service.post(f"{BASE}/flows/search", json=search, headers=writing), 403, "INSUFFICIENT_SCOPE")


def test_the_metadata_tell_the_acknowledgement_when_it_is_there(submit, service, token, invoice, world):
    good, bad = submit(invoice("F1")).json()["flowId"], submit(b"<x/>", name="bad.xml").json()["flowId"]
    pending = service.get(f"{BASE}/flows/{good}", headers=token()).json()
    assert (pending["acknowledgement"], pending["flowType"], pending["flowProfile"]) == (
        {"status": "Pending"},
        "Undefined",
        "Undefined",
    )
    world.clock.advance(timedelta(seconds=5))
    world.drain()
    done, refused = (service.get(f"{BASE}/flows/{each}", headers=token()).json() for each in (good, bad))
    assert (done["acknowledgement"], done["flowType"], done["flowDirection"]) == (
        {"status": "Ok"},
        "CustomerInvoice",
        "Out",
    )
    assert datetime.fromisoformat(done["updatedAt"]) > datetime.fromisoformat(done["submittedAt"])
    assert refused["acknowledgement"]["status"] == "Error"
    assert refused["acknowledgement"]["details"][0]["reasonCode"] == "FlowTypeError"
    for body in (pending, done, refused):
        assert_official(body, "Flow")


def test_the_original_is_given_back_byte_for_byte(submit, service, token, invoice):
    flow_id = submit(invoice("F1"), name="facture é.xml").json()["flowId"]
    response = service.get(f"{BASE}/flows/{flow_id}?docType=Original", headers=token())
    assert response.content == invoice("F1")
    assert response.headers["content-type"] == "application/octet-stream"
    assert response.headers["content-disposition"] == "attachment;filename*=UTF-8''facture%20%C3%A9.xml"


def test_the_xml_of_a_factur_x_is_its_converted_document_and_the_pdf_its_readable_view(
    submit, service, token, factur_x
):
    pdf = factur_x("F1")
    flow_id = submit(pdf, flowSyntax="Factur-X", name="facture.pdf").json()["flowId"]
    converted, readable = (download(service, token, flow_id, each) for each in ("Converted", "ReadableView"))
    assert converted.content == read_document(pdf).xml
    assert converted.headers["content-disposition"] == "attachment;filename*=UTF-8''facture.xml"
    assert readable.content == pdf


def test_an_xml_invoice_has_a_readable_view_and_nothing_converted(submit, service, token, invoice):
    flow_id = submit(invoice("F-READABLE"), name="F1.xml").json()["flowId"]
    readable = download(service, token, flow_id, "ReadableView")
    assert "F-READABLE" in PdfReader(BytesIO(readable.content)).pages[0].extract_text()
    assert readable.headers["content-disposition"].endswith("F1.pdf")
    assert_error(download(service, token, flow_id, "Converted"), 404, "MISSING_RESOURCE")


def test_a_file_that_is_no_invoice_has_only_its_original(submit, service, token):
    flow_id = submit(b"<x/>").json()["flowId"]
    assert download(service, token, flow_id, "Original").content == b"<x/>"
    for doc_type in ("Converted", "ReadableView"):
        assert_error(download(service, token, flow_id, doc_type), 404, "MISSING_RESOURCE")


def test_what_no_route_takes_is_answered_in_the_error_model(service, token):
    headers = token()
    for method, path in (("GET", ""), ("GET", "/nothing"), ("POST", "/flows/a/b")):
        assert_error(service.request(method, BASE + path, headers=headers), 404, "MISSING_RESOURCE")
    for method, path in (("PUT", "/flows"), ("DELETE", f"/flows/{uuid4()}"), ("POST", "/healthcheck")):
        response = service.request(method, BASE + path, headers=headers)
        assert_error(response, 405, "METHOD_NOT_ALLOWED")
        assert response.headers["allow"]
    for body in (b"{", b"\xff", b"[]", b"null", b""):
        response = service.post(f"{BASE}/flows/search", content=body, headers=headers)
        assert_error(response, 400, response.json()["errorCode"])


def test_an_unknown_flow_is_404(service, token):
    headers = token()
    for flow_id in (str(uuid4()), "no-uuid", "%00"):
        assert_error(service.get(f"{BASE}/flows/{flow_id}", headers=headers), 404, "MISSING_RESOURCE")


def test_a_flow_of_another_organisation_is_unknown_found_by_no_search_and_not_reachable_by_header(
    submit, service, token, invoice, other_organisation, seller
):
    flow_id = submit(invoice("F1"), trackingId="t-1").json()["flowId"]
    stranger = token(organisation_id=other_organisation)
    for doc_type in ("Metadata", "Original"):
        response = service.get(f"{BASE}/flows/{flow_id}?docType={doc_type}", headers=stranger)
        assert_error(response, 404, "MISSING_RESOURCE")
    search = {"where": {"trackingId": "t-1"}}
    assert service.post(f"{BASE}/flows/search", json=search, headers=stranger).json()["results"] == []
    aimed = stranger | {"Organization-Id": seller.siren}
    assert_error(service.post(f"{BASE}/flows/search", json=search, headers=aimed), 403, "FORBIDDEN_ACCESS")
    mine = token() | {"Organization-Id": seller.siren, "Request-Id": str(uuid4())}
    assert len(service.post(f"{BASE}/flows/search", json=search, headers=mine).json()["results"]) == 1


def test_a_search_pages_through_flows_that_share_one_updated_at_without_loss_or_repeat(submit, service, token, invoice):
    sent = [submit(invoice(f"F{n}"), name=f"F{n}.xml").json()["flowId"] for n in range(7)]
    seen, cursor = [], None
    while True:
        wanted = {"where": {"flowDirection": ["Out"]}, "limit": 3} | ({"cursor": cursor} if cursor else {})
        page = service.post(f"{BASE}/flows/search", json=wanted, headers=token()).json()
        assert_official(page, "SearchFlowContent")
        seen += [flow["flowId"] for flow in page["results"]]
        cursor = page.get("nextCursor")
        if cursor is None:
            break
    assert sorted(seen) == sorted(sent)


FOUND_BY = [
    ({"ackStatus": "Ok"}, 1),
    ({"ackStatus": "Pending"}, 0),
    ({"flowType": ["CustomerInvoice", "SupplierInvoice"]}, 1),
    ({"flowType": ["Undefined"]}, 1),
    ({"processingRule": ["B2B"]}, 1),
    ({"flowDirection": ["In"]}, 0),
    ({"updatedAfter": "2026-10-05T07:59:59Z"}, 2),
    ({"updatedAfter": "2026-10-05T08:00:01Z"}, 0),
    ({"updatedBefore": "2026-10-05T08:00:00Z"}, 0),
    ({"updatedBefore": "2026-10-05T10:00:01+02:00"}, 2),
    ({"trackingId": "t-1", "ackStatus": "Error"}, 0),
]


def test_each_criterion_of_a_search_counts(submit, service, token, invoice, world):
    submit(invoice("F1"), trackingId="t-1")
    submit(b"<x/>")
    world.drain()
    headers = token()
    for where, found in FOUND_BY:
        response = service.post(f"{BASE}/flows/search", json={"where": where}, headers=headers)
        assert len(response.json()["results"]) == found, where


WRONG_SEARCHES: list[dict[str, Any]] = [
    {},
    {"where": {}},
    {"where": {"ackStatus": "Nope"}},
    {"where": {"updatedAfter": "yesterday"}},
    {"where": {"updatedAfter": "2026-10-05T08:00:00"}},
    {"where": {"ackStatus": "Ok"}, "limit": 101},
    {"where": {"ackStatus": "Ok"}, "limit": 0},
    {"where": {"ackStatus": "Ok"}, "cursor": "nonsense"},
    {"where": {"trackingId": "a\0"}},
]


def test_a_wrong_search_is_400(service, token):
    headers = token()
    for body in WRONG_SEARCHES:
        response = service.post(f"{BASE}/flows/search", json=body, headers=headers)
        assert_error(response, 400, response.json()["errorCode"])


def test_what_is_wrong_with_a_body_is_said_in_both_languages(service, token, invoice):
    headers = token()
    in_json = headers | {"Content-Type": "application/json"}
    no_multipart = service.post(f"{BASE}/flows", json={}, headers=headers).json()
    assert "part file" in no_multipart["errorMessage"]
    assert "une partie file" in no_multipart["details"]
    no_file = service.post(f"{BASE}/flows", files={"flowInfo": (None, "{}")}, headers=headers).json()
    assert (no_file["errorCode"], "[" in no_file["details"]) == ("MISSING_REQUIRED_FIELD", True)
    assert "champ obligatoire" in no_file["details"]
    for wrong, where, told in [
        (b"[]", "[body]", "objet JSON"),
        (b'{"where": ', "[body, character ", "Expecting value"),
    ]:
        answer = service.post(f"{BASE}/flows/search", content=wrong, headers=in_json)
        assert_error(answer, 400, "INVALID_REQUEST")
        assert (where in answer.json()["details"], told in answer.json()["details"]) == (True, True)
