"""What there is to do, as the database holds it: actions, reminders that wait for a person, contacts to be found."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Date, and_, func, or_, select
from sqlalchemy.dialects.postgresql import aggregate_order_by, distinct_on
from sqlalchemy.orm import Bundle
from sqlmodel import Session, col

from gateway.access.principal import Principal
from gateway.access.scope import Scope
from gateway.alerts.model import Alert
from gateway.collection.address_faults import fault_of
from gateway.collection.model import (
    ActionState,
    AddressFaultRow,
    CollectionAction,
    Reminder,
    ReminderInvoice,
    ReminderState,
)
from gateway.collection.reminder_rows import WAITING, lines_of, visible_lines
from gateway.collection.same_matter import Told
from gateway.collection.scenarios import Channel
from gateway.collection.worklist.joining import ToldLine, joined
from gateway.collection.worklist.model import CollectionCall
from gateway.collection.worklist.policy import CallOutcome
from gateway.collection.worklist.ranking import Matter, Source
from gateway.customers.model import Customer, CustomerContact, CustomerInvoice
from gateway.customers.repository import contact_of, contact_rows, visible_customers
from gateway.kernel.clock import paris_date
from gateway.kernel.money import ZERO
from gateway.kernel.text import Text
from gateway.lifecycle.model import InvoiceRecord

FIND_CONTACT = "find_contact"
_TODO_KINDS = {Channel.CALL: "reminder_call", Channel.TASK: "reminder_task"}
_STATE_KINDS = {
    ReminderState.AWAITING: "reminder_confirm",
    ReminderState.IN_DOUBT: "reminder_in_doubt",
    ReminderState.FAILED: "reminder_failed",
}
#: How to go about a reminder that waits for a person.
_HOW = {
    "reminder_confirm": Text(
        "Relisez la relance, puis confirmez-la ou refusez-la.", "Read the reminder, then confirm or refuse it."
    ),
    "reminder_call": Text(
        "Appelez le client et notez ce qui en sort.", "Call the customer and record what comes of it."
    ),
    "reminder_post": Text("Postez la lettre et notez son numéro.", "Post the letter and record its number."),
    "reminder_task": Text("Faites la tâche et notez ce qui en sort.", "Do the task and record what comes of it."),
    "reminder_in_doubt": Text(
        "Le serveur n’a pas répondu clairement : dites si la relance est arrivée.",
        "The server gave no clear answer: say whether the reminder arrived.",
    ),
    "reminder_failed": Text(
        "La relance n’est pas partie : corrigez l’adresse, ou appelez.",
        "The reminder did not leave: correct the address, or call.",
    ),
}
#: What a line shows of an action and of a customer, and no more: there are thousands of lines.
_ACTION = Bundle[Any](
    "action",
    *(
        col(CollectionAction.id),
        col(CollectionAction.kind),
        col(CollectionAction.title_fr),
        col(CollectionAction.title_en),
        col(CollectionAction.explanation_fr),
        col(CollectionAction.explanation_en),
        col(CollectionAction.team),
        col(CollectionAction.created_at),
        col(CollectionAction.customer_siren),
        col(CollectionAction.agency_id),
        col(CollectionAction.invoice_id),
        col(CollectionAction.amount),
        col(CollectionAction.currency),
        col(CollectionAction.due_on),
        col(CollectionAction.assigned_to),
    ),
)
_ALERT = Bundle[Any]("alert", col(Alert.condition), col(Alert.severity), col(Alert.reason_fr), col(Alert.reason_en))
_CUSTOMER = Bundle[Any](
    "customer",
    *(
        col(Customer.id),
        col(Customer.name),
        col(Customer.siren),
        col(Customer.is_key_account),
        col(Customer.collector_id),
    ),
)
_CORRECT = Text(
    "Rien n’y part plus : ajoutez le bon contact à la fiche du client, ou dites que l’adresse est bonne.",
    "Nothing goes there any more: add the right contact to the customer, or say that the address is right.",
)
#: Outcomes that reach someone at the customer, after which the contact is known again.
_REACHED = (CallOutcome.PROMISE, CallOutcome.DISPUTE, CallOutcome.PAID)


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks at the list: the scope, and the name under which their own calls are kept (user:<id>, client:<id>)."""

    scope: Scope
    name: str

    @classmethod
    def of(cls, principal: Principal) -> "Viewer":
        """A person or a program."""
        return cls(principal.scope, f"{principal.kind}:{principal.id}")


