"""Calls and comments: recorded from the line of the worklist, the customer, the invoice or the dispute."""

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import Form, Response
from sqlmodel import Session

from gateway.collection.address_faults import lift_fault
from gateway.collection.worklist.calls import LONGEST_NOTE, NewCall, calls_of, record_call
from gateway.collection.worklist.comments import LONGEST_COMMENT, Subject, comment, comments_of
from gateway.collection.worklist.matters import Viewer
from gateway.collection.worklist.model import MatterComment
from gateway.collection.worklist.policy import CallOutcome
from gateway.collection.worklist.ranking import Source
from gateway.customers.fields import read_amount, read_day
from gateway.customers.model import Customer
from gateway.notifications.service import channels_of
from gateway.web.security import ActionWorker, Visit

_Comment = Annotated[str, Form(max_length=LONGEST_COMMENT)]
#: The page of ours to go on with.
_Next = Annotated[str, Form()]


def record(
    visit: ActionWorker,
    source: Source,
    matter_id: UUID,
    outcome: Annotated[CallOutcome, Form()],
    contact: Annotated[str, Form(max_length=200)] = "",
    note: Annotated[str, Form(max_length=LONGEST_NOTE)] = "",
    amount: Annotated[str, Form()] = "",
    due_on: Annotated[str, Form()] = "",
    reason: Annotated[str, Form(max_length=100)] = "",
    next: Annotated[str, Form()] = "/worklist",
) -> Response:
    """What came of a call about a line of the worklist."""
    new = NewCall(
        outcome=outcome,
        contact=contact,
        note=note,
        amount=read_amount(amount) if amount.strip() else None,
        due_on=read_day(due_on) if due_on else None,
        reason=reason,
    )
    channels, now = channels_of(visit.context.settings), visit.context.clock()
    with visit.transaction() as session:
        record_call(session, visit.principal, source, matter_id, new, channels, now)
    return visit.go_to(next, "call_recorded")


def comment_on_customer(visit: ActionWorker, customer_id: UUID, text: _Comment = "", next: _Next = "") -> Response:
    """Say something about a customer."""
    return _commented(visit, Subject.CUSTOMER, customer_id, text, next)


def comment_on_invoice(visit: ActionWorker, invoice_id: UUID, text: _Comment = "", next: _Next = "") -> Response:
    """Say something about an invoice."""
    return _commented(visit, Subject.INVOICE, invoice_id, text, next)


def comment_on_dispute(visit: ActionWorker, dispute_id: UUID, text: _Comment = "", next: _Next = "") -> Response:
    """Say something about a dispute."""
    return _commented(visit, Subject.DISPUTE, dispute_id, text, next)


def of_customer(session: Session, visit: Visit, customer: Customer) -> dict[str, Any]:
    """What `customer_calls.html` shows: the latest calls and the comments."""
    return {
        "calls": calls_of(session, Viewer.of(visit.principal), customer.id),
        "outcomes": {outcome.value: outcome.label for outcome in CallOutcome},
        "comments": comments_on(session, visit, Subject.CUSTOMER, customer.id),
    }


def comments_on(session: Session, visit: Visit, subject: Subject, subject_id: UUID) -> Sequence[MatterComment]:
    """What `comments.html` shows."""
    return comments_of(session, visit.principal.scope, subject, subject_id)


def lift_address(visit: ActionWorker, fault_id: UUID, next: _Next = "") -> Response:
    """Say that an address is right: it is used again."""
    person, now = visit.principal, visit.context.clock()
    with visit.transaction() as session:
        lifted = lift_fault(session, person.scope, fault_id, by=f"user:{person.id}", now=now)
    return visit.go_to(next or f"/customers/{lifted.customer_id}#reminders", "address_lifted")


def _commented(visit: Visit, subject: Subject, subject_id: UUID, text: str, following: str) -> Response:
    channels, now = channels_of(visit.context.settings), visit.context.clock()
    with visit.transaction() as session:
        comment(session, visit.principal, subject, subject_id, text, channels, now)
    return visit.go_to(following or f"/{subject.value}s/{subject_id}", "commented")
