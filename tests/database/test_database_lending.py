"""A database that was lent before is as one just made; one that cannot be made so again is not lent a second time."""

import threading
from contextlib import closing

import psycopg
import pytest
from sqlalchemy import text

from gateway.database import Database
from tests.conftest import TEMPLATE, add_organisation, fresh_database
from tests.databases import Shelf
from tests.web.story import played, site

__all__ = ["played", "site"]

IS_STEADFAST = "SELECT count(*) FROM pg_trigger WHERE tgrelid = %s::regclass AND tgenabled = 'A'"
CATALOGUES = """
    SELECT relname FROM pg_class
    WHERE relnamespace = 'pg_catalog'::regnamespace AND relkind = 'r' AND NOT relisshared ORDER BY 1
"""
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
ATTEMPTS = (
    "INSERT INTO sign_in_attempt (id, subject, at) SELECT gen_random_uuid(), 'x', now() FROM generate_series(1, {})"
)
ATTEMPT = ATTEMPTS.format(1)
HERE = "DO $$ BEGIN EXECUTE format('{}', current_database()); END $$"
SEQUENCES = "SELECT sequencename FROM pg_sequences ORDER BY 1"


@pytest.fixture(scope="module")
def own_shelf(server_url):
    """A shelf of ours alone: what was given back last is lent first."""
    with closing(Shelf(server_url, TEMPLATE)) as shelf:
        yield shelf


def all_in(database: Database) -> dict[str, list[str]]:
    """Every row of every table and of the system's catalogue, and where every sequence stands."""
    with psycopg.connect(database.conninfo) as connection:

        def column(query: str) -> list[str]:
            return [value for (value,) in connection.execute(query)]

        tables = [*column(CATALOGUES), *column(TABLES)]
        return {
            **{table: column(f'SELECT t::text FROM "{table}" AS t ORDER BY 1') for table in tables},
            **{name: column(f"SELECT (last_value, is_called)::text FROM {name}") for name in column(SEQUENCES)},
        }


def name_of(database: Database) -> str:
    return str(database.engine.url.database)


def is_gone(server_url: str, name: str) -> bool:
    with psycopg.connect(server_url.replace("+psycopg", "")) as connection:
        return connection.execute("SELECT FROM pg_database WHERE datname = %s", (name,)).fetchone() is None


def pour(source: Database, into: Database) -> list[str]:
    """Copy all rows of one database into an empty one and move its sequences; the tables that have rows now."""
    filled = []
    with psycopg.connect(source.conninfo) as theirs, psycopg.connect(into.conninfo) as ours:
        ours.execute("SET LOCAL session_replication_role = replica")
        for (table,) in theirs.execute(TABLES).fetchall():
            if table == "alembic_version":
                continue
            with (
                theirs.cursor().copy(f'COPY "{table}" TO STDOUT') as out,
                ours.cursor().copy(f'COPY "{table}" FROM STDIN') as taken,
            ):
                rows = b"".join(out)
                taken.write(rows)
            if rows:
                filled.append(table)
        for (name,) in theirs.execute(SEQUENCES).fetchall():
            ours.execute("SELECT nextval(%s)", (name,))
    return filled


def test_a_database_lent_again_is_equal_to_a_fresh_one_down_to_the_catalogue(server_url, own_shelf, site):
    with own_shelf.lend() as first:
        filled = pour(site.services.database, first)
        with psycopg.connect(first.conninfo) as connection:
            guarded = [t for t in filled if connection.execute(IS_STEADFAST, (t,)).fetchone() != (0,)]
        assert len(filled) > 20
        assert guarded, "none of the tables filled has a trigger that fires for replicas too"
        used = name_of(first)
    with own_shelf.lend() as again, fresh_database(server_url) as fresh:
        assert name_of(again) == used
        assert all_in(again) == all_in(fresh)


REFUSED = {
    "INSERT INTO document (organisation_id, sha256, media_type, size, stored_at) "
    "VALUES (gen_random_uuid(), repeat('a', 64), 'text/plain', 1, now())": psycopg.errors.ForeignKeyViolation,
    "TRUNCATE ledger_entry CASCADE": psycopg.errors.InsufficientPrivilege,
}


