"""Penalties, limitation, insolvency, hand-over and order checks as programs and pages read them."""

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlmodel import Session

from gateway.collection.law import repository
from gateway.collection.law.formal_notice import Readiness
from gateway.collection.law.limitation import LimitationDecision
from gateway.collection.law.model import ClaimEnding, HandOver, Insolvency, PenaltyKind, Treatment
from gateway.collection.law.ordering import OrderDecision, OrderRule, OrderVerdict
from gateway.collection.law.positions import Claimed, PenaltyPosition
from gateway.collection.law.statute import Ending, Statute
from gateway.lifecycle.model import InvoiceRecord


class _View(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SheetLineView(_View):
    """Days on which neither what was outstanding nor the rate changed, both included."""

    first: date
    last: date
    days: int
    base: Decimal = Field(description="Outstanding, VAT included")
    percent: Decimal = Field(description="A year")
    amount: Decimal = Field(description="Four decimals; only the sum is rounded to the cent")
    provisional: bool = Field(description="The rate of that half-year is not known yet: the last one is used")


class ClaimView(_View):
    """What was claimed beside the principal: a receivable of its own."""

    id: UUID
    kind: PenaltyKind
    amount: Decimal
    currency: str
    until: date
    claimed_at: datetime
    paid: Decimal
    waived: Decimal = Field(description="Given up")
    corrected: Decimal = Field(description="Taken back: it never was due")
    left: Decimal
    law: str
    instead_of: UUID | None = Field(description="Of the indemnity: the corrected claim that this one makes again")


class PenaltyView(_View):
    """The penalties of one invoice up to a day, whether its principal is paid or not."""

    invoice_id: UUID
    number: str = Field(description="BT-1")
    customer_id: UUID
    due_date: date
    until: date
    currency: str
    days: int = Field(description="Days that bear interest")
    interest: Decimal
    provisional_from: date | None = Field(description="First day whose rate is not known yet")
    indemnity: Decimal
    indemnity_currency: str
    no_indemnity_fr: str | None = Field(description="Why none is due")
    no_indemnity_en: str | None
    treatment: Treatment = Field(description="What is to become of them")
    interest_to_claim: Decimal
    indemnity_to_claim: Decimal
    interest_excess: Decimal = Field(description="By how much the claims of interest exceed what is due: to correct")
    indemnity_excess: Decimal = Field(description="The indemnity that was claimed and is not due: to correct")
    law: str
    lines: tuple[SheetLineView, ...]
    claimed: tuple[ClaimView, ...]


class PenaltyPage(_View):
    """Some late invoices, the longest due first."""

    penalties: tuple[PenaltyView, ...]
    next_cursor: str | None = Field(description="Give it back as `cursor` for the next page; null on the last one")


class EndingView(_View):
    """How proceedings ended."""

    ending: str
    label_fr: str
    label_en: str
    on: date
    document: str
    comment: str
    counts: bool = Field(description="Whether what they interrupted stays so")
    law: str
    recorded_at: datetime
    recorded_by: str


class ActView(_View):
    """Something that happened to a claim."""

    id: UUID
    kind: str
    label_fr: str
    label_en: str
    on: date
    ended_on: date | None
    document: str
    interrupts: bool = Field(description="Whether it starts the limitation anew against this debtor")
    law: str
    may_end: bool = Field(description="It opened proceedings, whose end can be recorded")
    endings: tuple[EndingView, ...] = Field(description="How they ended, as it was told; the last one counts")


class LimitationView(_View):
    """Until when a claim can be brought to court."""

    invoice_id: UUID
    number: str
    started_on: date
    term: str = Field(description="BT-72, BT-74 or BT-2: the date it started on")
    years: int
    law: str
    counted_from: date = Field(description="The start, or the day of the act that started the time anew")
    ends_on: date | None = Field(description="Last day to act; null while proceedings hold it up")
    warn_from: date | None
    acts: tuple[ActView, ...]


class InsolvencyView(_View):
    """Insolvency proceedings of a customer."""

    id: UUID
    customer_id: UUID
    kind: str
    judgment_on: date
    published_on: date | None
    source: str
    court_agent: str
    declare_by: date
    declared_on: date | None
    declared_amount: Decimal | None
    declared_currency: str | None
    declaration: str | None
    ended_on: date | None


class OrderReasonView(_View):
    """Why an order is not simply allowed."""

    rule: OrderRule
    verdict: OrderVerdict
    reason_fr: str
    reason_en: str


class OrderCheckView(_View):
    """Whether an order may go ahead."""

    verdict: OrderVerdict
    reasons: tuple[OrderReasonView, ...]
    exposure: Decimal = Field(description="What the customer owes, VAT included")
    exposure_with_order: Decimal
    currency: str


class MissingView(_View):
    """What is missing for a step; `forbids`: it may not be taken."""

    need: str
    reason_fr: str
    reason_en: str
    forbids: bool


class ReadinessView(_View):
    """What a formal notice and a hand-over of an invoice still need."""

    formal_notice_allowed: bool
    formal_notice: tuple[MissingView, ...]
    hand_over_allowed: bool
    hand_over: tuple[MissingView, ...]


class HandOverView(_View):
    """Invoices given to litigation."""

    id: UUID
    customer_id: UUID
    whole_customer: bool
    handed_on: date
    handed_to: str
    reference: str
    comment: str
    closed_on: date | None
    closed_because: str | None
    numbers: tuple[str, ...] = Field(description="BT-1 of its invoices")
    missing: tuple[MissingView, ...] = Field(default=(), description="What would make the claim weaker")


def claim_view(claimed: Claimed) -> ClaimView:
    """One claim."""
    row = claimed.penalty
    return ClaimView(
        id=row.id,
        kind=PenaltyKind(row.kind),
        amount=row.amount,
        currency=row.currency,
        until=row.until,
        claimed_at=row.claimed_at,
        paid=claimed.paid,
        waived=claimed.waived,
        corrected=claimed.corrected,
        left=claimed.left,
        law=row.law,
        instead_of=row.instead_of,
    )


def penalty_view(position: PenaltyPosition) -> PenaltyView:
    """One invoice with its sheet."""
    invoice, sheet, indemnity = position.invoice, position.sheet, position.indemnity
    why = indemnity.refusal.label if indemnity.refusal else None
    return PenaltyView(
        invoice_id=invoice.id,
        number=invoice.number,
        customer_id=position.late.customer.id,
        due_date=position.late.due_date,
        until=sheet.until,
        currency=invoice.currency,
        days=sheet.days,
        interest=sheet.total,
        provisional_from=sheet.provisional_from,
        indemnity=indemnity.amount,
        indemnity_currency=indemnity.currency,
        no_indemnity_fr=why.fr if why else None,
        no_indemnity_en=why.en if why else None,
        treatment=position.treatment,
        interest_to_claim=position.interest_to_claim,
        indemnity_to_claim=position.indemnity_to_claim,
        interest_excess=position.interest_excess,
        indemnity_excess=position.indemnity_excess,
        law=position.law,
        lines=tuple(
            SheetLineView(
                first=line.first,
                last=line.last,
                days=line.days,
                base=line.base,
                percent=line.percent,
                amount=Decimal(f"{line.amount:.4f}"),
                provisional=line.provisional,
            )
            for line in sheet.lines
        ),
        claimed=tuple(claim_view(each) for each in position.claimed),
    )


def limitation_view(
    session: Session, invoice: InvoiceRecord, decision: LimitationDecision, law: Statute
) -> LimitationView:
    """One claim with what happened to it."""
    rows = repository.acts_of(session, [invoice.id]).get(invoice.id, [])
    endings = repository.endings_of(session, rows)
    acts = []
    for row, counted in zip(rows, decision.acts, strict=True):
        label = counted.rule.label
        acts.append(
            ActView(
                id=row.id,
                kind=row.kind,
                label_fr=label.fr,
                label_en=label.en,
                on=row.on_day,
                ended_on=row.ended_on,
                document=row.document,
                interrupts=counted.interrupts,
                law=counted.ending.law if counted.ending else counted.rule.law,
                may_end=counted.rule.pending,
                endings=tuple(_ending(each, law.limitation.ending[each.outcome]) for each in endings.get(row.id, ())),
            )
        )
    return LimitationView(
        invoice_id=invoice.id,
        number=invoice.number,
        started_on=decision.start.on,
        term=decision.start.term,
        years=decision.years,
        law=decision.law,
        counted_from=decision.counted_from,
        ends_on=decision.ends_on,
        warn_from=decision.warn_from,
        acts=tuple(acts),
    )


def _ending(row: ClaimEnding, rule: Ending) -> EndingView:
    return EndingView(
        ending=row.outcome,
        label_fr=rule.fr,
        label_en=rule.en,
        on=row.on_day,
        document=row.document,
        comment=row.comment,
        counts=rule.counts,
        law=rule.law,
        recorded_at=row.recorded_at,
        recorded_by=row.recorded_by,
    )


def insolvency_view(row: Insolvency) -> InsolvencyView:
    """One insolvency."""
    return InsolvencyView(**row.model_dump(include=set(InsolvencyView.model_fields)))


def order_check_view(decision: OrderDecision, currency: str) -> OrderCheckView:
    """The answer to an order."""
    return OrderCheckView(
        verdict=decision.verdict,
        reasons=tuple(
            OrderReasonView(rule=each.rule, verdict=each.verdict, reason_fr=each.says.fr, reason_en=each.says.en)
            for each in decision.reasons
        ),
        exposure=decision.exposure,
        exposure_with_order=decision.exposure_with_order,
        currency=currency,
    )


def missing_views(readiness: Readiness) -> tuple[MissingView, ...]:
    """What is missing for a step."""
    return tuple(
        MissingView(need=each.need.value, reason_fr=each.says.fr, reason_en=each.says.en, forbids=each.forbids)
        for each in readiness.missing
    )


def hand_over_view(
    row: HandOver, invoices: Iterable[InvoiceRecord], missing: tuple[MissingView, ...] = ()
) -> HandOverView:
    """One hand-over."""
    told = row.model_dump(include=set(HandOverView.model_fields))
    return HandOverView(**told, numbers=tuple(invoice.number for invoice in invoices), missing=missing)
