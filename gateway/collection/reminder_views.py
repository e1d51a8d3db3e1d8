"""Decisions and reminders as programs and pages read them; a limited person sees the part that is theirs."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlmodel import Session

from gateway.access.scope import Scope
from gateway.collection.holds import Reason
from gateway.collection.messages.values import Draft, PaperKind
from gateway.collection.model import AddressFaultRow, Reminder, ReminderExclusion, ReminderInvoice, ReminderState
from gateway.collection.reminder_rows import contact_of, lines_of, seen_whole
from gateway.collection.reminders import ReminderDecision
from gateway.collection.scenarios import Channel
from gateway.customers.model import Customer
from gateway.customers.repository import customers_by_id
from gateway.kernel.money import ZERO


class _View(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class LineView(_View):
    """One invoice, or one instalment, that is claimed (of a thank-you: thanked for), or what only the books know."""

    invoice_id: UUID | None = Field(description="Null: only the books know it")
    entry_id: UUID | None = Field(description="Of what only the books know: the line that tells it")
    number: str = Field(description="BT-1; of an instalment, those of its plan; else the document the books name")
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

    invoice_id: UUID | None = Field(description="Null: only the books know it")
    entry_id: UUID | None = Field(description="Of what only the books know: the line that tells it")
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
    recipient: str | None = Field(description="By the channel: an e-mail address, a number, the lines of an envelope")
    needs_confirmation: bool
    total: Decimal
    unallocated: Decimal = Field(description="Negative or nil")
    lines: tuple[LineView, ...]
    credits: tuple[CreditView, ...]
    withheld: tuple[WithheldView, ...]
    stopped_fr: tuple[str, ...] = Field(description="Addresses of the customer that are not used, and why")
    stopped_en: tuple[str, ...]
    why_not_fr: str
    why_not_en: str


class DecisionPage(_View):
    """The decisions about some customers; a page may be empty before the last."""

    decisions: tuple[DecisionView, ...]
    next_cursor: str | None


class DocumentView(_View):
    """A document of a message."""

    position: int = Field(description="From 1; its address ends with it")
    name: str
    media_type: str
    kind: str | None = Field(description="letter, statement, invoice or evidence; null: kept before kinds were")


class MessageView(_View):
    """A message that has not left, as it would leave now."""

    subject: str
    text: str
    html: str | None
    documents: tuple[DocumentView, ...] = Field(description="Those you may see")
    keeps_evidence: bool = Field(description="The evidence file of each invoice is made when it leaves, and kept")

    @classmethod
    def of(cls, draft: Draft, scope: Scope, customer_siren: str | None) -> "MessageView":
        """The view of a message that may be seen whole."""
        documents = (
            DocumentView(position=position, name=each.name, media_type=each.media_type, kind=each.kind.value)
            for position, each in enumerate(draft.papers, start=1)
            if may_see(each.kind, scope, customer_siren)
        )
        return cls(
            subject=draft.subject,
            text=draft.text,
            html=draft.html,
            documents=tuple(documents),
            keeps_evidence=bool(draft.proves),
        )


class WithdrawnView(_View):
    """Why a reminder would not leave: what it claims is settled or held back by now."""

    hold: str = Field(description="Stable name of the reason")
    reason_fr: str
    reason_en: str

    @classmethod
    def of(cls, reason: Reason) -> "WithdrawnView":
        """The view of a reason."""
        return cls(hold=reason.hold.value, reason_fr=reason.text.fr, reason_en=reason.text.en)


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
    recipient: str | None = Field(description="By the channel: an e-mail address, a number, the lines of an envelope")
    total: Decimal = Field(description="Of the lines you may see")
    unallocated: Decimal
    decided_at: datetime
    sent_at: datetime | None
    settled_by: str | None
    outcome_fr: str | None = Field(description="What came of it; a person’s words as they were written")
    outcome_en: str | None
    note: str
    subject: str | None
    text: str | None = Field(description="As it left; null when you see a part of its lines only")
    lines: tuple[LineView, ...]
    credits: tuple[CreditView, ...]
    documents: tuple[DocumentView, ...] = Field(description="Kept with it since it was worded, those you may see")
    is_whole: bool = Field(description="You see every line of it, and may decide about it")


class ReminderPage(_View):
    """Some reminders, the latest first."""

    reminders: tuple[ReminderView, ...]
    next_cursor: str | None


class ExclusionView(_View):
    """Whom reminders spare, why and until when."""

    id: UUID
    customer_id: UUID
    invoice_id: UUID | None = Field(description="Null with no `entry_id` either: the whole customer")
    entry_id: UUID | None = Field(description="Instead of an invoice, what only the books know")
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


class AddressFaultView(_View):
    """An address of a customer to which nothing is sent any more, and why."""

    id: UUID
    customer_id: UUID
    address: str
    kind: str = Field(description="wrong_contact or refused")
    words: str = Field(description="The mail server’s, or a person’s")
    told_at: datetime
    told_by: str
    lifted_at: datetime | None
    lifted_by: str | None

    @classmethod
    def of(cls, row: AddressFaultRow) -> "AddressFaultView":
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
        recipient=decision.channel.reached_at(contact) if decision.channel and contact else None,
        needs_confirmation=decision.needs_confirmation,
        total=decision.total,
        unallocated=decision.unallocated,
        lines=tuple(
            LineView(
                **_named(each.line.invoice_id, books_only=each.line.books_only),
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
                **_named(each.item.invoice_id, books_only=each.item.books_only),
                number=each.item.number,
                due_date=each.item.due_date,
                remaining=each.item.remaining,
                **_told(each.reason),
            )
            for each in decision.withheld
        ),
        stopped_fr=tuple(each.says.fr for each in decision.account.faults),
        stopped_en=tuple(each.says.en for each in decision.account.faults),
        why_not_fr=why_not.fr if why_not else "",
        why_not_en=why_not.en if why_not else "",
    )


def reminder_views(session: Session, scope: Scope, reminders: Sequence[Reminder]) -> list[ReminderView]:
    """Reminders with the lines that may be seen; text, documents and credit notes only where all may be."""
    mine, whole = lines_of(session, [each.id for each in reminders], scope), seen_whole(session, scope, reminders)
    customers = customers_by_id(session, (each.customer_id for each in reminders))
    return [
        _view(each, customers[each.customer_id], mine.get(each.id, []), scope, is_whole=each.id in whole)
        for each in reminders
    ]


def _view(
    reminder: Reminder, customer: Customer, lines: list[ReminderInvoice], scope: Scope, *, is_whole: bool
) -> ReminderView:
    contact = contact_of(reminder)
    claimed = sum((each.claimed for each in lines), ZERO)
    return ReminderView(
        id=reminder.id,
        customer_id=reminder.customer_id,
        customer_name=customer.name,
        currency=reminder.currency,
        step=reminder.step,
        title_fr=reminder.title_fr,
        title_en=reminder.title_en,
        channel=reminder.channel,
        tone=reminder.tone,
        state=ReminderState(reminder.state).value,
        recipient=Channel(reminder.channel).reached_at(contact) if contact else None,
        total=reminder.total if is_whole else claimed,
        unallocated=reminder.unallocated if is_whole else ZERO,
        decided_at=reminder.decided_at,
        sent_at=reminder.sent_at,
        settled_by=reminder.settled_by,
        outcome_fr=reminder.outcome_fr,
        outcome_en=reminder.outcome_en,
        note=reminder.note,
        subject=reminder.subject if is_whole else None,
        text=reminder.text if is_whole else None,
        lines=tuple(LineView(**{name: getattr(each, name) for name in LineView.model_fields}) for each in lines),
        credits=tuple(CreditView(**{name: each[name] for name in CreditView.model_fields}) for each in reminder.credits)
        if is_whole
        else (),
        documents=tuple(_documents(reminder, scope, customer.siren)) if is_whole else (),
        is_whole=is_whole,
    )


def _documents(reminder: Reminder, scope: Scope, customer_siren: str | None) -> Iterator[DocumentView]:
    for position, each in enumerate(reminder.documents, start=1):
        if may_see(each.get("kind"), scope, customer_siren):
            yield DocumentView(
                position=position, name=each["name"], media_type=each["media_type"], kind=each.get("kind")
            )


def may_see(kind: str | None, scope: Scope, customer_siren: str | None) -> bool:
    """Whether a document of a message that may be seen whole may be seen too: a statement tells the whole account.

    `kind`: a `PaperKind`; None: kept before kinds were, which may be a statement. Pure.
    """
    told = kind is not None and kind != PaperKind.STATEMENT
    return told or scope.is_everything or customer_siren in scope.key_accounts


def _named(item_id: UUID, *, books_only: bool) -> dict[str, UUID | None]:
    return {"invoice_id": None if books_only else item_id, "entry_id": item_id if books_only else None}


def _told(reason: Reason) -> dict[str, str | date | None]:
    return {
        "hold": reason.hold.value,
        "reason_fr": reason.text.fr,
        "reason_en": reason.text.en,
        "until": reason.until,
        "team": reason.team,
    }
