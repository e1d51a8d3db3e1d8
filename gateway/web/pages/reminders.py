"""Reminders: what waits for a person, what was sent, what the next round would do and why not."""

from collections.abc import Callable
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import Form, Response
from sqlmodel import Session

from gateway.collection import confirming, exclusions
from gateway.collection.address_faults import fault_of, fault_rows
from gateway.collection.errors import InvalidExclusionError
from gateway.collection.foreseeing import claimed_in_all, most_urgent_first
from gateway.collection.holds import Reason
from gateway.collection.messages.keeping import letterhead_in_force
from gateway.collection.model import Reminder, ReminderState
from gateway.collection.reminder_rows import WAITING, ReminderFilter, reminder_by_id, reminders_page
from gateway.collection.reminder_views import ExclusionView, MessageView, reminder_views, seen_by
from gateway.collection.reminders import NO_CONTACT
from gateway.collection.reminding import instant_of, preview, preview_page
from gateway.collection.returning import came_back
from gateway.collection.scenarios import Channel
from gateway.customers.model import Customer
from gateway.customers.repository import customers_by_id
from gateway.database.paging import LONGEST_PAGE, Page
from gateway.kernel.errors import GatewayError
from gateway.kernel.text import Text
from gateway.lifecycle.errors import InvoiceNotFoundError
from gateway.web.errors import ReasonMissingError
from gateway.web.security import ActionWorker, Reader, Visit

_STATES = {"": WAITING, "sent": (ReminderState.SENT,), "all": ()}
_SHOWN_OF_CUSTOMER = 20
#: Begins the identifier of a line of the books, among those of invoices.
_OF_BOOKS = "books:"
#: Reminders that are worded only when they leave, or never: calls and tasks.
_UNWORDED = (ReminderState.AWAITING, ReminderState.PLANNED, ReminderState.TODO)


def show(visit: Reader, state: str = "", channel: str = "", after: str = "") -> Response:
    """The list; `state` is empty for what waits for a person, `sent` or `all`."""
    channels = (Channel(channel),) if channel in set(Channel) else ()
    wanted, scope = ReminderFilter(_STATES.get(state, WAITING), channels), visit.principal.scope
    with visit.transaction() as session:
        page = reminders_page(session, scope, wanted, cursor=after or None)
        views = reminder_views(session, scope, page.items)
        has_letterhead = bool(letterhead_in_force(session).address)
    filters = {"state": state, "channel": channel}
    return visit.render(
        "reminders.html",
        page=page,
        reminders=views,
        filters=filters,
        has_letterhead=has_letterhead,
        **_words(),
    )


def one(visit: Reader, reminder_id: UUID) -> Response:
    """One reminder: its lines, its message as it left or as it would leave now, and what may be decided about it."""
    scope = visit.principal.scope
    with visit.transaction() as session:
        row = reminder_by_id(session, scope, reminder_id)
        (view,) = reminder_views(session, scope, [row])
        message, why_not = (None, None)
        if view.text is None and view.is_whole and row.state in _UNWORDED and row.template != NO_CONTACT:
            message, why_not = _as_it_would_leave(session, visit, row)
    return visit.render("reminder.html", reminder=view, message=message, why_not=why_not, **_words())


def _as_it_would_leave(session: Session, visit: Visit, row: Reminder) -> tuple[MessageView | None, Text | None]:
    """The message, else why nothing would leave."""
    scope = visit.principal.scope
    try:
        draft = visit.context.previews.of_reminder(session, scope, row)
    except GatewayError as error:  # such as a template without text: the reminder is shown all the same
        return None, error.what
    if isinstance(draft, Reason):
        return None, draft.text
    siren = customers_by_id(session, [row.customer_id])[row.customer_id].siren
    return MessageView.of(draft, scope, siren), None


def foresee(visit: Reader, on: str = "", every: str = "", after: str = "") -> Response:
    """What the next round would do, on another day when `on` says so; `every`: accounts with nothing to do too.

    The most urgent of the page first; a house of usual size has one page.
    """
    scope, now = visit.principal.scope, visit.context.clock()
    with visit.transaction() as session:
        day = day_given(on)
        at = now if day is None else instant_of(session, day)
        page = preview_page(session, scope, at, due_only=not every, cursor=after or None, limit=LONGEST_PAGE)
    filters, totals = {"on": on, "every": every}, claimed_in_all(page.items)
    shown = Page(most_urgent_first(page.items), page.next_cursor)
    return visit.render(
        "reminders_preview.html", page=shown, totals=totals, is_whole=not (after or page.next_cursor), filters=filters,
        **_words(),
    )  # fmt: skip


def confirm(
    visit: ActionWorker,
    reminder_id: UUID,
    note: Annotated[str, Form(max_length=confirming.LONGEST_NOTE)] = "",
    email: Annotated[str, Form(max_length=254)] = "",
    next: Annotated[str, Form()] = "/reminders",
) -> Response:
    """Let it leave."""
    return _decided(visit, next, "reminder_confirmed", confirming.confirm, reminder_id, note=note, email=email)


