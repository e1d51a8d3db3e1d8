"""What the lines of one customer's account mean for its invoices and receipts. Pure: dry runs and real ones share it.

A letter that balances settles what it joins. What is known here is paid by receipts and lowered by write-offs, when
the letter leaves no choice: one settling line for invoices, or settling lines for one invoice; beside one payment, a
loss is the last invoice's. Any other payment is received and unallocated. What only the books know is owed as they tell
it, and settled when they say so, without a receipt.

A letter that is taken back, or changed, changes the decision; the shell then undoes the receipt or the write-off by a
counter-entry and records another.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from gateway.kernel.money import ZERO
from gateway.kernel.text import Text
from gateway.treasury.accounting.entries import Nature

_A_YEAR = timedelta(days=366)


class Outcome(StrEnum):
    """What becomes of a line."""

    MATCHED = "matched"
    ALLOCATED = "allocated"
    UNALLOCATED = "unallocated"
    PAID_ALREADY = "paid_already"
    WRITTEN_OFF = "written_off"
    #: A receivable that only the books know, still open there.
    OPENING = "opening"
    SETTLED = "settled"
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
    Outcome.WRITTEN_OFF: Text("passé en perte", "written off"),
    Outcome.OPENING: Text("créance connue des seuls livres", "owed by the books only"),
    Outcome.SETTLED: Text("soldé en comptabilité", "settled in the books"),
    Outcome.UNKNOWN_INVOICE: Text("facture inconnue ici", "invoice unknown here"),
    Outcome.UNKNOWN_CUSTOMER: Text("client inconnu ici", "customer unknown here"),
    Outcome.OTHER_CURRENCY: Text("autre devise que les comptes", "currency other than the books’"),
    Outcome.FUTURE: Text("daté dans le futur", "dated in the future"),
    Outcome.NOT_FOLLOWED: Text("gardé, sans effet", "kept, without effect"),
}
_ASKS = (Nature.INVOICE, Nature.CREDIT_NOTE)
_SETTLING = (Nature.PAYMENT, Nature.REFUND, Nature.LOSS)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the account as it is kept.

    `amount`: debit less credit. `undone`: the receipt or the write-off that it made was undone here.
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
    """An invoice of the customer; `open_amount` is what no money paid of it but for what the account made.

    `given_up`: what was written off of it otherwise; it gives way to money. `is_closed`: rejected, cancelled or
    refused, so that nothing of it can be lost.
    """

    id: UUID
    number: str
    year: int
    open_amount: Decimal
    given_up: Decimal = ZERO
    is_closed: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of a line.

    Attributes:
        invoice_id: the invoice that it is.
        received: what came in by it (negative: went back), to be recorded as a receipt; None: no receipt.
        allocations: what the receipt pays.
        written_off: what is written off by it, by invoice.
        paid, paid_on: of what is settled in the books alone, the money in it, and the day of the last of that.
    """

    line_id: UUID
    outcome: Outcome
    invoice_id: UUID | None = None
    received: Decimal | None = None
    allocations: Mapping[UUID, Decimal] = field(default_factory=dict)
    written_off: Mapping[UUID, Decimal] = field(default_factory=dict)
    paid: Decimal | None = None
    paid_on: date | None = None


@dataclass(slots=True)
class _Letters:
    """What the letters that balance say: what each payment or loss settles, and what is settled in the books alone.

    `paid`: the money in each debt, and the day of the last of it.
    """

    settled_by: dict[UUID, Mapping[UUID, Decimal]] = field(default_factory=dict)
    in_the_books: set[UUID] = field(default_factory=set)
    paid: dict[UUID, tuple[Decimal, date]] = field(default_factory=dict)


