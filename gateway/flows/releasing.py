"""Let an invoice that was held go by itself, once the directory would route it (`preflight = hold`)."""

from datetime import UTC, datetime, time, timedelta
from uuid import UUID

import structlog
from sqlmodel import Session, col, select

from gateway.flows.context import FlowsContext
from gateway.flows.directory.checking import AddressCheck
from gateway.flows.directory.errors import BuyerNotAddressableError
from gateway.flows.errors import FlowNotInQuarantineError
from gateway.flows.model import Flow, FlowState
from gateway.flows.processing import replay
from gateway.kernel.clock import PARIS

#: Held invoices looked at in one go; the next go takes the next ones.
_BATCH = 100
_log = structlog.get_logger(__name__)


def release_addressable(context: FlowsContext, organisation_id: UUID) -> int:
    """Ask the directory anew about the invoices held whose time has come; how many go on.

    Each is asked about every `preflight_recheck_seconds`, and on the first day of an address to come.
    """
    if context.directory is None:
        return 0
    with context.database.transaction(organisation_id) as session:
        held = {flow.id: address_held(flow) for flow in _due(session, context.clock())}
    released = 0
    for flow_id, address in held.items():
        check = context.directory.check(organisation_id, address)  # no transaction waits for the directory
        with context.database.transaction(organisation_id) as session:
            if check.is_addressable:
                released += _release(session, context, flow_id)
            else:
                _wait(session, flow_id, next_look(check, context.clock(), context.settings.preflight_recheck_seconds))
    return released


def next_look(check: AddressCheck, now: datetime, pause_seconds: float) -> datetime:
    """When to ask about an address again: after the pause, or when the day comes on which it opens. Pure."""
    later = now + timedelta(seconds=pause_seconds)
    if check.effective_from is None:
        return later
    opens = datetime.combine(check.effective_from, time.min, PARIS).astimezone(UTC)
    return min(later, opens) if opens > now else later


def is_held(flow: Flow) -> bool:
    """True for an invoice that waits for its buyer's address."""
    return flow.state == FlowState.QUARANTINED and (flow.problem or {}).get("code") == BuyerNotAddressableError.code


def address_held(flow: Flow) -> str:
    """The address (BT-49) that a flow held waits for."""
    return str((flow.problem or {}).get("where", "")).removeprefix("BT-49").strip()


def _due(session: Session, now: datetime) -> list[Flow]:
    query = (
        select(Flow)
        .where(Flow.state == FlowState.QUARANTINED.value, Flow.next_attempt_at <= now)
        .where(col(Flow.problem).contains({"code": BuyerNotAddressableError.code}))
        .order_by(col(Flow.next_attempt_at), col(Flow.id))
        .limit(_BATCH)
    )
    return list(session.exec(query))


def _release(session: Session, context: FlowsContext, flow_id: UUID) -> int:
    try:
        replay(session, flow_id, context=context)
    except FlowNotInQuarantineError:  # a person was quicker
        return 0
    _log.info("held_flow_released", flow_id=str(flow_id))
    return 1


def _wait(session: Session, flow_id: UUID, until: datetime) -> None:
    flow = session.exec(select(Flow).where(Flow.id == flow_id).with_for_update(skip_locked=True)).one_or_none()
    if flow is not None and flow.state == FlowState.QUARANTINED.value:
        flow.next_attempt_at = until
        session.add(flow)
