"""`/api/v1/customers`: who owes, whom to write to there, how far they are trusted; files of customers."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field
from sqlmodel import Session

from gateway.access.principal import Principal
from gateway.customers import service
from gateway.customers.model import Customer
from gateway.customers.repository import (
    CustomerFilter,
    contact_rows,
    cover_rows,
    customers_page,
    find_customer,
    notes_of,
)
from gateway.customers.statutory_terms import StatutoryTerms
from gateway.customers.table_file import too_large
from gateway.customers.taking import import_customers, import_limits
from gateway.customers.views import CustomerPage, CustomerView, ImportReport, WholeCustomerView, whole_view
from gateway.database.engine import Database
from gateway.database.paging import LONGEST_PAGE
from gateway.kernel.clock import Clock, paris_date
from gateway.kernel.problems import problems

_FILE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"*/*": {"schema": {"type": "string", "format": "binary"}}},
    }
}
_Text = Annotated[str, Field(max_length=1000)]


@dataclass(frozen=True, slots=True)
class CustomersApiContext:
    """What the routes need; `reader` and `writer` are dependencies that say who calls or raise a GatewayError."""

    database: Database
    clock: Clock
    law: StatutoryTerms
    reader: Callable[..., Any]
    writer: Callable[..., Any]


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    def told(self) -> dict[str, str]:
        """What is said, as text; null erases."""
        words = {None: "", True: "yes", False: "no"}
        return {
            name: words[value] if value is None or isinstance(value, bool) else str(value)
            for name, value in self.model_dump(exclude_unset=True).items()
        }


class CustomerBody(_Body):
    """Facts to change; those left out stay, null erases one."""

    name: _Text | None = None
    siren: _Text | None = None
    siret: _Text | None = None
    vat_number: _Text | None = None
    group_name: _Text | None = None
    segment: _Text | None = None
    language: _Text | None = None
    payment_terms: _Text | None = Field(default=None, description="30, 45 FDM, FDM 45, 45 P")
    credit_limit: Decimal | None = None
    credit_currency: _Text | None = None
    collector: _Text | None = Field(default=None, description="E-mail address of a person of the organisation")
    is_key_account: bool | None = None
    is_public: bool | None = None
    is_consumer: bool | None = None


class ContactBody(_Body):
    """A person or a mailbox to write to."""

    role: _Text = "accounting"
    name: _Text = ""
    email: _Text = ""
    phone: _Text = ""
    language: _Text = ""
    address: _Text = Field(default="", description="Lines separated by line ends")


class CoverBody(_Body):
    """A guarantee of a credit insurer, in the currency of the credit limit."""

    insurer: _Text
    reference: _Text = ""
    amount: Decimal
    valid_from: date
    valid_until: date | None = Field(default=None, description="Last day, included; null: permanent")


class NoteBody(_Body):
    """A note."""

    text: str = Field(min_length=1, max_length=service.LONGEST_NOTE)


def router(context: CustomersApiContext) -> APIRouter:
    """The routes; their errors are GatewayErrors, which the assembly says as problem details.

    `{customer}` is an identifier or a key.
    """
    routes = APIRouter(prefix="/api/v1/customers", tags=["Customers"], responses=problems(401, 403, 404, 422))
    reader = Annotated[Principal, Depends(context.reader)]
    writer = Annotated[Principal, Depends(context.writer)]

    @routes.get("", summary="Customers, by name")
    def customers(
        principal: reader,
        q: Annotated[str, Query(max_length=200, description="Part of the name, the key or the group.")] = "",
        segment: Annotated[str, Query(max_length=300)] = "",
        collector: Annotated[UUID | None, Query(description="Who follows them.")] = None,
        key_accounts: Annotated[bool, Query(description="Only key accounts.")] = False,
        cursor: Annotated[str | None, Query(max_length=500, description="`next_cursor` of the page before.")] = None,
        limit: Annotated[int, Query(ge=1, le=LONGEST_PAGE)] = 50,
    ) -> CustomerPage:
        """What they owe: `/api/v1/receivables`."""
        wanted = CustomerFilter(q, segment.lower(), collector, key_accounts)
        with context.database.transaction(principal.organisation_id) as session:
            page = customers_page(session, principal.scope, wanted, cursor=cursor, limit=limit)
        found = tuple(CustomerView.model_validate(each) for each in page.items)
        return CustomerPage(customers=found, next_cursor=page.next_cursor)

    @routes.post("/import", openapi_extra=_FILE, summary="Take a file of customers")
    async def take_file(
        request: Request,
        principal: writer,
        dry_run: Annotated[bool, Query(description="Show what would change, and write nothing.")] = True,
    ) -> ImportReport:
        """The body is the file itself: CSV or Excel. Rows that cannot be taken are named; the others are taken."""
        data = await _body(request)
        return await run_in_threadpool(_take, principal, data, dry_run)

    def _take(principal: Principal, data: bytes, dry_run: bool) -> ImportReport:
        with context.database.transaction(principal.organisation_id) as session:
            result = import_customers(
                session, data, context.law, dry_run=dry_run, by=_by(principal), now=context.clock()
            )
        return ImportReport.of_result(result, principal.language)

    @routes.get("/{customer}", summary="A customer with all that is known of it")
    def one(principal: reader, customer: str) -> WholeCustomerView:
        """Contacts, covers, notes, payment terms against the law, identifiers checked."""
        with context.database.transaction(principal.organisation_id) as session:
            return _view(session, principal, find_customer(session, principal.scope, customer))

    @routes.patch("/{customer}", summary="Change some facts of a customer")
    def change(principal: writer, customer: str, body: CustomerBody) -> WholeCustomerView:
        """What the key of the account tells stays."""
        with context.database.transaction(principal.organisation_id) as session:
            row = find_customer(session, principal.scope, customer)
            row = service.change_customer(session, principal.scope, row.id, body.told(), **_now(principal))
            return _view(session, principal, row)

    @routes.post("/{customer}/contacts", status_code=201, summary="Add or change a contact")
    def add_contact(principal: writer, customer: str, body: ContactBody) -> WholeCustomerView:
        """One of the same role and e-mail address, or name, is changed."""
        with context.database.transaction(principal.organisation_id) as session:
            row = find_customer(session, principal.scope, customer)
            service.add_contact(session, principal.scope, row.id, body.told(), **_now(principal))
            return _view(session, principal, row)

    @routes.delete("/{customer}/contacts/{contact_id}", status_code=204, summary="Remove a contact")
    def remove_contact(principal: writer, customer: str, contact_id: UUID) -> None:
        """Nobody is written to there any more."""
        with context.database.transaction(principal.organisation_id) as session:
            row = find_customer(session, principal.scope, customer)
            service.remove_contact(session, principal.scope, row.id, contact_id, **_now(principal))

    @routes.post("/{customer}/covers", status_code=201, summary="Record a guarantee of a credit insurer")
    def add_cover(principal: writer, customer: str, body: CoverBody) -> WholeCustomerView:
        """One of the same insurer, reference and first day is changed, such as to give it an end."""
        with context.database.transaction(principal.organisation_id) as session:
            row = find_customer(session, principal.scope, customer)
            service.add_cover(session, principal.scope, row.id, body.told(), **_now(principal))
            return _view(session, principal, row)

    @routes.delete("/{customer}/covers/{cover_id}", status_code=204, summary="Remove a cover recorded by mistake")
    def remove_cover(principal: writer, customer: str, cover_id: UUID) -> None:
        """A cover that ends is recorded again with its last day instead."""
        with context.database.transaction(principal.organisation_id) as session:
            row = find_customer(session, principal.scope, customer)
            service.remove_cover(session, principal.scope, row.id, cover_id, **_now(principal))

    @routes.post("/{customer}/notes", status_code=201, summary="Write a note")
    def add_note(principal: writer, customer: str, body: NoteBody) -> WholeCustomerView:
        """A note is never changed nor removed."""
        with context.database.transaction(principal.organisation_id) as session:
            row = find_customer(session, principal.scope, customer)
            service.add_note(session, principal.scope, row.id, body.text, author_name=principal.name, **_now(principal))
            return _view(session, principal, row)

    def _view(session: Session, principal: Principal, row: Customer) -> WholeCustomerView:
        session.flush()
        return whole_view(
            row,
            contact_rows(session, [row.id]).get(row.id, ()),
            cover_rows(session, [row.id]).get(row.id, ()),
            notes_of(session, row.id),
            on=paris_date(context.clock()),
            law=context.law,
            language=principal.language,
        )

    def _now(principal: Principal) -> dict[str, Any]:
        return {"by": _by(principal), "now": context.clock()}

    return routes


async def _body(request: Request) -> bytes:
    """The whole body. Raises UnreadableCustomerFileError as soon as it passes the limit, without reading on."""
    limit = import_limits().size
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > limit:
            raise too_large(limit)
    return bytes(data)


def _by(principal: Principal) -> str:
    return f"{principal.kind}:{principal.id}"
