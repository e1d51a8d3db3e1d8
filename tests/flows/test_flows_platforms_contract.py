"""What every platform client must do, whichever way its platform speaks; a new way of speaking is a line of `WAYS`.

Those of a file of one's own, which GATEWAY_PLATFORMS_FILE names, are tried too.
"""

import os
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from gateway.flows.errors import PlatformRefusedError
from gateway.flows.platforms.client import OutgoingFlow, PlatformClient, SentFlow
from gateway.flows.platforms.credentials import Credentials
from gateway.flows.platforms.profile import platform_kinds, platform_profile, use_platforms_file
from gateway.flows.platforms.session import PlatformSession
from gateway.flows.platforms.standard import StandardPlatform
from gateway.flows.platforms.tokens import TokenAuth, Tokens
from gateway.flows.platforms.transport import Transport
from gateway.flows.simulator.platform import SimulatedPlatform
from gateway.flows.terms import AckStatus, FlowDirection
from tests.flows.standard_platform import CLIENT_ID, FLOW_URL, SECRET, TOKEN_URL, StandardServer

STEP = timedelta(minutes=1)
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
OWN = Path(os.environ["GATEWAY_PLATFORMS_FILE"]) if "GATEWAY_PLATFORMS_FILE" in os.environ else None
use_platforms_file(OWN)
WAYS = [
    *(f"profile {kind}" for kind in platform_kinds()),
    "no search by tracking id",
    "tracking id never shown",
    "token by form",
    "token by JSON",
    "simulated",
]


@dataclass
class Speaking:
    """A client, and ways to let its platform list messages for us, and refuse a flow that it takes from us (R1)."""

    client: PlatformClient
    answer: object
    refuse: object


