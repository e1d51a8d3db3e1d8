"""Webhooks are made, listed and ended by their owner alone, and only addresses that may be called are called."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from gateway.access.principal import Principal
from gateway.access.roles import ApiScope
from gateway.access.scope import Scope
from gateway.access.service import create_client
from gateway.flows.webhooks import api, events_api
from gateway.flows.webhooks.addresses import CallbackPolicy, check_callback, is_public
from gateway.flows.webhooks.calling import sender
from gateway.flows.webhooks.errors import CallbackRefusedError
from gateway.flows.webhooks.service import MOST_WEBHOOKS
from gateway.kernel.errors import GatewayError

ADDRESS = "https://erp.example.org/calls"


@pytest.fixture
def client_id(world) -> UUID:
    with world.database.transaction(world.organisation_id) as session:
        return create_client(session, name="ERP", scopes=sorted(ApiScope), now=world.clock()).client.id


@pytest.fixture
def http(world, client_id, client_of) -> Any:
    """The routes of both kinds of webhooks; the header X-As names the program that calls, and its scopes."""

    def authenticate(request: Request) -> Principal:
        program, _, scopes = request.headers["x-as"].partition(" ")
        held = frozenset(scopes.split() or [scope.value for scope in ApiScope])
        return Principal(world.organisation_id, "client", UUID(program), "ERP", held, None, Scope.everything())

    parts = (world.database, world.clock, world.context.settings, authenticate)
    app = FastAPI()
    app.include_router(api.router(*parts))
    app.include_router(events_api.router(*parts))

    @app.exception_handler(GatewayError)
    async def named(_: Request, error: GatewayError) -> JSONResponse:
        return JSONResponse({"code": error.code}, status_code=error.status)

    with client_of(app, headers={"x-as": str(client_id)}) as client:
        yield client


@pytest.mark.parametrize("base", ["/webhooks", "/api/v1/webhooks"])
def test_a_webhook_is_made_listed_and_ended_by_its_owner_alone_and_its_key_is_shown_once(http, world, base):
    order = {"callbackUrl": ADDRESS, "flowTypes": ["CustomerInvoice"], "ackStatus": "Ok"}
    if base.startswith("/api"):
        order = {"callback_url": ADDRESS, "event_types": ["einvoicing.invoice"]}
    made = http.post(base, json=order)
    body = made.json()
    assert made.status_code == 201
    webhook_id = body.get("webhookId") or body["id"]
    key = body.get("signingKey") or body["secret"]
    listed = http.get(base)
    assert key not in listed.text
    [shown] = listed.json()["webhooks"]
    assert order.items() <= shown.items()
    with world.database.transaction(world.organisation_id) as session:
        other = create_client(session, name="TMS", scopes=sorted(ApiScope), now=world.clock()).client.id
    stranger = {"x-as": str(other)}
    assert http.get(base, headers=stranger).json()["webhooks"] == []
    for answer in (
        http.delete(f"{base}/{webhook_id}", headers=stranger),
        http.delete(f"/webhooks/{webhook_id}" if "api" in base else f"/api/v1/webhooks/{webhook_id}"),
    ):
        assert answer.status_code == 404
    assert http.delete(f"{base}/{webhook_id}").status_code == 204
    assert http.get(base).json()["webhooks"] == []
    assert http.delete(f"{base}/{webhook_id}").status_code == 404


def test_a_wrong_subscription_is_refused_and_scopes_are_asked_for(http, client_id):
    for wrong in ({}, {"callbackUrl": "http://erp.example.org"}, {"callbackUrl": ADDRESS, "flowTypes": ["No"]}):
        assert http.post("/webhooks", json=wrong).status_code == 400
    for wrong in ({"callback_url": "https://10.0.0.1/"}, {"callback_url": ADDRESS, "event_types": ["other"]}):
        assert http.post("/api/v1/webhooks", json=wrong).status_code in (400, 422)
    for base, order, reads in (
        ("/webhooks", {"callbackUrl": ADDRESS}, "flows:read"),
        ("/api/v1/webhooks", {"callback_url": ADDRESS}, "events:read"),
    ):
        for scopes, status in (("webhooks:manage", 403), (reads, 403), (f"webhooks:manage {reads}", 201)):
            assert http.post(base, json=order, headers={"x-as": f"{client_id} {scopes}"}).status_code == status


def test_a_program_has_no_more_webhooks_than_the_limit(http):
    answers = [http.post("/webhooks", json={"callbackUrl": ADDRESS}).status_code for _ in range(MOST_WEBHOOKS + 1)]
    assert answers == [201] * MOST_WEBHOOKS + [403]
    listed = http.get("/webhooks").json()
    assert (listed["count"], len(listed["webhookIds"])) == (MOST_WEBHOOKS, MOST_WEBHOOKS)


REFUSED_ADDRESSES = [
    "http://erp.example.org/", "ftp://erp.example.org/", "erp.example.org", "", "https://", "https:///x",
    "https://localhost/", "https://127.0.0.1/", "https://[::1]/", "https://10.1.2.3/", "https://169.254.169.254/meta",
    "https://192.168.0.1:8443/", "https://[fd00::1]/", "https://[::ffff:10.0.0.1]/", "https://intranet/",
    "https://db.internal/", "https://printer.local/", "https://user:secret@erp.example.org/", "https://100.64.0.1/",
    "https://erp.example.org/#a", "https://erp.example.org/\x00", "https://é.example.org/", "https://0.0.0.0/",
    "https://" + "a" * 2000 + ".org/",
]  # fmt: skip


def test_an_address_that_may_not_be_called_is_refused():
    for address in REFUSED_ADDRESSES:
        with pytest.raises(CallbackRefusedError):
            check_callback(address, CallbackPolicy())


def test_settings_allow_more_addresses():
    check_callback("https://erp.example.org:8443/a/b?c=d", CallbackPolicy())
    check_callback("https://93.184.215.14/", CallbackPolicy())
    check_callback("http://erp.example.org/", CallbackPolicy(allow_http=True))
    check_callback("https://127.0.0.1:9/", CallbackPolicy(allow_private=True))


def test_an_address_is_public_whatever_it_is_wrapped_in():
    for address in ("127.0.0.1", "::ffff:127.0.0.1", "2002:7f00:1::", "64:ff9b::7f00:1", "fe80::1%eth0", "224.0.0.1"):
        assert not is_public(address), address
    for address in ("93.184.215.14", "::ffff:93.184.215.14", "2606:4700::1111"):
        assert is_public(address), address


@pytest.fixture
def listener() -> Iterator[tuple[str, list[tuple[dict[str, str], bytes]]]]:
    """A receiver on this machine, over real HTTP."""
    got: list[tuple[dict[str, str], bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.append((dict(self.headers), body))
            self.send_response(302 if self.path == "/moved" else 200)
            self.send_header("Location", "http://127.0.0.1:1/")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", got
    server.shutdown()
    server.server_close()


def test_a_call_over_http_arrives_with_its_host_and_follows_no_redirection(settings, listener):
    address, got = listener
    allowing = settings.model_copy(update={"webhook_allow_http": True, "webhook_allow_private": True})
    send = sender(allowing)
    host = address.removeprefix("http://").replace("127.0.0.1", "localhost")
    assert send(f"http://{host}/calls", b"{}", {"Content-Type": "application/json"}) == 200
    assert send(f"{address}/moved", b"{}", {}) == 302
    assert len(got) == 2
    assert got[0][0]["Host"] == host
    assert got[0][1] == b"{}"
