"""What somebody with the database server in hand can and cannot do unnoticed, attack by attack, as an auditor asks.

`docs/how-to/prove-an-invoice.md` says it in words: the chain alone finds every careless change; one who makes the chain
anew is found by any checkpoint kept elsewhere that was signed after the forged entry, and by none before it.
"""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from gateway.database import Database
from gateway.kernel.clock import ManualClock
from gateway.ledger.chain import GENESIS, canonical_json, entry_hash
from gateway.ledger.checkpoints import Checkpoint, checkpoint_of, read_checkpoints, require_own
from gateway.ledger.errors import ChainBrokenError, CheckpointInvalidError
from gateway.ledger.evidence import Story, make_evidence
from gateway.ledger.evidence_proof import prove
from gateway.ledger.evidence_verifier import EvidenceError
from gateway.ledger.evidence_verifier import verify as verify_evidence
from gateway.ledger.service import START, ChainStart, Verification, append, verify
from gateway.ledger.signing import SigningKey

SUBJECT = "invoice:F-1/732829320/2026"


class Superuser:
    """Does what he likes with the database, and knows how hashes are made; he has no signing key."""

    def __init__(self, database: Database, organisation: UUID) -> None:
        self.database, self.organisation = database, organisation

    def run(self, statement: str, **parameters: object) -> None:
        with self.database.system_transaction() as session:
            session.connection().execute(text("ALTER TABLE ledger_entry DISABLE TRIGGER append_only"))
            session.connection().execute(text(statement), parameters)

    def truncate(self, position: int) -> None:
        """Cut the tail, and set the head to fit."""
        self.run("DELETE FROM ledger_entry WHERE position > :p", p=position)
        self.run(
            "UPDATE ledger_head SET position = :p, hash = (SELECT hash FROM ledger_entry WHERE position = :p)",
            p=position,
        )

    def remake(self) -> None:
        """Give every entry the hash of what it says now, and the head that of the last."""
        previous, position = GENESIS, 0
        with self.database.system_transaction() as session:
            rows = session.connection().execute(text("SELECT * FROM ledger_entry ORDER BY position")).mappings().all()
        for row in rows:
            stated = {name: row[name] for name in ("position", "at", "kind", "subject", "content", "documents")}
            found = entry_hash(organisation_id=str(self.organisation), previous_hash=previous, **stated)
            self.run(
                "UPDATE ledger_entry SET previous_hash = :b, hash = :h WHERE position = :p",
                b=previous,
                h=found,
                p=row["position"],
            )
            previous, position = found, row["position"]
        self.run("UPDATE ledger_head SET position = :p, hash = :h", p=position, h=previous)


@pytest.fixture
def superuser(database, organisation) -> Superuser:
    return Superuser(database, organisation)


def fill(database: Database, organisation: UUID, clock: ManualClock, count: int) -> None:
    with database.transaction(organisation) as session:
        for number in range(count):
            append(session, at=clock(), kind="lifecycle.event", subject=SUBJECT, content={"status": str(200 + number)})


def proof(database: Database, organisation: UUID, since: ChainStart = START) -> Verification:
    with database.transaction(organisation) as session:
        return verify(session, since=since)


@pytest.fixture
def monday(database, organisation, clock, key) -> Checkpoint:
    """A checkpoint over five entries that the auditor keeps; three more follow."""
    fill(database, organisation, clock, 5)
    with database.transaction(organisation) as session:
        stated = checkpoint_of(session, key, now=clock())
    fill(database, organisation, clock, 3)
    return stated


def test_a_chain_made_anew_before_the_checkpoint_holds_alone_and_not_from_the_checkpoint(
    database, organisation, monday, superuser
):
    superuser.run('UPDATE ledger_entry SET content = \'{"status": "212"}\' WHERE position = 2')
    superuser.remake()
    assert proof(database, organisation).holds, "by itself a chain says only that it is one"
    found = proof(database, organisation, monday.chain_start)
    assert (found.broken_at, found.reason) == (5, "the entry does not have the hash that the checkpoint states")


def test_an_entry_changed_before_the_checkpoint_and_nothing_else_is_found_by_the_whole_proof(
    database, organisation, monday, superuser
):
    """Why `--since` spares time, and the whole proof is run as well now and then."""
    superuser.run('UPDATE ledger_entry SET content = \'{"status": "212"}\' WHERE position = 2')
    assert proof(database, organisation, monday.chain_start).holds
    assert proof(database, organisation).broken_at == 2


def test_a_tail_cut_below_the_checkpoint_is_found(database, organisation, monday, superuser):
    superuser.truncate(4)
    assert proof(database, organisation).holds
    found = proof(database, organisation, monday.chain_start)
    assert (found.broken_at, found.reason) == (5, "the entry that the checkpoint names is missing")


