"""The embedded PostgreSQL of the test run: one server, one migrated template, one fresh database per test."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import hypothesis
import pytest
from sqlalchemy import create_engine, text

from gateway.access.model import Organisation
from gateway.app import tables
from gateway.database import Database, open_database
from gateway.kernel.clock import ManualClock
from gateway.kernel.settings import Settings, load_settings
from gateway.ledger.documents import DocumentStore

assert tables.METADATA.tables

# A busy machine must not fail a property: examples are not timed; a failure prints how to repeat it.
hypothesis.settings.register_profile("gateway", deadline=None, print_blob=True)
hypothesis.settings.load_profile("gateway")

#: Where every test's clock starts: an ordinary Monday morning after the reform's first day.
START = datetime(2026, 10, 5, 8, 0, tzinfo=UTC)
SELLER_SIREN = "732829320"
TEMPLATE = "gateway_template"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The tests of a file run in one process and share its fixtures; those marked `apart` go wherever there is room."""
    for item in items:
        apart = item.get_closest_marker("apart") is not None
        item.add_marker(pytest.mark.xdist_group(item.nodeid if apart else item.path.name))


@pytest.fixture(scope="session", autouse=True)
def _plain_environment() -> Iterator[None]:
    """Settings of the person who runs the tests do not reach them."""
    kept = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("GATEWAY_")}
    yield
    os.environ.update(kept)


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """URL of a migrated template database on an embedded server that the run throws away."""
    with tempfile.TemporaryDirectory(prefix="gateway-tests-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        database = open_database(load_settings(data_dir=Path(folder)))
        admin = create_engine(database.url, isolation_level="AUTOCOMMIT")
        database.close()
        with admin.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {TEMPLATE} TEMPLATE postgres"))
        yield database.url
        admin.dispose()


@pytest.fixture
def database(server_url: str) -> Iterator[Database]:
    """A fresh, migrated, empty database."""
    with fresh_database(server_url) as fresh:
        yield fresh


@contextmanager
def fresh_database(server_url: str) -> Iterator[Database]:
    """A migrated, empty database that is dropped at the end; tests that only read may share one."""
    name = f"test_{uuid4().hex}"
    admin = create_engine(server_url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}"))
    fresh = Database(server_url.replace("/postgres?", f"/{name}?"), pool_size=5)
    yield fresh
    fresh.close()
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture
def clock() -> ManualClock:
    """A clock that the test moves."""
    return ManualClock(START)


@pytest.fixture
def organisation(database: Database) -> UUID:
    """The organisation whose invoices the tests follow (SIREN `SELLER_SIREN`)."""
    return add_organisation(database, SELLER_SIREN, "Comptoir des Matériaux")


@pytest.fixture
def other_organisation(database: Database) -> UUID:
    """Another organisation in the same database: what it has must stay out of sight."""
    return add_organisation(database, "552100554", "Autre Maison")


@pytest.fixture
def documents(tmp_path: Path) -> DocumentStore:
    """An empty document store."""
    return DocumentStore(tmp_path / "documents")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Default settings with data under the test's own folder."""
    return load_settings(data_dir=tmp_path)


def add_organisation(database: Database, siren: str, name: str) -> UUID:
    """Create an organisation and return its identifier."""
    with database.system_transaction() as session:
        row = Organisation(siren=siren, name=name, created_at=START)
        session.add(row)
        session.flush()
        return row.id
