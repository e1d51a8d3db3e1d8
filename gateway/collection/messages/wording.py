"""A message in words: its subject, its paragraphs and the rows of its table, in the customer's language. Pure.

Nothing here is markup: the mail and the letter show every string as it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from gateway.collection.messages.letterhead import Letterhead
from gateway.collection.messages.texts import LetterSayer, TextBook, words_of_law
from gateway.collection.messages.values import ReminderLine, ReminderMessage
from gateway.kernel.text import one_line
from gateway.kernel.working_days import add_working_days


@dataclass(frozen=True, slots=True)
class Accrued:
    """What the law adds to the invoices of a message, by what was chosen to become of it: `announced` or `claimed`."""

    treatment: str
    interest: Decimal
    indemnity: Decimal


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table: what, its two dates (empty when they say nothing), days late (empty when not), amount."""

    what: str
    issued: str
    due: str
    late: str
    amount: str


@dataclass(frozen=True, slots=True)
class Worded:
    """A message in words.

    Attributes:
        opening, closing: paragraphs before and after the table. total_label, total: its last row.
        payment: where to pay, empty when nothing is to be paid. colon: stands before an amount.
    """

    subject: str
    greeting: str
    opening: tuple[str, ...]
    rows: tuple[Row, ...]
    total_label: str
    total: str
    colon: str
    payment: str
    closing: tuple[str, ...]
    regards: str


def word(
    message: ReminderMessage,
    letterhead: Letterhead,
    book: TextBook,
    accrued: Sequence[Accrued] = (),
    *,
    approved: bool = False,
) -> Worded:
    """The words of a message. `approved`: the buyer has approved all that is claimed (205). Raises NoTextError."""
    say, text = LetterSayer(message.language), book.text(message.template)
    facts = _facts(message, letterhead, book, say)
    closing = [each.filled(message.language, facts) for each in text.closing]
    if text.firmer is not None and approved:
        closing.insert(0, text.firmer.filled(message.language, facts))
    if text.law:
        closing[:0] = [_law(each, facts, message.currency, say) for each in accrued if each.interest or each.indemnity]
    if message.note:
        closing.insert(0, message.note)
    return Worded(
        subject=one_line(text.subject.filled(message.language, facts)),
        greeting=_greeting(message, say),
        opening=tuple(each.filled(message.language, facts) for each in text.opening),
        rows=tuple(_rows(message, say)),
        total_label=say.words("total" if text.claims else "total_paid"),
        total=say.money(message.total, message.currency),
        colon=say.words("colon"),
        payment=_payment(message, letterhead, say) if text.claims else "",
        closing=tuple(closing),
        regards=say.words("regards_letter" if message.channel.is_letter else "regards"),
    )


def _greeting(message: ReminderMessage, say: LetterSayer) -> str:
    """A letter speaks to whoever opens it; its address names the person."""
    if message.channel.is_letter:
        return say.words("greeting_letter")
    named = message.contact.name if message.contact else ""
    return say.words("greeting_named", contact=named) if named else say.words("greeting")


def last_day_to_pay(on: date, days: int) -> date:
    """Last day that a formal notice of `on` leaves: a working day."""
    return add_working_days(on + timedelta(days=days), 0)


def _facts(message: ReminderMessage, letterhead: Letterhead, book: TextBook, say: LetterSayer) -> dict[str, str]:
    oldest = max(message.lines, key=lambda line: line.days_late, default=None)
    suffix = "_instalments" if all(line.is_instalment for line in message.lines) else ""
    one = len(message.lines) == 1
    below = ("one" if one else "many") + (suffix.rstrip("s") if one else suffix)
    return {
        "customer": message.customer_name,
        "contact": message.contact.name if message.contact else "",
        "seller": letterhead.name,
        "total": say.money(message.total, message.currency),
        "today": say.day(message.on),
        "count": str(len(message.lines)),
        "invoices": say.words(below, count=len(message.lines)),
        "of_invoices": say.words(f"of_{below}", count=len(message.lines)),
        "oldest": oldest.number if oldest else "",
        "oldest_due": say.day(oldest.due_date) if oldest else "",
        "days_late": say.days(max(oldest.days_late, 0)) if oldest else "",
        "pay_by": say.day(last_day_to_pay(message.on, book.days_to_pay)),
        "reply_to": letterhead.reply_to or "",
    }


def _rows(message: ReminderMessage, say: LetterSayer) -> list[Row]:
    currency = message.currency
    rows = [
        Row(
            line.number,
            say.figures(line.issue_date),
            say.figures(line.due_date),
            say.days(line.days_late) if line.days_late > 0 else "",
            say.money(line.claimed, currency),
        )
        for line in message.lines
    ]
    for credit in message.credits:
        what, amount = say.words("credit", number=credit.number), say.money(credit.remaining, currency)
        rows.append(Row(what, say.figures(credit.issue_date), "", "", amount))
    if message.unallocated:
        rows.append(Row(say.words("unallocated"), "", "", "", say.money(message.unallocated, currency)))
    return rows


def _payment(message: ReminderMessage, letterhead: Letterhead, say: LetterSayer) -> str:
    if letterhead.iban is None or message.total <= 0:
        return ""
    numbers = _numbers(message.lines)
    account = " ".join(letterhead.iban[start : start + 4] for start in range(0, len(letterhead.iban), 4))
    if letterhead.bic:
        return say.words("pay_to", iban=account, bic=letterhead.bic, numbers=numbers)
    return say.words("pay_to_iban", iban=account, numbers=numbers)


def _numbers(lines: Sequence[ReminderLine]) -> str:
    """What the payer is asked to quote: a few numbers, or the first ones."""
    shown = [line.number for line in lines[:5]]
    return ", ".join(shown) + (" etc" if len(lines) > len(shown) else "")


def _law(accrued: Accrued, facts: dict[str, str], currency: str, say: LetterSayer) -> str:
    added = {"interest": say.money(accrued.interest, currency), "indemnity": say.money(accrued.indemnity, currency)}
    return say.say(words_of_law(accrued.treatment)).format(**facts, **added)
