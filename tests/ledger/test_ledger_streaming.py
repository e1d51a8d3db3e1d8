"""What is read of a whole ledger is read page by page, so that its memory does not grow with the ledger."""

import pytest

from gateway.ledger import documents_proof, evidence_proof, purging, retention, service
from gateway.ledger.checkpoints import checkpoint_of
from gateway.ledger.documents import keep_document
from gateway.ledger.documents_proof import verify_documents
from gateway.ledger.evidence_proof import prove
from gateway.ledger.purging import delete_purged_bytes, record_purge
from gateway.ledger.retention import plan_purge
from gateway.ledger.service import append, verify
from tests.ledger.test_ledger_purging import LATER


@pytest.fixture
def pages(database, organisation, documents, clock, monkeypatch) -> list[int]:
    """Five entries, each with a document, and pages of two; how far each page came."""
    for room, name in (
        (service, "_PAGE"),
        (documents_proof, "_PAGE"),
        (evidence_proof, "_PAGE"),
        (retention, "_PAGE"),
        (purging, "_DELETED_TOGETHER"),
    ):
        monkeypatch.setattr(room, name, 2)
    with database.transaction(organisation) as session:
        for number in range(5):
            sha256 = keep_document(session, documents, str(number).encode(), "application/xml", clock())
            append(session, at=clock(), kind="x", subject=f"s{number}", content={}, documents=[sha256])
    return []


@pytest.fixture
def told(pages):
    return lambda done, _total: pages.append(done)


def test_a_chain_and_its_documents_are_proved_page_by_page(database, organisation, documents, pages, told):
    with database.transaction(organisation) as session:
        assert verify(session, told).holds
        assert verify_documents(session, documents, told).holds
    assert pages == [2, 4, 5, 2, 4, 5]


def test_the_tree_of_an_evidence_file_is_read_page_by_page(database, organisation, clock, key, pages, told):
    with database.transaction(organisation) as session:
        prove(session, [], checkpoint_of(session, key, now=clock()), progress=told)
    assert pages == [2, 4, 5]


def test_a_purge_is_planned_and_carried_out_page_by_page(database, organisation, documents, pages, told):
    with database.transaction(organisation) as session:
        list(record_purge(database, organisation, plan_purge(session, now=LATER, progress=told), now=LATER))
    assert delete_purged_bytes(database, documents, now=LATER, progress=told) == 5
    assert pages == [2, 4, 5, 2, 4, 5]