def settle(
    lines: Sequence[Line],
    invoices: Iterable[KnownInvoice],
    *,
    unnamed: Collection[tuple[date, Decimal]] = (),
    customer_known: bool,
    currency: str,
    today: date,
) -> list[Decision]:
    """One decision for each line of one account, in their order.

    `invoices`: of the customer, in `currency`, that of the books, by the numbers that the lines name. `unnamed`: issue
    date and total with VAT of the others. `today`: Europe/Paris.
    """
    by_number: dict[str, list[KnownInvoice]] = defaultdict(list)
    for invoice in invoices:
        by_number[invoice.number].append(invoice)
    ours = {line.id: line.currency in ("", currency) for line in lines}
    matched = {line.id: found for line in lines if ours[line.id] and (found := _invoice_of(line, by_number))}
    doubtful = {line.id for line in lines if line.id not in matched and _may_be_known(line, unnamed)}
    days = sorted(line.day for line in lines)
    books_only = {
        line.id
        for line in lines
        if customer_known
        and ours[line.id]
        and line.id not in matched
        and line.id not in doubtful
        and line.day <= today
        and _asks(line, days)
    }
    letters = _read_letters(lines, matched, books_only)
    left = {invoice.id: invoice.open_amount for known in by_number.values() for invoice in known}
    given_up = {invoice.id: invoice.given_up for known in by_number.values() for invoice in known}
    closed = {invoice.id for known in by_number.values() for invoice in known if invoice.is_closed}
    decisions = []
    for line in lines:
        if line.id in letters.in_the_books:
            paid, paid_on = letters.paid.get(line.id, (None, None))
            decisions.append(Decision(line.id, Outcome.SETTLED, paid=paid, paid_on=paid_on))
        elif line.nature in _SETTLING:
            outcome = _hindrance(line, customer_known, ours[line.id], today)
            wanted = letters.settled_by.get(line.id, {})
            if line.nature is Nature.LOSS and closed.intersection(wanted):
                wanted = {}
            kept = given_up if line.nature is Nature.LOSS else {}
            decisions.append(Decision(line.id, outcome) if outcome else _settle(line, wanted, left, kept))
        elif line.id in books_only:
            decisions.append(Decision(line.id, Outcome.OPENING))
        else:
            outcome = _unrecognised(line, line.id in doubtful, customer_known, ours[line.id], today)
            known = matched.get(line.id)
            decisions.append(Decision(line.id, Outcome.MATCHED, known.id) if known else Decision(line.id, outcome))
    return decisions


def _invoice_of(line: Line, by_number: Mapping[str, Sequence[KnownInvoice]]) -> KnownInvoice | None:
    """The invoice or credit note that the line is: by its number; of several, the one of the line's year."""
    if line.nature not in (*_ASKS, Nature.CARRIED_FORWARD) or not line.piece:
        return None
    found = by_number.get(line.piece, ())
    if len(found) > 1:
        found = [each for each in found if each.year == line.day.year]
    return found[0] if len(found) == 1 else None


def _may_be_known(line: Line, unnamed: Collection[tuple[date, Decimal]]) -> bool:
    """Whether the line may be an invoice known here under another number: then it must not be owed twice.

    One of that day and amount; for what was carried forward, any that is older.
    """
    if line.nature is Nature.CARRIED_FORWARD:
        return any(issued < line.day for issued, _ in unnamed)
    return line.nature in _ASKS and any(
        issued == line.day and abs(total) == abs(line.amount) for issued, total in unnamed
    )


def _asks(line: Line, days: Sequence[date]) -> bool:
    """Whether the line makes a debt, or lowers one: what was carried forward does where the year before is missing.

    `days`: of all lines, sorted.
    """
    if line.nature is not Nature.CARRIED_FORWARD:
        return line.nature in _ASKS
    return bisect_left(days, line.day - _A_YEAR) == bisect_left(days, line.day)


def _read_letters(
    lines: Sequence[Line], matched: Mapping[UUID, KnownInvoice], books_only: Collection[UUID]
) -> _Letters:
    carried = _carried(lines)
    groups: dict[tuple[str, date | None], list[Line]] = defaultdict(list)
    for line in lines:
        if line.lettering:
            groups[line.lettering, line.lettered_on].append(line)
    letters = _Letters()
    for group in groups.values():
        if sum((line.amount for line in group), ZERO):
            continue
        meant = [carried.get(line.id, line) for line in group]
        letters.paid.update(_paid(meant))
        if _concerns_the_books_alone(meant, books_only):
            letters.in_the_books.update(line.id for line in (*group, *meant))
        else:
            _read_letter(meant, matched, books_only, letters)
    return letters


def _paid(group: Iterable[Line]) -> dict[UUID, tuple[Decimal, date]]:
    """What the payments of a letter pay of each of its debts: the oldest of both first."""
    by_day = sorted(group, key=lambda line: line.day)
    payments = [(line.day, -line.amount) for line in by_day if line.nature is Nature.PAYMENT and line.amount < 0]
    paid: dict[UUID, tuple[Decimal, date]] = {}
    for debt in (line for line in by_day if line.amount > 0 and line.nature not in _SETTLING):
        missing = debt.amount
        while missing and payments:
            day, left = payments.pop(0)
            share = min(missing, left)
            missing -= share
            paid[debt.id] = (debt.amount - missing, day)
            if left > share:
                payments.insert(0, (day, left - share))
    return paid


def _concerns_the_books_alone(group: Sequence[Line], books_only: Collection[UUID]) -> bool:
    """All that a letter settles is known to the books only; money and its return settle each other, too."""
    settled = [line for line in group if line.nature not in _SETTLING]
    asking = [line for line in settled if line.nature is not Nature.OTHER]
    return all(line.id in books_only for line in asking) and bool(asking or not settled)


