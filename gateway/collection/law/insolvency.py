"""A customer's insolvency proceedings: until when to declare the claim, and what stops. Pure."""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from gateway.collection.law.calendar import add_months
from gateway.collection.law.statute import Statute
from gateway.kernel.text import Text


class InsolvencyKind(StrEnum):
    """The proceedings of book VI of the code de commerce."""

    SAFEGUARD = "safeguard"
    RECEIVERSHIP = "receivership"
    LIQUIDATION = "liquidation"

    @property
    def label(self) -> Text:
        """Its name for people."""
        return _LABELS[self]


_LABELS = {
    InsolvencyKind.SAFEGUARD: Text("Sauvegarde", "Safeguard"),
    InsolvencyKind.RECEIVERSHIP: Text("Redressement judiciaire", "Receivership"),
    InsolvencyKind.LIQUIDATION: Text("Liquidation judiciaire", "Liquidation"),
}


@dataclass(frozen=True, slots=True)
class ClaimDeadline:
    """Until when to declare the claim to the court's agent.

    Attributes:
        counted_from: the publication in the BODACC; the judgment while no publication is known, which is safe.
        last_day: last day to declare. warn_from: first day to tell people. law: the text.
    """

    counted_from: date
    last_day: date
    warn_from: date
    law: str


def claim_deadline(judgment_on: date, published_on: date | None, *, abroad: bool, law: Statute) -> ClaimDeadline:
    """The deadline of a creditor in metropolitan France, or one established elsewhere (`abroad`)."""
    since = published_on or judgment_on
    rule = law.insolvency_on(since)
    last = add_months(since, rule.claim_months_abroad if abroad else rule.claim_months)
    return ClaimDeadline(since, last, last - timedelta(days=rule.alert_days), rule.law)


def is_earlier_debt(issue_date: date, judgment_on: date) -> bool:
    """Whether an invoice is one that must be declared and may not be paid or chased any more (C. com. L622-7).

    Debts born before the judgment; the invoice's date stands for that birth unless a person knows better.
    """
    return issue_date <= judgment_on
