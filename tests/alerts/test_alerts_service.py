"""An event that needs a person opens one alert; what settles it closes it; people handle it once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from uuid import uuid4

import pytest
from sqlmodel import func, select

from gateway.access.scope import Scope
from gateway.alerts.errors import AlertAlreadyClosedError, AlertNotFoundError
from gateway.alerts.model import Alert, AlertState
from gateway.alerts.refused_flows import RefusedFlow
from gateway.alerts.repository import alert_by_id
from gateway.alerts.service import acknowledge, attach_invoice, close, raise_for_rejected_flow
from gateway.kernel.text import Text
from gateway.ledger.model import LedgerEntry
from gateway.ledger.service import verify
from gateway.lifecycle.model import Direction
from tests.alerts.raising import ALERTING, follow
from tests.lifecycle.following import now_known, register
from tests.lifecycle.making_events import BUYER_SIREN, START, amount

EVERYTHING = Scope.everything()
PERSON, AGENCY = uuid4(), uuid4()


def alerts(database, organisation):
    with database.transaction(organisation) as session:
        return list(session.exec(select(Alert).order_by(Alert.opened_at)))


def ledger_kinds(database, organisation):
    with database.transaction(organisation) as session:
        assert verify(session).holds
        return list(session.exec(select(LedgerEntry.kind).order_by(LedgerEntry.position)))


@pytest.mark.parametrize(("code", "reason"), ALERTING.items())
def test_each_alerting_status_opens_one_alert_that_says_all(database, organisation, code, reason):
    invoice = register(database, organisation, agency_id=AGENCY).invoice
    followed = follow(database, organisation, code, 1, reasons=[reason], comment="Voir ticket 12")
    (alert,) = alerts(database, organisation)
    assert (alert.state, alert.event_id, alert.invoice_id) == (AlertState.OPEN, followed.recorded.id, invoice.id)
    assert (alert.agency_id, alert.customer_siren) == (AGENCY, BUYER_SIREN)
    assert "F1" in alert.title_fr
    assert "Voir ticket 12" in alert.reason_fr
    assert alert.next_step_fr
    assert alert.team
    assert alert.due_on is not None
    assert alert.due_on > START.date()
    assert ledger_kinds(database, organisation)[-2:] == ["alert.opened", "action.created"]


@pytest.mark.parametrize(("code", "reason"), ALERTING.items())
def test_the_same_message_twice_opens_nothing_more(database, organisation, code, reason):
    register(database, organisation)
    follow(database, organisation, code, 1, reasons=[reason])
    before, ledger = alerts(database, organisation), ledger_kinds(database, organisation)
    again = follow(database, organisation, code, 1, reasons=[reason], message_id="repeated")
    assert again.reaction.opened is None
    assert again.reaction.closed == ()
    assert alerts(database, organisation) == before
    assert ledger_kinds(database, organisation) == ledger


def test_the_same_message_at_once_by_several_workers_opens_one_alert(database, organisation):
    register(database, organisation)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: follow(database, organisation, "207", 1, reasons=["PU_ERR"]), range(4)))
    assert len(alerts(database, organisation)) == 1


@pytest.mark.parametrize("code", ["200", "202", "204", "205", "211", "209"])
def test_an_ordinary_status_calls_nobody(database, organisation, code):
    register(database, organisation)
    assert follow(database, organisation, code, 1).reaction.opened is None
    assert alerts(database, organisation) == []


def test_a_duplicate_delivery_only_informs(database, organisation):
    invoice = register(database, organisation).invoice
    follow(database, organisation, "205", 1)
    follow(database, organisation, "213", 2, reasons=["DOUBLON"])
    (alert,) = alerts(database, organisation)
    assert (alert.severity, alert.condition) == ("info", "delivery.duplicate")
    assert now_known(database, organisation, invoice.id).status == "205"


@pytest.mark.parametrize(
    ("opening", "curing", "data"),
    [
        ("208", "209", []),
        ("207", "205", []),
        ("221", "202", []),
        ("501", "200", []),
        ("207", "212", [amount("MEN", "120.00", "20.00")]),
    ],
)
def test_a_later_status_that_settles_the_matter_closes_the_alert_and_says_why(
    database, organisation, opening, curing, data
):
    register(database, organisation)
    opened = follow(database, organisation, opening, 1, reasons=[ALERTING[opening]]).reaction.opened
    later = START + timedelta(days=1)
    (closed,) = follow(database, organisation, curing, 2, data=data, now=later).reaction.closed
    assert opened is not None
    assert closed.id == opened.alert.id
    (alert,) = alerts(database, organisation)
    assert (alert.state, alert.closed_at) == (AlertState.CLOSED, later)
    assert f"({curing})" in (alert.closed_because_fr or "")


def test_a_part_payment_leaves_the_dispute_open(database, organisation):
    register(database, organisation)
    follow(database, organisation, "207", 1, reasons=["PU_ERR"])
    assert follow(database, organisation, "212", 2, data=[amount("MEN", "20.00", "20.00")]).reaction.closed == ()
    assert alerts(database, organisation)[0].state == AlertState.OPEN


def test_what_settles_one_invoice_leaves_the_alerts_of_another(database, organisation):
    follow(database, organisation, "208", 1, reasons=["JUSTIF_ABS"])
    assert follow(database, organisation, "209", 2, number="F2").reaction.closed == ()
    assert len(follow(database, organisation, "209", 2).reaction.closed) == 1


def test_a_problem_that_arrives_after_its_cure_opens_nothing(database, organisation):
    register(database, organisation)
    follow(database, organisation, "209", 3)
    assert follow(database, organisation, "208", 1, reasons=["JUSTIF_ABS"]).reaction.opened is None


def test_what_we_owe_is_no_matter_of_collection(database, organisation):
    register(database, organisation, direction=Direction.PAYABLE)
    follow(database, organisation, "213", 1, reasons=["REJ_SEMAN"], direction=Direction.PAYABLE)
    assert alerts(database, organisation) == []


def test_an_alert_before_its_invoice_is_tied_to_it_later(database, organisation):
    follow(database, organisation, "207", 1, reasons=["PU_ERR"])
    assert alerts(database, organisation)[0].invoice_id is None
    registration = register(database, organisation, agency_id=AGENCY)
    with database.transaction(organisation) as session:
        assert len(attach_invoice(session, registration)) == 1
    (alert,) = alerts(database, organisation)
    assert (alert.invoice_id, alert.agency_id) == (registration.invoice.id, AGENCY)


def test_an_invoice_that_fails_validation_here_is_told_to_billing_once(database, organisation):
    flow = RefusedFlow(uuid4(), "F9.xml", [Text(f"Problème {i}.", f"Problem {i}.") for i in range(5)], number="F9")
    for expected in (True, False):
        with database.transaction(organisation) as session:
            assert (raise_for_rejected_flow(session, flow, START) is not None) is expected
    (alert,) = alerts(database, organisation)
    assert (alert.condition, alert.team, alert.flow_id) == ("flow.refused", "billing", flow.flow_id)
    assert "F9" in alert.title_fr
    assert "Problème 0 ; Problème 1 ; Problème 2 (+ 2)" in alert.reason_fr
    assert "Rien n’a été envoyé" in alert.reason_fr


def test_the_first_person_to_take_an_alert_up_keeps_it(database, organisation):
    follow(database, organisation, "207", 1, reasons=["PU_ERR"])
    (alert,) = alerts(database, organisation)
    for person, hours in ((PERSON, 1), (uuid4(), 2)):
        with database.transaction(organisation) as session:
            acknowledge(session, EVERYTHING, alert.id, user_id=person, now=START + timedelta(hours=hours))
    (taken,) = alerts(database, organisation)
    assert (taken.state, taken.acknowledged_by) == (AlertState.ACKNOWLEDGED, PERSON)
    assert taken.acknowledged_at == START + timedelta(hours=1)
    assert ledger_kinds(database, organisation).count("alert.acknowledged") == 1


def test_a_closed_alert_stays_closed(database, organisation):
    follow(database, organisation, "207", 1, reasons=["PU_ERR"])
    (alert,) = alerts(database, organisation)
    with database.transaction(organisation) as session:
        close(session, EVERYTHING, alert.id, user_id=PERSON, because="Réglé par téléphone", now=START)
    for handle in (
        lambda session: acknowledge(session, EVERYTHING, alert.id, user_id=PERSON, now=START),
        lambda session: close(session, EVERYTHING, alert.id, user_id=PERSON, because="encore", now=START),
    ):
        with pytest.raises(AlertAlreadyClosedError), database.transaction(organisation) as session:
            handle(session)
    assert alerts(database, organisation)[0].closed_because_fr == "Réglé par téléphone"
    assert follow(database, organisation, "205", 2).reaction.closed == ()


def test_a_person_handles_no_alert_outside_the_scope(database, organisation, other_organisation):
    register(database, organisation, agency_id=AGENCY)
    follow(database, organisation, "207", 1, reasons=["PU_ERR"])
    (alert,) = alerts(database, organisation)
    for where, scope in ((organisation, Scope.limited_to([uuid4()], [])), (other_organisation, EVERYTHING)):
        with pytest.raises(AlertNotFoundError), database.transaction(where) as session:
            close(session, scope, alert.id, user_id=PERSON, because="rien", now=START)
    with database.transaction(organisation) as session:
        assert alert_by_id(session, Scope.limited_to([], [BUYER_SIREN]), alert.id).state == AlertState.OPEN


def test_a_deadline_counts_working_days_in_france(database, organisation):
    follow(database, organisation, "213", 1, reasons=["REJ_SEMAN"], now=START.replace(month=10, day=9))
    assert alerts(database, organisation)[0].due_on == date(2026, 10, 12)


def test_alerts_of_one_organisation_are_unknown_to_another(database, organisation, other_organisation):
    follow(database, organisation, "213", 1, reasons=["REJ_SEMAN"])
    with database.transaction(other_organisation) as session:
        assert session.exec(select(func.count()).select_from(Alert)).one() == 0
