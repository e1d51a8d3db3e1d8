"""Decisions about reminders, reminders and exclusions as a terminal shows them. Pure."""

from decimal import Decimal

from babel.dates import format_date
from babel.numbers import format_currency

from gateway.collection.model import ReminderState
from gateway.collection.reminder_views import ExclusionView, ReminderView
from gateway.collection.reminders import ReminderDecision
from gateway.collection.scenarios import Channel
from gateway.kernel.text import Language, Text

_NOTHING = Text("rien aujourd'hui", "nothing today")
_TO_CONFIRM = Text("à confirmer", "to be confirmed")
_CREDIT = Text("avoir", "credit note")
_UNALLOCATED = Text("non affecté", "unallocated")
_LIFTED = Text("levée", "lifted")
_ENDLESS = Text("sans fin", "without end")
_WHOLE = Text("tout le client", "the whole customer")


def decision_text(decision: ReminderDecision, language: Language) -> str:
    """What would be done about an account, line by line, with the reason of each invoice left out."""
    customer, currency = decision.account.customer, decision.account.currency

    def money(amount: Decimal) -> str:
        return format_currency(amount, currency, locale=language)

    what = _NOTHING.in_language(language)
    if decision.step is not None and decision.channel is not None:
        parts = [decision.step.title.in_language(language), decision.channel.label.in_language(language)]
        parts += [money(decision.total)] if decision.total else []
        parts += [_TO_CONFIRM.in_language(language)] if decision.needs_confirmation else []
        what = ", ".join(parts)
    lines = [f"{customer.name} ({customer.key}) : {what}"]
    if decision.contact is not None:
        lines.append(f"    -> {decision.contact.email or decision.contact.phone or decision.contact.name}")
    lines += [
        f"    {each.line.number}  {money(each.line.claimed)}  {format_date(each.line.due_date, locale=language)}"
        for each in decision.lines
    ]
    lines += [
        f"    {_CREDIT.in_language(language)} {each.number}  {money(each.remaining)}" for each in decision.credits
    ]
    if decision.unallocated:
        lines.append(f"    {_UNALLOCATED.in_language(language)}  {money(decision.unallocated)}")
    lines += [
        f"    - {each.item.number}  {money(each.item.remaining)}  {each.reason.text.in_language(language)}"
        for each in decision.withheld
    ]
    return "\n".join(lines)


def reminder_text(view: ReminderView, language: Language) -> str:
    """One reminder: what, to whom, how much, where it stands."""
    title = view.title_fr if language == "fr" else view.title_en
    state = ReminderState(view.state).label.in_language(language)
    channel = Channel(view.channel).label.in_language(language)
    total = format_currency(view.total, view.currency, locale=language)
    lines = [f"{view.id}  {view.decided_at:%Y-%m-%d}  {view.customer_name}  {title}  {channel}  {total}  {state}"]
    lines += [
        f"    {each.number}  {format_currency(each.claimed, view.currency, locale=language)}" for each in view.lines
    ]
    if view.outcome:
        lines.append(f"    {view.outcome}")
    return "\n".join(lines)


def exclusion_text(view: ExclusionView, language: Language) -> str:
    """One exclusion: of what, until when, why."""
    what = str(view.invoice_id or _WHOLE.in_language(language))
    until = str(view.until or _ENDLESS.in_language(language))
    lifted = f"  ({_LIFTED.in_language(language)} {view.lifted_at:%Y-%m-%d})" if view.lifted_at else ""
    return f"{view.id}  {what}  {until}  {view.reason}{lifted}"
