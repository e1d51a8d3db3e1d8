"""The simulated platform speaks XP Z12-013 over HTTP, and shows the faults that were asked for, and no others."""

import json
import re
from base64 import b64decode
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from uuid import UUID

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.flows.searching import FlowCriteria
from gateway.flows.signatures import SIGNATURE_HEADER, TIMESTAMP_HEADER, is_signed
from gateway.flows.simulator.errors import UnknownFaultError, UnknownScenarioError
from gateway.flows.simulator.faults import Fault, FaultDice, fault_rates
from gateway.flows.simulator.platform import SimulatedPlatform
from gateway.flows.simulator.scenarios import chosen_scenarios, scenarios
from gateway.flows.simulator.service import PlatformHabits, create_platform
from gateway.flows.simulator.webhooks import Webhooks, next_call

STEP = timedelta(minutes=1)
BASE = "/flow-service/v1"
START = datetime(2026, 10, 5, 8, 0, tzinfo=UTC)


class Served:
    """The platform, its subscriptions, and a client that holds a token."""

    def __init__(self, world, client_of, rates: dict[Fault, float] | None = None, called=None) -> None:
        self.clock = world.clock
        dice = FaultDice(rates or {}, seed=7)
        self.platform = SimulatedPlatform(
            world.database, world.organisation_id, world.clock, STEP, {"F1": "paid"}, dice=dice
        )
        answering = httpx.MockTransport(called or (lambda request: httpx.Response(200)))
        self.webhooks = Webhooks(self.platform, httpx.Client(transport=answering))
        habits = PlatformHabits({"gw": "s3cret"}, slow=0.0, lost=0.0)
        self.client = client_of(create_platform(self.platform, habits, self.webhooks, world.context.settings))
        self.sign_in()

    def sign_in(self) -> None:
        answer = self.client.post("/oauth2/token", data={"grant_type": "client_credentials"}, auth=("gw", "s3cret"))
        self.client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def submit(self, data: bytes, **info: str) -> httpx.Response:
        flow = {"flowSyntax": "UBL", "name": "F1.xml", "trackingId": "t-1", **info}
        return self.client.post(f"{BASE}/flows", files={"flowInfo": (None, json.dumps(flow)), "file": ("F1", data)})

    def listed(self, limit: int = 100, **where: object) -> list[dict]:
        """Every page of a search."""
        wanted = {"where": where or {"flowDirection": ["In"]}, "limit": limit}
        answer = self.client.post(f"{BASE}/flows/search", json=wanted).json()
        found = answer["results"]
        while "nextCursor" in answer:
            answer = self.client.post(f"{BASE}/flows/search", json={**wanted, "cursor": answer["nextCursor"]}).json()
            found += answer["results"]
        return found


@pytest.fixture
def served(world, client_of):
    def make(rates: dict[Fault, float] | None = None, called=None) -> Served:
        return Served(world, client_of, rates, called)

    return make


def test_an_invoice_is_taken_once_and_its_statuses_appear_with_the_time(served, invoice):
    platform = served()
    first = platform.submit(invoice("F1"), sha256=sha256(invoice("F1")).hexdigest())
    assert first.status_code == 202
    assert platform.submit(invoice("F1")).json()["flowId"] == first.json()["flowId"]
    assert platform.listed() == []
    platform.clock.advance(STEP * 3)
    listed = platform.listed(limit=1)
    assert [flow["flowSyntax"] for flow in listed] == ["CDAR"] * 3
    original = platform.client.get(f"{BASE}/flows/{listed[0]['flowId']}", params={"docType": "Original"})
    assert b"CrossDomainAcknowledgementAndResponse" in original.content


def test_a_flow_is_found_by_its_tracking_id(served, invoice):
    platform = served()
    flow_id = platform.submit(invoice("F1"), processingRule="B2B").json()["flowId"]
    assert [flow["flowId"] for flow in platform.listed(trackingId="t-1")] == [flow_id]
    assert platform.listed(trackingId="t-2") == []
    metadata = platform.client.get(f"{BASE}/flows/{flow_id}").json()
    assert (metadata["flowDirection"], metadata["flowType"]) == ("Out", "CustomerInvoice")
    assert metadata["processingRule"] == "B2B"


