"""What there is to see, counted in the database once the story is told."""

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from sqlmodel import Session, func, select

from gateway.alerts.model import Alert
from gateway.app.demo.outcome import CollectionFacts, collection_facts
from gateway.app.demo.script import Script
from gateway.app.services import Services
from gateway.collection.model import CollectionAction
from gateway.flows.model import Flow
from gateway.ledger.service import verify
from gateway.lifecycle.model import InvoiceRecord, LifecycleEvent
from gateway.lifecycle.statuses import status


@dataclass(frozen=True, slots=True)
class Facts:
    """Counts by value, and what became of the story of collection."""

    flows: dict[str, int]
    invoices: int
    statuses: dict[str, int]
    current: dict[str, int]
    alerts: dict[str, int]
    alerts_by_condition: dict[str, int]
    actions: dict[str, int]
    actions_by_kind: dict[str, int]
    ledger_entries: int
    ledger_holds: bool
    collection: CollectionFacts

    def as_json(self) -> dict[str, Any]:
        """The facts as JSON values; amounts and days are strings."""
        return asdict(self)

    def story(self) -> str:
        """The facts as people read them."""
        return "\n".join(
            [
                f"Flux / flows: {_listed(self.flows)}",
                f"Factures / invoices: {self.invoices}",
                f"Statuts reçus / statuses received: {_listed(_labelled(self.statuses))}",
                f"Où en sont les factures / where invoices stand: {_listed(_labelled(self.current))}",
                f"Alertes / alerts: {_listed(self.alerts)} ({_listed(self.alerts_by_condition)})",
                f"Actions: {_listed(self.actions)} ({_listed(self.actions_by_kind)})",
                f"Registre / ledger: {self.ledger_entries} entrées / entries, "
                + ("la chaîne tient / the chain holds" if self.ledger_holds else "CHAÎNE ROMPUE / CHAIN BROKEN"),
                "",
                *self.collection.lines(),
            ]
        )


def facts(services: Services, organisation_id: UUID, script: Script) -> Facts:
    """Count what the story brought about."""
    with services.database.transaction(organisation_id) as session:
        proof = verify(session)
        return Facts(
            flows=_counts(session, Flow.ack_status),
            invoices=_count(session, InvoiceRecord),
            statuses=_counts(session, LifecycleEvent.status),
            current=_counts(session, InvoiceRecord.status),
            alerts=_counts(session, Alert.state),
            alerts_by_condition=_counts(session, Alert.condition),
            actions=_counts(session, CollectionAction.state),
            actions_by_kind=_counts(session, CollectionAction.kind),
            ledger_entries=proof.entries,
            ledger_holds=proof.holds,
            collection=collection_facts(session, services, script.story),
        )


def progress(services: Services, organisation_id: UUID) -> str:
    """One line on how far the story is."""
    with services.database.transaction(organisation_id) as session:
        counts = [_count(session, table) for table in (InvoiceRecord, LifecycleEvent, Alert, CollectionAction)]
    invoices, statuses, alerts, actions = counts
    told = f"{invoices} factures / invoices · {statuses} statuts / statuses"
    return f"{told} · {alerts} alertes / alerts · {actions} actions"


def _count(session: Session, table: Any) -> int:
    return session.exec(select(func.count()).select_from(table)).one()


def _counts(session: Session, column: Any) -> dict[str, int]:
    rows = session.exec(select(column, func.count()).group_by(column)).all()
    return dict(sorted(Counter({str(value): count for value, count in rows if value is not None}).items()))


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items()) or "0"


def _labelled(by_code: dict[str, int]) -> dict[str, int]:
    return {f"{code} {status(code).label.fr}": count for code, count in by_code.items()}
