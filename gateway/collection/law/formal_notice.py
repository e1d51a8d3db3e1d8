"""What a formal notice (mise en demeure) and a hand-over to litigation need before they go out. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from gateway.kernel.text import Text


class Need(StrEnum):
    """What may be missing."""

    NOT_DUE = "not_due"
    NOTHING_OPEN = "nothing_open"
    NOT_DELIVERED = "not_delivered"
    NOT_AVAILABLE = "not_available"
    DISPUTED = "disputed"
    INSOLVENT = "insolvent"
    NO_ADDRESS = "no_address"
    NO_REMINDER = "no_reminder"
    NO_FORMAL_NOTICE = "no_formal_notice"
    TIME_TO_PAY = "time_to_pay"
    LIMITATION_OVER = "limitation_over"


_WHAT = {
    Need.NOT_DUE: Text("La facture n’est pas échue.", "The invoice is not due yet."),
    Need.NOTHING_OPEN: Text("Il ne reste rien à payer.", "Nothing is left to pay."),
    Need.NOT_DELIVERED: Text(
        "La facture est rejetée, refusée ou n’est pas parvenue à l’acheteur : corrigez-la d’abord.",
        "The invoice is rejected, refused or has not reached the buyer: fix that first.",
    ),
    Need.NOT_AVAILABLE: Text(
        "Rien ne prouve que la facture a été mise à disposition (203).",
        "Nothing proves that the invoice was made available (203).",
    ),
    Need.DISPUTED: Text("Un litige est ouvert : réglez-le d’abord.", "A dispute is open: settle it first."),
    Need.INSOLVENT: Text(
        "Le client est en procédure collective : déclarez la créance.",
        "The customer is in insolvency proceedings: declare the claim.",
    ),
    Need.NO_ADDRESS: Text(
        "Aucune adresse postale du client n’est connue.", "No postal address of the customer is known."
    ),
    Need.NO_REMINDER: Text("Aucune relance n’a encore été envoyée.", "No reminder has been sent yet."),
    Need.NO_FORMAL_NOTICE: Text(
        "Aucune mise en demeure n’a été envoyée (code civil, art. 1344).",
        "No formal notice has been sent (code civil, art. 1344).",
    ),
    Need.TIME_TO_PAY: Text(
        "Le délai laissé par la mise en demeure n’est pas écoulé.", "The time that the formal notice left is not over."
    ),
    Need.LIMITATION_OVER: Text("La créance est prescrite.", "The claim is time-barred."),
}
#: What forbids the step; the rest is advice.
_FORBIDDING = frozenset({Need.NOT_DUE, Need.NOTHING_OPEN, Need.NOT_DELIVERED, Need.INSOLVENT})


@dataclass(frozen=True, slots=True)
class ClaimFacts:
    """One invoice as a formal notice sees it.

    Attributes:
        remaining: still to pay, VAT included. delivered: neither rejected, refused nor undelivered.
        made_available: whether a status proves it (203 or a later one).
        disputed: whether a dispute is open. reminded_on: day of the last reminder.
        formal_notice_on: day of the formal notice, when there was one.
    """

    remaining: Decimal
    due_date: date
    delivered: bool
    made_available: bool
    disputed: bool
    insolvent: bool
    has_postal_address: bool
    reminded_on: date | None
    formal_notice_on: date | None
    time_barred: bool


@dataclass(frozen=True, slots=True)
class Missing:
    """What is missing; `forbids`: the step may not be taken, else it is only weaker."""

    need: Need
    says: Text
    forbids: bool


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether a step may be taken, and what is missing for it."""

    missing: tuple[Missing, ...]

    @property
    def allowed(self) -> bool:
        """Whether nothing forbids the step."""
        return not any(each.forbids for each in self.missing)


def ready_for_formal_notice(facts: ClaimFacts, today: date) -> Readiness:
    """Whether the buyer may be put on notice to pay (code civil, art. 1344), and what would make the notice weak."""
    return _readiness(_common(facts, today), _address(facts), _reminder(facts))


def ready_for_hand_over(facts: ClaimFacts, today: date, days_to_pay: int) -> Readiness:
    """Whether the invoice may go to litigation. `days_to_pay`: what a formal notice leaves the buyer."""
    return _readiness(_common(facts, today), _notice(facts, today, days_to_pay))


def _readiness(*needs: Iterator[Need]) -> Readiness:
    found = [need for group in needs for need in group]
    return Readiness(tuple(Missing(need, _WHAT[need], need in _FORBIDDING) for need in found))


def _common(facts: ClaimFacts, today: date) -> Iterator[Need]:
    if facts.remaining <= 0:
        yield Need.NOTHING_OPEN
    if facts.due_date >= today:
        yield Need.NOT_DUE
    if not facts.delivered:
        yield Need.NOT_DELIVERED
    elif not facts.made_available:
        yield Need.NOT_AVAILABLE
    if facts.insolvent:
        yield Need.INSOLVENT
    if facts.disputed:
        yield Need.DISPUTED
    if facts.time_barred:
        yield Need.LIMITATION_OVER


def _address(facts: ClaimFacts) -> Iterator[Need]:
    if not facts.has_postal_address:
        yield Need.NO_ADDRESS


def _reminder(facts: ClaimFacts) -> Iterator[Need]:
    if facts.reminded_on is None:
        yield Need.NO_REMINDER


def _notice(facts: ClaimFacts, today: date, days_to_pay: int) -> Iterator[Need]:
    if facts.formal_notice_on is None:
        yield Need.NO_FORMAL_NOTICE
    elif (today - facts.formal_notice_on).days < days_to_pay:
        yield Need.TIME_TO_PAY
