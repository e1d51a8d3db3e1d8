"""A clock that went back leaves a trace in the ledger, told by the first entry dated before an earlier one."""

from datetime import timedelta

import pytest

from gateway.ledger.clock_proof import SetBack, set_back
from gateway.ledger.service import START, ChainStart, append, verify

HOUR = timedelta(hours=1)


@pytest.fixture
def dated(database, organisation, clock):
    """Writes entries so many hours after the start and returns what is out of order."""

    def write(*hours: float, since: ChainStart = START) -> SetBack | None:
        with database.transaction(organisation) as session:
            for number in hours:
                append(session, at=clock() + number * HOUR, kind="x", subject="s", content={})
        with database.transaction(organisation) as session:
            assert verify(session).holds, "time breaks no link"
            return set_back(session, since=since)

    return write


def test_entries_in_the_order_of_time_and_an_empty_ledger_are_in_order(dated):
    assert dated() is None
    assert dated(0, 0, 1, 30, 30) is None


def test_work_that_began_within_the_hour_is_ordinary_and_earlier_is_told(dated):
    assert dated(5, 4) is None
    assert dated(3.99).position == 3


def test_a_clock_set_forward_and_right_again_is_told_by_every_entry_after_it(dated, clock):
    years = 22 * 365 * 24
    found = dated(0, years, 1, 2)
    assert found == SetBack(2, 3, clock() + HOUR, clock() + years * HOUR)


def test_from_a_checkpoint_what_follows_is_compared_with_its_entry(dated):
    dated(0, 10)
    assert dated(5, since=ChainStart(2, "")).position == 3
    assert dated(11, since=ChainStart(3, "")) is None


def test_the_clock_of_another_organisation_is_its_own(dated, database, other_organisation, clock):
    dated(10)
    with database.transaction(other_organisation) as session:
        append(session, at=clock(), kind="x", subject="s", content={})
        assert set_back(session) is None