@pytest.mark.parametrize(("scenario", "status"), [("paid", "Ok"), ("inadmissible", "Error")])
def test_a_flow_is_pending_first_and_listed_again_once_it_is_acknowledged(served, invoice, scenario, status):
    platform = served()
    platform.platform.chosen["F1"] = scenario
    platform.submit(invoice("F1"))
    [pending] = platform.listed(flowDirection=["Out"])
    assert pending["acknowledgement"] == {"status": "Pending"}
    platform.clock.advance(STEP / 2)
    [acknowledged] = platform.listed(flowDirection=["Out"], updatedAfter=pending["updatedAt"])
    assert acknowledged["acknowledgement"]["status"] == status
    assert acknowledged["submittedAt"] == pending["submittedAt"]
    assert ("details" in acknowledged["acknowledgement"]) == (status == "Error")


@pytest.mark.parametrize("flow_id", ["1", "00000000-0000-0000-0000-000000000000"])
def test_a_flow_that_does_not_exist_is_said_so(served, flow_id):
    answer = served().client.get(f"{BASE}/flows/{flow_id}")
    assert (answer.status_code, answer.json()["errorCode"]) == (404, "MISSING_RESOURCE")


def test_a_flow_that_is_not_visible_yet_cannot_be_read(served, invoice):
    platform = served()
    earlier = platform.clock()
    platform.submit(invoice("F1"))
    platform.clock.advance(STEP * 10)
    flow_id = UUID(platform.listed()[0]["flowId"])
    assert platform.platform.row(flow_id) is not None
    assert replace(platform.platform, clock=lambda: earlier).row(flow_id) is None


def test_without_a_token_nothing_is_said(served):
    platform = served()
    platform.client.headers["Authorization"] = "Bearer other"
    answer = platform.client.post(f"{BASE}/flows/search", json={"where": {"flowDirection": ["In"]}})
    assert answer.status_code == 401
    assert platform.client.get(f"{BASE}/healthcheck").status_code == 200
    refused = platform.client.post("/oauth2/token", data={"grant_type": "client_credentials"}, auth=("gw", "no"))
    assert refused.status_code == 401


def test_its_directory_knows_every_company_and_answers_only_its_clients(served, customer):
    platform = served()
    path = f"/directory-service/v1/siren/code-insee:{customer.siren}"
    assert platform.client.get(path).json()["siren"] == customer.siren
    platform.client.headers["Authorization"] = "Bearer other"
    assert platform.client.get(path).status_code == 401


@pytest.mark.parametrize("status", ["Ok", "Error", "Pending"])
def test_what_was_sent_is_found_by_its_acknowledgement(served, invoice, status):
    platform = served()
    platform.platform.chosen["F2"] = "inadmissible"
    platform.submit(invoice("F1"))
    platform.submit(invoice("F2"), trackingId="t-2", name="F2.xml")
    platform.clock.advance(STEP / 2)
    platform.submit(invoice("F3"), trackingId="t-3", name="F3.xml")
    found = [flow["trackingId"] for flow in platform.listed(flowDirection=["Out"], ackStatus=status)]
    assert found == {"Ok": ["t-1"], "Error": ["t-2"], "Pending": ["t-3"]}[status]


def test_an_invoice_whose_file_was_refused_may_be_sent_again_and_is_no_double(served, invoice):
    platform = served()
    platform.platform.chosen["F1"] = "inadmissible"
    platform.submit(invoice("F1"))
    platform.platform.chosen["F1"] = "silent"
    platform.submit(invoice("F1"), trackingId="t-2")
    platform.clock.advance(STEP)
    assert [name.split("_")[1] for name in (flow["name"] for flow in platform.listed())] == ["200"]


def test_a_token_ends_after_an_hour(served):
    platform = served()
    platform.clock.advance(timedelta(minutes=61))
    assert platform.client.get(f"{BASE}/webhooks").status_code == 401
    platform.sign_in()
    assert platform.client.get(f"{BASE}/webhooks").status_code == 200


