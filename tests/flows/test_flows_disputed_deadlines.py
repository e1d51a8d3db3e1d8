"""A dispute that was settled here waits for no answer, whatever the status still says; the payment does again."""

from datetime import timedelta
from decimal import Decimal

import pytest

from gateway.access.scope import Scope
from gateway.alerts.model import Alert, AlertState
from gateway.collection.agreements import disputing
from gateway.collection.agreements.following import follow_invoices
from gateway.collection.agreements.model import Dispute, Settlement
from gateway.collection.model import ActionState, CollectionAction
from gateway.flows.awaiting import awaited_of
from gateway.flows.deadlines import review_due_invoices
from gateway.lifecycle.model import InvoiceRecord
from gateway.lifecycle.projection import InvoiceState
from gateway.notifications.service import Channels
from tests.lifecycle.following import record, register
from tests.lifecycle.making_events import START, amount

DAY = timedelta(days=1)
EVERYTHING = Scope.everything()
UNANSWERED, UNPAID = "deadline.dispute_unanswered", "deadline.approved_unpaid"
UNPAID_PART = "deadline.approved_part_unpaid"
BY = "user:1"


@pytest.fixture
def disputed(world, invoice):
    """An invoice that the buyer disputes, all the way: pushed, delivered, heard of."""
    world.scenarios["F1"] = "contested"
    world.push(invoice("F1"))
    for _ in range(6):
        world.turn()
        world.clock.advance(timedelta(minutes=2))
    (found,) = world.rows(InvoiceRecord)
    assert InvoiceState.model_validate(found.state).status == "207"
    return found


def act(world, what, *about, **words):
    with world.database.transaction(world.organisation_id) as session:
        return what(session, EVERYTHING, *about, by=BY, now=world.clock(), **words)


def settle(world, outcome):
    (dispute,) = world.rows(Dispute)
    return act(world, disputing.settle, dispute.id, outcome, "Bon de livraison signé.")


def reopen(world):
    (dispute,) = world.rows(Dispute)
    return act(world, disputing.reopen, dispute.id, "Le client insiste.", Channels(by_email=False))


def review(world):
    review_due_invoices(world.context, world.organisation_id)


def told(world, condition):
    """The state of each alert of a condition with that of its action, the oldest first."""
    actions = {each.alert_id: each.state for each in world.rows(CollectionAction)}
    found = sorted((each for each in world.rows(Alert) if each.condition == condition), key=lambda each: each.opened_at)
    return [(each.state, actions[each.id]) for each in found]


@pytest.mark.parametrize("outcome", Settlement)
def test_a_dispute_settled_in_time_is_never_told_unanswered_although_the_invoice_stays_unpaid(world, disputed, outcome):
    world.clock.advance(2 * DAY)
    settle(world, outcome)
    for _ in range(20):
        world.clock.advance(DAY)
        review(world)
    assert told(world, UNANSWERED) == []
    (still,) = world.rows(InvoiceRecord)
    assert (InvoiceState.model_validate(still.state).issue("207") is None, still.remaining > 0) == (False, True)


@pytest.mark.parametrize("outcome", Settlement)
def test_a_dispute_settled_late_ends_what_told_it_unanswered(world, disputed, outcome):
    world.clock.advance(8 * DAY)
    review(world)
    assert told(world, UNANSWERED) == [(AlertState.OPEN, ActionState.TODO)]
    settle(world, outcome)
    review(world)
    assert told(world, UNANSWERED) == [(AlertState.CLOSED, ActionState.CANCELLED)]
    world.clock.advance(30 * DAY)
    review(world)
    assert len(told(world, UNANSWERED)) == 1


def test_a_dispute_that_is_opened_again_has_its_working_days_again(world, disputed):
    world.clock.advance(8 * DAY)
    review(world)
    settle(world, Settlement.REFUSED)
    review(world)
    reopen(world)
    review(world)
    assert len(told(world, UNANSWERED)) == 1
    world.clock.advance(8 * DAY)
    review(world)
    assert told(world, UNANSWERED) == [(AlertState.CLOSED, ActionState.CANCELLED), (AlertState.OPEN, ActionState.TODO)]


@pytest.mark.parametrize(
    ("outcome", "is_told_again"),
    [
        (Settlement.REFUSED, True),
        (Settlement.WITHDRAWN, True),
        (Settlement.PAYMENT, True),
        (Settlement.CREDIT_NOTE, False),
    ],
)
def test_an_approved_invoice_whose_dispute_is_settled_is_told_unpaid_again_unless_a_credit_note_covers_it(
    world, outcome, is_told_again
):
    hear(world, "205")
    world.clock.advance(29 * DAY)
    review(world)
    hear(world, "207", reasons=["PU_ERR"])
    review(world)
    assert told(world, UNPAID) == [(AlertState.CLOSED, ActionState.CANCELLED)]
    world.clock.advance(DAY)
    settle(world, outcome)
    review(world)
    assert [state for state, _ in told(world, UNPAID)] == [AlertState.CLOSED, *[AlertState.OPEN] * is_told_again]


def test_what_a_person_records_as_contested_is_not_told_unpaid_and_the_rest_is(world):
    hear(world, "205")
    world.clock.advance(29 * DAY)
    review(world)
    assert told(world, UNPAID) == [(AlertState.OPEN, ActionState.TODO)]
    (owed,) = world.rows(InvoiceRecord)
    new = disputing.NewDispute(owed.id, "PU_ERR", Decimal("20.00"))
    act(world, disputing.open_dispute, new, Channels(by_email=False))
    review(world)
    assert told(world, UNPAID) == [(AlertState.OPEN, ActionState.TODO)]
    with world.database.transaction(world.organisation_id) as session:
        awaited = awaited_of(session, owed, world.clock())
    assert "100,00" in awaited[0].expected.fr
    act(world, disputing.open_dispute, disputing.NewDispute(owed.id, "PU_ERR"), Channels(by_email=False))
    review(world)
    assert told(world, UNPAID) == [(AlertState.CLOSED, ActionState.CANCELLED)]


def test_of_a_partial_approval_the_rest_is_told_unpaid_until_it_is_paid(world):
    hear(world, "206", reasons=["QTE_ERR"], data=[amount("MNATTC", "20.00")])
    world.clock.advance(27 * DAY)
    review(world)
    assert told(world, UNPAID_PART) == []
    world.clock.advance(2 * DAY)
    review(world)
    assert told(world, UNPAID_PART) == [(AlertState.OPEN, ActionState.TODO)]
    (alert,) = [each for each in world.rows(Alert) if each.condition == UNPAID_PART]
    assert "il reste 100,00" in alert.reason_fr
    hear(world, "212", data=[amount("MEN", "100.00", "20.00")])
    review(world)
    assert told(world, UNPAID_PART) == [(AlertState.CLOSED, ActionState.CANCELLED)]
    settle(world, Settlement.REFUSED)
    review(world)
    assert [state for state, _ in told(world, UNPAID_PART)] == [AlertState.CLOSED, AlertState.OPEN]
    assert told(world, UNPAID) == []


def hear(world, code, **details):
    """A status of F1 comes now, and what follows of it."""
    if not world.rows(InvoiceRecord):
        register(world.database, world.organisation_id)
    hours = (world.clock() - START) / timedelta(hours=1)
    record(world.database, world.organisation_id, code, hours, now=world.clock(), **details)
    with world.database.transaction(world.organisation_id) as session:
        (row,) = world.rows(InvoiceRecord)
        follow_invoices(session, [session.merge(row)], world.clock())
