"""Which lifecycle events call a person, whom, to do what, by when; and which later events settle the matter.

Pure decisions over data (`schemas/alerts.toml`): the shell stores the alert under its `dedup_key` and closes those that
`closes` names. The same event never opens two alerts, and an event already settled when it arrives opens none.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import cache
from typing import Literal

from gateway.kernel.clock import paris_date
from gateway.kernel.dated import Table, data_file, text_of
from gateway.kernel.sayer import Sayer, filled
from gateway.kernel.text import Text
from gateway.kernel.working_days import add_working_days
from gateway.lifecycle.correlation import InvoiceKey
from gateway.lifecycle.events import StatusEvent
from gateway.lifecycle.projection import InvoiceState
from gateway.lifecycle.reasons import reason
from gateway.lifecycle.statuses import FULL_PAYMENT, StateLine, status
from gateway.lifecycle.transitions import TransitionKind

Team = Literal["billing", "sales", "logistics", "treasury", "order_desk", "ar"]


def team_label(team: str) -> Text:
    """The name of a team for people; the team as written when it is none."""
    named = data_file("alerts.toml")["team"].get(team)
    return text_of(named) if named else Text(team, team)


def words_for(entry: Table, *, credit_note: bool) -> Table:
    """An entry of the data as it speaks of an invoice or, its words `of_credit_note` laid over, of a credit note."""
    others = {key: value for key, value in entry.items() if key != "of_credit_note"}
    return {**others, **entry.get("of_credit_note", {})} if credit_note else others


class Severity(StrEnum):
    """How much it matters, in growing order."""

    INFO = "info"
    WARNING = "warning"
    URGENT = "urgent"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class Condition:
    """One matter that calls a person: the status and line that open it, and what to tell.

    Attributes:
        id: stable identifier, such as `invoice.disputed`.
        status: code that opens it.
        line: state line on which that code opens it.
        working_days: time to act.
        by_reason: whether the reasons of the event choose the team.
        settled_by_replacement: whether the invoice that replaces this one under a new number settles it.
        of_credit_note: the same with the words for a credit note.
    """

    id: str
    status: str
    line: StateLine
    severity: Severity
    team: Team
    working_days: int
    by_reason: bool
    title: Text
    reason: Text
    next_step: Text
    settled_by_replacement: bool = False
    of_credit_note: "Condition | None" = None


@dataclass(frozen=True, slots=True)
class AlertDecision:
    """An alert to open.

    Attributes:
        condition: identifier of the condition.
        severity: how much it matters.
        title, reason, next_step: what happened in short, what happened and why, what to do next.
        team: who should act; `also_concerned`: the teams of the other reasons.
        working_days: time to act, counted from the day the alert opens.
        dedup_key: one per condition, invoice and event: the same event never opens a second alert.
        key: the invoice.
        event: fingerprint of the event that opens it.
        actions_asked: what the other side asks for (MDT-121).
        disputed: amount with VAT that is not approved, when known.
        of_credit_note: whether what it is about is a credit note (BT-3), as its sentences say.
    """

    condition: str
    severity: Severity
    title: Text
    reason: Text
    next_step: Text
    team: Team
    also_concerned: tuple[Team, ...]
    working_days: int
    dedup_key: str
    key: InvoiceKey
    event: str
    actions_asked: tuple[str, ...] = ()
    disputed: Decimal | None = None
    of_credit_note: bool = False

    def due_on(self, opened_on: date) -> date:
        """The last working day to act, for an alert opened that day (Europe/Paris)."""
        return add_working_days(opened_on, self.working_days)


@dataclass(frozen=True, slots=True)
class Closing:
    """Open alerts of this condition on the event's invoice are settled, and why."""

    condition: str
    because: Text


def alert_for(event: StatusEvent, state: InvoiceState, *, credit_note: bool = False) -> AlertDecision | None:
    """The alert that `event` opens, None when it calls nobody.

    `state` is the projection of the invoice with `event` in it: an event that could not happen, or that a later one has
    already settled or replaced when it arrives, opens nothing.
    """
    condition = next((each for each in conditions() if (each.status, each.line) == (event.code, event.line)), None)
    if condition is None or _without_object(event, state):
        return None
    if credit_note and condition.of_credit_note:
        condition = condition.of_credit_note
    issue = state.issue(event.code)
    disputed = issue.disputed if issue else None
    routes = [route for code in event.reasons if (route := _route(code))] if condition.by_reason else []
    teams = tuple(dict.fromkeys(route["team"] for route in routes)) or (condition.team,)
    steps = [text_of(route["next"]) for route in routes[:1]]
    return AlertDecision(
        condition=condition.id,
        severity=condition.severity,
        title=_told(condition.title, event, disputed, state.currency),
        reason=_told(condition.reason, event, disputed, state.currency),
        next_step=_joined([*steps, condition.next_step], " "),
        team=teams[0],
        also_concerned=teams[1:],
        working_days=condition.working_days,
        dedup_key=f"{condition.id}:{event.key}:{event.fingerprint}",
        key=event.key,
        event=event.fingerprint,
        actions_asked=event.actions,
        disputed=disputed,
        of_credit_note=credit_note,
    )


