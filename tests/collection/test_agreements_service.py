"""Promises, disputes and plans on a real database: recorded, followed, called for once, kept apart."""

from datetime import date, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from sqlalchemy import event as sql_event
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from gateway.access.model import Agency, User
from gateway.access.roles import Role
from gateway.access.scope import Scope
from gateway.alerts.model import AlertState
from gateway.collection.agreements import disputing, planning, promising
from gateway.collection.agreements.disputing import NewDispute
from gateway.collection.agreements.errors import (
    AlreadyDisputedError,
    DisputeExceedsError,
    DisputeNotFoundError,
    DisputeOpenError,
    InvoiceOfAnotherError,
    InvoicePlannedError,
    NothingOpenError,
    NotOpenError,
    PlanNotFoundError,
    PlanSumError,
    PromiseExceedsError,
    PromiseNotFoundError,
    UnknownOwnerError,
    UnknownReasonError,
    UnknownTeamError,
    WithoutWordsError,
)
from gateway.collection.agreements.model import Dispute, DisputeOutcome, Plan, PlanInstalment, Promise, Settlement
from gateway.collection.agreements.planning import EvenSpread, NewPlan
from gateway.collection.agreements.plans import NewInstalment
from gateway.collection.agreements.promising import NewPromise
from gateway.collection.agreements.reading import agreements_of
from gateway.collection.agreements.repository import (
    DisputeFilter,
    PlanFilter,
    PromiseFilter,
    PromiseList,
    disputes_page,
    plans_page,
    promises_page,
)
from gateway.collection.agreements.values import PlanState, PromiseState
from gateway.collection.model import ActionState
from gateway.invoices.model import PrecedingInvoice
from gateway.invoices.parties import Buyer
from gateway.ledger.service import verify
from gateway.lifecycle.errors import InvoiceNotFoundError
from gateway.lifecycle.model import Direction
from gateway.treasury.errors import InvoiceNotReceivableError
from tests.collection.agreeing import BY, CHANNELS, EVERYTHING, House
from tests.lifecycle.following import register
from tests.lifecycle.making_events import START, amount

FRIDAY, GRACE, AFTER = date(2026, 10, 9), date(2026, 10, 13), date(2026, 10, 14)
NOBODY = Scope.limited_to([uuid4()], [])


@pytest.fixture
def house(database, organisation):
    """Bâtir Ensemble owes F1, 120.00, due on 31 October."""
    made = House(database, organisation)
    made.owes("F1")
    return made


def promise(house, value="100.00", *numbers, scope=EVERYTHING, due_on=FRIDAY, **changes):
    new = NewPromise(
        house.customer(), Decimal(value), due_on, invoice_ids=tuple(house.owed[each].id for each in numbers), **changes
    )
    with house.database.transaction(house.organisation) as session:
        return promising.make_promise(session, scope, new, by=BY, now=house.tick())


def plan(house, *numbers, spread=None, scope=EVERYTHING, **changes):
    new = NewPlan(
        house.customer(),
        spread or EvenSpread(2, FRIDAY),
        invoice_ids=tuple(house.owed[each].id for each in numbers),
        **changes,
    )
    with house.database.transaction(house.organisation) as session:
        return planning.make_plan(session, scope, new, by=BY, now=house.tick())


def contest(house, value=None, number="F1", reason="price", scope=EVERYTHING, **changes):
    new = NewDispute(house.owed[number].id, reason, Decimal(value) if value else None, **changes)
    with house.database.transaction(house.organisation) as session:
        return disputing.open_dispute(session, scope, new, CHANNELS, by=BY, now=house.tick())


def settle(house, dispute, outcome=Settlement.REFUSED, because="Bon de livraison signé.", scope=EVERYTHING):
    with house.database.transaction(house.organisation) as session:
        return disputing.settle(session, scope, dispute.id, outcome, because, by=BY, now=house.tick())


