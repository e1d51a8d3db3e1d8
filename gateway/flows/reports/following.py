"""What follows from a status of an e-reporting transmission: a refusal is an alert, an acceptance closes it."""

from collections.abc import Iterable
from datetime import datetime

from sqlmodel import Session

from gateway.alerts.refused_deliveries import RefusedDelivery
from gateway.flows.consequences import follow_accepted_delivery, follow_refused_delivery
from gateway.flows.reports.model import EReportStatus
from gateway.flows.reports.service import delivery_of_report
from gateway.kernel.settings import Settings
from gateway.lifecycle.deliveries import Remark

#: The public portal accepts (300) or refuses (301) a transmission.
_REFUSED = "301"


def follow_report_statuses(
    session: Session, statuses: Iterable[EReportStatus], settings: Settings, now: datetime
) -> None:
    """About transmissions that were handed over from here; of others there is nobody to tell."""
    for row in statuses:
        delivery = delivery_of_report(session, row.number)
        if delivery is None:
            continue
        if row.status != _REFUSED:
            follow_accepted_delivery(session, delivery.id, now)
            continue
        refused = RefusedDelivery(
            delivery_id=delivery.id,
            platform=delivery.payload["platform"],
            name=delivery.payload["name"],
            remarks=[
                Remark(level="Error", item=row.number, reason_code=each["code"], message=each["comment"])
                for each in row.reasons
            ],
            report=row.number,
        )
        follow_refused_delivery(session, refused, settings, now)
