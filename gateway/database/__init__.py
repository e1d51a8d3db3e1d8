"""PostgreSQL: the embedded server, transactions scoped to one organisation, migrations. Imports only the kernel."""

from gateway.database.engine import Database
from gateway.database.opening import open_database

__all__ = ["Database", "open_database"]
