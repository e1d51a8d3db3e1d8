"""Hand invoices over to litigation, which stops their reminders; close the case; say what is missing before."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from uuid import UUID

from sqlmodel import Session, col, func, select

from gateway.access.scope import Scope
from gateway.collection.agreements.money_rows import owed_of
from gateway.collection.agreements.repository import disputes_of
from gateway.collection.law import repository
from gateway.collection.law.debts import due_date_of
from gateway.collection.law.errors import AlreadyInForceError, HandOverTooLargeError, LegalFactError
from gateway.collection.law.facts import require_not_to_come, require_order
from gateway.collection.law.formal_notice import (
    ClaimFacts,
    Readiness,
    ready_for_formal_notice,
    ready_for_hand_over,
)
from gateway.collection.law.insolvency import is_earlier_debt
from gateway.collection.law.model import ClaimStart, HandOver, HandOverInvoice
from gateway.collection.law.statute import Statute
from gateway.collection.model import Reminder, ReminderState
from gateway.collection.reminder_rows import lines_about
from gateway.customers.model import Customer, CustomerInvoice
from gateway.customers.repository import contact_rows, find_customer
from gateway.kernel.clock import paris_date
from gateway.kernel.money import ZERO
from gateway.kernel.text import Text
from gateway.ledger.service import append, take_turn
from gateway.lifecycle.model import InvoiceRecord
from gateway.lifecycle.projection import InvoiceState
from gateway.lifecycle.records import key_of_invoice

#: The template of a formal notice in the scenarios.
FORMAL_NOTICE = "mise_en_demeure"
#: Statuses under which nothing shows yet that the buyer has the invoice.
_NOT_AVAILABLE = (None, "200", "201", "202")


def readiness_of(
    session: Session, customer: Customer, invoices: Sequence[InvoiceRecord], law: Statute, now: datetime
) -> dict[UUID, tuple[Readiness, Readiness]]:
    """What is missing for the formal notice and for the hand-over of each invoice of a customer."""
    today = paris_date(now)
    facts = _claim_facts(session, customer, invoices, today)
    return {
        invoice_id: (
            ready_for_formal_notice(each, today),
            ready_for_hand_over(each, today, law.formal_notice_on(today).days_to_pay),
        )
        for invoice_id, each in facts.items()
    }


def hand_over(
    session: Session,
    scope: Scope,
    named: str,
    invoice_ids: Collection[UUID],
    law: Statute,
    *,
    whole_customer: bool = False,
    handed_to: str,
    reference: str = "",
    comment: str = "",
    by: str,
    now: datetime,
) -> tuple[HandOver, Readiness]:
    """Give invoices of a customer to litigation; with it, what would make the claim weaker, over all of them.

    Raises CustomerNotFoundError, InvoiceNotFoundError, NotAReceivableError, AlreadyInForceError,
    HandOverTooLargeError, and LegalFactError when something forbids it.
    """
    today = paris_date(now)
    most = law.formal_notice_on(today).most_invoices
    if len(invoice_ids) > most:
        raise HandOverTooLargeError(len(invoice_ids), most)
    take_turn(session)
    customer = find_customer(session, scope, named)
    invoices = [repository.receivable_by_id(session, scope, each) for each in dict.fromkeys(invoice_ids)]
    _require_theirs(session, customer, invoices)
    known = repository.in_litigation(session, [customer.id])
    for invoice in invoices:
        if invoice.id in known.invoices:
            what = Text("Cette facture est déjà au contentieux.", "This invoice is in litigation already.")
            raise AlreadyInForceError(what, invoice.number)
    ready = readiness_of(session, customer, invoices, law, now)
    for invoice in invoices:
        forbidden = next((each for each in ready[invoice.id][1].missing if each.forbids), None)
        if forbidden is not None:
            raise LegalFactError(
                forbidden.says, Text("Retirez cette facture du dossier.", "Take this invoice out."), invoice.number
            )
    row = HandOver(
        organisation_id=customer.organisation_id,
        customer_id=customer.id,
        whole_customer=whole_customer,
        handed_on=today,
        handed_to=handed_to,
        reference=reference,
        comment=comment,
        recorded_at=now,
        recorded_by=by,
    )
    session.add(row)
    session.flush()
    for invoice in invoices:
        session.add(HandOverInvoice(organisation_id=row.organisation_id, hand_over_id=row.id, invoice_id=invoice.id))
        _note(session, "litigation.handed_over", invoice, {"hand_over_id": str(row.id), "to": handed_to, "by": by}, now)
    if whole_customer:
        content = {"hand_over_id": str(row.id), "to": handed_to, "by": by}
        append(session, at=now, kind="litigation.handed_over", subject=f"customer:{customer.id}", content=content)
    session.flush()
    missing = {each.need: each for invoice in invoices for each in ready[invoice.id][1].missing}
    return row, Readiness(tuple(missing.values()))


def close_hand_over(
    session: Session, scope: Scope, hand_over_id: UUID, *, on: date, because: str, by: str, now: datetime
) -> HandOver:
    """The case is over: what is still open may be chased again.

    Raises LegalFactNotFoundError, CustomerNotFoundError, AlreadyInForceError, LegalFactError.
    """
    require_not_to_come(on, now, "on")
    take_turn(session)
    row = repository.hand_over_by_id(session, scope, hand_over_id, lock=True)
    require_order(row.handed_on, on, "on")
    if row.closed_on is not None:
        what = Text("Ce dossier est déjà clos.", "This case is closed already.")
        raise AlreadyInForceError(what, str(hand_over_id))
    row.closed_on, row.closed_because = on, because
    session.add(row)
    for invoice in repository.invoices_of_hand_over(session, Scope.everything(), row.id):
        _note(session, "litigation.closed", invoice, {"hand_over_id": str(row.id), "because": because, "by": by}, now)
    if row.whole_customer:
        content = {"hand_over_id": str(row.id), "because": because, "by": by}
        append(session, at=now, kind="litigation.closed", subject=f"customer:{row.customer_id}", content=content)
    return row


def _require_theirs(session: Session, customer: Customer, invoices: Sequence[InvoiceRecord]) -> None:
    theirs = set(
        session.exec(
            select(CustomerInvoice.invoice_id).where(
                CustomerInvoice.customer_id == customer.id,
                col(CustomerInvoice.invoice_id) == func.any([invoice.id for invoice in invoices]),
            )
        )
    )
    for invoice in invoices:
        if invoice.id not in theirs:
            raise LegalFactError(
                Text(f"La facture n’est pas de {customer.name}.", f"The invoice is not one of {customer.name}."),
                Text("Faites un dossier par client.", "Make one file for each customer."),
                invoice.number,
            )


def _claim_facts(
    session: Session, customer: Customer, invoices: Sequence[InvoiceRecord], today: date
) -> dict[UUID, ClaimFacts]:
    ids = [invoice.id for invoice in invoices]
    owed, disputes = owed_of(session, ids), disputes_of(session, ids)
    reminded, notified = _reminded(session, ids), _reminded(session, ids, FORMAL_NOTICE)
    barred = set(
        session.exec(
            select(ClaimStart.invoice_id).where(
                col(ClaimStart.invoice_id) == func.any(ids), col(ClaimStart.ends_on) < today
            )
        )
    )
    postal = any(contact.postal for contact in contact_rows(session, [customer.id]).get(customer.id, ()))
    found = {}
    for invoice in invoices:
        state = InvoiceState.model_validate(invoice.state)
        since = customer.insolvent_since
        found[invoice.id] = ClaimFacts(
            remaining=owed[invoice.id].amount if invoice.id in owed else ZERO,
            due_date=due_date_of(invoice),
            delivered=not state.closed and state.issue("501", "221") is None,
            made_available=invoice.status not in _NOT_AVAILABLE,
            disputed=any(each.closed_on is None for each in disputes.get(invoice.id, ())),
            insolvent=since is not None and is_earlier_debt(invoice.issue_date, since),
            has_postal_address=postal,
            reminded_on=reminded.get(invoice.id),
            formal_notice_on=notified.get(invoice.id),
            time_barred=invoice.id in barred,
        )
    return found


def _reminded(session: Session, ids: Collection[UUID], template: str | None = None) -> dict[UUID, date]:
    """The day of the last reminder of each invoice that left, or of the last one of a template."""
    about = lines_about(ids)
    statement = (
        select(about.c.invoice_id, func.max(Reminder.sent_at))
        .join(Reminder, col(Reminder.id) == about.c.reminder_id)
        .where(Reminder.state == ReminderState.SENT.value, col(Reminder.sent_at).is_not(None))
        .group_by(about.c.invoice_id)
    )
    if template is not None:
        statement = statement.where(Reminder.template == template)
    return {of: paris_date(sent_at) for of, sent_at in session.exec(statement) if of and sent_at}


def _note(session: Session, kind: str, invoice: InvoiceRecord, content: dict[str, str], now: datetime) -> None:
    append(session, at=now, kind=kind, subject=f"invoice:{key_of_invoice(invoice)}", content=content)
