"""Whether promises to pay are kept, from the money that came in and the day, and from nothing else. Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from gateway.collection.agreements.errors import (
    NoAmountError,
    NothingOpenError,
    PromiseExceedsError,
    PromiseInThePastError,
)
from gateway.collection.agreements.money import Money, came_in, sum_of
from gateway.collection.agreements.values import Promised, PromiseState
from gateway.kernel.money import CENT, ZERO

#: States that money can still change: a cancelled promise is over whatever comes.
_BROKEN = frozenset({PromiseState.BROKEN, PromiseState.PARTLY_KEPT})


@dataclass(frozen=True, slots=True)
class PromiseMade:
    """A promise, and when it was made: money known before is no part of it."""

    promised: Promised
    made_at: datetime


@dataclass(frozen=True, slots=True)
class PromiseDecision:
    """Where a promise stands.

    Attributes:
        state: what it is now.
        awaited: still to come of it, never more than is owed.
        calls: the money is missing past the days of grace: someone should call.
    """

    state: PromiseState
    awaited: Decimal
    calls: bool


def judge_promises(
    made: Iterable[PromiseMade], money: Iterable[Money], owed: Mapping[UUID, Decimal], today: date
) -> dict[UUID, PromiseDecision]:
    """Where the promises of some invoices stand today (Europe/Paris), by promise.

    `money`: all that ever came in for their invoices; `owed`: what is left to pay of each.
    One amount keeps one promise.

    A promise is kept once its money came in time (see `Promised.grace_until`); past that day it is partly kept or
    broken, and money that comes later does not mend the word, it only ends the call, whatever newer promise it also
    keeps. An open promise whose invoices
    were settled otherwise, by a credit note say, is cancelled, or kept when a part had come.
    """
    promises = sorted(made, key=lambda each: (each.promised.due_on, each.made_at, each.promised.id))
    came = came_in(money)
    shares = _shared(promises, came)
    return {
        each.promised.id: _judge(each.promised, shares[each.promised.id], _counting(each, came), owed, today)
        for each in promises
    }


def _judge(
    promised: Promised, share: Sequence[Money], came: Sequence[Money], owed: Mapping[UUID, Decimal], today: date
) -> PromiseDecision:
    """`share`: the money that is this promise's own; `came`: all that came for its invoices since it was made."""
    if promised.state is PromiseState.CANCELLED:
        return PromiseDecision(PromiseState.CANCELLED, ZERO, calls=False)
    own, in_time = sum_of(share), sum_of(each for each in share if each.on <= promised.grace_until)
    left = max(sum((owed.get(each, ZERO) for each in promised.invoice_ids), ZERO), ZERO)
    if in_time >= promised.amount:
        return PromiseDecision(PromiseState.KEPT, ZERO, calls=False)
    if not left and own == in_time and promised.state not in _BROKEN:
        settled = PromiseState.KEPT if in_time else PromiseState.CANCELLED
        return PromiseDecision(settled, ZERO, calls=False)
    if today <= promised.grace_until:
        return PromiseDecision(PromiseState.OPEN, min(promised.amount - own, left), calls=False)
    missing = max(min(promised.amount - sum_of(came), left), ZERO)
    return PromiseDecision(PromiseState.PARTLY_KEPT if in_time else PromiseState.BROKEN, missing, calls=missing > 0)


def _counting(made: PromiseMade, came: Iterable[Money]) -> list[Money]:
    """The money that came for the invoices of a promise since it was made."""
    invoices = frozenset(made.promised.invoice_ids)
    return [each for each in came if each.invoice_id in invoices and each.known_at >= made.made_at]


def _shared(promises: Sequence[PromiseMade], came: Sequence[Money]) -> dict[UUID, list[Money]]:
    """Each amount to the promises about its invoice: those it comes in time for first, the nearest day first."""
    shares: dict[UUID, list[Money]] = {each.promised.id: [] for each in promises}
    room = {each.promised.id: each.promised.amount for each in promises}
    standing = [each for each in promises if each.promised.state is not PromiseState.CANCELLED]
    for piece in came:
        left = piece.amount
        about = [each.promised for each in standing if _counting(each, [piece])]
        for promised in sorted(about, key=lambda each: each.grace_until < piece.on):
            share = min(left, room[promised.id])
            if share > 0:
                shares[promised.id].append(replace(piece, amount=share))
                room[promised.id] -= share
                left -= share
    return shares


def require_promise(amount: Decimal, due_on: date, owed: Decimal, today: date) -> None:
    """A new promise makes sense: some cents, for today or later, no more than is owed over its invoices.

    Raises NoAmountError, PromiseInThePastError, NothingOpenError or PromiseExceedsError.
    """
    if amount <= 0 or amount % CENT:
        raise NoAmountError(amount)
    if due_on < today:
        raise PromiseInThePastError(due_on)
    if owed <= 0:
        raise NothingOpenError
    if amount > owed:
        raise PromiseExceedsError(amount, owed)


def promised_by_day(promises: Iterable[Promised]) -> dict[date, Decimal]:
    """What open promises still announce, by the day promised; for the forecast. One currency."""
    days: dict[date, Decimal] = {}
    for each in promises:
        if each.state is PromiseState.OPEN and each.awaited > 0:
            days[each.due_on] = days.get(each.due_on, ZERO) + each.awaited
    return dict(sorted(days.items()))


def promised_by_invoice(promises: Iterable[Promised], remaining: Mapping[UUID, Decimal]) -> dict[UUID, Decimal]:
    """What open promises announce for each invoice, the first named first, never more than remains of it."""
    announced: dict[UUID, Decimal] = {}
    for each in promises:
        left = each.awaited if each.state is PromiseState.OPEN else ZERO
        for invoice_id in each.invoice_ids:
            free = max(remaining.get(invoice_id, ZERO) - announced.get(invoice_id, ZERO), ZERO)
            share = min(left, free)
            if share > 0:
                announced[invoice_id] = announced.get(invoice_id, ZERO) + share
                left -= share
    return announced


def kept_ratio(promises: Collection[Promised]) -> Decimal | None:
    """The share, 0 to 1, of a customer's promises that were kept among those judged; None while none was.

    A promise kept in part counts for half. By number and not by amount: a word is a word.
    """
    worth = {PromiseState.KEPT: Decimal(1), PromiseState.PARTLY_KEPT: Decimal("0.5"), PromiseState.BROKEN: Decimal(0)}
    judged = [worth[each.state] for each in promises if each.state in worth]
    return sum(judged, Decimal(0)) / len(judged) if judged else None
