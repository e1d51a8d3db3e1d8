"""A status that the public portal refused is told it again, to it alone; silence then closes the alert."""

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlmodel import select
from typer.testing import CliRunner

from gateway.access.scope import Scope
from gateway.alerts.deadline_facts import facts_of, no_receipts_known
from gateway.alerts.model import Alert, AlertState
from gateway.cli import access, app
from gateway.collection.model import CollectionAction
from gateway.flows.awaiting import awaited_of
from gateway.flows.consequences import OpenAlerts, follow_statuses
from gateway.flows.emission.errors import DeliveryNotRefusedError
from gateway.flows.emission.orders import CollectedAmount, StatusOrder
from gateway.flows.emission.resending import resend
from gateway.flows.emission.service import give_status
from gateway.flows.refusals import close_cured_refusals
from gateway.jobs.model import OutboxMessage
from gateway.kernel.dated import data_file
from gateway.ledger.model import LedgerEntry
from gateway.lifecycle.cdar.building import GivenReason, InvoiceReference, build_status, platform, public_portal
from gateway.lifecycle.cdar.reading import read_cdar
from gateway.lifecycle.deliveries import Report, ReportOutcome
from gateway.lifecycle.model import Direction, InvoiceRecord, LifecycleEvent
from gateway.lifecycle.service import record_message
from gateway.lifecycle.timeline import timeline_of
from gateway.validation.service import validate

SILENCE = timedelta(days=data_file("lifecycle.toml")["ppf"]["refusal_days"])
HOUR = timedelta(hours=1)


@pytest.fixture
def reported(world, invoice) -> InvoiceRecord:
    """An invoice of ours with a receipt that was told to the buyer and to the public portal."""
    world.push(invoice("F1"))
    world.drain()
    with world.database.transaction(world.organisation_id) as session:
        record = session.exec(select(InvoiceRecord)).one()
        parts = tuple(CollectedAmount(rate=Decimal(rate), amount=Decimal("12.00")) for rate in record.totals_by_rate)
        order = StatusOrder(status="212", collected=parts, to_portal=True)
        give_status(session, world.context, record, order, now=world.clock())
    world.deliver()
    world.clock.advance(HOUR)
    return record


def refuse(world, record: InvoiceRecord) -> None:
    """The portal refuses the last report made: a 601 is heard."""
    now = world.clock()
    message = build_status(
        InvoiceReference(record.number, record.issue_date, record.seller_siren),
        "601",
        issuer=public_portal(),
        recipients=[platform()],
        at=now,
        reasons=[GivenReason("REJ_HAB")],
    )
    with world.database.transaction(world.organisation_id) as session:
        heard = record_message(
            session,
            message=message,
            direction=Direction.RECEIVABLE,
            document_sha256=None,
            flow_id=None,
            now=now,
            source="platform:simulator",
        )
        follow_statuses(session, heard, world.context.settings, now, OpenAlerts(session, {record.id: record.number}))
    world.clock.advance(HOUR)


def reports(world) -> tuple[Report, ...]:
    with world.database.transaction(world.organisation_id) as session:
        record = session.exec(select(InvoiceRecord)).one()
        return timeline_of(session, Scope.everything(), record, world.clock(), awaited_of).reporting


def tell_again(world, report: Report) -> Report:
    """A person tells it the portal again; the new report, once it has left."""
    with world.database.transaction(world.organisation_id) as session:
        sent = resend(session, world.context, report.id, by="Zoé", now=world.clock()).id
    world.deliver()
    world.clock.advance(HOUR)
    return next(each for each in reports(world) if each.id == sent)


def alert_states(world) -> list[str]:
    return [alert.state for alert in world.rows(Alert) if alert.condition == "reporting.status_rejected"]


def documents(world) -> list:
    told = (row for row in world.rows(OutboxMessage) if row.payload.get("for_portal"))
    return [world.store.get(row.payload["document"]) for row in sorted(told, key=lambda row: row.created_at)]


def test_a_refused_report_is_told_again_to_the_portal_alone_in_a_new_message_that_says_the_same(world, reported):
    refuse(world, reported)
    [refused] = reports(world)
    assert (refused.outcome.code, refused.may_be_resent) == (ReportOutcome.REFUSED, True)
    before = len(world.rows(OutboxMessage))
    again = tell_again(world, refused)
    assert (again.instead_of, again.outcome.code) == (refused.id, ReportOutcome.OPEN)
    assert len(world.rows(OutboxMessage)) == before + 1, "the buyer is told nothing again"
    first, second = map(read_cdar, documents(world))
    assert first.message_id != second.message_id
    assert first.issued != second.issued
    same = {"message_id": "", "issued": None}
    assert first.model_copy(update=same) == second.model_copy(update=same)
    assert validate(documents(world)[1]).verdict == "valid"
    [entry] = [each for each in world.rows(LedgerEntry) if each.kind == "report.repeated"]
    assert (entry.subject, entry.content["by"]) == (f"delivery:{refused.id}", "Zoé")


