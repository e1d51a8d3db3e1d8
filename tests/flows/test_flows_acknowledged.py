"""What a platform makes of a flow after taking it is kept beside its delivery, once, and a refusal calls a person."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import select
from typer.testing import CliRunner

from gateway.access.scope import Scope
from gateway.alerts.model import Alert, AlertState
from gateway.alerts.refused_deliveries import RefusedDelivery, alert_for_refused_delivery
from gateway.cli import access, app, working
from gateway.cli.timeline import as_text
from gateway.collection.model import CollectionAction
from gateway.flows.awaiting import awaited_of
from gateway.flows.emission.errors import DeliveryNotRefusedError
from gateway.flows.emission.resending import refused_deliveries, resend
from gateway.flows.hearing.answers import delivery_of, news
from gateway.flows.model import Flow, PlatformCursor
from gateway.flows.platforms.client import PlatformAcknowledgement, PlatformFlow
from gateway.flows.polling import poll_platform
from gateway.flows.simulator.answers import AnsweredInvoice
from gateway.flows.simulator.answers import answer as say
from gateway.flows.simulator.scenarios import Step
from gateway.flows.terms import AckStatus, FlowDirection
from gateway.invoices.reading import read_invoice
from gateway.jobs.errors import DeliveryNotFoundError
from gateway.jobs.model import OutboxMessage
from gateway.ledger.model import LedgerEntry
from gateway.lifecycle.cdar.writing import write_cdar
from gateway.lifecycle.deliveries import KeptAnswer, Remark
from gateway.lifecycle.model import InvoiceRecord
from gateway.lifecycle.statuses import status
from gateway.lifecycle.timeline import timeline_of

START = datetime(2026, 10, 5, tzinfo=UTC)
VIRUS = Remark(level="Error", item="file", reason_code="VirusFound", message="A virus was found in the file.")
REFUSED = PlatformAcknowledgement(AckStatus.ERROR, (VIRUS,))
ACCEPTED = PlatformAcknowledgement(AckStatus.OK)
PENDING = PlatformAcknowledgement(AckStatus.PENDING)


@pytest.fixture
def sent(world, invoice):
    """An invoice that was handed over to a platform whose list the test writes; the delivery, and what acknowledges."""
    configure(world, platform="listed")
    world.push(invoice("F1"))
    world.drain()
    world.deliver()
    [message] = world.rows(OutboxMessage)

    def acknowledge(told: PlatformAcknowledgement, *, after: timedelta = timedelta(0), **changes) -> None:
        known = {"flow_id": message.remote_id, "tracking_id": message.idempotency_key, **changes}
        flow = PlatformFlow(
            name="invoice.xml",
            flow_syntax="UBL",
            flow_type="CustomerInvoice",
            updated_at=world.clock() + after,
            direction=FlowDirection.OUT,
            acknowledgement=told,
            **known,
        )
        world.listed.flows = [each for each in world.listed.flows if each.flow_id != flow.flow_id] + [flow]

    return acknowledge


def configure(world, **settings) -> None:
    world.context = replace(world.context, settings=world.context.settings.model_copy(update=settings))


def poll(world) -> int:
    return poll_platform(world.context, world.organisation_id, "listed")


def answers(world) -> list:
    return [message.answer for message in world.rows(OutboxMessage)]


def alerts(world) -> list[Alert]:
    return [alert for alert in world.rows(Alert) if alert.condition.startswith("delivery.")]


def ledger(world) -> list[str]:
    return [entry.kind for entry in world.rows(LedgerEntry) if entry.subject.startswith("delivery:")]


def test_a_refusal_is_kept_with_its_reasons_and_calls_the_billing_team(world, sent):
    sent(REFUSED)
    assert poll(world) == 0
    [answer] = answers(world)
    assert KeptAnswer.model_validate(answer) == KeptAnswer(status="Error", at=world.clock(), remarks=(VIRUS,))
    [alert] = alerts(world)
    assert (alert.condition, alert.team, alert.state) == ("delivery.refused", "billing", AlertState.OPEN)
    assert all(word in alert.reason_fr for word in ("F1", "listed", "VirusFound", "A virus was found in the file"))
    [record] = world.rows(InvoiceRecord)
    assert alert.invoice_id == record.id
    assert [action.kind for action in world.rows(CollectionAction)] == ["fix_and_reissue"]
    assert ledger(world) == ["delivery.refused"]
    assert len(world.rows(Flow)) == 1, "what we sent is not received"


def test_reading_the_same_acknowledgement_again_writes_nothing(world, sent):
    sent(REFUSED)
    poll(world)
    before = world.rows(LedgerEntry)
    world.clock.advance(timedelta(seconds=10))
    poll(world)
    assert world.rows(LedgerEntry) == before
    assert len(alerts(world)) == 1


def test_pending_is_no_answer_and_ok_is_one(world, sent):
    sent(PENDING)
    poll(world)
    assert answers(world) == [None]
    sent(ACCEPTED)
    poll(world)
    assert [answer["status"] for answer in answers(world)] == ["Ok"]
    assert ledger(world) == ["delivery.acknowledged"]
    assert alerts(world) == []


def test_a_refusal_that_is_taken_back_closes_its_alert_and_its_action(world, sent):
    sent(REFUSED)
    poll(world)
    world.clock.advance(timedelta(minutes=1))
    sent(ACCEPTED)
    poll(world)
    assert [alert.state for alert in alerts(world)] == [AlertState.CLOSED]
    assert [action.state for action in world.rows(CollectionAction)] == ["cancelled"]
    assert ledger(world) == ["delivery.refused", "delivery.acknowledged"]


def test_a_later_status_settles_the_refusal(world, sent, invoice):
    sent(REFUSED)
    poll(world)
    read = read_invoice(invoice("F1")).invoice
    subject = AnsweredInvoice(read, read.seller_siren, read.buyer_siren, read.issue_date)
    world.listed.files["S1"] = write_cdar(say(subject, Step("202"), at=world.clock(), received_at=world.clock()))
    world.listed.flows.append(PlatformFlow("S1", "S1.xml", "CDAR", "CustomerInvoiceLC", world.clock()))
    assert poll(world) == 1
    world.drain()
    [alert] = alerts(world)
    assert alert.state == AlertState.CLOSED
    assert "202" in alert.closed_because_fr


def test_a_flow_that_another_program_sent_is_passed_over(world, sent):
    sent(REFUSED, flow_id="of-another", tracking_id="of-another")
    assert poll(world) == 0
    assert answers(world) == [None]
    assert len(world.rows(Flow)) == 1


def test_a_platform_that_shows_no_tracking_id_is_understood_by_its_identifier(world, sent):
    sent(REFUSED, tracking_id=None)
    poll(world)
    assert [answer["status"] for answer in answers(world)] == ["Error"]


def test_a_delivery_that_is_leaving_is_not_waited_for_and_its_acknowledgement_is_read_again(world, sent):
    sent(REFUSED)
    world.clock.advance(timedelta(hours=1))
    sent(ACCEPTED, flow_id="of-another", tracking_id="of-another")
    with world.database.transaction(world.organisation_id) as holder:
        holder.exec(select(OutboxMessage).with_for_update()).one()
        poll(world)
    assert answers(world) == [None]
    [cursor] = world.rows(PlatformCursor)
    assert cursor.updated_after < world.clock() - timedelta(hours=1), "the mark stays before what was not kept"
    configure(world, poll_overlap_seconds=0)
    poll(world)
    assert [answer["status"] for answer in answers(world)] == ["Error"]


def test_the_timeline_shows_what_the_platform_made_of_the_file(world, sent):
    sent(REFUSED)
    poll(world)
    with world.database.transaction(world.organisation_id) as session:
        record = session.exec(select(InvoiceRecord)).one()
        timeline = timeline_of(session, Scope.everything(), record, world.clock(), awaited_of)
    [delivery] = timeline.transmission
    assert delivery.acknowledgement.status.code == "Error"
    assert delivery.acknowledgement.remarks == (VIRUS,)
    text = as_text(timeline, "fr")
    assert all(word in text for word in ("Refusée par la plateforme", "VirusFound", "A virus was found in the file."))


def resent(world, delivery_id: UUID) -> OutboxMessage:
    with world.database.transaction(world.organisation_id) as session:
        message = resend(session, world.context, delivery_id, by="Zoé", now=world.clock())
        session.expunge(message)
        return message


def test_a_refused_file_is_sent_again_as_a_new_attempt_under_a_tracking_id_of_its_own(world, sent):
    sent(REFUSED)
    poll(world)
    [refused] = world.rows(OutboxMessage)
    again = resent(world, refused.id)
    assert again.idempotency_key == f"{refused.idempotency_key}-2" != refused.idempotency_key
    assert {**again.payload, "attempt": None} == {**refused.payload, "attempt": None}
    assert [alert.state for alert in alerts(world)] == [AlertState.CLOSED]
    assert [action.state for action in world.rows(CollectionAction)] == ["cancelled"]
    world.deliver()
    states = {message.idempotency_key: message.state for message in world.rows(OutboxMessage)}
    assert states[again.idempotency_key] == "sent"
    [entry] = [each for each in world.rows(LedgerEntry) if each.kind == "delivery.resent"]
    assert (entry.subject, entry.content["by"]) == (f"delivery:{refused.id}", "Zoé")


def test_what_was_sent_again_and_refused_again_calls_a_person_again_and_may_be_sent_a_third_time(world, sent):
    sent(REFUSED)
    poll(world)
    [first] = world.rows(OutboxMessage)
    second = resent(world, first.id)
    world.deliver()
    world.clock.advance(timedelta(minutes=1))
    sent(REFUSED, flow_id=second.idempotency_key, tracking_id=second.idempotency_key)
    poll(world)
    assert sorted(alert.state for alert in alerts(world)) == [AlertState.CLOSED, AlertState.OPEN]
    with world.database.transaction(world.organisation_id) as session:
        assert [message.id for message in refused_deliveries(session)] == [second.id]
        record = session.exec(select(InvoiceRecord)).one()
        timeline = timeline_of(session, Scope.everything(), record, world.clock(), awaited_of)
    assert [delivery.may_be_resent for delivery in timeline.transmission] == [False, True]
    assert resent(world, second.id).idempotency_key == f"{first.idempotency_key}-3"


@pytest.mark.parametrize("told", [None, ACCEPTED])
def test_only_what_its_platform_refused_is_sent_again(world, sent, told):
    if told is not None:
        sent(told)
        poll(world)
    [message] = world.rows(OutboxMessage)
    with pytest.raises(DeliveryNotRefusedError):
        resent(world, message.id)
    with pytest.raises(DeliveryNotFoundError):
        resent(world, uuid4())
    assert len(world.rows(OutboxMessage)) == 1


def test_a_refused_file_is_sent_again_once_whoever_asks(world, sent):
    sent(REFUSED)
    poll(world)
    [refused] = world.rows(OutboxMessage)
    resent(world, refused.id)
    with pytest.raises(DeliveryNotRefusedError, match="again before"):
        resent(world, refused.id)
    assert len(world.rows(OutboxMessage)) == 2


def test_an_operator_lists_what_was_refused_and_sends_it_again(world, sent, monkeypatch):
    monkeypatch.setattr(access, "open_database", lambda _settings: world.database)
    monkeypatch.setattr(world.database, "close", lambda: None)
    services = SimpleNamespace(database=world.database, flows=world.context, close=lambda: None)
    monkeypatch.setattr(working, "build_services", lambda _settings: services)
    sent(REFUSED)
    poll(world)
    [refused] = world.rows(OutboxMessage)

    def run(*arguments: str) -> str:
        result = CliRunner().invoke(app, ("deliveries", *arguments), catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.output

    listed = run("list")
    assert all(word in listed for word in (str(refused.id), "refused", "VirusFound"))
    assert f"{refused.idempotency_key}-2" in run("resend", str(refused.id))
    assert run("list") == ""


def test_the_simulated_platform_refuses_a_file_and_the_gateway_hears_it(world, invoice):
    world.scenarios["F1"] = "inadmissible"
    world.push(invoice("F1"))
    world.turn()
    assert alerts(world) == [], "it is Pending first"
    world.clock.advance(timedelta(minutes=1))
    world.turn()
    assert [alert.condition for alert in alerts(world)] == ["delivery.refused"]
    for _ in range(3):
        world.clock.advance(timedelta(minutes=1))
        world.turn()
    assert len(world.rows(Flow)) == 1, "no status ever comes"
    assert len(alerts(world)) == 1


# Pure decisions

STATUSES = st.sampled_from(list(AckStatus))


@given(st.lists(st.tuples(STATUSES, st.integers(0, 5)), min_size=1, max_size=12))
def test_the_answer_kept_is_that_of_the_newest_instant_and_never_an_older_one(told):
    kept = None
    for answer, minute in told:
        at = START + timedelta(minutes=minute)
        found = news(kept, PlatformAcknowledgement(answer), at)
        assert found is None or kept is None or found.at >= kept.at
        assert found is None or kept is None or found.status != kept.status
        kept = found or kept
    said = [(answer, minute) for answer, minute in told if answer is not AckStatus.PENDING]
    assert (kept is not None) == bool(said)


def message(**changes) -> OutboxMessage:
    facts = {
        "kind": "platform.flow",
        "idempotency_key": "flow-1",
        "payload": {"platform": "one"},
        "remote_id": "R1",
        **changes,
    }
    return OutboxMessage(id=uuid4(), **facts)


def flow(**changes) -> PlatformFlow:
    known = PlatformFlow("R1", "a.xml", "UBL", "CustomerInvoice", START, "flow-1")
    return replace(known, **changes)


def test_a_delivery_is_known_by_the_platforms_identifier_before_our_own():
    mine = message()
    assert delivery_of(flow(tracking_id=None), "one", [mine]) is mine
    assert delivery_of(flow(flow_id="R2"), "one", [mine]) is None, "a second flow of that tracking id was not taken"
    assert delivery_of(flow(), "two", [mine]) is None
    leaving = message(remote_id=None)
    assert delivery_of(flow(), "one", [leaving]) is leaving
    assert delivery_of(flow(tracking_id=None), "one", [leaving]) is None


def test_the_alert_of_a_status_names_it_and_asks_for_it_again():
    remarks = [VIRUS.model_copy(update={"level": "Warning", "reason_code": f"W{n}"}) for n in range(4)] + [VIRUS]
    refused = RefusedDelivery(uuid4(), "one", "status.xml", remarks, status("212"))
    decision = alert_for_refused_delivery(refused)
    assert decision.condition == "delivery.status_refused"
    assert "Encaissée" in decision.title.fr
    assert decision.reason.fr.index("VirusFound") < decision.reason.fr.index("W0")
    assert "(+ 2)" in decision.reason.fr
    assert "{" not in decision.title.fr + decision.reason.en + decision.next_step.fr
