"""Loads late invoices as interest sees them: what lowered them and when, which days bear nothing, who owes.

A credit note counts from its issue date on the invoices it names (BG-3), as far as it was neither refunded nor set
against something else, so that every amount counts once. A fixed number of statements, whatever the number of invoices.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from gateway.collection.agreements.model import Dispute, DisputeOutcome, Plan, PlanInvoice
from gateway.collection.agreements.money_rows import money_of
from gateway.collection.agreements.values import PlanState
from gateway.collection.law.model import Insolvency
from gateway.collection.law.penalties import Debt, Excluded, Movement
from gateway.collection.law.statute import DebtorKind
from gateway.customers.model import Customer, CustomerInvoice
from gateway.customers.payment_terms import TermKind, read_payment_terms
from gateway.customers.statutory_terms import StatutoryTerms
from gateway.kernel.clock import paris_date
from gateway.kernel.money import ZERO
from gateway.lifecycle.model import Direction, InvoiceRecord, PrecedingReference
from gateway.treasury.accounting.model import AccountingEntry
from gateway.treasury.allocating import undeclared
from gateway.treasury.definitions import definitions
from gateway.treasury.receipt_rows import parts_of_invoices
from gateway.treasury.write_off_rows import standing_of_invoices, written_off

#: Made available to the buyer: what a public buyer's term runs from.
_RECEIVED = "203"
#: Plans that were kept so far: one that was broken or called off suspends nothing any more.
_KEPT = (PlanState.ACTIVE.value, PlanState.DONE.value)


@dataclass(frozen=True, slots=True)
class LateInvoice:
    """A receivable with its customer, as the rules of this room see it.

    Attributes:
        due_date: BT-9, else the default term; of a public buyer, see `due_date_of_public`.
        insolvent_since: judgment that this debt is earlier than.
    """

    invoice: InvoiceRecord
    customer: Customer
    debt: Debt
    debtor: DebtorKind
    insolvent_since: date | None

    @property
    def due_date(self) -> date:
        """Last day to pay in time."""
        return self.debt.due_date


def debtor_kind(customer: Customer) -> DebtorKind:
    """Who owes, as the law tells debtors apart."""
    if customer.is_consumer:
        return DebtorKind.CONSUMER
    return DebtorKind.PUBLIC if customer.is_public else DebtorKind.BUSINESS


def due_date_of(invoice: InvoiceRecord) -> date:
    """BT-9, else the default term."""
    return invoice.due_date or invoice.issue_date + timedelta(days=definitions(invoice.issue_date).default_term_days)


def due_date_of_public(invoice: InvoiceRecord, customer: Customer, law: StatutoryTerms) -> date:
    """The last day of a public buyer: its term runs from the receipt of the invoice, whatever earlier BT-9 it bears.

    The receipt is the first 203 (mise à disposition); as long as none is known, BT-9 counts. The term is the one agreed
    with the buyer, else the usual one of the law (code de la commande publique, art. R2192-10 to R2192-12).
    """
    told = due_date_of(invoice)
    received = min((each["at"] for each in invoice.state.get("history", ()) if each["code"] == _RECEIVED), default=None)
    if received is None:
        return told
    day = paris_date(datetime.fromisoformat(received))
    agreed = read_payment_terms(customer.payment_terms) if customer.payment_terms else None
    usual = agreed.days if agreed and agreed.kind is TermKind.NET else min(law.public_on(day).days.values())
    return max(told, day + timedelta(days=usual))


def late_invoices(session: Session, invoices: Sequence[InvoiceRecord], law: StatutoryTerms) -> list[LateInvoice]:
    """These receivables, in their order; those without a customer are left out."""
    ids = [invoice.id for invoice in invoices]
    customers = _customers(session, ids)
    moves = _movements(session, invoices)
    excluded = _excluded(session, ids)
    judgments = _judgments(session, {customer.id for customer in customers.values()})
    found = []
    for invoice in invoices:
        customer = customers.get(invoice.id)
        if customer is None:
            continue
        judged = [*judgments.get(customer.id, ()), *([customer.insolvent_since] if customer.insolvent_since else [])]
        barred = [day for day in judged if invoice.issue_date <= day]
        since = min(barred, default=None)
        out = [*excluded.get(invoice.id, ()), *([Excluded(since, None)] if since else [])]
        if invoice.is_closed:  # rejected, cancelled or refused: nothing is owed
            out.append(Excluded(invoice.issue_date, None))
        debtor = debtor_kind(customer)
        is_public = debtor is DebtorKind.PUBLIC
        due_date = due_date_of_public(invoice, customer, law) if is_public else due_date_of(invoice)
        debt = Debt(invoice.amount_due, due_date, tuple(moves.get(invoice.id, ())), tuple(out))
        found.append(LateInvoice(invoice, customer, debt, debtor, since))
    return found


def _customers(session: Session, ids: Collection[UUID]) -> dict[UUID, Customer]:
    rows = session.exec(
        select(CustomerInvoice.invoice_id, Customer)
        .join(Customer, col(Customer.id) == CustomerInvoice.customer_id)
        .where(_among(CustomerInvoice.invoice_id, ids))
    )
    return dict(rows.all())


def _movements(session: Session, invoices: Sequence[InvoiceRecord]) -> dict[UUID, list[Movement]]:
    """Money, credit notes, what is written off, and discounts granted with a 212, which never bore interest."""
    moves: dict[UUID, list[Movement]] = {}
    for invoice_id, lost in standing_of_invoices(session, [invoice.id for invoice in invoices]).items():
        moves[invoice_id] = [Movement(each.written_off_on, each.amount) for each in lost]
    for money in money_of(session, [invoice.id for invoice in invoices]):
        moves.setdefault(money.invoice_id, []).append(Movement(money.on, money.amount))
    for invoice_id, move in _credited(session, invoices):
        moves.setdefault(invoice_id, []).append(move)
    for invoice in invoices:
        if granted := Decimal(invoice.state.get("granted", 0)):
            moves.setdefault(invoice.id, []).append(Movement(invoice.issue_date, granted))
    return moves


def _credited(session: Session, invoices: Sequence[InvoiceRecord]) -> Iterator[tuple[UUID, Movement]]:
    """Credit notes that name an invoice, each shared out over the invoices it names, the first due first."""
    wanted = {invoice.id for invoice in invoices}
    named = aliased(InvoiceRecord)
    rows = session.exec(
        select(InvoiceRecord, named)
        .join(PrecedingReference, col(PrecedingReference.invoice_id) == InvoiceRecord.id)
        .join(
            named,
            and_(
                col(named.number) == PrecedingReference.number,
                or_(col(PrecedingReference.year) == 0, col(PrecedingReference.year) == named.year),
                col(named.seller_siren) == InvoiceRecord.seller_siren,
                col(named.direction) == InvoiceRecord.direction,
                col(named.currency) == InvoiceRecord.currency,
            ),
        )
        .where(
            col(InvoiceRecord.direction) == Direction.RECEIVABLE.value,
            col(InvoiceRecord.amount_due) < 0,
            col(InvoiceRecord.is_closed).is_(False),
            col(named.amount_due) > 0,
            col(PrecedingReference.number).in_({invoice.number for invoice in invoices}),
        )
    ).all()
    credits = {credit.id: credit for credit, _ in rows}
    parts, lost = parts_of_invoices(session, credits), written_off(session, credits)
    targets: dict[UUID, list[InvoiceRecord]] = {}
    for credit, invoice in rows:
        targets.setdefault(credit.id, []).append(invoice)
    for credit_id, named_ones in targets.items():
        credit = credits[credit_id]
        left = -credit.remaining + sum(undeclared(parts.get(credit_id, ())).values(), ZERO) + lost.get(credit_id, ZERO)
        for invoice in sorted(named_ones, key=lambda each: (due_date_of(each), each.number, str(each.id))):
            share = min(left, invoice.amount_due)
            if share > 0 and invoice.id in wanted:
                yield invoice.id, Movement(credit.issue_date, share)
            left -= max(share, ZERO)


def _excluded(session: Session, ids: Collection[UUID]) -> dict[UUID, list[Excluded]]:
    """Disputes that are open or were founded, and plans that suspend interest."""
    found: dict[UUID, list[Excluded]] = {}
    disputes = session.exec(select(Dispute).where(_among(Dispute.invoice_id, ids)))
    for dispute in disputes:
        if dispute.outcome != DisputeOutcome.REFUSED.value:
            span = Excluded(dispute.opened_on, dispute.closed_on, dispute.amount)
            found.setdefault(dispute.invoice_id, []).append(span)
    for invoice_id, made_at in _suspended(session, ids):
        found.setdefault(invoice_id, []).append(Excluded(paris_date(made_at), None))
    return found


def _suspended(session: Session, ids: Collection[UUID]) -> Iterator[tuple[UUID, datetime]]:
    """When plans began that suspend the interest of invoices, also of those that the books alone knew then."""
    suspending = (col(Plan.suspends_penalties), col(Plan.state).in_(_KEPT))
    named = (
        select(PlanInvoice.invoice_id, Plan.made_at)
        .join(Plan, col(Plan.id) == PlanInvoice.plan_id)
        .where(_among(PlanInvoice.invoice_id, ids), *suspending)
    )
    arrived = (
        select(AccountingEntry.invoice_id, Plan.made_at)
        .join(PlanInvoice, col(PlanInvoice.entry_id) == AccountingEntry.id)
        .join(Plan, col(Plan.id) == PlanInvoice.plan_id)
        .where(col(PlanInvoice.entry_id).is_not(None), _among(AccountingEntry.invoice_id, ids), *suspending)
    )
    for invoice_id, made_at in (*session.exec(named), *session.exec(arrived)):
        if invoice_id is not None:
            yield invoice_id, made_at


def _judgments(session: Session, customer_ids: Collection[UUID]) -> Mapping[UUID, list[date]]:
    found: dict[UUID, list[date]] = {}
    for row in session.exec(select(Insolvency).where(_among(Insolvency.customer_id, customer_ids))):
        found.setdefault(row.customer_id, []).append(row.judgment_on)
    return found


def _among(column: object, ids: Collection[UUID]) -> ColumnElement[bool]:
    return col(column) == func.any(list(ids))
