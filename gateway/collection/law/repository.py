"""Queries of penalties, claims, insolvencies, hand-overs and order blocks.

The database keeps organisations apart; a `Scope` narrows what a person sees further.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, true
from sqlmodel import Session, col, select

from gateway.access.scope import Scope
from gateway.collection.law.errors import LegalFactNotFoundError, NotAReceivableError, PenaltyNotFoundError
from gateway.collection.law.model import (
    AgreedRate,
    ClaimAct,
    ClaimEnding,
    HandOver,
    HandOverInvoice,
    Insolvency,
    OrderBlock,
    OrderThresholds,
    Penalty,
    PenaltyChoice,
    PenaltyWaiver,
    Treatment,
)
from gateway.customers.model import Customer, CustomerInvoice
from gateway.customers.repository import find_customer
from gateway.database.columns import IdentifiedRow
from gateway.database.paging import Page, SortKey, fetch_page
from gateway.kernel.money import ZERO
from gateway.lifecycle.model import Direction, InvoiceRecord
from gateway.lifecycle.repository import invoice_by_id, visible_invoices
from gateway.treasury.model import Receipt, ReceiptAllocation, ReceiptUse
from gateway.treasury.write_off_rows import invoices_lost, settled_by_invoice

PENALTY = "penalty"
_BY_DUE_DATE = (
    SortKey(func.coalesce(col(InvoiceRecord.due_date), col(InvoiceRecord.issue_date)), date.fromisoformat),
    SortKey(col(InvoiceRecord.id), UUID),
)

_Row = TypeVar("_Row", bound=IdentifiedRow)


@dataclass(frozen=True, slots=True)
class Lowered:
    """What is not asked for any more of a claim: given up, and corrected because it never was due."""

    waived: Decimal = ZERO
    corrected: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class InLitigation:
    """What is handed over: whole customers, and single invoices."""

    customers: frozenset[UUID]
    invoices: frozenset[UUID]


def receivable_by_id(session: Session, scope: Scope, invoice_id: UUID) -> InvoiceRecord:
    """One invoice of ours. Raises InvoiceNotFoundError, NotAReceivableError."""
    invoice = invoice_by_id(session, scope, invoice_id)
    if invoice.direction != Direction.RECEIVABLE or invoice.amount_due <= 0:
        raise NotAReceivableError(invoice.number)
    return invoice


def customer_of(session: Session, invoice: InvoiceRecord) -> Customer:
    """Who owes an invoice. Raises NotAReceivableError when nobody is known to."""
    mine = select(CustomerInvoice.customer_id).where(CustomerInvoice.invoice_id == invoice.id)
    found = session.exec(select(Customer).where(col(Customer.id).in_(mine))).one_or_none()
    if found is None:
        raise NotAReceivableError(invoice.number)
    return found


def due_invoices(
    session: Session,
    scope: Scope,
    until: date,
    *,
    customer_id: UUID | None = None,
    cursor: str | None = None,
    limit: int = 50,
) -> Page[InvoiceRecord]:
    """Invoices of ours that stand and were due before a day, paid or not, the longest due first.

    Raises InvalidCursorError.
    """
    statement = select(InvoiceRecord).where(
        visible_invoices(scope),
        InvoiceRecord.direction == Direction.RECEIVABLE.value,
        InvoiceRecord.amount_due > 0,
        col(InvoiceRecord.is_closed).is_(False),
        func.coalesce(col(InvoiceRecord.due_date), col(InvoiceRecord.issue_date)) < until,
    )
    if customer_id is not None:
        mine = select(CustomerInvoice.invoice_id).where(CustomerInvoice.customer_id == customer_id)
        statement = statement.where(col(InvoiceRecord.id).in_(mine))
    return fetch_page(session, statement, _BY_DUE_DATE, cursor=cursor, limit=limit)


def paid_late(session: Session, after: UUID | None, limit: int) -> list[InvoiceRecord]:
    """Invoices paid late, maybe, for which nothing was claimed although someone chose to claim penalties: one page.

    A small difference written off counts as paid; an invoice written off as a bad debt was not paid.
    `after`: the last identifier of the page before.
    """
    everyone = col(PenaltyChoice.customer_id).is_(None) & col(PenaltyChoice.invoice_id).is_(None)
    concerns = or_(
        col(PenaltyChoice.invoice_id) == InvoiceRecord.id,
        col(PenaltyChoice.customer_id) == CustomerInvoice.customer_id,
        everyone,
    )
    chosen = select(PenaltyChoice.id).where(PenaltyChoice.treatment == Treatment.CLAIMED.value)
    if session.exec(chosen.limit(1)).first() is None:
        return []
    claimed = select(Penalty.id).where(Penalty.invoice_id == InvoiceRecord.id)
    due = func.coalesce(col(InvoiceRecord.due_date), col(InvoiceRecord.issue_date))
    came_late = (
        select(ReceiptAllocation.id)
        .join(Receipt, col(Receipt.id) == ReceiptAllocation.receipt_id)
        .where(ReceiptAllocation.invoice_id == InvoiceRecord.id, col(Receipt.received_on) > due)
    )
    settled = settled_by_invoice()
    return list(
        session.exec(
            select(InvoiceRecord)
            .join(CustomerInvoice, col(CustomerInvoice.invoice_id) == InvoiceRecord.id)
            .outerjoin(settled, settled.c.invoice_id == InvoiceRecord.id)
            .where(
                InvoiceRecord.direction == Direction.RECEIVABLE.value,
                InvoiceRecord.amount_due > 0,
                col(InvoiceRecord.is_closed).is_(False),
                col(InvoiceRecord.remaining) <= func.coalesce(settled.c.amount, ZERO),
                col(InvoiceRecord.id).not_in(invoices_lost()),
                or_(func.date(InvoiceRecord.status_at) > due, came_late.exists()),
                chosen.where(concerns).exists(),
                ~claimed.exists(),
                col(InvoiceRecord.id) > after if after else true(),
            )
            .order_by(col(InvoiceRecord.id))
            .limit(limit)
        )
    )


def penalties_of(session: Session, invoice_ids: Collection[UUID]) -> dict[UUID, list[Penalty]]:
    """What was claimed for each invoice, the first claim first."""
    rows = session.exec(select(Penalty).where(_among(Penalty.invoice_id, invoice_ids)).order_by(col(Penalty.number)))
    found: dict[UUID, list[Penalty]] = {}
    for row in rows:
        found.setdefault(row.invoice_id, []).append(row)
    return found


def penalty_by_id(session: Session, scope: Scope, penalty_id: UUID) -> Penalty:
    """One claimed penalty. Raises PenaltyNotFoundError, also when its invoice lies outside the scope."""
    found = session.exec(
        select(Penalty)
        .join(InvoiceRecord, col(InvoiceRecord.id) == Penalty.invoice_id)
        .where(Penalty.id == penalty_id, visible_invoices(scope))
    ).one_or_none()
    if found is None:
        raise PenaltyNotFoundError(penalty_id)
    return found


def paid_of_penalties(session: Session, penalty_ids: Collection[UUID]) -> dict[UUID, Decimal]:
    """The money that pays each penalty; that of a receipt that was undone does not."""
    undone = select(Receipt.reverses_id).where(col(Receipt.reverses_id).is_not(None))
    rows = session.exec(
        select(ReceiptUse.purpose_id, func.sum(ReceiptUse.amount))
        .where(
            ReceiptUse.purpose == PENALTY,
            _among(ReceiptUse.purpose_id, penalty_ids),
            col(ReceiptUse.receipt_id).not_in(undone),
        )
        .group_by(col(ReceiptUse.purpose_id))
    )
    return {penalty_id: Decimal(amount) for penalty_id, amount in rows}


def receipts_of_penalty(session: Session, penalty_id: UUID) -> list[tuple[UUID, Decimal]]:
    """The receipts that pay a penalty and were not undone, with what each pays of it, the last one to pay first."""
    undone = select(Receipt.reverses_id).where(col(Receipt.reverses_id).is_not(None))
    paid = func.sum(ReceiptUse.amount)
    rows = session.exec(
        select(ReceiptUse.receipt_id, paid)
        .where(
            ReceiptUse.purpose == PENALTY,
            ReceiptUse.purpose_id == penalty_id,
            col(ReceiptUse.receipt_id).not_in(undone),
        )
        .group_by(col(ReceiptUse.receipt_id))
        .having(paid > 0)
        .order_by(func.max(ReceiptUse.used_at).desc(), col(ReceiptUse.receipt_id))
    )
    return [(receipt_id, Decimal(amount)) for receipt_id, amount in rows]


def lowered_of_penalties(session: Session, penalty_ids: Collection[UUID]) -> dict[UUID, Lowered]:
    """What is not asked for any more of each penalty of which that holds."""
    rows = session.exec(
        select(PenaltyWaiver.penalty_id, PenaltyWaiver.corrects, func.sum(PenaltyWaiver.amount))
        .where(_among(PenaltyWaiver.penalty_id, penalty_ids))
        .group_by(col(PenaltyWaiver.penalty_id), col(PenaltyWaiver.corrects))
    )
    found: dict[UUID, Lowered] = {}
    for penalty_id, corrects, amount in rows:
        each = found.get(penalty_id, Lowered())
        found[penalty_id] = replace(each, **{"corrected" if corrects else "waived": Decimal(amount)})
    return found


def claimed_invoices(
    session: Session, after: UUID | None, limit: int, touched: ColumnElement[bool]
) -> list[InvoiceRecord]:
    """Invoices for which something was claimed: one page; `after`: the last identifier of the page before.

    `touched`: of which of them.
    """
    return list(
        session.exec(
            select(InvoiceRecord)
            .where(
                col(InvoiceRecord.id).in_(select(Penalty.invoice_id)),
                touched,
                col(InvoiceRecord.id) > after if after else true(),
            )
            .order_by(col(InvoiceRecord.id))
            .limit(limit)
        )
    )


def choices_for(session: Session, customer_ids: Collection[UUID], invoice_ids: Collection[UUID]) -> list[PenaltyChoice]:
    """The choices that touch these customers and invoices, and those of the organisation, the oldest first."""
    everyone = col(PenaltyChoice.customer_id).is_(None) & col(PenaltyChoice.invoice_id).is_(None)
    return list(
        session.exec(
            select(PenaltyChoice)
            .where(
                or_(
                    everyone,
                    _among(PenaltyChoice.customer_id, customer_ids),
                    _among(PenaltyChoice.invoice_id, invoice_ids),
                )
            )
            .order_by(col(PenaltyChoice.decided_at), col(PenaltyChoice.id))
        )
    )


def agreed_rates_for(session: Session, customer_ids: Collection[UUID]) -> list[AgreedRate]:
    """The rates agreed with these customers and those of the organisation, in the order they begin, then were told."""
    mine = or_(col(AgreedRate.customer_id).is_(None), _among(AgreedRate.customer_id, customer_ids))
    order = (col(AgreedRate.valid_from), col(AgreedRate.recorded_at), col(AgreedRate.id))
    return list(session.exec(select(AgreedRate).where(mine).order_by(*order)))


def acts_of(session: Session, invoice_ids: Collection[UUID]) -> dict[UUID, list[ClaimAct]]:
    """What happened to each claim, the oldest first."""
    rows = session.exec(
        select(ClaimAct)
        .where(_among(ClaimAct.invoice_id, invoice_ids))
        .order_by(col(ClaimAct.on_day), col(ClaimAct.recorded_at), col(ClaimAct.id))
    )
    found: dict[UUID, list[ClaimAct]] = {}
    for row in rows:
        found.setdefault(row.invoice_id, []).append(row)
    return found


def endings_of(session: Session, acts: Collection[ClaimAct]) -> dict[UUID, list[ClaimEnding]]:
    """How the proceedings of these acts ended, as it was told: the last one counts."""
    rows = session.exec(
        select(ClaimEnding)
        .where(_among(ClaimEnding.act_id, [act.id for act in acts]))
        .order_by(col(ClaimEnding.number))
    )
    found: dict[UUID, list[ClaimEnding]] = {}
    for row in rows:
        found.setdefault(row.act_id, []).append(row)
    return found


def act_by_id(session: Session, scope: Scope, act_id: UUID) -> ClaimAct:
    """One act, kept from other writers. Raises LegalFactNotFoundError, also when its invoice is outside the scope."""
    act = _locked(session, ClaimAct, act_id)
    seen = select(InvoiceRecord.id).where(InvoiceRecord.id == act.invoice_id, visible_invoices(scope))
    if session.exec(seen).first() is None:
        raise LegalFactNotFoundError(act_id)
    return act


def insolvencies_of(session: Session, customer_id: UUID) -> list[Insolvency]:
    """The proceedings of a customer, the latest first."""
    order = (col(Insolvency.judgment_on).desc(), col(Insolvency.id))
    return list(session.exec(select(Insolvency).where(Insolvency.customer_id == customer_id).order_by(*order)))


def insolvency_by_id(session: Session, scope: Scope, insolvency_id: UUID) -> Insolvency:
    """One insolvency, kept from other writers. Raises LegalFactNotFoundError, CustomerNotFoundError."""
    found = _locked(session, Insolvency, insolvency_id)
    find_customer(session, scope, str(found.customer_id))
    return found


def in_litigation(session: Session, customer_ids: Collection[UUID] | None = None) -> InLitigation:
    """What is handed over and not closed, of these customers, of all when None; in two statements."""
    still: list[ColumnElement[bool]] = [col(HandOver.closed_on).is_(None)]
    if customer_ids is not None:
        still.append(_among(HandOver.customer_id, customer_ids))
    whole = session.exec(select(HandOver.customer_id).where(*still, col(HandOver.whole_customer)))
    single = session.exec(
        select(HandOverInvoice.invoice_id)
        .join(HandOver, col(HandOver.id) == HandOverInvoice.hand_over_id)
        .where(*still)
    )
    return InLitigation(frozenset(whole), frozenset(single))


def hand_overs_of(session: Session, scope: Scope, customer_id: UUID) -> list[HandOver]:
    """The hand-overs of a customer of which something may be seen, the latest first."""
    order = (col(HandOver.handed_on).desc(), col(HandOver.id))
    mine = select(HandOver).where(HandOver.customer_id == customer_id, _visible_hand_overs(scope))
    return list(session.exec(mine.order_by(*order)))


def hand_over_by_id(session: Session, scope: Scope, hand_over_id: UUID, *, lock: bool = False) -> HandOver:
    """One hand-over, kept from other writers when `lock`. Raises LegalFactNotFoundError, CustomerNotFoundError.

    Neither tells of a case of which nothing may be seen.
    """
    seen = session.exec(select(HandOver.id).where(HandOver.id == hand_over_id, _visible_hand_overs(scope))).first()
    if seen is None:
        raise LegalFactNotFoundError(hand_over_id)
    found = _locked(session, HandOver, hand_over_id) if lock else session.get_one(HandOver, hand_over_id)
    find_customer(session, scope, str(found.customer_id))
    return found


def _visible_hand_overs(scope: Scope) -> ColumnElement[bool]:
    """Of a whole customer, by who sees the customer; else by who sees one of its invoices."""
    invoices = (
        select(HandOverInvoice.hand_over_id)
        .join(InvoiceRecord, col(InvoiceRecord.id) == HandOverInvoice.invoice_id)
        .where(visible_invoices(scope))
    )
    return true() if scope.is_everything else or_(col(HandOver.whole_customer), col(HandOver.id).in_(invoices))


def invoices_of_hand_over(session: Session, scope: Scope, hand_over_id: UUID) -> list[InvoiceRecord]:
    """The invoices of a hand-over that may be seen, in the order of their issue."""
    return list(
        session.exec(
            select(InvoiceRecord)
            .join(HandOverInvoice, col(HandOverInvoice.invoice_id) == InvoiceRecord.id)
            .where(HandOverInvoice.hand_over_id == hand_over_id, visible_invoices(scope))
            .order_by(col(InvoiceRecord.issue_date), col(InvoiceRecord.number), col(InvoiceRecord.id))
        )
    )


def order_block_of(session: Session, customer_id: UUID, *, lock: bool = False) -> OrderBlock | None:
    """The block in force, kept from other writers when `lock`."""
    statement = select(OrderBlock).where(OrderBlock.customer_id == customer_id, col(OrderBlock.lifted_at).is_(None))
    return session.exec(statement.with_for_update() if lock else statement).one_or_none()


def order_thresholds(session: Session) -> Sequence[OrderThresholds]:
    """The organisation's own thresholds, in the order they begin, then were told."""
    order = (col(OrderThresholds.valid_from), col(OrderThresholds.recorded_at), col(OrderThresholds.id))
    return session.exec(select(OrderThresholds).order_by(*order)).all()


def _locked(session: Session, table: type[_Row], identifier: UUID) -> _Row:
    found = session.exec(
        select(table).where(table.id == identifier).with_for_update().execution_options(populate_existing=True)
    ).one_or_none()
    if found is None:
        raise LegalFactNotFoundError(identifier)
    return found


def _among(column: object, ids: Collection[UUID]) -> ColumnElement[bool]:
    return col(column) == func.any(list(ids))
