"""The order check: loads what is known of a customer and decides; blocks by hand; thresholds of an organisation."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from pydantic import ValidationError
from sqlmodel import Session

from gateway.access.scope import Scope
from gateway.collection.agreements.reading import agreements_of
from gateway.collection.agreements.values import Agreements, PromiseState
from gateway.collection.law import repository
from gateway.collection.law.calendar import add_months
from gateway.collection.law.errors import AlreadyInForceError, LegalFactError, LegalFactNotFoundError
from gateway.collection.law.model import OrderBlock, OrderThresholds
from gateway.collection.law.ordering import OrderDecision, OrderFacts, order_decision
from gateway.collection.law.statute import OrderPolicy, Statute
from gateway.customers.credit import covered_on
from gateway.customers.model import Customer
from gateway.customers.repository import covers_of, find_customer
from gateway.database.engine import organisation_of
from gateway.kernel.clock import paris_date
from gateway.kernel.money import ZERO
from gateway.kernel.text import Text
from gateway.ledger.service import append, take_turn
from gateway.treasury.receivable_rows import open_items
from gateway.treasury.receivables import Item, disputed_by_statuses


def check_order(
    session: Session, scope: Scope, named: str, amount: Decimal, currency: str, law: Statute, now: datetime
) -> OrderDecision:
    """Whether an order of a customer (identifier, key or SIREN) may go ahead today. Raises CustomerNotFoundError."""
    customer = find_customer(session, scope, named)
    policy = order_policy(session, law, paris_date(now))
    return order_decision(_facts(session, scope, customer, currency, policy, now), amount, policy)


def order_policy(session: Session, law: Statute, on: date) -> OrderPolicy:
    """The organisation's own thresholds on a day, else those of the data of the law."""
    begun = [row for row in repository.order_thresholds(session) if row.valid_from <= on]
    return OrderPolicy.model_validate(begun[-1].policy) if begun else law.order_policy_on(on)


def set_order_policy(
    session: Session, law: Statute, thresholds: dict[str, Any], valid_from: date, *, by: str, now: datetime
) -> OrderPolicy:
    """Change some thresholds from a day on; those left out stay as they are that day. Raises LegalFactError."""
    take_turn(session)
    before = order_policy(session, law, valid_from).model_dump(mode="json")
    try:
        policy = OrderPolicy.model_validate({**before, **thresholds, "valid_from": valid_from})
    except ValidationError as error:
        first = error.errors()[0]
        raise LegalFactError(
            Text(f"Ce seuil ne convient pas : {first['msg']}.", f"This threshold does not fit: {first['msg']}."),
            Text(f"Un de : {', '.join(before)}.", f"One of: {', '.join(before)}."),
            ".".join(str(step) for step in first["loc"]),
        ) from error
    kept = policy.model_dump(mode="json")
    session.add(
        OrderThresholds(
            organisation_id=organisation_of(session),
            valid_from=valid_from,
            policy=kept,
            recorded_at=now,
            recorded_by=by,
        )
    )
    append(session, at=now, kind="orders.thresholds", subject="organisation", content={**kept, "by": by})
    session.flush()
    return policy


def block_orders(session: Session, scope: Scope, named: str, *, reason: str, by: str, now: datetime) -> OrderBlock:
    """A person stops a customer's orders. Raises CustomerNotFoundError, AlreadyInForceError."""
    take_turn(session)
    customer = find_customer(session, scope, named)
    if repository.order_block_of(session, customer.id) is not None:
        what = Text("Les commandes du client sont déjà bloquées.", "The customer’s orders are blocked already.")
        raise AlreadyInForceError(what, customer.key)
    block = OrderBlock(
        organisation_id=customer.organisation_id,
        customer_id=customer.id,
        reason=reason,
        blocked_at=now,
        blocked_by=by,
    )
    session.add(block)
    _note(session, "orders.blocked", customer, reason, by, now)
    return block


def lift_block(session: Session, scope: Scope, named: str, *, because: str, by: str, now: datetime) -> OrderBlock:
    """Orders may be judged by the rules again. Raises CustomerNotFoundError, LegalFactNotFoundError."""
    take_turn(session)
    customer = find_customer(session, scope, named)
    block = repository.order_block_of(session, customer.id, lock=True)
    if block is None:
        raise LegalFactNotFoundError(customer.id)
    block.lifted_at, block.lifted_by, block.lifted_because = now, by, because
    session.add(block)
    _note(session, "orders.unblocked", customer, because, by, now)
    return block


def _facts(
    session: Session, scope: Scope, customer: Customer, currency: str, policy: OrderPolicy, now: datetime
) -> OrderFacts:
    today = paris_date(now)
    items = [item for item in open_items(session, scope, today, [customer.id]) if item.currency == currency]
    agreements = agreements_of(session, [customer.id], today).get(customer.id, Agreements())
    late = [(item, _undisputed(item, agreements)) for item in items if item.due_date < today and item.remaining > 0]
    since = add_months(today, -policy.broken_months)
    broken = (PromiseState.BROKEN, PromiseState.PARTLY_KEPT)
    litigation = repository.in_litigation(session, [customer.id])
    covers = covers_of(session, [customer.id]).get(customer.id, [])
    counting = [cover for cover in covers if cover.currency == customer.credit_currency and cover.counts_on(today)]
    block = repository.order_block_of(session, customer.id)
    return OrderFacts(
        currency=currency,
        exposure=sum((item.remaining for item in items), ZERO),
        overdue=sum((left for _, left in late), ZERO),
        oldest_overdue_days=_oldest(late, today),
        credit_limit=customer.credit_limit,
        cover=covered_on(counting, today, customer.credit_currency) if counting else None,
        limit_currency=customer.credit_currency,
        broken_promises=sum(1 for each in agreements.promises if each.state in broken and each.due_on >= since),
        insolvent_since=customer.insolvent_since,
        in_litigation=bool(litigation.customers or litigation.invoices),
        blocked_because=block.reason if block else None,
        partial=not scope.is_everything and customer.siren not in scope.key_accounts,
    )


def _undisputed(item: Item, agreements: Agreements) -> Decimal:
    """What is left of an item beside what is contested, told by a person or by a status."""
    if item.invoice_id is None:
        return item.remaining
    by_people = agreements.disputed(item.invoice_id, item.remaining)
    by_status = disputed_by_statuses(item.issues or (), item.remaining, agreements.answered(item.invoice_id))
    return item.remaining - max(by_people, by_status)


def _oldest(late: Sequence[tuple[Item, Decimal]], today: date) -> int:
    return max(((today - item.due_date).days for item, left in late if left > 0), default=0)


def _note(session: Session, kind: str, customer: Customer, reason: str, by: str, now: datetime) -> None:
    append(session, at=now, kind=kind, subject=f"customer:{customer.id}", content={"reason": reason, "by": by})
