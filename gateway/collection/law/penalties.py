"""Late-payment interest, day by day on what was really outstanding, and the fixed indemnity. Pure.

How days count: interest begins the day after the due date (C. com. L441-10, II) and ends with the day of payment,
which still counts; money or a credit note of a day lowers what the next day is computed on. So an invoice paid two
days late bears two days. A year has the days of the rule (365), leap or not. Interest bears no interest. The exact
amounts of the lines are added, and the sum is rounded to the cent, half up, once.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise

from gateway.collection.law.calendar import half_year_of, next_half_year
from gateway.collection.law.statute import DebtorKind, HalfYearRate, IndemnityRule, PenaltyRule, Statute
from gateway.kernel.money import ZERO, round_cents
from gateway.kernel.text import Text

_DAY = timedelta(days=1)
_PERCENT = 100


@dataclass(frozen=True, slots=True)
class Movement:
    """What lowered (or, negative, raised again) the amount outstanding: money received or a credit note, on a day."""

    on: date
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Excluded:
    """Days that bear no interest, both included, on an amount of the invoice or on the whole (None).

    A dispute in progress, a plan that suspends interest, the time after an insolvency judgment (C. com. L622-28).
    """

    first: date
    last: date | None
    amount: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Debt:
    """An invoice as interest sees it.

    Attributes:
        total: BT-115 with VAT, positive. due_date: last day to pay in time.
        movements, excluded: in any order.
    """

    total: Decimal
    due_date: date
    movements: tuple[Movement, ...] = ()
    excluded: tuple[Excluded, ...] = ()


@dataclass(frozen=True, slots=True)
class RatePeriod:
    """A yearly rate in percent from one day to another, both included; `provisional`: not published as far as known."""

    first: date
    last: date | None
    percent: Decimal
    provisional: bool = False


@dataclass(frozen=True, slots=True)
class SheetLine:
    """Days on which neither the amount outstanding nor the rate changed, both included.

    Attributes:
        base: what was outstanding, VAT included. percent: yearly rate. year_days: the denominator.
    """

    first: date
    last: date
    base: Decimal
    percent: Decimal
    year_days: int
    provisional: bool = False

    @property
    def days(self) -> int:
        """How many days the line counts."""
        return (self.last - self.first).days + 1

    @property
    def numbers(self) -> Decimal:
        """Base x rate x days, exact: what is added up before the one division."""
        return self.base * self.percent * self.days

    @property
    def amount(self) -> Decimal:
        """The line's interest, to be shown with four decimals; only the sum is rounded to the cent."""
        return self.numbers / (_PERCENT * self.year_days)


@dataclass(frozen=True, slots=True)
class Sheet:
    """The interest of one invoice up to a day, included.

    Attributes:
        lines: oldest first; days that bear no interest have none.
        total: the sum, rounded to the cent once.
    """

    until: date
    lines: tuple[SheetLine, ...]
    total: Decimal

    @property
    def days(self) -> int:
        """How many days bear interest."""
        return sum(line.days for line in self.lines)

    @property
    def provisional_from(self) -> date | None:
        """The first day whose rate is not known yet; None when all are."""
        return next((line.first for line in self.lines if line.provisional), None)


class IndemnityRefusal(StrEnum):
    """Why no indemnity is due."""

    NOT_LATE = "not_late"
    CONSUMER = "consumer"
    INSOLVENCY = "insolvency"
    BEFORE_THE_LAW = "before_the_law"

    @property
    def label(self) -> Text:
        """The reason for people."""
        return _REFUSALS[self]


_REFUSALS = {
    IndemnityRefusal.NOT_LATE: Text("la facture n’a pas été payée en retard.", "the invoice was not paid late."),
    IndemnityRefusal.CONSUMER: Text(
        "l’indemnité n’est due qu’entre professionnels.", "the indemnity is only due between professionals."
    ),
    IndemnityRefusal.INSOLVENCY: Text(
        "une procédure collective interdisait de payer à l’échéance.", "insolvency proceedings barred payment when due."
    ),
    IndemnityRefusal.BEFORE_THE_LAW: Text(
        "l’indemnité n’existait pas encore à l’échéance.", "there was no indemnity yet on the due date."
    ),
}


@dataclass(frozen=True, slots=True)
class Indemnity:
    """The fixed sum of one invoice (C. com. D441-5), outside VAT; or nothing, and why."""

    amount: Decimal
    currency: str
    refusal: IndemnityRefusal | None = None


def penalty_sheet(debt: Debt, rates: Sequence[RatePeriod], year_days: int, until: date) -> Sheet:
    """The interest of a debt up to `until`, included. A later `until` never gives less; paid in time gives zero.

    `rates`: without gap from the day after the due date to `until`. Raises ValueError on a gap.
    """
    first = debt.due_date + _DAY
    cuts = sorted({first, until + _DAY, *_cuts(debt, rates)})
    lines: list[SheetLine] = []
    for start, after in pairwise(cuts):
        if start < first or start > until:
            continue
        base = _outstanding(debt, start)
        if base > 0:
            rate = _rate_on(rates, start)
            if rate.percent:
                _add(lines, SheetLine(start, after - _DAY, base, rate.percent, year_days, rate.provisional))
    numbers = sum((line.numbers for line in lines), ZERO)
    return Sheet(until, tuple(lines), round_cents(numbers / (_PERCENT * year_days)))


