"""What statuses, money and days make of promises, disputes and plans: their states, their history, their calls.

The caller holds its turn on the organisation's ledger. All is decided from what is known now: doing it twice changes
nothing more.
"""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlmodel import Session

from gateway.access.scope import Scope
from gateway.alerts.conditions import team_of_reasons
from gateway.collection.agreements import repository
from gateway.collection.agreements.calling import (
    DISPUTE_OPENED,
    PLAN_BROKEN,
    PROMISE_BROKEN,
    Call,
    dispute_key,
    instalment_key,
    promise_key,
    raise_call,
    settle_call,
    settle_event,
)
from gateway.collection.agreements.disputes import (
    DISPUTING,
    Close,
    Credit,
    DisputeDecision,
    Follow,
    KnownDispute,
    Matter,
    Open,
    reconcile,
)
from gateway.collection.agreements.disputing import close
from gateway.collection.agreements.history import GATEWAY, note
from gateway.collection.agreements.model import AgreementKind, Dispute, Step
from gateway.collection.agreements.money_rows import money_of, owed_of
from gateway.collection.agreements.owing import Owing
from gateway.collection.agreements.policy import DEFAULT_TEAM, agreement_policy
from gateway.collection.agreements.reading import PlanRead, PromiseRead, Reading, read_agreements
from gateway.collection.agreements.values import PlanState, PromiseState
from gateway.collection.announcing import announce_promise
from gateway.customers.model import Customer
from gateway.customers.repository import customers_by_id
from gateway.kernel.clock import paris_date
from gateway.kernel.money import ZERO
from gateway.lifecycle.links import corrected_by_it, credits_of
from gateway.lifecycle.model import Direction, InvoiceRecord
from gateway.lifecycle.projection import InvoiceState, OpenIssue
from gateway.lifecycle.records import status_event
from gateway.lifecycle.repository import event_of_fingerprint
from gateway.lifecycle.service import RecordedEvent, Registration, RegistrationOutcome
from gateway.lifecycle.statuses import status
from gateway.notifications.service import Channels

#: Statuses that open, follow or end a dispute by themselves; payment is looked at with the money.
_TELLING = frozenset({*DISPUTING, "213"}).union(*(status(code).lifted_by for code in DISPUTING))
_STEP_OF_PROMISE = {
    PromiseState.OPEN: Step.RESUMED,
    PromiseState.KEPT: Step.KEPT,
    PromiseState.PARTLY_KEPT: Step.PARTLY_KEPT,
    PromiseState.BROKEN: Step.BROKEN,
    PromiseState.CANCELLED: Step.CANCELLED,
}
_OVER = (PlanState.DONE, PlanState.CANCELLED)
_STEP_OF_PLAN = {
    PlanState.ACTIVE: Step.RESUMED,
    PlanState.BROKEN: Step.BROKEN,
    PlanState.DONE: Step.DONE,
    PlanState.CANCELLED: Step.CANCELLED,
}


def follow_status(session: Session, recorded: RecordedEvent, now: datetime) -> None:
    """A new status of one of our invoices opens the dispute it calls for, and ends the one it lifts."""
    invoice, event = recorded.invoice, recorded.event
    if recorded.is_duplicate or recorded.direction is not Direction.RECEIVABLE or invoice is None:
        return
    if event.code in _TELLING:
        known = repository.disputes_of(session, [invoice.id]).get(invoice.id, [])
        _reconcile(session, invoice, known, Matter(recorded.state, invoice.remaining), now)


def follow_registration(session: Session, registration: Registration, now: datetime) -> None:
    """A new invoice takes over what its statuses said before it came; a credit note settles what it covers."""
    invoice = registration.invoice
    if registration.outcome is not RegistrationOutcome.CREATED or invoice.direction != Direction.RECEIVABLE:
        return
    if registration.waiting:
        follow_invoices(session, [invoice], now)
    if invoice.total_with_vat < 0:
        links = corrected_by_it(session, Scope.everything(), invoice)
        credited = [each.invoice_id for each in links if each.invoice_id and each.through == invoice.number]
        follow_invoices(session, [each.invoice for each in owed_of(session, credited).values()], now)


