"""What only the books know and say is open: invoices that never passed through the gateway, and what lowers them."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, select, update
from sqlmodel import Session, col
from sqlmodel import select as select_rows

from gateway.access.model import Organisation
from gateway.access.scope import Scope
from gateway.customers.model import Customer
from gateway.kernel.dated import data_file
from gateway.kernel.money import ZERO
from gateway.treasury.accounting.model import AccountingAccount, AccountingEntry
from gateway.treasury.accounting.settling import Outcome
from gateway.treasury.definitions import definitions
from gateway.treasury.model import Receipt, ReceiptUse
from gateway.treasury.receivables import Item, ItemKind

#: What `ReceiptUse` calls them.
OPENING = "opening"


@dataclass(frozen=True, slots=True)
class Opening:
    """A receivable that only the books know, or a credit when it is negative.

    Attributes:
        number: its document (PieceRef); may be empty. day: EcritureDate.
        due_date: as a table told it, else after the default term.
        amount: what the line says, VAT included; left: less the receipts that were told to pay it, never nil.
    """

    entry_id: UUID
    customer_id: UUID
    number: str
    day: date
    due_date: date
    amount: Decimal
    left: Decimal
    currency: str
    seller_siren: str


@dataclass(frozen=True, slots=True)
class BookedMoney:
    """What came in for a line of the books: the day, when it was told, how much (negative: it went elsewhere)."""

    on: date
    known_at: datetime
    amount: Decimal


@dataclass(frozen=True, slots=True)
class BookedLine:
    """A line that the books told, whatever became of it.

    Attributes:
        left: what is open of it; nothing once the books have settled it.
        money: what receipts told here pay of it, then what the books' own payments do.
    """

    entry: AccountingEntry
    left: Decimal
    money: tuple[BookedMoney, ...]
    currency: str
    seller_siren: str


def booked_lines(session: Session, entry_ids: Collection[UUID]) -> dict[UUID, BookedLine]:
    """These lines of the books as they stand, in three statements at most."""
    if not entry_ids:
        return {}
    entries = session.exec(
        select_rows(AccountingEntry)
        .where(col(AccountingEntry.id) == func.any(list(entry_ids)))
        .execution_options(populate_existing=True)
    ).all()
    seller, currency = _seller(session), _currency()
    told: dict[UUID, list[BookedMoney]] = {}
    for row in session.execute(
        select(col(ReceiptUse.purpose_id), col(Receipt.received_on), col(ReceiptUse.used_at), col(ReceiptUse.amount))
        .join(Receipt, col(Receipt.id) == col(ReceiptUse.receipt_id))
        .where(_stands_for(entry_ids))
        .order_by(col(ReceiptUse.used_at))
    ):
        told.setdefault(row.purpose_id, []).append(BookedMoney(row.received_on, row.used_at, row.amount))
    return {each.id: _booked(each, told.get(each.id, []), currency, seller) for each in entries}


def _booked(entry: AccountingEntry, told: list[BookedMoney], currency: str, seller_siren: str) -> BookedLine:
    """What the books' own payments pay is what no receipt told here does. Pure."""
    rest = entry.amount - sum((each.amount for each in told), ZERO)
    money = list(told)
    if entry.paid and entry.paid_on and entry.settled_at and rest > 0:
        money.append(BookedMoney(entry.paid_on, entry.settled_at, min(entry.paid, rest)))
    left = rest if entry.outcome == Outcome.OPENING.value else ZERO
    return BookedLine(entry, left, tuple(money), currency, seller_siren)


def look_again(session: Session, entry_ids: Collection[UUID], now: datetime) -> None:
    """What is left of these lines has changed: have what was agreed about them looked at."""
    session.execute(
        update(AccountingEntry).where(col(AccountingEntry.id) == func.any(list(entry_ids))).values(next_check_at=now)
    )


def paid_by_receipt(session: Session, receipt_id: UUID) -> list[UUID]:
    """The lines of the books that a receipt was told to pay."""
    return list(
        session.execute(
            select(col(ReceiptUse.purpose_id))
            .where(col(ReceiptUse.receipt_id) == receipt_id, col(ReceiptUse.purpose) == OPENING)
            .distinct()
        ).scalars()
    )


