"""What can go wrong with alerts."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from gateway.kernel.errors import GatewayError
from gateway.kernel.text import Text


class AlertNotFoundError(GatewayError):
    """No alert that the asker may see has that identifier."""

    code: ClassVar[str] = "ALERT_NOT_FOUND"
    status: ClassVar[int] = 404

    def __init__(self, alert_id: UUID) -> None:
        super().__init__(
            Text("Cette alerte n’existe pas.", "This alert does not exist."),
            Text(
                "Revenez à la liste des alertes et vérifiez votre périmètre.",
                "Go back to the list of alerts and check what you may see.",
            ),
            str(alert_id),
        )


class AlertAlreadyClosedError(GatewayError):
    """The alert was closed before, by a person or by a later status."""

    code: ClassVar[str] = "ALERT_ALREADY_CLOSED"
    status: ClassVar[int] = 409

    def __init__(self, alert_id: UUID, closed_at: datetime | None) -> None:
        moment = f"{closed_at:%Y-%m-%d %H:%M} UTC" if closed_at else "?"
        super().__init__(
            Text(f"Cette alerte est close depuis le {moment}.", f"This alert was closed on {moment}."),
            Text("Il n’y a rien à faire.", "There is nothing left to do."),
            str(alert_id),
        )
