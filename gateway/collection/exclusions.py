"""Spare an invoice or a customer from reminders, for a reason and until a day; the history of it is kept."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from sqlmodel import Session, col, select

from gateway.access.scope import Scope
from gateway.collection.errors import ExclusionNotFoundError, InvalidExclusionError, NotOfCustomerError
from gateway.collection.model import ReminderExclusion
from gateway.customers.repository import customers_of_invoices, find_customer
from gateway.database.engine import organisation_of
from gateway.kernel.clock import paris_date
from gateway.ledger.service import append, take_turn
from gateway.lifecycle.repository import invoice_by_id
from gateway.treasury.accounting.errors import OpeningNotFoundError
from gateway.treasury.accounting.opening_rows import openings


def exclude(
    session: Session,
    scope: Scope,
    customer: str,
    *,
    invoice_id: UUID | None = None,
    entry_id: UUID | None = None,
    until: date | None = None,
    reason: str,
    by: str,
    now: datetime,
) -> ReminderExclusion:
    """Spare a customer (identifier, key or SIREN), or one invoice of it, until a day included, or until it is lifted.

    `entry_id`: instead of an invoice, the line of the books of what only they know. Raises CustomerNotFoundError,
    InvoiceNotFoundError, NotOfCustomerError, OpeningNotFoundError, InvalidExclusionError.
    """
    take_turn(session)
    row = find_customer(session, scope, customer)
    if invoice_id is not None:
        invoice_by_id(session, scope, invoice_id)
        if customers_of_invoices(session, [invoice_id]).get(invoice_id) != row.id:
            raise NotOfCustomerError(invoice_id)
    if entry_id is not None:
        _require_opening(session, scope, row.id, entry_id, invoice_id, paris_date(now))
    if not reason.strip():
        raise InvalidExclusionError("reason")
    if until is not None and until < paris_date(now):
        raise InvalidExclusionError(f"until={until}")
    exclusion = ReminderExclusion(
        organisation_id=organisation_of(session),
        customer_id=row.id,
        invoice_id=invoice_id,
        entry_id=entry_id,
        until=until,
        reason=reason.strip(),
        made_at=now,
        made_by=by,
    )
    content = {
        "customer_id": str(row.id),
        "invoice_id": str(invoice_id or ""),
        "entry_id": str(entry_id or ""),
        "until": until.isoformat() if until else "",
        "reason": exclusion.reason,
        "by": by,
    }
    session.add(exclusion)
    append(session, at=now, kind="exclusion.made", subject=f"exclusion:{exclusion.id}", content=content)
    return exclusion


def _require_opening(
    session: Session, scope: Scope, customer_id: UUID, entry_id: UUID, invoice_id: UUID | None, today: date
) -> None:
    """Only the books know that line, of this customer. Raises OpeningNotFoundError, InvalidExclusionError."""
    if invoice_id is not None:
        raise InvalidExclusionError(f"entry_id={entry_id}")
    if entry_id not in {each.entry_id for each in openings(session, scope, today, [customer_id])}:
        raise OpeningNotFoundError(entry_id)


def lift(session: Session, scope: Scope, exclusion_id: UUID, *, by: str, now: datetime) -> ReminderExclusion:
    """Let reminders go on; the exclusion stays in the history. Raises ExclusionNotFoundError."""
    take_turn(session)
    exclusion = session.get(ReminderExclusion, exclusion_id, populate_existing=True)
    if exclusion is None or exclusion.lifted_at is not None:
        raise ExclusionNotFoundError(exclusion_id)
    find_customer(session, scope, str(exclusion.customer_id))
    exclusion.lifted_at, exclusion.lifted_by = now, by
    session.add(exclusion)
    append(session, at=now, kind="exclusion.lifted", subject=f"exclusion:{exclusion.id}", content={"by": by})
    return exclusion


def exclusions_of(session: Session, scope: Scope, customer: str) -> Sequence[ReminderExclusion]:
    """The exclusions of a customer, the lifted and past ones too, the latest first. Raises CustomerNotFoundError."""
    row = find_customer(session, scope, customer)
    return session.exec(
        select(ReminderExclusion)
        .where(ReminderExclusion.customer_id == row.id)
        .order_by(col(ReminderExclusion.made_at).desc(), col(ReminderExclusion.id))
    ).all()
