"""Search the flows of an organisation, as fast for a kind of flow that is rare as for one that is common.

A kind of flow is what the criteria with few values tell apart: type, processing rule, direction, acknowledgement. There
are some dozens of kinds. An index holds the flows of each kind in the order of a search: the kinds that fit give their
first flows each, and the first of these are the page, wherever they lie among the others.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, union_all
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from gateway.database.paging import Page, SortKey, after_cursor, fetch_page
from gateway.database.searching import held_values
from gateway.flows.model import Flow

_BY_UPDATE = (SortKey(col(Flow.updated_at), datetime.fromisoformat), SortKey(col(Flow.id), UUID))


@dataclass(frozen=True, slots=True)
class FlowCriteria:
    """What a search asks: every criterion given must hold, one value of each list is enough."""

    updated_after: datetime | None = None
    updated_before: datetime | None = None
    processing_rules: Sequence[str] = ()
    flow_types: Sequence[str] = ()
    directions: Sequence[str] = ()
    tracking_id: str | None = None
    ack_status: str | None = None

    @property
    def is_of_kind(self) -> bool:
        """True when a criterion tells kinds of flows apart."""
        return bool(self.processing_rules or self.flow_types or self.directions or self.ack_status)

    def fits(self, kind: str) -> bool:
        """Whether the flows of a kind (`Flow.kind`) hold every criterion that tells kinds apart."""
        flow_type, rule, direction, ack_status = kind.rsplit("/", 3)
        return (
            (not self.flow_types or flow_type in self.flow_types)
            and (not self.processing_rules or rule in self.processing_rules)
            and (not self.directions or direction in self.directions)
            and self.ack_status in (None, ack_status)
        )


def search_flows(session: Session, criteria: FlowCriteria, *, cursor: str | None = None, limit: int = 25) -> Page[Flow]:
    """Flows in the order (updated_at, id). Raises InvalidCursorError.

    The identifier settles flows that share one updated_at, so that no page edge loses or repeats one.
    """
    kinds = [kind for kind in kinds_held(session) if criteria.fits(kind)] if criteria.is_of_kind else None
    return fetch_page(session, flows_wanted(criteria, kinds, cursor, limit), _BY_UPDATE, cursor=cursor, limit=limit)


def kinds_held(session: Session) -> list[str]:
    """The kinds of flows that the organisation has."""
    return held_values(session, Flow.kind)


def flows_wanted(
    criteria: FlowCriteria, kinds: Sequence[str] | None, cursor: str | None, limit: int
) -> SelectOfScalar[Flow]:
    """The flows that hold the criteria, at least the first `limit` of them and one more after `cursor`.

    `kinds`: those that fit; None when any does.
    """
    conditions = list(_conditions(criteria))
    if kinds is None:
        return select(Flow).where(*conditions)
    if criteria.tracking_id is not None:  # names a flow or two by itself
        return select(Flow).where(*conditions, col(Flow.kind).in_(kinds))
    if cursor is not None:
        conditions.append(after_cursor(_BY_UPDATE, cursor))
    if not kinds:
        return select(Flow).where(*conditions, col(Flow.kind).in_(()))
    order = [key.expression for key in _BY_UPDATE]
    firsts = union_all(
        *(
            select(Flow.id, Flow.updated_at).where(Flow.kind == kind, *conditions).order_by(*order).limit(limit + 1)
            for kind in kinds
        )
    ).subquery()
    first = select(firsts.c.id).order_by(firsts.c.updated_at, firsts.c.id).limit(limit + 1)
    return select(Flow).where(col(Flow.id).in_(first))


def _conditions(criteria: FlowCriteria) -> Iterator[ColumnElement[bool]]:
    if criteria.updated_after is not None:
        yield col(Flow.updated_at) > criteria.updated_after
    if criteria.updated_before is not None:
        yield col(Flow.updated_at) < criteria.updated_before
    if criteria.tracking_id is not None:
        yield col(Flow.tracking_id) == criteria.tracking_id
