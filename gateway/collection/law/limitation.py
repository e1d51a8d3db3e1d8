"""Until when a claim can be brought to court, what starts that time anew, and when to warn. Pure.

The time runs from the earliest date known of the performance (BT-72, BT-74, else BT-2): the Cour de cassation counts
from the performance and not from the invoice (Cass. com., 26 February 2020, 18-25.036).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Literal

from gateway.collection.law.calendar import add_months, add_years
from gateway.collection.law.statute import Act, DebtorKind, Ending, Statute

#: The term (EN 16931) whose date the limitation is counted from.
StartTerm = Literal["BT-72", "BT-74", "BT-2"]


@dataclass(frozen=True, slots=True)
class Start:
    """Where the limitation of an invoice begins, and the term that says so."""

    on: date
    term: StartTerm


@dataclass(frozen=True, slots=True)
class ActOnClaim:
    """Something that happened to a claim: `kind` is a key of the data (acknowledgement, court_claim…).

    `ended_on`: when the proceedings that hold the limitation up came to their end; None while they go on.
    `ending`: how, a key of the data; empty when that was not told.
    """

    kind: str
    on: date
    ended_on: date | None = None
    ending: str = ""


@dataclass(frozen=True, slots=True)
class Counted:
    """An act, whether it counts against this debtor, and why: the text of law, that of its ending too when told."""

    act: ActOnClaim
    interrupts: bool
    rule: Act
    ending: Ending | None = None


@dataclass(frozen=True, slots=True)
class LimitationDecision:
    """Where the limitation of a claim stands.

    Attributes:
        start: where it began. debtor, years, law: the rule.
        acts: everything that happened, in order, each with whether it counts.
        counted_from: day from which the time now runs: the start, or the last act that counts.
        ends_on: last day to act; None while proceedings hold it up.
        warn_from: first day to tell people.
    """

    start: Start
    debtor: DebtorKind
    years: int
    law: str
    acts: tuple[Counted, ...]
    counted_from: date
    ends_on: date | None
    warn_from: date | None

    def to_warn(self, today: date) -> bool:
        """Whether people are to be told today: the end is near or has passed."""
        return self.warn_from is not None and self.warn_from <= today

    def is_over(self, today: date) -> bool:
        """Whether the last day to act has passed."""
        return self.ends_on is not None and self.ends_on < today


def start_of(issue_date: date, delivery: date | None, period_end: date | None) -> Start:
    """The earliest date known: of delivery (BT-72), of the end of the period (BT-74), of the invoice (BT-2)."""
    found = [Start(issue_date, "BT-2")]
    if delivery is not None:
        found.append(Start(delivery, "BT-72"))
    if period_end is not None:
        found.append(Start(period_end, "BT-74"))
    # At the same date the performance is what the time is counted from.
    return min(found, key=lambda start: (start.on, start.term == "BT-2"))


def limitation_of(start: Start, debtor: DebtorKind, acts: Iterable[ActOnClaim], law: Statute) -> LimitationDecision:
    """Where the limitation stands after `acts`, in any order.

    An act that comes once the time is over starts nothing anew, but for an acknowledgement of the debt, which waives
    the limitation acquired (code civil, art. 2251). A claim that was dismissed, withdrawn or left to lapse never
    interrupted anything (art. 2243): what came after it is judged as if it had not been.
    """
    rule, data = law.limitation_rule(debtor, start.on), law.limitation
    counted_from, ends_on = start.on, _end(start.on, rule.years, next_year=rule.next_year)
    last: date | None = ends_on
    counted = []
    for act in sorted(acts, key=lambda each: each.on):
        of_act = data.act[act.kind]
        in_time = last is None or act.on <= last or act.kind == "acknowledgement"
        ending = data.ending[act.ending] if act.ending else None
        interrupts = debtor in of_act.interrupts and in_time and (ending is None or ending.counts)
        counted.append(Counted(act, interrupts, of_act, ending))
        if not interrupts:
            continue
        held = of_act.pending and act.ended_on is None
        since = act.ended_on or act.on
        if last is not None and (held or since >= counted_from):
            counted_from = since
            last = None if held else _end(since, rule.years, next_year=rule.next_year)
    return LimitationDecision(
        start=start,
        debtor=debtor,
        years=rule.years,
        law=rule.law,
        acts=tuple(counted),
        counted_from=counted_from,
        ends_on=last,
        warn_from=add_months(last, -data.alert_months) if last else None,
    )


def _end(since: date, years: int, *, next_year: bool) -> date:
    """The last day: the first one does not count, and the time is over when the last one ends (art. 2228, 2229)."""
    if next_year:
        return date(since.year + years, 12, 31)
    return add_years(since, years)
