"""The current state of an invoice, computed from its events and nothing else.

Whatever the order of arrival, and however often an event arrives, the state is the same: events are put in order and
taken once. The three lines stay apart: a 501, a 221 or a 213 DOUBLON never touches the invoice.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from pydantic import AwareDatetime, BaseModel, ConfigDict

from gateway.kernel.clock import paris_date
from gateway.kernel.money import ZERO
from gateway.kernel.text import Text
from gateway.lifecycle.events import StatusEvent
from gateway.lifecycle.statuses import FULL_PAYMENT, StateLine, status, successors
from gateway.lifecycle.transitions import Progress, TransitionKind, in_order, judge

COLLECTED = "MEN"
PAID_BY_BUYER = "MPA"
REMAINING = "RAP"
GRANTED = ("ESC", "RAB", "REM")
NOT_APPROVED = "MNATTC"
APPROVED = "MAPTTC"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class AmountByRate(_Part):
    """An amount with VAT at one VAT rate (percent); the rate is None when the sender gave none."""

    currency: str
    rate: Decimal | None
    amount: Decimal


@dataclass(frozen=True, slots=True)
class InvoiceAmounts:
    """What an invoice asks for.

    Attributes:
        due: BT-115, negative for a credit note.
        currency: BT-5.
        by_rate: total with VAT at each VAT rate in percent (BT-116 + BT-117 of each BG-23), when known.
    """

    due: Decimal
    currency: str
    by_rate: Mapping[Decimal, Decimal] = field(default_factory=dict)


class LineState(_Part):
    """The last status of a state line."""

    code: str
    at: AwareDatetime


class OpenIssue(_Part):
    """A status that holds the invoice back and that nothing later has lifted: 206, 207, 208, 210, 221, 501.

    `disputed`: amount with VAT that is not approved, None when unknown.
    """

    code: str
    at: AwareDatetime
    reasons: tuple[str, ...]
    fingerprint: str
    disputed: Decimal | None = None


class AnnouncedPayment(_Part):
    """A payment the buyer says it sent (211), its parts added up. It proves nothing.

    `on`: its date (MDT-219), else the day of the status; `amount`: None when none is told.
    """

    on: date
    amount: Decimal | None
    currency: str


class HistoryEntry(_Part):
    """One event at its place in time, and how it was judged there."""

    fingerprint: str
    code: str
    at: AwareDatetime
    line: StateLine
    kind: TransitionKind
    reason: Text


class InvoiceState(_Part):
    """Where an invoice stands.

    Attributes:
        status, status_at: current status on the invoice line; None before the first.
        transmission, reporting: last status of the two other lines.
        payee: last status that says whom to pay (224 to 228).
        ended_by: 213 or 220 once the cycle is closed.
        refused: whether the buyer refused (210), even if a status came later.
        issues: what holds the invoice back now, by code.
        collected: sum of the 212 (MEN), by currency and rate.
        granted: discounts granted in the 212 (ESC, RAB, REM), in the invoice's currency.
        remaining: what is left to pay; from the invoice's amounts, else from the last RAP; None when neither is known.
        remaining_by_rate: the same by VAT rate, empty when the invoice's amounts are unknown.
        announced: the last 211 that no later 212 has answered.
        paid: nothing is left to pay. Never true when `remaining` is unknown.
        expected_next: usual next statuses.
        history: every event once, in order.
    """

    status: str | None = None
    status_at: AwareDatetime | None = None
    transmission: LineState | None = None
    reporting: LineState | None = None
    payee: LineState | None = None
    ended_by: str | None = None
    refused: bool = False
    issues: tuple[OpenIssue, ...] = ()
    collected: tuple[AmountByRate, ...] = ()
    granted: Decimal = ZERO
    remaining: Decimal | None = None
    remaining_by_rate: tuple[AmountByRate, ...] = ()
    currency: str = ""
    announced: AnnouncedPayment | None = None
    paid: bool = False
    expected_next: tuple[str, ...] = ()
    history: tuple[HistoryEntry, ...] = ()

    @property
    def closed(self) -> bool:
        """Rejected (213), cancelled (220) or refused (210): nothing more is to be expected of this number."""
        return self.refused or self.ended_by is not None

    @property
    def collected_total(self) -> Decimal:
        """The sum collected in the invoice's currency."""
        return sum((each.amount for each in self.collected if each.currency == self.currency), ZERO)

    @property
    def partially_paid(self) -> bool:
        """Money came in, and not all of it as far as is known."""
        return not self.paid and self.collected_total != 0

    def issue(self, *codes: str) -> OpenIssue | None:
        """The open issue of the first of `codes` that has one."""
        return next((issue for code in codes for issue in self.issues if issue.code == code), None)


def project(events: Iterable[StatusEvent], amounts: InvoiceAmounts | None = None) -> InvoiceState:
    """The state of an invoice after `events`, all those of its key, in any order and with any repetition.

    `amounts`: what the invoice asks for; without it, only a RAP of zero proves that it is paid. Money collected counts
    whatever the status, even after the invoice is closed: a receipt is a fact, and so is its refund.
    """
    fold = _Fold(amounts)
    for event in in_order(events):
        fold.add(event)
    return fold.state()


