"""What the ledger holds about an invoice beside itself, and the evidence file that proves all of it."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, select

from gateway.access.scope import Scope
from gateway.alerts.model import Alert
from gateway.collection.model import CollectionAction
from gateway.database.engine import organisation_of
from gateway.kernel.clock import Clock
from gateway.kernel.text import Language
from gateway.ledger.checkpoints import Checkpoint, checkpoint_of
from gateway.ledger.documents import DocumentStore
from gateway.ledger.evidence import make_evidence
from gateway.ledger.signing import SigningKey
from gateway.lifecycle.model import InvoiceRecord
from gateway.lifecycle.records import key_of_invoice
from gateway.lifecycle.story import story_of
from gateway.lifecycle.timeline import Timeline, timeline_of
from gateway.treasury.write_off_rows import left_of

#: The evidence file (zip) of an invoice.
EvidenceOf = Callable[[InvoiceRecord], bytes]


def subjects_of(session: Session, record: InvoiceRecord, timeline: Timeline) -> list[str]:
    """What the ledger calls an invoice, the flows that brought it and its messages, its deliveries, alerts, actions."""
    alerts = session.exec(select(Alert.id).where(Alert.invoice_id == record.id))
    actions = session.exec(select(CollectionAction.id).where(CollectionAction.invoice_id == record.id))
    flows = {flow for flow in (record.flow_id, *(entry.flow_id for entry in timeline.entries)) if flow}
    return [
        f"invoice:{key_of_invoice(record)}",
        *sorted(f"flow:{flow}" for flow in flows),
        *(f"delivery:{each.id}" for each in (*timeline.transmission, *timeline.reporting)),
        *(f"alert:{each}" for each in alerts),
        *(f"action:{each}" for each in actions),
    ]


def evidence_maker(
    session: Session, store: DocumentStore, key: SigningKey, language: Language, now: datetime
) -> EvidenceOf:
    """Makes evidence files of one organisation against one checkpoint, which is proved here and once.

    Raises ChainBrokenError; the files NothingToProveError, DocumentMissingError, DocumentDamagedError.
    """
    return _maker(session, store, key, checkpoint_of(session, key, now=now), language, now)


class EvidenceKeeper:
    """Makes evidence files again and again: each proof of a chain goes on from the last one of this process.

    It is asked before its transaction writes entries: what is proved must not be undone.
    """

    def __init__(self, store: DocumentStore, key: Callable[[], SigningKey], clock: Clock) -> None:
        self._store = store
        self._key = key
        self._clock = clock
        self._proved: dict[UUID, Checkpoint] = {}

    def __call__(self, session: Session, language: Language) -> EvidenceOf:
        """As `evidence_maker` does, and raises; LedgerKeyError besides."""
        organisation_id, key, now = organisation_of(session), self._key(), self._clock()
        checkpoint = checkpoint_of(session, key, now=now, since=self._proved.get(organisation_id))
        self._proved[organisation_id] = checkpoint
        return _maker(session, self._store, key, checkpoint, language, now)


def _maker(
    session: Session, store: DocumentStore, key: SigningKey, checkpoint: Checkpoint, language: Language, now: datetime
) -> EvidenceOf:
    def evidence_of(record: InvoiceRecord) -> bytes:
        timeline = timeline_of(session, Scope.everything(), record, now, left=left_of)
        story = story_of(timeline, f"invoice:{key_of_invoice(record)}", language)
        subjects = subjects_of(session, record, timeline)
        return make_evidence(session, store, story=story, subjects=subjects, checkpoint=checkpoint, key=key)

    return evidence_of