def test_a_database_lent_again_refuses_what_a_fresh_one_refuses(own_shelf):
    """What is put aside while its rows are deleted is back: foreign keys, and triggers that keep rows as they are."""
    with own_shelf.lend() as first:
        add_organisation(first, "732829320", "Comptoir")
        used = name_of(first)
    with own_shelf.lend() as again:
        assert name_of(again) == used
        for statement, error in REFUSED.items():
            with psycopg.connect(again.conninfo) as connection, pytest.raises(error):
                connection.execute(statement)


def test_a_copy_of_a_filled_database_is_lent_again_with_the_same_rows(server_url, played):
    with closing(Shelf(server_url, played.name)) as shelf:
        with shelf.lend() as first:
            before, used = all_in(first), name_of(first)
            with psycopg.connect(first.conninfo) as connection:
                connection.execute("UPDATE organisation SET name = name || ' et fils'")
                connection.execute("DELETE FROM collection_action")
                connection.execute(ATTEMPT)
                connection.execute("SELECT nextval('procrastinate_jobs_id_seq')")
        with shelf.lend() as again:
            assert name_of(again) == used
            assert all_in(again) == before


CHANGES = {
    "a table": "CREATE TABLE more (a int)",
    "a column": "ALTER TABLE organisation ADD COLUMN more int",
    "a default": "ALTER TABLE organisation ALTER COLUMN name SET DEFAULT 'x'",
    "a trigger put aside": "ALTER TABLE ledger_entry DISABLE TRIGGER append_only",
    "a policy gone": "DROP POLICY own_organisation ON alert",
    "row security off": "ALTER TABLE alert DISABLE ROW LEVEL SECURITY",
    "a right": "GRANT SELECT ON signing_key TO gateway_app",
    "an index": "CREATE INDEX more ON alert (state)",
    "a function": "CREATE OR REPLACE FUNCTION gateway_refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN END'",
    "a sequence's step": "ALTER SEQUENCE procrastinate_jobs_id_seq INCREMENT 7",
    "a comment": "COMMENT ON TABLE alert IS 'x'",
    "statistics": f"{ATTEMPT}; ANALYZE sign_in_attempt",
    "statistics of nothing": "ANALYZE sign_in_attempt",
    "files": "TRUNCATE sign_in_attempt",
    "a large object": "SELECT lo_create(0)",
    "a setting of the database": HERE.format("ALTER DATABASE %I SET jit = off"),
    "a setting of a role": HERE.format("ALTER ROLE gateway_app IN DATABASE %I SET jit = off"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_database_whose_schema_or_settings_changed_is_dropped(server_url, own_shelf, change):
    with own_shelf.lend() as database, psycopg.connect(database.conninfo, autocommit=True) as connection:
        connection.execute(change)
    assert is_gone(server_url, name_of(database))


def test_a_change_of_roles_is_seen_though_they_are_of_the_whole_server(server_url, own_shelf):
    for statement in ("CREATE ROLE more", "ALTER ROLE more CREATEDB", "GRANT gateway_app TO more", "DROP ROLE more"):
        with own_shelf.lend() as database, psycopg.connect(database.conninfo) as connection:
            connection.execute(statement)
        assert is_gone(server_url, name_of(database)), statement


def test_a_database_that_somebody_is_still_connected_to_is_dropped_with_its_locks(server_url, own_shelf):
    with own_shelf.lend() as database:
        left = psycopg.connect(database.conninfo)
        left.execute("SELECT pg_advisory_lock(7)")
    assert is_gone(server_url, name_of(database))
    with closing(left), pytest.raises(psycopg.OperationalError):
        left.execute("SELECT 1")


def test_a_database_whose_test_left_a_thread_running_is_dropped(server_url, own_shelf):
    over = threading.Event()
    thread = threading.Thread(target=over.wait)
    with own_shelf.lend() as database:
        thread.start()
    over.set()
    thread.join()
    assert is_gone(server_url, name_of(database))


def test_a_database_in_which_many_rows_would_have_to_be_deleted_is_dropped(server_url, own_shelf):
    with own_shelf.lend() as database, psycopg.connect(database.conninfo) as connection:
        connection.execute(ATTEMPTS.format(20_001))
    assert is_gone(server_url, name_of(database))


def test_two_databases_lent_at_once_are_two(own_shelf):
    with own_shelf.lend() as one, own_shelf.lend() as other:
        add_organisation(one, "732829320", "Comptoir")
        assert name_of(one) != name_of(other)
        with other.system_transaction() as session:
            assert session.connection().execute(text("SELECT count(*) FROM organisation")).scalar_one() == 0
