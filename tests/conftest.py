"""The embedded PostgreSQL of the test run (one server, one migrated template, a database as new for each test), and
which test goes to which of several processes."""

import os
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import hypothesis
import pytest

from gateway.access.model import Organisation
from gateway.app import tables
from gateway.database import Database, open_database
from gateway.kernel.clock import ManualClock
from gateway.kernel.settings import Settings, load_settings
from gateway.ledger.documents import DocumentStore
from tests.databases import Shelf, on_server

assert tables.METADATA.tables

# A busy machine must not fail a property: examples are not timed; a failure prints how to repeat it.
hypothesis.settings.register_profile("gateway", deadline=None, print_blob=True)
hypothesis.settings.load_profile("gateway")

#: Where every test's clock starts: an ordinary Monday morning after the reform's first day.
START = datetime(2026, 10, 5, 8, 0, tzinfo=UTC)
SELLER_SIREN = "732829320"
TEMPLATE = "gateway_template"
#: Files of long tests, which begin first; True where they share no fixture, so that each is for any process.
LONG = {
    "test_docs_commands.py": True,
    "test_story_agreement.py": True,
    "test_app_demo.py": False,
    "test_collection_histories.py": False,
    "test_database_embedded.py": True,
    "test_flows_kill.py": True,
}


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """With `--dist loadgroup`, the tests of a file run in one process and share its fixtures, but for long ones.

    The groups that pytest-xdist 3.8 knows do not work: it writes their names where pytest 9.2 no longer reads them.
    """
    if config.getvalue("dist") != "loadgroup":
        return None
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            path = nodeid.partition("::")[0]
            return nodeid if LONG.get(Path(path).name) else path

    config.option.loadscopereorder = False
    return ByFile(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Several processes begin with the long tests and end with small files, so that all end at about one time."""
    if hasattr(config, "workerinput"):
        places = {name: place for place, name in enumerate(LONG)}
        sizes = Counter(item.path for item in items)
        items.sort(key=lambda item: (places.get(item.path.name, len(LONG)), -sizes[item.path], item.path))


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
        database.close()
        for setting in ("fsync = off", "full_page_writes = off", "autovacuum = off"):
            on_server(database.url, f"ALTER SYSTEM SET {setting}")
        on_server(database.url, "SELECT pg_reload_conf()")
        on_server(database.url, "CREATE DATABASE {} TEMPLATE postgres", TEMPLATE)
        yield database.url


@pytest.fixture(scope="session")
def shelf(server_url: str) -> Iterator[Shelf]:
    """The databases that the tests of this process are lent, one after the other."""
    shelf = Shelf(server_url, TEMPLATE)
    yield shelf
    shelf.close()


@pytest.fixture
def database(shelf: Shelf) -> Iterator[Database]:
    """A migrated, empty database, as if just made."""
    with shelf.lend() as lent:
        yield lent


@contextmanager
def fresh_database(server_url: str) -> Iterator[Database]:
    """A migrated, empty database that nobody had before and nobody gets afterwards, for the tests of a whole file."""
    name = f"fresh_{uuid4().hex}"
    on_server(server_url, "CREATE DATABASE {} TEMPLATE {}", name, TEMPLATE)
    fresh = Database(server_url.replace("/postgres?", f"/{name}?"), pool_size=5)
    yield fresh
    fresh.close()
    on_server(server_url, "DROP DATABASE {} WITH (FORCE)", name)


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
