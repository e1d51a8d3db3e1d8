"""Queries of the lifecycle. The database keeps organisations apart; a `Scope` narrows what a person sees further."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import ColumnElement, SelectBase, and_, or_, true
from sqlmodel import Session, col, select

from gateway.access.scope import Scope
from gateway.database.paging import Page, SortKey, fetch_page
from gateway.database.searching import alike, containing, held_values
from gateway.lifecycle.correlation import InvoiceKey, normalised_number
from gateway.lifecycle.errors import InvoiceNotFoundError
from gateway.lifecycle.model import Direction, InvoiceRecord, LifecycleEvent
from gateway.lifecycle.statuses import StateLine

_BATCH = 500
_BY_ISSUE_DATE = (
    SortKey(col(InvoiceRecord.issue_date), date.fromisoformat),
    SortKey(col(InvoiceRecord.id), UUID),
)


@dataclass(frozen=True, slots=True)
class InvoiceFilter:
    """What is looked for; each attribute given narrows the list.

    Attributes:
        text: part of the number, of the buyer's name or of its SIREN, in any case.
        number: the exact number (BT-1).
        buyer_siren: BT-47. seller_siren: BT-30.
        buyer_name: part of BT-44. seller_name: part of BT-27. In any case, with or without accents.
        issued_from, issued_to: bounds of the issue date (BT-2), both included.
        due_from, due_to: bounds of the due date (BT-9), both included; an invoice without one is left out.
        statuses: current status codes.
        agency_id: the agency that issued it.
        direction: receivable or payable.
        among: a query of invoice identifiers, such as those with an open alert.
    """

    text: str = ""
    number: str = ""
    buyer_siren: str = ""
    seller_siren: str = ""
    buyer_name: str = ""
    seller_name: str = ""
    issued_from: date | None = None
    issued_to: date | None = None
    due_from: date | None = None
    due_to: date | None = None
    statuses: tuple[str, ...] = ()
    agency_id: UUID | None = None
    direction: Direction | None = None
    among: SelectBase | None = None


def search_invoices(
    session: Session, scope: Scope, wanted: InvoiceFilter, *, cursor: str | None = None, limit: int = 50
) -> Page[InvoiceRecord]:
    """The invoices wanted, latest issue date first. Raises InvalidCursorError."""
    statement = select(InvoiceRecord).where(visible_invoices(scope), *_conditions(session, wanted))
    return fetch_page(session, statement, _BY_ISSUE_DATE, cursor=cursor, limit=limit, descending=True)


def visible_invoices(scope: Scope) -> ColumnElement[bool]:
    """The condition under which an invoice may be seen: by its agency, or by its customer."""
    return scope.condition(InvoiceRecord.agency_id, InvoiceRecord.buyer_siren)


def invoice_by_id(session: Session, scope: Scope, invoice_id: UUID) -> InvoiceRecord:
    """One invoice. Raises InvoiceNotFoundError, also when it lies outside the scope."""
    found = session.exec(
        select(InvoiceRecord).where(InvoiceRecord.id == invoice_id, visible_invoices(scope))
    ).one_or_none()
    if found is None:
        raise InvoiceNotFoundError(str(invoice_id))
    return found


def invoices_by_number(session: Session, scope: Scope, number: str) -> list[InvoiceRecord]:
    """Every invoice of that number (BT-1), latest first: several years, sellers or directions may share it."""
    return list(
        session.exec(
            select(InvoiceRecord)
            .where(InvoiceRecord.number == normalised_number(number), visible_invoices(scope))
            .order_by(col(InvoiceRecord.issue_date).desc(), col(InvoiceRecord.id))
        )
    )


def invoice_of_key(session: Session, direction: Direction, key: InvoiceKey) -> InvoiceRecord | None:
    """The invoice that a complete key designates."""
    return session.exec(
        select(InvoiceRecord).where(InvoiceRecord.direction == direction.value, _is_invoice(key))
    ).one_or_none()


def events_of(session: Session, invoice: InvoiceRecord) -> list[LifecycleEvent]:
    """The events that speak of an invoice (see `events_about`), in the order of their status dates."""
    key = InvoiceKey(invoice.number, invoice.seller_siren, invoice.year)
    return events_about(session, Direction(invoice.direction), key)


def events_about(session: Session, direction: Direction, key: InvoiceKey) -> list[LifecycleEvent]:
    """The events that speak of the invoice of a complete key, in the order of their status dates.

    A status without seller or year (allowed for a 501) speaks of every invoice whose key agrees with what it names;
    it counts only off the invoice line, where it can show a failed delivery but move no invoice by mistake.
    """
    named = and_(
        col(LifecycleEvent.seller_siren) == key.seller_siren,
        col(LifecycleEvent.year) == key.year,
    )
    compatible = and_(
        col(LifecycleEvent.line) != StateLine.INVOICE.value,
        col(LifecycleEvent.seller_siren).in_(("", key.seller_siren)),
        col(LifecycleEvent.year).in_((0, key.year)),
    )
    return _events(
        session,
        and_(
            col(LifecycleEvent.direction) == direction.value,
            col(LifecycleEvent.number) == key.number,
            or_(named, compatible),
        ),
    )


def events_of_key(session: Session, direction: Direction, key: InvoiceKey) -> list[LifecycleEvent]:
    """The events recorded under exactly that key, complete or not, in the order of their status dates."""
    return _events(
        session,
        and_(
            col(LifecycleEvent.direction) == direction.value,
            col(LifecycleEvent.number) == key.number,
            col(LifecycleEvent.seller_siren) == key.seller_siren,
            col(LifecycleEvent.year) == key.year,
        ),
    )


def events_after(session: Session, sequence: int, limit: int) -> list[LifecycleEvent]:
    """The events of the organisation recorded after `sequence`, at most `limit`, in the order they were recorded.

    A reader that asks again after the last sequence it got never misses one: whoever records takes its turn on the
    organisation's ledger before drawing a sequence and holds it until the commit: no lower one is still to come.
    """
    return list(
        session.exec(
            select(LifecycleEvent)
            .where(col(LifecycleEvent.sequence) > sequence)
            .order_by(col(LifecycleEvent.sequence))
            .limit(limit)
        )
    )


def event_of_fingerprint(session: Session, fingerprint: str) -> LifecycleEvent | None:
    """The event of that fingerprint."""
    return session.exec(select(LifecycleEvent).where(LifecycleEvent.fingerprint == fingerprint)).one_or_none()


def lock_invoice(session: Session, invoice_id: UUID) -> InvoiceRecord:
    """One invoice as it is now, kept from other writers until the transaction ends."""
    return session.exec(
        select(InvoiceRecord)
        .where(InvoiceRecord.id == invoice_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()


def invoice_ids(session: Session) -> Iterator[list[UUID]]:
    """Identifiers of every invoice in the organisation, batch by batch."""
    last: UUID | None = None
    while True:
        after = col(InvoiceRecord.id) > last if last else true()
        batch = list(session.exec(select(InvoiceRecord.id).where(after).order_by(col(InvoiceRecord.id)).limit(_BATCH)))
        if not batch:
            return
        yield batch
        last = batch[-1]


def _events(session: Session, condition: ColumnElement[bool]) -> list[LifecycleEvent]:
    return list(
        session.exec(
            select(LifecycleEvent)
            .where(condition)
            .order_by(col(LifecycleEvent.status_at), col(LifecycleEvent.message_at), col(LifecycleEvent.sequence))
        )
    )


def _is_invoice(key: InvoiceKey) -> ColumnElement[bool]:
    return and_(
        col(InvoiceRecord.number) == key.number,
        col(InvoiceRecord.seller_siren) == key.seller_siren,
        col(InvoiceRecord.year) == key.year,
    )


def _conditions(session: Session, wanted: InvoiceFilter) -> Iterator[ColumnElement[bool]]:
    if wanted.text.strip():
        siren = wanted.text.replace(" ", "")
        yield or_(
            containing(wanted.text, InvoiceRecord.number, InvoiceRecord.buyer_name),
            col(InvoiceRecord.buyer_siren).startswith(siren, autoescape=True),
        )
    if wanted.number:
        yield col(InvoiceRecord.number) == normalised_number(wanted.number)
    if wanted.buyer_siren:
        yield col(InvoiceRecord.buyer_siren) == wanted.buyer_siren.replace(" ", "")
    if wanted.seller_siren:
        yield col(InvoiceRecord.seller_siren) == wanted.seller_siren.replace(" ", "")
    for name, column in (
        (wanted.buyer_name, InvoiceRecord.buyer_name),
        (wanted.seller_name, InvoiceRecord.seller_name),
    ):
        if name.strip():
            yield col(column).in_(alike(name, held_values(session, column)))
    if wanted.issued_from is not None:
        yield col(InvoiceRecord.issue_date) >= wanted.issued_from
    if wanted.issued_to is not None:
        yield col(InvoiceRecord.issue_date) <= wanted.issued_to
    if wanted.due_from is not None:
        yield col(InvoiceRecord.due_date) >= wanted.due_from
    if wanted.due_to is not None:
        yield col(InvoiceRecord.due_date) <= wanted.due_to
    if wanted.statuses:
        yield col(InvoiceRecord.status).in_(wanted.statuses)
    if wanted.agency_id is not None:
        yield col(InvoiceRecord.agency_id) == wanted.agency_id
    if wanted.direction is not None:
        yield col(InvoiceRecord.direction) == wanted.direction.value
    if wanted.among is not None:
        yield col(InvoiceRecord.id).in_(wanted.among)
