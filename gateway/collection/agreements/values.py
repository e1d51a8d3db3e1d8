"""Promises, disputes and plans as plain values: what a decision about a customer's account needs of them.

Amounts are `Decimal`, VAT included, in the currency of the invoices; dates are legal dates (Europe/Paris).
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from gateway.kernel.money import ZERO


class PromiseState(StrEnum):
    """Where a promise to pay stands; only an open one is still waited for."""

    OPEN = "open"
    KEPT = "kept"
    PARTLY_KEPT = "partly_kept"
    BROKEN = "broken"
    CANCELLED = "cancelled"


class PlanState(StrEnum):
    """Where an instalment plan stands; only an active one replaces the due dates of its invoices."""

    ACTIVE = "active"
    BROKEN = "broken"
    DONE = "done"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Promised:
    """A promise to pay.

    Attributes:
        invoice_ids: the invoices it is about, the first to be paid first.
        amount: what was promised over all of them.
        due_on: day by which the money was promised; `grace_until`: last day on which it still counts as kept.
        awaited: what is still to come of it; zero once kept or cancelled.
        currency: of its invoices (BT-5).
    """

    id: UUID
    invoice_ids: tuple[UUID, ...]
    amount: Decimal
    due_on: date
    grace_until: date
    state: PromiseState
    awaited: Decimal = ZERO
    currency: str = "EUR"


@dataclass(frozen=True, slots=True)
class Disputed:
    """A dispute about one invoice.

    Attributes:
        amount: the contested part, None for the whole invoice.
        reason: a reason code of the lifecycle (`PU_ERR`) or a category of ours (`price`).
        team: who settles it; `deadline`: the day by which.
        closed_on: None while it is open.
        status: the lifecycle status that opened it (206, 207, 210), empty when a person did.
    """

    id: UUID
    invoice_id: UUID
    amount: Decimal | None
    reason: str
    team: str
    deadline: date | None
    opened_on: date
    closed_on: date | None
    status: str = ""


@dataclass(frozen=True, slots=True)
class Instalment:
    """One payment of a plan; `paid` is how much of it is in."""

    due_on: date
    amount: Decimal
    paid: Decimal

    @property
    def remaining(self) -> Decimal:
        """What is still to come of it."""
        return self.amount - self.paid


@dataclass(frozen=True, slots=True)
class Planned:
    """An instalment plan over invoices; its instalments are in the order of their dates.

    While it is active, the customer is chased for its instalments and not for its invoices.
    """

    id: UUID
    invoice_ids: tuple[UUID, ...]
    instalments: tuple[Instalment, ...]
    state: PlanState
    suspends_penalties: bool = False
    currency: str = "EUR"

    def late(self, today: date) -> tuple[Instalment, ...]:
        """The instalments whose day has passed and of which something is missing."""
        return tuple(each for each in self.instalments if each.due_on < today and each.remaining > 0)

    @property
    def next_due(self) -> Instalment | None:
        """The first instalment of which something is still to come."""
        return next((each for each in self.instalments if each.remaining > 0), None)


@dataclass(frozen=True, slots=True)
class Agreements:
    """The promises, disputes and plans of one customer, the oldest first: those that still matter and those over."""

    promises: tuple[Promised, ...] = ()
    disputes: tuple[Disputed, ...] = ()
    plans: tuple[Planned, ...] = ()

    def disputed(self, invoice_id: UUID, remaining: Decimal) -> Decimal:
        """The contested part of what is left to pay of an invoice: open disputes together, never more than is left."""
        mine = [each for each in self.disputes if each.invoice_id == invoice_id and each.closed_on is None]
        parts = [remaining if each.amount is None else each.amount for each in mine]
        return max(ZERO, min(sum(parts, ZERO), remaining))

    def answered(self, invoice_id: UUID) -> frozenset[str]:
        """The statuses (206, 207) of an invoice whose dispute was settled here: they hold reminders back no more.

        Whoever refuses a dispute resumes chasing, although the buyer never takes the status back.
        """
        mine = [each for each in self.disputes if each.invoice_id == invoice_id and each.status]
        still_open = {each.status for each in mine if each.closed_on is None}
        return frozenset(each.status for each in mine) - still_open - {"210"}

    def plan_of(self, invoice_id: UUID) -> Planned | None:
        """The active plan that replaces the due date of an invoice."""
        active = (each for each in self.plans if each.state is PlanState.ACTIVE)
        return next((each for each in active if invoice_id in each.invoice_ids), None)
