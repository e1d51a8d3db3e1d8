"""`/api/v1/accounting`: the books of the company, taken from files, and what became of their lines."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from tempfile import SpooledTemporaryFile
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field

from gateway.access.errors import PermissionDeniedError
from gateway.access.principal import Principal
from gateway.database.engine import Database
from gateway.database.paging import LONGEST_PAGE
from gateway.kernel.clock import Clock
from gateway.kernel.dated import data_file
from gateway.kernel.problems import problems
from gateway.treasury.accounting import rows
from gateway.treasury.accounting.errors import too_large
from gateway.treasury.accounting.import_rows import import_by_id, imports_page
from gateway.treasury.accounting.importing import assign_account, import_entries
from gateway.treasury.accounting.paying import pay_opening
from gateway.treasury.accounting.settling import Outcome
from gateway.treasury.accounting.views import (
    AccountingReport,
    AccountView,
    EntryPage,
    EntryView,
    ImportPage,
    ImportView,
)

_FILE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"*/*": {"schema": {"type": "string", "format": "binary"}}},
    }
}
_IN_MEMORY = 1 << 20
_Cursor = Annotated[str | None, Query(max_length=500, description="`next_cursor` of the page before.")]
_Limit = Annotated[int, Query(ge=1, le=LONGEST_PAGE)]


@dataclass(frozen=True, slots=True)
class AccountingApiContext:
    """What the routes need; `reader` and `writer` are dependencies that say who calls or raise a GatewayError."""

    database: Database
    clock: Clock
    reader: Callable[..., Any]
    writer: Callable[..., Any]


class AssignmentBody(BaseModel):
    """Whose an account is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    customer: Annotated[str, Field(max_length=400, description="Identifier, key or SIREN")]


class PaymentBody(BaseModel):
    """Money of a receipt."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    amount: Annotated[Decimal, Field(gt=0, max_digits=19, decimal_places=2)]
    receipt_id: UUID


class LeftView(BaseModel):
    """What is left of a receivable."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    left: Decimal


def router(context: AccountingApiContext) -> APIRouter:
    """The routes; their errors are GatewayErrors, which the assembly says as problem details.

    The books are those of the whole organisation: who sees a part of it only is refused (PermissionDeniedError).
    """
    routes = APIRouter(prefix="/api/v1/accounting", tags=["Accounting"], responses=problems(401, 403, 404, 422))
    reader = Annotated[Principal, Depends(context.reader)]
    writer = Annotated[Principal, Depends(context.writer)]

    @routes.post("/imports", openapi_extra=_FILE, summary="Take a file of accounting entries")
    async def take_file(
        request: Request,
        principal: writer,
        dry_run: Annotated[bool, Query(description="Show what would happen, and write nothing.")] = True,
        file_name: Annotated[str, Query(max_length=300, pattern=r"^[^\x00-\x1f]*$")] = "",
    ) -> AccountingReport:
        """The body is the file itself: a FEC, or a table. Taken again it changes nothing; refused lines are named."""
        _require_everything(principal)
        limit = int(data_file("accounting.toml")["limits"]["bytes"])
        with SpooledTemporaryFile(_IN_MEMORY) as file:
            size = 0
            async for chunk in request.stream():
                size += len(chunk)
                if size > limit:
                    raise too_large(limit)
                await run_in_threadpool(file.write, chunk)
            file.seek(0)
            result = await run_in_threadpool(
                import_entries,
                context.database,
                principal.organisation_id,
                file,
                file_name=file_name,
                dry_run=dry_run,
                by=_by(principal),
                now=context.clock(),
            )
        return AccountingReport.of_result(result, principal.language)

    @routes.get("/imports", summary="The files that were taken, the latest first")
    def imports(principal: reader, cursor: _Cursor = None, limit: _Limit = 50) -> ImportPage:
        """With what each brought."""
        _require_everything(principal)
        with context.database.transaction(principal.organisation_id) as session:
            page = imports_page(session, cursor=cursor, limit=limit)
        found = tuple(ImportView.of_row(each, principal.language) for each in page.items)
        return ImportPage(imports=found, next_cursor=page.next_cursor)

    @routes.get("/imports/{import_id}", summary="A file that was taken")
    def one(principal: reader, import_id: UUID) -> ImportView:
        """With the lines that were refused."""
        _require_everything(principal)
        with context.database.transaction(principal.organisation_id) as session:
            return ImportView.of_row(import_by_id(session, import_id), principal.language)

    @routes.get("/entries", summary="Lines of customers’ accounts, and what became of them")
    def entries(
        principal: reader,
        outcome: Annotated[list[Outcome] | None, Query(description="What became of them; all when left out.")] = None,
        account: Annotated[str | None, Query(max_length=200)] = None,
        cursor: _Cursor = None,
        limit: _Limit = 50,
    ) -> EntryPage:
        """By day."""
        _require_everything(principal)
        with context.database.transaction(principal.organisation_id) as session:
            page = rows.entries_page(session, outcome, account, cursor=cursor, limit=limit)
        found = tuple(EntryView.model_validate(each) for each in page.items)
        return EntryPage(entries=found, next_cursor=page.next_cursor)

    @routes.post("/entries/{entry_id}/payments", status_code=201, summary="Have a receipt pay what only the books know")
    def pay(principal: writer, entry_id: UUID, body: PaymentBody) -> LeftView:
        """For money that is told here first: a payment that the books letter needs no receipt."""
        now = context.clock()
        with context.database.transaction(principal.organisation_id) as session:
            left = pay_opening(
                session, principal.scope, entry_id, body.amount, body.receipt_id, by=_by(principal), now=now
            )
        return LeftView(left=left)

    @routes.get("/accounts", summary="The customers’ accounts of the books, and whose they are")
    def accounts(principal: reader) -> tuple[AccountView, ...]:
        """An account without a customer is told by hand."""
        _require_everything(principal)
        with context.database.transaction(principal.organisation_id) as session:
            found = rows.accounts(session)
        return tuple(AccountView(account=name, name=label, customer_id=owner) for name, label, owner in found)

    @routes.put("/accounts/{account}", summary="Say whose an account is")
    def assign(principal: writer, account: str, body: AssignmentBody) -> AccountingReport:
        """Its lines are settled at once."""
        _require_everything(principal)
        now: datetime = context.clock()
        with context.database.transaction(principal.organisation_id) as session:
            result = assign_account(session, account, body.customer, by=_by(principal), now=now)
        return AccountingReport.of_result(result, principal.language)

    return routes


def _require_everything(principal: Principal) -> None:
    if not principal.scope.is_everything:
        raise PermissionDeniedError


def _by(principal: Principal) -> str:
    return f"{principal.kind}:{principal.id}"
