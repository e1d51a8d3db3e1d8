"""A reminder worded as plain text, the same words for every step. Pure."""

from decimal import Decimal

from babel.dates import format_date
from babel.numbers import format_currency

from gateway.alerts.conditions import LOCALES
from gateway.collection.messages.values import ComposedMessage, ReminderMessage
from gateway.kernel.text import Text

_SUBJECT = Text("Relevé de votre compte : {total}", "Your account with us: {total}")
_OPENING = Text("Bonjour {name},\n\nVoici ce que nous relevons sur votre compte :", "Dear {name},\n\nOur records show:")
_LINE = Text("- facture {number}, échéance du {due} : {amount}", "- invoice {number}, due on {due}: {amount}")
_CREDIT = Text("- avoir {number} : {amount}", "- credit note {number}: {amount}")
_UNALLOCATED = Text("- règlement non affecté : {amount}", "- payment not allocated: {amount}")
_TOTAL = Text("Total : {total}", "Total: {total}")


def compose_plainly(message: ReminderMessage) -> ComposedMessage:
    """The subject and the text of a message in its language."""
    language = message.language

    def money(amount: Decimal) -> str:
        return format_currency(amount, message.currency, locale=LOCALES[language])

    def say(sentence: Text, **values: str) -> str:
        return sentence.in_language(language).format(**values)

    name, total = message.contact.name if message.contact else message.customer_name, money(message.total)
    lines = [
        say(
            _LINE,
            number=line.number,
            due=format_date(line.due_date, "d MMMM y", locale=LOCALES[language]),
            amount=money(line.claimed),
        )
        for line in message.lines
    ]
    lines += [say(_CREDIT, number=each.number, amount=money(each.remaining)) for each in message.credits]
    if message.unallocated:
        lines.append(say(_UNALLOCATED, amount=money(message.unallocated)))
    parts = [say(_OPENING, name=name), "\n".join(lines), say(_TOTAL, total=total)]
    if message.note:
        parts.append(message.note)
    return ComposedMessage(say(_SUBJECT, total=total), "\n\n".join(parts) + "\n")
