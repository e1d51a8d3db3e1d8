"""The customers: the list with what each owes, one customer with all that is known of it, and its forms."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import Form, Response
from pydantic import BaseModel
from sqlmodel import Session

from gateway.collection.receivables import Books
from gateway.customers import service
from gateway.customers.credit import CreditPosition, credit_position
from gateway.customers.knowledge import known_facts
from gateway.customers.model import Customer
from gateway.customers.payment_terms import read_payment_terms
from gateway.customers.repository import (
    CustomerFilter,
    contact_rows,
    covers_of,
    customers_page,
    find_customer,
    notes_of,
)
from gateway.customers.statutory_terms import statutory_terms
from gateway.customers.values import ContactRole
from gateway.customers.views import identity_of_row, terms_verdict
from gateway.kernel.clock import paris_date
from gateway.treasury.receivables import Dimension, Encours, Family
from gateway.web import repository
from gateway.web.pages import agreements, calls, penalties, reminders, write_offs
from gateway.web.security import ActionWorker, CollectionManager, Reader, Visit

#: Items shown on a customer's page; the others are a click away.
_SHOWN = 100
#: What other matters show on a customer's page: the topic of `customer_<topic>.html`, and what it reads as `block`.
BLOCKS: Mapping[str, Callable[[Session, Visit, Customer], Any]] = {
    "calls": calls.of_customer,
    "agreements": agreements.of_customer,
    "reminders": reminders.of_customer,
    "penalties": penalties.of_customer,
    "write_offs": write_offs.of_customer,
}


class CustomerForm(BaseModel):
    """The facts that the page lets people change, as they are written."""

    name: str = ""
    segment: str = ""
    group_name: str = ""
    language: str = "fr"
    payment_terms: str = ""
    credit_limit: str = ""
    credit_currency: str = "EUR"
    collector: str = ""
    is_key_account: str = "no"
    is_public: str = "no"
    is_consumer: str = "no"


class ContactForm(BaseModel):
    """A contact as it is written."""

    role: str = ""
    name: str = ""
    email: str = ""
    phone: str = ""
    language: str = ""
    address: str = ""


class CoverForm(BaseModel):
    """A cover as it is written."""

    insurer: str = ""
    reference: str = ""
    amount: str = ""
    valid_from: str = ""
    valid_until: str = ""


def search(visit: Reader, q: str = "", whose: str = "", kind: str = "", after: str = "") -> Response:
    """The list. `whose`: `mine` for those the person follows; `kind`: `key` for key accounts."""
    person = visit.principal
    wanted = CustomerFilter(
        text=q, collector_id=person.id if whose == "mine" else None, key_accounts_only=kind == "key"
    )
    with visit.transaction() as session:
        page = customers_page(session, person.scope, wanted, cursor=after or None)
        books = Books.read(session, person.scope, _today(visit), [row.id for row in page.items])
        names = repository.user_names(session, (row.collector_id for row in page.items))
    cells: dict[UUID, list[Encours]] = {}
    for cell in books.cells(Dimension.CUSTOMER):
        if isinstance(cell.of, UUID):
            cells.setdefault(cell.of, []).append(cell)
    filters = {"q": q, "whose": whose, "kind": kind}
    return visit.render("customers.html", page=page, cells=cells, names=names, filters=filters, families=Family)


def show(visit: Reader, customer_id: UUID) -> Response:
    """One customer: what it owes and why, whom to write to, how far it is trusted, what is known of it."""
    scope, today = visit.principal.scope, _today(visit)
    with visit.transaction() as session:
        row = find_customer(session, scope, str(customer_id))
        books = Books.read(session, scope, today, [row.id])
        covers = covers_of(session, [row.id]).get(row.id, [])
        collectors = repository.user_names(session, [row.collector_id])
        values: dict[str, Any] = {
            "contacts": contact_rows(session, [row.id]).get(row.id, []),
            "notes": notes_of(session, row.id),
            "collector": collectors.get(row.collector_id) if row.collector_id else None,
            "collector_email": repository.user_email(session, row.collector_id),
            "blocks": {topic: read(session, visit, row) for topic, read in BLOCKS.items()},
        }
    cells = books.cells(Dimension.CUSTOMER)
    items = {
        cell.currency: books.parts(Dimension.CUSTOMER, str(row.id), cell.currency, Family.BALANCE)[:_SHOWN]
        for cell in cells
    }
    return visit.render(
        "customer.html",
        customer=row,
        cells=cells,
        items=items,
        families=Family,
        covers=covers,
        positions=_positions(row, cells, covers, today),
        facts=known_facts(identity_of_row(row)),
        terms=read_payment_terms(row.payment_terms) if row.payment_terms else None,
        verdict=terms_verdict(row, today, statutory_terms(visit.context.settings.law_file)),
        roles=ContactRole,
        **values,
    )


def change(visit: CollectionManager, customer_id: UUID, told: Annotated[CustomerForm, Form()]) -> Response:
    """Credit limit, payment terms, collector and the other facts."""
    with visit.transaction() as session:
        service.change_customer(session, visit.principal.scope, customer_id, told.model_dump(), **_acting(visit))
    return visit.go_to(f"/customers/{customer_id}", "customer_changed")


def add_contact(visit: ActionWorker, customer_id: UUID, told: Annotated[ContactForm, Form()]) -> Response:
    """Someone to write to."""
    with visit.transaction() as session:
        service.add_contact(session, visit.principal.scope, customer_id, told.model_dump(), **_acting(visit))
    return visit.go_to(f"/customers/{customer_id}#contacts", "")


def remove_contact(visit: ActionWorker, customer_id: UUID, contact_id: UUID) -> Response:
    """Someone who is not to be written to any more."""
    with visit.transaction() as session:
        service.remove_contact(session, visit.principal.scope, customer_id, contact_id, **_acting(visit))
    return visit.go_to(f"/customers/{customer_id}#contacts", "")


def add_cover(visit: CollectionManager, customer_id: UUID, told: Annotated[CoverForm, Form()]) -> Response:
    """A guarantee of a credit insurer."""
    with visit.transaction() as session:
        service.add_cover(session, visit.principal.scope, customer_id, told.model_dump(), **_acting(visit))
    return visit.go_to(f"/customers/{customer_id}#credit", "")


def remove_cover(visit: CollectionManager, customer_id: UUID, cover_id: UUID) -> Response:
    """A cover recorded by mistake."""
    with visit.transaction() as session:
        service.remove_cover(session, visit.principal.scope, customer_id, cover_id, **_acting(visit))
    return visit.go_to(f"/customers/{customer_id}#credit", "")


def add_note(visit: ActionWorker, customer_id: UUID, text: Annotated[str, Form()] = "") -> Response:
    """What someone knows of the customer."""
    with visit.transaction() as session:
        service.add_note(
            session, visit.principal.scope, customer_id, text, author_name=visit.principal.name, **_acting(visit)
        )
    return visit.go_to(f"/customers/{customer_id}#notes", "")


def _positions(row: Customer, cells: list[Encours], covers: Any, today: date) -> list[CreditPosition]:
    """Limit and cover beside each balance; of a customer who owes nothing, in the currency of its limit."""
    balances = {cell.currency: cell.amount(Family.BALANCE) for cell in cells}
    balances.setdefault(row.credit_currency, Encours(None, row.credit_currency, {}).amount(Family.BALANCE))
    return [
        credit_position(
            balance,
            currency,
            limit=row.credit_limit,
            limit_currency=row.credit_currency,
            covers=covers,
            day=today,
        )
        for currency, balance in balances.items()
    ]


def _today(visit: Visit) -> date:
    return paris_date(visit.context.clock())


def _acting(visit: Visit) -> dict[str, Any]:
    return {"by": f"user:{visit.principal.id}", "now": visit.context.clock()}
