"""The worklist: one action for each alert, done by a person or cancelled when the matter is settled."""

from datetime import datetime
from uuid import UUID

from sqlmodel import Session

from gateway.access.scope import Scope
from gateway.alerts.model import Alert
from gateway.alerts.service import OpenedAlert
from gateway.collection import repository
from gateway.collection.decisions import action_for
from gateway.collection.errors import ActionNotOpenError
from gateway.collection.model import ActionState, CollectionAction
from gateway.database.engine import organisation_of
from gateway.kernel.clock import paris_date
from gateway.kernel.text import Text
from gateway.ledger.service import append, take_turn
from gateway.lifecycle.model import InvoiceRecord


def create_action_for(
    session: Session, opened: OpenedAlert, now: datetime, *, customer_id: UUID | None = None
) -> CollectionAction:
    """The one action of an alert: created now, or the one it has already.

    `customer_id`: whose it is, of what only the books know.
    """
    take_turn(session)
    alert = opened.alert
    known = repository.action_of_alert(session, alert.id)
    if known is not None:
        return known
    decision = action_for(opened.decision, paris_date(now), opened.amount)
    action = CollectionAction(
        organisation_id=organisation_of(session),
        alert_id=alert.id,
        invoice_id=alert.invoice_id,
        agency_id=alert.agency_id,
        customer_siren=alert.customer_siren,
        customer_id=customer_id,
        kind=decision.kind.value,
        title_fr=decision.title.fr,
        title_en=decision.title.en,
        explanation_fr=decision.explanation.fr,
        explanation_en=decision.explanation.en,
        team=decision.team,
        priority=decision.priority,
        amount=decision.amount,
        currency=opened.currency,
        due_on=decision.due_on,
        created_at=now,
    )
    _note(session, action, "action.created", {"kind": action.kind, "alert_id": str(alert.id)}, now)
    return action


def cancel_for_closed_alert(session: Session, alert: Alert, now: datetime) -> CollectionAction | None:
    """Take the action of a closed alert off the worklist; None when there is none left to do."""
    take_turn(session)
    action = repository.action_of_alert(session, alert.id)
    if action is None or action.state != ActionState.TODO:
        return None
    action.state = ActionState.CANCELLED.value
    action.outcome_fr, action.outcome_en = alert.closed_because_fr, alert.closed_because_en
    _note(session, action, "action.cancelled", {"because": alert.closed_because_en or ""}, now)
    return action


def attach_invoice(session: Session, alerts: list[Alert], invoice: InvoiceRecord) -> None:
    """Tie the actions of alerts that were just tied to their invoice to it too, with what is to be collected."""
    for alert in alerts:
        action = repository.action_of_alert(session, alert.id)
        if action is not None:
            action.invoice_id, action.agency_id = invoice.id, invoice.agency_id
            action.customer_siren, action.currency = invoice.buyer_siren, invoice.currency
            action.amount = invoice.remaining if action.amount is None else action.amount
            session.add(action)
    session.flush()


def complete(
    session: Session, scope: Scope, action_id: UUID, *, user_id: UUID, outcome: Text | str, now: datetime
) -> CollectionAction:
    """A person has done the action, and with it those of the same matter, and says what came of it.

    Raises ActionNotFoundError, ActionNotOpenError.
    """
    take_turn(session)
    action = _open_action(session, scope, action_id)
    for each in (action, *repository.actions_of_matter(session, scope, action)):
        each.state = ActionState.DONE.value
        each.done_at, each.done_by = now, user_id
        each.tell(outcome)
        _note(session, each, "action.done", {"user_id": str(user_id), "outcome": each.outcome_fr}, now)
    return action


def assign(
    session: Session, scope: Scope, action_id: UUID, *, to_user: UUID | None, by_user: UUID, now: datetime
) -> CollectionAction:
    """Give the action and those of the same matter to someone, or back to the team with None.

    Raises ActionNotFoundError, ActionNotOpenError.
    """
    take_turn(session)
    action = _open_action(session, scope, action_id)
    for each in (action, *repository.actions_of_matter(session, scope, action)):
        each.assigned_to = to_user
        _note(session, each, "action.assigned", {"to": str(to_user) if to_user else None, "by": str(by_user)}, now)
    return action


def _open_action(session: Session, scope: Scope, action_id: UUID) -> CollectionAction:
    action = repository.action_by_id(session, scope, action_id, lock=True)
    if action.state != ActionState.TODO:
        raise ActionNotOpenError(action_id, action.outcome)
    return action


def _note(session: Session, action: CollectionAction, kind: str, content: dict[str, str | None], now: datetime) -> None:
    session.add(action)
    append(session, at=now, kind=kind, subject=f"action:{action.id}", content=dict(content))
