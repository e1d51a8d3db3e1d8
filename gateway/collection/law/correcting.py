"""Claims that ask for more than is due: told to whoever claims, lowered by a person only, with what was paid too much.

Money of before a claim may be told after it; so may a credit note, a dispute or a judgment. A claim that left is never
lowered silently: a person corrects it, and the claim, the correction and what was due that day stay in the ledger.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlmodel import Session, col, func, select

from gateway.access.scope import Scope
from gateway.alerts.model import Alert
from gateway.alerts.repository import unsettled_of_invoices
from gateway.collection.law import repository
from gateway.collection.law.errors import NothingToCorrectError
from gateway.collection.law.model import PenaltyKind, PenaltyWaiver
from gateway.collection.law.positions import Claimed, PenaltyPosition, position_of, positions_of
from gateway.collection.law.statute import Statute
from gateway.collection.law.warning import EXCESS, Warned, settle, warn
from gateway.kernel.clock import paris_date
from gateway.kernel.money import ZERO
from gateway.ledger.service import append, take_turn
from gateway.lifecycle.model import InvoiceRecord
from gateway.lifecycle.records import key_of_invoice
from gateway.notifications.service import Channels
from gateway.treasury.model import ReceiptUse


def correct_claims(
    session: Session, scope: Scope, invoice_id: UUID, law: Statute, *, reason: str, by: str, now: datetime
) -> PenaltyPosition:
    """Take back what the claims about an invoice ask for too much; money that paid it is unallocated again.

    Raises InvoiceNotFoundError, NotAReceivableError, NothingToCorrectError.
    """
    take_turn(session)
    position = position_of(session, scope, invoice_id, paris_date(now), law)
    parts = [part for kind in PenaltyKind for part in cuts_of(position.claims_of(kind), position.excess_of(kind))]
    if not parts:
        raise NothingToCorrectError(position.invoice.number)
    for claimed, amount in parts:
        _cut(session, position, claimed, amount, reason, by, now)
    session.flush()
    after = position_of(session, scope, invoice_id, paris_date(now), law)
    _settle(session, [after], law, now)
    return after


def cuts_of(claims: Sequence[Claimed], excess: Decimal) -> list[tuple[Claimed, Decimal]]:
    """Which claims are lowered by how much: first what is unpaid, then what was paid, the latest claim first. Pure."""
    cuts: dict[UUID, Decimal] = {}
    for paid in (False, True):
        for each in reversed(claims):
            part = min(excess, each.paid if paid else max(ZERO, each.left))
            excess -= part
            cuts[each.penalty.id] = cuts.get(each.penalty.id, ZERO) + part
    return [(each, cuts[each.penalty.id]) for each in claims if cuts.get(each.penalty.id)]


def review_excesses(
    session: Session, invoices: Sequence[InvoiceRecord], law: Statute, channels: Channels, now: datetime
) -> None:
    """Tell people of claims that exceed what is due, once each; close what is over. The caller holds its turn."""
    positions = positions_of(session, invoices, paris_date(now), law)
    _settle(session, positions, law, now)
    told = {alert.invoice_id for alert in _unsettled(session, positions)}
    for position in positions:
        if _excess(position) and position.invoice.id not in told:
            warn(session, _warned(session, position, law, now), law, channels, now)


def _cut(
    session: Session, position: PenaltyPosition, claimed: Claimed, amount: Decimal, reason: str, by: str, now: datetime
) -> None:
    """Lower one claim, and give back to its receipts what they paid beyond it."""
    penalty = claimed.penalty
    freed = max(ZERO, amount - claimed.left)
    session.add(
        PenaltyWaiver(
            organisation_id=penalty.organisation_id,
            penalty_id=penalty.id,
            amount=amount,
            corrects=True,
            reason=reason,
            waived_at=now,
            waived_by=by,
        )
    )
    still = freed
    for receipt_id, paid in repository.receipts_of_penalty(session, penalty.id):
        given_back = min(still, paid)
        if given_back:
            session.add(
                ReceiptUse(
                    organisation_id=penalty.organisation_id,
                    receipt_id=receipt_id,
                    purpose=repository.PENALTY,
                    purpose_id=penalty.id,
                    amount=-given_back,
                    used_at=now,
                    used_by=by,
                )
            )
        still -= given_back
    content = {
        "penalty_id": str(penalty.id),
        "amount": str(amount),
        "asked": str(claimed.asked),
        "due": str(position.due_of(PenaltyKind(penalty.kind))),
        "given_back": str(freed),
        "reason": reason,
        "by": by,
    }
    subject = f"invoice:{key_of_invoice(position.invoice)}"
    append(session, at=now, kind="penalty.corrected", subject=subject, content=content)


def _excess(position: PenaltyPosition) -> Decimal:
    """What is claimed too much in all; more than nothing as soon as one kind is."""
    return position.interest_excess + position.indemnity_excess


def _warned(session: Session, position: PenaltyPosition, law: Statute, now: datetime) -> Warned:
    """Told again when what is claimed has changed, or when it had ceased to exceed what is due."""
    invoice = position.invoice
    ceased = session.exec(
        select(func.count(col(Alert.id))).where(
            Alert.invoice_id == invoice.id,
            Alert.condition == EXCESS,
            Alert.closed_because_fr == law.alert[EXCESS].settled.text.fr,
        )
    ).one()
    asked = sum((each.asked - each.waived for each in position.claimed), ZERO)
    in_its_currency = (kind for kind in PenaltyKind if position.currency_of(kind) == invoice.currency)
    return Warned(
        condition=EXCESS,
        key=f"{EXCESS}:{invoice.id}:{asked}:{ceased}",
        invoice=invoice,
        customer=position.late.customer.name,
        amount=sum(map(position.excess_of, in_its_currency), ZERO),
        last_day=paris_date(now),
        since=paris_date(position.claimed[0].penalty.claimed_at),
    )


def _settle(session: Session, positions: Sequence[PenaltyPosition], law: Statute, now: datetime) -> None:
    over = {position.invoice.id for position in positions if not _excess(position)}
    settle(session, [alert for alert in _unsettled(session, positions) if alert.invoice_id in over], law, now)


def _unsettled(session: Session, positions: Sequence[PenaltyPosition]) -> list[Alert]:
    return unsettled_of_invoices(session, {EXCESS}, [position.invoice.id for position in positions])
