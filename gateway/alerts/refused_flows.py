"""The alert for an invoice that fails validation here, before anything was sent. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gateway.alerts.conditions import AlertDecision, Severity, words_for
from gateway.kernel.dated import data_file, text_of
from gateway.kernel.text import Text
from gateway.lifecycle.correlation import InvoiceKey

_PROBLEMS_SHOWN = 3


@dataclass(frozen=True, slots=True)
class RefusedFlow:
    """A pushed file that was refused.

    Attributes:
        flow_id: the flow.
        name: file name as given.
        problems: what is wrong, the gravest first; one sentence each.
        number: BT-1, "" when the file could not be read that far.
        agency_id, customer_siren: whose matter it is, when known.
        is_credit_note: whether its type (BT-3) says so, as far as the file could be read.
    """

    flow_id: UUID
    name: str
    problems: Sequence[Text]
    number: str = ""
    agency_id: UUID | None = None
    customer_siren: str | None = None
    is_credit_note: bool = False


def alert_for_refused_flow(flow: RefusedFlow, now: datetime) -> AlertDecision:
    """The alert to open, one for each refusal: the same file may be pushed and refused again.

    Data: `refused_flow` of `schemas/alerts.toml`.
    """
    table = words_for(data_file("alerts.toml")["refused_flow"], credit_note=flow.is_credit_note)
    number = flow.number or flow.name

    def told(sentence: Text) -> Text:
        return Text(
            sentence.fr.format(number=number, name=flow.name, problems=_listed([each.fr for each in flow.problems])),
            sentence.en.format(number=number, name=flow.name, problems=_listed([each.en for each in flow.problems])),
        )

    return AlertDecision(
        condition=table["id"],
        severity=Severity(table["severity"]),
        title=told(text_of(table["title"])),
        reason=told(text_of(table["reason"])),
        next_step=told(text_of(table["next"])),
        team=table["team"],
        also_concerned=(),
        working_days=table["working_days"],
        dedup_key=f"{table['id']}:{flow.flow_id}:{now.isoformat()}",
        key=InvoiceKey(number),
        event="",
        of_credit_note=flow.is_credit_note,
    )


def refused_flow_condition() -> str:
    """Identifier of the condition."""
    return str(data_file("alerts.toml")["refused_flow"]["id"])


def _listed(problems: Sequence[str]) -> str:
    """The first problems, without their full stops, and how many are left."""
    shown = " ; ".join(each.rstrip(". ") for each in problems[:_PROBLEMS_SHOWN])
    left = len(problems) - _PROBLEMS_SHOWN
    return f"{shown} (+ {left})" if left > 0 else shown or "?"
