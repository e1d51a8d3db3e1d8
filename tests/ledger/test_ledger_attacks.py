"""The role that requests run under cannot loosen what keeps the ledger as it is, whatever statement it runs."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, ProgrammingError

from gateway.jobs.model import DeliveryTry, OutboxMessage
from gateway.ledger.documents import keep_document
from gateway.ledger.service import append, verify

FILLED = ("document", "ledger_entry", "delivery_try")
KEPT = (*FILLED, "lifecycle_event", "receipt", "receipt_allocation", "receipt_declaration")
ATTACKS = {
    "change on conflict": """
        INSERT INTO ledger_entry SELECT * FROM ledger_entry
        ON CONFLICT (organisation_id, position) DO UPDATE SET content = '{}'
        """,
    "change by merge": """
        MERGE INTO ledger_entry AS entry USING ledger_head AS head ON head.organisation_id = entry.organisation_id
        WHEN MATCHED THEN UPDATE SET content = '{}'
        """,
    "delete by merge": """
        MERGE INTO ledger_entry AS entry USING ledger_head AS head ON head.organisation_id = entry.organisation_id
        WHEN MATCHED THEN DELETE
        """,
    "change in a common table": "WITH x AS (UPDATE ledger_entry SET kind = 'x' RETURNING 1) SELECT * FROM x",
    "lock as if to change": "SELECT 1 FROM ledger_entry FOR UPDATE",
    "empty": "TRUNCATE ledger_entry, lifecycle_event, document CASCADE",
    "disable the trigger": "ALTER TABLE ledger_entry DISABLE TRIGGER append_only",
    "disable all triggers": "ALTER TABLE ledger_entry DISABLE TRIGGER ALL",
    "drop the trigger": "DROP TRIGGER append_only ON ledger_entry",
    "make the trigger harmless": """
        CREATE OR REPLACE FUNCTION gateway_refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'
        """,
    "skip triggers": "SET LOCAL session_replication_role = replica",
    "see other organisations": "ALTER TABLE ledger_entry DISABLE ROW LEVEL SECURITY",
    "drop the policy": "DROP POLICY own_organisation ON ledger_entry",
    "take the table": "ALTER TABLE ledger_entry OWNER TO gateway_app",
    "take the right": "GRANT UPDATE ON ledger_entry TO gateway_app; UPDATE ledger_entry SET kind = 'x'",
    "rewrite what is written": "CREATE RULE quiet AS ON INSERT TO ledger_entry DO INSTEAD NOTHING",
    "put a child under it": "CREATE TABLE entry () INHERITS (ledger_entry)",
    "drop the table": "DROP TABLE ledger_entry CASCADE",
    "change the catalogue": "UPDATE pg_trigger SET tgenabled = 'D'",
    "start the feed anew": "SELECT setval('lifecycle_event_sequence_seq', 1)",
    "delete the head": "DELETE FROM ledger_head",
    "give the head away": "UPDATE ledger_head SET organisation_id = gen_random_uuid()",
    "run a program": "COPY ledger_entry TO PROGRAM 'cat'",
    "read a file": "SELECT pg_read_file('/etc/passwd')",
}


@pytest.fixture
def chain(database, organisation, documents, clock):
    """Two entries, one with a document."""
    with database.transaction(organisation) as session:
        sha256 = keep_document(session, documents, b"<a/>", "application/xml", clock())
        append(session, at=clock(), kind="x", subject="s", content={}, documents=[sha256])
        append(session, at=clock(), kind="x", subject="s", content={})


@pytest.mark.parametrize("attack", ATTACKS)
def test_the_role_of_requests_cannot(attack, database, organisation, chain):
    with pytest.raises(ProgrammingError), database.transaction(organisation) as session:
        session.connection().execute(text(ATTACKS[attack]))
    with database.transaction(organisation) as session:
        assert (verify(session).entries, verify(session).holds) == (2, True)


@pytest.mark.parametrize(("position", "reason"), [(1, "goes on after"), (5, "ends before")])
def test_a_head_moved_by_a_request_is_found(position, reason, database, organisation, chain):
    with database.transaction(organisation) as session:
        session.connection().execute(text("UPDATE ledger_head SET position = :p"), {"p": position})
    with database.transaction(organisation) as session:
        assert reason in (verify(session).reason or "")


def test_an_entry_put_beside_the_chain_by_a_request_is_found(database, organisation, chain):
    with database.transaction(organisation) as session:
        session.connection().execute(
            text(
                "INSERT INTO ledger_entry SELECT organisation_id, 3, at, kind, subject, content, documents, hash, hash "
                "FROM ledger_entry WHERE position = 2"
            )
        )
    with database.transaction(organisation) as session:
        assert verify(session).broken_at == 3


@pytest.mark.parametrize(
    "statement",
    [*(f"DELETE FROM {table}" for table in FILLED), *(f"TRUNCATE {table} CASCADE" for table in KEPT)],
)
def test_replica_mode_lifts_no_refusal_for_the_owner_of_the_schema(statement, database, organisation, chain, clock):
    """It skips ordinary triggers and leaves no trace in the schema, as ALTER TABLE does."""
    with database.system_transaction() as session:
        values = {"organisation_id": organisation, "kind": "x", "payload": {}, "created_at": clock()}
        message = OutboxMessage(**values, idempotency_key="k", next_attempt_at=clock())
        session.add(message)
        session.flush()
        tried = {"started_at": clock(), "ended_at": clock(), "outcome": "sent"}
        session.add(DeliveryTry(organisation_id=organisation, delivery_id=message.id, number=1, **tried))
    with pytest.raises(DBAPIError, match="append-only"), database.system_transaction() as session:
        session.connection().execute(text("SET LOCAL session_replication_role = replica"))
        session.connection().execute(text(statement))
