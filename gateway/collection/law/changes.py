"""Which claimed invoices to count again: those of which the ledger says that something happened since the last look.

Everything that can lower what is due of an invoice is an entry: about the invoice (money, a status, what is given up),
a credit note that names it, a dispute, a plan, its customer (terms, rate, judgment), or the organisation (our rate).
Time alone only adds to it. Counting a thousand takes a second; so all are counted once a day only, and after a start.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from sqlalchemy import ColumnElement, Text, cast, func, or_, true
from sqlmodel import Session, col, select

from gateway.alerts.model import Alert
from gateway.alerts.repository import UNSETTLED
from gateway.collection.agreements.model import Dispute, Plan
from gateway.collection.law.statute import Statute
from gateway.collection.law.warning import EXCESS
from gateway.customers.model import Customer, CustomerInvoice
from gateway.ledger.model import LedgerEntry, LedgerHead
from gateway.lifecycle.model import InvoiceRecord, PrecedingReference

_ORGANISATION = "organisation"
_FAMILIES = ("invoice", "dispute", "plan", "customer")


@dataclass(frozen=True, slots=True)
class Look:
    """When a process last looked at an organisation's claims, under which law, and how far its ledger went then."""

    on: date
    law: Statute
    position: int


@dataclass(slots=True)
class Looks:
    """The last look of this process at each organisation."""

    last: dict[UUID, Look] = field(default_factory=dict)

    def since(self, organisation_id: UUID, look: Look) -> int | None:
        """How far the ledger went at the last look; None when everything is to be looked at."""
        before = self.last.get(organisation_id)
        return before.position if before and (before.on, before.law) == (look.on, look.law) else None


def look_of(session: Session, on: date, law: Statute) -> Look:
    """A look that begins now."""
    return Look(on, law, session.exec(select(LedgerHead.position)).one_or_none() or 0)


def touched_since(session: Session, position: int | None) -> ColumnElement[bool]:
    """The condition under which an invoice is to be counted again; `position`: see `Looks.since`."""
    if position is None:
        return true()
    about = _subjects_since(session, position)
    if about[_ORGANISATION]:
        return true()
    numbers = {written.rsplit("/", 2)[0] for written in about["invoice"]}
    named = select(PrecedingReference.number).join(
        InvoiceRecord, col(InvoiceRecord.id) == PrecedingReference.invoice_id
    )
    credited = session.exec(named.where(col(InvoiceRecord.number) == func.any(list(numbers))))
    disputed = select(Dispute.invoice_id).where(cast(col(Dispute.id), Text) == func.any(list(about["dispute"])))
    planned = select(Plan.customer_id).where(cast(col(Plan.id), Text) == func.any(list(about["plan"])))
    changed = list(about["customer"])  # by identifier, or by key
    theirs = select(Customer.id).where(
        or_(cast(col(Customer.id), Text) == func.any(changed), col(Customer.key) == func.any(changed))
    )
    of_customers = select(CustomerInvoice.invoice_id).where(
        or_(col(CustomerInvoice.customer_id).in_(planned), col(CustomerInvoice.customer_id).in_(theirs))
    )
    told = select(Alert.invoice_id).where(
        Alert.condition == EXCESS, col(Alert.state).in_([state.value for state in UNSETTLED])
    )
    return or_(
        col(InvoiceRecord.number) == func.any([*numbers, *credited]),
        col(InvoiceRecord.id).in_(disputed),
        col(InvoiceRecord.id).in_(of_customers),
        col(InvoiceRecord.id).in_(told),
    )


def _subjects_since(session: Session, position: int) -> dict[str, set[str]]:
    """What the entries after a place are about, by family."""
    rows: Iterable[str] = session.exec(
        select(LedgerEntry.subject)
        .where(
            col(LedgerEntry.position) > position,
            or_(
                col(LedgerEntry.subject) == _ORGANISATION,
                *(col(LedgerEntry.subject).startswith(f"{family}:") for family in _FAMILIES),
            ),
        )
        .distinct()
    )
    found: dict[str, set[str]] = {family: set() for family in (*_FAMILIES, _ORGANISATION)}
    for subject in rows:
        family, _, what = subject.partition(":")
        found[family].add(what or family)
    return found