def matters(session: Session, viewer: Viewer) -> list[Matter]:
    """Everything to do that may be seen, in a bounded number of statements."""
    actions = list(_actions(session, viewer.scope))
    others = [*_reminders(session, viewer.scope), *_contacts(session, viewer), *_addresses(session, viewer)]
    calls = _calls(session, [*(each.line.id for each in actions), *(each.id for each in others)])

    def called(line: Matter) -> Matter:
        return replace(line, **calls[line.id]) if line.id in calls else line

    return [*joined(replace(each, line=called(each.line)) for each in actions), *map(called, others)]


def matter(session: Session, viewer: Viewer, source: Source, matter_id: UUID) -> Matter | None:
    """One line of the list; None when there is none that may be seen."""
    if source is Source.ACTION:
        every = joined(_actions(session, viewer.scope, matter_id))
        return next((each for each in every if matter_id in (each.id, *each.also)), None)
    if source is Source.REMINDER:
        found = _reminders(session, viewer.scope, matter_id)
    else:
        listed = _contacts if source is Source.CALL else _addresses
        found = (each for each in listed(session, viewer) if each.id == matter_id)
    return next(iter(found), None)


def visible_calls(viewer: Viewer) -> ColumnElement[bool]:
    """The condition under which a call may be seen: by what it was about, or by who made it."""
    mine = viewer.scope.condition(CollectionCall.agency_id, CollectionCall.customer_siren)
    return or_(mine, col(CollectionCall.made_by) == viewer.name)


def _actions(session: Session, scope: Scope, only: UUID | None = None) -> Iterator[ToldLine]:
    """Those to do; `only`: that one, and the others on its invoice."""
    statement = (
        select(_ACTION, _ALERT, _CUSTOMER, col(InvoiceRecord.buyer_name))
        .select_from(CollectionAction)
        .join(Alert, col(Alert.id) == CollectionAction.alert_id)
        .outerjoin(InvoiceRecord, col(InvoiceRecord.id) == CollectionAction.invoice_id)
        .outerjoin(CustomerInvoice, col(CustomerInvoice.invoice_id) == CollectionAction.invoice_id)
        .outerjoin(
            Customer,
            col(Customer.id) == func.coalesce(col(CustomerInvoice.customer_id), col(CollectionAction.customer_id)),
        )
        .where(
            col(CollectionAction.state) == ActionState.TODO.value,
            scope.condition(CollectionAction.agency_id, CollectionAction.customer_siren),
        )
    )
    if only is not None:
        invoice = select(col(CollectionAction.invoice_id)).where(col(CollectionAction.id) == only).scalar_subquery()
        statement = statement.where(or_(col(CollectionAction.id) == only, col(CollectionAction.invoice_id) == invoice))
    for action, alert, customer, buyer_name in session.execute(statement):
        line = Matter(
            source=Source.ACTION,
            id=action.id,
            kind=action.kind,
            title=Text(action.title_fr, action.title_en),
            explanation=Text(action.explanation_fr, action.explanation_en),
            team=action.team,
            since=paris_date(action.created_at),
            customer_name=buyer_name or "",
            customer_siren=action.customer_siren,
            agencies=(action.agency_id,) if action.agency_id else (),
            invoice_id=action.invoice_id,
            amount=action.amount,
            currency=action.currency,
            due_on=action.due_on,
            assigned_to=action.assigned_to,
        )
        yield ToldLine(
            line if customer.id is None else _of_customer(line, customer),
            Told(action.id, alert.condition, action.invoice_id, action.created_at),
            alert.severity,
            Text(alert.reason_fr, alert.reason_en),
        )


