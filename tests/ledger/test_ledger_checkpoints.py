"""A checkpoint states what was proved, only its own installation accepts it, and the next proof starts from it."""

import json
from uuid import UUID

import pytest
from sqlalchemy import text

from gateway.database import Database
from gateway.kernel.clock import ManualClock
from gateway.ledger.checkpoints import Checkpoint, checkpoint_of, read_checkpoints, require_own
from gateway.ledger.errors import ChainBrokenError, CheckpointInvalidError, CheckpointUnreadableError
from gateway.ledger.service import Verification, append, verify


def fill(database: Database, organisation: UUID, clock: ManualClock, count: int) -> None:
    with database.transaction(organisation) as session:
        for number in range(count):
            append(session, at=clock(), kind="flow.received", subject=f"flow:{number}", content={"é": ["1.50", number]})


def checkpoint(database, organisation, clock, key, since=None) -> Checkpoint:
    with database.transaction(organisation) as session:
        return checkpoint_of(session, key, now=clock(), since=since)


def proof_since(database, organisation, start: Checkpoint) -> Verification:
    with database.transaction(organisation) as session:
        return verify(session, since=start.chain_start)


def tamper(database: Database, statement: str) -> None:
    with database.system_transaction() as session:
        session.connection().execute(text("ALTER TABLE ledger_entry DISABLE TRIGGER append_only"))
        session.connection().execute(text(statement))


def test_a_proof_from_a_checkpoint_covers_only_what_follows(database, organisation, clock, key):
    fill(database, organisation, clock, 5)
    start = checkpoint(database, organisation, clock, key)
    fill(database, organisation, clock, 2)
    proof = proof_since(database, organisation, start)
    assert proof.holds
    assert proof.entries == 2


def test_a_checkpoint_made_from_another_is_that_of_a_whole_proof(database, organisation, clock, key):
    fill(database, organisation, clock, 5)
    start = checkpoint(database, organisation, clock, key)
    fill(database, organisation, clock, 8)
    assert checkpoint(database, organisation, clock, key, since=start) == checkpoint(database, organisation, clock, key)


def test_progress_says_how_much_there_is(database, organisation, clock):
    fill(database, organisation, clock, 3)
    said: list[tuple[int, int]] = []
    with database.transaction(organisation) as session:
        verify(session, lambda done, total: said.append((done, total)))
    assert said == [(3, 3)]


@pytest.mark.parametrize(
    ("statement", "position"),
    [
        ("UPDATE ledger_entry SET hash = repeat('a', 64) WHERE position = 3", 3),
        ("DELETE FROM ledger_entry WHERE position = 3", 3),
        ("UPDATE ledger_entry SET content = '{}' WHERE position = 4", 4),
    ],
)
def test_a_proof_from_a_checkpoint_names_the_broken_link(database, organisation, clock, key, statement, position):
    fill(database, organisation, clock, 3)
    start = checkpoint(database, organisation, clock, key)
    fill(database, organisation, clock, 2)
    tamper(database, statement)
    proof = proof_since(database, organisation, start)
    assert proof.broken_at == position


@pytest.mark.parametrize("statement", ["DELETE FROM ledger_head", "UPDATE ledger_head SET position = 2"])
def test_entries_that_the_head_does_not_know_break_the_chain(database, organisation, clock, statement):
    fill(database, organisation, clock, 3)
    with database.system_transaction() as session:
        session.connection().execute(text(statement))
    with database.transaction(organisation) as session:
        assert verify(session).broken_at == 4


def test_entries_written_during_a_proof_do_not_break_it(database, organisation, clock):
    fill(database, organisation, clock, 3)
    with database.transaction(organisation) as session:
        proof = verify(session, lambda *_: fill(database, organisation, clock, 2))
    assert proof.holds, proof.reason


def test_a_broken_chain_is_never_signed(database, organisation, clock, key):
    fill(database, organisation, clock, 3)
    tamper(database, "UPDATE ledger_entry SET kind = 'other' WHERE position = 2")
    with pytest.raises(ChainBrokenError, match="entry 2"):
        checkpoint(database, organisation, clock, key)


def test_a_checkpoint_is_read_back_as_written(database, organisation, clock, key):
    fill(database, organisation, clock, 3)
    earlier = checkpoint(database, organisation, clock, key)
    fill(database, organisation, clock, 1)
    later = checkpoint(database, organisation, clock, key)
    lines = [later.model_dump_json(), "", earlier.model_dump_json()]
    assert read_checkpoints(lines, "file") == {organisation: later}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("position", 2),
        ("hash", "a" * 64),
        ("root", "a" * 64),
        ("at", "2020-01-01T00:00:00+00:00"),
        ("organisation", "00000000-0000-4000-8000-000000000000"),
        ("peaks", []),
        ("signature", "a" * 128),
        ("signature", "no hexadecimal"),
        ("key", "a" * 64),
    ],
)
def test_a_changed_checkpoint_is_refused(database, organisation, clock, key, field, value):
    fill(database, organisation, clock, 3)
    line = json.dumps(json.loads(checkpoint(database, organisation, clock, key).model_dump_json()) | {field: value})
    with pytest.raises(CheckpointInvalidError):
        read_checkpoints([line], "file")


def test_a_checkpoint_of_another_installation_is_refused(database, organisation, clock, key, new_key):
    other = checkpoint(database, organisation, clock, new_key())
    assert read_checkpoints([other.model_dump_json()], "file") == {organisation: other}
    with database.transaction(organisation) as session, pytest.raises(CheckpointInvalidError):
        require_own(session, other, key, "file")


@pytest.mark.parametrize("line", ["{", "[]", '{"position": 1}', "texte"])
def test_what_is_no_checkpoint_is_said_to_be_none(line):
    with pytest.raises(CheckpointUnreadableError):
        read_checkpoints([line], "file")