def reopen(house, dispute, because="Le client insiste."):
    with house.database.transaction(house.organisation) as session:
        return disputing.reopen(session, EVERYTHING, dispute.id, because, CHANNELS, by=BY, now=house.tick())


def agreements(house, today=None):
    with house.database.transaction(house.organisation) as session:
        customer = house.customer()
        return agreements_of(session, [customer], today or house.now.date())[customer]


def only(house, table):
    (row,) = house.rows(table)
    return row


def test_a_promise_that_is_kept_says_so_once_and_calls_nobody(house):
    made = promise(house, "120.00")
    house.pay("120.00")
    house.look("F1")
    house.pass_days(AFTER)
    assert (only(house, Promise).state, only(house, Promise).awaited) == (PromiseState.KEPT, 0)
    assert house.steps(made.id) == ["made", "kept"]
    assert house.told("promise", made.id) == ["promise.made", "promise.kept"]
    assert house.alerts("promise.broken") == []


def test_a_broken_promise_calls_someone_once_and_the_call_ends_when_the_money_comes(house):
    made = promise(house, comment="Virement vendredi")
    house.pass_days(GRACE)
    assert house.alerts("promise.broken") == []
    house.pass_days(AFTER)
    house.pass_days(date(2026, 10, 20))
    house.look("F1")
    (alert,) = house.alerts("promise.broken")
    (action,) = house.actions(alert)
    assert (action.kind, action.state, action.amount) == ("call", ActionState.TODO, Decimal("100.00"))
    assert (alert.invoice_id, alert.customer_siren) == (house.owed["F1"].id, house.owed["F1"].buyer_siren)
    assert "Bâtir Ensemble" in alert.title_fr
    assert "Virement vendredi" in alert.reason_fr
    house.pay("99.99")
    assert house.alerts("promise.broken")[0].state == AlertState.OPEN
    house.pay("0.01")
    (alert,) = house.alerts("promise.broken")
    (action,) = house.actions(alert)
    assert (alert.state, action.state) == (AlertState.CLOSED, ActionState.CANCELLED)
    assert only(house, Promise).state == PromiseState.BROKEN
    assert house.steps(made.id) == ["made", "broken"]


def test_money_told_late_mends_a_promise_and_a_receipt_that_bounced_breaks_it(house):
    made = promise(house)
    house.pass_days(AFTER)
    receipt = house.pay("100.00", on=FRIDAY)
    assert only(house, Promise).state == PromiseState.KEPT
    house.bounce(receipt)
    assert only(house, Promise).state == PromiseState.BROKEN
    assert house.steps(made.id) == ["made", "broken", "kept", "broken"]
    assert len(house.alerts("promise.broken")) == 1


def test_a_212_keeps_a_promise_and_what_it_tells_of_a_receipt_counts_once(house):
    promise(house, "100.00")
    house.pay("50.00")
    house.hear("212", data=[amount("MEN", "50.00", "20.00")])
    house.look("F1")
    assert only(house, Promise).awaited == Decimal("50.00")
    house.hear("212", data=[amount("MEN", "50.00", "20.00")])
    house.look("F1")
    assert only(house, Promise).state == PromiseState.KEPT


def test_a_promise_without_invoices_takes_the_first_due_as_far_as_it_goes(house):
    house.owes("F2", "50.00", due_date=date(2026, 10, 20))
    house.owes("F3", "70.00", due_date=date(2026, 11, 20))
    house.owes("A1", "10.00", type_code="381")
    house.owes("G1", "900.00", buyer=Buyer(name="Autre client"))
    promise(house, "100.00")
    (mine,) = agreements(house).promises
    assert mine.invoice_ids == (house.owed["F2"].id, house.owed["F1"].id)
    assert (mine.state, mine.awaited, mine.grace_until) == (PromiseState.OPEN, Decimal("100.00"), GRACE)


