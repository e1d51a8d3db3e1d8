"""The pure rules of platforms: which one takes what, whether it is asked, what a look-up means."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.flows.platforms.breaker import (
    Breaker,
    BreakerPolicy,
    BreakerState,
    after_failure,
    after_success,
    ask_passage,
    breaker_policy,
)
from gateway.flows.platforms.client import PlatformFlow, SentFlow, Sighting
from gateway.flows.platforms.errors import UnknownPlatformKindError
from gateway.flows.platforms.profile import platform_kinds, platform_profile
from gateway.flows.platforms.routing import Platforms, RoutedDocument, RouteRule, route
from gateway.flows.platforms.sightings import settle, sighting_of
from gateway.jobs.channels import Finding

NOW = datetime(2026, 10, 5, 8, 0, tzinfo=UTC)
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
AGENCY, OTHER_AGENCY = uuid4(), uuid4()
SELLER = "732829320"
POLICY = BreakerPolicy(failures=3, first_pause=30 * SECOND, longest_pause=15 * MINUTE, probe=5 * MINUTE)


# Routing

DOCUMENT = RoutedDocument(SELLER, AGENCY, "B2B")
THREE = Platforms(frozenset({"a", "b", "c"}), (), "a")


def routed(document: RoutedDocument = DOCUMENT, platforms: Platforms = THREE, *rules: RouteRule) -> str | None:
    chosen = route(document, replace(platforms, rules=rules or platforms.rules))
    assert chosen.reason.fr
    assert chosen.reason.en
    return chosen.platform


def test_without_routes_the_default_takes_everything():
    assert routed() == "a"


@pytest.mark.parametrize(
    ("rule", "platform"),
    [
        (RouteRule("b", agency_id=AGENCY), "b"),
        (RouteRule("b", agency_id=OTHER_AGENCY), "a"),
        (RouteRule("b", seller_siren=SELLER), "b"),
        (RouteRule("b", seller_siren="552100554"), "a"),
        (RouteRule("b", processing_rule="B2B"), "b"),
        (RouteRule("b", processing_rule="B2BInt"), "a"),
        (RouteRule("b", SELLER, AGENCY, "B2B"), "b"),
        (RouteRule("b", SELLER, AGENCY, "B2BInt"), "a"),
    ],
)
def test_a_route_applies_when_each_of_its_criteria_holds(rule, platform):
    assert routed(DOCUMENT, THREE, rule) == platform


def test_the_more_precise_route_wins_whatever_their_order():
    rules = [
        RouteRule("a", processing_rule="B2B"), RouteRule("b", seller_siren=SELLER), RouteRule("c", agency_id=AGENCY),
    ]  # fmt: skip
    assert routed(DOCUMENT, THREE, *rules) == routed(DOCUMENT, THREE, *reversed(rules)) == "c"


def test_a_status_goes_to_the_platform_that_holds_its_invoice():
    assert routed(replace(DOCUMENT, platform="b"), THREE, RouteRule("c", agency_id=AGENCY)) == "b"


def test_a_status_finds_another_platform_when_that_of_its_invoice_is_gone():
    assert routed(replace(DOCUMENT, platform="gone")) == "a"


def test_what_is_routed_to_a_platform_that_is_switched_off_goes_nowhere_else():
    assert routed(DOCUMENT, THREE, RouteRule("off", agency_id=AGENCY, is_active=False)) is None


def test_without_any_platform_in_service_nothing_leaves():
    assert routed(DOCUMENT, Platforms(frozenset(), (), None)) is None


# The circuit breaker


def failed(breaker: Breaker, times: int = 1, at: datetime = NOW) -> Breaker:
    for _ in range(times):
        breaker = after_failure(breaker, POLICY, at)
    return breaker


def test_a_closed_breaker_lets_calls_pass_until_some_failures_in_a_row():
    assert failed(Breaker(), 2).state is BreakerState.CLOSED
    opened = failed(Breaker(), 3)
    assert (opened.state, opened.until) == (BreakerState.OPEN, NOW + 30 * SECOND)
    assert not ask_passage(opened, POLICY, NOW + 29 * SECOND).allowed


def test_a_success_forgets_the_failures_before_it():
    assert after_success() == Breaker()
    assert after_success().is_sound
    assert not failed(Breaker()).is_sound


def test_after_the_pause_one_call_tries_and_the_others_wait():
    opened = failed(Breaker(), 3)
    first = ask_passage(opened, POLICY, NOW + 30 * SECOND)
    assert (first.allowed, first.breaker.state) == (True, BreakerState.HALF_OPEN)
    second = ask_passage(first.breaker, POLICY, NOW + 31 * SECOND)
    assert (second.allowed, second.until) == (False, NOW + 31 * SECOND + POLICY.first_pause)


def test_a_try_that_never_reported_back_is_given_up():
    trying = ask_passage(failed(Breaker(), 3), POLICY, NOW + 30 * SECOND).breaker
    assert ask_passage(trying, POLICY, NOW + 30 * SECOND + POLICY.probe).allowed


def test_each_failed_try_doubles_the_pause_up_to_the_longest():
    breaker, now, pauses = failed(Breaker(), 3), NOW, []
    for _ in range(8):
        assert breaker.until is not None
        pauses.append(breaker.until - now)
        now = breaker.until
        breaker = after_failure(ask_passage(breaker, POLICY, now).breaker, POLICY, now)
    assert pauses[:4] == [30 * SECOND, MINUTE, 2 * MINUTE, 4 * MINUTE]
    assert pauses[-1] == POLICY.longest_pause


def test_a_pause_that_the_platform_asks_for_is_given_at_once():
    asked = after_failure(Breaker(), POLICY, NOW, retry_after=7 * SECOND)
    assert (asked.state, asked.until) == (BreakerState.OPEN, NOW + 7 * SECOND)


def test_a_call_that_was_under_way_when_it_opened_only_lengthens_the_pause():
    opened = failed(Breaker(), 3)
    assert after_failure(opened, POLICY, NOW).until == opened.until
    assert after_failure(opened, POLICY, NOW, retry_after=MINUTE).until == NOW + MINUTE


@given(st.lists(st.tuples(st.integers(0, 2000), st.sampled_from(["ok", "fail", "lost", "busy"])), max_size=60))
def test_whatever_happens_a_breaker_lets_a_call_pass_again_within_its_longest_pause(history):
    breaker, now = Breaker(), NOW
    for seconds, end in history:
        now += seconds * SECOND
        passage = ask_passage(breaker, POLICY, now)
        breaker = passage.breaker
        if not passage.allowed:
            assert passage.until is not None
            assert now < passage.until <= now + POLICY.longest_pause
            continue
        if end == "ok":
            breaker = after_success()
        elif end != "lost":
            breaker = after_failure(breaker, POLICY, now, retry_after=MINUTE if end == "busy" else None)
    assert ask_passage(breaker, POLICY, now + POLICY.longest_pause).allowed


@pytest.mark.parametrize("kind", platform_kinds())
def test_every_platform_has_a_policy(kind):
    policy = breaker_policy(kind)
    assert policy.failures > 0
    assert timedelta(0) < policy.first_pause <= policy.longest_pause
    assert policy.probe > timedelta(0)


# Doubts

SENT = SentFlow("t-1", "one.xml", "aa", NOW)


def flow(**told) -> PlatformFlow:
    return PlatformFlow(
        **{"flow_id": "f", "name": "other", "flow_syntax": "", "flow_type": "", "updated_at": NOW, **told}
    )


@pytest.mark.parametrize(
    ("told", "seen"),
    [
        ({"tracking_id": "t-1"}, Sighting("f")),
        ({"tracking_id": "t-2", "sha256": "aa", "name": "one.xml"}, Sighting()),
        ({"sha256": "aa"}, Sighting("f")),
        ({"sha256": "bb", "name": "one.xml"}, Sighting()),
        ({}, Sighting()),
    ],
)
def test_a_flow_is_known_by_its_tracking_id_else_by_its_bytes(told, seen):
    assert sighting_of(SENT, [flow(flow_id="x", tracking_id="t-9"), flow(**told)]) == seen


def test_a_flow_known_by_its_name_alone_may_be_another():
    seen = sighting_of(SENT, [flow(name="one.xml")])
    assert seen.flow_id is None
    assert "one.xml" in seen.doubt


def test_a_sure_sign_outweighs_a_doubtful_one():
    assert sighting_of(SENT, [flow(name="one.xml"), flow(tracking_id="t-1")]) == Sighting("f")


@pytest.mark.parametrize("late", [timedelta(0), MINUTE])
def test_what_does_not_show_yet_is_looked_for_again_until_it_must_show(late):
    now = NOW + late
    found = settle(Sighting(), left_at=NOW, now=now, visible_within=2 * MINUTE)
    assert found.finding is Finding.LOOK_AGAIN
    assert found.at is not None
    assert now < found.at <= NOW + 2 * MINUTE


@pytest.mark.parametrize(
    ("seen", "finding"),
    [(Sighting(), Finding.ABSENT), (Sighting("f"), Finding.ARRIVED), (Sighting(doubt="?"), Finding.UNDECIDABLE)],
)
def test_once_it_must_show_the_platform_is_believed(seen, finding):
    assert settle(seen, left_at=NOW, now=NOW + 2 * MINUTE, visible_within=2 * MINUTE).finding is finding


def test_what_shows_has_arrived_however_early():
    assert settle(Sighting("f"), left_at=NOW, now=NOW, visible_within=MINUTE).remote_id == "f"


@given(st.integers(0, 600), st.integers(0, 300))
def test_looking_again_comes_to_an_end(start, delay):
    now, looks = NOW + start * SECOND, 0
    while True:
        found = settle(Sighting(), left_at=NOW, now=now, visible_within=delay * SECOND)
        if found.finding is not Finding.LOOK_AGAIN:
            break
        assert found.at is not None
        now, looks = found.at, looks + 1
    assert found.finding is Finding.ABSENT
    assert looks <= 30


# Profiles


@pytest.mark.parametrize("kind", platform_kinds())
def test_every_profile_is_complete_and_says_where_it_comes_from(kind):
    profile = platform_profile(kind)
    assert profile.label.fr
    assert 1 <= profile.page_limit <= 100, "the standard's own limit"
    for url in (profile.flow_url, profile.directory_url, profile.token_url):
        assert url is None or url.startswith("https://")


def test_a_platform_nobody_knows_is_named_with_those_that_are():
    with pytest.raises(UnknownPlatformKindError) as unknown:
        platform_profile("nobody")
    assert "superpdp" in str(unknown.value)
    with pytest.raises(UnknownPlatformKindError):
        platform_profile("superpdp", date(2020, 1, 1))


def test_superpdp_takes_one_status_on_an_international_invoice():
    superpdp = platform_profile("superpdp")
    assert superpdp.takes_status("212", "B2BInt")
    assert not superpdp.takes_status("207", "B2BInt")
    assert superpdp.takes_status("207", "B2B")
    assert superpdp.takes_status("207", None)
    assert platform_profile("standard").takes_status("207", "B2BInt")
