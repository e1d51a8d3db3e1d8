"""The facts of a history as a careful person would note them down, with what each comes to by itself.

Slow and plain on purpose: every figure is added up anew from the facts, by none of the gateway's rules.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from gateway.kernel.clock import paris_date
from gateway.kernel.working_days import add_working_days

NOTHING = Decimal("0.00")
DAY = timedelta(days=1)
#: Working days that a payment announced by the buyer (211) may take.
ANNOUNCED_DAYS = 5
#: Days after the due date on which a bill that may never have reached its buyer is looked for before it is chased.
SOUGHT_DAYS = 10
ENDING = frozenset({"210", "213", "220"})
#: Statuses that a bill may have, and no others, while nobody can tell whether the buyer has it.
_ON_ITS_WAY = frozenset({"200", "221", "501"})
_OF_THE_BUYER = frozenset({"201", "202", "203", "204", "205", "206", "207", "208", "210", "211", "212", "213", "220"})
#: What, told later, ends the hold of a status; a full payment ends those of the buyer besides.
_ENDS_HOLD = {
    "206": frozenset({"205", "207", "210", "220"}),
    "207": frozenset({"205", "206", "210", "220"}),
    "208": frozenset({"204", "205", "206", "207", "209", "210", "220"}),
    "221": _OF_THE_BUYER,
    "501": _OF_THE_BUYER | {"200", "500"},
}


@dataclass(frozen=True)
class Debtor:
    """A customer of the cast: `siret` when its account is that of one establishment."""

    siren: str
    siret: str | None = None
    kind: str = "business"
    email: str | None = "compta@batir.example"


@dataclass
class Told:
    """A status: `amount` collected (212) or contested (206); `of_receipts`: what of a 212 tells money of receipts."""

    code: str
    at: datetime
    known_at: datetime
    fingerprint: str
    amount: Decimal | None = None
    granted: Decimal = NOTHING
    day: date | None = None
    of_receipts: Decimal = NOTHING


@dataclass
class Part:
    """What a receipt pays of a bill; `told`: what of it the 212 tell."""

    on: date
    known_at: datetime
    amount: Decimal
    told: Decimal = NOTHING
    undone: bool = False

    @property
    def untold(self) -> Decimal:
        """Money that no 212 tells; of an undone receipt, what a 212 told wrongly."""
        return -self.told if self.undone else self.amount - self.told


@dataclass
class Lost:
    """What is given up of a bill: `small`: a difference not worth asking for."""

    id: UUID
    on: date
    amount: Decimal
    small: bool
    undone: bool = False


@dataclass
class Bill:
    """An invoice, or a credit note (negative) that names one."""

    id: UUID
    number: str
    debtor: int
    agency: UUID | None
    seller: str
    currency: str
    issued: date
    due: date
    total: Decimal
    credits: "Bill | None" = None
    told: list[Told] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    lost: list[Lost] = field(default_factory=list)
    #: The delivery that a platform refused, as long as nothing has come of the bill since.
    refused: UUID | None = None

    @property
    def in_order(self) -> list[Told]:
        """What was told, by its own date."""
        return sorted(self.told, key=lambda each: each.at)

    @property
    def closed(self) -> bool:
        """Rejected, cancelled or refused: nothing is owed."""
        return any(each.code in ENDING for each in self.told)

    @property
    def granted(self) -> Decimal:
        """Discounts told with a 212."""
        return sum((each.granted for each in self.told), NOTHING)

    @property
    def untold(self) -> Decimal:
        """Money of receipts that no 212 tells."""
        return sum((part.untold for part in self.parts), NOTHING)

    @property
    def paid(self) -> Decimal:
        """All money that came for it, once."""
        return sum((each.amount or NOTHING for each in self.told if each.code == "212"), self.untold)

    @property
    def written_off(self) -> Decimal:
        """What is given up of it."""
        return sum((each.amount for each in self.lost if not each.undone), NOTHING)

    @property
    def left(self) -> Decimal:
        """What is open; of a closed bill, what we owe back."""
        return -self.paid if self.closed else self.total - self.granted - self.paid - self.written_off

    @property
    def holds(self) -> dict[str, Told]:
        """The statuses that hold it back, by code."""
        held: dict[str, Told] = {}
        left = self.total
        for each in self.in_order:
            if each.code == "212":
                left -= (each.amount or NOTHING) + each.granted
            in_full = each.code == "212" and left <= 0
            for code in list(held):
                if each.code in _ENDS_HOLD[code] or (in_full and code in ("206", "207", "208")):
                    del held[code]
            if each.code in _ENDS_HOLD:
                held[each.code] = each
        return held

    def is_sought(self, today: date) -> bool:
        """It is late, no status was told that shows that the buyer has it, and not too much time has gone by."""
        on_its_way = {each.code for each in self.told} <= _ON_ITS_WAY
        return on_its_way and self.due < today <= self.due + SOUGHT_DAYS * DAY

    def is_announced(self, today: date) -> bool:
        """A payment was announced (211) lately and no 212 came since."""
        last = next((each for each in reversed(self.in_order) if each.code in ("211", "212")), None)
        if last is None or last.code == "212":
            return False
        return today < add_working_days(paris_date(last.at), ANNOUNCED_DAYS)

    def money(self) -> Iterator[tuple[date, datetime, Decimal]]:
        """When how much came: day, when it was known, amount."""
        for part in self.parts:
            if not part.undone:
                yield part.on, part.known_at, part.amount
        for each in self.told:
            own = (each.amount or NOTHING) - each.of_receipts if each.code == "212" else NOTHING
            if own:
                yield each.day or paris_date(each.at), each.known_at, own

    def tell(self, told: Told) -> None:
        """A status comes; a 212 tells the money of receipts first, the longest received first."""
        self.told.append(told)
        self.refused = None
        if told.code != "212" or not told.amount:
            return
        rest = told.amount
        for part in sorted(self.parts, key=lambda each: (each.on, each.known_at)):
            share = min(rest, part.untold, key=abs) if rest * part.untold > 0 else NOTHING
            part.told += share
            rest -= share
        told.of_receipts = told.amount - rest

    def give_way(self) -> None:
        """Money came: what was given up and is paid after all was not lost, the latest given up first."""
        unpaid = self.total - self.granted - self.paid
        for each in reversed(self.lost):
            fits = self.written_off * unpaid > 0 and abs(self.written_off) <= abs(unpaid)
            if not each.undone and not fits and not self.closed:
                each.undone = True


@dataclass
class Received:
    """Money that came in (or went back) with what it pays."""

    id: UUID
    amount: Decimal
    currency: str
    debtor: int | None
    parts: list[tuple[Bill, Part]] = field(default_factory=list)
    used: Decimal = NOTHING
    undone: bool = False
    on: date = date.min

    @property
    def rest(self) -> Decimal:
        """What pays nothing."""
        if self.undone:
            return NOTHING
        return self.amount - self.used - sum((part.amount for _, part in self.parts), NOTHING)

    @property
    def of(self) -> int | None:
        """Whose the rest is: of the customer told, else of the only one whose bills it pays."""
        payers = {bill.debtor for bill, _ in self.parts}
        return self.debtor if self.debtor is not None else payers.pop() if len(payers) == 1 else None


@dataclass
class Spared:
    """Someone decided not to chase a bill, or a customer."""

    id: UUID
    debtor: int
    bill: Bill | None
    until: date | None
    lifted: bool = False

    def is_in_force(self, today: date) -> bool:
        """Its last day is one of them."""
        return not self.lifted and (self.until is None or today <= self.until)


@dataclass
class Opening:
    """What only the books know: an invoice, or a credit note (negative), of an account that they follow.

    `paid`: money of receipts that was told to pay it, and when. `settled_at`: when the books were told to have been
    paid, on its own day. `bill`: what it turned out to be.
    """

    id: UUID
    number: str
    debtor: int
    day: date
    amount: Decimal
    paid: list[tuple["Received", Decimal, datetime]] = field(default_factory=list)
    settled_at: datetime | None = None
    bill: Bill | None = None

    @property
    def over(self) -> bool:
        """Settled in the books, or here as a bill."""
        return self.settled_at is not None or self.bill is not None

    @property
    def left(self) -> Decimal:
        """What is open of it."""
        return NOTHING if self.over else self._unpaid

    @property
    def _unpaid(self) -> Decimal:
        return self.amount - sum((amount for money, amount, _ in self.paid if not money.undone), NOTHING)

    def money(self) -> Iterator[tuple[date, datetime, Decimal]]:
        """When how much came, as that of a bill; of a settled one, the books paid what no receipt did."""
        for money, amount, known_at in self.paid:
            if not money.undone:
                yield money.on, known_at, amount
        if self.settled_at is not None and self._unpaid > 0:
            yield self.day, self.settled_at, self._unpaid


@dataclass
class Agreed:
    """A promise or a plan: `dues` are the last days of grace and what must have come by then, all together."""

    id: UUID
    named: Sequence[Bill | Opening]
    made_at: datetime
    dues: list[tuple[date, Decimal]]
    suspends: bool = False
    over: bool = False

    @property
    def about(self) -> list[Bill | Opening]:
        """What it is about by now: bills, also those that the books alone knew, and what they still do."""
        return [(each.bill or each) if isinstance(each, Opening) else each for each in self.named]

    @property
    def bills(self) -> list[Bill]:
        """Its bills."""
        return [each for each in self.about if isinstance(each, Bill)]

    def came(self, by: date = date.max) -> Decimal:
        """What came for it since it was made, dated until a day."""
        since = (each for one in self.about for each in one.money() if each[1] >= self.made_at)
        return sum((amount for on, _, amount in since if on <= by), NOTHING)

    @property
    def owed(self) -> Decimal:
        """What is left of what it is about."""
        return sum((NOTHING if isinstance(each, Bill) and each.closed else each.left for each in self.about), NOTHING)

    @property
    def is_plain(self) -> bool:
        """Nothing went back of its money, so that what came is told by its sum."""
        return all(amount > 0 for each in self.about for _, _, amount in each.money())

    @property
    def is_simple(self) -> bool:
        """Besides, none of its bills was settled otherwise than by money, which ends a promise for good."""
        return self.is_plain and not any(bill.closed or bill.lost or bill.granted for bill in self.bills)


@dataclass
class Judged:
    """Insolvency proceedings."""

    id: UUID
    debtor: int
    judgment: date
    over: bool = False


@dataclass
class Case:
    """A hand-over to litigation."""

    id: UUID
    debtor: int
    bills: list[Bill]
    whole: bool
    over: bool = False


@dataclass
class Rated:
    """A rate for late payment, a year: of our terms of sale, or agreed with a customer; None: agreed no more."""

    debtor: int | None
    first: date
    percent: Decimal | None


@dataclass
class Stopped:
    """An address that a mail server refused, or (`wrong`) whose owner is the wrong person, whatever way is taken."""

    debtor: int
    wrong: bool
    lifted: bool = False


@dataclass
class Called:
    """A customer was reached, by a call, or by the e-mail of a reminder about what it owes in a currency."""

    debtor: int
    on: date
    reminder_id: UUID | None = None
    currency: str | None = None
