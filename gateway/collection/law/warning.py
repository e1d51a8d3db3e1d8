"""The alerts of the law's deadlines: what they say (pure), and how one is raised and settled."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlmodel import Session

from gateway.alerts import service as alerts
from gateway.alerts.conditions import AlertDecision
from gateway.alerts.model import Alert
from gateway.alerts.notifying import tell_people
from gateway.collection import service as collection
from gateway.collection.law.statute import Statute
from gateway.kernel.clock import paris_date
from gateway.kernel.sayer import Sayer, filled
from gateway.kernel.text import Text
from gateway.lifecycle.model import InvoiceRecord
from gateway.lifecycle.records import key_of_invoice
from gateway.notifications.service import Channels

LIMITATION = "claim.limitation"
INSOLVENCY = "insolvency.claim"
EXCESS = "penalty.excess"


@dataclass(frozen=True, slots=True)
class Warned:
    """A deadline that people are told of.

    Attributes:
        condition: key of `alert` in the data of the law. key: names the matter, which is told once.
        invoice: what it is about, the first due of several. amount: what is at stake.
        last_day: until when to act. since: from when the time runs.
    """

    condition: str
    key: str
    invoice: InvoiceRecord
    customer: str
    amount: Decimal
    last_day: date
    since: date


def alert_for(warned: Warned, law: Statute, today: date) -> AlertDecision:
    """The alert to open on a day; one that comes after the last day to act says so. Pure."""
    words = law.alert[warned.condition]
    said = words.passed if words.passed is not None and warned.last_day < today else words
    return AlertDecision(
        condition=warned.condition,
        severity=words.severity,
        title=_told(said.title.text, warned),
        reason=_told(said.reason.text, warned),
        next_step=said.next.text,
        team=words.team,
        also_concerned=(),
        working_days=words.working_days,
        dedup_key=warned.key,
        key=key_of_invoice(warned.invoice),
        event="",
    )


def warn(session: Session, warned: Warned, law: Statute, channels: Channels, now: datetime) -> bool:
    """Open the alert with its action and tell people, once. The caller holds its turn. Whether it was opened."""
    decision = alert_for(warned, law, paris_date(now))
    opened = alerts.raise_about_invoice(session, decision, warned.invoice, now, amount=warned.amount)
    if opened is None:
        return False
    collection.create_action_for(session, opened, now)
    tell_people(session, opened.alert, channels, now=now)
    return True


def settle(session: Session, unsettled: Iterable[Alert], law: Statute, now: datetime) -> None:
    """Close alerts whose matter is over, and take their actions off the worklist. The caller holds its turn."""
    for each in unsettled:
        because = law.alert[each.condition].settled.text
        for closed in alerts.close_settled_key(session, each.dedup_key, because, now):
            collection.cancel_for_closed_alert(session, closed, now)


def _told(sentence: Text, warned: Warned) -> Text:
    def facts(say: Sayer) -> dict[str, str]:
        return {
            "customer": warned.customer,
            "number": warned.invoice.number,
            "amount": say.money(warned.amount, warned.invoice.currency),
            "day": say.day(warned.last_day),
            "since": say.day(warned.since),
        }

    return filled(sentence, facts)
