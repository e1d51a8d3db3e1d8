"""What only the books know of an account: chased like invoices when its scenario says so, else at most a credit."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date
from uuid import UUID

from sqlmodel import Session, col, func, select

from gateway.access.scope import Scope
from gateway.collection.account import Account, OpenItem, StepTaken
from gateway.kernel.money import ZERO
from gateway.lifecycle.model import Direction, InvoiceRecord
from gateway.lifecycle.projection import InvoiceState
from gateway.treasury.accounting.opening_rows import Opening, openings


def openings_by_account(
    session: Session, today: date, customer_ids: Collection[UUID] | None
) -> dict[tuple[UUID, str], list[Opening]]:
    """What only the books know of these customers, of all when None, by customer and currency, the oldest first."""
    found: dict[tuple[UUID, str], list[Opening]] = {}
    every = openings(session, Scope.everything(), today, customer_ids)
    for opening in sorted(every, key=lambda each: (each.day, each.number, each.entry_id)):
        found.setdefault((opening.customer_id, opening.currency), []).append(opening)
    return found


def numbers_known(session: Session, known: Collection[Opening]) -> frozenset[str]:
    """Those of their document numbers that an invoice of ours bears, whoever owes it: to be looked at by a person."""
    numbers = sorted({each.number for each in known if each.number})
    if not numbers:
        return frozenset()
    bearing = select(InvoiceRecord.number).where(
        InvoiceRecord.direction == Direction.RECEIVABLE.value, col(InvoiceRecord.number) == func.any(numbers)
    )
    return frozenset(session.exec(bearing))


def with_books(
    account: Account,
    books: Sequence[Opening],
    taken: Mapping[UUID, tuple[StepTaken, ...]],
    invoices: Collection[str],
    *,
    chased: bool,
) -> Account:
    """An account that holds its invoices and its unallocated money, with what only the books know. Pure.

    What is not `chased` is never claimed, as no invoice here proves it; a credit that remains of it is to be deducted.
    `taken`: the steps already taken, by line of the books. `invoices`: numbers that invoices known here bear.
    """
    if not chased:
        credit = min(sum((each.left for each in books), ZERO), ZERO)
        return replace(account, unallocated=min(account.unallocated + credit, ZERO))
    credit = sum((each.left for each in books if each.left < 0), ZERO)
    debts = tuple(
        _item(each, taken.get(each.entry_id, ()), unsure=not each.number or each.number in invoices)
        for each in books
        if each.left > 0
    )
    return replace(account, items=(*account.items, *debts), unallocated=min(account.unallocated + credit, ZERO))


def _item(opening: Opening, reached: tuple[StepTaken, ...], *, unsure: bool) -> OpenItem:
    return OpenItem(
        invoice_id=opening.entry_id,
        number=opening.number,
        agency_id=None,
        seller_siren=opening.seller_siren,
        issue_date=opening.day,
        due_date=opening.due_date,
        total=opening.amount,
        remaining=opening.left,
        state=InvoiceState(),
        reached=reached,
        books_only=True,
        unsure=unsure,
    )
