"""From settings to a database that is up, new enough and migrated."""

from psycopg.errors import InsufficientPrivilege
from sqlalchemy import text
from sqlalchemy.exc import OperationalError, ProgrammingError

from gateway.database.embedded import embedded_server_url
from gateway.database.engine import Database
from gateway.database.errors import DatabasePrivilegeError, DatabaseTooOldError, DatabaseUnavailableError
from gateway.database.migrating import migrate
from gateway.kernel.settings import Settings
from gateway.kernel.text import Text

OLDEST_SERVER_VERSION = 160000


def database_url(settings: Settings) -> str:
    """SQLAlchemy URL of the user's server, or of the embedded one, which is started at need."""
    if settings.database_url is None:
        return embedded_server_url(settings.data_dir)
    return "postgresql+psycopg://" + str(settings.database_url).split("://", 1)[1]


def open_database(settings: Settings) -> Database:
    """Start or reach the server, check its version, bring its schema up to date.

    Raises DatabaseUnavailableError, DatabaseTooOldError or DatabasePrivilegeError.
    """
    # A job may hold one connection and need a second; with the overflow, the pool has two for each of them.
    connections = max(settings.database_pool_size, settings.worker_concurrency)
    database = Database(database_url(settings), pool_size=connections)
    try:
        with database.engine.connect() as connection:
            version = int(connection.execute(text("SHOW server_version_num")).scalar_one())
    except OperationalError as error:
        raise DatabaseUnavailableError(
            Text("Le serveur PostgreSQL ne répond pas.", "The PostgreSQL server does not answer."),
            Text(
                f"Vérifiez GATEWAY_DATABASE_URL et le serveur : {str(error.orig).strip()}",
                f"Check GATEWAY_DATABASE_URL and the server: {str(error.orig).strip()}",
            ),
            "GATEWAY_DATABASE_URL",
        ) from error
    if version < OLDEST_SERVER_VERSION:
        raise DatabaseTooOldError(
            Text(f"PostgreSQL {version // 10000} est trop ancien.", f"PostgreSQL {version // 10000} is too old."),
            Text("Utilisez PostgreSQL 16 ou plus récent.", "Use PostgreSQL 16 or later."),
            "GATEWAY_DATABASE_URL",
        )
    try:
        migrate(database.engine)
    except ProgrammingError as error:
        if not isinstance(error.orig, InsufficientPrivilege):
            raise
        raise DatabasePrivilegeError(
            Text("L’utilisateur de la base n’a pas les droits nécessaires.", "The database user lacks privileges."),
            Text(
                f"Donnez-lui CREATEROLE et la propriété de la base : {str(error.orig).strip()}",
                f"Give it CREATEROLE and the ownership of the database: {str(error.orig).strip()}",
            ),
            "GATEWAY_DATABASE_URL",
        ) from error
    return database
