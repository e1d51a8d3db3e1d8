"""Events for tests: one invoice, one status, some hours after the start."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from gateway.kernel.clock import PARIS
from gateway.lifecycle.cdar.model import (
    CdarDate,
    CdarMessage,
    Characteristic,
    Identifier,
    Note,
    Party,
    ReferencedDocument,
    StatusDetail,
)
from gateway.lifecycle.events import StatusEvent, events_of
from gateway.lifecycle.statuses import status

START = datetime(2026, 10, 5, 8, 0, tzinfo=UTC)
SELLER_SIREN, BUYER_SIREN = "552100554", "732829320"


def message(
    code: str,
    hours: float = 0,
    *,
    reasons: Sequence[str] = (),
    data: Sequence[Characteristic] = (),
    comment: str = "",
    actions: Sequence[str] = (),
    number: str = "F1",
    message_id: str = "",
) -> CdarMessage:
    """A message that gives status `code` to invoice F1 of 1 October 2026, `hours` after the start."""
    at = START + timedelta(hours=hours)
    written = CdarDate(raw=at.astimezone(PARIS).strftime("%Y%m%d%H%M%S"))
    phase = status(code).phase or "23"
    role = "WK" if phase == "305" else "BY"
    count = max(len(reasons), len(actions), 1 if data or comment else 0)
    details = tuple(
        StatusDetail(
            reason_code=reasons[i] if i < len(reasons) else "",
            action_code=actions[i] if i < len(actions) else "",
            sequence=i + 1,
            notes=(Note(content=comment),) if comment and i == 0 else (),
            characteristics=tuple(data) if i == 0 else (),
        )
        for i in range(count)
    )
    return CdarMessage(
        profile="urn.cpro.gouv.fr:1p0:CDV:invoice",
        message_id=message_id or f"{number}_{code}_{written.raw}",
        issued=written,
        issuer=Party(ids=() if role == "WK" else (Identifier(scheme="0002", value=BUYER_SIREN),), role=role),
        recipients=(Party(role="SE"),),
        phase=phase,
        status_at=written,
        documents=(
            ReferencedDocument(
                number=number,
                issued=CdarDate(raw="20261001", format="102"),
                status_code=code,
                seller=Party(ids=(Identifier(scheme="0002", value=SELLER_SIREN),)),
                details=details,
            ),
        ),
    )


def event(code: str, hours: float = 0, **details: Any) -> StatusEvent:
    """The event of `message(code, hours, **details)`."""
    return events_of(message(code, hours, **details), START)[0]


def amount(type_code: str, value: str, rate: str | None = None, on: date | None = None) -> Characteristic:
    """An amount in euros."""
    return Characteristic(
        type_code=type_code,
        amount=Decimal(value),
        currency="EUR",
        percent=Decimal(rate) if rate else None,
        on=CdarDate(raw=on.strftime("%Y%m%d"), format="102") if on else None,
    )
