"""The review opens each alert of a deadline once, with its one action, and closes it when the deadline is met."""

from datetime import date, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from sqlmodel import select

from fixtures.drafts import Kind
from gateway.alerts.deadlines import Receipt
from gateway.alerts.model import Alert, AlertState
from gateway.collection.model import ActionState, CollectionAction
from gateway.flows.deadlines import DEADLINES_TASK, review_due_invoices
from gateway.flows.emission.orders import CollectedAmount, StatusOrder
from gateway.flows.emission.service import give_status
from gateway.jobs.model import OutboxMessage, OutboxState
from gateway.jobs.outbox import put_in_outbox
from gateway.lifecycle.deliveries import PLATFORM_FLOW
from gateway.lifecycle.model import Direction, InvoiceRecord
from gateway.lifecycle.service import record_message
from tests.lifecycle.following import invoice as invoice_of
from tests.lifecycle.following import record, register
from tests.lifecycle.making_events import START, amount, message

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
RECEIVED = [amount("MEN", "120.00", "20.00")]


def told(world):
    """Condition and state of each alert, with the state of its one action."""
    actions = {each.alert_id: each.state for each in world.rows(CollectionAction)}
    return sorted((each.condition, each.state, actions.pop(each.id)) for each in world.rows(Alert)), actions


def review(world, **known):
    return review_due_invoices(world.context, world.organisation_id, **known)


def test_an_invoice_that_does_not_leave_is_told_after_a_day_until_it_leaves(world, invoice):
    world.push(invoice("F1"))
    world.drain()
    for _ in range(24):
        review(world)
        assert world.rows(Alert) == []
        world.clock.advance(HOUR)
    review(world)
    review(world)
    condition = "deadline.invoice_not_sent"
    assert told(world) == ([(condition, AlertState.OPEN, ActionState.TODO)], {})
    world.deliver()
    world.clock.advance(HOUR)
    review(world)
    assert told(world) == ([(condition, AlertState.CLOSED, ActionState.CANCELLED)], {})


def test_a_platform_that_does_not_answer_is_told_a_day_after_it_took_the_invoice(world, invoice):
    world.scenarios["F1"] = "silent"
    world.push(invoice("F1"))
    world.drain()
    review(world)
    world.clock.advance(5 * HOUR)
    world.deliver()
    review(world)
    world.clock.advance(DAY - timedelta(seconds=1))
    review(world)
    assert world.rows(Alert) == []
    world.clock.advance(timedelta(seconds=1))
    review(world)
    assert told(world) == ([("deadline.not_deposited", AlertState.OPEN, ActionState.TODO)], {})
    world.turn()
    review(world)
    assert told(world) == ([("deadline.not_deposited", AlertState.CLOSED, ActionState.CANCELLED)], {})


#: Condition, statuses given at once, days until the last review in time, status that settles the matter.
STORIES = [
    ("deadline.not_made_available", ["200"], 3, ("203", {})),
    ("deadline.not_taken_in_charge", ["200", "203"], 11, ("204", {})),
    ("deadline.approved_unpaid", ["205"], 28, ("212", {"data": RECEIVED})),
    ("deadline.dispute_unanswered", ["207"], 7, ("205", {})),
    ("deadline.suspension_unanswered", ["208"], 3, ("209", {})),
]


@pytest.mark.parametrize(("condition", "codes", "days", "cure"), STORIES, ids=lambda each: str(each)[:30])
def test_a_missing_status_is_told_once_after_its_time_and_settled_by_that_status(world, condition, codes, days, cure):
    organisation = world.organisation_id
    register(world.database, organisation)
    for code in codes:
        record(world.database, organisation, code, reasons=["AUTRE"] if code in ("207", "208") else ())
    world.clock.advance(days * DAY)
    review(world)
    assert world.rows(Alert) == []
    world.clock.advance(DAY)
    review(world)
    review(world)
    assert told(world) == ([(condition, AlertState.OPEN, ActionState.TODO)], {})
    code, details = cure
    hours = (world.clock() - START) / HOUR
    record(world.database, organisation, code, hours, now=world.clock(), **details)
    review(world)
    [(_, alert, action)] = told(world)[0]
    assert (alert, action) == (AlertState.CLOSED, ActionState.CANCELLED)


@pytest.mark.parametrize(
    ("delay", "end"),
    [(("207", {"reasons": ["PU_ERR"]}), "205"), (("211", {"data": [amount("MPA", "120.00")]}), None)],
    ids=["dispute", "announced payment"],
)
def test_an_approved_invoice_that_stays_unpaid_after_a_delay_is_told_again(world, delay, end):
    organisation = world.organisation_id
    register(world.database, organisation)
    record(world.database, organisation, "205")
    world.clock.advance(29 * DAY)
    review(world)
    code, details = delay
    record(world.database, organisation, code, 29 * 24, now=world.clock(), **details)
    review(world)
    first = ("deadline.approved_unpaid", AlertState.CLOSED, ActionState.CANCELLED)
    assert told(world) == ([first], {})
    if end:
        record(world.database, organisation, end, 30 * 24, now=world.clock())
    world.clock.advance(8 * DAY)
    review(world)
    assert told(world) == ([first, ("deadline.approved_unpaid", AlertState.OPEN, ActionState.TODO)], {})


