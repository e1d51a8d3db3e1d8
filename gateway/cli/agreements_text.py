"""Promises, disputes and plans as lines of text. Pure."""

from collections.abc import Iterable
from decimal import Decimal

from babel.dates import format_date, format_datetime
from babel.numbers import format_currency

from gateway.collection.agreements.values import PlanState, PromiseState
from gateway.collection.agreements.views import DisputeView, InvoiceNamed, LineView, PlanView, PromiseView
from gateway.kernel.clock import PARIS
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

    def money(amount: Decimal) -> str:
        return format_currency(amount, view.currency, locale=language)

    said = _PROMISED.format(amount=money(view.amount), day=format_date(view.due_on, "short", locale=language))
    lines = [f"{view.id}  {_PROMISE[view.state].in_language(language)}  {said.in_language(language)}  {view.customer}"]
    facts = [_numbers(view.invoices), view.contact, view.comment]
    if view.awaited:
        facts.insert(0, _AWAITED.format(amount=money(view.awaited)).in_language(language))
    return "\n".join([*lines, _indented(facts), *_history(view.history, language, history)])


def dispute_text(view: DisputeView, language: Language, *, history: bool = False) -> str:
    """A dispute on two lines, with its thread when asked."""
    state = (_OPEN if view.outcome is None else view.outcome.label).in_language(language)
    amount = (
        _WHOLE.in_language(language)
        if view.amount is None
        else format_currency(view.amount, view.currency, locale=language)
    )
    reason = view.reason_label.in_language(language)
    lines = [f"{view.id}  {state}  {view.number}  {amount}  {reason}  {view.customer}"]
    facts = [view.team, view.owner, view.comment]
    if view.deadline and view.outcome is None:
        facts.insert(0, _UNTIL.format(day=format_date(view.deadline, "short", locale=language)).in_language(language))
    return "\n".join([*lines, _indented(facts), *_history(view.history, language, history)])


def plan_text(view: PlanView, language: Language, *, history: bool = False) -> str:
    """A plan with its instalments, and its history when asked."""

    def money(amount: Decimal) -> str:
        return format_currency(amount, view.currency, locale=language)

    lines = [f"{view.id}  {_PLAN[view.state].in_language(language)}  {money(view.total)}  {view.customer}"]
    lines.append(_indented([_numbers(view.invoices), view.comment]))
    for each in view.instalments:
        paid = f"  {_PAID.format(amount=money(each.paid)).in_language(language)}" if each.paid else ""
        lines.append(f"    {format_date(each.due_on, 'short', locale=language)}  {money(each.amount)}{paid}")
    return "\n".join([*lines, *_history(view.history, language, history)])


def _numbers(invoices: Iterable[InvoiceNamed]) -> str:
    return ", ".join(each.number for each in invoices)


def _indented(facts: Iterable[str]) -> str:
    return "    " + "  ".join(filter(None, facts))


def _history(lines: Iterable[LineView], language: Language, wanted: bool) -> list[str]:
    return [
        f"    {format_datetime(each.at, 'short', tzinfo=PARIS, locale=language)}  {each.said.in_language(language)}"
        + (f"  {each.text}" if each.text and each.by != "gateway" else "")
        for each in (lines if wanted else ())
    ]