def follow_invoices(session: Session, invoices: Sequence[InvoiceRecord], now: datetime) -> None:
    """Statuses, money or a credit note came for these receivables: bring their disputes up to date."""
    known = repository.disputes_of(session, [each.id for each in invoices])
    states = {each.id: InvoiceState.model_validate(each.state) for each in invoices if _disputing(each)}
    still = [each.id for each in invoices if any(one.closed_on is None for one in known.get(each.id, ()))]
    owed, money, credits = owed_of(session, still), money_of(session, still), credits_of(session, still)
    for invoice in invoices:
        if invoice.id not in states and invoice.id not in still:
            continue
        matter = Matter(
            state=states.get(invoice.id) or InvoiceState.model_validate(invoice.state),
            owed=owed[invoice.id].amount if invoice.id in owed else invoice.remaining,
            money=[each for each in money if each.invoice_id == invoice.id],
            credits=[Credit(came_at, amount) for came_at, amount in credits.get(invoice.id, ())],
        )
        _reconcile(session, invoice, known.get(invoice.id, []), matter, now)


def follow_customers(session: Session, customer_ids: Collection[UUID], channels: Channels, now: datetime) -> None:
    """Money came for invoices of these customers, or a day has passed: judge their promises and plans."""
    reading = read_agreements(session, customer_ids, paris_date(now))
    payers = customers_by_id(session, customer_ids)
    for promise in reading.promises:
        _follow_promise(session, promise, reading, payers[promise.row.customer_id], channels, now)
    for plan in reading.plans:
        _follow_plan(session, plan, reading, payers[plan.row.customer_id], channels, now)
    session.flush()


def _disputing(invoice: InvoiceRecord) -> bool:
    return any(issue["code"] in DISPUTING for issue in invoice.state.get("issues", ()))


def _follow_promise(
    session: Session, promise: PromiseRead, reading: Reading, payer: Customer, channels: Channels, now: datetime
) -> None:
    row, decision = promise.row, promise.decision
    was_missing = row.awaited > 0
    changed = row.state != decision.state
    if not changed and row.awaited == decision.awaited:
        return
    row.state, row.awaited = decision.state.value, decision.awaited
    session.add(row)
    if changed:
        facts = {"awaited": str(decision.awaited)}
        step = _STEP_OF_PROMISE[decision.state]
        note(session, AgreementKind.PROMISE, row.id, step, by=GATEWAY, now=now, facts=facts)
        announce_promise(session, row, step, now)
    if decision.calls:
        call = Call(
            condition=PROMISE_BROKEN,
            key=promise_key(row.id),
            about=_first_owed(promise.invoice_ids, reading),
            customer=payer.name,
            payer=payer,
            amount=row.amount,
            missing=decision.awaited,
            day=row.due_on,
            comment=row.comment,
            of_its_agency=_one_agency(promise.invoice_ids, reading),
        )
        raise_call(session, call, channels, now)
    elif was_missing:
        settle_call(session, PROMISE_BROKEN, promise_key(row.id), now)


def _follow_plan(
    session: Session, plan: PlanRead, reading: Reading, payer: Customer, channels: Channels, now: datetime
) -> None:
    row, decision = plan.row, plan.decision
    if row.state == decision.state and row.state in _OVER:
        return
    if row.state != decision.state:
        row.state = decision.state.value
        session.add(row)
        paid = sum((each.paid for each in decision.instalments), ZERO)
        step, facts = _STEP_OF_PLAN[decision.state], {"paid": str(paid)}
        note(session, AgreementKind.PLAN, row.id, step, by=GATEWAY, now=now, facts=facts)
    for place, (stored, now_paid) in enumerate(zip(plan.instalments, decision.instalments, strict=True)):
        if stored.paid != now_paid.paid:
            stored.paid = now_paid.paid
            session.add(stored)
        key = instalment_key(row.id, stored.position)
        if place in decision.late:
            call = Call(
                condition=PLAN_BROKEN,
                key=key,
                about=_first_owed(plan.invoice_ids, reading),
                customer=payer.name,
                payer=payer,
                amount=stored.amount,
                missing=now_paid.remaining,
                day=stored.due_on,
                comment=row.comment,
                of_its_agency=_one_agency(plan.invoice_ids, reading),
            )
            raise_call(session, call, channels, now)
        elif stored.grace_until < paris_date(now):
            settle_call(session, PLAN_BROKEN, key, now)


