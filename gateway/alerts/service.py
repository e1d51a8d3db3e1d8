"""Open alerts for what needs a person, close them when it is settled, let people handle them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlmodel import Session

from gateway.access.scope import Scope
from gateway.alerts import repository
from gateway.alerts.announcing import announce_alert
from gateway.alerts.conditions import AlertDecision, alert_for, closes
from gateway.alerts.deadline_policy import cured_because, deadline_policy
from gateway.alerts.deadlines import InvoiceFacts, next_look, overdue
from gateway.alerts.errors import AlertAlreadyClosedError
from gateway.alerts.model import Alert, AlertState
from gateway.alerts.quarantined_flows import QuarantinedFlow, alert_for_quarantined_flow, quarantined_flow_condition
from gateway.alerts.refused_deliveries import (
    RefusedDelivery,
    alert_for_refused_delivery,
    refused_delivery_key,
)
from gateway.alerts.refused_flows import RefusedFlow, alert_for_refused_flow, refused_flow_condition
from gateway.alerts.settling import settled_by_status
from gateway.alerts.unaddressable import alert_for_unaddressable
from gateway.database.engine import organisation_of
from gateway.kernel.clock import paris_date
from gateway.kernel.text import Text
from gateway.ledger.service import append, take_turn
from gateway.lifecycle.correlation import normalised_number
from gateway.lifecycle.model import Direction, InvoiceRecord
from gateway.lifecycle.projection import InvoiceState
from gateway.lifecycle.records import key_of_invoice
from gateway.lifecycle.service import RecordedEvent, Registration, RegistrationOutcome


@dataclass(frozen=True, slots=True)
class OpenedAlert:
    """A new alert, the decision behind it, and what is still to pay on its invoice when that is known."""

    alert: Alert
    decision: AlertDecision
    amount: Decimal | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class AlertReaction:
    """What an event did to the alerts."""

    opened: OpenedAlert | None = None
    closed: tuple[Alert, ...] = ()


@dataclass(frozen=True, slots=True)
class DeadlineReview:
    """What the deadlines of an invoice did to the alerts."""

    opened: tuple[OpenedAlert, ...] = ()
    closed: tuple[Alert, ...] = ()


def react(session: Session, recorded: RecordedEvent, now: datetime, *, may_close: bool = True) -> AlertReaction:
    """Close the alerts that an event settles, and open the one it calls for.

    A duplicate changes nothing; nor does a status of an invoice that we owe, which is no matter of collection.
    `may_close`: False when the caller knows that no alert on the invoice is unsettled.
    """
    if recorded.is_duplicate or recorded.direction is Direction.PAYABLE:
        return AlertReaction()
    closed = _close_settled(session, recorded, now) if may_close else ()
    invoice = recorded.invoice
    is_credit_note = invoice is not None and invoice.is_credit_note
    decision = alert_for(recorded.event, recorded.state, credit_note=is_credit_note)
    if decision is None:
        return AlertReaction(closed=closed)
    alert = _open(
        session,
        decision,
        now,
        invoice_id=invoice.id if invoice else None,
        event_id=recorded.id,
        flow_id=recorded.flow_id,
        agency_id=invoice.agency_id if invoice else None,
        customer_siren=invoice.buyer_siren if invoice else None,
    )
    if alert is None:
        return AlertReaction(closed=closed)
    opened = OpenedAlert(alert, decision, invoice.remaining if invoice else None, invoice.currency if invoice else None)
    return AlertReaction(opened, closed)


def raise_for_rejected_flow(session: Session, flow: RefusedFlow, now: datetime) -> OpenedAlert | None:
    """Tell the billing team that an invoice failed validation here and was not sent; None while they know."""
    take_turn(session)
    if repository.unsettled_of_flow(session, refused_flow_condition(), flow.flow_id):
        return None
    decision = alert_for_refused_flow(flow, now)
    alert = _open(
        session,
        decision,
        now,
        invoice_id=None,
        event_id=None,
        flow_id=flow.flow_id,
        agency_id=flow.agency_id,
        customer_siren=flow.customer_siren,
        invoice_number=normalised_number(flow.number) or None,
    )
    return OpenedAlert(alert, decision) if alert else None


def raise_for_quarantined_flow(session: Session, flow: QuarantinedFlow, now: datetime) -> OpenedAlert | None:
    """Tell people that a flow could not be processed; None when an alert of it is still open."""
    take_turn(session)
    if repository.unsettled_of_flow(session, quarantined_flow_condition(), flow.flow_id):
        return None
    decision = alert_for_quarantined_flow(flow)
    alert = _open(
        session,
        decision,
        now,
        invoice_id=None,
        event_id=None,
        flow_id=flow.flow_id,
        agency_id=flow.agency_id,
        customer_siren=None,
    )
    return OpenedAlert(alert, decision) if alert else None


def close_quarantined_flow(session: Session, flow_id: UUID, now: datetime) -> tuple[Alert, ...]:
    """A flow that was in quarantine has been processed: close its alerts."""
    take_turn(session)
    alerts = repository.unsettled_of_flow(session, quarantined_flow_condition(), flow_id)
    because = Text("Le flux a été relancé et traité.", "The flow was replayed and processed.")
    for alert in alerts:
        _close(session, alert, because, {"flow_id": str(flow_id)}, now)
    return tuple(alerts)


def raise_for_unaddressable_buyer(
    session: Session, invoice: InvoiceRecord, says: Text, to_do: Text, now: datetime
) -> OpenedAlert | None:
    """Tell the billing team that the directory would not route an invoice; None when they were told."""
    take_turn(session)
    decision = alert_for_unaddressable(key_of_invoice(invoice), says, to_do, credit_note=invoice.is_credit_note)
    return raise_about_invoice(session, decision, invoice, now, flow_id=invoice.flow_id)


def raise_about_invoice(
    session: Session,
    decision: AlertDecision,
    invoice: InvoiceRecord,
    now: datetime,
    *,
    flow_id: UUID | None = None,
    amount: Decimal | None = None,
    of_its_agency: bool = True,
) -> OpenedAlert | None:
    """Open an alert that a room above decided on, about one of our invoices; None when its key is there already.

    `amount`: what is at stake, by default what is left to pay. Unless `of_its_agency`, it is about invoices of several
    agencies, and no agency alone sees it. The caller holds its turn on the ledger.
    """
    alert = _open(
        session,
        decision,
        now,
        invoice_id=invoice.id,
        event_id=None,
        flow_id=flow_id,
        agency_id=invoice.agency_id if of_its_agency else None,
        customer_siren=invoice.buyer_siren,
    )
    at_stake = invoice.remaining if amount is None else amount
    return OpenedAlert(alert, decision, at_stake, invoice.currency) if alert else None


def raise_about_customer(
    session: Session,
    decision: AlertDecision,
    customer_siren: str | None,
    now: datetime,
    *,
    amount: Decimal,
    currency: str,
) -> OpenedAlert | None:
    """The same about what a customer owes and no invoice here tells of: who sees a part of the organisation sees those
    of its key accounts. `amount`: what is at stake."""
    alert = _open(
        session,
        decision,
        now,
        invoice_id=None,
        event_id=None,
        flow_id=None,
        agency_id=None,
        customer_siren=customer_siren,
    )
    return OpenedAlert(alert, decision, amount, currency) if alert else None


def close_settled_key(session: Session, dedup_key: str, because: Text, now: datetime) -> tuple[Alert, ...]:
    """The matter of one alert is settled: close it; nothing when it is closed, or was never opened."""
    take_turn(session)
    alert = repository.alert_of_key(session, dedup_key)
    if alert is None or alert.state == AlertState.CLOSED:
        return ()
    _close(session, alert, because, {"key": dedup_key}, now)
    return (alert,)


def close_of_event(session: Session, event_id: UUID, because: Text, now: datetime) -> tuple[Alert, ...]:
    """What a lifecycle event called for is settled otherwise than by a later status: close its alerts."""
    take_turn(session)
    alerts = repository.unsettled_of_event(session, event_id)
    for alert in alerts:
        _close(session, alert, because, {"event_id": str(event_id)}, now)
    return tuple(alerts)


def raise_for_refused_delivery(session: Session, refused: RefusedDelivery, now: datetime) -> OpenedAlert | None:
    """Tell people that a platform refused what it had taken; None when they were told of this delivery."""
    take_turn(session)
    decision, invoice = alert_for_refused_delivery(refused), refused.invoice
    alert = _open(
        session,
        decision,
        now,
        invoice_id=invoice.id if invoice else None,
        event_id=None,
        flow_id=None,
        agency_id=invoice.agency_id if invoice else None,
        customer_siren=invoice.buyer_siren if invoice else None,
    )
    if alert is None:
        return None
    return OpenedAlert(alert, decision, invoice.remaining if invoice else None, invoice.currency if invoice else None)


def close_refused_delivery(session: Session, delivery_id: UUID, now: datetime) -> tuple[Alert, ...]:
    """The platform has taken back its refusal of a delivery: close its alert."""
    because = Text("La plateforme est revenue sur son refus.", "The platform has taken back its refusal.")
    return close_settled_key(session, refused_delivery_key(delivery_id), because, now)


def close_refused_file(session: Session, registration: Registration, now: datetime) -> tuple[Alert, ...]:
    """The corrected file of an invoice that was refused here has come: close the alerts of its number."""
    invoice = registration.invoice
    if registration.outcome is not RegistrationOutcome.CREATED or invoice.direction != Direction.RECEIVABLE:
        return ()
    alerts = repository.unsettled_of_number(session, refused_flow_condition(), invoice.number)
    because = Text(
        f"La facture {invoice.number} a été déposée de nouveau et passe les contrôles.",
        f"Invoice {invoice.number} was pushed again and passes the checks.",
    )
    for alert in alerts:
        _close(session, alert, because, {"invoice_id": str(invoice.id)}, now)
    return tuple(alerts)


def review_deadlines(
    session: Session, invoice: InvoiceRecord, facts: InvoiceFacts, watched: Sequence[Alert], now: datetime
) -> DeadlineReview:
    """Open the alerts of the deadlines that have passed, close those of the deadlines met, plan the next look.

    `watched`: the unsettled alerts of deadlines on the invoice. The caller holds its turn on the ledger and the row.
    """
    today = paris_date(now)
    policy, state = deadline_policy(today), InvoiceState.model_validate(invoice.state)
    passed = overdue(facts, state, policy, now)
    late = {each.alert.dedup_key for each in passed}
    met = tuple(alert for alert in watched if alert.dedup_key not in late)
    for alert in met:
        _close(session, alert, cured_because(alert.condition, today), {"invoice_id": str(invoice.id)}, now)
    opened = []
    for each in passed:
        new = _open(
            session,
            each.alert,
            now,
            invoice_id=invoice.id,
            event_id=None,
            flow_id=None,
            agency_id=invoice.agency_id,
            customer_siren=invoice.buyer_siren,
        )
        if new is not None:
            at_stake = invoice.remaining if each.deadline.amount is None else each.deadline.amount
            opened.append(OpenedAlert(new, each.alert, at_stake, invoice.currency))
    invoice.next_check_at = next_look(facts, state, policy, now)
    session.add(invoice)
    session.flush()
    return DeadlineReview(tuple(opened), met)


def attach_invoice(session: Session, registration: Registration) -> list[Alert]:
    """Tie the alerts of statuses that came before their invoice to it, now that it is registered."""
    alerts = repository.without_invoice(session, registration.waiting) if registration.waiting else []
    for alert in alerts:
        alert.invoice_id = registration.invoice.id
        alert.agency_id = registration.invoice.agency_id
        alert.customer_siren = registration.invoice.buyer_siren
        session.add(alert)
    session.flush()
    return alerts


def acknowledge(session: Session, scope: Scope, alert_id: UUID, *, user_id: UUID, now: datetime) -> Alert:
    """A person takes an alert up; the first one counts. Raises AlertNotFoundError, AlertAlreadyClosedError."""
    take_turn(session)
    alert = _unsettled(session, scope, alert_id)
    if alert.state == AlertState.OPEN:
        alert.state = AlertState.ACKNOWLEDGED.value
        alert.acknowledged_at, alert.acknowledged_by = now, user_id
        _note(session, alert, "alert.acknowledged", {"user_id": str(user_id)}, now)
    return alert


def close(session: Session, scope: Scope, alert_id: UUID, *, user_id: UUID, because: str, now: datetime) -> Alert:
    """A person closes an alert and says why. Raises AlertNotFoundError, AlertAlreadyClosedError.

    Its collection action is cancelled by the caller (`gateway.collection.service.cancel_for_closed_alert`).
    """
    take_turn(session)
    alert = _unsettled(session, scope, alert_id)
    _close(session, alert, Text(because, because), {"user_id": str(user_id)}, now)
    return alert


def _close_settled(session: Session, recorded: RecordedEvent, now: datetime) -> tuple[Alert, ...]:
    settled = (*closes(recorded.event, recorded.state), *settled_by_status(recorded.event))
    because = {closing.condition: closing.because for closing in settled}
    if not because:
        return ()
    alerts = repository.unsettled_of(
        session,
        set(because),
        invoice_id=recorded.invoice.id if recorded.invoice else None,
        direction=recorded.direction,
        key=recorded.event.key,
    )
    for alert in alerts:
        _close(session, alert, because[alert.condition], {"event_id": str(recorded.id)}, now)
    return tuple(alerts)


def _open(
    session: Session,
    decision: AlertDecision,
    now: datetime,
    *,
    invoice_id: UUID | None,
    event_id: UUID | None,
    flow_id: UUID | None,
    agency_id: UUID | None,
    customer_siren: str | None,
    invoice_number: str | None = None,
) -> Alert | None:
    """The new alert; None when its key is there already. The caller holds its turn on the ledger."""
    if repository.alert_of_key(session, decision.dedup_key) is not None:
        return None
    alert = Alert(
        organisation_id=organisation_of(session),
        dedup_key=decision.dedup_key,
        condition=decision.condition,
        severity=decision.severity.value,
        title_fr=decision.title.fr,
        title_en=decision.title.en,
        reason_fr=decision.reason.fr,
        reason_en=decision.reason.en,
        team=decision.team,
        next_step_fr=decision.next_step.fr,
        next_step_en=decision.next_step.en,
        due_on=decision.due_on(paris_date(now)),
        opened_at=now,
        invoice_id=invoice_id,
        invoice_number=invoice_number,
        event_id=event_id,
        flow_id=flow_id,
        agency_id=agency_id,
        customer_siren=customer_siren,
    )
    origin = {"key": decision.dedup_key, "severity": alert.severity, "team": alert.team}
    _note(session, alert, "alert.opened", origin, now)
    announce_alert(session, alert, "opened", now)
    return alert


def _close(session: Session, alert: Alert, because: Text, by: Mapping[str, str], now: datetime) -> None:
    alert.state = AlertState.CLOSED.value
    alert.closed_at = now
    alert.closed_because_fr, alert.closed_because_en = because.fr, because.en
    _note(session, alert, "alert.closed", {**by, "because": because.en}, now)
    announce_alert(session, alert, "closed", now)


def _unsettled(session: Session, scope: Scope, alert_id: UUID) -> Alert:
    alert = repository.alert_by_id(session, scope, alert_id, lock=True)
    if alert.state == AlertState.CLOSED:
        raise AlertAlreadyClosedError(alert_id, alert.closed_at)
    return alert


def _note(session: Session, alert: Alert, kind: str, content: dict[str, str], now: datetime) -> None:
    session.add(alert)
    append(session, at=now, kind=kind, subject=f"alert:{alert.id}", content={"condition": alert.condition, **content})
