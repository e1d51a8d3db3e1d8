"""Choose what becomes of penalties, claim them, have money pay them, give them up.

Every writer first takes its turn on the organisation's ledger, so that none claims what another just did.
"""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlmodel import Session

from gateway.access.scope import Scope
from gateway.collection.law import repository
from gateway.collection.law.calendar import half_year_of
from gateway.collection.law.errors import (
    AgreedRateTooLowError,
    NothingToClaimError,
    PenaltySettlementError,
    ProvisionalRateError,
    ReceiptCannotSettleError,
)
from gateway.collection.law.facts import require_not_to_come
from gateway.collection.law.model import AgreedRate, Penalty, PenaltyChoice, PenaltyKind, PenaltyWaiver, Treatment
from gateway.collection.law.penalties import least_agreed_rate
from gateway.collection.law.positions import Claimed, PenaltyPosition, claimed_of, position_of, positions_of
from gateway.collection.law.statute import Statute
from gateway.database.engine import organisation_of
from gateway.kernel.clock import paris_date
from gateway.kernel.money import CENT, ZERO
from gateway.kernel.text import Text
from gateway.ledger.service import append, take_turn
from gateway.lifecycle.model import InvoiceRecord
from gateway.lifecycle.records import key_of_invoice
from gateway.treasury.errors import ReceiptNotFoundError
from gateway.treasury.model import Receipt, ReceiptUse
from gateway.treasury.receipt_rows import free_of_receipt, receipt_by_id

_ORGANISATION = "organisation"
#: Who claims by itself.
_GATEWAY = "gateway"
_CLOSED = Text("elle est rejetée, annulée ou refusée.", "it is rejected, cancelled or refused.")
_WAIVED = Text("ses pénalités sont abandonnées.", "its penalties are waived.")
_NOTHING_RUN = Text("rien n’a couru qui ne soit déjà réclamé.", "nothing has run that was not claimed before.")


def choose_treatment(
    session: Session,
    treatment: Treatment,
    *,
    customer_id: UUID | None = None,
    invoice_id: UUID | None = None,
    reason: str,
    by: str,
    now: datetime,
) -> PenaltyChoice:
    """What is to become of the penalties of an invoice, of a customer, or of all. The caller found them in scope."""
    choice = PenaltyChoice(
        organisation_id=organisation_of(session),
        customer_id=customer_id,
        invoice_id=invoice_id,
        treatment=treatment.value,
        reason=reason,
        decided_at=now,
        decided_by=by,
    )
    session.add(choice)
    about = f"customer:{customer_id}" if customer_id else _ORGANISATION
    if invoice_id is not None:
        about = f"invoice:{key_of_invoice(session.get_one(InvoiceRecord, invoice_id))}"
    content = {"treatment": treatment.value, "reason": reason, "by": by}
    append(session, at=now, kind="penalty.chosen", subject=about, content=content)
    return choice


def agree_on_rate(
    session: Session,
    law: Statute,
    percent: Decimal | None,
    valid_from: date,
    *,
    customer_id: UUID | None = None,
    source: str,
    by: str,
    now: datetime,
) -> AgreedRate:
    """A rate of our terms of sale, or agreed with a customer; None: nothing is agreed from that day on.

    Raises AgreedRateTooLowError. When the legal interest rises later, three times that rate holds instead.
    """
    least = least_agreed_rate(law, valid_from)
    if percent is not None and percent < least:
        raise AgreedRateTooLowError(percent, least, half_year_of(valid_from))
    rate = AgreedRate(
        organisation_id=organisation_of(session),
        customer_id=customer_id,
        valid_from=valid_from,
        percent=percent,
        source=source,
        recorded_at=now,
        recorded_by=by,
    )
    session.add(rate)
    content = {
        "percent": None if percent is None else str(percent),
        "valid_from": valid_from.isoformat(),
        "source": source,
        "by": by,
    }
    about = f"customer:{customer_id}" if customer_id else _ORGANISATION
    append(session, at=now, kind="penalty.rate_agreed", subject=about, content=content)
    return rate


def claim_penalties(
    session: Session, scope: Scope, invoice_id: UUID, law: Statute, *, until: date, by: str, now: datetime
) -> list[Penalty]:
    """Claim the interest up to `until` that was not claimed, and the indemnity if it was not; each is a row of its own.

    Raises InvoiceNotFoundError, NotAReceivableError, NothingToClaimError, ProvisionalRateError, LegalFactError.
    """
    require_not_to_come(until, now, "until")
    take_turn(session)
    invoice = repository.receivable_by_id(session, scope, invoice_id)
    if invoice.is_closed:
        raise NothingToClaimError(invoice.number, _CLOSED)
    return claim_position(session, position_of(session, scope, invoice_id, until, law), law, by=by, now=now)


def claim_position(
    session: Session, position: PenaltyPosition, law: Statute, *, by: str, now: datetime
) -> list[Penalty]:
    """Claim what a position leaves to claim; the caller holds its turn. Raises as `claim_penalties` does.

    Interest on a rate that is not known yet is left for later; the indemnity does not depend on it.
    """
    invoice = position.invoice
    if position.treatment is Treatment.WAIVED:
        raise NothingToClaimError(invoice.number, _WAIVED)
    provisional = position.sheet.provisional_from
    if provisional is not None and not position.indemnity_to_claim:
        raise ProvisionalRateError(half_year_of(provisional))
    interest = position.interest_to_claim if provisional is None else ZERO
    wanted = [
        (PenaltyKind.INTEREST, interest, invoice.currency, position.law),
        (PenaltyKind.INDEMNITY, position.indemnity_to_claim, position.indemnity.currency, _law(law, position)),
    ]
    rows = [
        _claim(session, position, kind, amount, currency, text, by, now)
        for kind, amount, currency, text in wanted
        if amount
    ]
    if not rows:
        raise NothingToClaimError(invoice.number, _NOTHING_RUN)
    for number, row in enumerate(rows, start=len(position.claimed) + 1):
        row.number = number
        session.add(row)
        _note(session, "penalty.claimed", row, {"kind": row.kind, "amount": str(row.amount), "by": by}, now)
    return rows


