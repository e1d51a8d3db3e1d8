"""The directory is asked once in a while, over the network or simulated; its silence stops nothing."""

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlmodel import select
from typer.testing import CliRunner

from gateway.alerts.model import Alert, AlertState
from gateway.cli import access, app, quarantine
from gateway.collection.model import CollectionAction
from gateway.flows.directory.addresses import read_address
from gateway.flows.directory.checking import AddressVerdict, not_checked
from gateway.flows.directory.choosing import DirectoryOfPlatform
from gateway.flows.directory.errors import (
    DirectoryBusyError,
    DirectoryEntryNotFoundError,
    DirectoryNotOfferedError,
    DirectoryRefusedError,
    DirectoryTimeoutError,
    DirectoryUnavailableError,
    NoDirectoryError,
    PastDayError,
)
from gateway.flows.directory.model import DirectoryLookup
from gateway.flows.directory.resources import DirectoryLine
from gateway.flows.directory.searches import AnySearch, LineSearch, RoutingCodeSearch, SirenSearch, SiretSearch
from gateway.flows.directory.selecting import Found
from gateway.flows.directory.service import Directory
from gateway.flows.directory.simulated import SimulatedDirectory
from gateway.flows.directory.standard import StandardDirectory
from gateway.flows.model import Flow, FlowState
from gateway.flows.platforms.service import ConnectionOrder, RouteOrder, add_route, connect, switch
from gateway.flows.platforms.transport import Transport
from gateway.flows.processing import replay
from gateway.flows.releasing import address_held, next_look, release_addressable
from gateway.flows.representation import flow_view
from gateway.flows.terms import ProcessingRule
from gateway.jobs.model import OutboxMessage
from gateway.kernel.clock import paris_date

SIREN = "166909655"
PUBLIC = "163334725"


@dataclass
class WrittenDirectory:
    """A directory whose lines the test writes; it counts how often it is asked, and fails when told to."""

    lines: list[DirectoryLine] = field(default_factory=list)
    asked: int = 0
    failing: bool = False
    name: str = "written"

    def search(self, wanted: AnySearch) -> Found:
        self.asked += 1
        if self.failing:
            raise DirectoryUnavailableError("the line is cut")
        address = wanted.filters.addressing_identifier
        found = [line for line in self.lines if address is None or line.addressing_identifier == address.value]
        return Found(tuple(found), len(found))


def enabled(address: str, status: str = "Enabled") -> DirectoryLine:
    return DirectoryLine.model_validate(
        {"addressingIdentifier": address, "platformType": "WK", "directoryLineStatus": status, "siren": address[:9]}
    )


@pytest.fixture
def written() -> WrittenDirectory:
    return WrittenDirectory()


@pytest.fixture
def directory(database, clock, settings, written) -> Directory:
    return Directory(database, clock, settings, lambda _: written)


@pytest.fixture
def simulated(database, clock, company) -> SimulatedDirectory:
    return SimulatedDirectory(database, company, clock)


def verdict(directory: Directory, organisation: Any, address: str) -> AddressVerdict:
    return directory.check(organisation, address).verdict


# --- one answer for a while


def test_a_thousand_invoices_to_one_buyer_ask_the_directory_once_in_a_while(directory, company, written, clock):
    written.lines = [enabled(SIREN)]
    first = directory.check(company, SIREN)
    clock.advance(timedelta(seconds=directory.settings.directory_cache_seconds))
    assert directory.check(company, SIREN) == first
    assert written.asked == 1
    clock.advance(timedelta(seconds=1))
    written.lines = [enabled(SIREN, "Disabled")]
    assert verdict(directory, company, SIREN) is AddressVerdict.NO_PLATFORM


def test_who_asks_anew_gets_the_answer_of_now_and_so_do_the_next(directory, company, written):
    written.lines = [enabled(SIREN, "Disabled")]
    directory.check(company, SIREN)
    written.lines = [enabled(SIREN)]
    assert verdict(directory, company, SIREN) is AddressVerdict.NO_PLATFORM
    assert directory.check(company, SIREN, anew=True).is_addressable
    assert directory.check(company, SIREN).is_addressable


def test_an_upcoming_day_survives_in_the_kept_answer(directory, company, written):
    written.lines = [enabled(SIREN, "Upcoming").model_copy(update={"effective_from": date(2027, 1, 1)})]
    first = directory.check(company, SIREN)
    assert directory.check(company, SIREN) == first
    assert first.effective_from == date(2027, 1, 1)


