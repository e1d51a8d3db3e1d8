"""What the lines of one customer's account mean for its invoices and receipts. Pure: dry runs and real ones share it.

A payment pays what it is lettered with, when the letter balances and leaves no choice: one payment for invoices, or
payments for one invoice. Any other payment is received and unallocated. A letter that is taken back, or changed,
changes the decision; the shell then undoes the receipt by a counter-entry and records another.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from gateway.kernel.money import ZERO
from gateway.kernel.text import Text
from gateway.treasury.accounting.entries import Nature


class Outcome(StrEnum):
    """What becomes of a line."""

    MATCHED = "matched"
    ALLOCATED = "allocated"
    UNALLOCATED = "unallocated"
    PAID_ALREADY = "paid_already"
    UNKNOWN_INVOICE = "unknown_invoice"
    UNKNOWN_CUSTOMER = "unknown_customer"
    OTHER_CURRENCY = "other_currency"
    FUTURE = "future"
    NOT_FOLLOWED = "not_followed"

    @property
    def label(self) -> Text:
        """What it is called for people."""
        return _LABELS[self]


_LABELS = {
    Outcome.MATCHED: Text("facture connue", "invoice known"),
    Outcome.ALLOCATED: Text("règlement affecté", "payment allocated"),
    Outcome.UNALLOCATED: Text("règlement non affecté", "payment unallocated"),
    Outcome.PAID_ALREADY: Text("règlement déjà connu de la facture", "payment of an invoice that is paid already"),
    Outcome.UNKNOWN_INVOICE: Text("facture inconnue ici", "invoice unknown here"),
    Outcome.UNKNOWN_CUSTOMER: Text("client inconnu ici", "customer unknown here"),
    Outcome.OTHER_CURRENCY: Text("autre devise que les comptes", "currency other than the books'"),
    Outcome.FUTURE: Text("règlement daté dans le futur", "payment dated in the future"),
    Outcome.NOT_FOLLOWED: Text("gardé, sans effet", "kept, without effect"),
}
_ASKS = (Nature.INVOICE, Nature.CREDIT_NOTE)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the account as it is kept.

    `amount`: debit less credit. `undone`: a person undid the receipt that it made.
    """

    id: UUID
    day: date
    nature: Nature
    piece: str
    amount: Decimal
    currency: str
    lettering: str
    lettered_on: date | None
    undone: bool = False


@dataclass(frozen=True, slots=True)
class KnownInvoice:
    """An invoice of the customer; `open_amount` is what is left of it without the receipts that the account made."""

    id: UUID
    number: str
    year: int
    open_amount: Decimal


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of a line.

    Attributes:
        invoice_id: the invoice that it is.
        received: what came in by it (negative: went back), to be recorded as a receipt; None: no receipt.
        allocations: what the receipt pays.
    """

    line_id: UUID
    outcome: Outcome
    invoice_id: UUID | None = None
    received: Decimal | None = None
    allocations: Mapping[UUID, Decimal] = field(default_factory=dict)


def settle(
    lines: Sequence[Line],
    invoices: Iterable[KnownInvoice],
    *,
    customer_known: bool,
    currency: str,
    today: date,
) -> list[Decision]:
    """One decision for each line of one account, in their order.

    `invoices`: of the customer, in `currency`, that of the books. `today`: Europe/Paris.
    """
    by_number: dict[str, list[KnownInvoice]] = defaultdict(list)
    for invoice in invoices:
        by_number[invoice.number].append(invoice)
    ours = {line.id: line.currency in ("", currency) for line in lines}
    matched = {line.id: _invoice_of(line, by_number) for line in lines if ours[line.id]}
    wanted = _allocations(lines, matched)
    left = {invoice.id: invoice.open_amount for known in by_number.values() for invoice in known}
    decisions = []
    for line in lines:
        if line.nature in (Nature.PAYMENT, Nature.REFUND):
            outcome = _hindrance(line, customer_known, ours[line.id], today)
            decisions.append(Decision(line.id, outcome) if outcome else _receive(line, wanted.get(line.id, {}), left))
        else:
            decisions.append(_recognise(line, matched.get(line.id), customer_known, ours[line.id]))
    return decisions


def _invoice_of(line: Line, by_number: Mapping[str, Sequence[KnownInvoice]]) -> KnownInvoice | None:
    """The invoice or credit note that the line is: by its number; of several, the one of the line's year."""
    if line.nature not in (*_ASKS, Nature.CARRIED_FORWARD) or not line.piece:
        return None
    found = by_number.get(line.piece, ())
    if len(found) > 1:
        found = [each for each in found if each.year == line.day.year]
    return found[0] if len(found) == 1 else None


def _allocations(lines: Sequence[Line], matched: Mapping[UUID, KnownInvoice | None]) -> dict[UUID, dict[UUID, Decimal]]:
    """What each payment pays, by the letters that balance and leave no choice."""
    letters: dict[tuple[str, date | None], list[Line]] = defaultdict(list)
    for line in lines:
        if line.lettering:
            letters[line.lettering, line.lettered_on].append(line)
    found: dict[UUID, dict[UUID, Decimal]] = {}
    for group in letters.values():
        payments = [line for line in group if line.nature is Nature.PAYMENT]
        asked = [(matched.get(line.id), line) for line in group if line.amount > 0]
        lowering = [line for line in group if line.amount < 0 and line.nature is not Nature.PAYMENT]
        invoices = {invoice.id: line.amount for invoice, line in asked if invoice}
        if sum((line.amount for line in group), ZERO) or len(invoices) < len(asked):
            continue
        if any(line.nature is not Nature.CREDIT_NOTE for line in lowering):
            continue
        if len(payments) == 1 and not lowering:
            found[payments[0].id] = invoices
        elif len(invoices) == 1:
            (invoice_id,) = invoices
            found.update({line.id: {invoice_id: -line.amount} for line in payments})
    return found


def _hindrance(line: Line, customer_known: bool, ours: bool, today: date) -> Outcome | None:
    """Why a payment makes no receipt."""
    if line.undone:
        return Outcome.NOT_FOLLOWED
    if not ours:
        return Outcome.OTHER_CURRENCY
    if line.day > today:
        return Outcome.FUTURE
    return None if customer_known else Outcome.UNKNOWN_CUSTOMER


def _receive(line: Line, allocations: Mapping[UUID, Decimal], left: dict[UUID, Decimal]) -> Decision:
    """The receipt of a payment; none when its invoices have no room for it: that money is known another way."""
    if any(amount > left[invoice_id] for invoice_id, amount in allocations.items()):
        return Decision(line.id, Outcome.PAID_ALREADY)
    for invoice_id, amount in allocations.items():
        left[invoice_id] -= amount
    outcome = Outcome.ALLOCATED if allocations else Outcome.UNALLOCATED
    return Decision(line.id, outcome, received=-line.amount, allocations=allocations)


def _recognise(line: Line, invoice: KnownInvoice | None, customer_known: bool, ours: bool) -> Decision:
    if invoice:
        return Decision(line.id, Outcome.MATCHED, invoice.id)
    if line.nature not in _ASKS:
        return Decision(line.id, Outcome.NOT_FOLLOWED)
    if not ours:
        return Decision(line.id, Outcome.OTHER_CURRENCY)
    return Decision(line.id, Outcome.UNKNOWN_INVOICE if customer_known else Outcome.UNKNOWN_CUSTOMER)
