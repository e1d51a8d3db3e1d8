"""Queries of customers. The database keeps organisations apart; a `Scope` narrows what a person sees further."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import cast
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, true
from sqlmodel import Session, col, select

from gateway.access.scope import Scope
from gateway.customers.credit import Cover
from gateway.customers.errors import CustomerNotFoundError
from gateway.customers.model import Customer, CustomerContact, CustomerCover, CustomerInvoice, CustomerNote
from gateway.customers.values import Contact, ContactRole, CustomerFacts
from gateway.database.ordering import dictionary_order
from gateway.database.paging import Page, SortKey, fetch_page
from gateway.database.searching import containing
from gateway.kernel.text import Language
from gateway.lifecycle.model import InvoiceRecord
from gateway.lifecycle.repository import visible_invoices

_BY_NAME = (SortKey(dictionary_order(Customer.name), str), SortKey(col(Customer.id), UUID))


@dataclass(frozen=True, slots=True)
class CustomerFilter:
    """What is looked for; each attribute given narrows the list.

    Attributes:
        text: part of the name, of the key or of the group's name, in any case.
        segment, collector_id: as stored.
        key_accounts_only: those marked as key accounts.
    """

    text: str = ""
    segment: str = ""
    collector_id: UUID | None = None
    key_accounts_only: bool = False


def visible_customers(scope: Scope) -> ColumnElement[bool]:
    """The condition under which a customer may be seen: a key account of the person, or one with a visible invoice."""
    if scope.is_everything:
        return true()
    invoiced = (
        select(CustomerInvoice.customer_id)
        .join(InvoiceRecord, col(InvoiceRecord.id) == CustomerInvoice.invoice_id)
        .where(visible_invoices(scope))
    )
    return or_(col(Customer.siren).in_(scope.key_accounts), col(Customer.id).in_(invoiced))


def customers_page(
    session: Session, scope: Scope, wanted: CustomerFilter, *, cursor: str | None = None, limit: int = 50
) -> Page[Customer]:
    """The customers wanted, by name as a dictionary sorts them. Raises InvalidCursorError."""
    statement = select(Customer).where(visible_customers(scope))
    if wanted.text.strip():
        statement = statement.where(containing(wanted.text, Customer.name, Customer.key, Customer.group_name))
    if wanted.segment:
        statement = statement.where(Customer.segment == wanted.segment)
    if wanted.collector_id is not None:
        statement = statement.where(Customer.collector_id == wanted.collector_id)
    if wanted.key_accounts_only:
        statement = statement.where(col(Customer.is_key_account))
    return fetch_page(session, statement, _BY_NAME, cursor=cursor, limit=limit)


def find_customer(session: Session, scope: Scope, named: str) -> Customer:
    """The customer of an identifier, of a key, or of a SIREN. Raises CustomerNotFoundError, also outside the scope."""
    named_so: ColumnElement[bool]
    try:
        named_so = col(Customer.id) == UUID(named)
    except ValueError:
        named_so = col(Customer.key).in_((named, f"siren:{named}"))
    found = session.exec(select(Customer).where(named_so, visible_customers(scope))).one_or_none()
    if found is None:
        raise CustomerNotFoundError(named)
    return found


def lock_customer(session: Session, customer_id: UUID) -> Customer:
    """One customer as it is now, kept from other writers until the transaction ends; take the ledger's turn first."""
    found = session.exec(
        select(Customer)
        .where(Customer.id == customer_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if found is None:
        raise CustomerNotFoundError(str(customer_id))
    return found


def customers_by_key(session: Session, keys: Collection[str]) -> dict[str, Customer]:
    """The customers of these keys."""
    rows = session.exec(select(Customer).where(col(Customer.key) == func.any(list(keys)))) if keys else ()
    return {row.key: row for row in rows}


def customers_by_id(session: Session, customer_ids: Iterable[UUID | None]) -> dict[UUID, Customer]:
    """The customers behind identifiers, for lists that show their name."""
    wanted = list({each for each in customer_ids if each})
    rows = session.exec(select(Customer).where(col(Customer.id) == func.any(wanted))).all() if wanted else ()
    return {row.id: row for row in rows}


def customers_of_invoices(session: Session, invoice_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """The customer of each invoice."""
    rows = session.exec(
        select(CustomerInvoice.invoice_id, CustomerInvoice.customer_id).where(
            col(CustomerInvoice.invoice_id) == func.any(list(invoice_ids))
        )
    )
    return dict(rows.all())


def contact_rows(session: Session, customer_ids: Collection[UUID] | None = None) -> dict[UUID, list[CustomerContact]]:
    """The contacts of these customers, of all when None, in the order they were given."""
    statement = select(CustomerContact).order_by(col(CustomerContact.created_at), col(CustomerContact.id))
    if customer_ids is not None:
        statement = statement.where(col(CustomerContact.customer_id) == func.any(list(customer_ids)))
    found: dict[UUID, list[CustomerContact]] = {}
    for row in session.exec(statement):
        found.setdefault(row.customer_id, []).append(row)
    return found


def cover_rows(session: Session, customer_ids: Collection[UUID]) -> dict[UUID, list[CustomerCover]]:
    """The insurers' covers of these customers, past ones too, the oldest first."""
    found: dict[UUID, list[CustomerCover]] = {}
    for row in session.exec(
        select(CustomerCover)
        .where(col(CustomerCover.customer_id) == func.any(list(customer_ids)))
        .order_by(col(CustomerCover.valid_from), col(CustomerCover.id))
    ):
        found.setdefault(row.customer_id, []).append(row)
    return found


def covers_of(session: Session, customer_ids: Collection[UUID]) -> dict[UUID, list[Cover]]:
    """The same as plain values."""
    return {
        customer_id: [plain_cover(row) for row in rows]
        for customer_id, rows in cover_rows(session, customer_ids).items()
    }


def plain_cover(row: CustomerCover) -> Cover:
    """A row as a plain value. Pure."""
    return Cover(row.id, row.insurer, row.reference, row.amount, row.currency, row.valid_from, row.valid_until)


def notes_of(session: Session, customer_id: UUID, limit: int = 100) -> list[CustomerNote]:
    """The latest notes on a customer, the latest first."""
    return list(
        session.exec(
            select(CustomerNote)
            .where(CustomerNote.customer_id == customer_id)
            .order_by(col(CustomerNote.at).desc(), col(CustomerNote.id))
            .limit(limit)
        )
    )


def facts_of(session: Session, customer_ids: Collection[UUID] | None = None) -> dict[UUID, CustomerFacts]:
    """What is known of these customers, of all when None, whatever their number in two statements."""
    statement = select(Customer)
    if customer_ids is not None:
        statement = statement.where(col(Customer.id) == func.any(list(customer_ids)))
    contacts = contact_rows(session, customer_ids)
    return {row.id: facts(row, contacts.get(row.id, ())) for row in session.exec(statement)}


def facts(row: Customer, contacts: Iterable[CustomerContact]) -> CustomerFacts:
    """A row and its contacts as the rooms above read them. Pure."""
    return CustomerFacts(
        id=row.id,
        key=row.key,
        name=row.name,
        siren=row.siren,
        segment=row.segment,
        language=cast("Language", row.language),
        contacts=tuple(contact_of(each) for each in contacts),
        credit_limit=row.credit_limit,
        credit_currency=row.credit_currency,
        collector_id=row.collector_id,
        is_public=row.is_public,
        is_consumer=row.is_consumer,
        insolvent_since=row.insolvent_since,
    )


def contact_of(row: CustomerContact) -> Contact:
    """A row as a contact. Pure."""
    language = cast("Language", row.language)
    return Contact(ContactRole(row.role), row.name, row.email, row.phone, language, tuple(row.postal))
