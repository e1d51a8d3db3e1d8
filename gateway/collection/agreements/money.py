"""Money that came in for an invoice, each amount once, whether a receipt or a status 212 told it. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from gateway.kernel.money import ZERO


@dataclass(frozen=True, slots=True)
class Money:
    """One amount that came in for an invoice, or went back when negative.

    Attributes:
        on: day it came in (Europe/Paris).
        known_at: when the gateway was told.
        amount: VAT included, in the invoice's currency.
    """

    invoice_id: UUID
    on: date
    known_at: datetime
    amount: Decimal


def came_in(money: Iterable[Money]) -> list[Money]:
    """What stays, in the order of days: money that went back takes from the latest that had come for the invoice."""
    kept: list[Money] = []
    for each in sorted(money, key=lambda one: (one.on, one.known_at)):
        if each.amount >= 0:
            kept.append(each)
            continue
        back = -each.amount
        for place in reversed([at for at, one in enumerate(kept) if one.invoice_id == each.invoice_id]):
            taken = min(back, kept[place].amount)
            kept[place] = replace(kept[place], amount=kept[place].amount - taken)
            back -= taken
    return [each for each in kept if each.amount > 0]


def sum_of(money: Iterable[Money]) -> Decimal:
    """The amounts together."""
    return sum((each.amount for each in money), ZERO)
