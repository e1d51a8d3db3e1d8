"""A dispute or a suspension that also passed its deadline is one line of the worklist, worked once, counted once."""

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from gateway.access.principal import Principal
from gateway.access.roles import Role
from gateway.access.scope import Scope
from gateway.alerts.model import Alert
from gateway.alerts.service import close
from gateway.collection import service
from gateway.collection.agreements import disputing
from gateway.collection.agreements.model import Dispute
from gateway.collection.model import ActionState, CollectionAction
from gateway.collection.service import cancel_for_closed_alert
from gateway.collection.worklist import matters
from gateway.collection.worklist.listing import WorklistFilter, worklist_of
from gateway.collection.worklist.matters import Viewer
from gateway.collection.worklist.policy import worklist_policy
from gateway.collection.worklist.ranking import Source
from gateway.customers.linking import link_invoice
from gateway.flows.deadlines import review_due_invoices
from gateway.kernel.clock import paris_date
from gateway.ledger.model import LedgerEntry
from gateway.notifications.service import Channels
from gateway.web.repository import waiting
from tests.alerts.raising import follow
from tests.lifecycle.following import invoice as invoice_of
from tests.lifecycle.following import register
from tests.lifecycle.making_events import START, amount

DAY = timedelta(days=1)
EVERYTHING = Scope.everything()
PARTS = {"data": [amount("MNATTC", "30.00")], "reasons": ["PU_ERR"]}


@pytest.fixture
def marie(world):
    """Someone who sees the whole house."""
    return Principal(world.organisation_id, "user", uuid4(), "Marie", frozenset(), Role.COLLECTOR, EVERYTHING)


@pytest.fixture
def owed(world):
    """F1, of 120.00, whose customer is known."""
    registration = register(world.database, world.organisation_id)
    with world.database.transaction(world.organisation_id) as session:
        link_invoice(session, registration, invoice_of().buyer, world.clock())
    return registration.invoice


def hear(world, code, **details):
    return follow(
        world.database,
        world.organisation_id,
        code,
        (world.clock() - START) / timedelta(hours=1),
        now=world.clock(),
        **details,
    )


def pass_days(world, days=9):
    world.clock.advance(days * DAY)
    review_due_invoices(world.context, world.organisation_id)


def listed(world, who):
    """The lines to do, which are as many as the number beside the navigation."""
    today = paris_date(world.clock())
    with world.database.transaction(world.organisation_id) as session:
        found = matters.matters(session, Viewer.of(who))
        beside = waiting(session, who).actions
    of_today = worklist_of(found, WorklistFilter(), today, worklist_policy(today))
    assert beside == of_today.total == sum(of_today.by_team.values())
    return [each.matter for each in of_today.page.items]


def states(world):
    return sorted(each.state for each in world.rows(CollectionAction))


@pytest.mark.parametrize(
    ("code", "details", "at_stake", "leads", "tells"),
    [
        ("207", PARTS, "30.00", "invoice.disputed", "aucune issue"),
        ("207", {"reasons": ["PU_ERR"]}, "120.00", "invoice.disputed", "aucune issue"),
        ("208", {"reasons": ["JUSTIF_ABS"]}, "120.00", "deadline.suspension_unanswered", "a suspendu"),
    ],
)
def test_what_passed_its_deadline_is_one_line_that_tells_both_and_counts_the_amount_once(
    world, owed, marie, code, details, at_stake, leads, tells
):
    hear(world, code, **details)
    pass_days(world)
    assert states(world) == [ActionState.TODO, ActionState.TODO]
    alerts = {each.id: each.condition for each in world.rows(Alert)}
    actions = {each.id: each for each in world.rows(CollectionAction)}
    (line,) = listed(world, marie)
    leader, (other,) = actions.pop(line.id), actions.values()
    assert (alerts[leader.alert_id], line.also, line.amount) == (leads, (other.id,), Decimal(at_stake))
    assert line.explanation.fr.startswith(f"{leader.explanation_fr} Aussi : ")
    assert tells in line.explanation.fr


def test_doing_the_line_does_all_that_it_stands_for_and_the_ledger_tells_each(world, owed, marie):
    hear(world, "207", **PARTS)
    pass_days(world)
    (line,) = listed(world, marie)
    with world.database.transaction(world.organisation_id) as session:
        service.assign(session, EVERYTHING, line.id, to_user=marie.id, by_user=marie.id, now=world.clock())
    (line,) = listed(world, marie)
    assert line.assigned_to == marie.id
    with world.database.transaction(world.organisation_id) as session:
        service.complete(
            session, EVERYTHING, line.also[0], user_id=marie.id, outcome="Prix corrigé.", now=world.clock()
        )
    assert listed(world, marie) == []
    done = world.rows(CollectionAction)
    assert [(each.state, each.outcome_fr, each.done_by) for each in done] == [("done", "Prix corrigé.", marie.id)] * 2
    told = [each.subject for each in world.rows(LedgerEntry) if each.kind == "action.done"]
    assert sorted(told) == sorted(f"action:{each.id}" for each in done)


def test_a_line_is_found_by_whichever_action_it_stands_for(world, owed, marie):
    hear(world, "208", reasons=["JUSTIF_ABS"])
    pass_days(world)
    (line,) = listed(world, marie)
    with world.database.transaction(world.organisation_id) as session:
        for each in (line.id, *line.also):
            assert matters.matter(session, Viewer.of(marie), Source.ACTION, each).id == line.id


def test_when_one_alert_closes_the_other_reason_stands_by_itself(world, owed, marie):
    hear(world, "207", **PARTS)
    pass_days(world)
    (line,) = listed(world, marie)
    event = next(each for each in world.rows(Alert) if each.condition == "invoice.disputed")
    with world.database.transaction(world.organisation_id) as session:
        closed = close(session, EVERYTHING, event.id, user_id=marie.id, because="Vu.", now=world.clock())
        cancel_for_closed_alert(session, closed, world.clock())
    (left,) = listed(world, marie)
    assert (left.id, left.also, left.amount) == (line.also[0], (), Decimal("30.00"))


def test_a_status_given_anew_is_the_same_matter_and_the_latest_amount_counts(world, owed, marie):
    hear(world, "207", **PARTS)
    world.clock.advance(DAY)
    hear(world, "207", data=[amount("MNATTC", "50.00")], reasons=["QTE_ERR"], message_id="again")
    (line,) = listed(world, marie)
    assert (line.amount, len(line.also)) == (Decimal("50.00"), 1)
    pass_days(world)
    (line,) = listed(world, marie)
    assert (line.amount, len(line.also)) == (Decimal("50.00"), 2)


def test_disputes_of_separate_parts_stay_lines_of_their_own(world, owed, marie):
    for part in ("20.00", "30.00"):
        with world.database.transaction(world.organisation_id) as session:
            new = disputing.NewDispute(owed.id, "PU_ERR", Decimal(part))
            disputing.open_dispute(session, EVERYTHING, new, Channels(by_email=False), by="user:1", now=world.clock())
    assert sorted(each.explanation.fr.count("Aussi") for each in listed(world, marie)) == [0, 0]
    assert len(world.rows(Dispute)) == 2


def test_what_is_contested_and_what_is_not_are_two_matters_and_make_up_the_invoice(world, owed, marie):
    hear(world, "206", **PARTS)
    pass_days(world, 40)
    lines = listed(world, marie)
    assert sorted(each.amount for each in lines) == [Decimal("30.00"), Decimal("90.00")]