def closes(event: StatusEvent, state: InvoiceState) -> tuple[Closing, ...]:
    """The conditions that `event` settles on its invoice, whether or not one is open. `state` is the projection with
    `event` in it.

    A 209 settles a suspension, a 205 a dispute, full payment both, a delivery a routing error. A late event dated
    before the matter settles nothing, because the matter is still open in the state. A rejection (213) is never settled
    by its own invoice, only by a person or by the invoice that replaces it (`gateway.alerts.replacing`), a refusal by
    the portal (601) only by a person or by the silence that accepts its repetition.
    """
    return tuple(
        Closing(
            condition.id,
            Text(
                f"Réglé par le statut « {event.status.label.fr} » ({event.code}).",
                f"Settled by status “{event.status.label.en}” ({event.code}).",
            ),
        )
        for condition in conditions()
        if _settles(event, condition, state) and state.issue(condition.status) is None
    )


@cache
def conditions() -> tuple[Condition, ...]:
    """Every condition, in the order of the data file."""
    return tuple(_condition(name, table) for name, table in data_file("alerts.toml")["condition"].items())


def _condition(name: str, table: Table) -> Condition:
    return Condition(
        id=name,
        status=table["status"],
        line=StateLine(table["line"]),
        severity=Severity(table["severity"]),
        team=table["team"],
        working_days=table["working_days"],
        by_reason=table.get("by_reason", False),
        title=text_of(table["title"]),
        reason=text_of(table["reason"]),
        next_step=text_of(table["next"]),
        settled_by_replacement=table.get("settled_by_replacement", False),
        of_credit_note=_condition(name, words_for(table, credit_note=True)) if "of_credit_note" in table else None,
    )


def _without_object(event: StatusEvent, state: InvoiceState) -> bool:
    judged = next((entry for entry in state.history if entry.fingerprint == event.fingerprint), None)
    if judged is not None and judged.kind is TransitionKind.IMPOSSIBLE:
        return True
    issue = state.issue(event.code)
    return bool(event.status.lifted_by) and (issue is None or issue.fingerprint != event.fingerprint)


def _settles(event: StatusEvent, condition: Condition, state: InvoiceState) -> bool:
    lifted_by = status(condition.status, event.day).lifted_by
    return event.code in lifted_by or (FULL_PAYMENT in lifted_by and event.code == "212" and state.paid)


def team_of_reasons(reason_codes: Iterable[str]) -> Team | None:
    """The team that can act on the first of these reasons (MDT-113) that tells one."""
    teams: Iterator[Team] = (route["team"] for code in reason_codes if (route := _route(code)))
    return next(teams, None)


def _route(reason_code: str) -> Table | None:
    """Who can act on a reason, and the first step to take."""
    return next((route for route in data_file("alerts.toml")["route"] if reason_code in route["reasons"]), None)


def _told(sentence: Text, event: StatusEvent, disputed: Decimal | None, currency: str) -> Text:
    def facts(say: Sayer) -> dict[str, str]:
        return {
            "number": event.key.number or "?",
            "day": say.day(paris_date(event.status_at)),
            "reasons": say.say(_reasons(event)),
            "comment": say.say(quoted_comment(event.comment)),
            "disputed": say.say(_disputed(disputed, currency)),
        }

    return filled(sentence, facts)


def _reasons(event: StatusEvent) -> Text:
    """The labels of the reasons; of an unpublished one, the words that came with it."""
    words = {detail.reason_code: detail.reason for detail in event.own_details if detail.reason}
    labels = []
    for code in event.reasons:
        known = reason(code, event.day)
        written = f"{words[code]} ({code})" if code in words and not known.known else ""
        labels.append(Text(written, written) if written else known.label)
    return _joined(labels, " ; ", "; ") if labels else Text("motif non précisé", "no reason given")


def quoted_comment(comment: str) -> Text:
    """What someone wrote, as a sentence at the end of another, with one full stop in all; empty when nothing."""
    words = " ".join(comment.split()).rstrip(".").rstrip()
    return Text(f" Commentaire : « {words} ».", f" Comment: “{words}”.") if words else Text("", "")


def _disputed(amount: Decimal | None, currency: str) -> Text:
    if amount is None:
        return Text("", "")
    sentence = Text(" Montant contesté : {amount}.", " Disputed amount: {amount}.")
    return filled(sentence, lambda say: {"amount": say.money(amount, currency or "EUR")})


def _joined(texts: list[Text], separator: str, english_separator: str | None = None) -> Text:
    return Text(
        separator.join(text.fr for text in texts), (english_separator or separator).join(text.en for text in texts)
    )