def test_a_promise_names_open_invoices_of_its_customer_in_its_currency(house):
    house.owes("G1", buyer=Buyer(name="Autre client"))
    house.owes("A1", "10.00", type_code="381")
    for number in ("G1", "A1"):
        with pytest.raises(InvoiceOfAnotherError):
            promise(house, "1.00", number)
    with pytest.raises(NothingOpenError):
        promise(house, "1.00", currency="USD")
    with pytest.raises(PromiseExceedsError):
        promise(house, "120.01")
    house.pay("100.00")
    with pytest.raises(PromiseExceedsError):
        promise(house, "20.01")
    assert house.rows(Promise) == []


def test_a_cancelled_promise_says_why_and_ends_its_call(house):
    made = promise(house)
    house.pass_days(AFTER)
    with house.database.transaction(house.organisation) as session, pytest.raises(WithoutWordsError):
        promising.cancel_promise(session, EVERYTHING, made.id, because=" ", by=BY, now=house.now)
    with house.database.transaction(house.organisation) as session:
        promising.cancel_promise(session, EVERYTHING, made.id, because="Nouvelle date", by=BY, now=house.now)
    assert house.alerts("promise.broken")[0].state == AlertState.CLOSED
    assert (only(house, Promise).state, only(house, Promise).awaited) == (PromiseState.CANCELLED, 0)
    with house.database.transaction(house.organisation) as session, pytest.raises(NotOpenError):
        promising.cancel_promise(session, EVERYTHING, made.id, because="Encore", by=BY, now=house.now)
    house.pay("120.00")
    assert house.steps(made.id) == ["made", "broken", "cancelled"]


def test_promises_are_listed_late_and_at_risk(house):
    house.owes("F2")
    late = promise(house, "10.00", "F1")
    soon = promise(house, "10.00", "F2", due_on=date(2026, 10, 15))
    far = promise(house, "10.00", "F1", due_on=date(2026, 12, 1))
    house.pass_days(AFTER)

    def listed(view):
        wanted = PromiseFilter(AFTER, date(2026, 10, 16), view)
        with house.database.transaction(house.organisation) as session:
            return [each.id for each in promises_page(session, EVERYTHING, wanted).items]

    assert listed(PromiseList.LATE) == [late.id]
    assert listed(PromiseList.AT_RISK) == [soon.id]
    assert listed(PromiseList.OPEN) == [soon.id, far.id]
    assert listed(PromiseList.OVER) == [late.id]
    assert listed(PromiseList.ALL) == [late.id, soon.id, far.id]
    house.pay("10.00")
    assert listed(PromiseList.LATE) == []


@pytest.mark.parametrize("code", ["206", "207", "210"])
def test_a_status_that_contests_opens_a_dispute_linked_to_it(house, code):
    recorded = house.hear(code, reasons=["PU_ERR"], comment="Prix du devis")
    dispute = only(house, Dispute)
    assert (dispute.status, dispute.event_id, dispute.team) == (code, recorded.id, "sales")
    assert (dispute.reason, dispute.comment, dispute.amount) == ("PU_ERR", "Prix du devis", None)
    assert dispute.deadline == date(2026, 10, 19)
    house.look("F1")
    assert house.steps(dispute.id) == ["made"]
    assert house.told("dispute", dispute.id) == ["dispute.made"]


def test_a_status_that_came_before_its_invoice_opens_the_dispute_when_the_invoice_comes(house):
    early = house.hear("207", reasons=["QTE_ERR"], number="F9")
    assert house.rows(Dispute) == []
    house.owes("F9")
    dispute = only(house, Dispute)
    assert (dispute.event_id, dispute.invoice_id) == (early.id, house.owed["F9"].id)


def test_an_approval_ends_the_dispute_and_a_new_dispute_opens_another(house):
    house.hear("207", reasons=["PU_ERR"])
    house.hear("205")
    first = only(house, Dispute)
    assert (first.outcome, first.closed_on) == (DisputeOutcome.SUPERSEDED, START.date())
    house.hear("207", reasons=["QTE_ERR"])
    assert len(house.rows(Dispute)) == 2
    assert len([each for each in agreements(house).disputes if each.closed_on is None]) == 1


