"""A worded message on paper and as a mail: plain text, HTML, the letter and the statement of account as PDF/A."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from functools import cache
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from gateway.collection.account import Account
from gateway.collection.messages.letterhead import Letterhead
from gateway.collection.messages.texts import LetterSayer
from gateway.collection.messages.values import ReminderMessage
from gateway.collection.messages.wording import Worded
from gateway.collection.scenarios import Channel
from gateway.kernel.money import ZERO
from gateway.kernel.text import Language, Text
from gateway.kernel.typesetting import typeset

_TEMPLATES = Path(__file__).parent / "templates"
_COLUMNS = (
    Text("Facture", "Invoice"),
    Text("Émise le", "Issued on"),
    Text("Échéance", "Due on"),
    Text("Retard", "Late by"),
    Text("À régler", "To pay"),
)
_REGISTERED = Text("Lettre recommandée avec accusé de réception", "Registered letter with acknowledgement of receipt")
_DATED = Text("Le {day}", "{day}")
_REFERENCE = Text("Notre référence : {reference}", "Our reference: {reference}")
_STATEMENT = Text("Relevé de compte", "Statement of account")
_STATEMENT_ON = Text("Au {day}", "On {day}")
_STATEMENT_COLUMNS = (
    Text("Pièce", "Document"),
    Text("Émise le", "Issued on"),
    Text("Échéance", "Due on"),
    Text("Montant", "Amount"),
    Text("Reste", "Left"),
    Text("Solde", "Balance"),
)
_UNALLOCATED = Text("Règlement reçu, non affecté", "Payment received, not allocated")
_OVERDUE, _BALANCE = Text("Dont échu", "Of which overdue"), Text("Solde du compte", "Balance of the account")


def plain_text(worded: Worded, letterhead: Letterhead) -> str:
    """What a mail reader without HTML shows."""
    sender = "\n".join([letterhead.name, *letterhead.address, *letterhead.contact])
    parts = [worded.greeting, *worded.opening, _table(worded), worded.payment, *worded.closing, worded.regards]
    return "\n\n".join(each for each in [*parts, sender, letterhead.mentions] if each) + "\n"


def spoken_text(worded: Worded) -> str:
    """What whoever calls, or does the task, has before them: no greeting and no sender."""
    return "\n\n".join([*worded.opening, _table(worded), *worded.closing]) + "\n"


def _table(worded: Worded) -> str:
    lines = [
        "- " + " · ".join(each for each in (row.what, row.due, row.late) if each) + worded.colon + row.amount
        for row in worded.rows
    ]
    return "\n".join([*lines, worded.total_label + worded.colon + worded.total])


def html_page(worded: Worded, letterhead: Letterhead, language: Language) -> str:
    """The same as a page that needs nothing from outside."""
    return (
        _environment()
        .get_template("mail.html")
        .render(worded=worded, letterhead=letterhead, language=language, columns=_said(_COLUMNS, language))
    )


def letter_pdf(message: ReminderMessage, worded: Worded, letterhead: Letterhead) -> bytes:
    """The letter as PDF/A-3b, its address in the window of a French envelope."""
    say = LetterSayer(message.language)
    contact = message.contact
    recipient = [message.customer_name, *(contact.postal if contact else ())]
    if contact and contact.name and contact.name != message.customer_name:
        recipient.insert(1, contact.name)
    values = {
        "language": message.language,
        "sender": {
            "name": letterhead.name,
            "address": letterhead.address,
            "contact": letterhead.contact,
            "mentions": letterhead.mentions,
            "logo": list(letterhead.logo),
            "logo_format": letterhead.logo_format,
        },
        "recipient": recipient,
        "dated": say.say(_DATED).format(day=say.day(message.on)),
        "registered": say.say(_REGISTERED) if message.channel is Channel.REGISTERED_LETTER else "",
        "reference": say.say(_REFERENCE).format(reference=_reference(message)),
        "subject": worded.subject,
        "greeting": worded.greeting,
        "opening": worded.opening,
        "columns": _said(_COLUMNS, message.language),
        "rows": [[row.what, row.issued, row.due, row.late, row.amount] for row in worded.rows],
        "total_label": worded.total_label,
        "total": worded.total,
        "payment": worded.payment,
        "closing": worded.closing,
        "regards": worded.regards,
    }
    return typeset(_TEMPLATES / "letter.typ", values, at=_noon(message.on))


def _reference(message: ReminderMessage) -> str:
    return "—" if message.reminder_id is None else str(message.reminder_id)[-12:].upper()


def statement_pdf(account: Account, letterhead: Letterhead, language: Language, on: date) -> bytes:
    """Everything open on an account, the oldest first, with its running balance, as PDF/A-3b."""
    say, currency = LetterSayer(language), account.currency
    rows, balance, overdue = [], ZERO, ZERO
    open_ones = (each for each in account.items if each.remaining and not each.unsure)
    items = sorted(open_ones, key=lambda each: (each.issue_date, each.number))
    for item in items:
        balance += item.remaining
        overdue += item.remaining if item.due_date < on else ZERO
        due = "" if item.is_credit else say.figures(item.due_date)
        name = say.words("credit", number=item.number) if item.is_credit else item.number
        figures = [say.money(each, currency) for each in (item.total, item.remaining, balance)]
        rows.append([name, say.figures(item.issue_date), due, *figures])
    if account.unallocated:
        balance += account.unallocated
        overdue += account.unallocated
        figures = [say.money(each, currency) for each in (account.unallocated, account.unallocated, balance)]
        rows.append([say.say(_UNALLOCATED), "", "", *figures])
    values = {
        "language": language,
        "sender": letterhead.name,
        "mentions": letterhead.mentions,
        "title": say.say(_STATEMENT),
        "customer": account.customer.name,
        "dated": say.say(_STATEMENT_ON).format(day=say.day(on)),
        "columns": _said(_STATEMENT_COLUMNS, language),
        "rows": rows,
        "totals": [
            [say.say(_OVERDUE), say.money(max(overdue, ZERO), currency)],
            [say.say(_BALANCE), say.money(balance, currency)],
        ],
    }
    return typeset(_TEMPLATES / "statement.typ", values, at=_noon(on))


def _said(texts: Iterable[Text], language: Language) -> list[str]:
    return [each.on_page(language) for each in texts]


def _noon(on: date) -> datetime:
    """The instant a page bears: the same page is the same bytes."""
    return datetime.combine(on, time(12), UTC)


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("gateway.collection.messages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