def test_a_status_of_ours_that_does_not_leave_is_told_until_it_leaves(world):
    organisation, flow_id = world.organisation_id, uuid4()
    register(world.database, organisation)
    with world.database.transaction(organisation) as session:
        paid = message("212", data=RECEIVED)
        origin = {"direction": Direction.RECEIVABLE, "document_sha256": None, "flow_id": flow_id}
        record_message(session, message=paid, now=START, **origin)
        put_in_outbox(session, kind=PLATFORM_FLOW, idempotency_key="k", payload={}, now=START, subject_id=flow_id)
    review(world)
    world.clock.advance(DAY - HOUR)
    review(world)
    assert world.rows(Alert) == []
    world.clock.advance(HOUR)
    review(world)
    assert told(world) == ([("deadline.status_not_sent", AlertState.OPEN, ActionState.TODO)], {})
    with world.database.transaction(organisation) as session:
        sent = session.exec(select(OutboxMessage)).one()
        sent.state, sent.sent_at = OutboxState.SENT.value, world.clock()
    world.clock.advance(HOUR)
    review(world)
    assert told(world) == ([("deadline.status_not_sent", AlertState.CLOSED, ActionState.CANCELLED)], {})


def test_the_copy_of_a_status_for_the_public_portal_is_watched_even_when_the_other_party_has_its_own(world, invoice):
    world.push(invoice("F1", Kind.SEVERAL_RATES))
    world.turn()
    [row] = world.rows(InvoiceRecord)
    parts = tuple(CollectedAmount(rate=Decimal(r), amount=Decimal(a)) for r, a in row.totals_by_rate.items())
    with world.database.transaction(world.organisation_id) as session:
        given = give_status(session, world.context, row, StatusOrder(status="212", collected=parts), now=world.clock())
        to_party = f"flow-{given.flows[0].id}"
        for each in session.exec(select(OutboxMessage).where(OutboxMessage.idempotency_key == to_party)):
            each.state, each.sent_at = OutboxState.SENT.value, world.clock()
    assert [each.state for each in world.rows(OutboxMessage)].count(OutboxState.PENDING) == 1
    world.clock.advance(DAY)
    review(world)
    assert [each.condition for each in world.rows(Alert)] == ["deadline.status_not_sent"]


@pytest.mark.parametrize(("code", "condition"), [("432", "receipt_not_reported"), (None, "receipt_to_check")])
def test_money_that_is_in_and_that_no_212_tells_is_told_when_vat_may_be_due_on_it(world, code, condition):
    organisation = world.organisation_id
    row = register(world.database, organisation, invoice_of(tax_point_code=code)).invoice
    record(world.database, organisation, "205")
    known = {row.id: Receipt(Decimal("120.00"), date(2026, 10, 5))}
    world.clock.advance(3 * DAY)
    review(world, receipts_known=lambda _session, _invoices: known)
    review(world, receipts_known=lambda _session, _invoices: known)
    assert told(world) == ([(f"deadline.{condition}", AlertState.OPEN, ActionState.TODO)], {})
    record(world.database, organisation, "212", 80, data=RECEIVED, now=world.clock())
    review(world, receipts_known=lambda _session, _invoices: known)
    assert told(world) == ([(f"deadline.{condition}", AlertState.CLOSED, ActionState.CANCELLED)], {})


def test_what_is_looked_at_is_not_looked_at_again_before_something_can_have_changed(world):
    register(world.database, world.organisation_id)
    record(world.database, world.organisation_id, "200")
    assert [review(world), review(world)] == [1, 0]
    world.clock.advance(3 * DAY)
    assert review(world) == 0
    world.clock.advance(DAY)
    assert [review(world), review(world)] == [1, 0]


def test_invoices_that_we_owe_have_no_deadline_of_collection(world):
    register(world.database, world.organisation_id, direction=Direction.PAYABLE)
    record(world.database, world.organisation_id, "205", direction=Direction.PAYABLE)
    world.clock.advance(60 * DAY)
    assert review(world) == 0


def test_an_invoice_whose_review_fails_keeps_no_other_waiting(world):
    organisation = world.organisation_id
    bad = register(world.database, organisation, invoice_of("BAD")).invoice
    register(world.database, organisation)
    record(world.database, organisation, "200")
    with world.database.transaction(organisation) as session:
        row = session.get(InvoiceRecord, bad.id)
        row.state = {"no such field": 1}
        session.add(row)
    world.clock.advance(4 * DAY)
    assert review(world) == 2
    assert [each.condition for each in world.rows(Alert)] == ["deadline.not_made_available"]
    assert review(world) == 0
    world.clock.advance(HOUR)
    assert review(world) == 1


def test_a_full_batch_asks_for_another_run(world):
    for number in ("F1", "F2", "F3"):
        register(world.database, world.organisation_id, invoice_of(number))
    context = world.context
    object.__setattr__(context, "settings", context.settings.model_copy(update={"batch_size": 2}))
    assert review(world) == 2
    assert world.jobs() == [DEADLINES_TASK]
    assert review(world) == 1


def test_the_alert_of_a_refused_file_closes_when_the_corrected_invoice_comes_under_the_same_number(world, invoice):
    world.push(invoice("F1").replace(b">380<", b">999<"))
    world.push(invoice("F2"))
    world.drain()
    assert told(world) == ([("flow.refused", AlertState.OPEN, ActionState.TODO)], {})
    world.push(invoice("F1"))
    world.drain()
    assert told(world) == ([("flow.refused", AlertState.CLOSED, ActionState.CANCELLED)], {})
