"""The alerts of promises, disputes and plans: what they say (pure), and how one is raised and settled.

Data: `alert` of `schemas/collection.toml`. Each makes one action on the worklist, which its settlement takes off.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlmodel import Session

from gateway.alerts import service as alerts
from gateway.alerts.conditions import AlertDecision, Severity, Team, quoted_comment
from gateway.alerts.model import Alert
from gateway.alerts.notifying import tell_people
from gateway.collection import service as collection
from gateway.collection.agreements.owing import Owing
from gateway.customers.model import Customer
from gateway.kernel.dated import data_file, text_of
from gateway.kernel.sayer import Sayer, filled
from gateway.kernel.text import Text
from gateway.notifications.service import Channels

PROMISE_BROKEN = "promise.broken"
PLAN_BROKEN = "plan.broken"
DISPUTE_OPENED = "dispute.opened"


@dataclass(frozen=True, slots=True)
class Call:
    """What someone is to be called for.

    Attributes:
        condition: of `schemas/collection.toml`. key: names the matter, which is never told twice.
        about: what it is about, the first one of several; of_its_agency: whether all are of its agency.
        customer: its name; payer: whose it is, of what only the books know.
        amount: what was promised, is due or is contested; missing: what is at stake.
        day: by which it was promised, or from which it is contested.
        reason: of a dispute. comment: a person's.
        team: who acts, when it is not the one of the data.
    """

    condition: str
    key: str
    about: Owing
    customer: str
    amount: Decimal
    missing: Decimal
    day: date
    reason: Text = Text("", "")  # noqa: RUF009 - a frozen value
    comment: str = ""
    team: Team | None = None
    of_its_agency: bool = True
    payer: Customer | None = None


def promise_key(promise_id: UUID) -> str:
    """The alert of a promise."""
    return f"{PROMISE_BROKEN}:{promise_id}"


def instalment_key(plan_id: UUID, position: int) -> str:
    """The alert of an instalment; `position` from 1."""
    return f"{PLAN_BROKEN}:{plan_id}:{position}"


def dispute_key(dispute_id: UUID, since: datetime) -> str:
    """The alert of a dispute, one for each time it is opened."""
    return f"{DISPUTE_OPENED}:{dispute_id}:{since.isoformat()}"


def alert_for_call(call: Call) -> AlertDecision:
    """The alert to open. Pure."""
    table = data_file("collection.toml")["alert"][call.condition]
    return AlertDecision(
        condition=call.condition,
        severity=Severity(table["severity"]),
        title=_told(text_of(table["title"]), call),
        reason=_told(text_of(table["reason"]), call),
        next_step=text_of(table["next"]),
        team=call.team or table["team"],
        also_concerned=(),
        working_days=table["working_days"],
        dedup_key=call.key,
        key=call.about.key,
        event="",
    )


def raise_call(session: Session, call: Call, channels: Channels, now: datetime) -> None:
    """Open the alert of a call with its action and tell people, once. The caller holds its turn on the ledger."""
    decision, invoice, payer = alert_for_call(call), call.about.invoice, None
    if invoice is not None:
        opened = alerts.raise_about_invoice(
            session, decision, invoice, now, amount=call.missing, of_its_agency=call.of_its_agency
        )
    else:
        payer, currency = call.payer, call.about.currency
        siren = payer.siren if payer else None
        opened = alerts.raise_about_customer(session, decision, siren, now, amount=call.missing, currency=currency)
    if opened is not None:
        collection.create_action_for(session, opened, now, customer_id=payer.id if payer else None)
        tell_people(session, opened.alert, channels, now=now)


def settle_call(session: Session, condition: str, key: str, now: datetime) -> None:
    """Close the alert of a call that is settled, and take its action off the worklist; nothing when none is open."""
    because = text_of(data_file("collection.toml")["alert"][condition]["settled"])
    cancel_actions(session, alerts.close_settled_key(session, key, because, now), now)


def settle_event(session: Session, event_id: UUID, because: Text, now: datetime) -> None:
    """The same for the alerts that a lifecycle status opened."""
    cancel_actions(session, alerts.close_of_event(session, event_id, because, now), now)


def cancel_actions(session: Session, closed: Iterable[Alert], now: datetime) -> None:
    """The actions of alerts just closed leave the worklist."""
    for alert in closed:
        collection.cancel_for_closed_alert(session, alert, now)


def _told(sentence: Text, call: Call) -> Text:
    currency = call.about.currency

    def facts(say: Sayer) -> dict[str, str]:
        return {
            "customer": call.customer,
            "number": call.about.number,
            "amount": say.money(call.amount, currency),
            "missing": say.money(call.missing, currency),
            "day": say.day(call.day),
            "reason": say.say(call.reason),
            "comment": say.say(quoted_comment(call.comment)),
        }

    return filled(sentence, facts)