def _reminders(session: Session, scope: Scope, only: UUID | None = None) -> Iterator[Matter]:
    """With the claims that may be seen only: of a limited person's reminder, that part is at stake."""
    waiting = col(Reminder.state).in_([state.value for state in WAITING])
    chosen = and_(waiting, col(Reminder.id) == only) if only is not None else waiting
    claims = (
        select(
            col(ReminderInvoice.reminder_id),
            func.sum(ReminderInvoice.claimed).label("claimed"),
            func.array_agg(col(InvoiceRecord.agency_id).distinct()).label("agencies"),
        )
        .join(Reminder, col(Reminder.id) == ReminderInvoice.reminder_id)
        .outerjoin(InvoiceRecord, col(InvoiceRecord.id) == ReminderInvoice.invoice_id)
        .where(chosen, visible_lines(scope))
        .group_by(col(ReminderInvoice.reminder_id))
        .subquery()
    )
    statement = (
        select(Reminder, _CUSTOMER, claims.c.claimed, claims.c.agencies)
        .join(claims, claims.c.reminder_id == Reminder.id)
        .join(Customer, col(Customer.id) == Reminder.customer_id)
        .where(chosen)
    )
    for reminder, customer, claimed, agencies in session.execute(statement):
        state = ReminderState(reminder.state)
        kind = _STATE_KINDS.get(state) or _TODO_KINDS.get(Channel(reminder.channel), "reminder_post")
        at_stake = reminder.total if scope.is_everything else claimed
        line = Matter(
            source=Source.REMINDER,
            id=reminder.id,
            kind=kind,
            title=Text(f"{reminder.title_fr} : {customer.name}", f"{reminder.title_en}: {customer.name}"),
            explanation=_HOW[kind],
            team="ar",
            since=reminder.decided_on,
            agencies=tuple(each for each in agencies if each is not None) if None not in agencies else (),
            amount=ZERO if reminder.is_thanks else at_stake,
            currency=reminder.currency,
            due_on=reminder.decided_on,
        )
        yield _of_customer(line, customer)


def _contacts(session: Session, viewer: Viewer) -> Iterator[Matter]:
    """Customers whose last call that tells reached the wrong person, and for whom no contact was added since; of calls
    that named no contact of theirs, which would be stopped and asked for as an address is."""
    tells = (CallOutcome.WRONG_CONTACT, *_REACHED)
    latest = (
        select(col(CollectionCall.id))
        .ext(distinct_on(col(CollectionCall.customer_id)))
        .where(col(CollectionCall.outcome).in_([outcome.value for outcome in tells]))
        .order_by(col(CollectionCall.customer_id), col(CollectionCall.at).desc(), col(CollectionCall.id).desc())
    )
    added_since = select(col(CustomerContact.id)).where(
        col(CustomerContact.customer_id) == CollectionCall.customer_id,
        col(CustomerContact.created_at) > CollectionCall.at,
    )
    stopped = select(col(AddressFaultRow.id)).where(col(AddressFaultRow.call_id) == CollectionCall.id)
    statement = (
        select(CollectionCall, _CUSTOMER)
        .join(Customer, col(Customer.id) == CollectionCall.customer_id)
        .where(
            col(CollectionCall.id).in_(latest),
            col(CollectionCall.outcome) == CallOutcome.WRONG_CONTACT.value,
            visible_calls(viewer),
            ~added_since.exists(),
            ~stopped.exists(),
        )
    )
    for call, customer in session.execute(statement):
        tried = f" ({call.contact})" if call.contact else ""
        line = Matter(
            source=Source.CALL,
            id=call.id,
            kind=FIND_CONTACT,
            title=Text(f"Trouver le bon contact : {customer.name}", f"Find the right contact: {customer.name}"),
            explanation=Text(
                f"Le contact appelé{tried} n’est pas le bon. Ajoutez le bon à la fiche du client : "
                "cette ligne disparaît alors.",
                f"The contact called{tried} is not the right one. Add the right one to the customer: "
                "this line then goes.",
            ),
            team="ar",
            since=paris_date(call.at),
            agencies=(call.agency_id,) if call.agency_id else (),
            amount=call.amount,
            currency=call.currency,
            due_on=call.back_on,
        )
        yield _of_customer(line, customer)


