"""What of a customer's invoices is not awaited any more: shown, written off and undone on the customer's page."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from fastapi import Form, Response
from sqlmodel import Session

from gateway.access.scope import Scope
from gateway.customers.fields import read_amount
from gateway.customers.model import Customer
from gateway.kernel.clock import paris_date
from gateway.treasury.model import WriteOffKind
from gateway.treasury.receivable_rows import open_items
from gateway.treasury.receivables import Item, ItemKind
from gateway.treasury.write_off_rows import write_offs_page
from gateway.treasury.write_off_views import write_off_views
from gateway.treasury.writing_off import undo_write_off, write_off
from gateway.web.authors import by_of, names_of_authors
from gateway.web.security import CollectionManager, Visit

_SHOWN = 50
_INVOICES = (ItemKind.INVOICE, ItemKind.DEPOSIT, ItemKind.CREDIT_NOTE)


def of_customer(session: Session, visit: Visit, customer: Customer) -> dict[str, Any]:
    """The latest write-offs, and what is open and may be written off."""
    scope, today = visit.principal.scope, paris_date(visit.context.clock())
    page = write_offs_page(session, scope, customer_id=customer.id, limit=_SHOWN)
    return {
        "write_offs": write_off_views(session, page.items),
        "people": names_of_authors(session, [row.recorded_by for row in page.items]),
        "more": page.next_cursor is not None,
        "open": _open(session, scope, customer, today),
        "kinds": WriteOffKind,
    }


def make(
    visit: CollectionManager,
    customer_id: UUID,
    invoice_id: Annotated[UUID, Form()],
    amount: Annotated[str, Form(max_length=30)] = "",
    kind: Annotated[WriteOffKind, Form()] = WriteOffKind.LOSS,
    reason: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    """Write off what is left of an invoice, or a part of it."""
    given = _amount(amount)
    with visit.transaction() as session:
        write_off(
            session,
            visit.principal.scope,
            invoice_id,
            given,
            kind=kind,
            reason=reason,
            by=by_of(visit),
            now=visit.context.clock(),
        )
    return visit.go_to(f"/customers/{customer_id}#write-offs", "")


def undo(
    visit: CollectionManager,
    write_off_id: UUID,
    reason: Annotated[str, Form(max_length=2000)] = "",
    next: Annotated[str, Form()] = "/",
) -> Response:
    """Await the amount again."""
    with visit.transaction() as session:
        undo_write_off(
            session,
            visit.principal.scope,
            write_off_id,
            reason=reason,
            by=by_of(visit),
            now=visit.context.clock(),
        )
    return visit.go_to(next, "write_off_undone")


def _open(session: Session, scope: Scope, customer: Customer, today: date) -> list[Item]:
    """The invoices and credit notes of a customer of which something is left, the first due first."""
    items = [each for each in open_items(session, scope, today, [customer.id]) if each.kind in _INVOICES]
    return sorted(items, key=lambda item: (item.due_date, item.number))


def _amount(written: str) -> Decimal | None:
    """An amount of either sign as people write it, None when nothing is written. Raises RefusedValueError."""
    plain = written.strip()
    if not plain:
        return None
    return -read_amount(plain[1:]) if plain[0] in "-−" else read_amount(plain)
