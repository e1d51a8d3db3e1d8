"""Databases for the tests: copies of a template, lent to one test after the other, each time as if just made.

Making a database of some thousand files and dropping it takes longer than most tests. So a copy is kept: when it comes
back, the tables that were written to are filled again as they were. A copy whose schema, settings, statistics or
connections are not as they were is dropped, and the next test gets a new one: no test has to say what it changes.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import uuid4

import psycopg
from psycopg import sql

from gateway.database import Database

#: Rows given back in one copy, after which a new one is better than what their deletion leaves in its files.
_MOST_ROWS = 20_000
#: How long a connection or a thread that a test has closed may take to end.
_PATIENCE_SECONDS = 0.5

_CATALOGUES = """
SELECT format('%I.%I', nspname, relname) FROM pg_class JOIN pg_namespace AS n ON n.oid = relnamespace
WHERE relkind = 'r' AND nspname = 'pg_catalog' AND NOT relisshared ORDER BY 1
"""
_TABLES = """
SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1
"""
_SEQUENCES = "SELECT format('%I.%I', schemaname, sequencename) FROM pg_sequences ORDER BY 1"
#: By transaction, as an update leaves a row with the number of its own, and a deletion one row less.
_COUNT = "SELECT '{0}', count(*), count(*) FILTER (WHERE age(xmin) < age(%(since)s::xid)) FROM {0}"
_SEQUENCE = "SELECT '{0}', last_value, is_called FROM {0}"
#: What no transaction's number tells: settings and rights of this database, the roles, the planner's statistics.
_BESIDE = """
SELECT (SELECT row(datdba, datacl, datconnlimit, datallowconn)::text FROM pg_database WHERE oid = here),
    (SELECT string_agg(s::text, ' ' ORDER BY setdatabase, setrole) FROM pg_db_role_setting AS s
     WHERE setdatabase IN (0, here)),
    (SELECT string_agg(r::text, ' ' ORDER BY oid) FROM pg_authid AS r),
    (SELECT string_agg(m::text, ' ' ORDER BY oid) FROM pg_auth_members AS m),
    (SELECT row(sum(relpages), sum(reltuples))::text FROM pg_class)
