"""Wait, without guessing a time, until another transaction waits for a lock."""

from time import monotonic

from sqlalchemy import text

from gateway.database import Database

PATIENCE_SECONDS = 10.0
_WAITING = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()")


def wait_until_one_waits_for_a_lock(database: Database) -> None:
    """Return as soon as some transaction of `database` waits for another; AssertionError when none does in time."""
    end = monotonic() + PATIENCE_SECONDS
    while monotonic() < end:
        with database.system_transaction() as session:
            if session.connection().execute(_WAITING).scalar_one():
                return
    raise AssertionError("nobody waits")
