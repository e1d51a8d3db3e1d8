"""Take a file of customers: show what it would change, or write it, in one transaction.

The writer takes its turn on the organisation's ledger before it reads, so that nothing changes between the two.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, select

from gateway.access.model import User
from gateway.customers.changes import ChangeKind, CustomerChange, change_of, name_of_key
from gateway.customers.importing import ReadFile, RefusedCell, ToldCustomer, read_customers
from gateway.customers.keeping import keep_contact, keep_cover
from gateway.customers.linking import take_over_establishments
from gateway.customers.model import Customer, CustomerContact, CustomerCover, CustomerOrigin
from gateway.customers.repository import contact_rows, cover_rows, customers_by_key
from gateway.customers.statutory_terms import StatutoryTerms
from gateway.customers.table_file import Limits, read_table
from gateway.database.engine import organisation_of
from gateway.kernel.clock import paris_date
from gateway.kernel.dated import data_file
from gateway.ledger.service import append_all, take_turn


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What a file changes, or would change.

    Attributes:
        written: False for a dry run. rows: below the header.
        counts: customers by what becomes of them.
        changes: those created or changed. refused: rows that are not taken, each with the reason.
        moved: invoices that went over to accounts of their own establishment.
    """

    written: bool
    rows: int
    counts: Mapping[ChangeKind, int]
    changes: Sequence[CustomerChange]
    refused: Sequence[RefusedCell]
    moved: int


@dataclass(frozen=True, slots=True)
class _Known:
    """What the database holds of the customers of a file."""

    rows: Mapping[str, Customer]
    contacts: Mapping[UUID, Sequence[CustomerContact]]
    covers: Mapping[UUID, Sequence[CustomerCover]]


def import_limits() -> Limits:
    """How large a file of customers may be."""
    limits = data_file("customers.toml")["import"]
    return Limits(limits["bytes"], limits["unpacked_bytes"], limits["rows"])


def import_shown() -> int:
    """How many changes, and how many refused rows, a report lists."""
    return int(data_file("customers.toml")["import"]["shown"])


def import_customers(
    session: Session, data: bytes, law: StatutoryTerms, *, dry_run: bool, by: str, now: datetime
) -> ImportResult:
    """Take the rows of a file that can be taken, and name the others; taken again, it changes nothing.

    `law`: what agreed terms are compared with. `by`: who gave the file, for the ledger.
    Raises UnreadableCustomerFileError when nothing of it can be read.
    """
    people = dict(session.exec(select(User.id, User.email)).all())
    read = read_customers(read_table(data, import_limits()), {email: user_id for user_id, email in people.items()})
    if not dry_run:
        take_turn(session)
    known = _known(session, read)
    changes = [
        change_of(
            told,
            row,
            known.contacts.get(row.id, ()) if row else (),
            known.covers.get(row.id, ()) if row else (),
            people=people,
            on=paris_date(now),
            law=law,
        )
        for told, row in ((each, known.rows.get(each.key)) for each in read.customers.values())
    ]
    moved = 0 if dry_run else _write(session, read, changes, known, by, now)
    counts = {kind: sum(change.kind is kind for change in changes) for kind in ChangeKind}
    return ImportResult(
        written=not dry_run,
        rows=read.rows,
        counts=counts,
        changes=[change for change in changes if change.kind is not ChangeKind.UNCHANGED],
        refused=read.refused,
        moved=moved,
    )


def _known(session: Session, read: ReadFile) -> _Known:
    rows = customers_by_key(session, list(read.customers))
    ids = [row.id for row in rows.values()]
    return _Known(rows, contact_rows(session, ids), cover_rows(session, ids))


def _write(
    session: Session, read: ReadFile, changes: Sequence[CustomerChange], known: _Known, by: str, now: datetime
) -> int:
    facts = []
    made: list[Customer] = []
    for change in changes:
        if change.kind is ChangeKind.UNCHANGED:
            continue
        told = read.customers[change.key]
        row = known.rows.get(change.key) or _made(session, told, now)
        if change.kind is ChangeKind.CREATED:
            made.append(row)
        for field in change.fields:
            setattr(row, field.field, told.fields[field.field])
        row.updated_at = now
        facts.append((f"customer:{row.key}", {"by": by, **_told(change)}))
    session.add_all(known.rows.values())
    session.add_all(made)
    session.flush()
    rows = {**known.rows, **{row.key: row for row in made}}
    for change in changes:
        row = rows[change.key]
        for contact in change.contacts:
            keep_contact(session, row, contact, known.contacts.get(row.id, ()), now)
        for cover in change.covers:
            keep_cover(session, row, cover, known.covers.get(row.id, ()), by=by, now=now)
    append_all(session, at=now, kind="customer.imported", facts=facts)
    session.flush()
    return take_over_establishments(session) if made else 0


def _made(session: Session, told: ToldCustomer, now: datetime) -> Customer:
    return Customer(
        organisation_id=organisation_of(session),
        key=told.key,
        name=name_of_key(told.key),
        origin=CustomerOrigin.IMPORT.value,
        created_at=now,
        updated_at=now,
    )


def _told(change: CustomerChange) -> dict[str, object]:
    """A change as the ledger keeps it."""
    return {
        "change": change.kind.value,
        "fields": {each.field: {"before": each.before, "after": each.after} for each in change.fields},
        "contacts": [each.content for each in change.contacts],
        "covers": [each.content for each in change.covers],
    }
