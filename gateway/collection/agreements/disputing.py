"""Open a dispute, talk about it, assign it, settle it, open it again: what people and programs do.

Every writer first takes its turn on the organisation's ledger.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import get_args
from uuid import UUID

from sqlmodel import Session, select

from gateway.access.model import User
from gateway.access.scope import Scope
from gateway.alerts.conditions import Team
from gateway.collection.agreements import repository
from gateway.collection.agreements.calling import (
    DISPUTE_OPENED,
    Call,
    dispute_key,
    raise_call,
    settle_call,
    settle_event,
)
from gateway.collection.agreements.disputes import require_dispute
from gateway.collection.agreements.errors import (
    DisputeOpenError,
    NothingOpenError,
    NotOpenError,
    UnknownOwnerError,
    UnknownReasonError,
    UnknownTeamError,
)
from gateway.collection.agreements.history import note, words
from gateway.collection.agreements.model import AgreementKind, AgreementLine, Dispute, DisputeOutcome, Settlement, Step
from gateway.collection.agreements.money_rows import Owed, owed_of
from gateway.collection.agreements.owing import Owing
from gateway.collection.agreements.policy import agreement_policy, reason_label, team_for
from gateway.collection.agreements.reading import disputed_of_row
from gateway.collection.agreements.values import Agreements
from gateway.database.engine import organisation_of
from gateway.kernel.clock import paris_date
from gateway.ledger.service import take_turn
from gateway.lifecycle.model import Direction, InvoiceRecord
from gateway.lifecycle.reasons import reason as lifecycle_reason
from gateway.lifecycle.repository import invoice_by_id
from gateway.notifications.service import Channels
from gateway.treasury.errors import InvoiceNotReceivableError


@dataclass(frozen=True, slots=True)
class NewDispute:
    """A dispute as a person tells it.

    Attributes:
        reason: a reason code of the lifecycle (MDT-113) or a category of `schemas/collection.toml`.
        amount: the contested part, VAT included; None for the whole invoice.
        owner_id: who follows it. deadline: by when; None: as the policy says.
    """

    invoice_id: UUID
    reason: str
    amount: Decimal | None = None
    comment: str = ""
    owner_id: UUID | None = None
    deadline: date | None = None


def open_dispute(
    session: Session, scope: Scope, new: NewDispute, channels: Channels, *, by: str, now: datetime
) -> Dispute:
    """Record what a customer contests of an open invoice in scope, and call the team that can act.

    Raises InvoiceNotFoundError, InvoiceNotReceivableError, UnknownReasonError, UnknownOwnerError, NoAmountError,
    NothingOpenError, AlreadyDisputedError or DisputeExceedsError.
    """
    take_turn(session)
    today = paris_date(now)
    invoice = invoice_by_id(session, scope, new.invoice_id)
    if invoice.direction != Direction.RECEIVABLE:
        raise InvoiceNotReceivableError(invoice.number)
    _require_reason(new.reason, today)
    _require_owner(session, new.owner_id)
    owed = owed_of(session, [invoice.id])[invoice.id].amount
    known = [disputed_of_row(each) for each in repository.disputes_of(session, [invoice.id]).get(invoice.id, [])]
    require_dispute(new.amount, owed, Agreements(disputes=tuple(known)).disputed(invoice.id, owed))
    dispute = Dispute(
        organisation_id=organisation_of(session),
        invoice_id=invoice.id,
        amount=new.amount,
        reason=new.reason,
        comment=new.comment.strip(),
        team=team_for(new.reason, today),
        owner_id=new.owner_id,
        deadline=new.deadline or agreement_policy(today).settle_by(today),
        opened_on=today,
        opened_by=by,
        since=now,
    )
    session.add(dispute)
    _note(session, dispute, Step.MADE, dispute.comment, by, now)
    _have_deadlines_reviewed(session, dispute, now)
    _call(session, dispute, invoice, owed, channels, now)
    return dispute


def say(session: Session, scope: Scope, dispute_id: UUID, text: str, *, by: str, now: datetime) -> AgreementLine:
    """Add a message to the thread of a dispute, open or closed. Raises DisputeNotFoundError, WithoutWordsError."""
    take_turn(session)
    repository.dispute_by_id(session, scope, dispute_id)
    return note(session, AgreementKind.DISPUTE, dispute_id, Step.MESSAGE, by=by, now=now, text=words(text))


def assign(
    session: Session,
    scope: Scope,
    dispute_id: UUID,
    *,
    owner_id: UUID | None,
    team: str = "",
    deadline: date | None = None,
    by: str,
    now: datetime,
) -> Dispute:
    """Give an open dispute to a person, or to nobody; to another team or another day when these are given.

    Raises DisputeNotFoundError, NotOpenError, UnknownOwnerError or UnknownTeamError.
    """
    take_turn(session)
    dispute = _open_one(session, scope, dispute_id)
    _require_owner(session, owner_id)
    if team and team not in get_args(Team):
        raise UnknownTeamError(team)
    dispute.owner_id = owner_id
    dispute.team = team or dispute.team
    dispute.deadline = deadline or dispute.deadline
    session.add(dispute)
    _note(session, dispute, Step.ASSIGNED, "", by, now)
    return dispute


def settle(
    session: Session, scope: Scope, dispute_id: UUID, settlement: Settlement, because: str, *, by: str, now: datetime
) -> Dispute:
    """A person ends a dispute: by a credit note, by the payment, because the customer withdraws it, or by refusing it.

    After the last two, chasing resumes.

    Raises DisputeNotFoundError, NotOpenError, WithoutWordsError.
    """
    take_turn(session)
    dispute = _open_one(session, scope, dispute_id)
    text = words(because)
    close(session, dispute, settlement.outcome, text, by=by, now=now)
    if dispute.event_id is not None:
        settle_event(session, dispute.event_id, settlement.outcome.label, now)
    return dispute


def reopen(
    session: Session, scope: Scope, dispute_id: UUID, because: str, channels: Channels, *, by: str, now: datetime
) -> Dispute:
    """A closed dispute goes on: a new line of its history, a new deadline, a new call.

    Raises DisputeNotFoundError, DisputeOpenError, NothingOpenError, WithoutWordsError.
    """
    take_turn(session)
    dispute = repository.dispute_by_id(session, scope, dispute_id)
    if dispute.closed_on is None:
        raise DisputeOpenError(dispute_id)
    text = words(because)
    owing = owed_of(session, [dispute.invoice_id])[dispute.invoice_id]
    if owing.amount <= 0:
        raise NothingOpenError
    today = paris_date(now)
    dispute.closed_on, dispute.outcome, dispute.since = None, None, now
    dispute.deadline = agreement_policy(today).settle_by(today)
    session.add(dispute)
    _note(session, dispute, Step.REOPENED, text, by, now)
    _have_deadlines_reviewed(session, dispute, now)
    _call(session, dispute, owing.invoice, owing.amount, channels, now)
    return dispute


def close(
    session: Session,
    dispute: Dispute,
    outcome: DisputeOutcome,
    text: str,
    *,
    by: str,
    now: datetime,
    event_id: UUID | None = None,
) -> None:
    """End an open dispute with its call. The caller holds its turn; `event_id`: the status that ends it."""
    dispute.closed_on, dispute.outcome = paris_date(now), outcome.value
    session.add(dispute)
    facts = {"outcome": outcome.value}
    note(
        session, AgreementKind.DISPUTE, dispute.id, Step.CLOSED, by=by, now=now, text=text, event_id=event_id,
        facts=facts,
    )  # fmt: skip
    settle_call(session, DISPUTE_OPENED, dispute_key(dispute.id, dispute.since), now)
    _have_deadlines_reviewed(session, dispute, now)


def _have_deadlines_reviewed(session: Session, dispute: Dispute, now: datetime) -> None:
    """An answer is awaited no more, or again, and so is the payment of what was contested."""
    invoice = session.get_one(InvoiceRecord, dispute.invoice_id)
    invoice.next_check_at = now
    session.add(invoice)


def _open_one(session: Session, scope: Scope, dispute_id: UUID) -> Dispute:
    dispute = repository.dispute_by_id(session, scope, dispute_id)
    if dispute.closed_on is not None:
        raise NotOpenError(dispute_id, dispute.outcome or "")
    return dispute


def _require_reason(reason: str, today: date) -> None:
    categories = agreement_policy(today).categories
    if reason not in categories and not lifecycle_reason(reason).known:
        raise UnknownReasonError(reason, categories)


def _require_owner(session: Session, owner_id: UUID | None) -> None:
    if owner_id is None:
        return
    owner = session.exec(select(User).where(User.id == owner_id)).one_or_none()
    if owner is None or not owner.is_active:
        raise UnknownOwnerError(str(owner_id))


def _call(
    session: Session, dispute: Dispute, invoice: InvoiceRecord, owed: Decimal, channels: Channels, now: datetime
) -> None:
    contested = owed if dispute.amount is None else min(dispute.amount, owed)
    call = Call(
        condition=DISPUTE_OPENED,
        key=dispute_key(dispute.id, dispute.since),
        about=Owing.of(Owed(invoice, owed)),
        customer=invoice.buyer_name,
        amount=contested,
        missing=contested,
        day=paris_date(dispute.since),
        reason=reason_label(dispute.reason, paris_date(now)),
        comment=dispute.comment,
        team=dispute.team,  # type: ignore[arg-type]
    )
    raise_call(session, call, channels, now)


def _note(session: Session, dispute: Dispute, step: Step, text: str, by: str, now: datetime) -> None:
    facts = {
        "invoice_id": str(dispute.invoice_id),
        "amount": None if dispute.amount is None else str(dispute.amount),
        "reason": dispute.reason,
        "team": dispute.team,
        "owner": str(dispute.owner_id) if dispute.owner_id else None,
        "deadline": dispute.deadline.isoformat() if dispute.deadline else None,
    }
    note(session, AgreementKind.DISPUTE, dispute.id, step, by=by, now=now, text=text, facts=facts)
