"""What became of the story of collection, as the database holds it afterwards."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, select

from fixtures.collection import CollectionStory
from fixtures.samples import DemoInvoice
from gateway.access.scope import Scope
from gateway.app.services import Services
from gateway.collection.agreements.history import lines_of
from gateway.collection.agreements.model import Dispute, Promise, Step
from gateway.collection.law.model import PenaltyKind
from gateway.collection.law.repository import penalties_of
from gateway.collection.model import CollectionAction, Reminder, ReminderInvoice, ReminderState
from gateway.collection.reminding import preview
from gateway.collection.worklist.matters import Viewer, matters
from gateway.collection.worklist.policy import worklist_policy
from gateway.collection.worklist.ranking import rank
from gateway.customers.model import CustomerInvoice
from gateway.kernel.clock import paris_date
from gateway.kernel.money import ZERO
from gateway.lifecycle.model import InvoiceRecord
from gateway.treasury.receivable_rows import open_items

_PDF = b"%PDF"


@dataclass(frozen=True, slots=True)
class Rejected:
    """An invoice that the platform rejected.

    Attributes:
        action, settled: where the action of its alert stands, and what settled it.
        reminders: how many named it, none may; why_not: what holds them back.
    """

    number: str
    status: str
    reissued_as: str
    reissued_left_to_pay: str
    action: str
    settled: str
    reminders: int
    why_not: str


@dataclass(frozen=True, slots=True)
class Disputed:
    """An invoice that its buyer contested, days as ISO dates.

    Attributes:
        reminded_meanwhile: reminders that named it while it was contested, none may.
        beside_reminded_on: when another invoice of that buyer was reminded of meanwhile.
        reminded_on: when it was chased again. left_to_pay: now.
    """

    number: str
    contested: str
    disputed_on: str
    settled_on: str
    outcome: str
    reminded_meanwhile: int
    beside_reminded_on: str
    reminded_on: str
    left_to_pay: str


@dataclass(frozen=True, slots=True)
class BrokenPromise:
    """A promise that was not kept, and where the worklist has put its customer: `place` of `lines`, the first is 1."""

    customer: str
    amount: str
    made_on: str
    due_on: str
    broken_on: str
    state: str
    title: str
    why: str
    place: int
    lines: int


@dataclass(frozen=True, slots=True)
class Message:
    """One message that reached the late payer."""

    step: str
    on: str
    channel: str
    tone: int
    recipient: str
    invoices: int
    total: str
    outcome: str


@dataclass(frozen=True, slots=True)
class LatePayer:
    """Who pays late: each message is about all of the invoices. `letter`: bytes of the PDF that was posted."""

    customer: str
    invoices: int
    messages: tuple[Message, ...]
    letter: int
    letter_is_pdf: bool


@dataclass(frozen=True, slots=True)
class SheetLine:
    """Days that bore interest, counted from the day after the due date, which is 1."""

    invoice: int
    first: int
    last: int
    base: str
    percent: str


@dataclass(frozen=True, slots=True)
class Penalties:
    """What was claimed of the late payer. `invoice` of a line: its place among the five, from 1."""

    lines: tuple[SheetLine, ...]
    interest: tuple[str, ...]
    indemnities: str
    total: str


@dataclass(frozen=True, slots=True)
class CollectionFacts:
    """The story of collection. `owed`, `overdue`: by all customers, in euros."""

    rejected: Rejected
    disputed: Disputed
    promise: BrokenPromise
    late_payer: LatePayer
    penalties: Penalties
    customers: int
    owed: str
    overdue: str

    def lines(self) -> Iterator[str]:
        """The story as people read it."""
        rejected, disputed, promise, late = self.rejected, self.disputed, self.promise, self.late_payer
        yield f"Encours / receivables: {self.owed} EUR, {self.customers} clients / customers"
        yield f"Échu / overdue: {self.overdue} EUR"
        yield (
            f"Rejetée / rejected: {rejected.number}, réémise / reissued: {rejected.reissued_as}, "
            f"relances / reminders: {rejected.reminders}"
        )
        yield (
            f"Contestée / disputed: {disputed.number}, {disputed.disputed_on} → {disputed.settled_on}, "
            f"relancée / chased: {disputed.reminded_on}"
        )
        yield (
            f"Promesse non tenue / promise broken: {promise.customer}, {promise.amount} EUR, {promise.due_on}, rang / "
            f"place {promise.place}/{promise.lines}"
        )
        for message in late.messages:
            yield (
                f"{late.customer} : {message.on} {message.step} ({message.channel}), {message.invoices} factures / "
                f"invoices, {message.total} EUR"
            )
        yield f"Pénalités / penalties: {self.penalties.total} EUR"


def collection_facts(session: Session, services: Services, story: CollectionStory) -> CollectionFacts:
    """Read what the story brought about."""
    today = paris_date(services.clock())
    items = list(open_items(session, Scope.everything(), today))
    return CollectionFacts(
        rejected=_rejected(session, services, story),
        disputed=_disputed(session, story),
        promise=_promise(session, story, today),
        late_payer=_late_payer(session, services, story),
        penalties=_penalties(session, story),
        customers=len({each.customer_id for each in items}),
        owed=str(sum((each.remaining for each in items), ZERO)),
        overdue=str(sum((each.remaining for each in items if each.remaining > 0 and each.due_date < today), ZERO)),
    )


def _rejected(session: Session, services: Services, story: CollectionStory) -> Rejected:
    invoice, reissued = _record(session, story.rejected), _record(session, story.reissued)
    action = session.exec(select(CollectionAction).where(CollectionAction.invoice_id == invoice.id)).one()
    decisions = preview(session, services.clock(), [_customer_id(session, invoice)])
    held = [each.reason.text.fr for one in decisions for each in one.withheld if each.item.invoice_id == invoice.id]
    return Rejected(
        number=invoice.number,
        status=invoice.status or "",
        reissued_as=reissued.number,
        reissued_left_to_pay=str(_left(session, reissued)),
        action=action.state,
        settled=action.outcome_fr or "",
        reminders=len(_reminders(session, invoice)),
        why_not=" ".join(held),
    )


def _disputed(session: Session, story: CollectionStory) -> Disputed:
    invoice, beside = _record(session, story.disputed), _record(session, story.beside)
    dispute = session.exec(select(Dispute).where(Dispute.invoice_id == invoice.id)).one()
    since, until = dispute.opened_on, dispute.closed_on or date.max
    reminded = [each.decided_on for each in _reminders(session, invoice)]
    meanwhile = [each.decided_on for each in _reminders(session, beside) if since <= each.decided_on < until]
    return Disputed(
        number=invoice.number,
        contested=str(dispute.amount),
        disputed_on=str(since),
        settled_on=str(dispute.closed_on),
        outcome=dispute.outcome or "",
        reminded_meanwhile=sum(1 for on in reminded if since <= on < until),
        beside_reminded_on=_first(meanwhile),
        reminded_on=_first([on for on in reminded if on >= until]),
        left_to_pay=str(_left(session, invoice)),
    )


def _promise(session: Session, story: CollectionStory, today: date) -> BrokenPromise:
    customer_id = _customer_id(session, _record(session, story.promised))
    promise = session.exec(select(Promise).where(Promise.customer_id == customer_id)).one()
    broken = [paris_date(each.at) for each in lines_of(session, [promise.id])[promise.id] if each.step == Step.BROKEN]
    ranked = rank(matters(session, Viewer(Scope.everything(), "")), today, worklist_policy(today))
    places = [place for place, each in enumerate(ranked, start=1) if each.matter.customer_id == customer_id]
    line = ranked[places[0] - 1] if places else None
    return BrokenPromise(
        customer=story.promised.customer.name,
        amount=str(promise.amount),
        made_on=str(paris_date(promise.made_at)),
        due_on=str(promise.due_on),
        broken_on=_first(broken),
        state=promise.state,
        title=line.matter.title.fr if line else "",
        why=line.why.fr if line else "",
        place=places[0] if places else 0,
        lines=len(ranked),
    )


def _late_payer(session: Session, services: Services, story: CollectionStory) -> LatePayer:
    invoices = [_record(session, each) for each in story.late]
    sent = {each.id: each for invoice in invoices for each in _reminders(session, invoice)}
    written = sorted((each for each in sent.values() if each.documents), key=lambda each: each.decided_at)
    letters = [each for each in written if each.channel != "email"]
    letter = services.documents.get(letters[-1].documents[0]["sha256"]) if letters else b""
    return LatePayer(
        customer=story.late[0].customer.name,
        invoices=len(invoices),
        messages=tuple(_message(session, each) for each in written),
        letter=len(letter),
        letter_is_pdf=letter.startswith(_PDF),
    )


def _message(session: Session, reminder: Reminder) -> Message:
    lines = session.exec(select(ReminderInvoice).where(ReminderInvoice.reminder_id == reminder.id)).all()
    return Message(
        step=reminder.step,
        on=str(reminder.decided_on),
        channel=reminder.channel,
        tone=reminder.tone,
        recipient=(reminder.contact or {}).get("name", ""),
        invoices=sum(1 for line in lines if line.claimed > 0),
        total=str(reminder.total),
        outcome=reminder.outcome_fr or "",
    )


def _penalties(session: Session, story: CollectionStory) -> Penalties:
    claimed = penalties_of(session, [each.id for each in (_record(session, one) for one in story.late)])
    lines: list[SheetLine] = []
    interest: list[Decimal] = []
    indemnities = ZERO
    for place, invoice in enumerate(story.late, start=1):
        for penalty in claimed.get(_record(session, invoice).id, []):
            if penalty.kind == PenaltyKind.INDEMNITY:
                indemnities += penalty.amount
            else:
                interest.append(penalty.amount)
                lines += _sheet(place, penalty.sheet)
    total = sum(interest, indemnities)
    return Penalties(tuple(lines), tuple(str(each) for each in interest), str(indemnities), str(total))


def _sheet(place: int, sheet: dict[str, Any]) -> list[SheetLine]:
    """The days of a sheet, together again where a half-year began within them."""
    due = date.fromisoformat(sheet["due_date"])
    found: list[SheetLine] = []
    for each in sheet["lines"]:
        first, last = ((date.fromisoformat(each[end]) - due).days for end in ("from", "to"))
        before = found[-1] if found else None
        if before and (before.last + 1, before.base, before.percent) == (first, each["base"], each["percent"]):
            found[-1] = SheetLine(place, before.first, last, before.base, before.percent)
        else:
            found.append(SheetLine(place, first, last, each["base"], each["percent"]))
    return found


def _record(session: Session, invoice: DemoInvoice) -> InvoiceRecord:
    return session.exec(select(InvoiceRecord).where(InvoiceRecord.number == invoice.number)).one()


def _customer_id(session: Session, invoice: InvoiceRecord) -> UUID:
    return session.exec(select(CustomerInvoice.customer_id).where(CustomerInvoice.invoice_id == invoice.id)).one()


def _left(session: Session, invoice: InvoiceRecord) -> Decimal:
    """As the treasury counts it, with receipts."""
    found = open_items(session, Scope.everything(), invoice.issue_date, [_customer_id(session, invoice)])
    return sum((each.remaining for each in found if each.invoice_id == invoice.id), ZERO)


def _reminders(session: Session, invoice: InvoiceRecord) -> list[Reminder]:
    """Those that reached the customer and claimed something of an invoice, the first one first."""
    return list(
        session.exec(
            select(Reminder)
            .join(ReminderInvoice, col(ReminderInvoice.reminder_id) == col(Reminder.id))
            .where(
                ReminderInvoice.invoice_id == invoice.id,
                ReminderInvoice.claimed > 0,
                Reminder.state == ReminderState.SENT.value,
            )
            .order_by(col(Reminder.decided_at))
        ).all()
    )


def _first(days: list[date]) -> str:
    return str(min(days)) if days else ""
