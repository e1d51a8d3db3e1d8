"""What an invoice corrects and what corrects it, by the references that invoices carry (BT-25, BT-26).

A credit note, a corrected invoice and a final invoice all refer to what came before; the type code (BT-3) of each tells
which it is. Only invoices of one seller and one direction are linked.
"""

from collections.abc import Callable, Collection, Iterable
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy import ColumnElement, and_, func, or_
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from gateway.access.scope import Scope
from gateway.kernel.text import Text
from gateway.lifecycle.correlation import normalised_number
from gateway.lifecycle.labels import current_status
from gateway.lifecycle.model import InvoiceRecord, PrecedingReference

#: The two ends of a reference. Made once: an alias learns its columns again each time it is made.
_NEAR, _FAR = aliased(InvoiceRecord, name="near"), aliased(InvoiceRecord, name="far")
_REFERENCE = aliased(PrecedingReference, name="reference")
#: The far end of a reference: number of the near invoice, number of the far one, the far one when it is followed here.
_Link = tuple[str, str, InvoiceRecord | None]


class LinkedInvoice(BaseModel):
    """An invoice at the other end of a reference, and where it stands.

    Attributes:
        number: BT-1 of it.
        through: BT-1 of the invoice that links it to the one asked for; that one itself for a direct link.
        invoice_id, type_code (BT-3), issue_date (BT-2), total_with_vat (BT-112), currency (BT-5): None when no such
            invoice is followed here, or when the asker may not see it.
        status, status_label: current status (MDT-105); None before the first.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: str
    through: str
    invoice_id: UUID | None = None
    type_code: str | None = None
    issue_date: date | None = None
    total_with_vat: Decimal | None = None
    currency: str | None = None
    status: str | None = None
    status_label: Text | None = None


def references_of(invoice: InvoiceRecord, preceding: Iterable[tuple[str, date | None]]) -> list[PrecedingReference]:
    """The rows of what an invoice refers to, each once; `preceding`: BT-25 and BT-26 of each BG-3."""
    named = {(normalised_number(number), issued.year if issued else 0) for number, issued in preceding}
    return [
        PrecedingReference(organisation_id=invoice.organisation_id, invoice_id=invoice.id, number=number, year=year)
        for number, year in sorted(named)
        if number
    ]


def corrected_by_it(session: Session, scope: Scope, invoice: InvoiceRecord) -> tuple[LinkedInvoice, ...]:
    """What an invoice refers to, and what that refers to in turn, the nearest first.

    A number is told even when no invoice of the scope bears it: the document itself names it.
    """
    return _chain(invoice, lambda nearer: _referred_to(session, scope, nearer))


def corrections_of(session: Session, scope: Scope, invoice: InvoiceRecord) -> tuple[LinkedInvoice, ...]:
    """The invoices of the scope that refer to this one, and those that refer to them in turn, the nearest first."""
    return _chain(invoice, lambda nearer: _referring_to(session, scope, nearer))


def credits_of(session: Session, invoice_ids: Collection[UUID]) -> dict[UUID, list[tuple[datetime, Decimal]]]:
    """When each credit note that refers to these invoices came, and its amount, positive, with VAT.

    Only those that stand, and that refer to one invoice alone: of another one it cannot be told what it credits.
    """
    near, far = _NEAR, _FAR
    references = select(func.count()).where(_REFERENCE.invoice_id == near.id).scalar_subquery()
    rows = session.exec(
        select(far.id, near)
        .join(PrecedingReference, col(PrecedingReference.number) == far.number)
        .join(near, and_(col(PrecedingReference.invoice_id) == near.id, _refers(near, far)))
        .where(
            col(far.id) == func.any(list(invoice_ids)),
            col(near.total_with_vat) < 0,
            col(near.is_closed).is_(False),
            references == 1,
        )
        .order_by(col(near.received_at), col(near.id))
    )
    found: dict[UUID, list[tuple[datetime, Decimal]]] = {}
    for invoice_id, note in rows:
        found.setdefault(invoice_id, []).append((note.received_at, -note.total_with_vat))
    return found


def _chain(invoice: InvoiceRecord, further: Callable[[list[UUID]], Iterable[_Link]]) -> tuple[LinkedInvoice, ...]:
    """Follow the references away from an invoice. Each invoice comes once, so that a circle of references ends."""
    seen, nearer, links = {invoice.id}, [invoice.id], list[LinkedInvoice]()
    while nearer:
        next_ids = list[UUID]()
        for through, number, far in further(nearer):
            if far is None:
                links.append(LinkedInvoice(number=number, through=through))
            elif far.id not in seen:
                seen.add(far.id)
                next_ids.append(far.id)
                links.append(_linked(through, far))
        nearer = next_ids
    return tuple(links)


def _referred_to(session: Session, scope: Scope, invoice_ids: list[UUID]) -> Iterable[_Link]:
    near, far = _NEAR, _FAR
    rows = session.exec(
        select(near.number, PrecedingReference.number, far)
        .join(PrecedingReference, col(PrecedingReference.invoice_id) == near.id)
        .join(far, and_(_refers(near, far), scope.condition(far.agency_id, far.buyer_siren)), isouter=True)
        .where(col(near.id).in_(invoice_ids))
        .order_by(col(near.issue_date).desc(), col(PrecedingReference.number), col(far.issue_date))
    )
    return ((through, number, found) for through, number, found in rows)


def _referring_to(session: Session, scope: Scope, invoice_ids: list[UUID]) -> Iterable[_Link]:
    near, far = _NEAR, _FAR
    rows = session.exec(
        select(far.number, near)
        .join(PrecedingReference, col(PrecedingReference.number) == far.number)
        .join(near, and_(col(PrecedingReference.invoice_id) == near.id, _refers(near, far)))
        .where(col(far.id).in_(invoice_ids), scope.condition(near.agency_id, near.buyer_siren))
        .order_by(col(near.issue_date), col(near.number))
    )
    return ((through, found.number, found) for through, found in rows)


def _refers(referring: type[InvoiceRecord], referred: type[InvoiceRecord]) -> ColumnElement[bool]:
    """A reference names that invoice: same seller and direction, its number, and its year unless none is told."""
    return and_(
        col(PrecedingReference.number) == referred.number,
        or_(col(PrecedingReference.year) == 0, col(PrecedingReference.year) == referred.year),
        col(referring.organisation_id) == referred.organisation_id,
        col(referring.direction) == referred.direction,
        col(referring.seller_siren) == referred.seller_siren,
        col(referring.id) != referred.id,
    )


def _linked(through: str, invoice: InvoiceRecord) -> LinkedInvoice:
    standing = current_status(invoice)
    return LinkedInvoice(
        number=invoice.number,
        through=through,
        invoice_id=invoice.id,
        type_code=invoice.type_code,
        issue_date=invoice.issue_date,
        total_with_vat=invoice.total_with_vat,
        currency=invoice.currency,
        status=invoice.status,
        status_label=standing.label if standing else None,
    )
