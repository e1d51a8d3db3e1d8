"""A customer's insolvency: recorded, its claim declared, its end; and the alert before the deadline passes."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlmodel import Session, col, select

from gateway.access.scope import Scope
from gateway.alerts.repository import unsettled_of_condition
from gateway.collection.agreements.money_rows import open_invoices_of
from gateway.collection.law import repository
from gateway.collection.law.errors import AlreadyInForceError
from gateway.collection.law.facts import require_not_to_come, require_order
from gateway.collection.law.insolvency import ClaimDeadline, InsolvencyKind, claim_deadline, is_earlier_debt
from gateway.collection.law.model import Insolvency
from gateway.collection.law.statute import Statute
from gateway.collection.law.warning import INSOLVENCY, Warned, settle, warn
from gateway.customers.model import Customer, CustomerInvoice
from gateway.customers.repository import find_customer, lock_customer
from gateway.kernel.clock import paris_date
from gateway.kernel.money import ZERO
from gateway.kernel.text import Text
from gateway.ledger.service import append, take_turn
from gateway.lifecycle.model import InvoiceRecord
from gateway.notifications.service import Channels

_EVERYTHING = Scope.everything()


def record_insolvency(
    session: Session,
    scope: Scope,
    named: str,
    kind: InsolvencyKind,
    law: Statute,
    *,
    judgment_on: date,
    published_on: date | None,
    source: str,
    court_agent: str = "",
    abroad: bool = False,
    by: str,
    now: datetime,
) -> Insolvency:
    """A court opened proceedings against a customer: its earlier debts are chased no more and must be declared.

    `named`: identifier, key or SIREN. Raises CustomerNotFoundError, LegalFactError, AlreadyInForceError.
    """
    require_not_to_come(judgment_on, now, "judgment_on")
    if published_on is not None:
        require_not_to_come(published_on, now, "published_on")
        require_order(judgment_on, published_on, "published_on")
    take_turn(session)
    customer = lock_customer(session, find_customer(session, scope, named).id)
    if any(each.ended_on is None for each in repository.insolvencies_of(session, customer.id)):
        what = Text("Une procédure est déjà en cours.", "Proceedings are open already.")
        raise AlreadyInForceError(what, customer.key)
    row = Insolvency(
        organisation_id=customer.organisation_id,
        customer_id=customer.id,
        kind=kind.value,
        judgment_on=judgment_on,
        published_on=published_on,
        source=source,
        court_agent=court_agent,
        abroad=abroad,
        declare_by=claim_deadline(judgment_on, published_on, abroad=abroad, law=law).last_day,
        recorded_at=now,
        recorded_by=by,
    )
    session.add(row)
    _mark(session, customer, judgment_on, now)
    content = {"kind": kind.value, "judgment_on": judgment_on.isoformat(), "source": source}
    _note(session, "insolvency.recorded", row, content, by, now)
    return row


def declare_claim(
    session: Session,
    scope: Scope,
    insolvency_id: UUID,
    law: Statute,
    *,
    on: date,
    amount: Decimal,
    currency: str,
    reference: str,
    by: str,
    now: datetime,
) -> Insolvency:
    """The claim was declared to the court's agent.

    Raises LegalFactNotFoundError, LegalFactError, AlreadyInForceError.
    """
    require_not_to_come(on, now, "on")
    take_turn(session)
    insolvency = repository.insolvency_by_id(session, scope, insolvency_id)
    require_order(insolvency.judgment_on, on, "on")
    if insolvency.declared_on is not None:
        what = Text("La créance est déjà déclarée.", "The claim is declared already.")
        raise AlreadyInForceError(what, str(insolvency.id))
    insolvency.declared_on, insolvency.declared_amount = on, amount
    insolvency.declared_currency, insolvency.declaration = currency, reference
    session.add(insolvency)
    content = {"on": on.isoformat(), "amount": str(amount), "currency": currency, "reference": reference}
    _note(session, "insolvency.declared", insolvency, content, by, now)
    _settle_obsolete(session, law, now)
    return insolvency


def end_insolvency(
    session: Session, scope: Scope, insolvency_id: UUID, law: Statute, *, ended_on: date, by: str, now: datetime
) -> Insolvency:
    """The proceedings are over: the customer counts as healthy again; interest on the earlier debts stays stopped.

    Raises LegalFactNotFoundError, LegalFactError, AlreadyInForceError.
    """
    require_not_to_come(ended_on, now, "ended_on")
    take_turn(session)
    insolvency = repository.insolvency_by_id(session, scope, insolvency_id)
    require_order(insolvency.judgment_on, ended_on, "ended_on")
    if insolvency.ended_on is not None:
        what = Text("La procédure est déjà close.", "The proceedings are over already.")
        raise AlreadyInForceError(what, str(insolvency.id))
    insolvency.ended_on = ended_on
    session.add(insolvency)
    _mark(session, lock_customer(session, insolvency.customer_id), None, now)
    _note(session, "insolvency.ended", insolvency, {"on": ended_on.isoformat()}, by, now)
    _settle_obsolete(session, law, now)
    return insolvency


def deadline_of(insolvency: Insolvency, law: Statute) -> ClaimDeadline:
    """Until when its claim can be declared."""
    return claim_deadline(insolvency.judgment_on, insolvency.published_on, abroad=insolvency.abroad, law=law)


def review_insolvencies(session: Session, law: Statute, channels: Channels, now: datetime) -> None:
    """Warn of claims that are still to be declared, once each; close what is over. The caller holds its turn."""
    _settle_obsolete(session, law, now)
    for warned, deadline in _to_declare(session, law):
        if deadline.warn_from <= paris_date(now):
            warn(session, warned, law, channels, now)


def _to_declare(session: Session, law: Statute) -> list[tuple[Warned, ClaimDeadline]]:
    """The proceedings in which a debt of before is still to be declared."""
    rows = session.exec(
        select(Insolvency, Customer)
        .join(Customer, col(Customer.id) == Insolvency.customer_id)
        .where(col(Insolvency.ended_on).is_(None), col(Insolvency.declared_on).is_(None))
        .order_by(col(Insolvency.declare_by), col(Insolvency.id))
    ).all()
    found = []
    for insolvency, customer in rows:
        deadline = deadline_of(insolvency, law)
        owed = [
            each
            for currency in _currencies_of(session, customer.id)
            for each in open_invoices_of(session, _EVERYTHING, customer.id, currency)
            if is_earlier_debt(each.invoice.issue_date, insolvency.judgment_on)
        ]
        if owed:
            currency = owed[0].invoice.currency
            warned = Warned(
                condition=INSOLVENCY,
                key=f"{INSOLVENCY}:{insolvency.id}",
                invoice=owed[0].invoice,
                customer=customer.name,
                amount=sum((each.amount for each in owed if each.invoice.currency == currency), ZERO),
                last_day=deadline.last_day,
                since=insolvency.judgment_on,
            )
            found.append((warned, deadline))
    return found


def _currencies_of(session: Session, customer_id: UUID) -> list[str]:
    mine = select(CustomerInvoice.invoice_id).where(CustomerInvoice.customer_id == customer_id)
    found = select(InvoiceRecord.currency).where(col(InvoiceRecord.id).in_(mine)).distinct()
    return sorted(session.exec(found), key=lambda currency: (currency != "EUR", currency))


def _settle_obsolete(session: Session, law: Statute, now: datetime) -> None:
    """Close the alerts of claims that are declared, or owed no more."""
    session.flush()
    alerts = unsettled_of_condition(session, INSOLVENCY)
    if alerts:
        still = {warned.key for warned, _ in _to_declare(session, law)}
        settle(session, [alert for alert in alerts if alert.dedup_key not in still], law, now)


def _mark(session: Session, customer: Customer, since: date | None, now: datetime) -> None:
    customer.insolvent_since, customer.updated_at = since, now
    session.add(customer)


def _note(session: Session, kind: str, insolvency: Insolvency, content: dict[str, str], by: str, now: datetime) -> None:
    subject = f"customer:{insolvency.customer_id}"
    append(
        session, at=now, kind=kind, subject=subject, content={"insolvency_id": str(insolvency.id), **content, "by": by}
    )
