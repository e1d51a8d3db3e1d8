"""Decisions about reminders, reminders and exclusions as a terminal shows them. Pure."""

from gateway.collection.model import ReminderState
from gateway.collection.reminder_views import ExclusionView, ReminderView
from gateway.collection.reminders import ReminderDecision
from gateway.collection.scenarios import Channel
from gateway.kernel.sayer import Sayer
from gateway.kernel.text import Language, Text

_NOTHING = Text("rien aujourd’hui", "nothing today")
_TO_CONFIRM = Text("à confirmer", "to be confirmed")
_CREDIT = Text("avoir", "credit note")
_UNALLOCATED = Text("non affecté", "unallocated")
_LIFTED = Text("levée", "lifted")
_ENDLESS = Text("sans fin", "without end")
_WHOLE = Text("tout le client", "the whole customer")


def decision_text(decision: ReminderDecision, language: Language) -> str:
    """What would be done about an account, line by line, with the reason of each invoice left out."""
    customer, currency, say = decision.account.customer, decision.account.currency, Sayer(language)
    what = say.say(_NOTHING)
    if decision.step is not None and decision.channel is not None:
        parts = [say.say(decision.step.title), say.say(decision.channel.label)]
        parts += [say.money(decision.total, currency)] if decision.total else []
        parts += [say.say(_TO_CONFIRM)] if decision.needs_confirmation else []
        what = ", ".join(parts)
    lines = [f"{customer.name} ({customer.key}) : {what}"]
    if decision.contact is not None:
        lines.append(f"    -> {decision.contact.email or decision.contact.phone or decision.contact.name}")
    lines += [
        f"    {each.line.number}  {say.money(each.line.claimed, currency)}  {say.short_day(each.line.due_date)}"
        for each in decision.lines
    ]
    lines += [
        f"    {say.say(_CREDIT)} {each.number}  {say.money(each.remaining, currency)}" for each in decision.credits
    ]
    if decision.unallocated:
        lines.append(f"    {say.say(_UNALLOCATED)}  {say.money(decision.unallocated, currency)}")
    lines += [f"    ! {say.say(each.says)}" for each in decision.account.faults]
    lines += [
        f"    - {each.item.number}  {say.money(each.item.remaining, currency)}  {say.say(each.reason.text)}"
        for each in decision.withheld
    ]
    return "\n".join(lines)


def reminder_text(view: ReminderView, language: Language) -> str:
    """One reminder: what, to whom, how much, where it stands."""
    say = Sayer(language)
    title = view.title_fr if language == "fr" else view.title_en
    state, channel = say.say(ReminderState(view.state).label), say.say(Channel(view.channel).label)
    total = say.money(view.total, view.currency)
    lines = [f"{view.id}  {view.decided_at:%Y-%m-%d}  {view.customer_name}  {title}  {channel}  {total}  {state}"]
    lines += [f"    {each.number}  {say.money(each.claimed, view.currency)}" for each in view.lines]
    outcome = view.outcome_fr if language == "fr" else view.outcome_en
    if outcome:
        lines.append(f"    {outcome}")
    return "\n".join(lines)


def exclusion_text(view: ExclusionView, language: Language) -> str:
    """One exclusion: of what, until when, why."""
    what = str(view.invoice_id or view.entry_id or _WHOLE.in_language(language))
    until = str(view.until or _ENDLESS.in_language(language))
    lifted = f"  ({_LIFTED.in_language(language)} {view.lifted_at:%Y-%m-%d})" if view.lifted_at else ""
    return f"{view.id}  {what}  {until}  {view.reason}{lifted}"
