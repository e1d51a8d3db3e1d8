"""What an answer of a platform means, how tokens live, and what never leaves: over HTTP, one deviation at a time."""

import ssl
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st
from starlette.responses import JSONResponse, Response

from gateway.flows.errors import PlatformAmbiguousError, PlatformRefusedError, PlatformUnavailableError
from gateway.flows.platforms.client import OutgoingFlow, PlatformFlow
from gateway.flows.platforms.credentials import Credentials
from gateway.flows.platforms.crowded import flows_of_crowded_instant
from gateway.flows.platforms.errors import (
    PlatformAnswerError,
    PlatformCredentialsError,
    PlatformFileTooLargeError,
    PlatformListStuckError,
    SecretUnavailableError,
)
from gateway.flows.platforms.profile import platform_profile
from gateway.flows.platforms.retry_after import LONGEST, retry_after
from gateway.flows.platforms.session import PlatformSession
from gateway.flows.platforms.standard import StandardPlatform
from gateway.flows.platforms.tokens import TokenAuth, Tokens
from gateway.flows.platforms.transport import Transport
from tests.flows.standard_platform import CLIENT_ID, FLOW_URL, SECRET, TOKEN_URL, StandardServer

FLOW = OutgoingFlow("t-1", "one.xml", "UBL", b"<a/>")
NOW = datetime(2026, 10, 5, 8, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def secret(monkeypatch) -> None:
    monkeypatch.setenv("PLATFORM_SECRET", SECRET)


@pytest.fixture
def server(clock) -> StandardServer:
    return StandardServer(clock)


def client_over(http: httpx.Client, clock, profile=None, *, reference="env:PLATFORM_SECRET", client_id=CLIENT_ID):
    profile = profile or platform_profile("standard")
    transport = Transport(http, timeout_seconds=5)
    tokens = Tokens(transport, TOKEN_URL, profile, Credentials(client_id, reference), clock)
    session = PlatformSession(transport, TokenAuth(tokens), clock, remote_organisation="ours")
    return StandardPlatform(session, profile, FLOW_URL, max_download_bytes=1000)


@pytest.fixture
def client(server, client_of, clock) -> StandardPlatform:
    return client_over(client_of(server.app), clock)


def answering(answer) -> httpx.Client:
    """A platform that gives a token, then always `answer` (or raises it)."""

    def handle(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/token"):
            return httpx.Response(200, json={"access_token": "t", "expires_in": 3600})
        if isinstance(answer, Exception):
            raise answer
        return answer

    return httpx.Client(transport=httpx.MockTransport(handle))


SUBMISSIONS = [
    (httpx.Response(400, json={"errorCode": "X", "errorMessage": "[BR-FR-CDV-14]"}), PlatformRefusedError),
    (httpx.Response(403), PlatformRefusedError),
    (httpx.Response(413), PlatformRefusedError),
    (httpx.Response(422), PlatformRefusedError),
    (httpx.Response(501), PlatformRefusedError),
    (httpx.Response(404), PlatformUnavailableError),
    (httpx.Response(405), PlatformUnavailableError),
    (httpx.Response(408), PlatformUnavailableError),
    (httpx.Response(429, headers={"Retry-After": "7"}), PlatformUnavailableError),
    (httpx.Response(302, headers={"Location": "http://elsewhere.test/"}), PlatformUnavailableError),
    (httpx.Response(401), PlatformCredentialsError),
    (httpx.Response(409), PlatformAmbiguousError),
    (httpx.Response(500), PlatformAmbiguousError),
    (httpx.Response(503, headers={"Retry-After": "7"}), PlatformAmbiguousError),
    (httpx.Response(202, text="accepted"), PlatformAmbiguousError),
    (httpx.Response(202, json=["flow-1"]), PlatformAmbiguousError),
    (httpx.Response(202, json={"trackingId": "t-1"}), PlatformAmbiguousError),
    (httpx.ConnectError("refused"), PlatformUnavailableError),
    (httpx.ConnectTimeout(""), PlatformUnavailableError),
    (httpx.PoolTimeout(""), PlatformUnavailableError),
    (httpx.ReadTimeout(""), PlatformAmbiguousError),
    (httpx.WriteTimeout(""), PlatformAmbiguousError),
    (httpx.ReadError("reset"), PlatformAmbiguousError),
    (httpx.RemoteProtocolError("closed"), PlatformAmbiguousError),
]


@pytest.mark.parametrize(("answer", "error"), SUBMISSIONS, ids=str)
def test_a_submission_is_refused_repeatable_or_in_doubt_by_what_the_platform_can_have_done(answer, error, clock):
    with answering(answer) as http, pytest.raises(error) as raised:
        client_over(http, clock).submit(FLOW)
    assert type(raised.value) is error or (error is PlatformUnavailableError and isinstance(raised.value, error))


@pytest.mark.parametrize("answer", [*(httpx.Response(code) for code in (404, 500, 503)), httpx.ReadTimeout("")])
def test_a_reading_is_never_in_doubt(answer, clock):
    with answering(answer) as http, pytest.raises(PlatformUnavailableError):
        client_over(http, clock).search(updated_after=None)


@pytest.mark.parametrize("status", [429, 503])
def test_the_pause_that_a_platform_asks_for_is_told(status, clock):
    answer = httpx.Response(status, headers={"Retry-After": "90"})
    with answering(answer) as http, pytest.raises(PlatformUnavailableError) as raised:
        client_over(http, clock).search(updated_after=None)
    assert raised.value.retry_after == timedelta(seconds=90)


def test_the_reason_is_that_of_the_platform_in_one_line(clock):
    answer = httpx.Response(
        400, json={"errorCode": "UNPROCESSABLE_ENTITY", "errorMessage": "[BR-FR-CDV-14]\n\x1b[1m no MEN"}
    )
    with answering(answer) as http, pytest.raises(PlatformRefusedError) as refused:
        client_over(http, clock).submit(FLOW)
    assert "400 UNPROCESSABLE_ENTITY — [BR-FR-CDV-14]" in refused.value.what.en
    assert "\x1b" not in refused.value.what.en
    assert "\n" not in refused.value.what.en


def test_the_submission_says_all_that_the_standard_knows_of_it(client, server):
    client.submit(replace(FLOW, processing_rule="B2B", flow_profile="Undefined"))
    [held] = server.out()
    assert {key: held.info[key] for key in ("flowSyntax", "name", "trackingId", "processingRule")} == {
        "flowSyntax": "UBL", "name": "one.xml", "trackingId": "t-1", "processingRule": "B2B",
    }  # fmt: skip
    assert held.info["sha256"]
    assert "flowProfile" not in held.info, "what is undefined is left to the platform"
    assert server.requests[-1].headers["organization-id"] == "ours"
    assert server.requests[-1].headers["request-id"]


def test_a_name_that_is_too_long_keeps_its_extension(client, server):
    client.submit(replace(FLOW, name="é" * 300 + ".xml"))
    [held] = server.out()
    assert len(held.info["name"]) == 255
    assert held.info["name"].endswith("é.xml")


def test_a_file_larger_than_the_platform_takes_does_not_leave(server, client_of, clock):
    small = replace(platform_profile("standard"), max_file_bytes=3)
    with pytest.raises(PlatformFileTooLargeError):
        client_over(client_of(server.app), clock, small).submit(FLOW)
    assert server.requests == []


def test_a_file_larger_than_we_take_is_not_read_to_its_end(client, server, clock):
    server.offer("big", b"<a>" + b" " * 1000, clock())
    with pytest.raises(PlatformFileTooLargeError):
        client.download("big")


def test_one_token_serves_many_calls_and_is_renewed_before_it_expires(client, server, clock):
    for _ in range(5):
        client.check()
    assert server.asked_for_tokens == 1
    clock.advance(timedelta(minutes=59, seconds=1))
    client.check()
    assert server.asked_for_tokens == 2


def test_a_token_that_the_platform_forgot_is_renewed_once_and_the_call_is_made(client, server):
    client.check()
    server.tokens.clear()
    client.submit(FLOW)
    assert (server.asked_for_tokens, len(server.out())) == (2, 1)


def test_a_platform_that_refuses_its_own_tokens_is_asked_twice_and_no_more(client, server, clock):
    server.now = lambda: clock() + timedelta(days=1)
    server.tokens = _Forgetful()
    with pytest.raises(PlatformCredentialsError):
        client.submit(FLOW)
    assert (server.asked_for_tokens, len(server.requests)) == (2, 2)


class _Forgetful(dict):
    def __setitem__(self, key, value) -> None:
        pass


def test_threads_that_need_a_token_at_once_ask_for_one(client, server):
    threads = [threading.Thread(target=client.check) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert server.asked_for_tokens == 1


def test_wrong_credentials_are_named_without_being_shown(server, client_of, clock, monkeypatch):
    monkeypatch.setenv("PLATFORM_SECRET", "wrong-secret")
    with pytest.raises(PlatformCredentialsError) as refused:
        client_over(client_of(server.app), clock).submit(FLOW)
    assert "invalid_client" in str(refused.value)
    assert "wrong-secret" not in repr(refused.value) + str(refused.value)


def test_a_secret_that_is_not_there_is_named_by_its_reference(server, client_of, clock, monkeypatch, tmp_path):
    for reference in ("env:NOT_SET", f"file:{tmp_path / 'absent'}"):
        with pytest.raises(SecretUnavailableError) as refused:
            client_over(client_of(server.app), clock, reference=reference).check()
        assert reference in refused.value.where


def test_a_secret_that_changes_is_read_again(server, client_of, clock, tmp_path):
    file = tmp_path / "secret"
    file.write_text("old\n")
    client = client_over(client_of(server.app), clock, reference=f"file:{file}")
    with pytest.raises(PlatformCredentialsError):
        client.check()
    file.write_text(f"{SECRET}\n")
    client.check()


def test_nothing_secret_is_written_to_the_logs(client, server, caplog, capsys):
    with caplog.at_level("DEBUG"):
        client.submit(FLOW)
        server.faults.append(Response(status_code=500))
        with pytest.raises(PlatformAmbiguousError):
            client.submit(FLOW)
    written = caplog.text + "".join(capsys.readouterr())
    assert SECRET not in written
    assert not any(token in written for token in server.tokens)
    assert SECRET not in repr(Credentials(CLIENT_ID, "env:PLATFORM_SECRET"))


def test_a_redirect_is_not_followed_and_no_token_goes_elsewhere(clock):
    hosts = []

    def handle(request: httpx.Request) -> httpx.Response:
        hosts.append(request.url.host)
        if request.url.path.endswith("/token"):
            return httpx.Response(200, json={"access_token": "t"})
        return httpx.Response(307, headers={"Location": "https://elsewhere.test/"})

    transport = Transport.open(timeout_seconds=5)
    transport._http._mounts.clear()
    transport._http._transport = httpx.MockTransport(handle)
    profile = platform_profile("standard")
    tokens = Tokens(transport, TOKEN_URL, profile, Credentials(CLIENT_ID, "env:PLATFORM_SECRET"), clock)
    client = StandardPlatform(
        PlatformSession(transport, TokenAuth(tokens), clock), profile, FLOW_URL, max_download_bytes=9
    )
    with pytest.raises(PlatformAnswerError):
        client.submit(FLOW)
    assert set(hosts) == {"localhost"}
    transport.close()


def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    start = datetime.now(UTC) - timedelta(days=1)
    certificate = (
        x509.CertificateBuilder(
            name, name, key.public_key(), x509.random_serial_number(), start, start + timedelta(days=9)
        )
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (tmp_path / "both.pem").write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "both.pem")
    server = HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.handle_error = lambda *_: None  # the client that turns away is not news
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    transport = Transport.open(timeout_seconds=5)
    try:
        with pytest.raises(PlatformUnavailableError, match="CERTIFICATE_VERIFY_FAILED"):
            transport.send("POST", f"https://localhost:{server.server_port}/", max_bytes=9, effects=True)
    finally:
        transport.close()
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_flow_without_identifier_or_instant_stops_no_other(client, server, clock):
    flow = {"flowId": "good", "updatedAt": clock().isoformat()}
    server.faults.append(JSONResponse({"results": [{"updatedAt": "yesterday"}, "nonsense", {"flowId": "x"}, flow]}))
    [listed] = client.search(updated_after=None).flows
    assert (listed.flow_id, listed.name, listed.updated_at) == ("good", "good", clock())


def test_an_instant_without_a_zone_is_taken_for_utc(client, server):
    server.faults.append(JSONResponse({"results": [{"flowId": "a", "updatedAt": "2026-10-05T08:00:00"}]}))
    [listed] = client.search(updated_after=None).flows
    assert listed.updated_at == NOW


@pytest.mark.parametrize("body", [b"", b"[]", b"<html/>", b'{"results": 3}'])
def test_a_list_that_is_none_is_said(client, server, body):
    server.faults.append(Response(body))
    with pytest.raises(PlatformAnswerError):
        client.search(updated_after=None)


@pytest.fixture
def by_date(server, client_of, clock):
    """A client of a platform that pages by date, three flows a page."""
    server.by_date = True
    profile = replace(platform_profile("standard"), paging="updated_after", page_limit=3)
    return client_over(client_of(server.app), clock, profile)


def every_flow(client) -> list[str]:
    flows, cursor = [], None
    while True:
        page = client.search(updated_after=None, cursor=cursor)
        flows += [flow.flow_id for flow in page.flows]
        cursor = page.next_cursor
        if cursor is None:
            return flows


def test_more_flows_of_one_instant_than_a_page_holds_are_read_in_parts_and_the_list_goes_on(server, by_date, clock):
    server.offer("before", b"<a/>", clock() - timedelta(seconds=1))
    for number in range(8):
        server.offer(f"F{number}", b"<a/>", clock())
        kinds = [
            {"flowType": "SupplierInvoice"},
            {"processingRule": "B2G"},
            {},
            {"acknowledgement": {"status": "Error"}},
        ]
        server.flows[f"F{number}"].info |= kinds[number % 4]
    server.offer("after", b"<a/>", clock() + timedelta(seconds=1))
    assert sorted(set(every_flow(by_date))) == sorted(["before", "after", *(f"F{number}" for number in range(8))])


def test_more_flows_of_one_kind_and_instant_than_a_page_holds_are_said(server, by_date, clock):
    for number in range(4):
        server.offer(f"F{number}", b"<a/>", clock())
    with pytest.raises(PlatformListStuckError, match="share one updatedAt"):
        every_flow(by_date)


def test_a_platform_that_does_not_cut_by_kind_loses_no_flow_unsaid(server, by_date, clock):
    server.ignores_kinds = True
    for number in range(4):
        server.offer(f"F{number}", b"<a/>", clock())
    with pytest.raises(PlatformListStuckError):
        every_flow(by_date)


def test_a_flow_that_no_part_of_its_instant_shows_is_said(clock):
    page = [PlatformFlow(f"F{number}", "f.xml", "CDAR", "", clock()) for number in range(3)]
    with pytest.raises(PlatformListStuckError):
        flows_of_crowded_instant(lambda _where: page[:2], {"flowDirection": ["In"]}, page, 3)


@pytest.mark.parametrize(
    ("header", "pause"),
    [
        ("120", timedelta(minutes=2)),
        (" 0 ", timedelta(0)),
        ("Mon, 05 Oct 2026 08:05:00 GMT", timedelta(minutes=5)),
        ("Mon, 05 Oct 2026 07:00:00 GMT", timedelta(0)),
        ("Mon, 05 Oct 2026 08:05:00 -0000", timedelta(minutes=5)),
        ("99999999999", LONGEST),
        ("Tue, 05 Oct 2100 08:00:00 GMT", LONGEST),
        ("soon", None),
        ("-5", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header, pause):
    assert retry_after(header, NOW) == pause


@given(st.text())
def test_retry_after_never_falls_and_never_asks_for_more_than_a_day(header):
    pause = retry_after(header, NOW)
    assert pause is None or timedelta(0) <= pause <= LONGEST
