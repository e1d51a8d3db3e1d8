"""A reminder as it would leave now, for whoever is to confirm it: the same words, nothing recorded."""

from sqlmodel import Session

from gateway.collection.dispatching import message_of
from gateway.collection.messages.values import ComposedMessage, Composer
from gateway.collection.model import Reminder
from gateway.collection.recording import check_again
from gateway.customers.repository import customers_by_id
from gateway.kernel.clock import Clock, paris_date


def worded_now(session: Session, reminder: Reminder, compose: Composer, clock: Clock) -> ComposedMessage | None:
    """The message that would leave now; None when what it claims is held back by now.

    The caller undoes the transaction: what is worded here is not kept.
    """
    now = clock()
    checked = check_again(session, reminder, now)
    if checked.withdrawn is not None:
        return None
    customer = customers_by_id(session, [reminder.customer_id])[reminder.customer_id]
    return compose(session, message_of(reminder, customer.name, checked, paris_date(now)))
