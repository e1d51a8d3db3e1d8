"""What a writer has at hand of some invoices: read at once, kept current in memory, written at once.

So a batch of messages costs a few statements, and not a few for each. It is the same as if each were recorded alone.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import date, datetime
from uuid import UUID

from sqlmodel import Session, col, select

from gateway.ledger.service import append, take_turn
from gateway.lifecycle.correlation import InvoiceKey
from gateway.lifecycle.events import StatusEvent
from gateway.lifecycle.events_proof import RECORDED, entry_content
from gateway.lifecycle.links import references_of
from gateway.lifecycle.model import Direction, InvoiceRecord, LifecycleEvent
from gateway.lifecycle.records import key_of_event, key_of_invoice, status_event
from gateway.lifecycle.statuses import StateLine

_DIRECTIONS = [direction.value for direction in Direction]


class Following:
    """The invoices of some numbers (BT-1, normalised), locked, and the events about them.

    The turn on the ledger is taken before they are read and held to the end of the transaction: nobody else writes
    them meanwhile. What is added shows here at once, and in the database once it is written.
    """

    def __init__(self, session: Session, numbers: Iterable[str]) -> None:
        """`numbers`: of every invoice that will be asked for; "" for events that name none."""
        take_turn(session)
        wanted = sorted(set(numbers))
        self._session = session
        self._invoices: dict[str, list[InvoiceRecord]] = defaultdict(list)
        self._events: dict[str, list[LifecycleEvent]] = defaultdict(list)
        self._read: dict[UUID, StatusEvent] = {}
        self._new_invoices: list[tuple[InvoiceRecord, list[tuple[str, date | None]]]] = []
        self._new_events: list[LifecycleEvent] = []
        if not wanted:
            return
        for invoice in session.exec(
            select(InvoiceRecord)
            .where(col(InvoiceRecord.direction).in_(_DIRECTIONS), col(InvoiceRecord.number).in_(wanted))
            .order_by(col(InvoiceRecord.id))
            .with_for_update()
            .execution_options(populate_existing=True)
        ):
            self._invoices[invoice.number].append(invoice)
        for row in session.exec(
            select(LifecycleEvent)
            .where(col(LifecycleEvent.direction).in_(_DIRECTIONS), col(LifecycleEvent.number).in_(wanted))
            .order_by(col(LifecycleEvent.status_at), col(LifecycleEvent.message_at), col(LifecycleEvent.sequence))
        ):
            self._events[row.number].append(row)

    def invoice_of(self, direction: Direction, key: InvoiceKey) -> InvoiceRecord | None:
        """The invoice that a complete key designates."""
        return next((each for each in self._of(direction, key.number) if key_of_invoice(each) == key), None)

    def spoken_of(self, direction: Direction, key: InvoiceKey, line: StateLine) -> list[InvoiceRecord]:
        """The invoices that an event of that key and line speaks of (see `events_about`)."""
        if key.is_complete:
            found = self.invoice_of(direction, key)
            return [found] if found else []
        if line is StateLine.INVOICE or not key.number:
            return []
        return [
            each
            for each in self._of(direction, key.number)
            if key.seller_siren in ("", each.seller_siren) and key.year in (0, each.year)
        ]

    def events_about(self, direction: Direction, key: InvoiceKey) -> list[LifecycleEvent]:
        """As `repository.events_about`: off the invoice line an incomplete key speaks of each invoice that agrees."""

        def agrees(row: LifecycleEvent) -> bool:
            if (row.seller_siren, row.year) == (key.seller_siren, key.year):
                return True
            return (
                row.line != StateLine.INVOICE
                and row.seller_siren in ("", key.seller_siren)
                and row.year in (0, key.year)
            )

        return self._events_where(direction, key.number, agrees)

    def events_of_key(self, direction: Direction, key: InvoiceKey) -> list[LifecycleEvent]:
        """The events recorded under exactly that key, complete or not."""
        return self._events_where(direction, key.number, lambda row: key_of_event(row) == key)

    def event_of(self, event: StatusEvent) -> LifecycleEvent | None:
        """The event as it was recorded before; its fingerprint covers its key."""
        return next((row for row in self._events[event.key.number] if row.fingerprint == event.fingerprint), None)

    def read(self, row: LifecycleEvent) -> StatusEvent:
        """The event of a row, as the pure rules read it."""
        known = self._read.get(row.id)
        if known is None:
            known = self._read[row.id] = status_event(row)
        return known

    def add_invoice(self, invoice: InvoiceRecord, preceding: Iterable[tuple[str, date | None]]) -> None:
        """A new invoice; `preceding`: BT-25 and BT-26 of each BG-3."""
        self._invoices[invoice.number].append(invoice)
        self._new_invoices.append((invoice, list(preceding)))

    def add_event(self, row: LifecycleEvent) -> None:
        """A new event."""
        self._events[row.number].append(row)
        self._new_events.append(row)

    def numbers_by_id(self) -> dict[UUID, str]:
        """The invoice number of every invoice and of every event at hand, by their identifiers."""
        invoices = {each.id: number for number, rows in self._invoices.items() for each in rows}
        return invoices | {each.id: number for number, rows in self._events.items() for each in rows}

    def write(self, now: datetime) -> None:
        """Write what was added and changed, the ledger's entry of each new event included."""
        self._session.add_all(invoice for invoice, _ in self._new_invoices)
        self._session.add_all(self._new_events)
        self._session.flush()  # draws the place of each event in the feed, which its entry states
        for invoice, preceding in self._new_invoices:
            self._session.add_all(references_of(invoice, preceding))
        for row in self._new_events:
            append(
                self._session,
                at=now,
                kind=RECORDED,
                subject=f"invoice:{key_of_event(row)}",
                content=entry_content(row),
                documents=[row.document_sha256] if row.document_sha256 else [],
            )
        self._new_invoices, self._new_events = [], []

    def _of(self, direction: Direction, number: str) -> list[InvoiceRecord]:
        return [each for each in self._invoices[number] if each.direction == direction]

    def _events_where(
        self, direction: Direction, number: str, agrees: Callable[[LifecycleEvent], bool]
    ) -> list[LifecycleEvent]:
        return [row for row in self._events[number] if row.direction == direction and agrees(row)]