def test_a_day_to_come_is_answered_from_what_is_told_now_and_a_past_one_is_refused(directory, company, written, clock):
    written.lines = [enabled(SIREN, "Upcoming").model_copy(update={"effective_from": date(2027, 1, 1)})]
    assert directory.check(company, SIREN).verdict is AddressVerdict.UPCOMING
    assert directory.check(company, SIREN, on=date(2027, 1, 1)).is_addressable
    assert written.asked == 2, "one question is two searches, and the kept answer serves every day"
    today = paris_date(clock())
    assert directory.check(company, SIREN, on=today) == directory.check(company, SIREN)
    with pytest.raises(PastDayError):
        directory.check(company, SIREN, on=today - timedelta(days=1))


def test_what_one_organisation_asked_says_nothing_to_another(directory, company, other_organisation, written):
    written.lines = [enabled(SIREN)]
    directory.check(company, SIREN)
    directory.check(other_organisation, SIREN)
    assert written.asked == 2


def test_answers_too_old_to_be_used_are_forgotten_and_the_others_kept(directory, company, written, clock, database):
    directory.check(company, SIREN)
    clock.advance(timedelta(seconds=directory.settings.directory_cache_seconds + 1))
    directory.check(company, PUBLIC)
    directory.forget_expired()
    with database.transaction(company) as session:
        assert session.exec(select(DirectoryLookup.address)).all() == [PUBLIC]


def test_what_is_no_address_is_answered_without_asking(directory, company, written):
    assert verdict(directory, company, "ACHATS") is AddressVerdict.MALFORMED
    assert written.asked == 0


def test_a_silent_directory_is_left_alone_for_a_moment_then_asked_again(directory, company, written, clock):
    written.failing = True
    assert verdict(directory, company, SIREN) is AddressVerdict.NOT_CHECKED
    assert verdict(directory, company, PUBLIC) is AddressVerdict.NOT_CHECKED
    assert written.asked == 1
    written.failing, written.lines = False, [enabled(SIREN)]
    assert verdict(directory, company, SIREN) is AddressVerdict.NOT_CHECKED
    clock.advance(timedelta(seconds=directory.settings.directory_pause_seconds))
    assert verdict(directory, company, SIREN) is AddressVerdict.ADDRESSABLE


def test_a_connection_without_a_directory_is_not_said_to_be_silent(database, clock, settings, company):
    def none_there(_organisation_id):
        raise NoDirectoryError

    directory = Directory(database, clock, settings, none_there)
    check = directory.check(company, SIREN)
    assert (check.verdict, check.is_checked, check.is_addressable) == (AddressVerdict.NOT_OFFERED, False, False)


def test_the_silence_of_one_organisation_s_directory_is_not_another_s(directory, company, other_organisation, written):
    written.failing = True
    directory.check(company, SIREN)
    written.failing, written.lines = False, [enabled(SIREN)]
    assert verdict(directory, other_organisation, SIREN) is AddressVerdict.ADDRESSABLE


def test_only_five_enabled_addresses_of_the_company_are_proposed(directory, company, written):
    written.lines = [enabled(f"{SIREN}_A{n}", "Disabled" if n == 0 else "Enabled") for n in range(9)]
    assert directory.check(company, f"{SIREN}_X").others == tuple(f"{SIREN}_A{n}" for n in range(1, 6))
    assert directory.check(company, f"{SIREN}_A0").others == tuple(f"{SIREN}_A{n}" for n in range(1, 6))


def test_the_line_read_at_an_address_is_the_one_in_force_and_never_upcoming(directory, company, written):
    written.lines = [enabled(SIREN, "Upcoming"), enabled(PUBLIC, "Upcoming"), enabled(PUBLIC)]
    assert directory.line(company, SIREN).directory_line_status == "Disabled"
    assert directory.line(company, PUBLIC).directory_line_status == "Enabled"
    with pytest.raises(DirectoryEntryNotFoundError):
        directory.line(company, f"{SIREN}_X")


# --- the simulated directory


