"""How far a customer is trusted: its credit limit, and what insurers guarantee on a day. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from gateway.kernel.money import ZERO


@dataclass(frozen=True, slots=True)
class Cover:
    """A guarantee of a credit insurer, from `valid_from` to `valid_until`, both included; None: permanent."""

    id: UUID
    insurer: str
    reference: str
    amount: Decimal
    currency: str
    valid_from: date
    valid_until: date | None

    def counts_on(self, day: date) -> bool:
        """True while it is in force."""
        return self.valid_from <= day and (self.valid_until is None or day <= self.valid_until)


@dataclass(frozen=True, slots=True)
class CreditPosition:
    """A customer's debt in one currency beside what it is trusted with.

    Attributes:
        balance: what it owes.
        limit: None when none was set in that currency. covered: guaranteed on the day.
        available: what is left of the limit, negative past it; None without limit.
        uncovered: the part of the balance that no insurer guarantees.
    """

    currency: str
    balance: Decimal
    limit: Decimal | None
    covered: Decimal
    available: Decimal | None
    uncovered: Decimal


def covered_on(covers: Iterable[Cover], day: date, currency: str) -> Decimal:
    """What insurers guarantee on a day: permanent covers and, on top, those that count for a while."""
    return sum((each.amount for each in covers if each.currency == currency and each.counts_on(day)), ZERO)


def credit_position(
    balance: Decimal, currency: str, *, limit: Decimal | None, limit_currency: str, covers: Iterable[Cover], day: date
) -> CreditPosition:
    """Limit and cover against the balance. A limit in another currency says nothing here."""
    counts = limit if limit_currency == currency else None
    covered = covered_on(covers, day, currency)
    return CreditPosition(
        currency=currency,
        balance=balance,
        limit=counts,
        covered=covered,
        available=None if counts is None else counts - balance,
        uncovered=max(ZERO, balance - covered),
    )
