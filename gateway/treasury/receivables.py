"""Encours: what is owed, by customer, agency, entity or group, each currency apart, and what it is made of. Pure.

Amounts are `Decimal`, VAT included; what lowers the debt is negative. Two sums hold in every cell, to the cent:

    balance = invoiced + deposits + credit notes + openings + payments + written off + unallocated
            = overdue + not due + to deduct
    overdue + not due = litigation + planned + disputed + promised + free

Claimed penalties stand apart: they are no part of the balance.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from gateway.kernel.money import ZERO
from gateway.kernel.text import Text
from gateway.treasury.definitions import figure_words

#: A 207 contests the whole invoice unless the buyer tells the amount; a 206 contests only an amount told.
DISPUTED, PARTLY_APPROVED = "207", "206"


class ItemKind(StrEnum):
    """What makes the debt, or lowers it."""

    INVOICE = "invoice"
    #: An invoice of type 386 or 500, or the credit note of one (503).
    DEPOSIT = "deposit"
    CREDIT_NOTE = "credit_note"
    #: An invoice or credit note that only the books know.
    OPENING = "opening"
    #: Received, and no invoice that stands takes it.
    MONEY = "money"
    #: Late-payment interest or the indemnity, claimed.
    PENALTY = "penalty"


class Dimension(StrEnum):
    """Along what receivables are added up."""

    CUSTOMER = "customer"
    AGENCY = "agency"
    ENTITY = "entity"
    GROUP = "group"


class Family(StrEnum):
    """A figure of a cell."""

    BALANCE = "balance"
    # What the balance is made of
    INVOICED = "invoiced"
    DEPOSITS = "deposits"
    CREDIT_NOTES = "credit_notes"
    #: Known to the books only; no reminder speaks of them.
    OPENINGS = "openings"
    #: Collected, received, or granted as a discount, on the items above.
    PAYMENTS = "payments"
    #: Of the items above, what is not awaited any more: bad debts and small differences.
    WRITTEN_OFF = "written_off"
    UNALLOCATED = "unallocated"
    # The same by its due date
    OVERDUE = "overdue"
    NOT_DUE = "not_due"
    #: Credit notes, overpayments and unallocated money.
    TO_DEDUCT = "to_deduct"
    # What is overdue or not due, by what holds it back: the first that applies
    LITIGATION = "litigation"
    PLANNED = "planned"
    DISPUTED = "disputed"
    PROMISED = "promised"
    FREE = "free"
    # Beside the balance
    PENALTIES = "penalties"

    @property
    def label(self) -> Text:
        """The figure's name for people, the same wherever it is shown."""
        return figure_words(self.value).label

    @property
    def means(self) -> Text:
        """What it adds up, for people."""
        return figure_words(self.value).means


_ASKING = {
    ItemKind.INVOICE: Family.INVOICED,
    ItemKind.DEPOSIT: Family.DEPOSITS,
    ItemKind.CREDIT_NOTE: Family.CREDIT_NOTES,
    ItemKind.OPENING: Family.OPENINGS,
    ItemKind.MONEY: Family.UNALLOCATED,
}


#: Several items added up have no identifier.
_NOBODY = UUID(int=0)


class Due(NamedTuple):
    """Where an item stands among those behind a figure: the first due first, then by its number, by code points."""

    due_date: date
    number: str
    identity: UUID


class Item(NamedTuple):
    """An open invoice or credit note, money that nothing takes, or a claimed penalty; or several alike, added up.

    `asked`: BT-115, negative for a credit note; for money, what came in, negative. `remaining`: less what was
    collected, received, granted and `written_off`. `due_date`: BT-9 or the default term. `issues`: the open issues of
    its lifecycle (206 and 207 count), of each its code and the amount it contests, None without any.
    `receipt_id`: of money that came by a receipt. `entry_id`: of what only the books know. `penalty_id`: of a penalty,
    whose invoice `invoice_id` is. `stands_for`: how many; several are invoices that add to the same figures, and have
    no `invoice_id`.
    """

    kind: ItemKind
    currency: str
    customer_id: UUID | None
    agency_id: UUID | None
    seller_siren: str | None
    invoice_id: UUID | None
    receipt_id: UUID | None
    number: str
    due_date: date
    asked: Decimal
    remaining: Decimal
    issues: list[dict[str, Any]] | None
    written_off: Decimal = ZERO
    entry_id: UUID | None = None
    penalty_id: UUID | None = None
    stands_for: int = 1

    @property
    def identity(self) -> UUID | None:
        """What tells it from the other items."""
        return self.penalty_id or self.invoice_id or self.receipt_id or self.entry_id

    @property
    def debt_id(self) -> UUID | None:
        """What collection may say something of: an invoice, or a line that only the books know."""
        return self.invoice_id or self.entry_id

    @property
    def due(self) -> Due:
        """Its place in lists."""
        return Due(self.due_date, self.number, self.identity or _NOBODY)


@dataclass(frozen=True, slots=True)
class Mark:
    """What collection says of an invoice, or of what only the books know.

    Attributes:
        disputed, promised, planned: parts of what is left, VAT included; never more than that counts.
        answered: statuses (206, 207) whose dispute was settled here.
        in_litigation: handed over.
    """

    disputed: Decimal = ZERO
    promised: Decimal = ZERO
    planned: Decimal = ZERO
    answered: frozenset[str] = frozenset()
    in_litigation: bool = False


