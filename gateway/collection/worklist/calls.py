"""Record a call and what came of it: the agreement it opens, the line it settles, the day the line comes back.

A reminder's row is taken before the ledger's turn, as whoever sends reminders does; an action's after it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlmodel import Session, col, select

from gateway.access.principal import Principal
from gateway.collection import confirming, service
from gateway.collection.address_faults import keep_fault
from gateway.collection.agreements.disputing import NewDispute, open_dispute
from gateway.collection.agreements.money_rows import owed_of
from gateway.collection.agreements.promising import NewPromise, make_promise
from gateway.collection.model import Reminder
from gateway.collection.reachability import FaultKind, contact_named
from gateway.collection.recording import withdraw_if_void
from gateway.collection.reminder_rows import contact_of as reminder_contact
from gateway.collection.reminder_rows import lines_of
from gateway.collection.worklist import matters
from gateway.collection.worklist.errors import CallIncompleteError, MatterNotFoundError
from gateway.collection.worklist.matters import Viewer, visible_calls
from gateway.collection.worklist.model import CollectionCall
from gateway.collection.worklist.policy import CallOutcome, worklist_policy
from gateway.collection.worklist.ranking import Matter, Source
from gateway.customers.repository import contact_of, contact_rows
from gateway.database.engine import organisation_of
from gateway.kernel.clock import paris_date
from gateway.kernel.money import ZERO
from gateway.kernel.text import Text
from gateway.ledger.service import append, take_turn
from gateway.notifications.service import Channels

LONGEST_NOTE = 2000
_SETTLING = (CallOutcome.PROMISE, CallOutcome.DISPUTE)
_CALLED = ("reminder_call", "reminder_task")


@dataclass(frozen=True, slots=True)
class NewCall:
    """A call as it is told.

    Attributes:
        contact: whom one spoke to, or the number tried.
        amount: promised or contested, VAT included; None: all that is at stake, or the whole invoice.
        due_on: of a promise. reason: of a dispute, as `NewDispute` takes it.
        invoice_id: what is contested; None: the invoice of the line.
    """

    outcome: CallOutcome
    contact: str = ""
    note: str = ""
    amount: Decimal | None = None
    due_on: date | None = None
    reason: str = ""
    invoice_id: UUID | None = None


def record_call(
    session: Session,
    person: Principal,
    source: Source,
    matter_id: UUID,
    new: NewCall,
    channels: Channels,
    now: datetime,
) -> CollectionCall:
    """Record a call about a line of the worklist, and do what its outcome asks.

    A promise or a dispute is recorded and settles the line; after any other outcome the line comes back on a later
    working day, and nothing is sent any more to a contact who is the wrong one.

    Raises MatterNotFoundError, CallIncompleteError, and what `make_promise`, `open_dispute` and the completion of the
    line raise.
    """
    viewer = Viewer.of(person)
    line = matters.matter(session, viewer, source, matter_id)
    if line is None or line.customer_id is None:
        raise MatterNotFoundError(matter_id)
    settles = new.outcome in _SETTLING
    if settles and source is Source.REMINDER and line.kind in _CALLED:
        confirming.complete(session, viewer.scope, line.id, by=viewer.name, outcome=_outcome(new), now=now)
    take_turn(session)
    if settles and source is Source.ACTION:
        service.complete(session, viewer.scope, line.id, user_id=person.id, outcome=_outcome(new), now=now)
    today = paris_date(now)
    call = CollectionCall(
        organisation_id=organisation_of(session),
        customer_id=line.customer_id,
        source=source.value,
        matter_id=line.id,
        agency_id=line.agencies[0] if len(line.agencies) == 1 else None,
        customer_siren=line.customer_siren,
        outcome=new.outcome.value,
        contact=" ".join(new.contact.split()),
        note=new.note.strip()[:LONGEST_NOTE],
        amount=line.amount,
        currency=line.currency,
        back_on=worklist_policy(today).back_on(new.outcome, today),
        agreement_id=_agreement(session, viewer, line, new, channels, now),
        at=now,
        made_by=viewer.name,
    )
    session.add(call)
    session.flush()
    content = {
        "customer_id": str(call.customer_id),
        "about": f"{call.source}:{call.matter_id}",
        "outcome": call.outcome,
        "contact": call.contact,
        "note": call.note,
        "by": call.made_by,
        "agreement_id": str(call.agreement_id) if call.agreement_id else None,
    }
    append(session, at=now, kind="call.recorded", subject=f"call:{call.id}", content=content)
    if new.outcome is CallOutcome.WRONG_CONTACT:
        _stop_contact(session, line, call, now)
    if settles and source is Source.REMINDER:
        withdraw_if_void(session, line.id, now)
    return call


def calls_of(session: Session, viewer: Viewer, customer_id: UUID, limit: int = 20) -> Sequence[CollectionCall]:
    """The latest calls to a customer that may be seen, the newest first."""
    return session.exec(
        select(CollectionCall)
        .where(CollectionCall.customer_id == customer_id, visible_calls(viewer))
        .order_by(col(CollectionCall.at).desc(), col(CollectionCall.id).desc())
        .limit(limit)
    ).all()


def _stop_contact(session: Session, line: Matter, call: CollectionCall, now: datetime) -> None:
    """Nothing goes any more to the contact who was the wrong one: the one named, else the one the reminder was for."""
    contacts = [contact_of(row) for row in contact_rows(session, [call.customer_id]).get(call.customer_id, [])]
    said = call.contact
    if not said and line.source is Source.REMINDER:
        meant = reminder_contact(session.get_one(Reminder, line.id))
        said = (meant.email or meant.phone or meant.name) if meant else ""
    wrong = contact_named(contacts, said)
    if wrong is None:
        return
    keep_fault(
        session,
        call.customer_id,
        wrong.email or wrong.phone or wrong.name,
        FaultKind.WRONG_CONTACT,
        words=call.note,
        by=call.made_by,
        now=now,
        call_id=call.id,
    )


def _agreement(
    session: Session, viewer: Viewer, line: Matter, new: NewCall, channels: Channels, now: datetime
) -> UUID | None:
    if new.outcome is CallOutcome.PROMISE:
        return make_promise(session, viewer.scope, _promise(session, line, new), by=viewer.name, now=now).id
    if new.outcome is CallOutcome.DISPUTE:
        invoice_id = new.invoice_id or line.invoice_id or _first_invoice(session, viewer, line)
        if invoice_id is None:
            raise CallIncompleteError("invoice", Text("la facture contestée", "the invoice that is contested"))
        if not new.reason:
            raise CallIncompleteError("reason", Text("le motif du litige", "the reason of the dispute"))
        told = NewDispute(invoice_id, new.reason, new.amount, comment=new.note)
        return open_dispute(session, viewer.scope, told, channels, by=viewer.name, now=now).id
    return None


def _promise(session: Session, line: Matter, new: NewCall) -> NewPromise:
    """About the line's invoice when the amount fits in it, else about the customer's open ones, the first due first."""
    amount = new.amount if new.amount is not None else line.amount
    if line.customer_id is None or amount is None:
        raise CallIncompleteError("amount", Text("le montant promis", "the amount promised"))
    if new.due_on is None:
        raise CallIncompleteError("due_on", Text("le jour promis", "the day promised"))
    owed = owed_of(session, [line.invoice_id])[line.invoice_id].amount if line.invoice_id else ZERO
    return NewPromise(
        customer_id=line.customer_id,
        amount=amount,
        due_on=new.due_on,
        currency=line.currency or "EUR",
        invoice_ids=(line.invoice_id,) if line.invoice_id and ZERO < amount <= owed else (),
        contact=new.contact,
        comment=new.note,
    )


def _first_invoice(session: Session, viewer: Viewer, line: Matter) -> UUID | None:
    """Of a reminder: the invoice that its first line with one is about; the others are contested on their own pages."""
    if line.source is not Source.REMINDER:
        return None
    rows = lines_of(session, [line.id], viewer.scope).get(line.id, [])
    return next((row.invoice_id for row in rows if row.invoice_id), None)


def _outcome(new: NewCall) -> Text:
    label, contact, note = new.outcome.label, new.contact.strip(), new.note.strip()
    whom = f" ({contact})" if contact else ""
    return Text(
        f"{label.fr}{whom} : {note}" if note else f"{label.fr}{whom}",
        f"{label.en}{whom}: {note}" if note else f"{label.en}{whom}",
    )