def test_a_receipt_that_is_told_again_counts_once(world, reported):
    refuse(world, reported)
    tell_again(world, reports(world)[0])
    [record] = world.rows(InvoiceRecord)
    assert record.collected == sum(Decimal("12.00") for _ in reported.totals_by_rate)
    assert [event.status for event in world.rows(LifecycleEvent)] == ["212", "601"]


def test_the_alert_of_a_refusal_closes_when_silence_has_accepted_what_was_told_again_and_not_before(world, reported):
    refuse(world, reported)
    tell_again(world, reports(world)[0])
    world.clock.advance(SILENCE - HOUR - timedelta(seconds=1))
    assert close_cured_refusals(world.context, world.organisation_id) == 0
    assert alert_states(world) == [AlertState.OPEN]
    world.clock.advance(timedelta(seconds=1))
    assert close_cured_refusals(world.context, world.organisation_id) == 1
    [alert] = world.rows(Alert)
    assert alert.state == AlertState.CLOSED
    assert "has not refused it in time" in alert.closed_because_en
    assert [action.state for action in world.rows(CollectionAction)] == ["cancelled"]
    assert close_cured_refusals(world.context, world.organisation_id) == 0


def test_an_operator_finds_what_the_portal_refused_until_it_is_told_again(world, reported, monkeypatch):
    monkeypatch.setattr(access, "open_database", lambda _settings: world.database)
    monkeypatch.setattr(world.database, "close", lambda: None)
    refuse(world, reported)
    [refused] = reports(world)

    def listed() -> str:
        return CliRunner().invoke(app, ("deliveries", "list"), catch_exceptions=False).output

    assert all(word in listed() for word in (str(refused.id), "212", "Refusé par le portail public"))
    tell_again(world, refused)
    assert listed() == ""


def test_what_is_told_again_has_the_legal_day_from_then_on_and_is_not_late_at_once(world, reported):
    refuse(world, reported)
    world.clock.advance(timedelta(days=2))
    [refused] = reports(world)
    with world.database.transaction(world.organisation_id) as session:
        resend(session, world.context, refused.id, by="Zoé", now=world.clock())

        facts = facts_of(session, [session.merge(reported)], no_receipts_known)[reported.id]
    assert [(each.code, each.since) for each in facts.unsent] == [("212", world.clock())]


def test_silence_alone_cures_no_refusal(world, reported):
    refuse(world, reported)
    world.clock.advance(SILENCE * 2)
    assert close_cured_refusals(world.context, world.organisation_id) == 0
    assert alert_states(world) == [AlertState.OPEN]


def test_another_receipt_accepted_by_silence_cures_no_refusal(world, reported):
    """It has no mark that tells a correction from another payment."""
    refuse(world, reported)
    with world.database.transaction(world.organisation_id) as session:
        [rate, *_] = reported.totals_by_rate
        order = StatusOrder(
            status="212", collected=(CollectedAmount(rate=Decimal(rate), amount=Decimal("12.00")),), to_portal=True
        )
        give_status(session, world.context, reported, order, now=world.clock())
    world.deliver()
    world.clock.advance(SILENCE * 2)
    assert [each.outcome.code for each in reports(world)] == [ReportOutcome.REFUSED, ReportOutcome.ACCEPTED]
    assert close_cured_refusals(world.context, world.organisation_id) == 0


def test_what_is_refused_again_is_told_again_and_its_acceptance_cures_both_refusals(world, reported):
    refuse(world, reported)
    second = tell_again(world, reports(world)[0])
    refuse(world, reported)
    assert alert_states(world) == [AlertState.OPEN, AlertState.OPEN]
    world.clock.advance(SILENCE)
    assert close_cured_refusals(world.context, world.organisation_id) == 0
    tell_again(world, next(each for each in reports(world) if each.id == second.id))
    world.clock.advance(SILENCE)
    assert close_cured_refusals(world.context, world.organisation_id) == 2


def test_what_its_platform_stopped_never_reached_the_portal_and_cures_nothing(world, reported):
    refuse(world, reported)
    again = tell_again(world, reports(world)[0])
    with world.database.transaction(world.organisation_id) as session:
        row = session.get_one(OutboxMessage, again.id)
        row.answer = {"status": "Error", "at": world.clock().isoformat(), "remarks": []}
    world.clock.advance(SILENCE)
    assert [each.outcome.code for each in reports(world)] == [ReportOutcome.REFUSED, ReportOutcome.STOPPED]
    assert close_cured_refusals(world.context, world.organisation_id) == 0
    tell_again(world, next(each for each in reports(world) if each.id == again.id))
    world.clock.advance(SILENCE)
    assert close_cured_refusals(world.context, world.organisation_id) == 1, "a new attempt of it keeps the link"


def test_a_report_is_told_again_once_and_only_when_the_portal_has_refused_it(world, reported):
    [open_report] = reports(world)
    with pytest.raises(DeliveryNotRefusedError, match="portal has not refused"):
        tell_again(world, open_report)
    refuse(world, reported)
    tell_again(world, open_report)
    assert [each.may_be_resent for each in reports(world)] == [False, False]
    with pytest.raises(DeliveryNotRefusedError, match="told again before"):
        tell_again(world, open_report)
    assert len(reports(world)) == 2