def test_a_partial_dispute_leaves_the_rest_collectable(house):
    house.hear("206", reasons=["PU_ERR"], data=[amount("MNATTC", "30.00")])
    f1 = house.owed["F1"].id
    assert agreements(house).disputed(f1, Decimal("120.00")) == Decimal("30.00")
    house.pay("90.00")
    assert only(house, Dispute).closed_on is None
    assert agreements(house).disputed(f1, Decimal("30.00")) == Decimal("30.00")


def test_payment_in_full_settles_a_dispute_and_its_call(house):
    dispute = contest(house, "30.00")
    house.pay("120.00")
    assert only(house, Dispute).outcome == DisputeOutcome.PAYMENT
    (alert,) = house.alerts("dispute.opened")
    assert (alert.state, house.actions(alert)[0].state) == (AlertState.CLOSED, ActionState.CANCELLED)
    assert house.steps(dispute.id) == ["made", "closed"]


def test_a_credit_note_that_covers_the_dispute_settles_it(house):
    contest(house, "30.00")
    refers = {"type_code": "381", "preceding_invoices": (PrecedingInvoice(number="F1"),)}
    house.owes("A1", "20.00", **refers)
    assert only(house, Dispute).closed_on is None
    house.owes("A2", "500.00", type_code="381", preceding_invoices=(PrecedingInvoice(number="F7"),))
    assert only(house, Dispute).closed_on is None
    house.owes("A3", "10.00", **refers)
    assert only(house, Dispute).outcome == DisputeOutcome.CREDIT_NOTE


def test_a_credit_note_of_several_invoices_settles_none_by_itself(house):
    contest(house, "30.00")
    both = (PrecedingInvoice(number="F1"), PrecedingInvoice(number="F2"))
    house.owes("A1", "200.00", type_code="381", preceding_invoices=both)
    assert only(house, Dispute).closed_on is None


def test_a_person_opens_a_dispute_that_calls_the_team_of_its_reason(house):
    dispute = contest(house, "30.00", reason="quality", comment="Palette abîmée")
    assert (dispute.team, dispute.opened_by, dispute.deadline) == ("logistics", BY, date(2026, 10, 19))
    (alert,) = house.alerts("dispute.opened")
    (action,) = house.actions(alert)
    assert (alert.team, action.kind, action.amount) == ("logistics", "answer_dispute", Decimal("30.00"))
    assert "Palette abîmée" in alert.reason_fr
    assert "Qualité" in alert.reason_fr


def test_disputes_never_exceed_what_remains(house):
    contest(house, "100.00")
    with pytest.raises(DisputeExceedsError):
        contest(house, "20.01")
    contest(house, "20.00")
    with pytest.raises(AlreadyDisputedError):
        contest(house)
    house.pay("60.00")
    f1 = house.owed["F1"].id
    assert agreements(house).disputed(f1, Decimal("60.00")) == Decimal("60.00")


def test_a_dispute_needs_an_open_invoice_of_ours_a_known_reason_and_a_known_owner(house, other_organisation):
    ours_to_pay = register(house.database, house.organisation, direction=Direction.PAYABLE).invoice
    theirs = register(house.database, other_organisation).invoice
    house.owed |= {"payable": ours_to_pay, "theirs": theirs}
    for wrong, error in (
        ({"number": "payable"}, InvoiceNotReceivableError),
        ({"number": "theirs"}, InvoiceNotFoundError),
        ({"scope": NOBODY}, InvoiceNotFoundError),
        ({"reason": "mood"}, UnknownReasonError),
        ({"owner_id": uuid4()}, UnknownOwnerError),
    ):
        with pytest.raises(error):
            contest(house, **wrong)
    house.pay("120.00")
    with pytest.raises(NothingOpenError):
        contest(house)
    assert house.rows(Dispute) == []