def test_a_tail_cut_below_the_checkpoint_and_grown_again_is_found(database, organisation, clock, monday, superuser):
    superuser.truncate(4)
    clock.advance(timedelta(seconds=1))
    fill(database, organisation, clock, 6)
    assert proof(database, organisation).holds
    assert proof(database, organisation, monday.chain_start).broken_at == 5


def test_what_follows_the_last_checkpoint_can_be_made_anew_unnoticed(database, organisation, monday, superuser):
    """The limit of every such ledger: take checkpoints often, and keep them elsewhere."""
    superuser.truncate(6)
    assert proof(database, organisation).holds
    assert proof(database, organisation, monday.chain_start).holds


def test_a_checkpoint_cannot_be_made_to_fit_a_chain_made_anew(database, organisation, clock, key, new_key, monday):
    forged = monday.model_copy(update={"position": 4})
    with pytest.raises(CheckpointInvalidError):
        read_checkpoints([forged.model_dump_json()], "file")
    with database.transaction(organisation) as session:
        others = checkpoint_of(session, new_key(), now=clock())
        with pytest.raises(CheckpointInvalidError):
            require_own(session, others, key, "file")


def test_a_checkpoint_of_one_organisation_starts_no_proof_of_another(database, other_organisation, clock, monday):
    fill(database, other_organisation, clock, 6)
    assert proof(database, other_organisation, monday.chain_start).broken_at == 5


def evidence(database, organisation, documents, key: SigningKey, now, since: Checkpoint | None) -> bytes:
    with database.transaction(organisation) as session:
        return make_evidence(
            session,
            documents,
            story=Story(SUBJECT, "F-1", (), (), {}, "fr"),
            subjects=[SUBJECT],
            checkpoint=checkpoint_of(session, key, now=now),
            key=key,
            since=since,
        )


def test_no_evidence_goes_on_from_a_checkpoint_whose_past_was_changed(
    database, organisation, documents, clock, key, monday, superuser
):
    superuser.run('UPDATE ledger_entry SET content = \'{"status": "212"}\' WHERE position = 2')
    superuser.remake()
    with pytest.raises(ChainBrokenError, match="root of the checkpoint"):
        evidence(database, organisation, documents, key, clock(), monday)


@pytest.mark.parametrize("other", ["earlier", "later"])
def test_two_checkpoints_of_one_position_and_different_roots_prove_nothing(database, organisation, monday, other):
    forged = monday.model_copy(update={"root": "a" * 64})
    since, checkpoint = (forged, monday) if other == "earlier" else (monday, forged)
    with database.transaction(organisation) as session, pytest.raises(ChainBrokenError):
        prove(session, [], checkpoint, since)


def test_evidence_of_a_chain_that_the_key_owner_made_anew_is_refused_by_the_auditors_checkpoint(
    database, organisation, documents, clock, key, monday, superuser, tmp_path
):
    (tmp_path / "monday.json").write_text(monday.model_dump_json())
    (tmp_path / "key.pem").write_text(key.public_pem())
    superuser.run('UPDATE ledger_entry SET content = \'{"status": "212"}\' WHERE position = 2')
    superuser.remake()
    path = str(tmp_path / "evidence.zip")
    (tmp_path / "evidence.zip").write_bytes(evidence(database, organisation, documents, key, clock(), None))
    assert "all holds" in verify_evidence(path, key=str(tmp_path / "key.pem"))
    with pytest.raises(EvidenceError, match="not the one given"):
        verify_evidence(path, str(tmp_path / "monday.json"), str(tmp_path / "key.pem"))


def test_every_field_of_an_entry_is_under_its_hash(database, organisation, monday, superuser):
    changes = {
        "at": "at + interval '1 microsecond'",
        "kind": "'x'",
        "subject": "'x'",
        "content": "'{}'",
        "documents": "'[\"" + "a" * 64 + "\"]'",
        "previous_hash": "repeat('a', 64)",
        "hash": "repeat('a', 64)",
    }
    for field, value in changes.items():
        with database.system_transaction() as session:
            kept = (
                session.connection().execute(text(f"SELECT {field} FROM ledger_entry WHERE position = 3")).scalar_one()
            )
        superuser.run(f"UPDATE ledger_entry SET {field} = {value} WHERE position = 3")
        assert proof(database, organisation).broken_at == 3, field
        back = canonical_json(kept) if field in ("content", "documents") else kept
        superuser.run(f"UPDATE ledger_entry SET {field} = :v WHERE position = 3", v=back)
    assert proof(database, organisation).holds
