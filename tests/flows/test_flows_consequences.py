"""A status that needs a person opens one alert and one action; a refused file does too."""

from dataclasses import replace
from datetime import timedelta

import pytest

from fixtures.broken import broken_samples
from fixtures.content import Preceding
from fixtures.drafts import Kind
from fixtures.ubl import to_ubl
from gateway.access.model import User
from gateway.access.roles import Role
from gateway.alerts.model import Alert, AlertState
from gateway.collection.model import ActionState, CollectionAction
from gateway.flows.simulator.answers import AnsweredInvoice, answer
from gateway.flows.simulator.scenarios import Step, scenarios
from gateway.invoices.reading import read_invoice
from gateway.jobs.model import OutboxMessage
from gateway.lifecycle.cdar.writing import write_cdar
from gateway.lifecycle.model import InvoiceRecord
from gateway.notifications.model import Notification

STEP = timedelta(minutes=1)


@pytest.fixture
def manager(world):
    with world.database.transaction(world.organisation_id) as session:
        user = User(
            organisation_id=world.organisation_id,
            email="manager@example.com",
            name="Responsable",
            password_hash="x",
            role=Role.AR_MANAGER.value,
            created_at=world.clock(),
        )
        session.add(user)
        return user


def live(world, steps: int) -> None:
    for _ in range(steps):
        world.turn()
        world.clock.advance(STEP)
    world.turn()


@pytest.mark.parametrize("scenario", ["rejected", "refused"])
def test_a_rejection_or_a_refusal_opens_one_alert_with_one_action_and_tells_the_manager(
    world, invoice, manager, scenario
):
    world.scenarios["F1"] = scenario
    world.push(invoice("F1"))
    live(world, 5)
    [alert], [action], [notification] = world.rows(Alert), world.rows(CollectionAction), world.rows(Notification)
    assert (alert.state, action.state) == (AlertState.OPEN, ActionState.TODO)
    assert (action.alert_id, notification.user_id) == (alert.id, manager.id)
    assert alert.invoice_id is not None


@pytest.mark.usefixtures("manager")
def test_a_rejection_heard_after_the_new_invoice_leaves_nothing_to_do_and_tells_nobody(world, draft_of):
    world.scenarios["F1"] = "rejected"
    rejected = draft_of("F1", Kind.INVOICE)
    world.push(to_ubl(rejected))
    world.drain()
    again = replace(draft_of("F2", Kind.INVOICE), preceding=Preceding("F1", rejected.issue_date))
    world.push(to_ubl(again))
    live(world, 5)
    [alert], [action] = world.rows(Alert), world.rows(CollectionAction)
    assert (alert.condition, alert.state, action.state) == (
        "invoice.rejected",
        AlertState.CLOSED,
        ActionState.CANCELLED,
    )
    assert world.rows(Notification) == []


@pytest.mark.parametrize("scenario", ["disputed", "suspended"])
def test_what_settles_the_matter_closes_its_alert_and_takes_its_action_off_the_list(world, invoice, scenario):
    world.scenarios["F1"] = scenario
    world.push(invoice("F1"))
    live(world, 8)
    [alert], [action] = world.rows(Alert), world.rows(CollectionAction)
    assert (alert.state, action.state) == (AlertState.CLOSED, ActionState.CANCELLED)


@pytest.mark.parametrize("scenario", ["paid", "silent"])
def test_an_invoice_that_goes_well_calls_nobody(world, invoice, scenario):
    world.scenarios["F1"] = scenario
    world.push(invoice("F1"))
    live(world, 8)
    assert world.rows(Alert) == world.rows(CollectionAction) == []


def test_a_refused_file_alerts_the_billing_team_once_with_its_number(world, manager):
    data = next(each.data for each in broken_samples() if each.name == "xsd-decimal-comma-ubl")
    world.push(data, name="export.xml")
    world.drain()
    world.drain()
    [alert], [action] = world.rows(Alert), world.rows(CollectionAction)
    assert (alert.team, alert.flow_id) == ("billing", world.push(data).flow.id)
    assert action.alert_id == alert.id
    assert len(world.rows(Notification)) == 1


def test_alerts_of_statuses_that_came_first_are_tied_to_the_invoice_when_it_arrives(world, invoice):
    read = read_invoice(invoice("F1")).invoice
    subject = AnsweredInvoice(read, read.seller_siren, read.buyer_siren, read.issue_date)
    refusal = scenarios()["refused"].steps[-1]
    message = answer(subject, refusal, at=world.clock(), received_at=world.clock())
    world.push(write_cdar(message), source="file")
    world.drain()
    assert [alert.invoice_id for alert in world.rows(Alert)] == [None]
    world.push(invoice("F1"))
    world.drain()
    [record], [alert], [action] = world.rows(InvoiceRecord), world.rows(Alert), world.rows(CollectionAction)
    assert alert.invoice_id == action.invoice_id == record.id
    assert record.status == "210"


def test_a_status_that_the_organisation_sets_itself_is_sent_to_the_platform_once(world, invoice):
    read = read_invoice(invoice("F1")).invoice
    subject = AnsweredInvoice(read, read.seller_siren, read.buyer_siren, read.issue_date)
    completed = write_cdar(
        answer(subject, Step("209", comment="Bon de livraison 4711."), at=world.clock(), received_at=world.clock())
    )
    world.push(completed, source="file")
    world.push(completed, source="api")
    world.drain()
    [message] = world.rows(OutboxMessage)
    assert (message.kind, message.payload["flow_syntax"]) == ("platform.flow", "CDAR")
