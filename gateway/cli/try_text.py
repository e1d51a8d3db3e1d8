"""Each try of a delivery, a line each: as `gateway timeline` and `gateway deliveries` tell it."""

from collections.abc import Iterator, Sequence

from babel.dates import format_datetime

from gateway.jobs.model import TryOutcome
from gateway.kernel.clock import PARIS
from gateway.kernel.text import Language
from gateway.lifecycle.deliveries import Try


def lines_of_tries(tries: Sequence[Try], language: Language) -> Iterator[str]:
    """Instant in Paris, outcome, reason; nothing for what left at the first try, which the delivery says itself."""
    if [each.outcome.code for each in tries] == [TryOutcome.SENT]:
        return
    for each in tries:
        at = format_datetime(each.started_at.astimezone(PARIS), "yyyy-MM-dd HH:mm:ss", locale="en")
        outcome = each.outcome.label.in_language(language)
        yield "      " + "  ".join(filter(None, (f"{each.number}.", at, outcome, each.reason)))
