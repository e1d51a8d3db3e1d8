"""Settle an account of the books: decide what its lines mean now, and make its receipts and write-offs agree."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import Session

from gateway.access.scope import Scope
from gateway.database.engine import organisation_of
from gateway.kernel.clock import paris_date
from gateway.kernel.dated import data_file
from gateway.kernel.text import Text
from gateway.ledger.service import append
from gateway.treasury import receipt_rows, write_off_rows
from gateway.treasury.accounting import rows
from gateway.treasury.accounting.entries import Nature
from gateway.treasury.accounting.model import AccountingAccount, AccountingEntry
from gateway.treasury.accounting.opening_rows import paid_of_openings
from gateway.treasury.accounting.paying import move_to_invoices
from gateway.treasury.accounting.results import ImportResult
from gateway.treasury.accounting.settling import Decision, Line, Outcome, settle
from gateway.treasury.allocating import NewReceipt
from gateway.treasury.definitions import definitions
from gateway.treasury.model import ReceiptSource, WriteOffKind
from gateway.treasury.receipts import record_receipt, reverse_receipt
from gateway.treasury.write_off_rows import MadeByEntry
from gateway.treasury.writing_off import undo_write_off, write_off

_LEARNT = "invoices"
_EVERYTHING = Scope.everything()
_CHANGED = "Lettrage modifié en comptabilité."
_LOST = Text("Perte constatée en comptabilité.", "Loss entered in the books.")
_NOTHING = MadeByEntry()


@dataclass(frozen=True, slots=True)
class SettledAccount:
    """An account with what becomes of each of its lines, and the write-offs that they made so far.

    Attributes:
        customer_id: whose it is; None when nothing says it.
    """

    customer_id: UUID | None
    lines: list[tuple[AccountingEntry, Decision]]
    losses: dict[UUID, MadeByEntry]


def decide(session: Session, account: str, result: ImportResult, now: datetime) -> SettledAccount:
    """What becomes of the lines of an account, counted in `result`; nothing is written."""
    kept = rows.lines_of(session, account)
    customer_id = _customer_of(session, account, kept)
    numbers = {row.piece for row in kept if row.piece}
    made = {row.receipt_id for row in kept if row.receipt_id}
    undone = receipt_rows.reversals_of(session, made).keys()
    losses = write_off_rows.of_entries(session, [row.id for row in kept if row.nature == Nature.LOSS])
    currency = data_file("accounting.toml")["books"]["currency"]
    invoices, unnamed = [], []
    if customer_id:
        invoices = rows.invoices_of(session, customer_id, numbers, currency, made - undone, losses.keys())
        unnamed = rows.unnamed_invoices(session, customer_id, numbers, currency)
    decisions = settle(
        [_line(row, undone=row.receipt_id in undone or losses.get(row.id, _NOTHING).undone) for row in kept],
        invoices,
        unnamed=unnamed,
        customer_known=customer_id is not None,
        currency=currency,
        today=paris_date(now),
    )
    result.outcomes.update(decision.outcome for decision in decisions)
    return SettledAccount(customer_id, list(zip(kept, decisions, strict=True)), losses)


def apply(session: Session, account: str, result: ImportResult, by: str, now: datetime) -> None:
    """Settle an account; what changed is undone before anything else is recorded. The caller holds its turn."""
    _move_payments(session, account, now)
    settled = decide(session, account, result, now)
    if settled.customer_id and rows.account_named(session, account) is None:
        assign(session, account, settled.customer_id, _LEARNT, now)
    for row, decision in settled.lines:
        _become(row, decision, now)
    _undo_losses(session, settled, result, by, now)
    for row, decision in _undo_receipts(session, settled, result, by, now):
        row.receipts += 1
        receipt = record_receipt(
            session,
            _EVERYTHING,
            _receipt(row, decision, settled.customer_id),
            source=ReceiptSource.FILE,
            by=by,
            now=now,
        ).receipt
        session.flush()
        row.receipt_id = receipt.id
        result.recorded += 1
    _write_losses(session, settled, result, by, now)


def assign(session: Session, account: str, customer_id: UUID, by: str, now: datetime) -> None:
    """Keep whose an account is."""
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


def _become(row: AccountingEntry, decision: Decision, now: datetime) -> None:
    """What becomes of a line; when what is left of it changes, agreements about it are looked at."""
    is_settled = decision.outcome is Outcome.SETTLED
    before = (row.outcome, row.invoice_id, row.paid, row.paid_on)
    row.outcome, row.invoice_id = decision.outcome.value, decision.invoice_id
    row.paid, row.paid_on = decision.paid, decision.paid_on
    row.settled_at = (row.settled_at or now) if is_settled else None
    if before != (row.outcome, row.invoice_id, row.paid, row.paid_on):
        row.next_check_at = now


def _move_payments(session: Session, account: str, now: datetime) -> None:
    """Money told to pay lines that turn out to be invoices pays these, before anything is decided."""
    if not paid_of_openings(session, [row.id for row in rows.lines_of(session, account)]):
        return
    settled = decide(session, account, ImportResult("", written=False), now)
    arrived = [(row.id, decision.invoice_id) for row, decision in settled.lines if decision.invoice_id]
    move_to_invoices(session, arrived, now)
    session.flush()


def _undo_receipts(
    session: Session, settled: SettledAccount, result: ImportResult, by: str, now: datetime
) -> list[tuple[AccountingEntry, Decision]]:
    """Undo the receipts that the lines tell no more; the lines that are to make one."""
    made = [row.receipt_id for row, _ in settled.lines if row.receipt_id]
    known, undone = rows.paid_by(session, made), receipt_rows.reversals_of(session, made)
    to_record = []
    for row, decision in settled.lines:
        if row.receipt_id in undone:  # by a person: that holds
            continue
        if row.receipt_id:
            told = (decision.received, settled.customer_id, dict(decision.allocations))
            if known[row.receipt_id] == told:
                continue
            reverse_receipt(session, _EVERYTHING, row.receipt_id, reason=_CHANGED, by=by, now=now)
            row.receipt_id = None
            result.reversed += 1
        if decision.received is not None:
            to_record.append((row, decision))
    return to_record


def _undo_losses(session: Session, settled: SettledAccount, result: ImportResult, by: str, now: datetime) -> None:
    """Undo the write-offs that the lines tell no more."""
    for row, decision in settled.lines:
        for invoice_id, made in settled.losses.get(row.id, _NOTHING).standing.items():
            if decision.written_off.get(invoice_id) != made.amount and not settled.losses[row.id].undone:
                undo_write_off(session, _EVERYTHING, made.id, reason=_CHANGED, by=by, now=now, entry_id=row.id)
                result.restored += 1


def _write_losses(session: Session, settled: SettledAccount, result: ImportResult, by: str, now: datetime) -> None:
    """Write off what the lines tell and no write-off does yet."""
    for row, decision in settled.lines:
        standing = settled.losses.get(row.id, _NOTHING).standing
        for invoice_id, amount in decision.written_off.items():
            if invoice_id in standing and standing[invoice_id].amount == amount:
                continue
            small = abs(amount) <= definitions(row.day).small_difference
            write_off(
                session,
                _EVERYTHING,
                invoice_id,
                amount,
                kind=WriteOffKind.SMALL_DIFFERENCE if small else WriteOffKind.LOSS,
                reason=row.label or _LOST.fr,
                by=by,
                now=now,
                entry_id=row.id,
                on=row.day,
            )
            result.written_off += 1


def _customer_of(session: Session, account: str, kept: Iterable[AccountingEntry]) -> UUID | None:
    """Whose the account is, as told, else as its invoices say when they all say the same."""
    known = rows.account_named(session, account)
    if known:
        return known.customer_id
    asking = (Nature.INVOICE.value, Nature.CREDIT_NOTE.value)
    owners = rows.owners_of(session, ((row.piece, row.amount) for row in kept if row.piece and row.nature in asking))
    return owners.pop() if len(owners) == 1 else None


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
