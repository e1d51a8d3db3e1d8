"""The hand-over file: one zip with all that a lawyer, a bailiff or an agency needs, written piece by piece.

factures/ and avoirs/: the original documents, beside each XML one its readable PDF; relances/: what was sent, with its
letters; preuves/: the evidence file of each invoice, which proves itself; penalites.json: the sheets; index.html:
statement, sheets, timelines, reminders and the list of the pieces with their sha256. A piece that is gone or cannot be
made is named in the index; nothing is left out silently.
"""

import hashlib
import json
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import IO, Any
from uuid import UUID

from jinja2 import Environment, PackageLoader, StrictUndefined
from sqlmodel import Session, col, func, select

from gateway.access.scope import Scope
from gateway.collection.agreements.money_rows import owed_of
from gateway.collection.evidence import EvidenceOf
from gateway.collection.law import repository
from gateway.collection.law.claiming import kept_sheet
from gateway.collection.law.context import LawContext
from gateway.collection.law.model import HandOver
from gateway.collection.law.positions import PenaltyPosition, positions_of
from gateway.collection.model import Reminder, ReminderState
from gateway.collection.reminder_rows import lines_about
from gateway.customers.model import Customer
from gateway.invoices.printing import render_pdf
from gateway.invoices.reading import read_invoice
from gateway.kernel.clock import paris_date
from gateway.kernel.errors import GatewayError
from gateway.kernel.money import ZERO
from gateway.kernel.sayer import FRENCH
from gateway.ledger.documents import DocumentStore
from gateway.lifecycle.links import corrections_of
from gateway.lifecycle.model import InvoiceRecord
from gateway.lifecycle.records import key_of_invoice
from gateway.lifecycle.statuses import status
from gateway.lifecycle.story import story_of
from gateway.lifecycle.timeline import timeline_of

_ZIP_DATE = (1980, 1, 1, 0, 0, 0)
_PDF = b"%PDF"


@dataclass(slots=True)
class _Pieces:
    """The zip being written: each piece is forgotten once it is in, but for its name and sha256."""

    archive: zipfile.ZipFile
    files: list[tuple[str, str]] = field(default_factory=list)
    absent: list[tuple[str, str]] = field(default_factory=list)

    def add(self, wanted: str, data: bytes) -> None:
        """Two invoices of one number make two files."""
        stem, dot, ending = wanted.rpartition(".")
        taken, number, name = {each for each, _ in self.files}, 1, wanted
        while name in taken:
            number += 1
            name = f"{stem}-{number}{dot}{ending}"
        self.archive.writestr(zipfile.ZipInfo(name, _ZIP_DATE), data, zipfile.ZIP_DEFLATED)
        self.files.append((name, hashlib.sha256(data).hexdigest()))

    def miss(self, name: str, error: GatewayError) -> None:
        self.absent.append((name, error.what.on_page("fr")))


def write_dossier(
    output: IO[bytes],
    session: Session,
    scope: Scope,
    row: HandOver,
    parts: LawContext,
    evidence_of: EvidenceOf,
    now: datetime,
) -> None:
    """Write the zip of a hand-over, with the invoices in scope, into a file that can be written in one go."""
    store = parts.store
    today = paris_date(now)
    customer = session.get_one(Customer, row.customer_id)
    invoices = repository.invoices_of_hand_over(session, scope, row.id)
    credits = _credits_of(session, scope, invoices)
    positions = positions_of(session, invoices, today, parts.law)
    reminders = _reminders_of(session, [invoice.id for invoice in invoices])
    with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as archive:
        pieces = _Pieces(archive)
        for folder, each in (*(("factures", one) for one in invoices), *(("avoirs", one) for one in credits)):
            _add_document(pieces, parts, folder, _safe(each.number), each.document_sha256)
        for reminder, numbers in reminders:
            _add_reminder(pieces, store, reminder, numbers)
        for invoice in invoices:
            name = f"preuves/{_safe(invoice.number)}.zip"
            try:
                pieces.add(name, evidence_of(invoice))
            except GatewayError as error:
                pieces.miss(name, error)
        sheets = [{"number": each.invoice.number, "law": each.law, **kept_sheet(each)} for each in positions]
        pieces.add("penalites.json", json.dumps(sheets, ensure_ascii=False, indent=1).encode())
        told = {
            "customer": customer,
            "handed_on": FRENCH.figures(row.handed_on),
            "handed_to": row.handed_to,
            "reference": row.reference,
            "comment": row.comment,
            "today": FRENCH.figures(today),
            "invoices": list(_told_invoices(session, positions, now)),
            "credits": [_told_credit(session, each) for each in credits],
            "totals": _totals(session, positions),
            "reminders": [_told_reminder(reminder, numbers) for reminder, numbers in reminders],
            "files": sorted(pieces.files),
            "absent": pieces.absent,
        }
        pieces.add("index.html", _environment().get_template("dossier.html").render(**told).encode())


