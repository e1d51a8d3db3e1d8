"""Words a message with all that goes with it: letter, statement, the invoices it claims, the files that prove them."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

import structlog
from sqlmodel import Session, col, select

from gateway.collection.account_rows import accounts_of
from gateway.collection.evidence import EvidenceOf
from gateway.collection.law.model import Treatment
from gateway.collection.law.positions import PenaltyPosition, positions_of
from gateway.collection.law.statute import Statute
from gateway.collection.messages.keeping import letterhead_in_force, texts_in_force
from gateway.collection.messages.letterhead import Letterhead
from gateway.collection.messages.printing import html_page, letter_pdf, plain_text, spoken_text, statement_pdf
from gateway.collection.messages.texts import LetterSayer
from gateway.collection.messages.values import (
    Attachment,
    ComposedMessage,
    Draft,
    Paper,
    PaperKind,
    ReminderMessage,
)
from gateway.collection.messages.wording import Accrued, Worded, word
from gateway.collection.scenarios import Channel
from gateway.invoices.errors import UnreadableInvoiceError
from gateway.invoices.limits import ReadingLimits
from gateway.invoices.printing import render_pdf
from gateway.invoices.reading import read_invoice
from gateway.kernel.clock import Clock
from gateway.kernel.money import ZERO
from gateway.kernel.text import Language, Text
from gateway.ledger.documents import DocumentStore, keep_documents
from gateway.ledger.errors import DocumentDamagedError, DocumentMissingError
from gateway.lifecycle.model import InvoiceRecord

_PDF, _ZIP = "application/pdf", "application/zip"
_APPROVED = "205"
_LETTER, _STATEMENT = Text("Lettre", "Letter"), Text("Relevé de compte", "Statement of account")
_EVIDENCE = Text("Dossier de preuve", "Evidence file")
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class MessageComposer:
    """Words the messages of any organisation.

    Attributes:
        law: reads what penalties rest on.
        evidence: makes the evidence files that are kept with a formal notice.
        most_bytes: of the invoices attached to one message; with more, the statement goes alone, as the message says.
        most_invoices: the same by their number.
    """

    store: DocumentStore
    clock: Clock
    limits: ReadingLimits
    law: Callable[[], Statute]
    evidence: Callable[[Session, Language], EvidenceOf]
    most_bytes: int
    most_invoices: int

    def __call__(self, session: Session, message: ReminderMessage) -> ComposedMessage:
        """The message as it leaves; what goes with it is kept in the document store.

        Raises NoTextError; and what `evidence` raises: a formal notice does not leave without its proof.
        """
        draft = self.draft(session, message)
        papers = [*draft.papers, *self._proofs(session, draft.proves, message.language)]
        kept = keep_documents(session, self.store, [(each.content, each.media_type) for each in papers], self.clock())
        return ComposedMessage(
            subject=draft.subject,
            text=draft.text,
            html=draft.html,
            attachments=tuple(
                Attachment(each.name, each.media_type, sha256, each.kind.value)
                for each, sha256 in zip(papers, kept, strict=True)
            ),
            reply_to=draft.reply_to,
        )

    def draft(self, session: Session, message: ReminderMessage) -> Draft:
        """The same message, of which nothing is kept. Raises NoTextError."""
        letterhead, book = letterhead_in_force(session), texts_in_force(session, self.clock())
        text = book.text(message.template)
        invoices = _invoices(session, message)
        books = any(line.books_only for line in message.lines)
        approved = bool(invoices) and not books and all(invoice.status == _APPROVED for invoice in invoices)
        accrued: list[Accrued] = []
        if text.law:
            accrued = _accrued(positions_of(session, invoices, message.on, self.law()))
        worded = word(message, letterhead, book, accrued, approved=approved)
        if message.channel is Channel.SMS_HOOK:
            return Draft(worded.subject, _short(worded, letterhead))
        if not message.channel.is_written:
            return Draft(worded.subject, spoken_text(worded))
        papers: list[Paper] = []
        if text.claims:
            printed = self._invoices(invoices, message.language)
            complete = len(printed) == len(invoices) and bool(printed)
            said = ("attached_known" if books else "attached") if complete else "attached_statement"
            worded = replace(worded, closing=(*worded.closing, LetterSayer(message.language).words(said)))
            papers = [*self._statement(session, message, letterhead), *printed]
        if message.channel.is_letter:
            letter = letter_pdf(message, worded, letterhead)
            papers.insert(0, _pdf(PaperKind.LETTER, _LETTER.in_language(message.language), letter))
        return Draft(
            subject=worded.subject,
            text=plain_text(worded, letterhead),
            html=html_page(worded, letterhead, message.language),
            papers=tuple(papers),
            proves=tuple(invoices) if text.evidence else (),
            reply_to=letterhead.reply_to,
        )

    def _statement(self, session: Session, message: ReminderMessage, letterhead: Letterhead) -> Iterator[Paper]:
        for account in accounts_of(session, [message.customer_id], self.clock()):
            if account.currency == message.currency:
                page = statement_pdf(account, letterhead, message.language, message.on)
                yield _pdf(PaperKind.STATEMENT, _STATEMENT.in_language(message.language), page)

    def _invoices(self, invoices: Sequence[InvoiceRecord], language: Language) -> list[Paper]:
        """The readable PDF of each invoice; none of them when they are too many or too large together."""
        if len(invoices) > self.most_invoices:
            return []
        pages: dict[str, bytes] = {}
        for invoice in invoices:
            page = self._readable(invoice, language)
            if page is not None:
                pages[_named(invoice)] = page
            if sum(map(len, pages.values())) > self.most_bytes:
                return []
        return [_pdf(PaperKind.INVOICE, name, page) for name, page in pages.items()]

    def _readable(self, invoice: InvoiceRecord, language: Language) -> bytes | None:
        """What a person reads: the Factur-X as it was sent, else the invoice laid out; None without its file."""
        try:
            data = self.store.get(invoice.document_sha256)
            return (
                data if invoice.syntax == "Factur-X" else render_pdf(read_invoice(data, self.limits).invoice, language)
            )
        except (DocumentMissingError, DocumentDamagedError, UnreadableInvoiceError) as error:
            _log.warning("invoice_not_attached", invoice=str(invoice.id), reason=str(error))
            return None

    def _proofs(self, session: Session, invoices: Sequence[InvoiceRecord], language: Language) -> list[Paper]:
        """The evidence file of each invoice."""
        if not invoices:
            return []
        name, evidence_of = _EVIDENCE.in_language(language), self.evidence(session, language)
        return [Paper(PaperKind.EVIDENCE, f"{name} {_named(each)}.zip", _ZIP, evidence_of(each)) for each in invoices]


def _pdf(kind: PaperKind, name: str, page: bytes) -> Paper:
    return Paper(kind, f"{name}.pdf", _PDF, page)


def _named(invoice: InvoiceRecord) -> str:
    """The number of an invoice as a file name."""
    return re.sub(r"[^0-9A-Za-z._-]+", "_", invoice.number)


def _invoices(session: Session, message: ReminderMessage) -> list[InvoiceRecord]:
    """The invoices that the message claims, in its order."""
    wanted = list(dict.fromkeys(line.invoice_id for line in message.lines))
    found = {row.id: row for row in session.exec(select(InvoiceRecord).where(col(InvoiceRecord.id).in_(wanted)))}
    return [found[each] for each in wanted if each in found]


def _accrued(positions: Iterable[PenaltyPosition]) -> list[Accrued]:
    """What the law adds, by what becomes of it; what was given up is not said. Pure."""
    sums: dict[str, tuple[Decimal, Decimal]] = {}
    for each in positions:
        if each.treatment is not Treatment.WAIVED:
            interest, indemnity = sums.get(each.treatment.value, (ZERO, ZERO))
            sums[each.treatment.value] = (interest + each.sheet.total, indemnity + each.indemnity.amount)
    return [Accrued(treatment, *sums[treatment]) for treatment in sorted(sums)]


def _short(worded: Worded, letterhead: Letterhead) -> str:
    """What a text message says."""
    return f"{letterhead.name} : {worded.subject}. {worded.payment}".strip()
