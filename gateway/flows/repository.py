"""Queries on flows. Row-level security keeps organisations apart."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, or_
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from gateway.database.engine import organisation_of
from gateway.flows.errors import FlowNotFoundError
from gateway.flows.model import Flow, FlowState, PlatformCursor
from gateway.ledger.service import take_turn

_SMALLEST_STEP = timedelta(microseconds=1)


def flow_by_id(session: Session, flow_id: UUID) -> Flow:
    """The flow. Raises FlowNotFoundError."""
    flow = session.get(Flow, flow_id)
    if flow is None:
        raise FlowNotFoundError(str(flow_id))
    return flow


def flow_by_tracking_id(session: Session, source: str, tracking_id: str) -> Flow | None:
    """The flow that a source submitted under that tracking id."""
    return session.exec(select(Flow).where(Flow.source == source, Flow.tracking_id == tracking_id)).one_or_none()


def flows_like(session: Session, source: str, tracking_id: str | None, sha256: str) -> Sequence[Flow]:
    """The flows that a source submitted under that tracking id, or by which it pushed those bytes: two at most."""
    same = col(Flow.document_sha256) == sha256
    if tracking_id is not None:
        same = or_(same, col(Flow.tracking_id) == tracking_id)
    return session.exec(select(Flow).where(Flow.source == source, same)).all()


def known_at_platform(session: Session, source: str, flow_ids: Sequence[str]) -> set[str]:
    """Those of a platform's identifiers that are recorded."""
    query = select(Flow.platform_flow_id).where(Flow.source == source, col(Flow.platform_flow_id).in_(flow_ids))
    return {flow_id for flow_id in session.exec(query) if flow_id is not None}


def next_due(session: Session, now: datetime, limit: int) -> Sequence[Flow]:
    """The flows that have waited longest, locked; those that other workers hold are passed over."""
    return session.exec(
        select(Flow)
        .where(Flow.state == FlowState.RECEIVED.value, Flow.next_attempt_at <= now)
        .order_by(col(Flow.next_attempt_at), col(Flow.submitted_at), col(Flow.id))
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()


def hold_waiting(session: Session, flow_ids: Sequence[UUID]) -> list[Flow]:
    """Those of the flows, locked and in that order, that still wait and that nobody else holds."""
    held = session.exec(
        select(Flow)
        .where(col(Flow.id).in_(flow_ids), Flow.state == FlowState.RECEIVED.value)
        .with_for_update(skip_locked=True)
    ).all()
    return sorted(held, key=lambda flow: flow_ids.index(flow.id))


def hold(session: Session, flow_id: UUID) -> Flow:
    """That flow, locked. Raises FlowNotFoundError."""
    flow = session.exec(select(Flow).where(Flow.id == flow_id).with_for_update()).one_or_none()
    if flow is None:
        raise FlowNotFoundError(str(flow_id))
    return flow


def quarantined_flows(session: Session, *, limit: int = 100) -> Sequence[Flow]:
    """The flows in quarantine, the newest first."""
    return session.exec(
        select(Flow)
        .where(Flow.state == FlowState.QUARANTINED.value)
        .order_by(col(Flow.updated_at).desc(), col(Flow.id))
        .limit(limit)
    ).all()


def count_by_state(session: Session) -> dict[str, int]:
    """How many flows stand in each state."""
    return dict(session.exec(select(Flow.state, func.count()).group_by(Flow.state)).all())


def next_update(session: Session, now: datetime) -> datetime:
    """The `updated_at` of a change that is about to be written: later than every other one of the organisation.

    Writers take their turn and keep it until they commit, so that updates show in the order of `updated_at`: a client
    that asks for what is newer than the newest it has seen misses nothing, however long a transaction took and
    whatever the clocks of several machines say.
    """
    return next_updates(session, now, 1)[0]


def next_updates(session: Session, now: datetime, count: int) -> list[datetime]:
    """The same for several changes, in their order."""
    take_turn(session)
    newest = session.exec(
        select(Flow.updated_at)
        .where(Flow.organisation_id == organisation_of(session))
        .order_by(col(Flow.updated_at).desc())
        .limit(1)
    ).first()
    first = now if newest is None else max(now, newest + _SMALLEST_STEP)
    return [first + place * _SMALLEST_STEP for place in range(count)]


def read_until(session: Session, platform: str) -> datetime | None:
    """The newest updatedAt that the platform has listed to us; None before the first reading."""
    cursor = session.get(PlatformCursor, (organisation_of(session), platform))
    return cursor.updated_after if cursor else None


def move_cursor(session: Session, platform: str, updated_after: datetime | None, now: datetime) -> None:
    """Remember how far the platform was read; the mark never goes back."""
    mark = insert(PlatformCursor).values(
        organisation_id=organisation_of(session), platform=platform, updated_after=updated_after, read_at=now
    )
    session.execute(
        mark.on_conflict_do_update(
            index_elements=["organisation_id", "platform"],
            # greatest() passes over nulls.
            set_={
                "updated_after": func.greatest(PlatformCursor.updated_after, mark.excluded.updated_after),
                "read_at": mark.excluded.read_at,
            },
        )
    )
