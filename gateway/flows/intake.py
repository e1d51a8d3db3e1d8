"""Take a pushed file in: document, flow, ledger entry and job in the caller's one transaction.

When that transaction is committed nothing can lose the file any more; only then may 202 be answered.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from gateway.database.engine import organisation_of
from gateway.flows.errors import ChecksumMismatchError, TrackingIdReusedError
from gateway.flows.metrics import RECEIVED
from gateway.flows.model import Flow, FlowState
from gateway.flows.repository import flows_like, next_update
from gateway.flows.terms import AckStatus, ProcessingRule, RuleSource
from gateway.jobs.queue import enqueue
from gateway.ledger.documents import DocumentStore, keep_document
from gateway.ledger.service import append

#: Name of the job that drains the flows waiting.
PROCESS_TASK = "flows.process"


@dataclass(frozen=True, slots=True)
class Submission:
    """A file as pushed to us, with what its sender says of it.

    Attributes:
        data: the bytes.
        name: file name.
        source: who pushes, see `Flow.source`.
        tracking_id: the sender's own identifier: unique for its source.
        flow_syntax, flow_profile, processing_rule: as declared, in the words of XP Z12-013; never trusted for reading.
        sha256: of the bytes, lower-case hexadecimal, to be checked; None when the sender gave none.
        request_id: Request-Id of the call, to follow it in the logs.
    """

    data: bytes
    name: str
    source: str
    tracking_id: str | None = None
    flow_syntax: str | None = None
    flow_profile: str | None = None
    processing_rule: str | None = None
    sha256: str | None = None
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """The flow that holds the file; `already_known` when it was there before this submission."""

    flow: Flow
    already_known: bool


def accept_flow(session: Session, store: DocumentStore, submission: Submission, *, now: datetime) -> Accepted:
    """Store a pushed file once.

    The same bytes from the same source are the same flow, whatever their name and tracking id; one that was refused is
    judged anew, unless the call repeats its tracking id. Raises ChecksumMismatchError, and TrackingIdReusedError when
    the tracking id came with other bytes before.
    """
    sha256 = hashlib.sha256(submission.data).hexdigest()
    if submission.sha256 is not None and submission.sha256 != sha256:
        raise ChecksumMismatchError(submission.sha256, sha256)
    known = _known(session, submission, sha256)
    if known is not None:
        return Accepted(_pushed_again(session, known, submission, now), already_known=True)
    keep_document(session, store, submission.data, media_type_of(submission.data), now)
    submitted_at = next_update(session, now)
    # Of two submissions at once the second has waited for its turn, and finds the flow of the first here. It must not
    # try to write it: a worker that processes that flow holds its row and waits for the turn.
    known = _known(session, submission, sha256)
    if known is not None:
        return Accepted(known, already_known=True)
    flow = Flow(
        organisation_id=organisation_of(session),
        source=submission.source,
        name=submission.name,
        tracking_id=submission.tracking_id,
        document_sha256=sha256,
        request_id=submission.request_id,
        next_attempt_at=now,
        submitted_at=submitted_at,
        updated_at=submitted_at,
    )
    _declare(flow, submission)
    session.add(flow)
    session.flush()
    append(
        session,
        at=now,
        kind="flow.received",
        subject=f"flow:{flow.id}",
        content={"source": flow.source, "name": flow.name, "tracking_id": flow.tracking_id},
        documents=[sha256],
    )
    enqueue(session, PROCESS_TASK)
    RECEIVED.labels(flow.way).inc()
    return Accepted(flow, already_known=False)


def _known(session: Session, submission: Submission, sha256: str) -> Flow | None:
    flows = flows_like(session, submission.source, submission.tracking_id, sha256)
    for flow in flows:
        if submission.tracking_id is not None and flow.tracking_id == submission.tracking_id:
            if flow.document_sha256 != sha256:
                raise TrackingIdReusedError(submission.tracking_id, str(flow.id))
            return flow
    return next(iter(flows), None)


def _pushed_again(session: Session, flow: Flow, submission: Submission, now: datetime) -> Flow:
    """A flow that came without a tracking id takes the one it comes with now: its sender will search by it.

    One that was refused is judged anew: the cause may have lain here (organisation, rules, settings). A call that
    repeats its tracking id asks for the same answer only. No turn is held yet: a worker that has the row may be waited
    for.
    """
    is_repeat = submission.tracking_id is not None and flow.tracking_id == submission.tracking_id
    is_unnamed = submission.tracking_id is not None and flow.tracking_id is None
    if is_repeat or not (is_unnamed or flow.ack_status == AckStatus.ERROR.value):
        return flow
    session.refresh(flow, with_for_update=True)
    flow.tracking_id = flow.tracking_id or submission.tracking_id
    if flow.ack_status == AckStatus.ERROR.value:
        _judge_anew(session, flow, submission, now)
    session.add(flow)
    return flow


def _judge_anew(session: Session, flow: Flow, submission: Submission, now: datetime) -> None:
    """Let a refused flow, held, wait like one that has just come, under what its sender declares now."""
    flow.updated_at = next_update(session, now)
    flow.state, flow.attempts, flow.next_attempt_at = FlowState.RECEIVED.value, 0, now
    flow.ack_status, flow.ack_details, flow.report = AckStatus.PENDING.value, [], None
    flow.flow_type = flow.agency_id = flow.told_at = None
    flow.name, flow.request_id = submission.name, submission.request_id
    _declare(flow, submission)
    content = {"source": flow.source, "name": flow.name, "tracking_id": submission.tracking_id}
    append(session, at=now, kind="flow.received_again", subject=f"flow:{flow.id}", content=content)
    enqueue(session, PROCESS_TASK)


def _declare(flow: Flow, submission: Submission) -> None:
    """Note what the sender declares of the file."""
    declared = None if submission.processing_rule == ProcessingRule.UNDEFINED else submission.processing_rule
    flow.flow_syntax, flow.flow_profile = submission.flow_syntax, submission.flow_profile
    flow.processing_rule = declared
    flow.processing_rule_source = (RuleSource.INPUT if declared else RuleSource.COMPUTED).value


def media_type_of(data: bytes) -> str:
    """The media type under which a document is kept, from its first bytes."""
    return "application/pdf" if data.lstrip()[:5] == b"%PDF-" else "application/xml"
