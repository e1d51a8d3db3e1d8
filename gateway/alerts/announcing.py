"""Tell programs that an alert was opened or closed."""

from datetime import date, datetime
from uuid import UUID

from pydantic import Field
from sqlmodel import Session

from gateway.alerts.model import Alert
from gateway.kernel.text import Text
from gateway.notifications.announcements import Fact, announce


class AlertFact(Fact):
    """An alert as it was opened or closed: what needs a person, who, by when."""

    alert_id: UUID
    condition: str = Field(description="Identifier of the condition, such as invoice.rejected")
    severity: str
    team: str = Field(description="Who should act")
    title: Text
    reason: Text
    next_step: Text
    due_on: date | None = Field(description="Day by which to act, Europe/Paris")
    opened_at: datetime
    closed_at: datetime | None
    closed_because: Text | None
    invoice_id: UUID | None = Field(description="The invoice at /api/v1/invoices/{id}; null when none is registered")
    invoice_number: str | None = Field(description="BT-1 of a refused file")
    flow_id: UUID | None
    agency_id: UUID | None
    customer_siren: str | None = Field(description="BT-47")


def announce_alert(session: Session, alert: Alert, what: str, now: datetime) -> None:
    """`what`: opened, closed. The caller has written the alert."""
    fact = AlertFact(
        alert_id=alert.id,
        title=Text(alert.title_fr, alert.title_en),
        reason=Text(alert.reason_fr, alert.reason_en),
        next_step=Text(alert.next_step_fr, alert.next_step_en),
        closed_because=Text(alert.closed_because_fr or "", alert.closed_because_en or "") if alert.closed_at else None,
        **alert.model_dump(include=set(AlertFact.model_fields)),
    )
    announce(session, f"alert.{what}", f"alert/{alert.id}", fact, now)
