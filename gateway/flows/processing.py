"""Drain the flows of one organisation, each alone: a bad one is tried again, then quarantined, and stops no other.

A try is counted before it is made, in a transaction before its own: a flow that kills its worker is counted too, and
its next try is due later, so that it does not come first again. The work itself is one transaction that holds the
flow's row, and counts the try of the flow that follows; `kill -9` anywhere leaves either all of it or nothing.
"""

import random
from dataclasses import dataclass
from uuid import UUID

import structlog
from sqlmodel import Session

from gateway.alerts.quarantined_flows import QuarantinedFlow
from gateway.flows.consequences import follow_quarantine, follow_release
from gateway.flows.context import FlowsContext
from gateway.flows.directory.errors import BuyerNotAddressableError
from gateway.flows.errors import (
    FlowNotInQuarantineError,
    PlatformRefusedError,
    PlatformUnavailableError,
    ProcessingError,
    ProcessingInterruptedError,
    UnusableFlowError,
)
from gateway.flows.handling import handle_flow
from gateway.flows.intake import PROCESS_TASK, media_type_of
from gateway.flows.metrics import PROCESSING_SECONDS, QUARANTINED
from gateway.flows.model import Flow, FlowState
from gateway.flows.platforms.errors import PlatformPausedError
from gateway.flows.repository import hold, hold_waiting, next_due
from gateway.invoices.errors import UnreadableInvoiceError
from gateway.jobs.queue import enqueue
from gateway.jobs.retrying import decide_retry
from gateway.kernel.errors import GatewayError
from gateway.kernel.text import Text
from gateway.ledger.documents import keep_document
from gateway.ledger.errors import DocumentStoreError
from gateway.ledger.service import append
from gateway.lifecycle.errors import InvoiceWithoutKeyError

_PERMANENT = (
    UnusableFlowError,
    UnreadableInvoiceError,
    InvoiceWithoutKeyError,
    PlatformRefusedError,
    BuyerNotAddressableError,
)
_JITTER = random.Random()
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Drained:
    """What one draining did: how many flows were tried, and how many ended well."""

    tried: int = 0
    processed: int = 0


@dataclass(frozen=True, slots=True)
class Processed:
    """How one flow ended: `well` or not (it failed, or another worker has it), and the flow claimed to follow it."""

    well: bool
    following: UUID | None = None


def drain_flows(context: FlowsContext, organisation_id: UUID) -> Drained:
    """Process the flows that are due, at most one batch; when the batch is full, ask for another run."""
    tried = processed = 0
    following: UUID | None = None
    while tried < context.settings.batch_size:
        flow_id = following or _claim(context, organisation_id)
        if flow_id is None:
            return Drained(tried, processed)
        tried += 1
        ended = process_flow(context, organisation_id, flow_id, tried < context.settings.batch_size)
        processed += ended.well
        following = ended.following
    with context.database.transaction(organisation_id) as session:
        enqueue(session, PROCESS_TASK)
    return Drained(tried, processed)


def process_flow(
    context: FlowsContext, organisation_id: UUID, flow_id: UUID, claims_following: bool = False
) -> Processed:
    """Process one waiting flow; the next one is claimed with it when asked for, which spares a commit."""
    with (
        structlog.contextvars.bound_contextvars(flow_id=str(flow_id)),
        PROCESSING_SECONDS.time(),
        context.database.transaction(organisation_id) as session,
    ):
        flow = hold_waiting(session, flow_id)
        following: UUID | None = None
        if flow is None:
            return Processed(False)
        try:
            data = _bytes_of(session, context, flow)  # kept even when what follows fails
            failed_before = flow.problem is not None
            if claims_following:  # once nothing waits for a platform's file, before anything waits for the ledger
                following = _claim_following(session, context, flow)
            with session.begin_nested():
                handle_flow(session, context, flow, data)
                if failed_before:
                    follow_release(session, flow.id, context.clock())
        except Exception as error:
            # Everything written for the flow is undone; what failed is written beside it.
            session.refresh(flow)
            _record_failure(session, context, flow, error)
            return Processed(False, following)
        return Processed(True, following)


def replay(session: Session, flow_id: UUID, *, context: FlowsContext) -> Flow:
    """Let a flow in quarantine be tried again from the beginning.

    Raises FlowNotFoundError, FlowNotInQuarantineError.
    """
    flow = hold(session, flow_id)
    if flow.state != FlowState.QUARANTINED.value:
        raise FlowNotInQuarantineError(str(flow_id))
    now = context.clock()
    flow.state = FlowState.RECEIVED.value
    flow.attempts = 0
    flow.next_attempt_at = now
    session.add(flow)
    append(session, at=now, kind="flow.replayed", subject=f"flow:{flow.id}", content={"source": flow.source})
    enqueue(session, PROCESS_TASK)
    return flow