def rates_between(
    law: Statute, debtor: DebtorKind, agreed: Sequence[RatePeriod], first: date, until: date
) -> list[RatePeriod]:
    """The rate of every half-year from `first` to `until`: the agreed one on the days it holds, else that of the law.

    An agreed rate below three times the legal interest of a half-year gives way to it. A consumer owes nothing that was
    not agreed. Against a public buyer the rate of the half-year in which interest begins holds to the end.
    """
    rule = law.penalty_rule(debtor, first)
    if rule.rate_of == "start":
        return [_by_law(rule, law.refinancing_on(first), first, None)]
    cuts = {first, until + _DAY}
    half_year = next_half_year(first)
    while half_year <= until:
        cuts.add(half_year)
        half_year = next_half_year(half_year)
    for period in agreed:
        cuts |= {period.first} | ({period.last + _DAY} if period.last else set())
    inside = sorted(cut for cut in cuts if first <= cut <= until + _DAY)
    found = []
    for start, after in pairwise(inside):
        own = [period for period in agreed if period.first <= start and (period.last is None or start <= period.last)]
        legal = _by_law(law.penalty_rule(debtor, start), law.refinancing_on(start), start, after - _DAY)
        if own:
            agreed_percent = own[-1].percent
            least = ZERO if debtor is DebtorKind.CONSUMER else least_agreed_rate(law, start)
            guessed = least > agreed_percent and law.legal_interest_on(start).provisional
            found.append(RatePeriod(start, after - _DAY, max(agreed_percent, least), guessed))
        else:
            found.append(replace(legal, percent=ZERO) if debtor is DebtorKind.CONSUMER else legal)
    return found


def least_agreed_rate(law: Statute, on: date) -> Decimal:
    """The least rate that may be agreed for a day: so many times the legal interest rate (C. com. L441-10, II)."""
    return law.penalty_rule(DebtorKind.BUSINESS, on).floor_factor * law.legal_interest_on(on).percent


def indemnity_of(
    rule: IndemnityRule | None, sheet: Sheet, debtor: DebtorKind, due_date: date, insolvent_since: date | None
) -> Indemnity:
    """Whether the fixed sum is due on an invoice: once, however many parts it was paid in.

    `insolvent_since`: a judgment on or before the due date bars payment, and so the indemnity.
    """
    if rule is None:
        return Indemnity(ZERO, "EUR", IndemnityRefusal.BEFORE_THE_LAW)
    refusal = None
    if debtor is DebtorKind.CONSUMER:
        refusal = IndemnityRefusal.CONSUMER
    elif insolvent_since is not None and insolvent_since <= due_date:
        refusal = IndemnityRefusal.INSOLVENCY
    elif not sheet.lines:
        refusal = IndemnityRefusal.NOT_LATE
    return Indemnity(ZERO if refusal else rule.amount, rule.currency, refusal)


def _by_law(rule: PenaltyRule, refinancing: HalfYearRate, first: date, last: date | None) -> RatePeriod:
    return RatePeriod(first, last, refinancing.percent + rule.points, refinancing.provisional)


def _cuts(debt: Debt, rates: Iterable[RatePeriod]) -> Iterable[date]:
    """Days on which the base or the rate may change."""
    yield from (movement.on + _DAY for movement in debt.movements)
    for first, last in [(rate.first, rate.last) for rate in rates] + [(out.first, out.last) for out in debt.excluded]:
        yield first
        if last is not None:
            yield last + _DAY


def _outstanding(debt: Debt, day: date) -> Decimal:
    """What bears interest that day: what the days before left open, less what is excluded that day."""
    left = debt.total - sum((move.amount for move in debt.movements if move.on < day), ZERO)
    out = ZERO
    for each in debt.excluded:
        if each.first <= day and (each.last is None or day <= each.last):
            if each.amount is None:
                return ZERO
            out += each.amount
    return max(ZERO, left - out)


def _rate_on(rates: Sequence[RatePeriod], day: date) -> RatePeriod:
    for rate in rates:
        if rate.first <= day and (rate.last is None or day <= rate.last):
            return rate
    raise ValueError(f"no rate on {day}")


def _add(lines: list[SheetLine], line: SheetLine) -> None:
    """Append, or lengthen the last line when nothing changed; a half-year always begins a line."""
    if lines and _goes_on(lines[-1], line):
        lines[-1] = replace(lines[-1], last=line.last)
    else:
        lines.append(line)


def _goes_on(last: SheetLine, line: SheetLine) -> bool:
    return (
        last.last + _DAY == line.first
        and (last.base, last.percent) == (line.base, line.percent)
        and half_year_of(last.last) == half_year_of(line.first)
    )