def _read_letter(
    group: Sequence[Line], matched: Mapping[UUID, KnownInvoice], books_only: Collection[UUID], letters: _Letters
) -> None:
    """What settles what in a letter that joins invoices known here, if it leaves no choice."""
    asked = [line for line in group if line.amount > 0]
    settling = [line for line in group if line.amount < 0 and line.nature in _SETTLING]
    lowering = [line for line in group if line.amount < 0 and line.nature not in _SETTLING]
    invoices = {matched[line.id].id: line.amount for line in asked if line.id in matched}
    others = {line.id for line in asked if line.id in books_only}
    if len(invoices) + len(others) < len(asked) or any(line.nature is not Nature.CREDIT_NOTE for line in lowering):
        return
    if len(settling) == 1 and not lowering:
        letters.settled_by[settling[0].id] = invoices
        letters.in_the_books.update(others)
    elif len(invoices) == 1 and not others:
        (invoice_id,) = invoices
        letters.settled_by.update({line.id: {invoice_id: -line.amount} for line in settling})
    elif len(settling) == 2 and not others and not lowering:
        letters.settled_by.update(_paid_but_for_a_loss(settling, invoices))


def _paid_but_for_a_loss(
    settling: Sequence[Line], invoices: Mapping[UUID, Decimal]
) -> dict[UUID, Mapping[UUID, Decimal]]:
    """One payment of several invoices and one loss: the loss is the last invoice's that is large enough for it."""
    losses = [line for line in settling if line.nature is Nature.LOSS]
    if len(losses) != 1:
        return {}
    (loss,), (payment,) = losses, (line for line in settling if line is not losses[0])
    lost = -loss.amount
    last = next((each for each in reversed(list(invoices)) if invoices[each] > lost), None)
    if last is None:
        return {}
    return {payment.id: {**invoices, last: invoices[last] - lost}, loss.id: {last: lost}}


def _carried(lines: Sequence[Line]) -> dict[UUID, Line]:
    """The line of the year before that each line carried forward repeats: by its number and amount, if it is one."""
    open_ones: dict[tuple[str, Decimal], list[Line]] = defaultdict(list)
    for line in lines:
        if line.nature in _ASKS and line.piece and not line.lettering:
            open_ones[line.piece, line.amount].append(line)
    found: dict[UUID, Line] = {}
    for line in lines:
        if line.nature is Nature.CARRIED_FORWARD:
            before = [each for each in open_ones.get((line.piece, line.amount), ()) if each.day < line.day]
            if len(before) == 1:
                found[line.id] = before[0]
    return found


def _hindrance(line: Line, customer_known: bool, ours: bool, today: date) -> Outcome | None:
    """Why a payment makes no receipt, a loss no write-off."""
    if line.undone:
        return Outcome.NOT_FOLLOWED
    if not ours:
        return Outcome.OTHER_CURRENCY
    if line.day > today:
        return Outcome.FUTURE
    return None if customer_known else Outcome.UNKNOWN_CUSTOMER


def _settle(
    line: Line, wanted: Mapping[UUID, Decimal], left: dict[UUID, Decimal], kept: Mapping[UUID, Decimal]
) -> Decision:
    """The receipt or the write-off of a line; none when its invoices have no room: that money is known another way.

    `kept`: the part of what is left that is not to be taken. Of a payment that settles invoices known here and others,
    only the part of the first is received.
    """
    if line.nature is Nature.LOSS and not wanted:
        return Decision(line.id, Outcome.NOT_FOLLOWED)
    if any(amount > left[invoice_id] - kept.get(invoice_id, ZERO) for invoice_id, amount in wanted.items()):
        return Decision(line.id, Outcome.PAID_ALREADY)
    for invoice_id, amount in wanted.items():
        left[invoice_id] -= amount
    if line.nature is Nature.LOSS:
        return Decision(line.id, Outcome.WRITTEN_OFF, written_off=wanted)
    outcome = Outcome.ALLOCATED if wanted else Outcome.UNALLOCATED
    received = sum(wanted.values(), ZERO) if wanted else -line.amount
    return Decision(line.id, outcome, received=received, allocations=wanted)


def _unrecognised(line: Line, doubtful: bool, customer_known: bool, ours: bool, today: date) -> Outcome:
    """What becomes of a line that is no invoice known here and owed by nobody."""
    if line.nature not in _ASKS and not doubtful:
        return Outcome.NOT_FOLLOWED
    if not ours:
        return Outcome.OTHER_CURRENCY
    if not customer_known:
        return Outcome.UNKNOWN_CUSTOMER
    return Outcome.FUTURE if line.day > today else Outcome.UNKNOWN_INVOICE
