"""What holds for a status is what the catalogue said on the day of the status, whenever it is read or written."""

from collections.abc import Iterator
from copy import deepcopy
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.alerts.conditions import alert_for, closes
from gateway.kernel.dated import data_file, in_force
from gateway.lifecycle import catalogue, reasons, statuses
from gateway.lifecycle.cdar.building import GivenReason
from gateway.lifecycle.cdar.reading import read_cdar
from gateway.lifecycle.cdar.writing import write_cdar
from gateway.lifecycle.errors import MissingStatusDataError, ReasonNotAllowedError, UnknownStatusError
from gateway.lifecycle.projection import project
from gateway.lifecycle.statuses import StateLine
from gateway.lifecycle.transitions import TransitionKind
from tests.lifecycle.making_events import START, event
from tests.lifecycle.test_lifecycle_building import AT, SELLER, built

#: Everything below changes on the eve and the morning of 1 January 2027; the invoice and its first status are of 2026.
CHANGE = date(2027, 1, 1)
LATER = AT + timedelta(days=120)
HOURS_LATER = 120 * 24.0


@pytest.fixture
def changing(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """The catalogue with another rule from the day of the change on, for whatever a test puts in it."""
    data = deepcopy(data_file("lifecycle.toml"))
    monkeypatch.setattr(catalogue, "data_file", lambda _name: data)
    forget()
    yield data
    monkeypatch.undo()
    forget()


def forget() -> None:
    """What was read of the catalogue before its data were changed."""
    kept = (catalogue._changes, statuses._status, statuses._successors, statuses.ever_mandatory)
    for each in (*kept, reasons._reason, reasons._all_reasons, reasons._allowed_reasons, reasons._label):
        each.cache_clear()


def from_change_on(data: dict[str, Any], kind: str, code: str, **changes: Any) -> None:
    """An entry that changes on the day."""
    before = data[kind][code]
    data[kind][code] = [
        {**before, "valid_until": CHANGE - timedelta(days=1)},
        {**before, **changes, "valid_from": CHANGE},
    ]
    forget()


def test_a_datum_is_required_from_its_day_on(changing):
    from_change_on(changing, "status", "205", requires=["comment"])
    assert built("205", comment="")
    with pytest.raises(MissingStatusDataError, match="comment"):
        built("205", comment="", at=LATER)


def test_a_reason_is_allowed_until_its_last_day(changing):
    from_change_on(changing, "reason", "QTE_ERR", statuses=["206"])
    assert built("207", reasons=[GivenReason("QTE_ERR")])
    with pytest.raises(ReasonNotAllowedError, match="QTE_ERR"):
        built("207", reasons=[GivenReason("QTE_ERR")], at=LATER)


def test_a_status_that_begins_on_a_day_is_unknown_before_it(changing):
    changing["status"]["229"] = {**changing["status"]["228"], "fr": "Nouveau", "en": "New", "valid_from": CHANGE}
    forget()
    with pytest.raises(UnknownStatusError, match="2026-10-12"):
        built("229", issuer=SELLER)
    told = built("229", issuer=SELLER, at=LATER)
    assert read_cdar(write_cdar(told)).deviations == ()


def test_a_status_or_reason_read_after_its_last_day_is_noted_and_kept(changing):
    changing["status"]["205"]["valid_until"] = CHANGE - timedelta(days=1)
    changing["reason"]["QTE_ERR"]["valid_until"] = CHANGE - timedelta(days=1)
    written = write_cdar(built("205"))
    forget()
    assert read_cdar(written).deviations == ()
    late = written.replace(b"20261012113015", b"20270209113015")
    assert [each.code for each in read_cdar(late).deviations] == ["STATUS-UNKNOWN"]


def test_a_history_is_judged_by_the_rules_of_each_day(changing):
    from_change_on(changing, "successors", "205", next=["212"], possible=["211"])
    state = project([event("205", 0), event("211", 1), event("205", HOURS_LATER), event("211", HOURS_LATER + 1)])
    assert [each.kind for each in state.history if each.code == "211"] == [
        TransitionKind.EXPECTED,
        TransitionKind.UNUSUAL,
    ]
    assert project([event("205", HOURS_LATER)]).expected_next == ("212",)


def test_what_lifts_a_hold_is_what_lifted_it_on_the_day_of_the_hold(changing):
    from_change_on(changing, "status", "208", lifted_by=["205"])
    assert project([event("208", 0), event("209", 1)]).issues == ()
    held = project([event("208", HOURS_LATER), event("209", HOURS_LATER + 1)])
    assert [each.code for each in held.issues] == ["208"]
    completed = event("209", HOURS_LATER + 1)
    assert closes(completed, held) == ()


def test_the_line_that_a_status_moves_is_that_of_its_day(changing):
    from_change_on(changing, "status", "213", delivery_reasons=["DOUBLON", "REJ_UNI"])
    assert event("213", 0, reasons=["REJ_UNI"]).line is StateLine.INVOICE
    assert event("213", HOURS_LATER, reasons=["REJ_UNI"]).line is StateLine.TRANSMISSION


def test_an_alert_tells_the_reason_in_the_words_of_its_day(changing):
    from_change_on(changing, "reason", "QTE_ERR", fr="Quantité contestée", en="Quantity disputed")
    early, late = event("207", 0, reasons=["QTE_ERR"]), event("207", HOURS_LATER, reasons=["QTE_ERR"])
    told = [alert_for(each, project([each])) for each in (early, late)]
    assert ["Quantity disputed" in each.reason.en for each in told if each] == [False, True]


@given(day=st.dates(date(2020, 1, 1), date(2035, 12, 31)))
def test_any_two_days_without_a_change_between_them_are_one_question(day):
    """The answers that are kept by period are those that the data give for the day itself."""
    data = data_file("lifecycle.toml")
    first = catalogue.period(day)
    assert first is not None
    assert first <= day
    for kind in ("status", "reason", "successors", "action", "characteristic", "role", "datum"):
        for code in catalogue.codes(kind):
            assert catalogue.entry(kind, code, first) == in_force(data[kind][code], day)


def test_the_period_of_a_day_begins_with_the_last_change_before_it(changing):
    from_change_on(changing, "status", "205", requires=["comment"])
    assert catalogue.period(START.date()) == date.min
    assert catalogue.period(CHANGE - timedelta(days=1)) == date.min
    assert catalogue.period(CHANGE) == CHANGE == catalogue.period(CHANGE + timedelta(days=400))
    assert catalogue.period(None) is None