CASES = {
    SIREN: AddressVerdict.ADDRESSABLE,
    f"{SIREN}_16690965500028": AddressVerdict.ADDRESSABLE,
    f"{SIREN}_COMPTA": AddressVerdict.UPCOMING,
    f"{SIREN}_AUTRE": AddressVerdict.UNKNOWN,
    "162711048": AddressVerdict.NO_PLATFORM,
    "164630642": AddressVerdict.CEASED,
    f"{PUBLIC}_16333472500013_TRAVAUX": AddressVerdict.PUBLIC_PORTAL,
    f"{PUBLIC}_16333472500013_CANTINE": AddressVerdict.CEASED,
    "732829320": AddressVerdict.ADDRESSABLE,
    "732829320_73282932000074_ACHATS": AddressVerdict.ADDRESSABLE,
    "732829320_73282932000075": AddressVerdict.UNKNOWN,  # a SIRET with a wrong key
    "732829320_73282932000074_a.b": AddressVerdict.UNKNOWN,  # no routing code of the standard
    "732829320_INCONNUE": AddressVerdict.UNKNOWN,
    "732829320_DESACTIVEE": AddressVerdict.DISABLED,
    "732829320_AVENIR": AddressVerdict.UPCOMING,
    "732829320_PORTAIL": AddressVerdict.PUBLIC_PORTAL,
}
WITHOUT_A_DIRECTORY = {AddressVerdict.MALFORMED, AddressVerdict.NOT_CHECKED, AddressVerdict.NOT_OFFERED}


def test_the_simulated_directory_shows_every_case_an_address_can_be_in(database, clock, settings, company, simulated):
    directory = Directory(database, clock, settings, lambda _: simulated)
    assert {address: verdict(directory, company, address) for address in CASES} == CASES
    assert set(CASES.values()) == set(AddressVerdict) - WITHOUT_A_DIRECTORY


def test_an_upcoming_line_of_the_simulated_directory_becomes_enabled_on_its_day(simulated, clock):
    wanted = LineSearch.model_validate_json(
        json.dumps({"filters": {"addressingIdentifier": {"op": "strict", "value": f"{SIREN}_COMPTA"}}, "limit": 1})
    )
    [before] = simulated.search(wanted.within_limits()).entries
    clock.advance(datetime(2027, 1, 1, tzinfo=UTC) - clock())
    [after] = simulated.search(wanted.within_limits()).entries
    assert (before.directory_line_status, after.directory_line_status) == ("Upcoming", "Enabled")


def test_the_simulated_directory_knows_the_parties_of_our_invoices_by_name(world, invoice, customer, seller):
    world.push(invoice("F1"))
    world.drain()
    simulated = SimulatedDirectory(world.database, world.organisation_id, world.clock)
    assert simulated.legal_unit(customer.siren).business_name == customer.name
    found = simulated.search(SirenSearch(limit=100, ignore=0))
    assert {customer.siren, seller.siren, SIREN} <= {unit.siren for unit in found.entries}


# --- searches


SEARCHES: list[tuple[type[AnySearch], dict[str, Any], list[str]]] = [
    (SirenSearch, {"filters": {"businessName": {"op": "contains", "value": "tournaveau"}}}, ["162711048", "164252306"]),
    (SirenSearch, {"filters": {"businessName": {"op": "startWith", "value": "tournaveau"}}}, []),
    (SirenSearch, {"filters": {"entityType": {"op": "strict", "value": "Public"}}}, [PUBLIC]),
    (SirenSearch, {"filters": {"administrativeStatus": {"value": "C"}}}, ["164630642"]),
    (SirenSearch, {"filters": {"siren": {"op": "strict", "value": "732829321"}}}, []),
    (SirenSearch, {"filters": {"siren": {}, "businessName": {"op": "contains"}}, "limit": 1}, ["162711048"]),
    (SirenSearch, {"sorting": [{"field": "siren", "order": "descending"}], "limit": 1, "ignore": 1}, ["164630642"]),
    (SiretSearch, {"filters": {"locality": {"op": "contains", "value": "mure"}}}, ["16690965500028"]),
    (SiretSearch, {"filters": {"postalCode": {"op": "startWith", "value": "31"}, "facilityType": {"op": "strict",
        "value": "P"}}}, ["16690965500010"]),
    (SiretSearch, {"filters": {"addressLines": {"value": "LAVOIR"}}}, ["16690965500010"]),
    (SiretSearch, {"filters": {"countrySubdivision": {"op": "strict", "value": "Bretagne"}}}, ["16425230600018"]),
    (RoutingCodeSearch, {"filters": {"routingCodeName": {"op": "contains", "value": "travaux"}}}, ["TRAVAUX"]),
    (RoutingCodeSearch, {"sorting": [{"field": "managesLegalCommitmentCode"}]}, ["CANTINE", "TRAVAUX"]),
    (LineSearch, {"filters": {"siren": {"op": "strict", "value": SIREN}}, "sorting": [{"field":
        "addressingSuffix"}, {"field": "siret", "order": "descending"}]},
        [f"{SIREN}_COMPTA", SIREN, f"{SIREN}_16690965500028"]),
    (LineSearch, {"filters": {"routingIdentifier": {"op": "contains", "value": "trav"}}},
        [f"{PUBLIC}_16333472500013_TRAVAUX"]),
    (LineSearch, {"limit": 0}, []),
    (LineSearch, {"limit": -3, "ignore": -3}, []),
]  # fmt: skip


