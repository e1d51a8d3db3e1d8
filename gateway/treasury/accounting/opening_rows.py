"""What only the books know and say is open: invoices that never passed through the gateway, and what lowers them."""

from collections.abc import Collection, Iterator
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import Session, col

from gateway.access.model import Organisation
from gateway.access.scope import Scope
from gateway.customers.model import Customer
from gateway.kernel.dated import data_file
from gateway.treasury.accounting.model import AccountingAccount, AccountingEntry
from gateway.treasury.accounting.settling import Outcome
from gateway.treasury.definitions import definitions
from gateway.treasury.receivables import Item, ItemKind


def opening_items(
    session: Session, scope: Scope, as_of: date, customer_ids: Collection[UUID] | None = None
) -> Iterator[Item]:
    """Receivables that only the books know, in one statement; they ask for all that the line says until it is settled.

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
    seller = session.execute(select(col(Organisation.siren))).scalar_one()
    currency = data_file("accounting.toml")["books"]["currency"]
    term = timedelta(days=definitions(as_of).default_term_days)
    for entry_id, day, due_date, piece, amount, customer_id in found:
        yield Item(
            kind=ItemKind.OPENING,
            currency=currency,
            customer_id=customer_id,
            agency_id=None,
            seller_siren=seller,
            invoice_id=None,
            receipt_id=None,
            number=piece,
            due_date=due_date or day + term,
            asked=amount,
            remaining=amount,
            issues=None,
            entry_id=entry_id,
        )
