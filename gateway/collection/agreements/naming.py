"""What promises and plans name: invoices, and lines of the books that are, or were, no invoice here."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, case, func, not_, or_, union, update
from sqlalchemy.orm import Mapped
from sqlmodel import Session, col, select

from gateway.access.scope import Scope
from gateway.collection.agreements.model import PlanInvoice, PromiseInvoice
from gateway.customers.model import Customer
from gateway.lifecycle.model import InvoiceRecord
from gateway.lifecycle.repository import visible_invoices
from gateway.treasury.accounting.model import AccountingEntry

#: The tables that say what an agreement is about.
_About = type[PromiseInvoice] | type[PlanInvoice]


@dataclass(frozen=True, slots=True)
class Named:
    """What an agreement names.

    `item_id`: the invoice, also the one that a line of the books turned out to be; else that line. `entry_id`: the line
    of the books when that was named.
    """

    item_id: UUID
    entry_id: UUID | None = None


def named_by_promises(session: Session, promise_ids: Iterable[UUID]) -> dict[UUID, list[Named]]:
    """What each promise is about, the first to be paid first."""
    return _named(session, PromiseInvoice, col(PromiseInvoice.promise_id), promise_ids)


def named_by_plans(session: Session, plan_ids: Iterable[UUID]) -> dict[UUID, list[Named]]:
    """What each plan spreads, the first to be paid first."""
    return _named(session, PlanInvoice, col(PlanInvoice.plan_id), plan_ids)


def lines_to_look_at(session: Session, now: datetime, limit: int) -> list[UUID]:
    """Lines of the books that a promise or a plan names and of which something changed."""
    named: Any = union(
        *(select(table.entry_id).where(col(table.entry_id).is_not(None)) for table in (PromiseInvoice, PlanInvoice))
    )
    found = select(AccountingEntry.id).where(
        col(AccountingEntry.id).in_(named), col(AccountingEntry.next_check_at) <= now
    )
    return list(session.exec(found.order_by(col(AccountingEntry.id)).limit(limit)))


def looked_at(session: Session, entry_ids: Collection[UUID]) -> None:
    """What was agreed about these lines follows from what they say now."""
    session.execute(
        update(AccountingEntry).where(col(AccountingEntry.id) == func.any(list(entry_ids))).values(next_check_at=None)
    )


def promises_about(item_ids: Collection[UUID]) -> Any:
    """A query of the promises that name some of these invoices and lines of the books."""
    return _agreements_about(PromiseInvoice, col(PromiseInvoice.promise_id), item_ids)


def plans_about(item_ids: Collection[UUID]) -> Any:
    """The same of plans."""
    return _agreements_about(PlanInvoice, col(PlanInvoice.plan_id), item_ids)


def _agreements_about(table: _About, agreement_id: Mapped[UUID], item_ids: Collection[UUID]) -> Any:
    among = func.any(list(item_ids))
    named = select(agreement_id).where(or_(col(table.invoice_id) == among, col(table.entry_id) == among))
    arrived = (
        select(agreement_id)
        .join(AccountingEntry, col(AccountingEntry.id) == table.entry_id)
        .where(col(table.entry_id).is_not(None), col(AccountingEntry.invoice_id) == among)  # few: looked up by that
    )
    return named.union(arrived)


def _named(session: Session, table: _About, agreement_id: Mapped[UUID], ids: Iterable[UUID]) -> dict[UUID, list[Named]]:
    """Two lines of the books may turn out to be one invoice, which is named once."""
    rows = session.execute(
        select(agreement_id, table.invoice_id, table.entry_id, AccountingEntry.invoice_id)
        .outerjoin(AccountingEntry, col(AccountingEntry.id) == table.entry_id)
        .where(agreement_id == func.any(list(ids)))
        .order_by(col(table.position))
    )
    found: dict[UUID, dict[UUID, Named]] = {}
    for agreement, invoice_id, entry_id, arrived in rows:
        item_id = invoice_id or arrived or entry_id
        found.setdefault(agreement, {}).setdefault(item_id, Named(item_id, entry_id))
    return {agreement: list(named.values()) for agreement, named in found.items()}


def all_visible(
    scope: Scope, table: _About, mine: ColumnElement[bool], customer_id: Mapped[UUID]
) -> ColumnElement[bool]:
    """The condition under which all that an agreement names may be seen; `mine`: its rows in `table`.

    An invoice without agency or customer is no one's in particular, what only the books know has no agency.
    """
    invoice_id = func.coalesce(col(table.invoice_id), col(AccountingEntry.invoice_id))
    of_key_account = customer_id.in_(select(Customer.id).where(col(Customer.siren).in_(scope.key_accounts)))
    seen = case((col(InvoiceRecord.id).is_(None), of_key_account), else_=func.coalesce(visible_invoices(scope), False))
    hidden = (
        select(table.position)
        .outerjoin(AccountingEntry, col(AccountingEntry.id) == table.entry_id)
        .outerjoin(InvoiceRecord, col(InvoiceRecord.id) == invoice_id)
        .where(mine, not_(seen))
    )
    return not_(hidden.exists())