def dossier_name(customer: Customer, row: HandOver) -> str:
    """What to call the file."""
    return f"contentieux-{_safe(customer.siren or customer.name)}-{row.handed_on}.zip"


def _credits_of(session: Session, scope: Scope, invoices: Sequence[InvoiceRecord]) -> list[InvoiceRecord]:
    ids = {link.invoice_id for invoice in invoices for link in corrections_of(session, scope, invoice)}
    rows = session.exec(
        select(InvoiceRecord)
        .where(col(InvoiceRecord.id) == func.any([each for each in ids if each]), InvoiceRecord.total_with_vat < 0)
        .order_by(col(InvoiceRecord.issue_date), col(InvoiceRecord.number))
    )
    return list(rows)


def _reminders_of(session: Session, ids: Sequence[UUID]) -> list[tuple[Reminder, list[str]]]:
    """What was sent about these invoices, with their numbers, the oldest first."""
    about = lines_about(ids)
    rows = session.exec(
        select(Reminder, about.c.number)
        .join(about, about.c.reminder_id == Reminder.id)
        .where(Reminder.state == ReminderState.SENT.value)
        .order_by(col(Reminder.decided_at), col(Reminder.id), about.c.position)
    )
    found: dict[UUID, tuple[Reminder, list[str]]] = {}
    for reminder, number in rows:
        found.setdefault(reminder.id, (reminder, []))[1].append(number)
    return list(found.values())


def _add_document(pieces: _Pieces, parts: LawContext, folder: str, name: str, sha256: str) -> None:
    """The document as it was sent and, unless that is a PDF, the same invoice laid out to be read."""
    try:
        data = parts.store.get(sha256)
    except GatewayError as error:
        pieces.miss(f"{folder}/{name}", error)
        return
    if data.startswith(_PDF):
        pieces.add(f"{folder}/{name}.pdf", data)
        return
    pieces.add(f"{folder}/{name}.xml", data)
    try:
        page = render_pdf(read_invoice(data, parts.limits).invoice)
    except GatewayError as error:
        pieces.miss(f"{folder}/{name}.pdf", error)
    else:
        pieces.add(f"{folder}/{name}.pdf", page)


def _add_reminder(pieces: _Pieces, store: DocumentStore, reminder: Reminder, numbers: Sequence[str]) -> None:
    """What was sent, word by word, with its letters and attachments."""
    folder = (
        f"relances/{paris_date(reminder.sent_at or reminder.decided_at)}-{_safe(reminder.step)}-{reminder.id.hex[:8]}"
    )
    sent = {
        "channel": reminder.channel,
        "contact": reminder.contact,
        "sent_at": reminder.sent_at.isoformat() if reminder.sent_at else None,
        "invoices": numbers,
        "total": str(reminder.total),
        "subject": reminder.subject,
        "text": reminder.text,
        "documents": reminder.documents,
        "outcome": reminder.outcome_fr,
    }
    pieces.add(f"{folder}/envoi.json", json.dumps(sent, ensure_ascii=False, indent=1).encode())
    for document in reminder.documents:
        name = f"{folder}/{_safe(document['name'], keep='.')}"
        try:
            pieces.add(name, store.get(document["sha256"]))
        except GatewayError as error:
            pieces.miss(name, error)


