"""Take a file of entries: keep the lines of customers' accounts, then settle each account the file names.

The same file again, or one that overlaps it, changes nothing but the lettering that it tells otherwise. A file is kept
whole or not at all; accounts are settled one by one, so that others may write meanwhile; a crash in between is mended
by the next import. A dry run decides the same, makes no receipt, and forgets the lines.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from hashlib import sha256
from itertools import islice
from typing import IO
from uuid import UUID

from sqlmodel import Session

from gateway.access.scope import Scope
from gateway.customers.importing import RefusedCell
from gateway.customers.repository import find_customer
from gateway.database.engine import Database
from gateway.kernel.dated import data_file
from gateway.ledger.service import append, take_turn
from gateway.treasury.accounting import rows
from gateway.treasury.accounting.applying import apply, assign, decide
from gateway.treasury.accounting.entries import CustomerLine, customer_lines
from gateway.treasury.accounting.errors import UnknownAuxiliaryError
from gateway.treasury.accounting.model import AccountingImport
from gateway.treasury.accounting.reading import read_entries
from gateway.treasury.accounting.results import ImportResult

_BATCH = 500
_BLOCK = 1 << 20
_EVERYTHING = Scope.everything()


def import_entries(
    database: Database,
    organisation_id: UUID,
    file: IO[bytes],
    *,
    file_name: str = "",
    dry_run: bool,
    by: str,
    now: datetime,
) -> ImportResult:
    """Take a file that can be read twice. `by`: user:<id>, client:<id> or operator.

    Raises UnreadableAccountingFileError; then nothing was written.
    """
    result = ImportResult(_digest(file), written=not dry_run)
    if dry_run:
        with database.transaction(organisation_id) as session, _taken_back(session):
            rows.lock_books(session)
            for account in _keep(session, file, result, now):
                decide(session, account, result, now)
        return result
    with database.transaction(organisation_id) as session:
        rows.lock_books(session)
        named = _keep(session, file, result, now)
    for account in named:
        with database.transaction(organisation_id) as session:
            rows.lock_books(session)
            take_turn(session)
            apply(session, account, result, by, now)
    with database.transaction(organisation_id) as session:
        append(
            session,
            at=now,
            kind="accounting.imported",
            subject=f"accounting:{result.sha256}",
            content={**result.counts(), "refused": result.refused_lines, "by": by},
        )
        session.add(
            AccountingImport(
                organisation_id=organisation_id,
                sha256=result.sha256,
                file_name=file_name,
                counts=result.told(),
                refused=[each.as_json() for each in result.refused],
                imported_at=now,
                imported_by=by,
            )
        )
    return result


def assign_account(session: Session, account: str, customer: str, *, by: str, now: datetime) -> ImportResult:
    """Say whose an account is, and settle it. Raises UnknownAuxiliaryError, CustomerNotFoundError."""
    rows.lock_books(session)
    take_turn(session)
    if not rows.lines_of(session, account):
        raise UnknownAuxiliaryError(account)
    assign(session, account, find_customer(session, _EVERYTHING, customer).id, by, now)
    result = ImportResult("", written=True)
    apply(session, account, result, by, now)
    return result


@contextmanager
def _taken_back(session: Session) -> Iterator[None]:
    savepoint = session.begin_nested()
    try:
        yield
    finally:
        savepoint.rollback()


def _digest(file: IO[bytes]) -> str:
    """SHA-256 of the whole file, which then stands at its beginning again."""
    digest = sha256()
    while block := file.read(_BLOCK):
        digest.update(block)
    file.seek(0)
    return digest.hexdigest()


def _keep(session: Session, file: IO[bytes], result: ImportResult, now: datetime) -> list[str]:
    """Keep the lines of the file; the accounts that it names, in their order."""
    named: set[str] = set()
    lines = _lines(file, result)
    while batch := list(islice(lines, _BATCH)):
        named.update(line.account for line in batch)
        new, relettered = rows.keep(session, batch, now)
        result.new += new
        result.relettered += relettered
    return sorted(named)


def _lines(file: IO[bytes], result: ImportResult) -> Iterator[CustomerLine]:
    shown = data_file("accounting.toml")["limits"]["refused_shown"]
    for told in read_entries(file):
        if isinstance(told, RefusedCell):
            result.refused_lines += 1
            if len(result.refused) < shown:
                result.refused.append(told)
            continue
        result.entries += 1
        for line in customer_lines(told):
            result.lines += 1
            yield line
