"""Queries of the books: lines kept, whose account it is, and the invoices and receipts beside them."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from collections.abc import Set as AbstractSet
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import ColumnElement, literal_column, or_, text
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, func, select

from gateway.customers.model import CustomerInvoice
from gateway.database.engine import organisation_of
from gateway.database.paging import Page, SortKey, fetch_page
from gateway.kernel.identifiers import new_id
from gateway.kernel.money import ZERO
from gateway.lifecycle.model import Direction, InvoiceRecord
from gateway.treasury import receipt_rows
from gateway.treasury.accounting.entries import CustomerLine
from gateway.treasury.accounting.model import AccountingAccount, AccountingEntry
from gateway.treasury.accounting.settling import KnownInvoice, Outcome
from gateway.treasury.allocating import undeclared
from gateway.treasury.model import Receipt, ReceiptAllocation
from gateway.treasury.write_off_rows import standing_of_invoices

_BY_DAY = (SortKey(col(AccountingEntry.day), date.fromisoformat), SortKey(col(AccountingEntry.id), UUID))


def lock_books(session: Session) -> None:
    """Wait for another import of the organisation, before the ledger's turn and before any row."""
    name = f"accounting:{organisation_of(session)}"
    session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": name})


def keep(session: Session, lines: Iterable[CustomerLine], now: datetime) -> tuple[int, int]:
    """Keep lines, or their new lettering; how many are new, and how many changed."""
    organisation_id = organisation_of(session)
    values = {
        line.key: {
            "organisation_id": organisation_id,
            "id": new_id(),
            "key": line.key,
            "journal": line.journal,
            "number": line.number,
            "day": line.day,
            "account": line.account,
            "account_name": line.told.auxiliary_name,
            "piece": line.told.piece,
            "label": line.told.label,
            "amount": line.told.amount,
            "currency": line.told.currency,
            "nature": line.nature.value,
            "lettering": line.told.lettering,
            "lettered_on": line.told.lettered_on,
            "due_date": line.told.due_date,
            "receipts": 0,
            "recorded_at": now,
        }
        for line in lines
    }
    statement = insert(AccountingEntry).values([values[key] for key in sorted(values)])
    told = statement.excluded
    written = session.execute(
        statement.on_conflict_do_update(
            index_elements=["organisation_id", "key"],
            set_={"lettering": told.lettering, "lettered_on": told.lettered_on},
            where=or_(
                col(AccountingEntry.lettering) != told.lettering,
                col(AccountingEntry.lettered_on).is_distinct_from(told.lettered_on),
            ),
        ).returning(literal_column("(xmax = 0)"))
    )
    created = [is_new for (is_new,) in written]
    return created.count(True), created.count(False)


def lines_of(session: Session, account: str) -> Sequence[AccountingEntry]:
    """What is kept of an account, by day."""
    return session.exec(
        select(AccountingEntry)
        .where(AccountingEntry.account == account)
        .order_by(col(AccountingEntry.day), col(AccountingEntry.key))
        .execution_options(populate_existing=True)
    ).all()


def entries_page(
    session: Session,
    outcomes: Collection[Outcome] | None = None,
    account: str | None = None,
    *,
    cursor: str | None = None,
    limit: int = 50,
) -> Page[AccountingEntry]:
    """Lines of which that became, of all when None, by day. Raises InvalidCursorError."""
    statement = select(AccountingEntry)
    if outcomes is not None:
        statement = statement.where(col(AccountingEntry.outcome).in_([outcome.value for outcome in outcomes]))
    if account is not None:
        statement = statement.where(AccountingEntry.account == account)
    return fetch_page(session, statement, _BY_DAY, cursor=cursor, limit=limit)


def lines_by_outcome(
    session: Session, outcomes: Collection[Outcome], account: str | None = None
) -> Iterable[AccountingEntry]:
    """Lines of which that became, by account and day."""
    wanted = [outcome.value for outcome in outcomes]
    statement = select(AccountingEntry).where(col(AccountingEntry.outcome).in_(wanted))
    if account is not None:
        statement = statement.where(AccountingEntry.account == account)
    return session.exec(
        statement.order_by(col(AccountingEntry.account), col(AccountingEntry.day), col(AccountingEntry.key))
    )


def account_named(session: Session, account: str) -> AccountingAccount | None:
    """Whose an account is; None when nothing says it."""
    return session.exec(select(AccountingAccount).where(AccountingAccount.account == account)).one_or_none()