def test_refusing_a_dispute_ends_the_alert_of_its_status_and_lets_chasing_resume(house):
    house.hear("207", reasons=["PU_ERR"])
    dispute = settle(house, only(house, Dispute))
    assert (dispute.outcome, dispute.closed_on) == (DisputeOutcome.REFUSED, START.date())
    assert agreements(house).answered(house.owed["F1"].id) == {"207"}
    house.look("F1")
    assert house.steps(dispute.id) == ["made", "closed"]
    with pytest.raises(NotOpenError):
        settle(house, dispute)


def test_a_dispute_that_is_reopened_goes_on_with_a_new_line_and_a_new_call(house):
    dispute = contest(house, "30.00")
    with pytest.raises(DisputeOpenError):
        reopen(house, dispute)
    settle(house, dispute)
    with pytest.raises(WithoutWordsError):
        reopen(house, dispute, " ")
    reopened = reopen(house, dispute)
    assert (reopened.closed_on, reopened.outcome) == (None, None)
    assert house.steps(dispute.id) == ["made", "closed", "reopened"]
    assert sorted(each.state for each in house.alerts("dispute.opened")) == [AlertState.CLOSED, AlertState.OPEN]
    house.look("F1")
    assert only(house, Dispute).closed_on is None
    house.hear("205")
    assert only(house, Dispute).outcome == DisputeOutcome.SUPERSEDED
    assert {each.state for each in house.alerts("dispute.opened")} == {AlertState.CLOSED}


def test_a_reopened_dispute_of_a_status_holds_chasing_back_again(house):
    house.hear("207", reasons=["PU_ERR"])
    reopen(house, settle(house, only(house, Dispute)))
    assert agreements(house).answered(house.owed["F1"].id) == frozenset()
    house.look("F1")
    assert only(house, Dispute).closed_on is None


def test_a_status_confirms_what_a_person_had_told_and_takes_the_call_over(house):
    told = contest(house, "30.00")
    recorded = house.hear("207", reasons=["QTE_ERR"])
    dispute = only(house, Dispute)
    assert (dispute.id, dispute.event_id, dispute.amount) == (told.id, recorded.id, Decimal("30.00"))
    assert house.steps(told.id) == ["made", "status"]
    assert [each.state for each in house.alerts("dispute.opened")] == [AlertState.CLOSED]


def test_a_thread_of_messages_an_owner_a_team_and_a_day(house):
    person = User(
        organisation_id=house.organisation,
        email="c@example.com",
        name="Camille",
        password_hash="x",
        role=Role.COLLECTOR.value,
        created_at=START,
    )
    with house.database.transaction(house.organisation) as session:
        session.add(person)
    dispute = contest(house, "30.00")

    def give(**to):
        with house.database.transaction(house.organisation) as session:
            return disputing.assign(
                session, EVERYTHING, dispute.id, **{"owner_id": person.id, **to}, by=BY, now=house.tick()
            )

    given = give(team="sales", deadline=FRIDAY)
    assert (given.owner_id, given.team, given.deadline) == (person.id, "sales", FRIDAY)
    for wrong, error in (({"owner_id": uuid4()}, UnknownOwnerError), ({"team": "dream"}, UnknownTeamError)):
        with pytest.raises(error):
            give(**wrong)
    with house.database.transaction(house.organisation) as session:
        line = disputing.say(session, EVERYTHING, dispute.id, " J’ai le bon signé. ", by=BY, now=house.tick())
        assert line.text == "J’ai le bon signé."
        with pytest.raises(WithoutWordsError):
            disputing.say(session, EVERYTHING, dispute.id, " ", by=BY, now=house.now)
    assert house.steps(dispute.id) == ["made", "assigned", "message"]
    with house.database.transaction(house.organisation) as session:
        mine = disputes_page(session, EVERYTHING, DisputeFilter(owner_id=person.id, team="sales")).items
        assert [each.id for each in mine] == [dispute.id]
        assert disputes_page(session, EVERYTHING, DisputeFilter(unowned=True)).items == []
        assert disputes_page(session, EVERYTHING, DisputeFilter(is_open=False)).items == []


