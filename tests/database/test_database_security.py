"""PostgreSQL itself keeps organisations apart, on every table."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from gateway.app.tables import METADATA
from gateway.database import Database

#: Tables that serve every organisation: requests do not reach them.
OF_THE_SYSTEM = ("sign_in_attempt", "api_client_grant", "signing_key", "procrastinate_jobs", "alembic_version")
SCOPED = sorted(name for name, table in METADATA.tables.items() if "organisation_id" in table.columns)


def test_the_migrations_and_the_models_agree(database: Database):
    options = {
        "compare_type": True,
        "include_name": lambda name, kind, _: not (kind == "table" and name.startswith("procrastinate_")),
    }
    with database.engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection, opts=options), METADATA)
    assert differences == []


def test_requests_run_under_a_role_that_owns_nothing(database, organisation):
    with database.transaction(organisation) as session:
        role, is_super = (
            session.connection()
            .execute(text("SELECT current_user, (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)"))
            .one()
        )
        owned = (
            session.connection()
            .execute(text("SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND tableowner = current_user"))
            .scalar_one()
        )
    assert (role, is_super, owned) == ("gateway_app", False, 0)


@pytest.mark.parametrize("table", SCOPED)
def test_every_business_table_is_under_row_level_security(database, organisation, table):
    with database.engine.connect() as connection:
        enabled = connection.execute(text("SELECT relrowsecurity FROM pg_class WHERE relname = :t"), {"t": table})
        assert enabled.scalar_one() is True
        policies = connection.execute(
            text("SELECT qual, with_check FROM pg_policies WHERE tablename = :t"), {"t": table}
        ).all()
    assert len(policies) == 1
    assert all("gateway.organisation" in expression for expression in policies[0])


def test_no_table_escapes_the_list(database):
    with database.engine.connect() as connection:
        tables = connection.execute(
            text("SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename NOT LIKE 'procrastinate%'")
        ).scalars()
        assert set(tables) - set(SCOPED) == {
            "organisation",
            "webhook_key",
            "platform_subscription_key",
            *OF_THE_SYSTEM,
        } - {"procrastinate_jobs"}


@pytest.mark.parametrize("table", OF_THE_SYSTEM)
def test_a_request_reads_no_table_that_has_no_organisation(database, organisation, table):
    with database.engine.connect() as connection:
        assert (
            connection.execute(
                text("SELECT has_table_privilege('gateway_app', :t, 'SELECT, INSERT, UPDATE, DELETE')"), {"t": table}
            ).scalar_one()
            is False
        )


def test_an_organisation_sees_only_itself(database, organisation, other_organisation):
    with database.transaction(organisation) as session:
        seen = session.connection().execute(text("SELECT id FROM organisation")).scalars().all()
    assert seen == [organisation]


def test_two_processes_may_open_and_migrate_at_once(server_url):
    from concurrent.futures import ThreadPoolExecutor
    from uuid import uuid4

    from sqlalchemy import create_engine

    from gateway.database.migrating import migrate

    name = f"race_{uuid4().hex}"
    admin = create_engine(server_url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE template0"))
    engines = [create_engine(server_url.replace("/postgres?", f"/{name}?")) for _ in range(3)]
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(migrate, engines))
    with engines[0].connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM alembic_version")).scalar_one() == 1
    for engine in engines:
        engine.dispose()
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()
