"""One way into the database: a transaction, run for one organisation or, rarely, for the system.

`transaction(organisation_id)` runs under the role `gateway_app`, which owns nothing: PostgreSQL's row-level
security shows it the rows of that organisation and no others. `system_transaction()` runs as the owner and sees
all rows; only sign-in, the clock, the workers' first look-up and commands for operators use it.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from time import monotonic
from uuid import UUID

from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.orm import Session as _SaSession
from sqlalchemy.pool import ConnectionPoolEntry
from sqlmodel import Session

APP_ROLE = "gateway_app"
ORGANISATION_SETTING = "gateway.organisation"
#: A connection that was used less long ago than this is not asked whether it still works.
_REST_SECONDS = 2.0
_RESTS_SINCE = "rests_since"
#: Both for this transaction only; one round trip, as every transaction makes it.
_ENTER = text(
    f"SELECT set_config('role', '{APP_ROLE}', true), set_config('{ORGANISATION_SETTING}', :organisation, true)"
)
_PLAN_FOR_VALUES = text("SET LOCAL plan_cache_mode = force_custom_plan")


class Database:
    """The engine of one process and its transactions. Threads may share it."""

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        """`url` is a SQLAlchemy URL with the psycopg driver, as the owner of the schema."""
        self.url = url
        self.engine: Engine = create_engine(url, pool_size=pool_size, max_overflow=pool_size, pool_timeout=30)
        event.listen(self.engine, "connect", _set_time_zone)
        event.listen(self.engine, "checkout", _prove_rested)
        event.listen(self.engine, "checkin", _note_rest)

    @property
    def conninfo(self) -> str:
        """The same address for psycopg itself (the job engine)."""
        return self.url.replace("postgresql+psycopg://", "postgresql://", 1)

    @contextmanager
    def transaction(self, organisation_id: UUID) -> Iterator[Session]:
        """A session that sees and writes the rows of one organisation; commits at the end, rolls back on error."""
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            session.connection().execute(_ENTER, {"organisation": str(organisation_id)})
            session.info["organisation_id"] = organisation_id
            yield session

    @contextmanager
    def system_transaction(self) -> Iterator[Session]:
        """A session of the schema's owner, beyond row-level security; commits at the end, rolls back on error."""
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    def is_ready(self) -> bool:
        """True when the server answers; raises nothing."""
        try:
            with self.engine.connect() as connection:
                connection.execute(text("SELECT 1"))
        except Exception:
            return False
        return True

    def close(self) -> None:
        """Close every pooled connection."""
        self.engine.dispose()


def organisation_of(session: _SaSession) -> UUID:
    """The organisation a session was opened for. Raises KeyError on a system session: it has none."""
    organisation_id: UUID = session.info["organisation_id"]
    return organisation_id


def plan_for_values(session: Session) -> None:
    """Have PostgreSQL plan each statement of the rest of this transaction for its own values.

    From its sixth call on it may plan a statement for any values, and then takes a range of days for a few rows: worth
    it where a statement reads much, not where it reads a row or two.
    """
    session.connection().execute(_PLAN_FOR_VALUES)


def _set_time_zone(connection: object, _record: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()  # type: ignore[attr-defined]
    cursor.execute("SET TIME ZONE 'UTC'")
    cursor.close()
    connection.commit()  # type: ignore[attr-defined]


def _prove_rested(connection: DBAPIConnection, record: ConnectionPoolEntry, _proxy: object) -> None:
    """Ask a connection that has rested whether its server is still there; when it is not, new ones are made.

    One that was in use a moment ago is taken at its word: asking each time would cost every transaction a round trip.
    """
    if monotonic() - record.info.get(_RESTS_SINCE, monotonic()) < _REST_SECONDS:
        return
    try:
        with closing(connection.cursor()) as cursor:
            cursor.execute("SELECT 1")
        connection.rollback()
    except Exception as error:
        raise InvalidatePoolError from error


def _note_rest(_connection: DBAPIConnection | None, record: ConnectionPoolEntry) -> None:
    record.info[_RESTS_SINCE] = monotonic()