def test_a_plan_spreads_exactly_what_is_owed_and_follows_the_money(house):
    house.owes("F2", "80.01", due_date=date(2026, 11, 30))
    made = plan(house, suspends_penalties=True)
    assert [(each.due_on, each.amount) for each in house.rows(PlanInstalment)] == [
        (FRIDAY, Decimal("100.01")),
        (date(2026, 11, 9), Decimal("100.00")),
    ]
    house.pay("100.01")
    planned = agreements(house).plan_of(house.owed["F2"].id)
    assert planned is not None
    assert (planned.suspends_penalties, planned.next_due.due_on) == (True, date(2026, 11, 9))
    house.pass_days(AFTER)
    assert only(house, Plan).state == PlanState.ACTIVE
    house.pay("19.99")
    house.pay("80.01", "F2")
    assert only(house, Plan).state == PlanState.DONE
    assert house.steps(made.id) == ["made", "done"]
    assert agreements(house).plan_of(house.owed["F2"].id) is None


def test_a_plan_breaks_for_each_instalment_once_and_runs_again_when_caught_up(house):
    made = plan(house)
    house.pass_days(GRACE)
    assert house.alerts("plan.broken") == []
    house.pass_days(AFTER)
    house.look("F1")
    (alert,) = house.alerts("plan.broken")
    assert (only(house, Plan).state, house.actions(alert)[0].kind) == (PlanState.BROKEN, "call")
    house.pay("60.00")
    assert house.alerts("plan.broken")[0].state == AlertState.CLOSED
    assert only(house, Plan).state == PlanState.ACTIVE
    house.pass_days(date(2026, 12, 1))
    assert sorted(each.state for each in house.alerts("plan.broken")) == [AlertState.CLOSED, AlertState.OPEN]
    assert house.steps(made.id) == ["made", "broken", "resumed", "broken"]


def test_a_cancelled_plan_says_why_ends_its_calls_and_frees_its_invoices(house):
    made = plan(house)
    with pytest.raises(InvoicePlannedError):
        plan(house, "F1")
    house.pass_days(AFTER)
    with house.database.transaction(house.organisation) as session:
        planning.cancel_plan(session, EVERYTHING, made.id, because="Rien n’est venu.", by=BY, now=house.now)
    assert house.alerts("plan.broken")[0].state == AlertState.CLOSED
    assert agreements(house).plan_of(house.owed["F1"].id) is None
    with house.database.transaction(house.organisation) as session, pytest.raises(NotOpenError):
        planning.cancel_plan(session, EVERYTHING, made.id, because="Encore", by=BY, now=house.now)
    house.pay("60.00")
    assert only(house, Plan).state == PlanState.CANCELLED
    plan(house, "F1", spread=EvenSpread(3, AFTER))


def test_a_plan_whose_instalments_do_not_sum_to_what_is_owed_is_refused(house):
    with pytest.raises(PlanSumError):
        plan(house, spread=[NewInstalment(FRIDAY, Decimal("119.00"))])
    house.pay("120.00")
    with pytest.raises(NothingOpenError):
        plan(house)
    assert house.rows(Plan) == []


