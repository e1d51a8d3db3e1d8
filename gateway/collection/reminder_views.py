"""Decisions and reminders as programs and pages read them; a limited person sees the part that is theirs."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlmodel import Session

from gateway.access.scope import Scope
from gateway.collection.holds import Reason
from gateway.collection.model import Reminder, ReminderExclusion, ReminderInvoice, ReminderState
from gateway.collection.reminder_rows import lines_of
from gateway.collection.reminders import ReminderDecision
from gateway.customers.repository import customers_by_id
from gateway.kernel.money import ZERO


class _View(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class LineView(_View):
    """One invoice, or one instalment, that is claimed (of a thank-you: thanked for)."""

    invoice_id: UUID
    number: str = Field(description="BT-1; of an instalment, those of its plan")
    due_date: date
    remaining: Decimal = Field(description="VAT included")
    claimed: Decimal = Field(description="Less the disputed part; zero when something holds it back by now")
    step: str | None = Field(description="The step taken for it; null when it is only shown")
    is_instalment: bool


class CreditView(_View):
    """What lowers what is owed; `remaining` is negative."""

    invoice_id: UUID
    number: str
    remaining: Decimal


class WithheldView(_View):
    """An open invoice that is not claimed, and why."""

    invoice_id: UUID
    number: str
    due_date: date
    remaining: Decimal
    hold: str = Field(description="Stable name of the reason")
    reason_fr: str
    reason_en: str
    until: date | None = Field(description="When it may end by itself")
    team: str | None = Field(description="Who can lift it")


class DecisionView(_View):
    """What the next round would do about one account."""

    customer_id: UUID
    customer_key: str
    customer_name: str
    currency: str
    scenario: str
    step: str | None = Field(description="Null: nothing today")
    title_fr: str
    title_en: str
    channel: str | None
    tone: int
    recipient: str | None
    needs_confirmation: bool
    total: Decimal
    unallocated: Decimal = Field(description="Negative or nil")
    lines: tuple[LineView, ...]
    credits: tuple[CreditView, ...]
    withheld: tuple[WithheldView, ...]
    why_not_fr: str
    why_not_en: str


class DecisionPage(_View):
    """The decisions about some customers; a page may be empty before the last."""

    decisions: tuple[DecisionView, ...]
    next_cursor: str | None


class ReminderView(_View):
    """One reminder."""

    id: UUID
    customer_id: UUID
    customer_name: str
    currency: str
    step: str
    title_fr: str
    title_en: str
    channel: str
    tone: int
    state: str
    recipient: str | None
    total: Decimal = Field(description="Of the lines you may see")
    unallocated: Decimal
    decided_at: datetime
    sent_at: datetime | None
    settled_by: str | None
    outcome: str | None
    note: str
    subject: str | None
    text: str | None = Field(description="As it left; null when you see a part of its lines only")
    lines: tuple[LineView, ...]
    credits: tuple[CreditView, ...]
    documents: tuple[dict[str, str], ...]
    is_whole: bool = Field(description="You see every line of it, and may decide about it")


class ReminderPage(_View):
    """Some reminders, the latest first."""

    reminders: tuple[ReminderView, ...]
    next_cursor: str | None


class ExclusionView(_View):
    """Whom reminders spare, why and until when."""

    id: UUID
    customer_id: UUID
    invoice_id: UUID | None = Field(description="Null: the whole customer")
    until: date | None
    reason: str
    made_at: datetime
    made_by: str
    lifted_at: datetime | None
    lifted_by: str | None

    @classmethod
    def of(cls, row: ReminderExclusion) -> "ExclusionView":
        """The view of a row."""
        return cls(**{name: getattr(row, name) for name in cls.model_fields})


def seen_by(decision: ReminderDecision, scope: Scope) -> ReminderDecision | None:
    """The part of a decision that a person may see: their lines and what these add up to; None without any. Pure."""
    if scope.is_everything:
        return decision
    siren, agency_of = (
        decision.account.customer.siren,
        {each.invoice_id: each.agency_id for each in decision.account.items},
    )
    lines = tuple(each for each in decision.lines if scope.allows(each.agency_id, siren))
    withheld = tuple(each for each in decision.withheld if scope.allows(each.item.agency_id, siren))
    if not lines and not withheld:
        return None
    credits = tuple(each for each in decision.credits if scope.allows(agency_of[each.invoice_id], siren))
    whole = len(lines) == len(decision.lines) and len(credits) == len(decision.credits)
    unallocated = decision.unallocated if whole and siren in scope.key_accounts else ZERO
    total = sum((each.line.claimed for each in lines), sum((each.remaining for each in credits), unallocated))
    return replace(
        decision,
        lines=lines,
        withheld=withheld,
        credits=credits,
        unallocated=unallocated,
        total=total if lines else ZERO,
    )


def decision_view(decision: ReminderDecision) -> DecisionView:
    """A decision for programs. Pure."""
    customer, step, contact = decision.account.customer, decision.step, decision.contact
    title, why_not = (step.title if step else None), decision.why_not.text if decision.why_not else None
    return DecisionView(
        customer_id=customer.id,
        customer_key=customer.key,
        customer_name=customer.name,
        currency=decision.account.currency,
        scenario=decision.scenario,
        step=decision.key if step else None,
        title_fr=title.fr if title else "",
        title_en=title.en if title else "",
        channel=decision.channel.value if decision.channel else None,
        tone=decision.tone,
        recipient=(contact.email or contact.phone or contact.name) if contact else None,
        needs_confirmation=decision.needs_confirmation,
        total=decision.total,
        unallocated=decision.unallocated,
        lines=tuple(
            LineView(
                invoice_id=each.line.invoice_id,
                number=each.line.number,
                due_date=each.line.due_date,
                remaining=each.line.remaining,
                claimed=each.line.claimed,
                step=each.key,
                is_instalment=each.line.is_instalment,
            )
            for each in decision.lines
        ),
        credits=tuple(
            CreditView(invoice_id=each.invoice_id, number=each.number, remaining=each.remaining)
            for each in decision.credits
        ),
        withheld=tuple(
            WithheldView(
                invoice_id=each.item.invoice_id,
                number=each.item.number,
                due_date=each.item.due_date,
                remaining=each.item.remaining,
                **_told(each.reason),
            )
            for each in decision.withheld
        ),
        why_not_fr=why_not.fr if why_not else "",
        why_not_en=why_not.en if why_not else "",
    )


def reminder_views(session: Session, scope: Scope, reminders: Sequence[Reminder]) -> list[ReminderView]:
    """Reminders with the lines that may be seen; text, documents and credit notes only where all may be."""
    ids = [each.id for each in reminders]
    every, mine = lines_of(session, ids, Scope.everything()), lines_of(session, ids, scope)
    customers = customers_by_id(session, (each.customer_id for each in reminders))
    return [
        _view(
            each,
            customers[each.customer_id].name,
            mine.get(each.id, []),
            len(mine.get(each.id, [])) == len(every[each.id]),
        )
        for each in reminders
    ]


def _view(reminder: Reminder, customer_name: str, lines: list[ReminderInvoice], is_whole: bool) -> ReminderView:
    told = reminder.contact or {}
    claimed = sum((each.claimed for each in lines), ZERO)
    return ReminderView(
        id=reminder.id,
        customer_id=reminder.customer_id,
        customer_name=customer_name,
        currency=reminder.currency,
        step=reminder.step,
        title_fr=reminder.title_fr,
        title_en=reminder.title_en,
        channel=reminder.channel,
        tone=reminder.tone,
        state=ReminderState(reminder.state).value,
        recipient=told.get("email") or told.get("phone") or told.get("name") or None,
        total=reminder.total if is_whole else claimed,
        unallocated=reminder.unallocated if is_whole else ZERO,
        decided_at=reminder.decided_at,
        sent_at=reminder.sent_at,
        settled_by=reminder.settled_by,
        outcome=reminder.outcome,
        note=reminder.note,
        subject=reminder.subject if is_whole else None,
        text=reminder.text if is_whole else None,
        lines=tuple(LineView(**{name: getattr(each, name) for name in LineView.model_fields}) for each in lines),
        credits=tuple(CreditView(**{name: each[name] for name in CreditView.model_fields}) for each in reminder.credits)
        if is_whole
        else (),
        documents=tuple(reminder.documents) if is_whole else (),
        is_whole=is_whole,
    )


def _told(reason: Reason) -> dict[str, str | date | None]:
    return {
        "hold": reason.hold.value,
        "reason_fr": reason.text.fr,
        "reason_en": reason.text.en,
        "until": reason.until,
        "team": reason.team,
    }
