"""Drain the flows of one organisation, some together: a bad one is tried again, then quarantined, and stops no other.

A try is counted before it is made, in a transaction before its own: a flow that kills its worker is counted too, and
its next try is due later, so that it does not come first again. From its second try on a flow is alone, so that one
that fails or kills costs no other a second try. The work itself is one transaction that holds the rows of its flows:
their files are read first, and only then is the turn on the ledger taken to write what they say. `kill -9` anywhere
leaves either all of it or nothing.
"""

import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from uuid import UUID

import structlog
from sqlmodel import Session

from gateway.alerts.quarantined_flows import QuarantinedFlow
from gateway.flows.announcing import announce_quarantine
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
from gateway.flows.handling import write_flows
from gateway.flows.intake import PROCESS_TASK, media_type_of
from gateway.flows.metrics import PROCESSING_SECONDS, QUARANTINED
from gateway.flows.model import Flow, FlowState
from gateway.flows.platforms.errors import PlatformPausedError
from gateway.flows.reading import FlowReader, ReadFlow
from gateway.flows.repository import hold, hold_waiting, next_due, next_update
from gateway.invoices.errors import UnreadableInvoiceError
from gateway.jobs.queue import enqueue
from gateway.jobs.retrying import decide_retry
from gateway.kernel.errors import GatewayError
from gateway.kernel.text import Text
from gateway.ledger.documents import keep_documents
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
#: Flows of one transaction: they share its cost, and other writers of the organisation wait while they are written.
_TOGETHER = 16
#: What is left after so long a reading, or beyond so many bytes fetched, goes to the next transaction.
_LONG_SECONDS = 1.0
_MANY_BYTES = 16 * 2**20
#: A platform is asked for so many files at a time.
_FETCHED_AT_ONCE = 4
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Drained:
    """What one draining did: how many flows were tried, and how many ended well."""

    tried: int = 0
    processed: int = 0


@dataclass(frozen=True, slots=True)
class _Failed:
    """A flow whose file could not be read. It is written once nothing is left to be read: that may take the turn."""

    flow: Flow
    error: Exception


def drain_flows(context: FlowsContext, organisation_id: UUID) -> Drained:
    """Process the flows that are due, at most one batch; when the batch is full, ask for another run."""
    tried = processed = 0
    while tried < context.settings.batch_size:
        claimed = _claim(context, organisation_id, min(_TOGETHER, context.settings.batch_size - tried))
        if not claimed:
            return Drained(tried, processed)
        tried += len(claimed)
        processed += process_flows(context, organisation_id, claimed)
    with context.database.transaction(organisation_id) as session:
        enqueue(session, PROCESS_TASK)
    return Drained(tried, processed)


def process_flows(context: FlowsContext, organisation_id: UUID, flow_ids: Sequence[UUID]) -> int:
    """Process waiting flows, and say how many ended well; those that another worker holds are passed over."""
    left, well = list(flow_ids), 0
    while left:
        started = perf_counter()
        with context.database.transaction(organisation_id) as session:
            flows = hold_waiting(session, left)
            reads = _read(session, context, flows)
            well += _write(session, context, [read for read in reads if isinstance(read, ReadFlow)])
            for read in reads:
                if isinstance(read, _Failed):
                    with structlog.contextvars.bound_contextvars(flow_id=str(read.flow.id)):
                        _record_failure(session, context, read.flow, read.error)
        left = [flow.id for flow in flows[len(reads) :]]
        for _ in reads:
            PROCESSING_SECONDS.observe((perf_counter() - started) / len(reads))
    return well


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
    flow.updated_at = next_update(session, now)
    session.add(flow)
    append(session, at=now, kind="flow.replayed", subject=f"flow:{flow.id}", content={"source": flow.source})
    enqueue(session, PROCESS_TASK)
    return flow


def _claim(context: FlowsContext, organisation_id: UUID, limit: int) -> list[UUID]:
    """Count a try of the flows due next, at most `limit`, and return their identifiers; none when nothing is due."""
    while True:
        with context.database.transaction(organisation_id) as session:
            due = next_due(session, context.clock(), limit)
            if not due:
                return []
            first = due[0]
            if first.attempts == 0:
                return [_count_try(session, context, flow) for flow in due if flow.attempts == 0]
            if first.attempts < context.settings.processing_attempts:
                return [_count_try(session, context, first)]
            _quarantine(session, context, first, ProcessingInterruptedError(first.attempts))


