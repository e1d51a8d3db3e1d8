"""What a status says beside its label, in one line: as `gateway timeline` and an evidence file tell it."""

from babel.dates import format_date
from babel.numbers import format_currency, format_decimal

from gateway.kernel.text import Language, Text
from gateway.lifecycle.timeline import Datum, TimelineEntry
from gateway.lifecycle.transitions import TransitionKind

_ON = Text("le ", "on ")


def details_of(entry: TimelineEntry, language: Language) -> str:
    """Reasons, requested actions, amounts and values, comment, and why it was no usual step; "" when there is none."""
    codes = (f"{each.code} {each.label.in_language(language)}" for each in (*entry.reasons, *entry.actions))
    data = (_datum(each, language) for each in entry.data)
    unusual = "" if entry.verdict is TransitionKind.EXPECTED else entry.verdict_reason.in_language(language)
    return " — ".join(filter(None, (*codes, *data, entry.comment, unusual)))


def _datum(datum: Datum, language: Language) -> str:
    parts = [datum.kind.label.in_language(language), datum.term, datum.name, datum.value]
    if datum.amount is not None:
        parts.append(format_currency(datum.amount, datum.currency, locale=language))
    if datum.percent is not None:
        parts.append(f"({format_decimal(datum.percent, locale=language, decimal_quantization=False)} %)")
    if datum.on is not None:
        parts.append(_ON.in_language(language) + format_date(datum.on, "d MMMM y", locale=language))
    return " ".join(filter(None, parts))