def test_subscribers_are_called_once_with_a_signature(served, invoice):
    calls: list[httpx.Request] = []

    def called(request: httpx.Request) -> httpx.Response:
        calls.append(request)
        return httpx.Response(200)

    platform = served(called=called)
    wanted = {"callbackUrl": "https://gateway.test/hook", "flowDirection": "In"}
    created = platform.client.post(f"{BASE}/webhooks", json=wanted)
    assert created.status_code == 201
    platform.submit(invoice("F1"))
    platform.clock.advance(STEP * 2)
    assert platform.webhooks.call_about_news() == 2
    assert platform.webhooks.call_about_news() == 0
    assert [json.loads(call.content)["flowDirection"] for call in calls] == ["In", "In"]
    key = b64decode(created.json()["signingKey"])
    for call in calls:
        assert is_signed(
            call.content,
            key,
            signature=call.headers[SIGNATURE_HEADER],
            timestamp=call.headers[TIMESTAMP_HEADER],
            now=platform.clock(),
            tolerance=timedelta(minutes=1),
        )


def test_a_subscription_that_has_ended_is_not_called(served, invoice):
    platform = served()
    created = platform.client.post(f"{BASE}/webhooks", json={"callbackUrl": "https://gateway.test/hook"}).json()
    address = f"{BASE}/webhooks/{created['webhookId']}"
    assert platform.client.get(f"{BASE}/webhooks").json() == {"webhookIds": [created["webhookId"]]}
    assert platform.client.delete(address).status_code == 204
    assert platform.client.delete(address).status_code == 404
    platform.submit(invoice("F1"))
    assert platform.webhooks.call_about_news() == 0


def test_a_subscriber_is_told_of_a_flow_and_again_of_its_acknowledgement(served, invoice):
    told: list[str] = []

    def called(request: httpx.Request) -> httpx.Response:
        told.append(json.loads(request.content)["acknowledgement"]["status"])
        return httpx.Response(200)

    platform = served(called=called)
    platform.client.post(f"{BASE}/webhooks", json={"callbackUrl": "https://gateway.test/hook", "flowDirection": "Out"})
    platform.submit(invoice("F1"))
    platform.webhooks.call_about_news()
    platform.clock.advance(STEP / 2)
    platform.webhooks.call_about_news()
    assert told == ["Pending", "Ok"]


@pytest.mark.parametrize("failure", [503, 429, "no answer"])
def test_a_call_that_fails_is_repeated_until_it_is_answered(served, invoice, failure):
    answers = [failure, failure, 200]

    def called(request: httpx.Request) -> httpx.Response:
        if (answer := answers.pop(0)) == "no answer":
            raise httpx.ReadTimeout("too slow")
        return httpx.Response(answer)

    platform = served(called=called)
    platform.client.post(f"{BASE}/webhooks", json={"callbackUrl": "https://gateway.test/hook", "flowDirection": "Out"})
    platform.submit(invoice("F1"))
    arrived = []
    for _ in range(5):
        arrived.append(platform.webhooks.call_about_news())
        platform.clock.advance(timedelta(seconds=1))
    assert (sum(arrived), answers) == (1, [])
    assert arrived[0] == 0


def test_a_call_that_its_receiver_refuses_is_not_repeated(served, invoice):
    calls: list[httpx.Request] = []

    def called(request: httpx.Request) -> httpx.Response:
        calls.append(request)
        return httpx.Response(401)

    platform = served(called=called)
    platform.client.post(f"{BASE}/webhooks", json={"callbackUrl": "https://gateway.test/hook", "flowDirection": "Out"})
    platform.submit(invoice("F1"))
    for _ in range(3):
        platform.webhooks.call_about_news()
        platform.clock.advance(timedelta(seconds=5))
    assert len(calls) == 1


@given(age=st.timedeltas(timedelta(0), timedelta(hours=1)))
def test_news_that_nobody_takes_are_told_later_and_later_and_given_up(age):
    now = START + age
    again = next_call(START, now)
    if age > timedelta(minutes=5):
        assert again is None
    else:
        assert again is not None
        assert timedelta(seconds=0.5) <= again - now <= timedelta(seconds=10)


