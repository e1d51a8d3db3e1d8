"""Hear a call of a platform: proven, not a replay, then the flow it names is read at the platform and recorded.

What a call tells is not believed: it only names a flow. Its platform is asked for it under our own credentials, and the
flow is recorded as one of the platform's list would be. A call that is not heard loses nothing: the list is read too.
"""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from gateway.database.engine import Database
from gateway.flows.context import FlowsContext
from gateway.flows.errors import PlatformError
from gateway.flows.hearing.errors import (
    CallNotSettledError,
    CallSwitchedOffError,
    FlowNotReadError,
    MalformedCallError,
    PlatformCallError,
    ReplayedCallError,
    UnprovenCallError,
)
from gateway.flows.hearing.recording import record_heard
from gateway.flows.hearing.repository import (
    Subscriber,
    forget_calls,
    keep_subscribed,
    mark_heard,
    subscriber_of,
    was_heard,
)
from gateway.flows.metrics import CALLS, RECEIVED
from gateway.flows.model import PLATFORM_SOURCE
from gateway.flows.signatures import fingerprint_of, is_signed
from gateway.kernel.clock import Clock
from gateway.kernel.settings import Settings
from gateway.kernel.text import Text

#: Longest identifier of a flow in the standard.
_LONGEST_ID = 64
_NOBODY = "unknown"
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Call:
    """A call as it came: the bytes of its body, and its headers Afnor-Signature and Afnor-Signature-Timestamp."""

    body: bytes
    signature: str
    timestamp: str


def hear_call(context: FlowsContext, subscription: str, call: Call) -> None:
    """Record the flow that a call names; everything is committed when this returns.

    `subscription`: the last part of the address called. Raises a PlatformCallError.
    """
    platform = _NOBODY
    try:
        subscription_id, subscriber = _proven(context, subscription, call)
        platform = subscriber.platform
        _hear(context, subscription_id, subscriber, call)
    except PlatformCallError as error:
        CALLS.labels(platform, error.code).inc()
        raise
    CALLS.labels(platform, "heard").inc()


def _proven(context: FlowsContext, subscription: str, call: Call) -> tuple[UUID, Subscriber]:
    """Who is called. A subscription that nobody has and a wrong signature look the same from outside."""
    try:
        subscription_id = UUID(subscription)
    except ValueError as error:
        raise UnprovenCallError from error
    with context.database.system_transaction() as session:
        subscriber = subscriber_of(session, subscription_id)
    signed = is_signed(
        call.body,
        subscriber.key if subscriber else b"",
        signature=call.signature,
        timestamp=call.timestamp,
        now=context.clock(),
        tolerance=timedelta(seconds=context.settings.platform_call_tolerance_seconds),
    )
    if subscriber is None or not signed:
        raise UnprovenCallError
    return subscription_id, subscriber


def _hear(context: FlowsContext, subscription_id: UUID, subscriber: Subscriber, call: Call) -> None:
    if not subscriber.is_active:
        raise CallSwitchedOffError(subscriber.platform)
    organisation_id, platform = subscriber.organisation_id, subscriber.platform
    fingerprint = fingerprint_of(call.body, call.timestamp)
    with context.database.transaction(organisation_id) as session:
        if was_heard(session, subscription_id, fingerprint):
            raise ReplayedCallError
    flow_id = _flow_named(call.body)
    try:
        flow = context.platform(platform, organisation_id).read(flow_id)
    except PlatformError as error:
        _log.warning("called_flow_not_read", platform=platform, flow_id=flow_id, code=error.code, reason=str(error))
        raise FlowNotReadError from error
    with context.database.transaction(organisation_id) as session:
        if not keep_subscribed(session, subscription_id):  # it ended meanwhile
            raise UnprovenCallError
        # The mark goes with what it stands for: a call that fails from here on may be repeated.
        if not mark_heard(session, subscription_id, fingerprint, context.clock()):
            raise ReplayedCallError
        heard = record_heard(session, platform, (flow,), context)
        if heard.unsettled is not None:
            raise CallNotSettledError
    RECEIVED.labels(PLATFORM_SOURCE + platform).inc(heard.new)


def _flow_named(body: bytes) -> str:
    """The flowId of the Flow in a call. Raises MalformedCallError."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise MalformedCallError(Text("Le corps n’est pas du JSON.", "The body is not JSON.")) from error
    flow_id = told.get("flowId") if isinstance(told, dict) else None
    if not isinstance(flow_id, str) or not 0 < len(flow_id) <= _LONGEST_ID or not flow_id.isprintable():
        raise MalformedCallError(Text("Le corps ne nomme aucun flux.", "The body names no flow."))
    return flow_id


def forget_old_calls(database: Database, clock: Clock, settings: Settings) -> None:
    """Forget the calls that could not be replayed any more: their time is out of tolerance, however fast its clock."""
    before: datetime = clock() - 2 * timedelta(seconds=settings.platform_call_tolerance_seconds)
    with database.system_transaction() as session:
        forget_calls(session, before)
