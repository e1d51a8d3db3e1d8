"""An alert makes exactly one action; it is done once, or cancelled when the matter is settled."""

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from sqlmodel import select

from gateway.access.scope import Scope
from gateway.alerts.refused_flows import RefusedFlow
from gateway.alerts.service import attach_invoice as attach_alerts
from gateway.alerts.service import close, raise_for_rejected_flow
from gateway.collection.decisions import ActionKind
from gateway.collection.errors import ActionNotFoundError, ActionNotOpenError
from gateway.collection.model import ActionState, CollectionAction
from gateway.collection.repository import ActionFilter, action_by_id, count_actions, worklist
from gateway.collection.service import assign, attach_invoice, cancel_for_closed_alert, complete, create_action_for
from gateway.kernel.text import Text
from gateway.ledger.service import verify
from tests.alerts.raising import ALERTING, follow
from tests.lifecycle.following import invoice, register
from tests.lifecycle.making_events import BUYER_SIREN, START, amount

EVERYTHING = Scope.everything()
PERSON, LYON, LILLE = uuid4(), uuid4(), uuid4()

KINDS = {
    "213": ActionKind.FIX_AND_REISSUE,
    "210": ActionKind.ANSWER_DISPUTE,
    "207": ActionKind.ANSWER_DISPUTE,
    "208": ActionKind.SEND_DOCUMENT,
    "206": ActionKind.CALL,
    "501": ActionKind.FIX_AND_REISSUE,
    "221": ActionKind.RESEND,
}


def actions(database, organisation):
    with database.transaction(organisation) as session:
        return list(session.exec(select(CollectionAction).order_by(CollectionAction.created_at)))


@pytest.mark.parametrize(("code", "reason"), ALERTING.items())
def test_each_alerting_status_makes_exactly_one_action(database, organisation, code, reason):
    followed = register(database, organisation, agency_id=LYON).invoice
    opened = follow(database, organisation, code, 1, reasons=[reason]).reaction.opened
    follow(database, organisation, code, 1, reasons=[reason], message_id="repeated")
    assert opened is not None
    with database.transaction(organisation) as session:
        create_action_for(session, opened, START)
    (action,) = actions(database, organisation)
    assert (action.alert_id, action.invoice_id, action.kind) == (opened.alert.id, followed.id, KINDS[code])
    assert (action.agency_id, action.customer_siren) == (LYON, BUYER_SIREN)
    assert (action.amount, action.currency) == (Decimal("120.00"), "EUR")
    assert "F1" in action.title_fr
    assert action.explanation_fr
    assert action.due_on is not None


def test_what_was_collected_is_not_at_stake(database, organisation):
    register(database, organisation)
    follow(database, organisation, "212", 1, data=[amount("MEN", "50.00", "20.00")])
    follow(database, organisation, "207", 2, reasons=["PU_ERR"])
    assert actions(database, organisation)[0].amount == Decimal("70.00")


def test_an_action_leaves_the_worklist_when_a_status_settles_its_alert(database, organisation):
    register(database, organisation)
    follow(database, organisation, "208", 1, reasons=["JUSTIF_ABS"])
    follow(database, organisation, "209", 2)
    (action,) = actions(database, organisation)
    assert action.state == ActionState.CANCELLED
    assert ("« Complétée » (209)" in action.outcome.fr, "“Completed” (209)" in action.outcome.en) == (True, True)


def test_an_action_already_done_stays_done_when_its_alert_closes(database, organisation):
    opened = follow(database, organisation, "207", 1, reasons=["PU_ERR"]).reaction.opened
    (action,) = actions(database, organisation)
    with database.transaction(organisation) as session:
        complete(session, EVERYTHING, action.id, user_id=PERSON, outcome="avoir émis", now=START)
    with database.transaction(organisation) as session:
        alert = close(session, EVERYTHING, opened.alert.id, user_id=PERSON, because="avoir émis", now=START)
        assert cancel_for_closed_alert(session, alert, START) is None
    assert actions(database, organisation)[0].state == ActionState.DONE