def _addresses(session: Session, viewer: Viewer) -> Iterator[Matter]:
    """Stopped addresses of contacts that customers still have, and for whom no contact was added since."""
    added_since = select(col(CustomerContact.id)).where(
        col(CustomerContact.customer_id) == AddressFaultRow.customer_id,
        col(CustomerContact.created_at) > AddressFaultRow.told_at,
    )
    statement = (
        select(AddressFaultRow, _CUSTOMER, col(Reminder.currency))
        .join(Customer, col(Customer.id) == AddressFaultRow.customer_id)
        .outerjoin(Reminder, col(Reminder.id) == AddressFaultRow.reminder_id)
        .where(col(AddressFaultRow.lifted_at).is_(None), visible_customers(viewer.scope), ~added_since.exists())
    )
    rows = session.execute(statement).all()
    if not rows:
        return
    contacts = contact_rows(session, [customer.id for _, customer, _ in rows])
    claims = lines_of(session, [row.reminder_id for row, *_ in rows if row.reminder_id], viewer.scope)
    calls = {row.call_id for row, *_ in rows if row.call_id}
    seen = select(CollectionCall).where(col(CollectionCall.id).in_(calls), visible_calls(viewer))
    called = {call.id: call for call in session.execute(seen).scalars()}
    for row, customer, currency in rows:
        fault = fault_of(row)
        if not any(fault.touches(contact_of(each)) for each in contacts.get(customer.id, ())):
            continue
        call = called.get(row.call_id)
        claimed = [line.claimed for line in claims.get(row.reminder_id, ())]
        line = Matter(
            source=Source.ADDRESS,
            id=row.id,
            kind=FIND_CONTACT,
            title=Text(f"Trouver la bonne adresse : {customer.name}", f"Find the right address: {customer.name}"),
            explanation=Text(f"{fault.says.fr} {_CORRECT.fr}", f"{fault.says.en} {_CORRECT.en}"),
            team="ar",
            since=fault.since,
            amount=call.amount if call else sum(claimed, ZERO) or None,
            currency=call.currency if call else currency,
            due_on=call.back_on if call else None,
        )
        yield _of_customer(line, customer)


def _calls(session: Session, matter_ids: Collection[UUID]) -> dict[UUID, dict[str, Any]]:
    """How often each was called about in vain, and the day it comes back after the last time."""
    newest_first = aggregate_order_by(col(CollectionCall.back_on), col(CollectionCall.at).desc())
    rows = session.execute(
        select(
            col(CollectionCall.matter_id),
            func.count().label("calls"),
            func.array_agg(newest_first, type_=ARRAY(Date)).label("days"),
        )
        .where(col(CollectionCall.matter_id) == func.any(list(matter_ids)), col(CollectionCall.back_on).is_not(None))
        .group_by(col(CollectionCall.matter_id))
    )
    return {row.matter_id: {"calls": row.calls, "back_on": row.days[0]} for row in rows}


def _of_customer(line: Matter, customer: Any) -> Matter:
    """With what `_CUSTOMER` tells."""
    return replace(
        line,
        customer_id=customer.id,
        customer_name=customer.name,
        customer_siren=line.customer_siren or customer.siren,
        is_key_account=customer.is_key_account,
        collector_id=customer.collector_id,
    )