class _Fold:
    """The running state while events are added in order."""

    def __init__(self, amounts: InvoiceAmounts | None) -> None:
        self.amounts = amounts
        self.progress = Progress()
        self.moved: StatusEvent | None = None
        self.last: dict[str, LineState] = {}
        self.issues: dict[str, OpenIssue] = {}
        self.currency = amounts.currency if amounts else ""
        self.collected: dict[tuple[str, Decimal | None], Decimal] = {}
        self.granted = ZERO
        self.stated_remaining: Decimal | None = None
        self.announced: AnnouncedPayment | None = None
        self.history: list[HistoryEntry] = []

    def add(self, event: StatusEvent) -> None:
        transition = judge(self.progress, event)
        self.history.append(
            HistoryEntry(
                fingerprint=event.fingerprint,
                code=event.code,
                at=event.status_at,
                line=event.line,
                kind=transition.kind,
                reason=transition.reason,
            )
        )
        if event.code == "212":
            self._receive(event)
        if transition.kind is TransitionKind.IMPOSSIBLE:
            return
        progress = self.progress.after(event, transition)
        if progress is not self.progress:
            self.progress, self.moved = progress, event
        elif event.status.known:
            line = "payee" if event.line is StateLine.INVOICE else event.line.value
            self.last[line] = LineState(code=event.code, at=event.status_at)
        if event.code == "211":
            self._announce(event)
        self._follow_issues(event)

    def _receive(self, event: StatusEvent) -> None:
        for data in event.data(COLLECTED):
            self.currency = self.currency or data.currency
            place = (data.currency or self.currency, data.percent)
            self.collected[place] = self.collected.get(place, ZERO) + (data.amount or ZERO)
        self.granted += sum((data.amount or ZERO for data in event.data(*GRANTED)), ZERO)
        stated = [data.amount for data in event.data(REMAINING) if data.amount is not None]
        if stated:
            self.stated_remaining = sum(stated, ZERO)
        self.announced = None

    def _announce(self, event: StatusEvent) -> None:
        parts = event.data(PAID_BY_BUYER)
        currency = parts[0].currency if parts else ""
        amounts = [data.amount for data in parts if data.amount is not None and data.currency == currency]
        day = next((data.on.day for data in parts if data.on and data.on.day), None)
        self.announced = AnnouncedPayment(
            on=day or paris_date(event.status_at),
            amount=sum(amounts, ZERO) if amounts else None,
            currency=currency,
        )

    def _follow_issues(self, event: StatusEvent) -> None:
        signs = {event.code} | ({FULL_PAYMENT} if event.code == "212" and self._paid() else set())
        lifted = [code for code, issue in self.issues.items() if _lifts(code, paris_date(issue.at)) & signs]
        for code in lifted:
            del self.issues[code]
        if event.status.lifted_by:
            self.issues[event.code] = OpenIssue(
                code=event.code,
                at=event.status_at,
                reasons=event.reasons,
                fingerprint=event.fingerprint,
                disputed=self._disputed(event),
            )

    def _disputed(self, event: StatusEvent) -> Decimal | None:
        refused = [data.amount for data in event.data(NOT_APPROVED) if data.amount is not None]
        if refused:
            return sum(refused, ZERO)
        approved = [data.amount for data in event.data(APPROVED) if data.amount is not None]
        return self.amounts.due - sum(approved, ZERO) if approved and self.amounts else None

    def _remaining(self) -> Decimal | None:
        if self.amounts is None:
            return self.stated_remaining
        received = sum((part for (currency, _), part in self.collected.items() if currency == self.currency), ZERO)
        return self.amounts.due - received - self.granted

    def _paid(self) -> bool:
        remaining = self._remaining()
        if remaining is None:
            return False
        is_credit = self.amounts is not None and self.amounts.due < 0
        return remaining >= 0 if is_credit else remaining <= 0

    def state(self) -> InvoiceState:
        paid = self._paid()
        ended = self.progress.ended_by is not None
        return InvoiceState(
            status=self.progress.current,
            status_at=self.moved.status_at if self.moved else None,
            transmission=self.last.get("transmission"),
            reporting=self.last.get("reporting"),
            payee=self.last.get("payee"),
            ended_by=self.progress.ended_by,
            refused=self.progress.refused,
            issues=tuple(self.issues[code] for code in sorted(self.issues)),
            collected=_by_rate(self.collected),
            granted=self.granted,
            remaining=self._remaining(),
            remaining_by_rate=self._remaining_by_rate(),
            currency=self.currency,
            announced=self.announced,
            paid=paid,
            expected_next=() if ended or paid else self._usual_next(),
            history=tuple(self.history),
        )

    def _usual_next(self) -> tuple[str, ...]:
        return successors(self.progress.current, self.moved.day if self.moved else None).usual

    def _remaining_by_rate(self) -> tuple[AmountByRate, ...]:
        if self.amounts is None or not self.amounts.by_rate:
            return ()
        left: dict[tuple[str, Decimal | None], Decimal] = {
            (self.currency, rate): amount for rate, amount in self.amounts.by_rate.items()
        }
        for (currency, rate), amount in self.collected.items():
            if currency == self.currency:
                left[currency, rate] = left.get((currency, rate), ZERO) - amount
        return _by_rate(left)


def _lifts(code: str, on: date) -> frozenset[str]:
    """What lifts the issue that a status of a day opens; empty when the status opens none."""
    return status(code, on).lifted_by


def _by_rate(sums: Mapping[tuple[str, Decimal | None], Decimal]) -> tuple[AmountByRate, ...]:
    in_rate_order = sorted(sums.items(), key=lambda each: (each[0][0], each[0][1] is not None, each[0][1] or ZERO))
    return tuple(
        AmountByRate(currency=currency, rate=rate, amount=amount) for (currency, rate), amount in in_rate_order
    )
