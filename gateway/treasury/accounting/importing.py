"""Take a file of entries: keep the lines of customers' accounts, then settle each account the file names.

The same file again, or one that overlaps it, changes nothing but the lettering that it tells otherwise. A file is kept
whole or not at all; accounts are settled one by one, so that others may write meanwhile; a crash in between is mended
by the next import. A dry run decides the same, makes no receipt, and forgets the lines.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from itertools import islice
from typing import BinaryIO
from uuid import UUID

from sqlmodel import Session

from gateway.access.scope import Scope
from gateway.customers.importing import RefusedCell
from gateway.customers.repository import find_customer
from gateway.database.engine import Database, organisation_of
from gateway.kernel.clock import paris_date
from gateway.kernel.dated import data_file
from gateway.ledger.service import append, take_turn
from gateway.treasury import receipt_rows
from gateway.treasury.accounting import rows
from gateway.treasury.accounting.entries import CustomerLine, Nature, customer_lines
from gateway.treasury.accounting.errors import UnknownAuxiliaryError
from gateway.treasury.accounting.model import AccountingAccount, AccountingEntry
from gateway.treasury.accounting.reading import read_entries
from gateway.treasury.accounting.settling import Decision, Line, Outcome, settle
from gateway.treasury.allocating import NewReceipt
from gateway.treasury.model import ReceiptSource
from gateway.treasury.receipts import record_receipt, reverse_receipt

_BATCH = 500
_BLOCK = 1 << 20
_LEARNT = "invoices"
_EVERYTHING = Scope.everything()
_CHANGED = "Lettrage modifié en comptabilité."


@dataclass(slots=True)
class ImportResult:
    """What a file brought.

    Attributes:
        sha256: of the file. written: False for a dry run.
        entries: taken. lines: of customers' accounts in them; new, relettered: how many of them.
        outcomes: of every line kept of the accounts that the file names.
        recorded, reversed: receipts. refused: the first refused lines; refused_lines: all of them.
    """

    sha256: str
    written: bool
    entries: int = 0
    lines: int = 0
    new: int = 0
    relettered: int = 0
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    recorded: int = 0
    reversed: int = 0
    refused: list[RefusedCell] = field(default_factory=list)
    refused_lines: int = 0


def import_entries(
    database: Database, organisation_id: UUID, file: BinaryIO, *, dry_run: bool, by: str, now: datetime
) -> ImportResult:
    """Take a file that can be read twice. `by`: user:<id>, client:<id> or operator.

    Raises UnreadableAccountingFileError; then nothing was written.
    """
    result = ImportResult(_digest(file), written=not dry_run)
    if dry_run:
        with database.transaction(organisation_id) as session, _taken_back(session):
            rows.lock_books(session)
            for account in _keep(session, file, result, now):
                _settle(session, account, result, now)
        return result
    with database.transaction(organisation_id) as session:
        rows.lock_books(session)
        named = _keep(session, file, result, now)
    for account in named:
        with database.transaction(organisation_id) as session:
            rows.lock_books(session)
            take_turn(session)
            _apply(session, account, result, by, now)
    with database.transaction(organisation_id) as session:
        append(
            session,
            at=now,
            kind="accounting.imported",
            subject=f"accounting:{result.sha256}",
            content=_told(result, by),
        )
    return result


def assign_account(session: Session, account: str, customer: str, *, by: str, now: datetime) -> ImportResult:
    """Say whose an account is, and settle it. Raises UnknownAuxiliaryError, CustomerNotFoundError."""
    rows.lock_books(session)
    take_turn(session)
    if not rows.lines_of(session, account):
        raise UnknownAuxiliaryError(account)
    _assign(session, account, find_customer(session, _EVERYTHING, customer).id, by, now)
    result = ImportResult("", written=True)
    _apply(session, account, result, by, now)
    return result


@contextmanager
def _taken_back(session: Session) -> Iterator[None]:
    savepoint = session.begin_nested()
    try:
        yield
    finally:
        savepoint.rollback()


def _digest(file: BinaryIO) -> str:
    """SHA-256 of the whole file, which then stands at its beginning again."""
    digest = sha256()
    while block := file.read(_BLOCK):
        digest.update(block)
    file.seek(0)
    return digest.hexdigest()


def _keep(session: Session, file: BinaryIO, result: ImportResult, now: datetime) -> list[str]:
    """Keep the lines of the file; the accounts that it names, in their order."""
    named: set[str] = set()
    lines = _lines(file, result)
    while batch := list(islice(lines, _BATCH)):
        named.update(line.account for line in batch)
        new, relettered = rows.keep(session, batch, now)
        result.new += new
        result.relettered += relettered
    return sorted(named)


def _lines(file: BinaryIO, result: ImportResult) -> Iterator[CustomerLine]:
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


def _settle(
    session: Session, account: str, result: ImportResult, now: datetime
) -> tuple[UUID | None, list[tuple[AccountingEntry, Decision]]]:
    """The customer of an account, and what becomes of its lines."""
    kept = rows.lines_of(session, account)
    customer_id = _customer_of(session, account, kept)
    numbers = {row.piece for row in kept if row.piece}
    made = [row.receipt_id for row in kept if row.receipt_id]
    undone = receipt_rows.reversals_of(session, made).keys()
    currency = data_file("accounting.toml")["books"]["currency"]
    invoices = rows.invoices_of(session, customer_id, numbers, currency, set(made) - undone) if customer_id else []
    decisions = settle(
        [_line(row, undone=row.receipt_id in undone) for row in kept],
        invoices,
        customer_known=customer_id is not None,
        currency=currency,
        today=paris_date(now),
    )
    result.outcomes.update(decision.outcome for decision in decisions)
    return customer_id, list(zip(kept, decisions, strict=True))


def _apply(session: Session, account: str, result: ImportResult, by: str, now: datetime) -> None:
    """Settle an account, and make its receipts agree: what changed is undone before anything else is recorded."""
    customer_id, settled = _settle(session, account, result, now)
    if customer_id and rows.account_named(session, account) is None:
        _assign(session, account, customer_id, _LEARNT, now)
    made = [row.receipt_id for row, _ in settled if row.receipt_id]
    known, undone = rows.paid_by(session, made), receipt_rows.reversals_of(session, made)
    to_record = []
    for row, decision in settled:
        row.outcome, row.invoice_id = decision.outcome.value, decision.invoice_id
        if row.receipt_id in undone:  # by a person: that holds
            continue
        if row.receipt_id:
            if decision.received is not None and known[row.receipt_id] == (customer_id, dict(decision.allocations)):
                continue
            reverse_receipt(session, _EVERYTHING, row.receipt_id, reason=_CHANGED, by=by, now=now)
            row.receipt_id = None
            result.reversed += 1
        if decision.received is not None:
            to_record.append((row, decision))
    for row, decision in to_record:
        row.receipts += 1
        receipt = record_receipt(
            session, _EVERYTHING, _receipt(row, decision, customer_id), source=ReceiptSource.FILE, by=by, now=now
        ).receipt
        session.flush()
        row.receipt_id = receipt.id
        result.recorded += 1


def _customer_of(session: Session, account: str, kept: Iterable[AccountingEntry]) -> UUID | None:
    """Whose the account is, as told, else as its invoices say when they all say the same."""
    known = rows.account_named(session, account)
    if known:
        return known.customer_id
    asking = (Nature.INVOICE.value, Nature.CREDIT_NOTE.value)
    owners = rows.owners_of(session, ((row.piece, row.amount) for row in kept if row.piece and row.nature in asking))
    return owners.pop() if len(owners) == 1 else None


def _assign(session: Session, account: str, customer_id: UUID, by: str, now: datetime) -> None:
    row = rows.account_named(session, account) or AccountingAccount(
        organisation_id=organisation_of(session), account=account, customer_id=customer_id, told_by=by, told_at=now
    )
    row.customer_id, row.told_by, row.told_at = customer_id, by, now
    session.add(row)
    append(
        session,
        at=now,
        kind="accounting.account_assigned",
        subject=f"customer:{customer_id}",
        content={"account": account, "by": by},
    )


def _receipt(row: AccountingEntry, decision: Decision, customer_id: UUID | None) -> NewReceipt:
    """The receipt of a payment; its reference is that of the entry, with a rank when the lettering changed."""
    assert decision.received is not None
    rank = f" #{row.receipts}" if row.receipts > 1 else ""
    return NewReceipt(
        amount=decision.received,
        currency=data_file("accounting.toml")["books"]["currency"],
        received_on=row.day,
        reference=f"{row.journal} {row.number} {row.day} {row.key[:12]}{rank}",
        payer_reference=row.piece,
        comment=row.label,
        allocations=decision.allocations,
        customer_id=customer_id,
    )


def _line(row: AccountingEntry, *, undone: bool) -> Line:
    return Line(
        id=row.id,
        day=row.day,
        nature=Nature(row.nature),
        piece=row.piece,
        amount=row.amount,
        currency=row.currency,
        lettering=row.lettering,
        lettered_on=row.lettered_on,
        undone=undone,
    )


def _told(result: ImportResult, by: str) -> dict[str, str | int]:
    counts = {name: getattr(result, name) for name in ("entries", "lines", "new", "relettered", "recorded", "reversed")}
    return {**counts, "refused": result.refused_lines, "by": by}