FROM (SELECT oid AS here FROM pg_database WHERE datname = current_database())
"""
_OTHERS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
#: The functions of triggers that fire even where the others are left out, and a stand-in that lets everything pass.
_STEADFAST = """
SELECT DISTINCT pg_get_functiondef(tgfoid), tgfoid::regprocedure::text
FROM pg_trigger WHERE tgenabled = 'A' AND NOT tgisinternal
"""
_LENIENT = """
CREATE OR REPLACE FUNCTION {} RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN coalesce(NEW, OLD); END $$
"""


class Shelf:
    """The copies of one template on one server. For one thread; it makes as many as are out at once."""

    def __init__(self, server_url: str, template: str) -> None:
        """`server_url` is the address of the database `postgres`; nobody may be connected to `template`."""
        self._server_url = server_url
        self._template = template
        self._free: list[_Copy] = []

    @contextmanager
    def lend(self) -> Iterator[Database]:
        """A database as the template, whatever was done before; nothing that is done to it reaches the next one."""
        copy = self._free.pop() if self._free else _Copy(self._server_url, self._template)
        threads = set(threading.enumerate())
        database = Database(copy.url, pool_size=5)
        try:
            yield database
        finally:
            database.close()
            if _comes_true(lambda: threads.issuperset(threading.enumerate())) and copy.renew():
                self._free.append(copy)
            else:
                copy.drop()

    def close(self) -> None:
        """Drop every copy that is not out."""
        while self._free:
            self._free.pop().drop()


class _Copy:
    """One copy, with a connection of ours that stays open, and what was in it when it was made."""

    def __init__(self, server_url: str, template: str) -> None:
        self._server_url = server_url
        self._name = f"test_{uuid4().hex}"
        on_server(server_url, "CREATE DATABASE {} TEMPLATE {}", self._name, template)
        self.url = server_url.replace("/postgres?", f"/{self._name}?")
        self._connection = psycopg.connect(_conninfo(self.url), autocommit=True)
        self._catalogues, self._tables, sequences = (
            [name for (name,) in self._all(query)] for query in (_CATALOGUES, _TABLES, _SEQUENCES)
        )
        self._count = " UNION ALL ".join(map(_COUNT.format, self._catalogues + self._tables))
        self._sequences = " UNION ALL ".join(map(_SEQUENCE.format, sequences))
        self._steadfast = self._all(_STEADFAST)
        self._since = self._transaction()
        self._counts = self._counted()
        self._started = self._all(self._sequences)
        self._beside = self._all(_BESIDE)
        self._rows = {table: self._copied(table) for table in self._tables if self._counts[table] != (0, 0)}
        self._worn = 0

    def renew(self) -> bool:
        """Make it again what it was; False where only a new one is."""
        if not _comes_true(lambda: self._all(_OTHERS) == [(0,)]):
            return False
        counts = self._counted()
        written = [table for table in self._tables if counts[table] != self._counts[table]]
        self._worn += sum(counts[table][0] for table in written)
        schema_holds = all(counts[catalogue] == self._counts[catalogue] for catalogue in self._catalogues)
        if not schema_holds or self._all(_BESIDE) != self._beside or self._worn > _MOST_ROWS:
            return False
        with self._connection.transaction():
            self._refill(written)
            self._since = self._transaction()
        return True

    def drop(self) -> None:
        """End every connection and remove it."""
        self._connection.close()
        on_server(self._server_url, "DROP DATABASE {} WITH (FORCE)", self._name)

    def _refill(self, tables: list[str]) -> None:
        self._connection.execute("SET LOCAL session_replication_role = replica")  # leaves foreign keys and triggers out
        if tables:
            for _, signature in self._steadfast:
                self._connection.execute(_LENIENT.format(signature))
            for table in tables:
                self._connection.execute(f"DELETE FROM {table}")
            for definition, _ in self._steadfast:
                self._connection.execute(definition)
        for table in tables:
            if table in self._rows:
                with self._connection.cursor().copy(f"COPY {table} FROM STDIN (FORMAT binary)") as into:
                    into.write(self._rows[table])
        for before, now in zip(self._started, self._all(self._sequences), strict=True):
            if before != now:
                self._connection.execute("SELECT setval(%s, %s, %s)", before)

    def _transaction(self) -> str:
        """The number of this transaction: whatever comes later is newer."""
        return self._all("SELECT pg_current_xact_id()::xid::text")[0][0]

    def _counted(self) -> dict[str, tuple[int, int]]:
        """Of each table, how many rows it has and how many of them came since the copy was as it should be."""
        found = self._connection.execute(self._count, {"since": self._since}, prepare=True)
        return {table: (rows, newer) for table, rows, newer in found}

    def _copied(self, table: str) -> bytes:
        with self._connection.cursor().copy(f"COPY {table} TO STDOUT (FORMAT binary)") as out:
            return b"".join(out)

    def _all(self, query: str) -> list[tuple]:
        return self._connection.execute(query).fetchall()


def on_server(server_url: str, statement: str, *names: str) -> None:
    """Run a statement about the whole server or about databases, whose names fill its places."""
    with psycopg.connect(_conninfo(server_url), autocommit=True) as connection:
        connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def _comes_true(condition: Callable[[], bool]) -> bool:
    """Whether it does in the time that connections and threads may take to end.

    What a test leaves behind for longer could hold a lock, or write to what the next test is lent.
    """
    until = time.monotonic() + _PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.002)
    return True


def _conninfo(url: str) -> str:
    return url.replace("postgresql+psycopg://", "postgresql://", 1)
