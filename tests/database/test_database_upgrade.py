"""An installation that is brought up to date keeps its invoices, and what is new holds for them too."""

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from alembic import command
from sqlalchemy import Engine, create_engine, text

from gateway.database.migrating import alembic_config, migrate

RECEIVED = datetime(2026, 10, 5, 8, 0, tzinfo=UTC)
INVOICE = text(
    """
    INSERT INTO invoice (organisation_id, id, direction, number, seller_siren, year, issue_date, type_code, currency,
        seller_name, buyer_name, total_without_vat, total_with_vat, amount_due, totals_by_rate, preceding, syntax,
        profile, document_sha256, received_at, collected, remaining, is_closed, state)
    VALUES (:organisation, :id, :direction, :number, '552100554', 2026, '2026-10-01', '380', 'EUR', 'V', 'A', 100, 120,
        120, '{}', CAST(:preceding AS jsonb), 'UBL', 'EN 16931', '', :received, 0, 120, false, '{}')
    """
)


@pytest.fixture
def empty_engine(server_url: str) -> Iterator[Engine]:
    """A database without any table."""
    name = f"upgrade_{uuid4().hex}"
    admin = create_engine(server_url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE template0"))
    engine = create_engine(server_url.replace("/postgres?", f"/{name}?"))
    yield engine
    engine.dispose()
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


def test_invoices_of_before_the_deadlines_are_looked_at_once_and_keep_what_they_refer_to(empty_engine):
    organisation = uuid4()
    with empty_engine.begin() as connection:
        command.upgrade(alembic_config(connection), "0003")
        connection.execute(
            text("INSERT INTO organisation VALUES (:id, '552100554', 'V', :at)"), {"id": organisation, "at": RECEIVED}
        )
        for number, direction, preceding in (
            ("F1", "receivable", "[]"),
            ("A1", "receivable", '["F1", " F1 ", ""]'),
            ("P1", "payable", "[]"),
        ):
            invoice = {"id": uuid4(), "direction": direction, "number": number, "preceding": preceding}
            connection.execute(INVOICE, {"organisation": organisation, "received": RECEIVED, **invoice})
    migrate(empty_engine)
    with empty_engine.connect() as connection:
        looks = connection.execute(text("SELECT number, next_check_at FROM invoice ORDER BY number")).all()
        links = connection.execute(
            text("SELECT i.number, r.number, r.year FROM preceding_reference r JOIN invoice i ON i.id = r.invoice_id")
        ).all()
    assert [tuple(each) for each in looks] == [("A1", RECEIVED), ("F1", RECEIVED), ("P1", None)]
    assert [tuple(each) for each in links] == [("A1", "F1", 0)]


def test_programs_of_before_signed_tokens_keep_their_secret_and_what_their_scopes_opened(empty_engine):
    organisation = uuid4()
    client = text(
        "INSERT INTO api_client (organisation_id, id, client_id, name, secret_hash, scopes, is_active, created_at) "
        "VALUES (:organisation, :id, :name, :name, 'hash', CAST(:scopes AS jsonb), true, :at)"
    )
    with empty_engine.begin() as connection:
        command.upgrade(alembic_config(connection), "0005")
        connection.execute(
            text("INSERT INTO organisation VALUES (:id, '552100554', 'V', :at)"), {"id": organisation, "at": RECEIVED}
        )
        for name, scopes in (("erp", '["flows:write"]'), ("treasury", '["api:read", "flows:read"]')):
            row = {"organisation": organisation, "id": uuid4(), "name": name, "scopes": scopes, "at": RECEIVED}
            connection.execute(client, row)
    migrate(empty_engine)
    with empty_engine.connect() as connection:
        rows = connection.execute(
            text("SELECT client_id, secret_hash, secret_version, scopes FROM api_client ORDER BY client_id")
        ).all()
    assert [tuple(row) for row in rows] == [
        ("erp", "hash", 1, ["flows:write"]),
        ("treasury", "hash", 1, ["flows:read", "invoices:read", "events:read", "validate"]),
    ]


def test_invoices_of_before_the_customers_go_to_the_account_of_their_buyer(empty_engine):
    organisation = uuid4()
    with empty_engine.begin() as connection:
        command.upgrade(alembic_config(connection), "0003")
        connection.execute(
            text("INSERT INTO organisation VALUES (:id, '552100554', 'V', :at)"), {"id": organisation, "at": RECEIVED}
        )
        for number, direction in (("F1", "receivable"), ("F2", "receivable"), ("F3", "receivable"), ("P1", "payable")):
            invoice = {"id": uuid4(), "direction": direction, "number": number, "preceding": "[]"}
            connection.execute(INVOICE, {"organisation": organisation, "received": RECEIVED, **invoice})
        connection.execute(text("UPDATE invoice SET buyer_siren = '732829320' WHERE number = 'F3'"))
        connection.execute(text("UPDATE invoice SET buyer_name = ' a' WHERE number = 'F2'"))
    migrate(empty_engine)
    with empty_engine.connect() as connection:
        accounts = connection.execute(
            text(
                "SELECT i.number, c.key, c.siren FROM customer_invoice t JOIN invoice i ON i.id = t.invoice_id "
                "JOIN customer c ON c.id = t.customer_id ORDER BY 1"
            )
        ).all()
    assert [tuple(each) for each in accounts] == [
        ("F1", "name:a", None),
        ("F2", "name:a", None),
        ("F3", "siren:732829320", "732829320"),
    ]