def _claim(context: FlowsContext, organisation_id: UUID) -> UUID | None:
    """Count a try of the next flow due and return its identifier; None when nothing is due."""
    while True:
        with context.database.transaction(organisation_id) as session:
            flow = next_due(session, context.clock())
            if flow is None:
                return None
            if flow.attempts < context.settings.processing_attempts:
                return _count_try(session, context, flow)
            _quarantine(session, context, flow, ProcessingInterruptedError(flow.attempts))


def _claim_following(session: Session, context: FlowsContext, held: Flow) -> UUID | None:
    """The same in the transaction of the flow held; one that has no try left is for `_claim`."""
    flow = next_due(session, context.clock(), after=held.id)
    if flow is None or flow.attempts >= context.settings.processing_attempts:
        return None
    return _count_try(session, context, flow)


def _count_try(session: Session, context: FlowsContext, flow: Flow) -> UUID:
    now, limit = context.clock(), context.settings.processing_attempts
    flow.attempts += 1
    # A margin over the limit: the last try, too, needs a time after which a dead worker is noticed.
    retry = decide_retry(attempts=flow.attempts, limit=limit + 1, now=now, jitter=_JITTER)
    flow.next_attempt_at = retry.at or now
    session.add(flow)
    return flow.id


def _bytes_of(session: Session, context: FlowsContext, flow: Flow) -> bytes:
    """The flow's file; that of a flow a platform listed is fetched once."""
    if flow.document_sha256 is not None:
        return context.store.get(flow.document_sha256)
    client = context.platform(flow.platform or "", flow.organisation_id)
    data = client.download(flow.platform_flow_id or "")
    flow.document_sha256 = keep_document(session, context.store, data, media_type_of(data), context.clock())
    session.add(flow)
    return data


def _record_failure(session: Session, context: FlowsContext, flow: Flow, error: Exception) -> None:
    """Let the flow wait for its next try, or put it in quarantine."""
    known = error if isinstance(error, GatewayError) else _unexpected(error)
    if not isinstance(error, GatewayError):
        _log.exception("flow_fault")
    if isinstance(error, PlatformPausedError):
        # The platform is at fault, not the flow: it waits, and no try is counted.
        flow.attempts -= 1
        flow.next_attempt_at = error.until
        flow.problem = _problem(known)
        session.add(flow)
    elif isinstance(error, DocumentStoreError):
        # So is the store of documents: the flow comes again after the pause of this try.
        flow.attempts -= 1
        flow.problem = _problem(known)
        session.add(flow)
        _log.error("document_store_fails", code=known.code, reason=str(known))
    elif isinstance(error, _PERMANENT) or flow.attempts >= context.settings.processing_attempts:
        _quarantine(session, context, flow, known)
    else:
        if isinstance(error, PlatformUnavailableError) and error.retry_after is not None:
            flow.next_attempt_at = max(flow.next_attempt_at, context.clock() + error.retry_after)
        flow.problem = _problem(known)
        session.add(flow)
        _log.warning("flow_failed", code=known.code, attempts=flow.attempts, reason=str(known))


def _quarantine(session: Session, context: FlowsContext, flow: Flow, error: GatewayError) -> None:
    now = context.clock()
    flow.state = FlowState.QUARANTINED.value
    flow.problem = _problem(error)
    session.add(flow)
    append(
        session,
        at=now,
        kind="flow.quarantined",
        subject=f"flow:{flow.id}",
        content={"source": flow.source, "code": error.code, "attempts": flow.attempts},
        documents=[flow.document_sha256] if flow.document_sha256 else [],
    )
    waiting = QuarantinedFlow(flow.id, flow.name, error.what, error.fix, now, flow.agency_id)
    follow_quarantine(session, waiting, context.settings, now)
    QUARANTINED.labels(error.code).inc()
    _log.error("flow_quarantined", code=error.code, reason=str(error))


def _problem(error: GatewayError) -> dict[str, str]:
    return {
        "code": error.code,
        "what_fr": error.what.fr,
        "what_en": error.what.en,
        "fix_fr": error.fix.fr,
        "fix_en": error.fix.en,
        "where": error.where,
    }


def _unexpected(error: Exception) -> ProcessingError:
    name = type(error).__name__
    return ProcessingError(
        Text(f"Le traitement a échoué ({name}).", f"Processing failed ({name})."),
        Text(
            "Cherchez ce flux dans les journaux ; relancez-le une fois la cause levée.",
            "Look for this flow in the logs; replay it once the cause is gone.",
        ),
    )
