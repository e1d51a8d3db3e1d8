"""What can go wrong with the database, said so that an operator can mend it."""

from typing import ClassVar

from gateway.kernel.errors import GatewayError


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
