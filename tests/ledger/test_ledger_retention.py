"""Documents go only past their retention, unheld, wanted by nobody else; the ledger and the store say so for ever."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.kernel.clock import paris_date
from gateway.ledger.documents import DocumentStore, keep_document
from gateway.ledger.documents_proof import verify_documents
from gateway.ledger.errors import DocumentPurgedError, LegalHoldError, NoRetentionRuleError
from gateway.ledger.model import LedgerEntry
from gateway.ledger.purging import delete_purged_bytes, record_purge
from gateway.ledger.retention import (
    RetentionRule,
    lift_hold,
    place_hold,
    plan_purge,
    retention_rule,
)
from gateway.ledger.service import append, verify

KEPT = datetime(2026, 10, 5, 8, 0, tzinfo=UTC)
LATER = datetime(2037, 1, 2, 8, 0, tzinfo=UTC)


def keep(database, organisation: UUID, store: DocumentStore, data=b"<a/>", subject="invoice:F1", at=KEPT) -> str:
    with database.transaction(organisation) as session:
        sha256 = keep_document(session, store, data, "application/xml", at)
        append(session, at=at, kind="invoice.registered", subject=subject, content={}, documents=[sha256])
    return sha256


def recorded(database, organisation: UUID, now=LATER, **options) -> list[str]:
    """The first half of a purge: its entries."""
    with database.transaction(organisation) as session:
        plan = plan_purge(session, now=now, **options)
        done = list(record_purge(database, organisation, plan, now=now))
    return [each.sha256 for each in done if not each.is_held]


def purge(database, organisation: UUID, store: DocumentStore, now=LATER, **options) -> list[str]:
    gone = recorded(database, organisation, now, **options)
    delete_purged_bytes(database, store, now=now)
    return gone


def test_the_rule_of_the_commercial_code_keeps_ten_full_years():
    rule = retention_rule(date(2026, 10, 5))
    assert rule.id == "C. com. L123-22"
    assert rule.kept_until(KEPT) == date(2036, 12, 31)


def test_without_a_rule_in_force_nothing_is_decided():
    with pytest.raises(NoRetentionRuleError):
        retention_rule(date(1999, 12, 31))


@given(st.datetimes(datetime(2000, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC)), st.integers(1, 30))
def test_retention_never_ends_before_its_years_are_over(instant, years):
    kept_until = RetentionRule("r", years).kept_until(instant)
    assert kept_until >= paris_date(instant) + timedelta(days=365 * years)
    assert kept_until.year == paris_date(instant).year + years


@pytest.mark.parametrize(
    ("now", "gone"),
    [
        (datetime(2036, 12, 31, 22, 59, tzinfo=UTC), False),  # 23:59 in Paris
        (datetime(2036, 12, 31, 23, 1, tzinfo=UTC), True),  # the new year in Paris
    ],
)
def test_a_document_goes_when_its_retention_is_over_in_paris_and_not_before(
    database, organisation, documents, now, gone
):
    sha256 = keep(database, organisation, documents)
    assert purge(database, organisation, documents, now=now) == ([sha256] if gone else [])


def test_a_purged_document_is_said_to_be_purged_when_and_by_which_rule(database, organisation, documents):
    sha256 = keep(database, organisation, documents)
    purge(database, organisation, documents)
    with pytest.raises(DocumentPurgedError) as error:
        documents.get(sha256)
    assert error.value.in_language("fr").startswith("Document purgé le 02/01/2037 selon la règle C. com. L123-22.")
    assert error.value.in_language("en").startswith("Purged on 2037-01-02 by rule C. com. L123-22.")


def test_a_purge_leaves_its_trace_and_the_chain_holds(database, organisation, documents):
    sha256 = keep(database, organisation, documents)
    purge(database, organisation, documents)
    with database.transaction(organisation) as session:
        entry = session.get_one(LedgerEntry, (organisation, 2))
        assert (entry.kind, entry.subject) == ("document.purged", f"document:{sha256}")
        assert entry.content == {"rule": "C. com. L123-22", "kept_until": "2036-12-31", "size": 4}
        done = session.get_one(LedgerEntry, (organisation, 3))
        assert (done.kind, done.content) == ("purge.completed", {"up_to": 2, "settled": 1, "left": []})
        assert verify(session).holds
        proof = verify_documents(session, documents)
    assert (proof.intact, proof.purged, proof.faulty) == (0, 1, 0)


def test_a_purge_done_again_does_nothing(database, organisation, documents):
    assert purge(database, organisation, documents, now=LATER) == []
    keep(database, organisation, documents)
    assert len(purge(database, organisation, documents)) == 1
    assert purge(database, organisation, documents) == []


def test_a_dry_run_decides_the_same_and_changes_nothing(database, organisation, documents):
    sha256 = keep(database, organisation, documents)
    with database.transaction(organisation) as session:
        decisions = list(plan_purge(session, now=LATER).decisions)
        assert verify(session).entries == 1
    assert documents.get(sha256) == b"<a/>"
    with database.transaction(organisation) as session:
        assert list(record_purge(database, organisation, plan_purge(session, now=LATER), now=LATER)) == decisions


def test_a_day_narrows_the_purge_and_never_shortens_the_retention(database, organisation, documents):
    keep(database, organisation, documents)
    day = paris_date(KEPT)
    with database.transaction(organisation) as session:
        assert list(plan_purge(session, now=LATER, before=day).decisions) == []
        assert len(list(plan_purge(session, now=LATER, before=day + timedelta(days=1)).decisions)) == 1
        assert list(plan_purge(session, now=KEPT, before=date(2100, 1, 1)).decisions) == []


def test_a_hold_keeps_the_documents_of_its_subject_until_it_is_lifted(database, organisation, documents):
    held = keep(database, organisation, documents, b"held", "invoice:F1")
    free = keep(database, organisation, documents, b"free", "invoice:F2")
    with database.transaction(organisation) as session:
        place_hold(session, "invoice:F1", reason="litige", now=KEPT)
    assert purge(database, organisation, documents) == [free]
    assert documents.get(held) == b"held"
    with database.transaction(organisation) as session:
        lift_hold(session, "invoice:F1", reason="litige clos", now=LATER)
    assert purge(database, organisation, documents) == [held]


def test_a_hold_is_not_placed_twice_nor_lifted_without(database, organisation):
    with database.transaction(organisation) as session:
        with pytest.raises(LegalHoldError):
            lift_hold(session, "invoice:F1", reason="r", now=KEPT)
        place_hold(session, "invoice:F1", reason="r", now=KEPT)
    with database.transaction(organisation) as session, pytest.raises(LegalHoldError):
        place_hold(session, "invoice:F1", reason="r", now=KEPT)


def test_a_document_named_again_starts_its_retention_anew(database, organisation, documents):
    keep(database, organisation, documents)
    keep(database, organisation, documents, at=KEPT + timedelta(days=365))
    assert purge(database, organisation, documents) == []


def test_bytes_stay_while_another_organisation_keeps_them(database, organisation, other_organisation, documents):
    sha256 = keep(database, organisation, documents)
    keep(database, other_organisation, documents, at=KEPT + timedelta(days=365))
    assert purge(database, organisation, documents) == [sha256]
    assert documents.get(sha256) == b"<a/>"
    purge(database, other_organisation, documents, now=LATER + timedelta(days=365))
    with pytest.raises(DocumentPurgedError):
        documents.get(sha256)


def test_a_document_received_again_after_its_purge_is_there_again(database, organisation, documents):
    sha256 = keep(database, organisation, documents)
    purge(database, organisation, documents)
    keep(database, organisation, documents, at=LATER)
    delete_purged_bytes(database, documents, now=LATER)
    assert documents.get(sha256) == b"<a/>"


def test_a_missing_document_is_not_excused_by_a_note_in_the_store(database, organisation, documents):
    sha256 = keep(database, organisation, documents)
    documents.purge(sha256, at=LATER, rule="forged")
    with database.transaction(organisation) as session:
        proof = verify_documents(session, documents)
    assert [(each.sha256, each.position, each.reason) for each in proof.first_faults] == [(sha256, 1, "it is missing")]


def test_a_document_received_again_after_its_purge_and_lost_is_missing_not_purged(
    database, organisation, documents, tmp_path
):
    sha256 = keep(database, organisation, documents)
    purge(database, organisation, documents)
    keep(database, organisation, documents, at=LATER)
    (tmp_path / "documents" / sha256[:2] / sha256[2:4] / sha256).unlink()
    with database.transaction(organisation) as session:
        proof = verify_documents(session, documents)
    assert (proof.purged, proof.faulty) == (0, 1)


def test_a_document_changed_in_the_store_is_named(database, organisation, documents, tmp_path):
    good = keep(database, organisation, documents, b"good")
    bad = keep(database, organisation, documents, b"bad")
    (tmp_path / "documents" / bad[:2] / bad[2:4] / bad).write_bytes(b"BAD")
    with database.transaction(organisation) as session:
        proof = verify_documents(session, documents)
    assert (proof.intact, proof.faulty) == (1, 1)
    assert [each.sha256 for each in proof.first_faults] == [bad]
    assert good != bad