def _first_owed(item_ids: Sequence[UUID], reading: Reading) -> Owing:
    """The first of which something is left to pay, else the first."""
    owed = [reading.owed[each] for each in item_ids]
    return next((each for each in owed if each.amount > 0), owed[0])


def _one_agency(item_ids: Sequence[UUID], reading: Reading) -> bool:
    return len({reading.owed[each].agency_id for each in item_ids}) == 1


def _reconcile(
    session: Session, invoice: InvoiceRecord, rows: Sequence[Dispute], matter: Matter, now: datetime
) -> None:
    by_id = {row.id: row for row in rows}
    for decision in reconcile([_known(row) for row in rows], matter):
        _apply(session, invoice, by_id, decision, now)


def _known(row: Dispute) -> KnownDispute:
    return KnownDispute(row.id, row.amount, row.since, row.status, row.fingerprint, row.outcome)


def _apply(
    session: Session, invoice: InvoiceRecord, rows: dict[UUID, Dispute], decision: DisputeDecision, now: datetime
) -> None:
    match decision:
        case Open(issue, amount):
            _open(session, invoice, issue, amount, now)
        case Follow(dispute_id, issue, amount):
            row = rows[dispute_id]
            settle_call(session, DISPUTE_OPENED, dispute_key(row.id, row.since), now)  # the status calls by itself
            step = Step.STATUS if row.closed_on is None else Step.REOPENED
            row.closed_on, row.outcome = None, None
            _be_about(session, row, issue, amount)
            _note(session, row, step, now)
        case Close(dispute_id, outcome, code):
            row = rows[dispute_id]
            close(session, row, outcome, code, by=GATEWAY, now=now)
            if row.event_id is not None:
                settle_event(session, row.event_id, outcome.label, now)


def _open(session: Session, invoice: InvoiceRecord, issue: OpenIssue, amount: Decimal | None, now: datetime) -> None:
    today: date = paris_date(now)
    row = Dispute(
        organisation_id=invoice.organisation_id,
        invoice_id=invoice.id,
        reason="",
        comment="",
        team=team_of_reasons(issue.reasons) or DEFAULT_TEAM,
        deadline=agreement_policy(today).settle_by(today),
        opened_on=paris_date(issue.at),
        opened_by=GATEWAY,
        since=issue.at,
    )
    _be_about(session, row, issue, amount)
    _note(session, row, Step.MADE, now)


def _be_about(session: Session, row: Dispute, issue: OpenIssue, amount: Decimal | None) -> None:
    """Tie a dispute to the status that opens or confirms it."""
    event = event_of_fingerprint(session, issue.fingerprint)
    row.status, row.fingerprint, row.since = issue.code, issue.fingerprint, issue.at
    row.amount = amount
    row.reason = issue.reasons[0] if issue.reasons else row.reason
    if event is not None:
        row.event_id = event.id
        row.comment = row.comment or status_event(event).comment
    session.add(row)


def _note(session: Session, row: Dispute, step: Step, now: datetime) -> None:
    facts = {
        "invoice_id": str(row.invoice_id),
        "amount": None if row.amount is None else str(row.amount),
        "reason": row.reason,
        "team": row.team,
    }
    kind, text, event_id = AgreementKind.DISPUTE, row.status, row.event_id
    note(session, kind, row.id, step, by=GATEWAY, now=now, text=text, event_id=event_id, facts=facts)
