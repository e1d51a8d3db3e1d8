"""Record an instalment plan, or cancel one. Every writer first takes its turn on the organisation's ledger."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlmodel import Session

from gateway.access.scope import Scope
from gateway.collection.agreements import repository
from gateway.collection.agreements.calling import PLAN_BROKEN, instalment_key, settle_call
from gateway.collection.agreements.errors import InvoicePlannedError, NothingOpenError, NotOpenError
from gateway.collection.agreements.history import note, words
from gateway.collection.agreements.model import AgreementKind, Plan, PlanInstalment, PlanInvoice, Step
from gateway.collection.agreements.owing import Owing, named_facts, open_to
from gateway.collection.agreements.plans import NewInstalment, require_plan, spread_evenly
from gateway.collection.agreements.policy import agreement_policy
from gateway.collection.agreements.promising import chosen
from gateway.collection.agreements.values import PlanState
from gateway.database.engine import organisation_of
from gateway.kernel.clock import paris_date
from gateway.kernel.money import ZERO
from gateway.ledger.service import take_turn


@dataclass(frozen=True, slots=True)
class EvenSpread:
    """Equal monthly instalments: how many, and the day of the first (Europe/Paris)."""

    count: int
    first_on: date


@dataclass(frozen=True, slots=True)
class NewPlan:
    """A plan as it is agreed on.

    Attributes:
        spread: the instalments one by one, or how to spread them evenly.
        invoice_ids: the first to be paid first; entry_ids: lines of the books that are no invoice here, paid after.
            Nothing named: all that the customer owes in `currency`.
        suspends_penalties: whether penalties of late payment stop while it runs.
    """

    customer_id: UUID
    spread: Sequence[NewInstalment] | EvenSpread
    currency: str = "EUR"
    invoice_ids: tuple[UUID, ...] = ()
    entry_ids: tuple[UUID, ...] = ()
    suspends_penalties: bool = False
    comment: str = ""


def make_plan(session: Session, scope: Scope, new: NewPlan, *, by: str, now: datetime) -> Plan:
    """Spread what is left to pay of what is open in scope. The caller knows that the customer may be seen.

    Raises InvoiceOfAnotherError, NothingOpenError, InvoicePlannedError, NoAmountError, InstalmentInThePastError,
    InstalmentsOutOfOrderError or PlanSumError.
    """
    take_turn(session)
    today = paris_date(now)
    owing = chosen(open_to(session, scope, new.customer_id, new.currency, today), new.invoice_ids, new.entry_ids)
    total = sum((each.amount for each in owing), ZERO)
    if total <= 0:
        raise NothingOpenError
    numbers = {each.item_id: each.number for each in owing}
    for item_id, plan_id in repository.running_plans_of(session, list(numbers)).items():
        raise InvoicePlannedError(numbers[item_id], plan_id)
    spread = new.spread
    instalments = spread_evenly(total, spread.count, spread.first_on) if isinstance(spread, EvenSpread) else spread
    require_plan(instalments, total, today)
    plan = Plan(
        organisation_id=organisation_of(session),
        customer_id=new.customer_id,
        currency=new.currency,
        total=total,
        suspends_penalties=new.suspends_penalties,
        comment=new.comment.strip(),
        made_at=now,
        made_by=by,
    )
    session.add(plan)
    session.flush()
    _spread(session, plan, owing, instalments, today)
    facts = {
        "customer_id": str(plan.customer_id),
        "total": str(plan.total),
        "currency": plan.currency,
        **named_facts(owing),
        "instalments": [[each.due_on.isoformat(), str(each.amount)] for each in instalments],
        "suspends_penalties": plan.suspends_penalties,
    }
    note(session, AgreementKind.PLAN, plan.id, Step.MADE, by=by, now=now, text=plan.comment, facts=facts)
    return plan


def cancel_plan(session: Session, scope: Scope, plan_id: UUID, *, because: str, by: str, now: datetime) -> Plan:
    """The plan is off: its invoices fall due again as they were. Raises PlanNotFoundError, NotOpenError,
    WithoutWordsError.
    """
    take_turn(session)
    plan = repository.plan_by_id(session, scope, plan_id)
    if plan.state in (PlanState.DONE, PlanState.CANCELLED):
        raise NotOpenError(plan_id, plan.state)
    text = words(because)
    plan.state = PlanState.CANCELLED.value
    session.add(plan)
    note(session, AgreementKind.PLAN, plan_id, Step.CANCELLED, by=by, now=now, text=text)
    for each in repository.instalments_of(session, [plan_id])[plan_id]:
        settle_call(session, PLAN_BROKEN, instalment_key(plan_id, each.position), now)
    return plan


def _spread(
    session: Session, plan: Plan, owing: Sequence[Owing], instalments: Sequence[NewInstalment], today: date
) -> None:
    policy, organisation_id = agreement_policy(today), plan.organisation_id
    session.add_all(
        PlanInvoice(organisation_id=organisation_id, plan_id=plan.id, position=place, **each.columns)
        for place, each in enumerate(owing, 1)
    )
    session.add_all(
        PlanInstalment(
            organisation_id=organisation_id,
            plan_id=plan.id,
            position=place,
            due_on=each.due_on,
            grace_until=policy.plan_grace_until(each.due_on),
            amount=each.amount,
        )
        for place, each in enumerate(instalments, 1)
    )
    session.flush()
