"""What should come next for an invoice of ours, by when, and what happens when it does not.

The deadlines that run, told before they pass, in the words of the same data (`schemas/deadlines.toml`); the due date of
an invoice that nobody has approved yet is one thing more that is waited for.
"""

from collections.abc import Iterator
from datetime import datetime, time, timedelta

from sqlmodel import Session

from gateway.alerts.deadline_facts import DisputesKnown, ReceiptsKnown, facts_of, no_disputes_known, no_receipts_known
from gateway.alerts.deadline_policy import DeadlinePolicy, Matter, deadline_policy
from gateway.alerts.deadlines import Deadline, InvoiceFacts, held_back, running, to_ask_for, told
from gateway.kernel.clock import paris_date, paris_instant
from gateway.kernel.dated import data_file, text_of
from gateway.kernel.sayer import filled
from gateway.kernel.text import Text
from gateway.lifecycle.expectations import Expectation
from gateway.lifecycle.model import Direction, InvoiceRecord
from gateway.lifecycle.projection import InvoiceState

#: Not a deadline that is watched: when it passes, collection takes over.
DUE_DATE = "due_date"
#: Deadlines that wait for the payment already.
_PAYMENTS = {Matter.APPROVED_UNPAID, Matter.APPROVED_PART_UNPAID}


def awaited_next(
    session: Session,
    invoice: InvoiceRecord,
    now: datetime,
    receipts_known: ReceiptsKnown = no_receipts_known,
    disputes_known: DisputesKnown = no_disputes_known,
) -> tuple[Expectation, ...]:
    """What is waited for on an invoice, the most pressing first; nothing on one that we owe."""
    if invoice.direction != Direction.RECEIVABLE:
        return ()
    facts = facts_of(session, [invoice], receipts_known, disputes_known)[invoice.id]
    state = InvoiceState.model_validate(invoice.state)
    return expectations(facts, state, deadline_policy(paris_date(now)), now)


def expectations(
    facts: InvoiceFacts, state: InvoiceState, policy: DeadlinePolicy, now: datetime
) -> tuple[Expectation, ...]:
    """Every deadline that runs, passed or ahead, and the due date, the first to pass first. Pure."""
    deadlines = list(running(facts, state, policy))
    awaited = [_expectation(each, facts, now) for each in deadlines]
    if not _PAYMENTS & {each.rule.matter for each in deadlines}:
        awaited.extend(_due_date(facts, state, now))
    return tuple(sorted(awaited, key=lambda each: (each.late_from, each.matter)))


def _expectation(deadline: Deadline, facts: InvoiceFacts, now: datetime) -> Expectation:
    rule = deadline.rule
    title = told(rule.title, deadline, facts)
    return Expectation(
        matter=rule.matter.value,
        expected=told(rule.awaited, deadline, facts),
        otherwise=Text(f"Sinon, une alerte s’ouvre : « {title.fr} ».", f"Otherwise an alert opens: “{title.en}”."),
        next_step=rule.next_step,
        team=rule.team,
        last_day=deadline.last_day,
        late_from=deadline.passes_at,
        is_late=deadline.passes_at <= now,
    )


def _due_date(facts: InvoiceFacts, state: InvoiceState, now: datetime) -> Iterator[Expectation]:
    """The payment of an invoice that has a due date (BT-9), is neither closed nor paid, and that nothing holds back."""
    due, left = facts.due_date, to_ask_for(facts, state)
    if due is None or not left or state.closed or held_back(facts, state):
        return
    words = data_file("deadlines.toml")[DUE_DATE]

    late_from = paris_instant(datetime.combine(due + timedelta(days=1), time()))
    yield Expectation(
        matter=DUE_DATE,
        expected=filled(
            text_of(words["awaited"]), lambda say: {"amount": say.money(left, facts.currency), "limit": say.day(due)}
        ),
        otherwise=text_of(words["otherwise"]),
        next_step=text_of(words["next"]),
        team=words["team"],
        last_day=due,
        late_from=late_from,
        is_late=late_from <= now,
    )
