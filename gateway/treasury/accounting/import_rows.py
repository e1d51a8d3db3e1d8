"""Queries of the files that were taken."""

from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from gateway.database.paging import Page, SortKey, fetch_page
from gateway.treasury.accounting.errors import UnknownImportError
from gateway.treasury.accounting.model import AccountingImport

_LATEST = (
    SortKey(col(AccountingImport.imported_at), datetime.fromisoformat),
    SortKey(col(AccountingImport.id), UUID),
)


def import_by_id(session: Session, import_id: UUID) -> AccountingImport:
    """One import. Raises UnknownImportError."""
    found = session.get(AccountingImport, import_id)
    if found is None:
        raise UnknownImportError(import_id)
    return found


def imports_page(session: Session, *, cursor: str | None = None, limit: int = 50) -> Page[AccountingImport]:
    """The imports, the latest first. Raises InvalidCursorError."""
    return fetch_page(session, select(AccountingImport), _LATEST, cursor=cursor, limit=limit, descending=True)
