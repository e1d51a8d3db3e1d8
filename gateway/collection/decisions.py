"""What to do about an alert so that cash comes in, and whether an invoice may be chased today.

Pure decisions: an alert makes exactly one action; chasing follows the lifecycle. Data: `schemas/alerts.toml`.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from gateway.alerts.conditions import AlertDecision, Team, words_for
from gateway.kernel.dated import data_file, text_of
from gateway.kernel.money import ZERO
from gateway.kernel.text import Text
from gateway.kernel.working_days import add_working_days
from gateway.lifecycle.projection import InvoiceState
from gateway.lifecycle.statuses import status


class ActionKind(StrEnum):
    """What is to be done."""

    FIX_AND_REISSUE = "fix_and_reissue"
    ANSWER_DISPUTE = "answer_dispute"
    CALL = "call"
    CHASE = "chase"
    CHECK_SENDING = "check_sending"
    SEND_DOCUMENT = "send_document"
    ISSUE_CREDIT_NOTE = "issue_credit_note"
    RESEND = "resend"
    RESEND_STATUS = "resend_status"
    REPORT_RECEIPT = "report_receipt"
    REDO_REPORT = "redo_report"
    CORRECT_CLAIM = "correct_claim"
    RELEASE_FLOW = "release_flow"
    #: Nothing to collect: only a check.
    CHASE_NONE = "chase_none"


@dataclass(frozen=True, slots=True)
class ActionDecision:
    """The one collection action of an alert.

    Attributes:
        kind: what is to be done.
        title: the same in words, with the invoice.
        explanation: why, what happened, and how to go about it.
        team: who does it.
        due_on: last working day to do it.
        priority: 0 to 100, the higher the sooner.
        amount: what is at stake, in the invoice's currency, None when unknown.
        dedup_key: that of the alert: one action each.
    """

    kind: ActionKind
    title: Text
    explanation: Text
    team: Team
    due_on: date
    priority: int
    amount: Decimal | None
    dedup_key: str


class ChasingVerdict(StrEnum):
    """May the buyer be reminded of this invoice?"""

    ALLOWED = "allowed"
    PAUSED = "paused"
    FORBIDDEN = "forbidden"


@dataclass(frozen=True, slots=True)
class ChasingDecision:
    """Whether to chase, and why.

    Attributes:
        verdict: allowed, paused (it resumes by itself), forbidden (another path: fix, dispute, nothing due).
        reason: why, in a sentence.
        excluded: amount with VAT to leave out of the reminder (the disputed part of a 206).
        until: first day on which a pause ends by itself, None when an event must end it.
    """

    verdict: ChasingVerdict
    reason: Text
    excluded: Decimal = ZERO
    until: date | None = None


def action_for(alert: AlertDecision, opened_on: date, amount: Decimal | None = None) -> ActionDecision:
    """The collection action of an alert opened on a day (Europe/Paris).

    `amount`: what is left to pay on the invoice, negative of a credit note; the disputed amount, when known, is what is
    at stake instead. What the buyer asks for (MDT-121) chooses the action; without a telling request, the condition
    does.
    """
    data = data_file("alerts.toml")["collection"]
    asked = [data["action_requested"][code] for code in alert.actions_asked if code in data["action_requested"]]
    kind = ActionKind(asked[0] if asked else data["action_of"][alert.condition])
    at_stake = amount if alert.disputed is None else alert.disputed
    is_credit_note = alert.of_credit_note or (at_stake is not None and at_stake < 0)
    words = words_for(data["action"][kind.value], credit_note=is_credit_note)
    title, explanation = text_of(words["title"]), text_of(words["explanation"])
    what = Text("avoir", "credit note") if is_credit_note else Text("facture", "invoice")
    return ActionDecision(
        kind=kind,
        title=Text(f"{title.fr} : {what.fr} {alert.key.number}", f"{title.en}: {what.en} {alert.key.number}"),
        explanation=Text(
            f"{alert.reason.fr} {explanation.fr} {alert.next_step.fr}",
            f"{alert.reason.en} {explanation.en} {alert.next_step.en}",
        ),
        team=alert.team,
        due_on=alert.due_on(opened_on),
        priority=_priority(alert, at_stake),
        amount=at_stake,
        dedup_key=alert.dedup_key,
    )


def chasing_allowed(state: InvoiceState, today: date, answered: Collection[str] = frozenset()) -> ChasingDecision:
    """Whether the buyer may be reminded of an invoice today (Europe/Paris), as far as its lifecycle tells.

    Never: rejected (213), cancelled (220), refused (210), not delivered (221, 501). Paused: suspended (208), in
    dispute (207), a payment announced (211) some working days ago or not yet made. A 206 leaves out its disputed part,
    and pauses the whole when that part is unknown. `answered`: statuses (206, 207) whose dispute a person has settled
    here, which hold nothing back any more. Due dates, promises and exclusions are not looked at here, nor whether it is
    paid: money that a 212 told may have gone back since.
    """
    ended = state.ended_by or ("210" if state.refused else None)
    if ended:
        return _forbidden(
            f"La facture est « {_label(ended).fr} » ({ended}) : corriger ou régler le désaccord, ne pas relancer.",
            f"The invoice is “{_label(ended).en}” ({ended}): fix it or settle the disagreement, do not chase.",
        )
    if failure := state.issue("501", "221"):
        return _forbidden(
            f"La facture n’est pas parvenue à l’acheteur ({_label(failure.code).fr}, {failure.code}) : la renvoyer.",
            f"The invoice has not reached the buyer ({_label(failure.code).en}, {failure.code}): resend it.",
        )
    if hold := state.issue(*(code for code in ("207", "208") if code not in answered)):
        return _paused(
            f"« {_label(hold.code).fr} » ({hold.code}) : la relance reprendra une fois ce point réglé.",
            f"“{_label(hold.code).en}” ({hold.code}): chasing resumes once this is settled.",
        )
    partial = None if "206" in answered else state.issue("206")
    if partial and partial.disputed is None:
        return _paused(
            "Approuvée partiellement (206) sans montant contesté connu : le demander avant de relancer.",
            "Partially approved (206) without a known disputed amount: ask for it before chasing.",
        )
    if state.announced:
        delay = data_file("alerts.toml")["collection"]["payment_announced_working_days"]
        until = add_working_days(state.announced.on, delay)
        if today < until:
            return _paused(
                "L’acheteur annonce un paiement (211) : lui laisser le temps d’arriver.",
                "The buyer announces a payment (211): give it time to arrive.",
                until,
            )
    if partial and partial.disputed is not None:
        return ChasingDecision(
            ChasingVerdict.ALLOWED,
            Text("Relancer la seule part approuvée (206).", "Chase the approved part only (206)."),
            excluded=partial.disputed,
        )
    return ChasingDecision(
        ChasingVerdict.ALLOWED,
        Text("Rien dans le cycle de vie n’empêche de relancer.", "Nothing in the lifecycle prevents chasing."),
    )


def _priority(alert: AlertDecision, at_stake: Decimal | None) -> int:
    scale = data_file("alerts.toml")["collection"]["priority"]
    reached = (step["points"] for step in scale["amount"] if at_stake is not None and abs(at_stake) >= step["at_least"])
    points: int = scale["severity"][alert.severity.value] + max(reached, default=0)
    return points


def _label(code: str) -> Text:
    return status(code).label


def _forbidden(fr: str, en: str) -> ChasingDecision:
    return ChasingDecision(ChasingVerdict.FORBIDDEN, Text(fr, en))


def _paused(fr: str, en: str, until: date | None = None) -> ChasingDecision:
    return ChasingDecision(ChasingVerdict.PAUSED, Text(fr, en), until=until)