def opening_items(
    session: Session, scope: Scope, as_of: date, customer_ids: Collection[UUID] | None = None
) -> Iterator[Item]:
    """What only the books know, as open items."""
    for opening in openings(session, scope, as_of, customer_ids):
        yield Item(
            kind=ItemKind.OPENING,
            currency=opening.currency,
            customer_id=opening.customer_id,
            agency_id=None,
            seller_siren=opening.seller_siren,
            invoice_id=None,
            receipt_id=None,
            number=opening.number,
            due_date=opening.due_date,
            asked=opening.amount,
            remaining=opening.left,
            issues=None,
            entry_id=opening.entry_id,
        )


def openings(
    session: Session, scope: Scope, as_of: date, customer_ids: Collection[UUID] | None = None
) -> Iterator[Opening]:
    """Receivables that only the books know: what each line says, less the receipts that were told to pay it.

    The books name no agency: who sees a part of the organisation sees those of its key accounts only.
    """
    statement = (
        select(
            col(AccountingEntry.id),
            col(AccountingEntry.day),
            col(AccountingEntry.due_date),
            col(AccountingEntry.piece),
            col(AccountingEntry.amount),
            col(AccountingAccount.customer_id),
        )
        .join(AccountingAccount, col(AccountingAccount.account) == AccountingEntry.account)
        .where(col(AccountingEntry.outcome) == Outcome.OPENING.value)
    )
    if customer_ids is not None:
        statement = statement.where(col(AccountingAccount.customer_id) == func.any(list(customer_ids)))
    if not scope.is_everything:
        key_accounts = select(col(Customer.id)).where(col(Customer.siren).in_(scope.key_accounts))
        statement = statement.where(col(AccountingAccount.customer_id).in_(key_accounts))
    found = session.execute(statement).all()
    if not found:
        return
    seller, currency = _seller(session), _currency()
    term = timedelta(days=definitions(as_of).default_term_days)
    paid = paid_of_openings(session, [row.id for row in found])
    for entry_id, day, due_date, piece, amount, customer_id in found:
        left = amount - sum(paid.get(entry_id, {}).values())
        if not left:
            continue
        yield Opening(
            entry_id, customer_id, piece, day, due_date or day + term, amount, left, currency, seller_siren=seller
        )


def paid_of_openings(session: Session, entry_ids: Collection[UUID]) -> dict[UUID, dict[UUID, Decimal]]:
    """What pays each of these lines, by receipt, the oldest receipt first; that of one that was undone does not."""
    amount = func.sum(col(ReceiptUse.amount))
    rows = session.execute(
        select(col(ReceiptUse.purpose_id), col(Receipt.id), amount)
        .join(Receipt, col(Receipt.id) == col(ReceiptUse.receipt_id))
        .where(_stands_for(entry_ids))
        .group_by(col(ReceiptUse.purpose_id), col(Receipt.id))
        .having(amount != 0)
        .order_by(col(Receipt.received_on), col(Receipt.id))
    )
    found: dict[UUID, dict[UUID, Decimal]] = {}
    for entry_id, receipt_id, paid in rows:
        found.setdefault(entry_id, {})[receipt_id] = paid
    return found


def told_at(session: Session, entry_id: UUID, receipt_id: UUID) -> datetime | None:
    """When a receipt was told, the last time, to pay a line of the books; None when it never was."""
    return session.exec(
        select_rows(func.max(ReceiptUse.used_at)).where(
            _stands_for([entry_id]), ReceiptUse.receipt_id == receipt_id, ReceiptUse.amount > 0
        )
    ).one()


def _stands_for(entry_ids: Collection[UUID]) -> ColumnElement[bool]:
    """Money told to pay these lines, but for that of receipts that were undone."""
    undone = select(col(Receipt.reverses_id)).where(col(Receipt.reverses_id).is_not(None))
    return and_(
        col(ReceiptUse.purpose) == OPENING,
        col(ReceiptUse.purpose_id) == func.any(list(entry_ids)),
        col(ReceiptUse.receipt_id).not_in(undone),
    )


def _seller(session: Session) -> str:
    return session.exec(select_rows(Organisation.siren)).one()


def _currency() -> str:
    return str(data_file("accounting.toml")["books"]["currency"])
