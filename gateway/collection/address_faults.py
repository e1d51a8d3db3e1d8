"""What is kept of addresses that reach nobody: told by a mail server or a person, lifted by a person."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, func, select

from gateway.access.scope import Scope
from gateway.collection.errors import AddressFaultNotFoundError
from gateway.collection.model import AddressFaultRow
from gateway.collection.reachability import AddressFault, FaultKind, as_kept
from gateway.customers.model import Customer
from gateway.customers.repository import visible_customers
from gateway.database.engine import organisation_of
from gateway.kernel.clock import paris_date
from gateway.kernel.identifiers import new_id
from gateway.ledger.service import append, take_turn

_LONGEST_WORDS = 500


def keep_fault(
    session: Session,
    customer_id: UUID,
    address: str,
    kind: FaultKind,
    *,
    words: str = "",
    by: str,
    now: datetime,
    call_id: UUID | None = None,
    reminder_id: UUID | None = None,
) -> None:
    """Stop what goes to an address until a person corrects it; told again while it holds, it changes nothing.

    `by`: who found out; `call_id`, `reminder_id`: how. The caller holds its turn on the ledger.
    """
    row = AddressFaultRow(
        organisation_id=organisation_of(session),
        id=new_id(),
        customer_id=customer_id,
        address=as_kept(address),
        kind=kind.value,
        words=" ".join(words.split())[:_LONGEST_WORDS],
        call_id=call_id,
        reminder_id=reminder_id,
        told_at=now,
        told_by=by,
    )
    statement = insert(AddressFaultRow).values(row.model_dump()).on_conflict_do_nothing()
    if session.execute(statement.returning(col(AddressFaultRow.id))).first() is None:
        return
    content = {
        "customer_id": str(customer_id),
        "address": row.address,
        "kind": row.kind,
        "words": row.words,
        "by": by,
        "call_id": str(call_id) if call_id else None,
        "reminder_id": str(reminder_id) if reminder_id else None,
    }
    append(session, at=now, kind="address.stopped", subject=f"address_fault:{row.id}", content=content)


def lift_fault(session: Session, scope: Scope, fault_id: UUID, *, by: str, now: datetime) -> AddressFaultRow:
    """Say that an address is right: it is used again. Raises AddressFaultNotFoundError, also outside the scope."""
    take_turn(session)
    row = session.exec(
        select(AddressFaultRow)
        .join(Customer, col(Customer.id) == AddressFaultRow.customer_id)
        .where(AddressFaultRow.id == fault_id, col(AddressFaultRow.lifted_at).is_(None), visible_customers(scope))
    ).one_or_none()
    if row is None:
        raise AddressFaultNotFoundError(fault_id)
    row.lifted_at, row.lifted_by = now, by
    session.add(row)
    append(session, at=now, kind="address.cleared", subject=f"address_fault:{row.id}", content={"by": by})
    return row


def fault_rows(session: Session, customer_ids: Collection[UUID]) -> dict[UUID, list[AddressFaultRow]]:
    """The faults of these customers that hold, the oldest first."""
    found: dict[UUID, list[AddressFaultRow]] = {}
    for row in session.exec(
        select(AddressFaultRow)
        .where(
            col(AddressFaultRow.customer_id) == func.any(list(customer_ids)),
            col(AddressFaultRow.lifted_at).is_(None),
        )
        .order_by(col(AddressFaultRow.told_at), col(AddressFaultRow.id))
    ):
        found.setdefault(row.customer_id, []).append(row)
    return found


def fault_of(row: AddressFaultRow) -> AddressFault:
    """A row as decisions read it. Pure."""
    return AddressFault(row.address, FaultKind(row.kind), paris_date(row.told_at), row.words)