def accounts(session: Session) -> Sequence[tuple[str, str, UUID | None]]:
    """Each account of the lines kept, with its latest name and its customer."""
    return session.exec(
        select(
            AccountingEntry.account,
            func.max(AccountingEntry.account_name),
            col(AccountingAccount.customer_id),
        )
        .outerjoin(AccountingAccount, col(AccountingAccount.account) == AccountingEntry.account)
        .group_by(col(AccountingEntry.account), col(AccountingAccount.customer_id))
        .order_by(col(AccountingEntry.account))
    ).all()


def accounts_naming(session: Session, number: str) -> Sequence[str]:
    """The accounts with a line about the invoice of that number, in their order."""
    statement = select(AccountingEntry.account).where(AccountingEntry.piece == number).distinct()
    return session.exec(statement.order_by(col(AccountingEntry.account))).all()


def owners_of(session: Session, asked: Iterable[tuple[str, Decimal]]) -> set[UUID]:
    """The customers whose invoices bear one of these numbers with that total, whatever its sign."""
    totals: defaultdict[str, set[Decimal]] = defaultdict(set)
    for number, amount in asked:
        totals[number].add(abs(amount))
    rows = session.exec(
        select(col(InvoiceRecord.number), col(InvoiceRecord.total_with_vat), col(CustomerInvoice.customer_id))
        .join(CustomerInvoice, col(CustomerInvoice.invoice_id) == InvoiceRecord.id)
        .where(
            col(InvoiceRecord.number) == func.any(list(totals)),
            InvoiceRecord.direction == Direction.RECEIVABLE.value,
        )
    )
    return {customer_id for number, total, customer_id in rows if abs(total) in totals[number]}


def invoices_of(
    session: Session,
    customer_id: UUID,
    numbers: Collection[str],
    currency: str,
    receipts: AbstractSet[UUID],
    entries: AbstractSet[UUID],
) -> list[KnownInvoice]:
    """The customer's invoices of these numbers, with what was not paid and what was written off of each.

    But for what the account made itself: its `receipts`, and the write-offs of its `entries`.
    """
    invoices = session.exec(
        select(InvoiceRecord)
        .where(*_receivables_of(customer_id, currency), col(InvoiceRecord.number) == func.any(list(numbers)))
        .execution_options(populate_existing=True)
    ).all()
    ids = [invoice.id for invoice in invoices]
    parts, lost = receipt_rows.parts_of_invoices(session, ids), standing_of_invoices(session, ids)
    found = []
    for invoice in invoices:
        paid = parts.get(invoice.id, [])
        ours = sum((part.amount for part in paid if part.receipt_id in receipts), ZERO)
        given_up = sum((row.amount for row in lost.get(invoice.id, ()) if row.entry_id not in entries), ZERO)
        left = invoice.remaining + ours - sum(undeclared(paid).values(), ZERO)
        found.append(KnownInvoice(invoice.id, invoice.number, invoice.year, left, given_up, invoice.is_closed))
    return found


def unnamed_invoices(
    session: Session, customer_id: UUID, numbers: Collection[str], currency: str
) -> list[tuple[date, Decimal]]:
    """Issue date and total of the customer's invoices that stand and bear none of these numbers."""
    named = col(InvoiceRecord.number) == func.any(list(numbers))
    rows = session.exec(
        select(col(InvoiceRecord.issue_date), col(InvoiceRecord.total_with_vat)).where(
            *_receivables_of(customer_id, currency), col(InvoiceRecord.is_closed).is_(False), ~named
        )
    )
    return list(rows.all())


def paid_by(
    session: Session, receipt_ids: Collection[UUID]
) -> dict[UUID, tuple[Decimal, UUID | None, dict[UUID, Decimal]]]:
    """The amount of each receipt, its customer, and what it pays."""
    wanted = list(receipt_ids)
    found: dict[UUID, tuple[Decimal, UUID | None, dict[UUID, Decimal]]] = {
        receipt_id: (amount, customer_id, {})
        for receipt_id, amount, customer_id in session.exec(
            select(col(Receipt.id), col(Receipt.amount), col(Receipt.customer_id)).where(
                col(Receipt.id) == func.any(wanted)
            )
        )
    }
    for part in session.exec(select(ReceiptAllocation).where(col(ReceiptAllocation.receipt_id) == func.any(wanted))):
        found[part.receipt_id][2][part.invoice_id] = part.amount
    return found


def _receivables_of(customer_id: UUID, currency: str) -> tuple[ColumnElement[bool], ...]:
    theirs = select(CustomerInvoice.invoice_id).where(CustomerInvoice.customer_id == customer_id)
    return (
        col(InvoiceRecord.id).in_(theirs),
        col(InvoiceRecord.direction) == Direction.RECEIVABLE.value,
        col(InvoiceRecord.currency) == currency,
    )