def key_of(entry: Any) -> str:
    names = ("addressing_identifier", "routing_identifier", "siret", "siren")
    return next(value for name in names if (value := getattr(entry, name, None)))


def test_a_search_finds_what_meets_every_criterion_in_its_order(simulated):
    for kind, asked, keys in SEARCHES:
        wanted = kind.model_validate_json(json.dumps(asked)).within_limits()
        assert [key_of(entry) for entry in simulated.search(wanted).entries] == keys, asked


def test_pages_of_a_search_together_hold_every_entry_once(simulated):
    pages = [simulated.search(LineSearch(limit=2, ignore=start)) for start in range(0, 20, 2)]
    keys = [entry.addressing_identifier for page in pages for entry in page.entries]
    assert len(keys) == len(set(keys)) == pages[0].total
    assert {page.total for page in pages} == {pages[0].total}


# --- a platform's directory over the network


@pytest.fixture
def standard():
    """Makes the client of a directory that answers every call in one way."""
    opened: list[httpx.Client] = []

    def make(answer: Any) -> StandardDirectory:
        opened.append(httpx.Client(transport=httpx.MockTransport(answer)))
        transport = Transport(opened[-1], timeout_seconds=5)
        return StandardDirectory("pa", transport, httpx.BasicAuth("a", "b"), "https://pa.example/directory/v1", "42")

    yield make
    for client in opened:
        client.close()


def test_the_client_asks_under_its_token_and_organisation_and_reads_the_line(standard):
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        line = {"addressingIdentifier": SIREN, "platformType": "WK", "directoryLineStatus": "Enabled", "news": 1}
        return httpx.Response(200, json={"totalNumberOfResults": 1, "results": [line]})

    wanted = LineSearch(limit=7, ignore=0, fields=["siren"])
    found = standard(answer).search(wanted)
    assert (found.total, [line.addressing_identifier for line in found.entries]) == (1, [SIREN])
    [request] = seen
    assert str(request.url) == "https://pa.example/directory/v1/directory-line/search"
    assert json.loads(request.content) == {"limit": 7, "ignore": 0, "fields": ["siren"]}
    assert request.headers["Organization-Id"] == "42"
    assert request.headers["Authorization"].startswith("Basic")


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (404, DirectoryEntryNotFoundError),
        (400, DirectoryRefusedError),
        (422, DirectoryRefusedError),
        (408, DirectoryTimeoutError),
        (429, DirectoryBusyError),
        (501, DirectoryNotOfferedError),
        (401, DirectoryUnavailableError),
        (403, DirectoryUnavailableError),
        (500, DirectoryUnavailableError),
        (503, DirectoryUnavailableError),
        (302, DirectoryUnavailableError),
    ],
)
def test_each_refusal_of_a_platform_has_its_name(standard, status, error):
    client = standard(lambda _: httpx.Response(status, json={"errorCode": "X", "errorMessage": "pourquoi"}))
    with pytest.raises(error):
        client.routing_code("16333472500013", "a/b")


def test_a_search_that_a_platform_does_not_have_finds_nothing_out(standard):
    with pytest.raises(DirectoryUnavailableError):
        standard(lambda _: httpx.Response(404)).search(LineSearch(limit=1, ignore=0))


def test_a_platform_that_finds_nothing_may_answer_204(standard):
    assert standard(lambda _: httpx.Response(204)).search(LineSearch(limit=1, ignore=0)) == Found((), 0)


