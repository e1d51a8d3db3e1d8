"""What people may tell of claims and proceedings: nothing that lies ahead, no end before its beginning. Pure."""

from datetime import date, datetime

from gateway.collection.law.errors import LegalFactError
from gateway.kernel.clock import paris_date
from gateway.kernel.text import Text


def require_not_to_come(day: date, now: datetime, where: str) -> None:
    """The day has come (Europe/Paris). Raises LegalFactError."""
    if day > paris_date(now):
        raise LegalFactError(
            Text(f"Le {day:%d/%m/%Y} est à venir.", f"{day} is still to come."),
            Text("Donnez un jour qui n’est pas à venir.", "Give a day that has come."),
            where,
        )


def require_order(first: date, second: date, where: str) -> None:
    """The second day is not before the first one. Raises LegalFactError."""
    if second < first:
        raise LegalFactError(
            Text(f"Le {second:%d/%m/%Y} précède le {first:%d/%m/%Y}.", f"{second} is before {first}."),
            Text("Vérifiez les deux dates.", "Check both dates."),
            where,
        )