def claim_paid_late(session: Session, invoices: Sequence[InvoiceRecord], law: Statute, *, now: datetime) -> None:
    """Claim what ran on invoices paid late whose penalties are to be claimed, so that nothing is lost with time.

    Those on a rate that is not known yet wait for it. The caller holds its turn.
    """
    for position in positions_of(session, invoices, paris_date(now), law):
        known = position.treatment is Treatment.CLAIMED and position.sheet.provisional_from is None
        if known and (position.interest_to_claim or position.indemnity_to_claim):
            claim_position(session, position, law, by=_GATEWAY, now=now)


def pay_penalty(
    session: Session, scope: Scope, penalty_id: UUID, amount: Decimal, receipt_id: UUID, *, by: str, now: datetime
) -> Claimed:
    """Have money of a receipt pay a claimed penalty: no more than is left of either.

    Raises PenaltyNotFoundError, PenaltySettlementError, ReceiptNotFoundError, ReceiptCannotSettleError.
    """
    take_turn(session)
    penalty = _with_room(session, scope, penalty_id, amount)
    receipt: Receipt = receipt_by_id(session, receipt_id)
    if not scope.is_everything and receipt.customer_id != penalty.customer_id:
        raise ReceiptNotFoundError(receipt_id)
    free = free_of_receipt(session, receipt)
    if receipt.currency != penalty.currency or amount > free:
        raise ReceiptCannotSettleError(receipt_id, free, receipt.currency)
    use = ReceiptUse(
        organisation_id=penalty.organisation_id,
        receipt_id=receipt_id,
        purpose=repository.PENALTY,
        purpose_id=penalty.id,
        amount=amount,
        used_at=now,
        used_by=by,
    )
    session.add(use)
    _note(session, "penalty.paid", penalty, {"amount": str(amount), "receipt_id": str(receipt_id), "by": by}, now)
    return _again(session, penalty)


def waive_penalty(
    session: Session, scope: Scope, penalty_id: UUID, amount: Decimal | None, *, reason: str, by: str, now: datetime
) -> Claimed:
    """Give up a part of a claimed penalty, all that is left of it when `amount` is None.

    Raises PenaltyNotFoundError, PenaltySettlementError.
    """
    take_turn(session)
    penalty = _with_room(session, scope, penalty_id, amount)
    left = _again(session, penalty).left
    given_up = left if amount is None else amount
    session.add(
        PenaltyWaiver(
            organisation_id=penalty.organisation_id,
            penalty_id=penalty.id,
            amount=given_up,
            reason=reason,
            waived_at=now,
            waived_by=by,
        )
    )
    _note(session, "penalty.waived", penalty, {"amount": str(given_up), "reason": reason, "by": by}, now)
    return _again(session, penalty)


def _claim(
    session: Session,
    position: PenaltyPosition,
    kind: PenaltyKind,
    amount: Decimal,
    currency: str,
    text: str,
    by: str,
    now: datetime,
) -> Penalty:
    interest, before = kind is PenaltyKind.INTEREST, position.claims_of(kind)
    return Penalty(
        organisation_id=organisation_of(session),
        invoice_id=position.invoice.id,
        customer_id=position.late.customer.id,
        number=0,
        kind=kind.value,
        amount=amount,
        currency=currency,
        until=position.sheet.until if interest else paris_date(now),
        instead_of=None if interest or not before else before[-1].penalty.id,
        sheet=kept_sheet(position) if interest else {},
        law=text,
        claimed_at=now,
        claimed_by=by,
    )


def kept_sheet(position: PenaltyPosition) -> dict[str, object]:
    """The sheet as it is kept with a claim: facts and figures as they were that day, amounts as strings."""
    return {
        "until": position.sheet.until.isoformat(),
        "due_date": position.late.due_date.isoformat(),
        "total": str(position.sheet.total),
        "lines": [
            {
                "from": line.first.isoformat(),
                "to": line.last.isoformat(),
                "days": line.days,
                "base": str(line.base),
                "percent": str(line.percent),
                "amount": f"{line.amount:.4f}",
            }
            for line in position.sheet.lines
        ],
    }


def _law(law: Statute, position: PenaltyPosition) -> str:
    rule = law.indemnity_on(position.late.due_date)
    return rule.law if rule else ""


def _with_room(session: Session, scope: Scope, penalty_id: UUID, amount: Decimal | None) -> Penalty:
    penalty = repository.penalty_by_id(session, scope, penalty_id)
    left = _again(session, penalty).left
    if left <= 0 or (amount is not None and (amount <= 0 or amount > left or amount % CENT)):
        raise PenaltySettlementError(amount if amount is not None else left, left)
    return penalty


def _again(session: Session, penalty: Penalty) -> Claimed:
    """The claim with what was paid and given up of it by now."""
    session.flush()
    return next(
        each for each in claimed_of(session, [penalty.invoice_id])[penalty.invoice_id] if each.penalty == penalty
    )


def _note(session: Session, kind: str, penalty: Penalty, content: dict[str, str], now: datetime) -> None:
    invoice = session.get_one(InvoiceRecord, penalty.invoice_id)
    subject = f"invoice:{key_of_invoice(invoice)}"
    append(session, at=now, kind=kind, subject=subject, content={"penalty_id": str(penalty.id), **content})
