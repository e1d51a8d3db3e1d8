"""What agreements may name, and what is left to pay of it: invoices, and what only the books know."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlmodel import Session

from gateway.access.scope import Scope
from gateway.collection.agreements.money import Money
from gateway.collection.agreements.money_rows import Owed, money_of, open_invoices_of, owed_of
from gateway.collection.agreements.naming import Named
from gateway.collection.books import numbers_known
from gateway.lifecycle.correlation import InvoiceKey
from gateway.lifecycle.model import InvoiceRecord
from gateway.lifecycle.records import key_of_invoice
from gateway.treasury.accounting.opening_rows import BookedLine, Opening, booked_lines, openings


@dataclass(frozen=True, slots=True)
class Owing:
    """An invoice, or what only the books know, and what is left to pay of it: nothing once closed or settled.

    Attributes:
        item_id: of the invoice, else of the line of the books.
        key: what identifies it in alerts. number: BT-1, or the document that the books name.
        invoice: None of what only the books know.
        unsure: the books name no document, or that of an invoice known here: only a person names it.
    """

    item_id: UUID
    key: InvoiceKey
    number: str
    currency: str
    amount: Decimal
    invoice: InvoiceRecord | None = None
    unsure: bool = False

    @property
    def agency_id(self) -> UUID | None:
        """Ours; the books name none."""
        return self.invoice.agency_id if self.invoice else None

    @property
    def columns(self) -> dict[str, UUID]:
        """How an agreement names it in its table."""
        return {"invoice_id" if self.invoice else "entry_id": self.item_id}

    @classmethod
    def of(cls, owed: Owed) -> "Owing":
        """An invoice."""
        invoice = owed.invoice
        return cls(invoice.id, key_of_invoice(invoice), invoice.number, invoice.currency, owed.amount, invoice)


def open_to(session: Session, scope: Scope, customer_id: UUID, currency: str, today: date) -> list[Owing]:
    """What a customer owes in one currency, of what may be seen: its open invoices, then what only the books know.

    Of each the first due first; no credits.
    """
    invoices = [Owing.of(each) for each in open_invoices_of(session, scope, customer_id, currency)]
    known = [
        each for each in openings(session, scope, today, [customer_id]) if each.left > 0 and each.currency == currency
    ]
    numbers = numbers_known(session, known)
    known.sort(key=lambda each: (each.due_date, each.number, each.entry_id))
    return [*invoices, *(_of_opening(each, unsure=not each.number or each.number in numbers) for each in known)]


def named_facts(owing: Iterable[Owing]) -> dict[str, list[str]]:
    """What the ledger keeps of what an agreement names. Pure."""
    every = list(owing)
    return {
        "invoices": [str(each.item_id) for each in every if each.invoice],
        "entries": [str(each.item_id) for each in every if not each.invoice],
    }


def owing_of(session: Session, named: Iterable[Named]) -> dict[UUID, Owing]:
    """What is left to pay of what agreements name."""
    invoice_ids, entry_ids = _apart(named)
    found = {key: Owing.of(each) for key, each in owed_of(session, invoice_ids).items()}
    return found | {key: _of_line(each) for key, each in booked_lines(session, entry_ids).items()}


def money_for(session: Session, named: Iterable[Named]) -> list[Money]:
    """All that came in for it, each amount once: receipts, statuses 212, and payments that only the books know."""
    invoice_ids, entry_ids = _apart(named)
    return [*money_of(session, invoice_ids), *_booked_money(booked_lines(session, entry_ids).values())]


def _apart(named: Iterable[Named]) -> tuple[set[UUID], set[UUID]]:
    """Invoices, and the lines of the books that are none here."""
    every = set(named)
    books_only = {each.item_id for each in every if each.item_id == each.entry_id}
    return {each.item_id for each in every} - books_only, books_only


def _booked_money(lines: Collection[BookedLine]) -> Iterator[Money]:
    for line in lines:
        for told in line.money:
            yield Money(line.entry.id, told.on, told.known_at, told.amount)


def _of_line(line: BookedLine) -> Owing:
    entry = line.entry
    number = entry.piece or f"{entry.journal} {entry.number}"
    return Owing(entry.id, InvoiceKey(number, line.seller_siren, entry.day.year), number, line.currency, line.left)


def _of_opening(opening: Opening, *, unsure: bool) -> Owing:
    key = InvoiceKey(opening.number, opening.seller_siren, opening.day.year)
    return Owing(opening.entry_id, key, opening.number, opening.currency, opening.left, unsure=unsure)
