"""What can go wrong with the database, said so that an operator can mend it."""

from typing import ClassVar

from gateway.kernel.errors import GatewayError
from gateway.kernel.text import Text


class DatabaseUnavailableError(GatewayError):
    """The database server does not start or does not answer."""

    code: ClassVar[str] = "DATABASE_UNAVAILABLE"
    status: ClassVar[int] = 503


class DatabaseTooOldError(GatewayError):
    """The server is older than the oldest PostgreSQL version supported."""

    code: ClassVar[str] = "DATABASE_TOO_OLD"


class DatabasePrivilegeError(GatewayError):
    """The database user may not create the role under which requests run."""

    code: ClassVar[str] = "DATABASE_PRIVILEGE"


class InvalidCursorError(GatewayError):
    """The cursor of a page does not belong to the list that is asked for."""

    code: ClassVar[str] = "INVALID_CURSOR"
    status: ClassVar[int] = 422

    def __init__(self, cursor: str) -> None:
        super().__init__(
            Text("Le curseur de page n’est pas valable.", "The page cursor is not valid."),
            Text(
                "Reprenez le curseur rendu avec la page précédente, ou repartez de la première page.",
                "Use the cursor given with the previous page, or start again from the first page.",
            ),
            cursor[:80],
        )
