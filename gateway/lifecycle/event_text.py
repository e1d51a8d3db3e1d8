"""What a status says beside its label, in one line: as `gateway timeline` and an evidence file tell it."""

from gateway.kernel.sayer import Sayer
from gateway.kernel.text import Language, Text
from gateway.lifecycle.timeline import Datum, TimelineEntry
from gateway.lifecycle.transitions import TransitionKind

_ON = Text("le ", "on ")


def details_of(entry: TimelineEntry, language: Language) -> str:
    """Reasons, requested actions, amounts and values, comment, and why it was no usual step; "" when there is none."""
    codes = (f"{each.code} {each.label.in_language(language)}" for each in (*entry.reasons, *entry.actions))
    data = (_datum(each, Sayer(language)) for each in entry.data)
    unusual = "" if entry.verdict is TransitionKind.EXPECTED else entry.verdict_reason.in_language(language)
    return " — ".join(filter(None, (*codes, *data, entry.comment, unusual)))


def _datum(datum: Datum, say: Sayer) -> str:
    parts = [say.say(datum.kind.label), datum.term, datum.name, datum.value]
    if datum.amount is not None:
        parts.append(say.money(datum.amount, datum.currency))
    if datum.percent is not None:
        parts.append(f"({say.number(datum.percent)} %)")
    if datum.on is not None:
        parts.append(say.say(_ON) + say.day(datum.on))
    return " ".join(filter(None, parts))
