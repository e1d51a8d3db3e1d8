"""The alert for a flow that could not be processed and waits in quarantine. Pure."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gateway.alerts.conditions import AlertDecision, Severity
from gateway.kernel.dated import data_file, text_of
from gateway.kernel.text import Text
from gateway.lifecycle.correlation import InvoiceKey


@dataclass(frozen=True, slots=True)
class QuarantinedFlow:
    """A flow in quarantine: its file name, why it is there and what to do, since when; its agency when known."""

    flow_id: UUID
    name: str
    problem: Text
    fix: Text
    since: datetime
    agency_id: UUID | None = None


def alert_for_quarantined_flow(flow: QuarantinedFlow) -> AlertDecision:
    """The alert to open, one for each time in quarantine. Data: `quarantined_flow` of `schemas/alerts.toml`."""
    table = data_file("alerts.toml")["quarantined_flow"]

    def told(sentence: Text) -> Text:
        return Text(
            sentence.fr.format(name=flow.name, problem=flow.problem.fr, fix=flow.fix.fr),
            sentence.en.format(name=flow.name, problem=flow.problem.en, fix=flow.fix.en),
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
        dedup_key=f"{table['id']}:{flow.flow_id}:{flow.since.isoformat()}",
        key=InvoiceKey(flow.name),
        event="",
    )


def quarantined_flow_condition() -> str:
    """Identifier of the condition."""
    return str(data_file("alerts.toml")["quarantined_flow"]["id"])