@pytest.fixture(params=WAYS)
def speaking(request, clock, client_of, invoice, monkeypatch) -> Speaking:
    if request.param == "simulated":
        database, company = request.getfixturevalue("database"), request.getfixturevalue("company")
        simulated = SimulatedPlatform(
            database, company, clock, STEP, {f"A{n}": "silent" for n in range(100)} | {"R1": "inadmissible"}
        )

        def answer(count: int) -> None:
            for number in range(count):
                simulated.submit(OutgoingFlow(f"a-{number}", "a.xml", "UBL", invoice(f"A{number}")))
            clock.advance(STEP)

        def refuse(flow: OutgoingFlow) -> str:
            flow_id = simulated.submit(flow)
            clock.advance(STEP)
            return flow_id

        return Speaking(simulated, answer, refuse)
    use_platforms_file(OWN)
    monkeypatch.setenv("PLATFORM_SECRET", SECRET)
    profile = platform_profile("standard")
    if request.param.startswith("profile "):
        profile = platform_profile(request.param.removeprefix("profile "))
    elif request.param == "no search by tracking id":
        profile = replace(profile, tracking_id_search=False)
    elif request.param.startswith("token by"):
        profile = replace(profile, token_auth={"form": "body", "JSON": "json"}[request.param.split()[-1]])
    profile = replace(profile, page_limit=3)
    server = StandardServer(clock, profile.token_auth, by_date=profile.paging == "updated_after")
    server.ignores_tracking_id = not profile.tracking_id_search
    if request.param == "tracking id never shown":
        server.shows = ("sha256",)
    transport = Transport(client_of(server.app, base_url="http://localhost"), timeout_seconds=5)
    tokens = Tokens(transport, TOKEN_URL, profile, Credentials(CLIENT_ID, "env:PLATFORM_SECRET"), clock)
    session = PlatformSession(transport, TokenAuth(tokens), clock)

    def offer(count: int) -> None:
        for number in range(count):
            server.offer(f"a/{number} é", f"<a>{number}</a>".encode(), clock() + number // 2 * STEP)

    client = StandardPlatform(session, profile, FLOW_URL, max_download_bytes=10_000)

    def refuse(flow: OutgoingFlow) -> str:
        flow_id = client.submit(flow)
        detail = {
            "level": "Error",
            "item": "file",
            "reasonCode": "VirusFound",
            "reasonMessage": "A virus was found in the file.",
        }
        server.acknowledge(flow_id, "Error", [detail], clock())
        return flow_id

    return Speaking(client, offer, refuse)


def listed(client: PlatformClient, updated_after=None, direction=FlowDirection.IN) -> list:
    flows, cursor = [], None
    while True:
        page = client.search(updated_after=updated_after, cursor=cursor)
        flows.extend(flow for flow in page.flows if flow.direction is direction)
        cursor = page.next_cursor
        if cursor is None:
            return flows


def sent(tracking_id: str, flow: OutgoingFlow, at: datetime) -> SentFlow:
    return SentFlow(tracking_id, flow.name, sha256(flow.data).hexdigest(), at)


def test_what_was_submitted_is_found_again_under_its_tracking_id(speaking, clock, invoice):
    flow = OutgoingFlow("t-1", "facture é.xml", "UBL", invoice("F1"), "B2B", "CIUS")
    flow_id = speaking.client.submit(flow)
    assert flow_id
    assert speaking.client.look_up(sent("t-1", flow, clock())).flow_id == flow_id


def test_what_was_not_submitted_is_not_found(speaking, clock, invoice):
    speaking.client.submit(OutgoingFlow("t-1", "one.xml", "UBL", invoice("F1")))
    absent = OutgoingFlow("t-2", "two.xml", "UBL", invoice("F2"))
    seen = speaking.client.look_up(sent("t-2", absent, clock()))
    assert (seen.flow_id, seen.doubt) == (None, "")


def test_every_flow_for_us_is_listed_and_can_be_fetched(speaking):
    speaking.answer(10)
    flows = {flow.flow_id: flow for flow in listed(speaking.client)}
    assert len(flows) == 10
    contents = {speaking.client.download(flow_id) for flow_id in flows}
    assert len(contents) == 10
    assert all(content.lstrip().startswith(b"<") for content in contents)
    assert {flow.flow_syntax for flow in flows.values()} == {"CDAR"}


def test_what_we_submit_is_listed_as_from_us_and_not_as_for_us(speaking, invoice):
    flow_id = speaking.client.submit(OutgoingFlow("t-1", "one.xml", "UBL", invoice("F1")))
    assert listed(speaking.client) == []
    [flow] = listed(speaking.client, direction=FlowDirection.OUT)
    assert (flow.flow_id, flow.tracking_id in ("t-1", None)) == (flow_id, True)
    assert flow.acknowledgement.status is not AckStatus.ERROR


def test_the_refusal_of_a_flow_that_was_taken_is_listed_with_its_reason(speaking, invoice):
    flow_id = speaking.refuse(OutgoingFlow("t-1", "one.xml", "UBL", invoice("R1")))
    [flow] = listed(speaking.client, direction=FlowDirection.OUT)
    assert flow.flow_id == flow_id
    assert flow.acknowledgement.status is AckStatus.ERROR
    [remark] = flow.acknowledgement.remarks
    assert (remark.level, remark.item, remark.reason_code) == ("Error", "file", "VirusFound")
    assert remark.message == "A virus was found in the file."


def test_one_flow_is_read_as_it_is_listed(speaking, invoice):
    speaking.answer(1)
    speaking.refuse(OutgoingFlow("t-r", "one.xml", "UBL", invoice("R1")))
    flows = listed(speaking.client) + listed(speaking.client, direction=FlowDirection.OUT)
    assert [speaking.client.read(flow.flow_id) for flow in flows] == flows


def test_a_flow_that_does_not_exist_cannot_be_read(speaking):
    with pytest.raises(PlatformRefusedError):
        speaking.client.read("00000000-0000-4000-8000-000000000000")


def test_the_list_begins_strictly_after_the_instant_asked(speaking):
    speaking.answer(4)
    everything = listed(speaking.client)
    assert len({flow.flow_id for flow in listed(speaking.client, EPOCH)}) == 4
    newest = max(flow.updated_at for flow in everything)
    assert listed(speaking.client, newest) == []
    just_before = {flow.flow_id for flow in listed(speaking.client, newest - timedelta(microseconds=1))}
    assert just_before == {flow.flow_id for flow in everything if flow.updated_at == newest}


def test_a_document_that_the_platform_refuses_is_refused_with_its_reason(speaking):
    with pytest.raises(PlatformRefusedError) as refused:
        speaking.client.submit(OutgoingFlow("t-1", "one.xml", "UBL", b"not an invoice"))
    assert refused.value.what.fr
    assert refused.value.what.en


def test_a_flow_that_does_not_exist_cannot_be_fetched(speaking):
    with pytest.raises(PlatformRefusedError):
        speaking.client.download("00000000-0000-4000-8000-000000000000")


def test_the_check_of_a_sound_connection_passes(speaking):
    speaking.client.check()
