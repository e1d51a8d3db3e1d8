"""What a preview of reminders shows first, and what it adds up to. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal

from gateway.collection.reminders import ReminderDecision
from gateway.kernel.money import ZERO


def most_urgent_first(decisions: Iterable[ReminderDecision]) -> list[ReminderDecision]:
    """What is done before what is not; then the firmest tone, the largest total, the customer's name."""
    return sorted(
        decisions,
        key=lambda each: (
            each.step is None,
            -each.tone,
            -each.total,
            each.account.customer.name.casefold(),
            each.account.customer.id,
            each.account.currency,
        ),
    )


def claimed_in_all(decisions: Iterable[ReminderDecision]) -> Mapping[str, Decimal]:
    """What the reminders among them claim, by currency in alphabetical order, credit notes and money deducted."""
    totals: defaultdict[str, Decimal] = defaultdict(lambda: ZERO)
    for each in decisions:
        if each.step is not None:
            totals[each.account.currency] += each.total
    return dict(sorted(totals.items()))