@pytest.mark.parametrize(
    ("fault", "status"), [(Fault.TOO_MANY_REQUESTS, 429), (Fault.SERVER_ERROR, 500), (Fault.EXPIRED_TOKEN, 401)]
)
def test_a_fault_of_the_answer_is_shown(served, invoice, fault, status):
    platform = served({fault: 1.0})
    answer = platform.submit(invoice("F1"))
    assert answer.status_code == status
    assert ("Retry-After" in answer.headers) == (status == 429)
    taken = platform.platform.find(FlowCriteria(directions=("Out",)), cursor=None, limit=10).items
    assert len(taken) == (status == 500), "a server error comes after the effect"


def test_a_lost_answer_comes_after_the_effect(served, invoice):
    platform = served({Fault.LOST_ANSWER: 1.0})
    platform.submit(invoice("F1"))
    assert len(platform.platform.find(FlowCriteria(directions=("Out",)), cursor=None, limit=10).items) == 1


def test_a_cursor_may_be_refused(served, invoice):
    platform = served({Fault.CHANGED_CURSOR: 1.0})
    platform.submit(invoice("F1"))
    platform.clock.advance(STEP * 10)
    wanted = {"where": {"flowDirection": ["In"]}, "limit": 1}
    first = platform.client.post(f"{BASE}/flows/search", json=wanted).json()
    answer = platform.client.post(f"{BASE}/flows/search", json={**wanted, "cursor": first["nextCursor"]})
    assert answer.status_code == 400


def test_statuses_are_doubled_reordered_and_damaged_and_none_is_lost(served, invoice):
    platform = served({Fault.DUPLICATED: 1.0, Fault.REORDERED: 1.0, Fault.DAMAGED: 1.0})
    platform.submit(invoice("F1"))
    platform.clock.advance(STEP * 10)
    names = [flow["name"] for flow in platform.listed()]
    good = [name for name in names if not name.startswith("damaged-")]
    shown = list(dict.fromkeys(good))
    assert set(Counter(good).values()) == {2}
    assert {f"damaged-{name}" for name in good} == set(names) - set(good)
    told = [status for name in shown for status in re.findall(r"_(2\d\d)_", name)]
    assert sorted(told) == [step.status for step in scenarios()["paid"].steps] != told


def test_a_lost_webhook_is_never_called_and_its_flow_is_listed(served, invoice):
    platform = served({Fault.LOST_WEBHOOK: 1.0})
    platform.client.post(f"{BASE}/webhooks", json={"callbackUrl": "https://gateway.test/hook"})
    platform.submit(invoice("F1"))
    platform.clock.advance(STEP)
    assert platform.webhooks.call_about_news() == 0
    assert len(platform.listed()) == 1


@given(rate=st.floats(0, 1), seed=st.integers(), key=st.text())
def test_the_same_seed_strikes_the_same_things(rate, seed, key):
    dice = FaultDice({Fault.SLOW: rate}, seed)
    assert dice.strikes(Fault.SLOW, key) == FaultDice({Fault.SLOW: rate}, seed).strikes(Fault.SLOW, key)
    assert not dice.strikes(Fault.DAMAGED, key)


def test_faults_strike_about_as_often_as_asked():
    dice = FaultDice({Fault.SLOW: 0.3}, seed=1)
    assert 250 < sum(dice.strikes(Fault.SLOW, number) for number in range(1000)) < 350


def test_faults_are_asked_for_by_name_and_rate():
    assert fault_rates(["429=0.5", "slow=1"]) == {Fault.TOO_MANY_REQUESTS: 0.5, Fault.SLOW: 1.0}
    assert fault_rates(["all=0.1"]) == dict.fromkeys(Fault, 0.1)


@pytest.mark.parametrize("word", ["fire=0.5", "slow", "slow=2", "slow=-1", "slow=nan", "slow=often"])
def test_a_fault_nobody_knows_is_refused_by_name(word):
    with pytest.raises(UnknownFaultError, match="lost-webhook"):
        fault_rates([word])


def test_a_scenario_is_chosen_by_invoice_number():
    assert chosen_scenarios(["F=1=refused"]) == {"F=1": "refused"}
    for word in ("refused", "F1=other", "=paid"):
        with pytest.raises(UnknownScenarioError):
            chosen_scenarios([word])
