"""A failed try is repeated later and later, with a bound, and gives up in the end."""

import random
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from gateway.jobs.retrying import FIRST_PAUSE, LONGEST_PAUSE, decide_retry

NOW = datetime(2026, 10, 5, 8, 0, tzinfo=UTC)


@given(st.integers(1, 200), st.integers(0, 2**32))
def test_a_pause_is_never_shorter_than_the_first_nor_much_longer_than_the_longest(attempts, seed):
    decision = decide_retry(attempts=attempts, limit=1000, now=NOW, jitter=random.Random(seed))
    assert decision.at is not None
    assert FIRST_PAUSE <= decision.at - NOW <= LONGEST_PAUSE * 1.25


@given(st.integers(1, 100), st.integers(0, 200))
def test_it_gives_up_exactly_at_the_limit(limit, attempts):
    assert decide_retry(attempts=attempts, limit=limit, now=NOW, jitter=random.Random(1)).gives_up == (
        attempts >= limit
    )


def test_the_other_side_may_ask_for_more_time():
    hour = timedelta(hours=1)
    assert decide_retry(attempts=1, limit=5, now=NOW, jitter=random.Random(1), not_before=hour).at == NOW + hour
