"""A purge that others cross, or that is cut short, deletes nothing that is wanted, and ends its work the next time."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy import text

from gateway.database import Database
from gateway.ledger import purging
from gateway.ledger.documents import DocumentStore, keep_document
from gateway.ledger.documents_proof import verify_documents
from gateway.ledger.errors import DocumentPurgedError
from gateway.ledger.model import LedgerEntry
from gateway.ledger.purging import COMPLETED, delete_purged_bytes, record_purge
from gateway.ledger.retention import PURGED, PurgePlan, lift_hold, place_hold, plan_purge, purge_subject
from gateway.ledger.service import append, verify
from gateway.ledger.storage import FolderStorage

KEPT = datetime(2026, 10, 5, 8, 0, tzinfo=UTC)
LATER = datetime(2037, 1, 2, 8, 0, tzinfo=UTC)
DATA = b"<a/>"


class House:
    """One organisation with its documents, and the steps of a purge one by one."""

    def __init__(self, database: Database, organisation: UUID, store: DocumentStore) -> None:
        self.database, self.organisation, self.store = database, organisation, store

    def keep(self, data: bytes = DATA, subject: str = "invoice:F1", at: datetime = KEPT) -> str:
        with self.database.transaction(self.organisation) as session:
            sha256 = keep_document(session, self.store, data, "application/xml", at)
            append(session, at=at, kind="invoice.registered", subject=subject, content={}, documents=[sha256])
        return sha256

    def plan(self) -> PurgePlan:
        with self.database.transaction(self.organisation) as session:
            plan = plan_purge(session, now=LATER)
            return PurgePlan(plan.position, tuple(plan.decisions))

    def record(self, plan: PurgePlan | None = None) -> list[str]:
        done = record_purge(self.database, self.organisation, plan or self.plan(), now=LATER)
        return [each.sha256 for each in done if not each.is_held]

    def delete(self) -> int:
        return delete_purged_bytes(self.database, self.store, now=LATER)

    def hold(self, subject: str = "invoice:F1") -> None:
        with self.database.transaction(self.organisation) as session:
            place_hold(session, subject, reason="litige", now=LATER)

    def release(self, subject: str = "invoice:F1") -> None:
        with self.database.transaction(self.organisation) as session:
            lift_hold(session, subject, reason="clos", now=LATER)

    def entries(self, kind: str) -> list[dict]:
        with self.database.transaction(self.organisation) as session:
            query = text("SELECT content FROM ledger_entry WHERE kind = :kind ORDER BY position")
            return list(session.connection().execute(query, {"kind": kind}).scalars())

    def proof(self):
        with self.database.transaction(self.organisation) as session:
            assert verify(session).holds
            return verify_documents(session, self.store)


@pytest.fixture
def house(database, organisation, documents) -> House:
    return House(database, organisation, documents)


def test_bytes_that_a_crash_left_behind_go_with_the_next_purge(house):
    house.keep()
    house.record()  # and the process dies here
    assert house.delete() == 1
    assert house.delete() == 0


def test_a_deletion_cut_short_ends_the_next_time(house, monkeypatch):
    house.keep(b"one")
    second = house.keep(b"two")
    house.record()
    remove = FolderStorage.remove

    def dies_at_the_second(self, name):
        if name == second:
            raise KeyboardInterrupt
        remove(self, name)

    monkeypatch.setattr(FolderStorage, "remove", dies_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        house.delete()
    assert house.entries(COMPLETED) == []
    monkeypatch.setattr(FolderStorage, "remove", remove)
    assert house.delete() in (1, 2), "both are removed at once: the first may have been cut short too"
    assert house.delete() == 0
    assert house.proof().purged == 2


def test_a_later_purge_does_not_look_at_what_was_completed(house, monkeypatch):
    house.keep(b"old")
    house.record()
    house.delete()
    looked: list[str] = []
    has = FolderStorage.has
    monkeypatch.setattr(FolderStorage, "has", lambda self, name: looked.append(name) or has(self, name))
    new = house.keep(b"new")
    house.record()
    assert house.delete() == 1
    assert looked == [new]


def test_a_document_named_between_plan_and_entry_stays(house):
    house.keep()
    plan = house.plan()
    house.keep(at=LATER)
    assert house.record(plan) == []
    assert house.store.get(house.keep(at=LATER)) == DATA


def test_a_hold_placed_between_plan_and_entry_keeps_its_documents(house):
    house.keep()
    free = house.keep(b"free", "invoice:F2")
    plan = house.plan()
    house.hold()
    assert house.record(plan) == [free]


def test_two_purges_at_once_write_one_entry_for_each_document(house):
    sha256 = house.keep()
    plans = [house.plan(), house.plan()]
    assert [house.record(each) for each in plans] == [[sha256], []]


def test_a_hold_placed_after_the_entry_keeps_bytes_that_are_still_there(house):
    sha256 = house.keep()
    house.record()
    house.hold()
    assert house.delete() == 0
    assert house.store.get(sha256) == DATA
    assert house.proof().intact == 1
    house.release()
    assert house.delete() == 1
    with pytest.raises(DocumentPurgedError):
        house.store.get(sha256)
    assert house.proof().purged == 1


def test_what_is_left_again_and_again_is_said_once(house):
    house.keep()
    free = house.keep(b"free", "invoice:F2")
    house.record()
    house.hold()
    for _ in range(3):
        house.delete()
    (said,) = house.entries(COMPLETED)
    assert (said["settled"], len(said["left"])) == (1, 1)
    assert free not in said["left"]


def test_a_document_being_kept_at_that_moment_is_left_to_the_next_purge(house):
    sha256 = house.keep()
    house.record()
    with house.database.transaction(house.organisation) as session:
        keep_document(session, house.store, DATA, "application/xml", LATER)
        assert house.delete() == 0  # this transaction is not committed yet
        append(session, at=LATER, kind="flow.received", subject="flow:1", content={}, documents=[sha256])
    assert house.delete() == 0
    assert house.store.get(sha256) == DATA


def test_whoever_keeps_a_document_that_is_being_deleted_waits_and_writes_it_anew(house, monkeypatch):
    sha256 = house.keep()
    house.record()
    at_it, keeper = threading.Event(), threading.Thread(target=lambda: (at_it.wait(), house.keep(at=LATER)))
    remove = FolderStorage.remove

    def removed_while_another_comes(self, name):
        at_it.set()
        keeper.join(0.3)
        assert keeper.is_alive(), "it must wait for the deletion"
        remove(self, name)

    monkeypatch.setattr(FolderStorage, "remove", removed_while_another_comes)
    keeper.start()
    assert house.delete() == 1
    keeper.join(10)
    assert house.store.get(sha256) == DATA
    assert house.proof().intact == 1


def test_a_hold_waits_for_a_deletion_under_way_so_that_nothing_goes_after_it(house, monkeypatch):
    house.keep()
    house.record()
    at_it, holder = threading.Event(), threading.Thread(target=lambda: (at_it.wait(), house.hold()))
    remove = FolderStorage.remove

    def removed_while_a_hold_comes(self, name):
        at_it.set()
        holder.join(0.3)
        assert holder.is_alive(), "it must wait for the deletion"
        remove(self, name)

    monkeypatch.setattr(FolderStorage, "remove", removed_while_a_hold_comes)
    holder.start()
    assert house.delete() == 1
    holder.join(10)
    assert len(house.entries("hold.placed")) == 1


def test_bytes_go_when_the_last_of_two_organisations_has_purged_them(house, database, other_organisation, documents):
    neighbour = House(database, other_organisation, documents)
    sha256 = house.keep()
    neighbour.keep()
    house.record()
    assert house.delete() == 0
    neighbour.record()
    neighbour.hold()
    assert neighbour.delete() == 0
    neighbour.release()
    assert documents.get(sha256) == DATA
    assert house.delete() == 1


def test_a_purge_of_many_is_written_batch_by_batch_as_it_is_read_and_the_chain_holds(house, monkeypatch):
    monkeypatch.setattr(purging, "_BATCH", 3)
    expected = sorted(house.keep(str(number).encode()) for number in range(7))
    said: list[tuple[int, int]] = []
    with house.database.transaction(house.organisation) as session:
        plan = plan_purge(session, now=LATER, progress=lambda *each: said.append(each))
        done = record_purge(house.database, house.organisation, plan, now=LATER)
        assert next(done).sha256 == expected[0]
        assert len(house.entries(PURGED)) == 3, "the first batch is committed, and no other"
        assert [each.sha256 for each in done] == expected[1:]
    assert said == [(7, 7)]
    assert len(house.entries(PURGED)) == 7
    assert house.delete() == 7
    assert house.proof().purged == 7


def test_deletion_tells_how_far_it_is(house):
    for number in range(3):
        house.keep(str(number).encode())
    house.record()
    said: list[tuple[int, int]] = []
    delete_purged_bytes(house.database, house.store, now=LATER, progress=lambda *each: said.append(each))
    assert said == [(3, 3)]


def test_a_look_for_news_reads_what_is_new_and_not_the_whole_ledger(house):
    """Each batch of a purge looks: if a look read the ledger from its start, the purge would grow with its square."""
    for number in range(300):
        house.keep(str(number).encode())
    known = {"organisations": [house.organisation], "positions": [299]}
    with house.database.system_transaction() as session:
        session.connection().execute(text("ANALYZE ledger_entry"))
    with house.database.transaction(house.organisation) as session:
        explain = text(f"EXPLAIN (ANALYZE, FORMAT JSON) {purging._SINCE}")
        (plan,) = session.connection().execute(explain, known).scalar_one()
    reads = [node for node in nodes(plan["Plan"]) if node.get("Relation Name") == "ledger_entry"]
    assert sum(node["Actual Rows"] + node.get("Rows Removed by Filter", 0) for node in reads) == 1


def nodes(plan: dict) -> Iterator[dict]:
    """A query plan and all below it."""
    yield plan
    for below in plan.get("Plans", []):
        yield from nodes(below)


def test_the_purge_needs_no_right_to_change_the_ledger(house, monkeypatch):
    """Its entries are written under the role of requests, which may only add them."""
    house.keep()
    roles: list[str] = []
    transaction = Database.transaction

    def noted(self, organisation):
        scope = transaction(self, organisation)
        session = scope.__enter__()
        roles.append(session.connection().execute(text("SELECT current_user")).scalar_one())
        scope.__exit__(None, None, None)
        return transaction(self, organisation)

    monkeypatch.setattr(Database, "transaction", noted)
    assert len(house.record()) == 1
    assert set(roles) == {"gateway_app"}


def purged_by_hand(house: House, sha256: str, at: datetime) -> None:
    """What somebody who may add entries, and delete files, could do."""
    content = {"rule": "C. com. L123-22", "kept_until": "2020-12-31", "size": 4}
    with house.database.transaction(house.organisation) as session:
        append(session, at=at, kind="document.purged", subject=purge_subject(sha256), content=content)
    house.store.purge(sha256, at=at, rule="C. com. L123-22")


def test_a_purge_before_the_end_of_the_retention_is_a_fault_of_the_proof(house):
    sha256 = house.keep()
    purged_by_hand(house, sha256, datetime(2027, 1, 2, tzinfo=UTC))
    (fault,) = house.proof().first_faults
    assert (fault.sha256, fault.reason) == (sha256, "it was purged before its retention was over")


def test_a_purge_of_what_was_held_is_a_fault_of_the_proof(house):
    sha256 = house.keep()
    house.hold()
    purged_by_hand(house, sha256, LATER)
    house.release()
    (fault,) = house.proof().first_faults
    assert fault.reason == "it was purged while a legal hold kept it"


def test_a_purge_before_a_hold_or_after_its_end_is_none(house):
    sha256 = house.keep()
    house.hold()
    house.release()
    purged_by_hand(house, sha256, LATER)
    house.hold()
    assert house.proof().holds


def test_the_entries_of_a_purge_name_no_document_so_that_they_do_not_keep_it(house, organisation):
    house.keep()
    house.record()
    house.delete()
    with house.database.transaction(organisation) as session:
        assert [session.get_one(LedgerEntry, (organisation, position)).documents for position in (2, 3)] == [[], []]


def test_a_purge_of_many_batches_takes_its_own_entries_for_no_news(house, monkeypatch):
    monkeypatch.setattr(purging, "_BATCH", 1)
    wanted = sorted(house.keep(str(number).encode()) for number in range(4))
    plan, look, seen = house.plan(), purging._Watch.look, []
    house.keep(b"another", subject="invoice:F2")  # news, once

    def watched(watch, session):
        seen.append((watch.positions[house.organisation], len(look(watch, session))))
        return watch.touched

    monkeypatch.setattr(purging._Watch, "look", watched)
    assert house.record(plan) == wanted
    assert seen == [(4, 1), (6, 1), (7, 1), (8, 1)]
