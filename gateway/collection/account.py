"""A customer's account in one currency at an instant: all that a decision about it depends on. Pure values.

Amounts are `Decimal`, VAT included; credit notes and unallocated money are negative: they lower what is owed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from gateway.collection.agreements.values import Disputed, Planned, Promised
from gateway.collection.reachability import AddressFault
from gateway.customers.values import CustomerFacts
from gateway.kernel.money import ZERO
from gateway.kernel.text import Text
from gateway.lifecycle.projection import InvoiceState


class Risk(StrEnum):
    """How late a payer usually is, from the best to the worst; the bounds are those of the payer score."""

    A = "a"
    B = "b"
    C = "c"
    D = "d"


@dataclass(frozen=True, slots=True)
class StepTaken:
    """A step of a scenario that was taken for an invoice.

    Attributes:
        name: key of the step in its scenario.
        on: day it reached the customer, else was decided (Europe/Paris). tone: rank of its tone.
        done: whether the customer was really reached: sent, posted, called; not refused, failed or still waiting.
    """

    name: str
    on: date
    tone: int
    done: bool


@dataclass(frozen=True, slots=True)
class OpenItem:
    """An invoice or a credit note of the account, or what only the books know of it.

    Attributes:
        invoice_id: the invoice; of what only the books know, their line.
        number: BT-1, or the document that the books name. agency_id: ours. seller_siren: BT-30. issue_date: BT-2.
        due_date: BT-9, or the default term.
        total: BT-115. remaining: less what was collected and received.
        state: its lifecycle; the history of events and amounts by rate may be left out.
        delivery_refused: the platform refused the last delivery, so that the buyer has not got it.
        in_litigation: handed over to litigation.
        arrival_sought: an alert says that it has not reached the buyer, and nobody has done its action.
        reached: the steps already taken for it, the oldest first.
        books_only: no invoice here; unsure: the books name no document, or that of an invoice which is known here.
    """

    invoice_id: UUID
    number: str
    agency_id: UUID | None
    seller_siren: str
    issue_date: date
    due_date: date
    total: Decimal
    remaining: Decimal
    state: InvoiceState
    delivery_refused: bool = False
    in_litigation: bool = False
    arrival_sought: bool = False
    reached: tuple[StepTaken, ...] = ()
    books_only: bool = False
    unsure: bool = False

    @property
    def is_credit(self) -> bool:
        """A credit note: it lowers what the account owes."""
        return self.total < 0


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Someone decided not to chase an item, or the whole customer when `invoice_id` is None.

    `until`: last day it holds, None without end.
    """

    invoice_id: UUID | None
    until: date | None
    reason: str

    def holds_on(self, day: date) -> bool:
        """Whether it is in force that day."""
        return self.until is None or day <= self.until


@dataclass(frozen=True, slots=True)
class Waiting:
    """A reminder of the account that waits for a person."""

    reminder_id: UUID
    title: Text
    since: date


@dataclass(frozen=True, slots=True)
class Account:
    """A customer in one currency at an instant.

    Attributes:
        items: what is open, and what was reminded of, has been paid since and was not thanked for.
        unallocated: money received that no invoice names; negative or nil.
        promises, disputes, plans: those about the items, whatever their state.
        last_contact_on: day of the last message or call that reached the customer, or was decided for a person to make.
        waiting: what a person must confirm or settle before anything else is sent.
        to_call: the last call that a person is still to make: no other is asked for meanwhile.
        faults: addresses of its contacts that are not to be used.
        in_litigation: the whole customer is handed over.
        score: the payer's risk, None when too little is known.
    """

    customer: CustomerFacts
    currency: str
    items: tuple[OpenItem, ...]
    unallocated: Decimal = ZERO
    promises: tuple[Promised, ...] = ()
    disputes: tuple[Disputed, ...] = ()
    plans: tuple[Planned, ...] = ()
    exclusions: tuple[Exclusion, ...] = ()
    last_contact_on: date | None = None
    waiting: Waiting | None = None
    to_call: Waiting | None = None
    faults: tuple[AddressFault, ...] = ()
    in_litigation: bool = False
    score: Risk | None = None

    @property
    def debts(self) -> Iterator[OpenItem]:
        """The items that ask for money."""
        return (item for item in self.items if not item.is_credit)
