"""A message to a customer before and after it is worded. Pure values.

Amounts are `Decimal`, VAT included; dates are legal dates (Europe/Paris).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from sqlmodel import Session

from gateway.collection.scenarios import Channel
from gateway.customers.values import Contact
from gateway.kernel.text import Language
from gateway.lifecycle.model import InvoiceRecord


@dataclass(frozen=True, slots=True)
class ReminderLine:
    """One invoice, or one instalment of a plan, that the message claims.

    Attributes:
        invoice_id: the invoice; of an instalment, the first one of its plan; of what only the books know, their line.
        number: BT-1; of an instalment, the numbers of the invoices of its plan; else the document that the books name.
        due_date: day it is or was due. days_late: days since then, 0 or negative when it is not late.
        total: what the invoice or the instalment asks for. remaining: what is left of it.
        claimed: what the message asks for: `remaining` less the disputed part; of a thank-you, what was paid.
        is_instalment: the line is an instalment of a plan. books_only: there is no invoice of it here.
    """

    invoice_id: UUID
    number: str
    seller_siren: str
    issue_date: date
    due_date: date
    days_late: int
    total: Decimal
    remaining: Decimal
    claimed: Decimal
    is_instalment: bool = False
    books_only: bool = False


@dataclass(frozen=True, slots=True)
class CreditLine:
    """A credit note, or an invoice paid twice, that the message takes off; `remaining` is negative."""

    invoice_id: UUID
    number: str
    issue_date: date
    remaining: Decimal


@dataclass(frozen=True, slots=True)
class ReminderMessage:
    """Everything the wording of one message depends on.

    Attributes:
        reminder_id: names the message for ever: a message worded again replaces none that left. None: one that is
            only foreseen.
        customer_id, customer_name: to which account. contact: to whom; None when nobody is known (a call, a task).
        language: of the message. channel: how it leaves. template: which text (`relance_1`, `mise_en_demeure`…).
        tone: rank of the tone, 0 for the friendliest.
        on: date of the message.
        lines: what is claimed, the longest due first. credits: what is taken off. unallocated: negative or nil.
        total: the lines plus the credits plus what is unallocated.
        note: words of a person for this one message, empty when there are none.
    """

    reminder_id: UUID | None
    customer_id: UUID
    customer_name: str
    contact: Contact | None
    language: Language
    channel: Channel
    template: str
    tone: int
    on: date
    currency: str
    lines: tuple[ReminderLine, ...]
    credits: tuple[CreditLine, ...]
    unallocated: Decimal
    total: Decimal
    note: str = ""


class PaperKind(StrEnum):
    """What a file of a message is; kept with it, so that nobody is shown more than they may see."""

    LETTER = "letter"
    #: Everything open on the account.
    STATEMENT = "statement"
    INVOICE = "invoice"
    #: The evidence file of an invoice: it stays with the message and is not sent.
    EVIDENCE = "evidence"


@dataclass(frozen=True, slots=True)
class Paper:
    """A file of a message that is kept nowhere yet."""

    kind: PaperKind
    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Draft:
    """A message in words and papers, of which nothing is kept.

    Attributes:
        subject, text: always; the text is what a mail reader without HTML shows, and what is said on a call.
        html: the same as a page, None for a plain message.
        papers: what goes with it; for a letter, the letter itself comes first.
        proves: invoices whose evidence files are kept with the message when it leaves.
        reply_to: e-mail address that answers go to; None: that of the sender.
    """

    subject: str
    text: str
    html: str | None = None
    papers: tuple[Paper, ...] = ()
    proves: tuple[InvoiceRecord, ...] = ()
    reply_to: str | None = None


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file of a message, kept in the document store under its sha256; `kind`: a `PaperKind`."""

    name: str
    media_type: str
    sha256: str
    kind: str


@dataclass(frozen=True, slots=True)
class ComposedMessage:
    """A message as it leaves: a `Draft` whose papers are kept, the evidence files last."""

    subject: str
    text: str
    html: str | None = None
    attachments: tuple[Attachment, ...] = ()
    reply_to: str | None = None


#: Words a message. It may read the session's organisation and write documents to the store, and is called without the
#: turn of the ledger; nothing of what it does may be felt outside when the transaction is undone.
Composer = Callable[[Session, ReminderMessage], ComposedMessage]
#: Words a message for whoever is to read it first; it writes nothing.
Drafter = Callable[[Session, ReminderMessage], Draft]