def _count_try(session: Session, context: FlowsContext, flow: Flow) -> UUID:
    now, limit = context.clock(), context.settings.processing_attempts
    flow.attempts += 1
    # A margin over the limit: the last try, too, needs a time after which a dead worker is noticed.
    retry = decide_retry(attempts=flow.attempts, limit=limit + 1, now=now, jitter=_JITTER)
    flow.next_attempt_at = retry.at or now
    session.add(flow)
    return flow.id


def _read(session: Session, context: FlowsContext, flows: Sequence[Flow]) -> list[ReadFlow | _Failed]:
    """Read the files of flows held, in their order. When it takes long, the last ones are left for later."""
    fetched, started = _fetch(session, context, flows), perf_counter()
    reader, reads = FlowReader(session, context), list[ReadFlow | _Failed]()
    for flow in flows:
        is_fetched = flow.id in fetched or flow.document_sha256 is not None
        if reads and (not is_fetched or perf_counter() - started > _LONG_SECONDS):
            break
        with structlog.contextvars.bound_contextvars(flow_id=str(flow.id)):
            try:
                reads.append(reader.read(flow, _bytes_of(context, flow, fetched.get(flow.id))))
            except Exception as error:
                reads.append(_Failed(flow, error))
    return reads


def _fetch(session: Session, context: FlowsContext, flows: Sequence[Flow]) -> dict[UUID, bytes | Exception]:
    """Fetch the files of flows that a platform listed, once: they are kept even when what follows fails.

    When they are large, the last ones are left for later.
    """
    fetched, files = dict[UUID, bytes | Exception](), list[tuple[Flow, bytes]]()
    absent = [flow for flow in flows if flow.document_sha256 is None]
    with ThreadPoolExecutor(_FETCHED_AT_ONCE) as threads:
        for start in range(0, len(absent), _FETCHED_AT_ONCE):
            some = absent[start : start + _FETCHED_AT_ONCE]
            for flow, got in zip(some, threads.map(partial(_download, context), some), strict=True):
                if isinstance(got, Exception):
                    fetched[flow.id] = got
                else:
                    files.append((flow, got))
            if sum(len(data) for _, data in files) > _MANY_BYTES:
                break
    try:
        kept = [(data, media_type_of(data)) for _, data in files]
        names = keep_documents(session, context.store, kept, context.clock())
    except DocumentStoreError as error:
        return fetched | {flow.id: error for flow, _ in files}
    for (flow, data), sha256 in zip(files, names, strict=True):
        fetched[flow.id], flow.document_sha256 = data, sha256
        session.add(flow)
    return fetched


def _download(context: FlowsContext, flow: Flow) -> bytes | Exception:
    try:
        return context.platform(flow.platform or "", flow.organisation_id).download(flow.platform_flow_id or "")
    except Exception as error:
        return error


def _bytes_of(context: FlowsContext, flow: Flow, fetched: bytes | Exception | None) -> bytes:
    if isinstance(fetched, Exception):
        raise fetched
    return context.store.get(flow.document_sha256 or "") if fetched is None else fetched


def _write(session: Session, context: FlowsContext, reads: Sequence[ReadFlow]) -> int:
    """Bring flows to their end together; each alone when one of them fails. How many ended well."""
    if len(reads) > 1:
        try:
            with session.begin_nested():
                _write_together(session, context, reads)
        except Exception as error:
            _log.info("flows_written_alone", flows=len(reads), reason=f"{type(error).__name__}: {error}")
        else:
            return len(reads)
    return sum(_write_alone(session, context, read) for read in reads)


def _write_alone(session: Session, context: FlowsContext, read: ReadFlow) -> bool:
    with structlog.contextvars.bound_contextvars(flow_id=str(read.flow.id)):
        try:
            with session.begin_nested():
                _write_together(session, context, [read])
        except Exception as error:
            # Everything written for the flow is undone; what failed is written beside it.
            session.refresh(read.flow)
            _record_failure(session, context, read.flow, error)
            return False
        return True


def _write_together(session: Session, context: FlowsContext, reads: Sequence[ReadFlow]) -> None:
    failed_before = [read.flow.id for read in reads if read.flow.problem is not None]
    write_flows(session, context, reads)
    for flow_id in failed_before:
        follow_release(session, flow_id, context.clock())


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
    flow.updated_at = next_update(session, now)
    session.add(flow)
    append(
        session,
        at=now,
        kind="flow.quarantined",
        subject=f"flow:{flow.id}",
        content={"source": flow.source, "code": error.code, "attempts": flow.attempts},
        documents=[flow.document_sha256] if flow.document_sha256 else [],
    )
    announce_quarantine(session, flow, now)
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
