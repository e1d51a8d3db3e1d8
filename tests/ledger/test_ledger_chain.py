"""The ledger proves its chain, names the first broken link, and lets nobody change an entry."""

from uuid import UUID

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import ProgrammingError

from gateway.database import Database
from gateway.kernel.clock import ManualClock
from gateway.ledger.documents import DocumentStore, keep_document
from gateway.ledger.errors import DocumentDamagedError, DocumentMissingError
from gateway.ledger.service import append, verify


def fill(database: Database, organisation: UUID, clock: ManualClock, count: int = 3) -> None:
    with database.transaction(organisation) as session:
        for number in range(count):
            append(session, at=clock(), kind="flow.received", subject=f"flow:{number}", content={"n": number})


def test_a_chain_of_entries_holds(database, organisation, clock):
    fill(database, organisation, clock, 3)
    with database.transaction(organisation) as session:
        proof = verify(session)
    assert proof.holds
    assert proof.entries == 3


def test_a_turn_taken_in_a_savepoint_that_is_undone_is_taken_anew(database, organisation, clock):
    fill(database, organisation, clock, 1)

    def add(session, number):
        append(session, at=clock(), kind="flow.received", subject=f"flow:{number}", content={"n": number})

    with database.transaction(organisation) as session:
        with pytest.raises(ZeroDivisionError), session.begin_nested():
            add(session, 8)
            raise ZeroDivisionError
        fill(database, organisation, clock, 1)  # another writer goes first: the lock was given back
        add(session, 9)
        add(session, 10)
    with database.transaction(organisation) as session:
        proof = verify(session)
    assert proof.holds, proof.reason
    assert proof.entries == 4


def test_a_transaction_takes_its_turn_once(database, organisation, clock):
    fill(database, organisation, clock, 1)
    statements: list[str] = []
    event.listen(
        database.engine, "before_cursor_execute", lambda _c, _cursor, statement, *_: statements.append(statement)
    )
    fill(database, organisation, clock, 3)
    assert sum("FOR UPDATE" in each for each in statements) == 1


def test_the_chains_of_two_organisations_are_independent(database, organisation, other_organisation, clock):
    fill(database, organisation, clock, 2)
    fill(database, other_organisation, clock, 5)
    with database.transaction(organisation) as session:
        assert verify(session).entries == 2
    with database.transaction(other_organisation) as session:
        assert verify(session).entries == 5


@pytest.mark.parametrize(
    ("tampering", "position"),
    [
        ("UPDATE ledger_entry SET content = '{\"n\": 9}' WHERE position = 2", 2),
        ("UPDATE ledger_entry SET at = at + interval '1 second' WHERE position = 3", 3),
        ("DELETE FROM ledger_entry WHERE position = 2", 3),
        ("DELETE FROM ledger_entry WHERE position = 3", 3),
    ],
)
def test_the_first_broken_link_is_named(database, organisation, clock, tampering, position):
    fill(database, organisation, clock, 3)
    with database.system_transaction() as session:  # what only someone with the server in hand can do
        session.connection().execute(text("ALTER TABLE ledger_entry DISABLE TRIGGER append_only"))
        session.connection().execute(text(tampering))
    with database.transaction(organisation) as session:
        proof = verify(session)
    assert not proof.holds
    assert proof.broken_at == position


@pytest.mark.parametrize(
    "statement", ["UPDATE {} SET organisation_id = organisation_id", "DELETE FROM {}", "TRUNCATE {} CASCADE"]
)
@pytest.mark.parametrize("table", ["ledger_entry", "document", "lifecycle_event"])
@pytest.mark.parametrize("as_owner", [False, True])
def test_the_database_refuses_to_change_or_delete(database, organisation, documents, clock, statement, table, as_owner):
    fill(database, organisation, clock, 1)
    with database.transaction(organisation) as session:
        keep_document(session, documents, b"bytes", "application/xml", clock())
        session.connection().execute(
            text(
                "INSERT INTO lifecycle_event (organisation_id, id, fingerprint, direction, number, seller_siren, year,"
                " line, status, status_at, message_at, recorded_at, message_id, content, assessment) VALUES (:o,"
                " gen_random_uuid(), 'f', 'receivable', 'F1', '732829320', 2026, 'invoice', '200', now(), now(), now(),"
                " 'm', '{}', '{}')"
            ),
            {"o": organisation},
        )
    scope = database.system_transaction() if as_owner else database.transaction(organisation)
    with pytest.raises(ProgrammingError, match=r"append-only|permission denied"), scope as session:
        session.connection().execute(text(statement.format(table)))


def test_a_document_comes_back_as_it_was_kept(database, organisation, documents, clock):
    with database.transaction(organisation) as session:
        first = keep_document(session, documents, b"<a/>", "application/xml", clock())
        again = keep_document(session, documents, b"<a/>", "application/xml", clock())
    assert first == again
    assert documents.get(first) == b"<a/>"


def test_a_missing_document_is_named(documents):
    with pytest.raises(DocumentMissingError):
        documents.get("0" * 64)


def test_a_document_changed_on_disk_is_never_handed_out(documents, tmp_path):
    sha256 = documents.put(b"original")
    (path,) = (p for p in (tmp_path / "documents").rglob("*") if p.is_file())
    path.write_bytes(b"ORIGINAL")
    with pytest.raises(DocumentDamagedError):
        DocumentStore(tmp_path / "documents").get(sha256)