def test_a_limited_person_sees_only_what_is_wholly_in_sight(house):
    agency = uuid4()
    with house.database.system_transaction() as session:
        session.add(
            Agency(organisation_id=house.organisation, id=agency, siret="55210055400013", code="L", name="Lyon")
        )
    house.owes("F2", agency_id=agency)
    theirs, both = promise(house, "10.00", "F2"), promise(house, "200.00")
    dispute = contest(house, "5.00", "F2")
    hidden_dispute = contest(house, "5.00")
    with house.database.transaction(house.organisation) as session:
        session.execute(text("UPDATE invoice SET buyer_siren = NULL"))
    lyon = Scope.limited_to([agency], [])
    wide_plan = plan(house)
    with house.database.transaction(house.organisation) as session:
        wanted = PromiseFilter(FRIDAY, FRIDAY)
        assert [each.id for each in promises_page(session, lyon, wanted).items] == [theirs.id]
        assert [each.id for each in disputes_page(session, lyon, DisputeFilter()).items] == [dispute.id]
        assert plans_page(session, lyon, PlanFilter()).items == []
        with pytest.raises(PromiseNotFoundError):
            promising.cancel_promise(session, lyon, both.id, because="x", by=BY, now=house.now)
        with pytest.raises(DisputeNotFoundError):
            disputing.say(session, lyon, hidden_dispute.id, "x", by=BY, now=house.now)
        with pytest.raises(PlanNotFoundError):
            planning.cancel_plan(session, lyon, wide_plan.id, because="x", by=BY, now=house.now)
    with pytest.raises(InvoiceOfAnotherError):
        promise(house, "10.00", "F1", scope=lyon)
    house.pass_days(AFTER)
    seen_by = {each.dedup_key: each.agency_id for each in house.alerts("promise.broken")}
    assert seen_by == {f"promise.broken:{theirs.id}": agency, f"promise.broken:{both.id}": None}


def test_another_organisation_sees_and_reads_nothing(house, other_organisation):
    promise(house)
    contest(house, "5.00")
    plan(house)
    customer = house.customer()
    with house.database.transaction(other_organisation) as session:
        assert promises_page(session, EVERYTHING, PromiseFilter(FRIDAY, FRIDAY)).items == []
        assert disputes_page(session, EVERYTHING, DisputeFilter(is_open=None)).items == []
        assert plans_page(session, EVERYTHING, PlanFilter()).items == []
        assert agreements_of(session, [customer], FRIDAY) == {}


@pytest.mark.parametrize("table", ["agreement_line", "promise_invoice", "plan_invoice"])
def test_history_and_what_was_agreed_are_never_changed(house, table):
    promise(house)
    plan(house)
    with house.database.transaction(house.organisation) as session, pytest.raises(ProgrammingError):
        session.execute(text(f"UPDATE {table} SET organisation_id = organisation_id"))
    with house.database.system_transaction() as session, pytest.raises(Exception, match=r"append-only|never"):
        session.execute(text(f"DELETE FROM {table}"))


def test_many_customers_are_read_in_a_fixed_number_of_statements(house):
    def count(customers):
        seen = []
        listen = lambda *args: seen.append(args[2])  # noqa: E731
        with house.database.transaction(house.organisation) as session:
            sql_event.listen(house.database.engine, "before_cursor_execute", listen)
            try:
                found = agreements_of(session, customers, FRIDAY)
            finally:
                sql_event.remove(house.database.engine, "before_cursor_execute", listen)
        return len(seen), found

    promise(house, "10.00")
    plan(house)
    contest(house, "5.00")
    one, _ = count([house.customer()])
    customers = [house.customer()]
    for number in range(5):
        name = f"G{number}"
        house.owes(name, buyer=Buyer(name=f"Client {number}"))
        customers.append(house.customer(name))
        contest(house, "5.00", name)
    many, found = count(customers)
    assert many == one <= 11
    assert len(found) == 6


def test_the_ledger_holds_after_all_that(house):
    promise(house)
    contest(house, "5.00")
    plan(house)
    house.pass_days(AFTER)
    house.pay("120.00")
    with house.database.transaction(house.organisation) as session:
        assert verify(session).holds


def test_states_follow_the_money_at_once_even_before_a_review(house):
    promise(house, "120.00")
    plan(house)
    with house.database.transaction(house.organisation) as session:
        session.execute(text("SELECT 1"))
    house.tick()
    now = agreements(house, AFTER)
    assert now.promises[0].state is PromiseState.BROKEN
    assert now.plans[0].state is PlanState.BROKEN
    assert only(house, Promise).state == PromiseState.OPEN
    assert house.now < START + timedelta(days=1)
