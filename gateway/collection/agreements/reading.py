"""What was agreed with customers, as values: many customers in a fixed number of statements."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlmodel import Session

from gateway.collection.agreements import repository
from gateway.collection.agreements.model import Dispute, Plan, PlanInstalment, Promise
from gateway.collection.agreements.money import Money, sum_of
from gateway.collection.agreements.naming import Named, named_by_plans, named_by_promises
from gateway.collection.agreements.owing import Owing, money_for, owing_of
from gateway.collection.agreements.plans import DatedInstalment, PlanDecision, judge_plan
from gateway.collection.agreements.promises import PromiseDecision, PromiseMade, judge_promises
from gateway.collection.agreements.values import (
    Agreements,
    Disputed,
    Instalment,
    Planned,
    PlanState,
    Promised,
    PromiseState,
)
from gateway.kernel.money import ZERO


@dataclass(frozen=True, slots=True)
class PromiseRead:
    """A promise with its invoices, and where it stands."""

    row: Promise
    invoice_ids: tuple[UUID, ...]
    decision: PromiseDecision


@dataclass(frozen=True, slots=True)
class PlanRead:
    """A plan with its invoices and instalments, and where it stands."""

    row: Plan
    invoice_ids: tuple[UUID, ...]
    instalments: Sequence[PlanInstalment]
    decision: PlanDecision


@dataclass(frozen=True, slots=True)
class Reading:
    """The promises and plans of some customers as the money stands; `owed`: what they are about."""

    promises: list[PromiseRead] = field(default_factory=list)
    plans: list[PlanRead] = field(default_factory=list)
    owed: Mapping[UUID, Owing] = field(default_factory=dict)


def agreements_of(session: Session, customer_ids: Collection[UUID], today: date) -> Mapping[UUID, Agreements]:
    """The promises, disputes and plans of each customer that has any, today (Europe/Paris), over ones too.

    So many statements at most, whatever the number of customers. States and amounts follow from the money known now,
    whether or not a review has stored them already.
    """
    reading = read_agreements(session, customer_ids, today)
    found: dict[UUID, tuple[list[Promised], list[Disputed], list[Planned]]] = {}
    for promise in reading.promises:
        mine = found.setdefault(promise.row.customer_id, ([], [], []))
        mine[0].append(_promised(promise))
    for customer_id, dispute in repository.disputes_of_customers(session, customer_ids):
        found.setdefault(customer_id, ([], [], []))[1].append(disputed_of_row(dispute))
    for plan in reading.plans:
        found.setdefault(plan.row.customer_id, ([], [], []))[2].append(_planned(plan))
    return {
        customer_id: Agreements(tuple(promises), tuple(disputes), tuple(plans))
        for customer_id, (promises, disputes, plans) in found.items()
    }


def read_agreements(session: Session, customer_ids: Collection[UUID], today: date) -> Reading:
    """The promises and plans of customers with what the money makes of them today (Europe/Paris)."""
    promises = repository.promises_of(session, customer_ids)
    plans = repository.plans_of(session, customer_ids)
    if not promises and not plans:
        return Reading()
    promised = named_by_promises(session, [each.id for each in promises])
    planned = named_by_plans(session, [each.id for each in plans])
    instalments = repository.instalments_of(session, [each.id for each in plans])
    named = [each for about in (*promised.values(), *planned.values()) for each in about]
    owed = owing_of(session, named)
    known = _Known(_by_invoice(money_for(session, named)), {key: each.amount for key, each in owed.items()}, today)
    of_promise, of_plan = _item_ids(promised), _item_ids(planned)
    judged = _judge_promises(promises, of_promise, known)
    return Reading(
        promises=[PromiseRead(each, of_promise[each.id], judged[each.id]) for each in promises],
        plans=[
            PlanRead(
                each,
                of_plan[each.id],
                instalments[each.id],
                _judge_plan(each, of_plan[each.id], instalments[each.id], known),
            )
            for each in plans
        ],
        owed=owed,
    )


def disputed_of_row(row: Dispute) -> Disputed:
    """A row as a value. Pure."""
    return Disputed(
        row.id,
        row.invoice_id,
        row.amount,
        row.reason,
        row.team,
        row.deadline,
        row.opened_on,
        row.closed_on,
        row.status,
    )


@dataclass(frozen=True, slots=True)
class _Known:
    """What came in for each invoice, what is left to pay of each, and the day."""

    money: Mapping[UUID, Sequence[Money]]
    owed: Mapping[UUID, Decimal]
    today: date

    def came_for(self, invoice_ids: Iterable[UUID]) -> list[Money]:
        """All that came in for these invoices."""
        return [each for invoice_id in invoice_ids for each in self.money.get(invoice_id, ())]


def _item_ids(named: Mapping[UUID, Sequence[Named]]) -> dict[UUID, tuple[UUID, ...]]:
    return {key: tuple(each.item_id for each in about) for key, about in named.items()}


def _by_invoice(money: Iterable[Money]) -> dict[UUID, list[Money]]:
    found: dict[UUID, list[Money]] = {}
    for each in money:
        found.setdefault(each.invoice_id, []).append(each)
    return found


def _judge_promises(
    promises: Sequence[Promise], invoices: Mapping[UUID, tuple[UUID, ...]], known: _Known
) -> dict[UUID, PromiseDecision]:
    """Customer by customer: the promises of one share its money."""
    made: dict[UUID, list[PromiseMade]] = {}
    for each in promises:
        mine = made.setdefault(each.customer_id, [])
        mine.append(PromiseMade(_value(each, invoices[each.id]), each.made_at))
    judged: dict[UUID, PromiseDecision] = {}
    for mine in made.values():
        about = dict.fromkeys(invoice_id for each in mine for invoice_id in each.promised.invoice_ids)
        judged |= judge_promises(mine, known.came_for(about), known.owed, known.today)
    return judged


def _judge_plan(
    plan: Plan, invoice_ids: Sequence[UUID], instalments: Sequence[PlanInstalment], known: _Known
) -> PlanDecision:
    paid = sum_of(each for each in known.came_for(invoice_ids) if each.known_at >= plan.made_at)
    left = sum((known.owed.get(each, ZERO) for each in invoice_ids), ZERO)
    dated = [DatedInstalment(Instalment(each.due_on, each.amount, each.paid), each.grace_until) for each in instalments]
    decision = judge_plan(dated, paid, left, known.today)
    if plan.state == PlanState.CANCELLED:
        return PlanDecision(PlanState.CANCELLED, decision.instalments, ())
    return decision


def _value(row: Promise, invoice_ids: tuple[UUID, ...]) -> Promised:
    return Promised(
        id=row.id,
        invoice_ids=invoice_ids,
        amount=row.amount,
        due_on=row.due_on,
        grace_until=row.grace_until,
        state=PromiseState(row.state),
        awaited=row.awaited,
        currency=row.currency,
    )


def _promised(read: PromiseRead) -> Promised:
    return replace(_value(read.row, read.invoice_ids), state=read.decision.state, awaited=read.decision.awaited)


def _planned(read: PlanRead) -> Planned:
    return Planned(
        id=read.row.id,
        invoice_ids=read.invoice_ids,
        instalments=read.decision.instalments,
        state=read.decision.state,
        suspends_penalties=read.row.suspends_penalties,
        currency=read.row.currency,
    )