@dataclass(slots=True)
class Figure:
    """An amount, and how many items it adds up."""

    amount: Decimal = ZERO
    count: int = 0


@dataclass(frozen=True, slots=True)
class Encours:
    """What is owed in one currency by one customer, to one agency or entity, or by one group.

    `of`: a customer's or agency's identifier, a SIREN, a group's name; None for what cannot be told.
    """

    of: UUID | str | None
    currency: str
    figures: Mapping[Family, Figure]

    def amount(self, family: Family) -> Decimal:
        """One figure; nothing when no item adds to it."""
        figure = self.figures.get(family)
        return figure.amount if figure else ZERO

    def count(self, family: Family) -> int:
        """How many items a figure adds up."""
        figure = self.figures.get(family)
        return figure.count if figure else 0


_UNMARKED = Mark()


def sum_up(
    items: Iterable[Item],
    marks: Mapping[UUID, Mark],
    *,
    by: Dimension,
    groups: Mapping[UUID, str],
    as_of: date,
) -> list[Encours]:
    """One cell for each value of the dimension and currency, the largest balance first.

    `groups`: the group of each customer. An item due on `as_of` is not late yet.
    """
    cells: defaultdict[tuple[UUID | str | None, str], defaultdict[Family, Figure]]
    cells = defaultdict(lambda: defaultdict(Figure))
    for item in items:
        cell = cells[place_of(item, by, groups), item.currency]
        for family, amount in contributions(item, marks, as_of):
            figure = cell[family]
            figure.amount += amount
            figure.count += item.stands_for
    return _largest_first(Encours(of, currency, figures) for (of, currency), figures in cells.items())


def totals_of(cells: Iterable[Encours]) -> list[Encours]:
    """What cells of one dimension add up to, one total for each currency, the largest balance first."""
    totals: defaultdict[str, defaultdict[Family, Figure]] = defaultdict(lambda: defaultdict(Figure))
    for cell in cells:
        for family, part in cell.figures.items():
            figure = totals[cell.currency][family]
            figure.amount += part.amount
            figure.count += part.count
    return _largest_first(Encours(None, currency, figures) for currency, figures in totals.items())


def _largest_first(cells: Iterable[Encours]) -> list[Encours]:
    return sorted(cells, key=lambda each: (-each.amount(Family.BALANCE), str(each.of), each.currency))


def place_of(item: Item, by: Dimension, groups: Mapping[UUID, str]) -> UUID | str | None:
    """Where an item counts along a dimension."""
    if by is Dimension.CUSTOMER:
        return item.customer_id
    if by is Dimension.AGENCY:
        return item.agency_id
    if by is Dimension.ENTITY:
        return item.seller_siren
    return groups.get(item.customer_id) if item.customer_id else None


def contributions(item: Item, marks: Mapping[UUID, Mark], as_of: date) -> Iterator[tuple[Family, Decimal]]:
    """What an item adds to each figure; nil amounts are left out."""
    if item.kind is ItemKind.PENALTY:
        yield Family.PENALTIES, item.remaining
        return
    yield Family.BALANCE, item.remaining
    yield _ASKING[item.kind], item.asked
    paid = item.asked - item.written_off - item.remaining
    if paid:
        yield Family.PAYMENTS, -paid
    if item.written_off:
        yield Family.WRITTEN_OFF, -item.written_off
    if item.remaining < 0:
        yield Family.TO_DEDUCT, item.remaining
        return
    yield (Family.OVERDUE if item.due_date < as_of else Family.NOT_DUE), item.remaining
    mark = marks.get(item.debt_id, _UNMARKED) if item.debt_id else _UNMARKED
    if mark is _UNMARKED and not item.issues:
        yield Family.FREE, item.remaining
    else:
        yield from _held_back(item, mark)


def disputed_by_statuses(
    issues: Iterable[Mapping[str, Any]], remaining: Decimal, answered: frozenset[str] = frozenset()
) -> Decimal:
    """The part that the buyer contests by its statuses, never more than what is left to pay."""
    parts = [
        remaining if issue["code"] == DISPUTED and issue["disputed"] is None else Decimal(issue["disputed"] or 0)
        for issue in issues
        if issue["code"] in (DISPUTED, PARTLY_APPROVED) and issue["code"] not in answered
    ]
    return max(ZERO, min(max(parts, default=ZERO), remaining))


def _held_back(item: Item, mark: Mark) -> Iterator[tuple[Family, Decimal]]:
    rest = item.remaining
    disputed = max(mark.disputed, disputed_by_statuses(item.issues or (), rest, mark.answered))
    for family, wanted in (
        (Family.LITIGATION, rest if mark.in_litigation else ZERO),
        (Family.PLANNED, mark.planned),
        (Family.DISPUTED, disputed),
        (Family.PROMISED, mark.promised),
        (Family.FREE, rest),
    ):
        amount = max(ZERO, min(wanted, rest))
        if amount:
            yield family, amount
            rest -= amount