def test_a_platform_that_does_not_count_its_results_is_believed(standard):
    found = standard(lambda _: httpx.Response(200, json={"results": None})).search(LineSearch(limit=1, ignore=0))
    assert found == Found((), -1)


@pytest.mark.parametrize(
    "content",
    [
        b"<html>",
        b"[]",
        b'{"results": {}}',
        b'{"results": [3]}',
        b'{"results": [{"directoryLineStatus": "Perhaps"}]}',
        b'{"results": [{"siren": "\\u0000"}]}',
        b'{"results": [{"siren": "\\ud800"}]}',
    ],
)
def test_an_answer_that_cannot_be_read_is_no_answer(standard, content):
    with pytest.raises(DirectoryUnavailableError):
        standard(lambda _: httpx.Response(200, content=content)).search(LineSearch(limit=1, ignore=0))


def test_a_timeout_and_a_cut_line_are_told_apart(standard):
    def silent(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("too long", request=request)

    def cut(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    with pytest.raises(DirectoryTimeoutError):
        standard(silent).legal_unit(SIREN)
    with pytest.raises(DirectoryUnavailableError, match="refused"):
        standard(cut).facility("16690965500010")


# --- whose directory


@pytest.fixture
def choice(world) -> DirectoryOfPlatform:
    transport = world.context.connections._transport
    return DirectoryOfPlatform(world.database, world.clock, world.context.connections, transport, "simulator")


def test_without_a_connection_the_simulated_directory_answers(world, choice):
    assert isinstance(choice(world.organisation_id), SimulatedDirectory)


@pytest.mark.parametrize("directory_url", ["https://pa.example/directory-service/v1", None])
def test_the_directory_of_the_default_connection_answers_when_it_has_one(world, choice, monkeypatch, directory_url):
    monkeypatch.setenv("PA_SECRET", "s")
    order = ConnectionOrder(
        name="pa",
        kind="standard",
        client_id="us",
        secret_reference="env:PA_SECRET",
        flow_url="https://pa.example/flow-service/v1",
        directory_url=directory_url,
        token_url="https://pa.example/token",
    )
    with world.database.transaction(world.organisation_id) as session:
        connect(session, order, now=world.clock())
    if directory_url is None:
        with pytest.raises(NoDirectoryError):
            choice(world.organisation_id)
        return
    source = choice(world.organisation_id)
    assert isinstance(source, StandardDirectory)
    assert (source.name, source.url) == ("pa", directory_url)
    with world.database.transaction(world.organisation_id) as session:
        switch(session, "pa", active=False, now=world.clock())
    with pytest.raises(DirectoryUnavailableError):
        choice(world.organisation_id)


# --- before an invoice leaves


@pytest.fixture
def checked(world, written):
    """Makes the world check addresses in the written directory, in one mode."""

    def make(mode: str) -> Any:
        settings = world.context.settings.model_copy(update={"preflight": mode})
        asked = Directory(world.database, world.clock, settings, lambda _: written)
        return replace(world, context=replace(world.context, settings=settings, directory=asked))

    return make


def sent(world: Any) -> int:
    return len(world.rows(OutboxMessage))


def test_an_invoice_to_a_good_address_leaves_without_a_word(checked, written, invoice, customer):
    written.lines = [enabled(customer.e_address)]
    world = checked("warn")
    flow_id = world.push(invoice("F1")).flow.id
    world.drain()
    flow = world.flow(flow_id)
    assert (flow.ack_status, flow.ack_details, sent(world), world.rows(Alert)) == ("Ok", [], 1, [])


@pytest.mark.parametrize(
    ("mode", "declared", "rule", "platform"),
    [
        ("warn", {}, "B2G", "chorus"),
        ("hold", {}, "B2G", "chorus"),
        ("off", {}, "B2B", "main"),
        ("warn", {"processing_rule": "B2B"}, "B2B", "main"),
    ],
)
def test_an_invoice_to_a_public_entity_is_b2g_and_goes_where_routes_send_b2g(
    checked, written, invoice, customer, mode, declared, rule, platform
):
    world = checked(mode)
    with world.database.transaction(world.organisation_id) as session:
        for name in ("main", "chorus"):
            url = f"https://{name}.example"
            order = ConnectionOrder(name, "standard", "us", "env:S", f"{url}/v1", token_url=f"{url}/token")
            connect(session, order, now=world.clock())
        add_route(session, "chorus", RouteOrder(processing_rule=ProcessingRule.B2G), now=world.clock())
    written.lines = [
        DirectoryLine.model_validate(
            {"addressingIdentifier": customer.e_address, "platformType": "DFH", "directoryLineStatus": "Enabled"}
        )
    ]
    flow_id = world.push(invoice("F1"), **declared).flow.id
    world.drain()
    [message] = world.rows(OutboxMessage)
    assert (world.flow(flow_id).processing_rule, message.payload["processing_rule"]) == (rule, rule)
    assert (world.flow(flow_id).ack_status, message.payload["platform"]) == ("Ok", platform)


def test_invoices_read_together_look_an_address_up_once_and_their_directory_too(checked, written, invoice, customer):
    written.lines = [enabled(customer.e_address)]
    world = checked("warn")
    found = list[Any]()
    directory = replace(world.context.directory, source=lambda organisation: found.append(organisation) or written)
    world = replace(world, context=replace(world.context, directory=directory))
    for number in ("F1", "F2", "F3"):
        world.push(invoice(number))
    world.drain()
    assert (len(found), written.asked, sent(world)) == (1, 1, 3)


def test_an_invoice_to_a_bad_address_leaves_with_a_warning_and_an_alert_with_one_action(checked, invoice, customer):
    world = checked("warn")
    flow_id = world.push(invoice("F1")).flow.id
    world.drain()
    flow = world.flow(flow_id)
    assert (flow.ack_status, sent(world)) == ("Ok", 1)
    [detail] = flow.ack_details
    assert (detail["level"], detail["item"]) == ("Warning", "BT-49")
    assert customer.e_address in detail["message_fr"]
    [alert] = world.rows(Alert)
    assert (alert.condition, alert.team, alert.flow_id) == ("buyer.unaddressable", "billing", flow_id)
    assert alert.invoice_id is not None
    assert [action.kind for action in world.rows(CollectionAction)] == ["check_sending"]


def test_the_alert_closes_by_itself_once_the_invoice_has_arrived(checked, invoice):
    world = checked("warn")
    world.scenarios["F1"] = "paid"
    world.push(invoice("F1"))
    world.turn()
    assert [alert.state for alert in world.rows(Alert)] == [AlertState.OPEN]
    for _ in range(3):
        world.clock.advance(timedelta(minutes=1))
        world.turn()
    [alert] = [alert for alert in world.rows(Alert) if alert.condition == "buyer.unaddressable"]
    assert alert.state == AlertState.CLOSED
    assert "202" in alert.closed_because_fr


def test_under_hold_an_invoice_to_a_bad_address_waits_in_quarantine_until_it_is_replayed(checked, written, invoice):
    world = checked("hold")
    flow_id = world.push(invoice("F1")).flow.id
    world.drain()
    flow = world.flow(flow_id)
    assert (flow.state, flow.problem["code"]) == (FlowState.QUARANTINED, "BUYER_NOT_ADDRESSABLE")
    assert sent(world) == 0
    written.lines = [enabled(flow.problem["where"].removeprefix("BT-49 "))]
    world.clock.advance(timedelta(hours=1))
    with world.database.transaction(world.organisation_id) as session:
        replay(session, flow_id, context=world.context)
    world.drain()
    assert (world.flow(flow_id).ack_status, sent(world)) == ("Ok", 1)


def held_flow(world: Any, invoice: Any) -> Flow:
    flow_id = world.push(invoice("F1")).flow.id
    world.drain()
    return world.flow(flow_id)


def test_an_invoice_held_says_to_its_sender_what_it_waits_for(checked, invoice, customer):
    acknowledgement = flow_view(held_flow(checked("hold"), invoice)).acknowledgement
    assert acknowledgement.status == "Pending"
    assert acknowledgement.details is not None
    [detail] = acknowledgement.details
    assert (detail.level, detail.item) == ("Warning", f"BT-49 {customer.e_address}")


def test_an_invoice_held_leaves_by_itself_once_its_address_receives(checked, written, invoice):
    world = checked("hold")
    flow = held_flow(world, invoice)
    world.clock.advance(timedelta(hours=1))
    assert release_addressable(world.context, world.organisation_id) == 0
    written.lines = [enabled(address_held(flow))]
    world.clock.advance(timedelta(minutes=59))
    assert release_addressable(world.context, world.organisation_id) == 0, "it was asked about less than an hour ago"
    world.clock.advance(timedelta(minutes=2))
    assert release_addressable(world.context, world.organisation_id) == 1
    world.drain()
    assert (world.flow(flow.id).ack_status, sent(world)) == ("Ok", 1)
    assert [alert.state for alert in world.rows(Alert)] == [AlertState.CLOSED]
    assert release_addressable(world.context, world.organisation_id) == 0


def test_a_directory_that_does_not_answer_lets_an_invoice_held_wait_on(checked, written, invoice):
    world = checked("hold")
    flow = held_flow(world, invoice)
    silent = replace(world.context, directory=Directory(world.database, world.clock, world.context.settings, fails))
    world.clock.advance(timedelta(hours=2))
    assert release_addressable(silent, world.organisation_id) == 0
    assert world.flow(flow.id).state == FlowState.QUARANTINED


def fails(_organisation_id: UUID) -> Any:
    raise DirectoryUnavailableError("it is away")


def test_a_flow_in_quarantine_for_another_reason_is_left_to_people(checked, written, invoice):
    world = checked("hold")
    flow = held_flow(world, invoice)
    written.lines = [enabled(address_held(flow))]
    with world.database.transaction(world.organisation_id) as session:
        row = session.get_one(Flow, flow.id)
        row.problem = {**row.problem, "code": "INVOICE_CONFLICT"}
        session.add(row)
    world.clock.advance(timedelta(days=1))
    assert release_addressable(world.context, world.organisation_id) == 0


def test_an_address_to_come_is_asked_about_on_its_first_day():
    now = datetime(2026, 10, 5, 21, 30, tzinfo=UTC)
    upcoming = replace(not_checked("166909655"), effective_from=date(2026, 10, 6))
    assert next_look(upcoming, now, 3600) == datetime(2026, 10, 5, 22, 0, tzinfo=UTC)
    assert next_look(replace(upcoming, effective_from=date(2026, 12, 1)), now, 3600) == now + timedelta(hours=1)
    assert next_look(replace(upcoming, effective_from=date(2026, 10, 5)), now, 3600) == now + timedelta(hours=1)


def test_an_operator_lists_what_is_held_and_lets_it_go(checked, written, invoice, monkeypatch):
    world = checked("hold")
    flow = held_flow(world, invoice)
    monkeypatch.setattr(access, "open_database", lambda _settings: world.database)
    monkeypatch.setattr(world.database, "close", lambda: None)
    services = SimpleNamespace(database=world.database, flows=world.context, close=lambda: None)
    monkeypatch.setattr(quarantine, "build_services", lambda _settings: services)

    def run(*arguments: str) -> str:
        result = CliRunner().invoke(app, ("quarantine", *arguments), catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.output

    listed = run("list")
    assert all(word in listed for word in (str(flow.id), "BUYER_NOT_ADDRESSABLE", address_held(flow)))
    assert "received" in run("replay", str(flow.id))
    assert run("list") == ""


@pytest.mark.parametrize("mode", ["warn", "hold"])
def test_a_silent_directory_neither_stops_an_invoice_nor_alerts_but_is_told(checked, written, invoice, mode):
    written.failing = True
    world = checked(mode)
    flow_id = world.push(invoice("F1")).flow.id
    world.drain()
    flow = world.flow(flow_id)
    assert (flow.ack_status, sent(world), world.rows(Alert)) == ("Ok", 1, [])
    assert "pas été vérifiée" in flow.ack_details[0]["message_fr"]


def test_nothing_is_asked_when_the_check_is_off_or_the_invoice_goes_to_no_company_of_ours(checked, written, invoice):
    world = checked("off")
    world.push(invoice("F1"))
    world.drain()
    world = checked("warn")
    world.push(invoice("F2"), processing_rule="B2C")
    world.drain()
    assert (written.asked, sent(world)) == (0, 2)


def test_an_address_read_back_from_an_invoice_is_the_one_that_was_checked(checked, written, invoice, customer):
    address = read_address(customer.e_address)
    assert address is not None
    assert address.siren == customer.siren
    written.lines = [enabled(customer.e_address)]
    world = checked("warn")
    world.push(invoice("F1"))
    world.drain()
    with world.database.transaction(world.organisation_id) as session:
        assert session.exec(select(DirectoryLookup.address)).all() == [address.text]