def test_an_action_is_done_once(database, organisation):
    follow(database, organisation, "207", 1, reasons=["PU_ERR"])
    (action,) = actions(database, organisation)
    with database.transaction(organisation) as session:
        assign(session, EVERYTHING, action.id, to_user=PERSON, by_user=PERSON, now=START)
    with database.transaction(organisation) as session:
        complete(session, EVERYTHING, action.id, user_id=PERSON, outcome="appelé", now=START + timedelta(hours=1))
    for handle in (
        lambda session: complete(session, EVERYTHING, action.id, user_id=uuid4(), outcome="encore", now=START),
        lambda session: assign(session, EVERYTHING, action.id, to_user=None, by_user=PERSON, now=START),
    ):
        with pytest.raises(ActionNotOpenError), database.transaction(organisation) as session:
            handle(session)
    (done,) = actions(database, organisation)
    assert (done.state, done.done_by, done.outcome.en, done.assigned_to) == ("done", PERSON, "appelé", PERSON)
    with database.transaction(organisation) as session:
        assert verify(session).holds


def test_a_refused_flow_makes_one_action_for_billing(database, organisation):
    flow = RefusedFlow(uuid4(), "F9.xml", [Text("Total faux.", "Wrong total.")], number="F9")
    with database.transaction(organisation) as session:
        opened = raise_for_rejected_flow(session, flow, START)
        assert opened is not None
        create_action_for(session, opened, START)
    (action,) = actions(database, organisation)
    assert (action.kind, action.team, action.amount) == (ActionKind.FIX_AND_REISSUE, "billing", None)
    assert "F9" in action.title_fr


def test_an_action_before_its_invoice_is_tied_to_it_later(database, organisation):
    follow(database, organisation, "207", 1, reasons=["PU_ERR"])
    registration = register(database, organisation, agency_id=LYON)
    with database.transaction(organisation) as session:
        attach_invoice(session, attach_alerts(session, registration), registration.invoice)
    (action,) = actions(database, organisation)
    assert (action.invoice_id, action.agency_id, action.amount) == (registration.invoice.id, LYON, Decimal("120.00"))


@pytest.fixture
def work(database, organisation):
    """A small and a large dispute in Lyon, a rejection in Lille."""
    for number, due, agency in (("F1", "120.00", LYON), ("F2", "50000.00", LYON), ("F3", "12.00", LILLE)):
        register(database, organisation, invoice(number, due), agency_id=agency)
    for number in ("F1", "F2"):
        follow(database, organisation, "207", 1, reasons=["PU_ERR"], number=number)
    follow(database, organisation, "213", 1, reasons=["REJ_SEMAN"], number="F3")


def numbers(page):
    return [action.title_fr.rsplit(" ", 1)[1] for action in page.items]


@pytest.mark.usefixtures("work")
def test_the_worklist_puts_first_what_brings_most(database, organisation):
    with database.transaction(organisation) as session:
        first = worklist(session, EVERYTHING, ActionFilter(), limit=2)
        rest = worklist(session, EVERYTHING, ActionFilter(), cursor=first.next_cursor, limit=2)
        assert numbers(first) + numbers(rest) == ["F2", "F3", "F1"]
        assert rest.next_cursor is None
        assert [each.priority for each in first.items] == sorted((each.priority for each in first.items), reverse=True)
        for wanted, expected in (
            (ActionFilter(kinds=(ActionKind.FIX_AND_REISSUE,)), ["F3"]),
            (ActionFilter(teams=("billing",)), ["F3"]),
            (ActionFilter(text="facture f2"), ["F2"]),
            (ActionFilter(states=(ActionState.DONE,)), []),
            (ActionFilter(assigned_to=PERSON), []),
            (ActionFilter(unassigned=True), ["F2", "F3", "F1"]),
        ):
            assert numbers(worklist(session, EVERYTHING, wanted)) == expected, wanted


@pytest.mark.usefixtures("work")
def test_a_collector_works_only_what_is_in_scope(database, organisation, other_organisation):
    lille = Scope.limited_to([LILLE], [])
    with database.transaction(organisation) as session:
        assert numbers(worklist(session, lille, ActionFilter())) == ["F3"]
        assert count_actions(session, lille) == {"todo": 1}
        assert count_actions(session, EVERYTHING) == {"todo": 3}
        (theirs,) = worklist(session, EVERYTHING, ActionFilter(text="facture f1")).items
    for where, scope in ((organisation, lille), (other_organisation, EVERYTHING)):
        with pytest.raises(ActionNotFoundError), database.transaction(where) as session:
            complete(session, scope, theirs.id, user_id=PERSON, outcome="rien", now=START)
    with database.transaction(organisation) as session:
        assert action_by_id(session, EVERYTHING, theirs.id).state == ActionState.TODO
