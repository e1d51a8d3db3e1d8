"""A client that no one here wrote (pyfrctc, of the Odoo modules) works against the running gateway, over real HTTP."""

import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import uvicorn
from pyfrctc import pyfrctc

from fixtures.cii import to_cii
from fixtures.pdf import to_facturx
from fixtures.profiles import Profile
from gateway.access.roles import ApiScope
from gateway.access.service import create_client
from gateway.app.service import create_app
from gateway.app.services import Services, build_services
from gateway.flows.tasks import POLL_TASK
from gateway.jobs.queue import enqueue
from gateway.kernel.clock import ManualClock
from gateway.kernel.settings import load_settings

PLATFORM = "gateway-under-test"


@pytest.fixture
def gateway(database, company, clock, compiled_rules) -> Services:
    """The gateway's parts; its flows are processed when the test says so."""
    settings = load_settings(
        data_dir=compiled_rules, port=0, flow_service_paths="/afnor-flow", simulator_step_seconds=1, batch_size=1000
    )
    return build_services(settings, clock=clock, database=database)


@pytest.fixture
def address(gateway: Services) -> Iterator[str]:
    """Where the gateway listens."""
    server = uvicorn.Server(uvicorn.Config(create_app(gateway), port=0, log_config=None))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the service did not start"
        thread.join(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(10)


@pytest.fixture
def session(gateway: Services, company, address: str, monkeypatch) -> Any:
    """A session of pyfrctc, with its own OAuth2 client, as its users open one."""
    with gateway.database.transaction(company) as transaction:
        scopes = [ApiScope.FLOWS_READ, ApiScope.FLOWS_WRITE]
        created = create_client(transaction, name="Odoo", scopes=scopes, now=gateway.clock())
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    urls = {"afnor_base_url": address, "token_url": f"{address}/oauth2/token", "authorize_url": "", "label": "ours"}
    monkeypatch.setitem(pyfrctc.PLATFORMS, PLATFORM, urls)
    kept: list[dict[str, Any]] = []
    return pyfrctc.get_session(
        PLATFORM,
        "client_credentials",
        "the company",
        lambda _: {"access_token": None, "expires_at": None},
        kept.append,
        created.client.client_id,
        created.secret,
    )


@pytest.fixture
def files(draft_of: Callable[..., Any]) -> SimpleNamespace:
    return SimpleNamespace(
        cii=to_cii(draft_of("P-CII"), Profile.EN_16931), factur_x=to_facturx(draft_of("P-FX"), Profile.EN_16931)
    )


def test_it_sends_searches_downloads_and_reads_statuses(session, gateway, company, files, invoice, clock):
    assert pyfrctc.healthcheck(session, type="flow")
    sent = {
        name: pyfrctc.send_flow_parsed(session, data, name, syntax, "B2B")["flowId"]
        for name, data, syntax in (
            ("a.xml", files.cii, "CII"),
            ("b.pdf", files.factur_x, "Factur-X"),
            ("c.xml", invoice("P-UBL"), "UBL"),
            ("d.xml", b"<broken", "CII"),
        )
    }
    pending = pyfrctc.get_flow_metadata_parsed(session, sent["a.xml"])
    assert (pending["state"], pending["flow_direction"]) == ("sent", "out")

    before = stamp(clock() - timedelta(minutes=1))
    walk(gateway, company, clock)
    mine = pyfrctc.search_flows_parsed(session, before, "Out", None)
    assert {flow["name"]: flow["state"] for flow in mine} == {
        "a.xml": "done", "b.pdf": "done", "c.xml": "done", "d.xml": "error",
    }  # fmt: skip
    assert "InvalidSchema" in next(flow for flow in mine if flow["name"] == "d.xml")["ap_error_details"]

    for name, data in (("a.xml", files.cii), ("b.pdf", files.factur_x)):
        assert pyfrctc.get_flow(session, sent[name], "Original") == data
    assert pyfrctc.get_flow(session, sent["b.pdf"], "Converted").startswith(b"<?xml")
    assert pyfrctc.get_flow(session, sent["c.xml"], "ReadableView").startswith(b"%PDF-")

    statuses = pyfrctc.search_flows_parsed(session, before, "In", ["CustomerInvoiceLC"])
    read = [pyfrctc.parse_cdar(pyfrctc.get_flow(session, flow["flowId"], "Original")) for flow in statuses]
    assert {"P-CII", "P-FX", "P-UBL"} <= {str(value) for cdar in read for value in flattened(cdar)}


def test_it_pages_by_date_through_more_flows_than_one_page_holds(session, gateway, company, clock):
    """It asks for 100 at a time and goes on from the newest updatedAt, as text: none is lost, none comes twice."""
    before = stamp(clock() - timedelta(minutes=1))
    sent = {pyfrctc.send_flow(session, b"<x>%d</x>" % number, "x.xml", "CII", "B2B")["flowId"] for number in range(110)}
    listed = [flow["flowId"] for flow in pyfrctc.search_flows(session, before, "Out", None)]
    assert len(listed) == len(set(listed)) == 110
    assert set(listed) == sent


def test_its_user_reads_why_a_call_is_refused(session, address):
    with pytest.raises(RuntimeError, match=r"\(404\).*MISSING_RESOURCE"):
        pyfrctc.get_flow(session, "no-such-flow")
    with pytest.raises(RuntimeError, match=r"\(400\).*INVALID_REQUEST"):
        pyfrctc.search_flows(session, "yesterdayZ", "Out", None)
    for method, path, status, code in (
        ("PUT", "/afnor-flow/v1/flows", 405, "METHOD_NOT_ALLOWED"),
        ("GET", "/afnor-flow/v1/nothing", 404, "MISSING_RESOURCE"),
        ("GET", "/flow-service/v1", 404, "MISSING_RESOURCE"),
    ):
        answer = session.request(method, address + path)
        assert (answer.status_code, answer.json()["errorCode"]) == (status, code)


def walk(gateway: Services, company, clock: ManualClock) -> None:
    """What worker and clock do: process, deliver, and hear what the platform answers, some seconds apart."""
    for _ in range(3):
        clock.advance(timedelta(seconds=2))
        with gateway.database.transaction(company) as session:
            enqueue(session, POLL_TASK)
        gateway.engine.run_until_idle()


def stamp(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")


def flattened(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for each in value.values():
            yield from flattened(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from flattened(each)
    else:
        yield value
