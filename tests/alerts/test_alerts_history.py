"""An alert is a fact with a history of its own: the ledger's entries alone tell where each one stands."""

from datetime import timedelta
from random import Random
from typing import Any
from uuid import UUID

import pytest
from sqlmodel import Session, select

from gateway.access.scope import Scope
from gateway.alerts.model import Alert, AlertState
from gateway.alerts.service import acknowledge, attach_invoice, close, react
from gateway.ledger.model import LedgerEntry
from gateway.ledger.service import verify
from gateway.lifecycle.model import Direction
from gateway.lifecycle.rebuild import rebuild
from gateway.lifecycle.service import record_message, register_invoice
from tests.lifecycle.following import invoice
from tests.lifecycle.making_events import START
from tests.lifecycle.test_lifecycle_rebuild import DOCUMENT, histories

SOMEONE = UUID(int=7)


def live(session: Session, rng: Random, count: int) -> None:
    """Random histories as the service takes them, with people who take alerts up and close them in between."""
    common: dict[str, Any] = {"direction": Direction.RECEIVABLE, "flow_id": None}
    for minute, (number, what) in enumerate(histories(rng, count)):
        now = START + timedelta(minutes=minute)
        if what is None:
            made = register_invoice(
                session, invoice=invoice(number), document=DOCUMENT, agency_id=None, now=now, **common
            )
            attach_invoice(session, made)
        else:
            for recorded in record_message(session, message=what, document_sha256=None, now=now, **common):
                react(session, recorded, now)
        unsettled = session.exec(select(Alert).where(Alert.state != AlertState.CLOSED).order_by(Alert.id)).all()
        if unsettled and rng.random() < 0.15:
            alert, everything = rng.choice(unsettled), Scope.everything()
            if rng.random() < 0.5:
                acknowledge(session, everything, alert.id, user_id=SOMEONE, now=now)
            else:
                close(session, everything, alert.id, user_id=SOMEONE, because="Vu.", now=now)


def told_by(entries: list[LedgerEntry]) -> dict[str, dict[str, Any]]:
    """Where each alert stands, by the entries alone."""
    alerts: dict[str, dict[str, Any]] = {}
    for entry in entries:
        if entry.kind == "alert.opened":
            alerts[entry.subject] = {
                **{name: entry.content[name] for name in ("condition", "severity", "team")},
                "dedup_key": entry.content["key"],
                "opened_at": entry.at,
                "state": AlertState.OPEN,
            }
        elif entry.kind == "alert.acknowledged":
            taken = {"acknowledged_at": entry.at, "acknowledged_by": UUID(entry.content["user_id"])}
            alerts[entry.subject] |= {"state": AlertState.ACKNOWLEDGED, **taken}
        elif entry.kind == "alert.closed":
            closed = {"closed_at": entry.at, "closed_because_en": entry.content["because"]}
            alerts[entry.subject] |= {"state": AlertState.CLOSED, **closed}
    return alerts


@pytest.mark.parametrize("seed", range(2))
def test_after_random_histories_every_alert_stands_where_the_ledger_says(seed, database, organisation):
    with database.transaction(organisation) as session:
        live(session, Random(seed), 25)
    with database.transaction(organisation) as session:
        entries = list(session.exec(select(LedgerEntry).order_by(LedgerEntry.position)))
        alerts = {f"alert:{each.id}": each for each in session.exec(select(Alert))}
        told = told_by(entries)
        assert verify(session).holds
    assert {each.state for each in alerts.values()} == set(AlertState), "each way an alert may stand was reached"
    assert told.keys() == alerts.keys()
    for subject, stands in told.items():
        row = alerts[subject]
        assert {name: getattr(row, name) for name in stands} == stands, subject


def test_a_rebuild_leaves_alerts_as_people_left_them(database, organisation):
    with database.transaction(organisation) as session:
        live(session, Random(11), 15)
        before = [each.model_dump() for each in session.exec(select(Alert).order_by(Alert.id))]
    assert before
    assert rebuild(database, organisation, now=START).corrected == ()
    with database.transaction(organisation) as session:
        assert [each.model_dump() for each in session.exec(select(Alert).order_by(Alert.id))] == before