def _told_invoices(session: Session, positions: Sequence[PenaltyPosition], now: datetime) -> Iterator[dict[str, Any]]:
    owed = owed_of(session, [each.invoice.id for each in positions])
    for position in positions:
        invoice, currency = position.invoice, position.invoice.currency
        timeline = timeline_of(session, Scope.everything(), invoice, now)
        story = story_of(timeline, f"invoice:{key_of_invoice(invoice)}", "fr")
        yield {
            "number": invoice.number,
            "issued": FRENCH.figures(invoice.issue_date),
            "due": FRENCH.figures(position.late.due_date),
            "status": status(invoice.status).label.fr if invoice.status else "",
            "total": FRENCH.money(invoice.amount_due, currency),
            "remaining": FRENCH.money(owed[invoice.id].amount if invoice.id in owed else ZERO, currency),
            "interest": FRENCH.money(position.sheet.total, currency),
            "indemnity": FRENCH.money(position.indemnity.amount, position.indemnity.currency),
            "law": position.law,
            "story": story.happenings,
            "lines": [
                {
                    "first": FRENCH.figures(line.first),
                    "last": FRENCH.figures(line.last),
                    "days": line.days,
                    "base": FRENCH.money(line.base, currency),
                    "percent": str(line.percent).replace(".", ","),
                    "amount": f"{line.amount:.4f}".replace(".", ","),
                    "provisional": line.provisional,
                }
                for line in position.sheet.lines
            ],
        }


def _told_credit(session: Session, credit: InvoiceRecord) -> dict[str, str]:
    owed = owed_of(session, [credit.id]).get(credit.id)
    return {
        "number": credit.number,
        "issued": FRENCH.figures(credit.issue_date),
        "status": status(credit.status).label.fr if credit.status else "",
        "total": FRENCH.money(credit.amount_due, credit.currency),
        "remaining": FRENCH.money(owed.amount if owed else ZERO, credit.currency),
    }


def _totals(session: Session, positions: Sequence[PenaltyPosition]) -> list[dict[str, str]]:
    """What the invoices leave to pay, the interest and the indemnities, each currency apart."""
    owed = owed_of(session, [each.invoice.id for each in positions])
    sums: dict[str, list[Decimal]] = {}
    for each in positions:
        left = owed[each.invoice.id].amount if each.invoice.id in owed else ZERO
        row = sums.setdefault(each.invoice.currency, [ZERO, ZERO, ZERO])
        row[0], row[1] = row[0] + left, row[1] + each.sheet.total
        sums.setdefault(each.indemnity.currency, [ZERO, ZERO, ZERO])[2] += each.indemnity.amount
    return [
        {
            "currency": currency,
            "remaining": FRENCH.money(left, currency),
            "interest": FRENCH.money(interest, currency),
            "indemnity": FRENCH.money(indemnity, currency),
        }
        for currency, (left, interest, indemnity) in sorted(sums.items())
    ]


def _told_reminder(reminder: Reminder, numbers: Sequence[str]) -> dict[str, str]:
    contact = reminder.contact or {}
    return {
        "sent": FRENCH.figures(paris_date(reminder.sent_at or reminder.decided_at)),
        "title": reminder.title_fr,
        "channel": reminder.channel,
        "contact": " ".join(str(contact[name]) for name in ("name", "email") if contact.get(name)),
        "numbers": ", ".join(numbers),
    }


def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("gateway.collection.law"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )


def _safe(name: str, keep: str = "") -> str:
    """A name that is one path element everywhere."""
    return "".join(c if c.isalnum() or c in "-_" + keep else "_" for c in name).lstrip(".") or "_"
