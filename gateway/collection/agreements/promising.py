"""Record a promise to pay, or cancel one. Every writer first takes its turn on the organisation's ledger."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlmodel import Session

from gateway.access.scope import Scope
from gateway.collection.agreements import repository
from gateway.collection.agreements.calling import PROMISE_BROKEN, promise_key, settle_call
from gateway.collection.agreements.errors import InvoiceOfAnotherError, NotOpenError
from gateway.collection.agreements.history import note, words
from gateway.collection.agreements.model import AgreementKind, Promise, PromiseInvoice, PromiseOrigin, Step
from gateway.collection.agreements.owing import Owing, named_facts, open_to
from gateway.collection.agreements.policy import agreement_policy
from gateway.collection.agreements.promises import require_promise
from gateway.collection.agreements.values import PromiseState
from gateway.database.engine import organisation_of
from gateway.kernel.clock import paris_date
from gateway.kernel.money import ZERO
from gateway.ledger.service import take_turn


@dataclass(frozen=True, slots=True)
class NewPromise:
    """A promise as it is told.

    Attributes:
        amount: VAT included, in `currency`, over all its invoices.
        due_on: day by which the money is to come (Europe/Paris).
        invoice_ids: the first to be paid first; entry_ids: lines of the books that are no invoice here, paid after.
            Nothing named: the customer's open invoices, then what only the books know, as far as the amount goes.
        contact: who promised.
    """

    customer_id: UUID
    amount: Decimal
    due_on: date
    currency: str = "EUR"
    invoice_ids: tuple[UUID, ...] = ()
    entry_ids: tuple[UUID, ...] = ()
    contact: str = ""
    comment: str = ""
    origin: PromiseOrigin = PromiseOrigin.PERSON


def make_promise(session: Session, scope: Scope, new: NewPromise, *, by: str, now: datetime) -> Promise:
    """Record a promise about what is open in scope. The caller knows that the customer may be seen.

    Raises InvoiceOfAnotherError, NoAmountError, PromiseInThePastError, NothingOpenError or PromiseExceedsError.
    """
    take_turn(session)
    today = paris_date(now)
    owing = chosen(open_to(session, scope, new.customer_id, new.currency, today), new.invoice_ids, new.entry_ids)
    require_promise(new.amount, new.due_on, sum((each.amount for each in owing), ZERO), today)
    if not new.invoice_ids and not new.entry_ids:
        owing = _enough(owing, new.amount)
    promise = Promise(
        organisation_id=organisation_of(session),
        customer_id=new.customer_id,
        amount=new.amount,
        currency=new.currency,
        due_on=new.due_on,
        grace_until=agreement_policy(today).promise_grace_until(new.due_on),
        contact=new.contact.strip(),
        comment=new.comment.strip(),
        origin=new.origin.value,
        made_at=now,
        made_by=by,
        awaited=new.amount,
    )
    session.add(promise)
    session.flush()
    session.add_all(
        PromiseInvoice(organisation_id=promise.organisation_id, promise_id=promise.id, position=place, **each.columns)
        for place, each in enumerate(owing, 1)
    )
    facts = {
        "customer_id": str(promise.customer_id),
        "amount": str(promise.amount),
        "currency": promise.currency,
        "due_on": promise.due_on.isoformat(),
        **named_facts(owing),
        "contact": promise.contact,
        "origin": promise.origin,
    }
    note(session, AgreementKind.PROMISE, promise.id, Step.MADE, by=by, now=now, text=promise.comment, facts=facts)
    return promise


def cancel_promise(
    session: Session, scope: Scope, promise_id: UUID, *, because: str, by: str, now: datetime
) -> Promise:
    """A promise is withdrawn, or was recorded by mistake; one that is broken is no longer to be called for.

    What it was stays in its history. Raises PromiseNotFoundError, NotOpenError, WithoutWordsError.
    """
    take_turn(session)
    promise = repository.promise_by_id(session, scope, promise_id)
    if promise.state in (PromiseState.KEPT, PromiseState.CANCELLED):
        raise NotOpenError(promise_id, promise.state)
    text = words(because)
    promise.state, promise.awaited = PromiseState.CANCELLED.value, ZERO
    session.add(promise)
    note(session, AgreementKind.PROMISE, promise_id, Step.CANCELLED, by=by, now=now, text=text)
    settle_call(session, PROMISE_BROKEN, promise_key(promise_id), now)
    return promise


def chosen(owing: Sequence[Owing], invoice_ids: Sequence[UUID], entry_ids: Sequence[UUID]) -> list[Owing]:
    """What is named among all that a customer owes, invoices first, in that order.

    Nothing named: all of it, but for what only the books know and nobody can be sure of. Raises InvoiceOfAnotherError.
    """
    if not invoice_ids and not entry_ids:
        return [each for each in owing if not each.unsure]
    open_ones = {(each.item_id, each.invoice is None): each for each in owing}
    wanted = dict.fromkeys([*((each, False) for each in invoice_ids), *((each, True) for each in entry_ids)])
    strangers = [str(item_id) for item_id, books_only in wanted if (item_id, books_only) not in open_ones]
    if strangers:
        raise InvoiceOfAnotherError(strangers)
    return [open_ones[each] for each in wanted]


def _enough(owing: Sequence[Owing], amount: Decimal) -> list[Owing]:
    """The first that make up `amount`."""
    taken: list[Owing] = []
    for each in owing:
        if amount <= 0:
            break
        taken.append(each)
        amount -= each.amount
    return taken
