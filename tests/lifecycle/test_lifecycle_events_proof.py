"""Every way to tamper with a recorded event is found by the ledger that recorded it, event by event."""

import pytest
from sqlalchemy import text

from gateway.database import Database
from gateway.ledger.service import START as WHOLE
from gateway.ledger.service import ChainStart, head_position, verify
from gateway.lifecycle import events_proof, service
from gateway.lifecycle.events_proof import EventsProof, entry_content, verify_events
from gateway.lifecycle.model import LifecycleEvent
from tests.lifecycle.following import record, register
from tests.lifecycle.making_events import amount


@pytest.fixture
def events(database, organisation) -> list[LifecycleEvent]:
    """Four statuses of an invoice, one with an amount, in the order recorded."""
    register(database, organisation)
    for code, details in (("200", {}), ("204", {}), ("205", {}), ("212", {"data": [amount("MEN", "120.00", "20.00")]})):
        record(database, organisation, code, int(code) - 199, **details)
    with database.transaction(organisation) as session:
        return [
            LifecycleEvent(**row)
            for row in session.connection().execute(text("SELECT * FROM lifecycle_event ORDER BY sequence")).mappings()
        ]


def superuser(database: Database, statement: str, **parameters: object) -> None:
    """Do what only the owner of the server can: lift the refusal of the database, and write."""
    with database.system_transaction() as session:
        session.connection().execute(text("ALTER TABLE lifecycle_event DISABLE TRIGGER append_only"))
        assert session.connection().execute(text(statement), parameters).rowcount == 1


def proof(database, organisation, since: ChainStart = WHOLE) -> EventsProof:
    with database.transaction(organisation) as session:
        assert verify(session).holds, "the chain itself was left alone"
        return verify_events(session, since=since)


def test_events_as_recorded_hold(database, organisation, events):
    assert proof(database, organisation) == EventsProof(4, 0, ())


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("status = '205'", "status is “205”, recorded as “212”"),
        ("status_at = status_at - interval '1 day'", "status_at is"),
        ("message_at = message_at + interval '1 microsecond'", "no longer what the ledger recorded"),
        ("recorded_at = recorded_at - interval '1 hour'", "no longer what the ledger recorded"),
        (
            "content = jsonb_set(content, '{details,0,characteristics,0,amount}', '\"1200.00\"')",
            "no longer what the ledger recorded",
        ),
        ("assessment = jsonb_set(assessment, '{kind}', '\"impossible\"')", "no longer what the ledger recorded"),
        ("number = 'F2'", "no longer what the ledger recorded"),
        ("issuer_name = 'Autre'", "no longer what the ledger recorded"),
        ("document_sha256 = repeat('1', 64)", "no longer what the ledger recorded"),
        ("source = 'api'", "source is “api”, recorded as “platform:test”"),
    ],
)
def test_an_event_changed_by_the_owner_of_the_server_is_named_with_what_differs(
    change, told, database, organisation, events
):
    superuser(database, f"UPDATE lifecycle_event SET {change} WHERE id = :id", id=events[3].id)
    found = proof(database, organisation)
    assert (found.intact, found.faulty) == (3, 1)
    (fault,) = found.first_faults
    assert (fault.position, fault.event_id) == (5, str(events[3].id))
    assert told in fault.reason.en


def test_a_deleted_event_is_missed(database, organisation, events):
    superuser(database, "DELETE FROM lifecycle_event WHERE id = :id", id=events[1].id)
    (fault,) = proof(database, organisation).first_faults
    assert (fault.position, fault.event_id, fault.reason.en) == (3, str(events[1].id), "the event is missing")


def forge(database: Database, like: LifecycleEvent, changes: str) -> None:
    """Write an event that the gateway never recorded."""
    superuser(
        database,
        """
        INSERT INTO lifecycle_event OVERRIDING SYSTEM VALUE
        SELECT (jsonb_populate_record(event, CAST(:changes AS jsonb))).* FROM lifecycle_event AS event WHERE id = :id
        """,
        changes=changes,
        id=like.id,
    )


def test_a_forged_event_is_found_beside_the_chain(database, organisation, events):
    forged = "00000000-0000-4000-8000-000000000001"
    forge(database, events[3], f'{{"id": "{forged}", "fingerprint": "f", "sequence": 1000000}}')
    found = proof(database, organisation)
    (fault,) = found.first_faults
    assert (found.intact, fault.position, fault.event_id, fault.number) == (4, None, forged, "F1")


def test_the_first_faults_come_in_the_order_of_the_chain_and_the_forged_last(database, organisation, events):
    forge(database, events[0], '{"id": "00000000-0000-4000-8000-000000000001", "fingerprint": "f", "sequence": 99}')
    superuser(database, "UPDATE lifecycle_event SET status = '210' WHERE id = :id", id=events[2].id)
    superuser(database, "DELETE FROM lifecycle_event WHERE id = :id", id=events[0].id)
    assert [fault.position for fault in proof(database, organisation).first_faults] == [2, 4, None]


def test_from_a_checkpoint_only_what_was_recorded_after_it_is_compared(database, organisation, events):
    with database.transaction(organisation) as session:
        monday = ChainStart(head_position(session), "not looked at here")
    record(database, organisation, "207", 300)
    assert proof(database, organisation, monday) == EventsProof(1, 0, ())
    superuser(database, "UPDATE lifecycle_event SET status = '210' WHERE id = :id", id=events[2].id)
    assert proof(database, organisation, monday).holds
    superuser(database, "UPDATE lifecycle_event SET status = '210' WHERE status = '207'")
    assert proof(database, organisation, monday).first_faults[0].position == 6


def test_an_entry_of_before_the_hash_of_the_row_is_compared_by_what_it_states(database, organisation, monkeypatch):
    def former(row: LifecycleEvent) -> dict[str, object]:
        return {name: value for name, value in entry_content(row).items() if name != "event_sha256"}

    monkeypatch.setattr(service, "entry_content", former)
    known = record(database, organisation, "200")
    assert proof(database, organisation).holds
    superuser(database, "UPDATE lifecycle_event SET status = '205' WHERE id = :id", id=known.id)
    assert [fault.position for fault in proof(database, organisation).first_faults] == [1]


def test_what_another_organisation_recorded_is_not_compared(database, organisation, other_organisation, events):
    record(database, other_organisation, "200", number="F9")
    superuser(database, "UPDATE lifecycle_event SET status = '210' WHERE number = 'F9'")
    assert proof(database, organisation).holds
    assert not proof(database, other_organisation).holds


def test_events_are_read_page_by_page_and_progress_reaches_their_number(database, organisation, events, monkeypatch):
    monkeypatch.setattr(events_proof, "_PAGE", 3)
    calls: list[tuple[int, int]] = []
    with database.transaction(organisation) as session:
        verify_events(session, lambda done, total: calls.append((done, total)))
    assert calls == [(3, 4), (4, 4)]