def refuse(
    visit: ActionWorker,
    reminder_id: UUID,
    reason: Annotated[str, Form(max_length=2000)] = "",
    next: Annotated[str, Form()] = "/reminders",
) -> Response:
    """Let it not leave."""
    return _decided(visit, next, "reminder_refused", confirming.refuse, reminder_id, reason=_said(reason))


def complete(
    visit: ActionWorker,
    reminder_id: UUID,
    outcome: Annotated[str, Form(max_length=2000)] = "",
    next: Annotated[str, Form()] = "/reminders",
) -> Response:
    """It was posted, called or done."""
    return _decided(visit, next, "reminder_done", confirming.complete, reminder_id, outcome=_said(outcome))


def settle(
    visit: ActionWorker,
    reminder_id: UUID,
    arrived: Annotated[str, Form()] = "",
    email: Annotated[str, Form(max_length=254)] = "",
    next: Annotated[str, Form()] = "/reminders",
) -> Response:
    """A doubt about a message: it has arrived (`yes`), or is sent again, to the right address when one is given."""
    told = {"arrived": arrived == "yes", "email": email}
    return _decided(visit, next, "reminder_settled", confirming.settle, reminder_id, **told)


def bounce(
    visit: ActionWorker,
    reminder_id: UUID,
    reason: Annotated[str, Form(max_length=2000)] = "",
    next: Annotated[str, Form()] = "/reminders",
) -> Response:
    """An e-mail came back as undeliverable."""
    return _decided(visit, next, "reminder_bounced", came_back, reminder_id, words=_said(reason))


def exclude(
    visit: ActionWorker,
    customer_id: UUID,
    reason: Annotated[str, Form(max_length=2000)] = "",
    until: Annotated[str, Form()] = "",
    invoice: Annotated[str, Form()] = "",
) -> Response:
    """Spare a customer, or one of its invoices, or what only the books know."""
    person, now = visit.principal, visit.context.clock()
    last_day = day_given(until)
    if until and last_day is None:
        raise InvalidExclusionError(f"until={until}")
    with visit.transaction() as session:
        exclusions.exclude(
            session,
            person.scope,
            str(customer_id),
            **_item(invoice),
            until=last_day,
            reason=_said(reason),
            by=f"user:{person.id}",
            now=now,
        )
    return visit.go_to(f"/customers/{customer_id}#reminders", "excluded")


def lift(visit: ActionWorker, exclusion_id: UUID) -> Response:
    """Let reminders go on."""
    person, now = visit.principal, visit.context.clock()
    with visit.transaction() as session:
        lifted = exclusions.lift(session, person.scope, exclusion_id, by=f"user:{person.id}", now=now)
    return visit.go_to(f"/customers/{lifted.customer_id}#reminders", "exclusion_lifted")


def of_customer(session: Session, visit: Visit, customer: Customer) -> dict[str, Any]:
    """What the page of a customer shows: what is due now and why not, what was sent, whom reminders spare."""
    scope, now = visit.principal.scope, visit.context.clock()
    sent = reminders_page(session, scope, ReminderFilter(customer_id=customer.id), limit=_SHOWN_OF_CUSTOMER)
    excluded = exclusions.exclusions_of(session, scope, str(customer.id))
    decided = (seen_by(each, scope) for each in preview(session, now, [customer.id]))
    return {
        "decisions": [each for each in decided if each is not None],
        "reminders": reminder_views(session, scope, sent.items),
        "exclusions": [ExclusionView.of(each) for each in excluded],
        "faults": [(row.id, fault_of(row).says) for row in fault_rows(session, [customer.id]).get(customer.id, ())],
        **_words(),
    }


def _decided(
    visit: Visit, following: str, notice: str, deed: Callable[..., Reminder], reminder_id: UUID, **named: object
) -> Response:
    person, now = visit.principal, visit.context.clock()
    with visit.transaction() as session:
        deed(session, person.scope, reminder_id, by=f"user:{person.id}", now=now, **named)
    return visit.go_to(following, notice)


def _words() -> dict[str, Any]:
    return {"states": ReminderState, "channels": Channel}


def _said(text: str) -> str:
    """What a person must say. Raises ReasonMissingError."""
    if not text.strip():
        raise ReasonMissingError
    return text.strip()


def _item(text: str) -> dict[str, UUID]:
    """The invoice or line of the books that was chosen, none for the whole customer. Raises InvoiceNotFoundError."""
    try:
        identifier = text.removeprefix(_OF_BOOKS)
        return {"invoice_id" if identifier == text else "entry_id": UUID(identifier)} if text else {}
    except ValueError as error:
        raise InvoiceNotFoundError(text) from error


def day_given(text: str) -> date | None:
    """A day as a form or an address gives it; none when it gives none that can be read."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None
