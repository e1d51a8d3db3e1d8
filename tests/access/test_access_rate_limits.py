"""A program that calls too often is told to wait, and how long; one that keeps to the rate never is."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.access import rate_limits
from gateway.access.rate_limits import RateLimit, RateLimiter, decide

NOON = datetime(2026, 10, 5, 12, 0, tzinfo=UTC)
LIMITS = st.builds(RateLimit, per_minute=st.integers(1, 10_000), burst=st.integers(1, 200))
GAPS = st.lists(st.integers(0, 20_000_000).map(lambda us: timedelta(microseconds=us)), max_size=80)


def test_a_burst_passes_and_the_next_request_waits_for_its_turn():
    limiter = RateLimiter(RateLimit(per_minute=60, burst=3))
    assert [limiter.count("ERP", NOON).total_seconds() for _ in range(5)] == [0, 0, 0, 1, 1]
    assert limiter.count("ERP", NOON + timedelta(seconds=1)) == timedelta(0)
    assert limiter.count("ERP", NOON + timedelta(seconds=1)) == timedelta(seconds=1)


def test_callers_do_not_count_for_each_other():
    limiter = RateLimiter(RateLimit(per_minute=1, burst=1))
    assert [limiter.count(caller, NOON) for caller in ("ERP", "TMS")] == [timedelta(0)] * 2
    assert limiter.count("ERP", NOON) == timedelta(minutes=1)


def test_without_a_limit_everything_passes():
    limiter = RateLimiter(None)
    assert {limiter.count("ERP", NOON) for _ in range(1000)} == {timedelta(0)}


def test_callers_who_have_been_quiet_are_forgotten_and_the_busy_ones_are_not(monkeypatch):
    monkeypatch.setattr(rate_limits, "_MANY", 3)
    limiter = RateLimiter(RateLimit(per_minute=1, burst=1))
    for caller in ("a", "b"):
        limiter.count(caller, NOON)
    limiter.count("busy", NOON + timedelta(seconds=30))
    assert limiter.count("new", NOON + timedelta(seconds=60)) == timedelta(0)
    assert limiter.count("busy", NOON + timedelta(seconds=60)) == timedelta(seconds=30)
    assert set(limiter._used_until) == {"busy", "new"}


@given(limit=LIMITS, gaps=GAPS)
def test_in_no_stretch_of_time_does_more_pass_than_the_burst_and_the_rate_allow(limit, gaps):
    now, used, passed = NOON, None, []
    for gap in gaps:
        now += gap
        decision = decide(limit, used, now)
        used = decision.used_until
        if decision.may_pass:
            passed.append(now)
    for i, first in enumerate(passed):
        for j in range(i, len(passed)):
            # One more for the microsecond that a share of a minute is rounded to.
            allowed = limit.burst + (passed[j] - first) / timedelta(minutes=1) * limit.per_minute + 1
            assert j - i + 1 <= allowed


@given(limit=LIMITS, gaps=GAPS)
def test_who_waits_as_told_passes(limit, gaps):
    now, used = NOON, None
    for gap in gaps:
        now += gap
        decision = decide(limit, used, now)
        if not decision.may_pass:
            now += decision.retry_after
            assert decide(limit, decision.used_until, now).may_pass
        used = decision.used_until


@given(limit=LIMITS, count=st.integers(1, 100))
def test_a_steady_caller_at_the_rate_is_never_refused(limit, count):
    used, each = None, timedelta(minutes=1) / limit.per_minute
    for number in range(count):
        decision = decide(limit, used, NOON + each * number)
        assert decision.may_pass
        used = decision.used_until


@pytest.mark.parametrize(
    ("path", "media_type", "code"),
    [
        ("/flow-service/v1/flows/none", "application/json", "errorCode"),
        ("/api/v1/invoices", "application/problem+json", "code"),
    ],
)
def test_a_route_refuses_what_is_too_much_in_its_own_error_model(
    database, settings, clock, organisation, client_of, path, media_type, code
):
    http, headers = limited_service(database, settings, clock, organisation, client_of)
    assert [http.get(path, headers=headers).status_code for _ in range(2)].count(429) == 0
    refused = http.get(path, headers=headers)
    assert (refused.status_code, refused.headers["content-type"]) == (429, media_type)
    assert refused.json()[code] == "TOO_MANY_REQUESTS"
    assert refused.headers["retry-after"] == "30"
    clock.advance(timedelta(seconds=30))
    assert http.get(path, headers=headers).status_code != 429


def limited_service(database, settings, clock, organisation, client_of):
    """The whole service with two requests a minute for each program, and the header of one."""
    from gateway.access.service import create_client
    from gateway.app.service import create_app
    from gateway.app.services import build_services

    slow = settings.model_copy(update={"rate_limit_per_minute": 2, "rate_limit_burst": 2})
    http = client_of(create_app(build_services(slow, clock=clock, database=database)))
    with database.transaction(organisation) as session:
        made = create_client(session, name="ERP", scopes=["flows:read", "invoices:read"], now=clock())
    answer = http.post(
        "/oauth2/token", data={"grant_type": "client_credentials"}, auth=(made.client.client_id, made.secret)
    )
    return http, {"Authorization": f"Bearer {answer.json()['access_token']}"}
