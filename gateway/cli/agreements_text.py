"""Promises, disputes and plans as lines of text. Pure."""

from collections.abc import Iterable

from gateway.alerts.conditions import team_label
from gateway.collection.agreements.values import PlanState, PromiseState
from gateway.collection.agreements.views import DisputeView, EntryNamed, InvoiceNamed, LineView, PlanView, PromiseView
from gateway.kernel.sayer import Sayer
from gateway.kernel.text import Language, Text

_PROMISE = {
    PromiseState.OPEN: Text("en cours", "open"),
    PromiseState.KEPT: Text("tenue", "kept"),
    PromiseState.PARTLY_KEPT: Text("tenue en partie", "partly kept"),
    PromiseState.BROKEN: Text("non tenue", "broken"),
    PromiseState.CANCELLED: Text("annulée", "cancelled"),
}
_PLAN = {
    PlanState.ACTIVE: Text("en cours", "active"),
    PlanState.BROKEN: Text("rompu", "broken"),
    PlanState.DONE: Text("soldé", "paid in full"),
    PlanState.CANCELLED: Text("annulé", "cancelled"),
}
_PROMISED = Text("{amount} pour le {day}", "{amount} by {day}")
_AWAITED = Text("attendu {amount}", "{amount} awaited")
_OPEN = Text("ouvert", "open")
_WHOLE = Text("toute la facture", "the whole invoice")
_UNTIL = Text("à régler pour le {day}", "to be settled by {day}")
_PAID = Text("payé {amount}", "{amount} paid")


def promise_text(view: PromiseView, language: Language, *, history: bool = False) -> str:
    """A promise on two lines, with its history when asked."""
    say = Sayer(language)
    said = say.say(_PROMISED).format(amount=say.money(view.amount, view.currency), day=say.short_day(view.due_on))
    lines = [f"{view.id}  {say.say(_PROMISE[view.state])}  {said}  {view.customer}"]
    facts = [_numbers((*view.invoices, *view.entries)), view.contact, view.comment]
    if view.awaited:
        facts.insert(0, say.say(_AWAITED).format(amount=say.money(view.awaited, view.currency)))
    return "\n".join([*lines, _indented(facts), *_history(view.history, say, history)])


def dispute_text(view: DisputeView, language: Language, *, history: bool = False) -> str:
    """A dispute on two lines, with its thread when asked."""
    say = Sayer(language)
    state = say.say(_OPEN if view.outcome is None else view.outcome.label)
    amount = say.say(_WHOLE) if view.amount is None else say.money(view.amount, view.currency)
    lines = [f"{view.id}  {state}  {view.number}  {amount}  {say.say(view.reason_label)}  {view.customer}"]
    facts = [say.say(team_label(view.team)), view.owner, view.comment]
    if view.deadline and view.outcome is None:
        facts.insert(0, say.say(_UNTIL).format(day=say.short_day(view.deadline)))
    return "\n".join([*lines, _indented(facts), *_history(view.history, say, history)])


def plan_text(view: PlanView, language: Language, *, history: bool = False) -> str:
    """A plan with its instalments, and its history when asked."""
    say, currency = Sayer(language), view.currency
    lines = [f"{view.id}  {say.say(_PLAN[view.state])}  {say.money(view.total, currency)}  {view.customer}"]
    lines.append(_indented([_numbers((*view.invoices, *view.entries)), view.comment]))
    for each in view.instalments:
        paid = f"  {say.say(_PAID).format(amount=say.money(each.paid, currency))}" if each.paid else ""
        lines.append(f"    {say.short_day(each.due_on)}  {say.money(each.amount, currency)}{paid}")
    return "\n".join([*lines, *_history(view.history, say, history)])


def _numbers(about: Iterable[InvoiceNamed | EntryNamed]) -> str:
    return ", ".join(each.number for each in about)


def _indented(facts: Iterable[str]) -> str:
    return "    " + "  ".join(filter(None, facts))


def _history(lines: Iterable[LineView], say: Sayer, wanted: bool) -> list[str]:
    return [
        f"    {say.moment(each.at)}  {say.say(each.said)}"
        + (f"  {each.text}" if each.text and each.by != "gateway" else "")
        for each in (lines if wanted else ())
    ]
