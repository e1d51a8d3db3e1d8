"""Claimed penalties as receivables of their own, apart from the principal."""

from collections.abc import Collection, Iterator
from uuid import UUID

from sqlmodel import Session, col, select

from gateway.access.scope import Scope
from gateway.collection.law.model import Penalty
from gateway.collection.law.positions import standing_of
from gateway.kernel.clock import paris_date
from gateway.lifecycle.model import InvoiceRecord
from gateway.lifecycle.repository import visible_invoices
from gateway.treasury.receivables import Item, ItemKind


def penalty_items(session: Session, scope: Scope, customer_ids: Collection[UUID] | None = None) -> Iterator[Item]:
    """What is left of each claim that may be seen, of these customers or of all; due since the day it was claimed."""
    statement = (
        select(Penalty, InvoiceRecord.number, InvoiceRecord.agency_id, InvoiceRecord.seller_siren)
        .join(InvoiceRecord, col(InvoiceRecord.id) == Penalty.invoice_id)
        .where(visible_invoices(scope))
    )
    if customer_ids is not None:
        statement = statement.where(col(Penalty.customer_id).in_(list(customer_ids)))
    found = session.exec(statement).all()
    stands = standing_of(session, [penalty for penalty, *_ in found])
    for penalty, number, agency_id, seller in found:
        claimed = stands[penalty.id]
        if claimed.left:
            yield Item(
                kind=ItemKind.PENALTY,
                currency=penalty.currency,
                customer_id=penalty.customer_id,
                agency_id=agency_id,
                seller_siren=seller,
                invoice_id=penalty.invoice_id,
                receipt_id=None,
                number=number,
                due_date=paris_date(penalty.claimed_at),
                asked=claimed.asked,
                remaining=claimed.left,
                issues=None,
                penalty_id=penalty.id,
            )
