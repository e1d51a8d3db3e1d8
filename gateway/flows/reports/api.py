"""`/api/v1/reports`: the e-reporting transmissions, how each was handed over, what the public portal answered."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field
from sqlmodel import Session, col, select

from gateway.access.principal import Principal
from gateway.database.engine import Database
from gateway.database.paging import LONGEST_PAGE, SortKey, fetch_page
from gateway.flows.model import Flow
from gateway.flows.reports.errors import ReportNotFoundError
from gateway.flows.reports.model import EReport, EReportStatus
from gateway.flows.reports.service import statuses_of
from gateway.jobs.model import OutboxMessage
from gateway.jobs.tries import tries_of
from gateway.kernel.clock import Clock, paris_date
from gateway.kernel.problems import problems
from gateway.lifecycle.deliveries import PLATFORM_FLOW, Delivery, build_deliveries
from gateway.lifecycle.errors import LimitedViewError
from gateway.lifecycle.labels import Labelled, labelled_status

_NEWEST_FIRST = (SortKey(col(EReport.registered_at), datetime.fromisoformat), SortKey(col(EReport.id), UUID))


class ReportReason(BaseModel):
    """Why a transmission was refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str = Field(description="MDT-113")
    comment: str = Field(description="MDT-126")


class ReportStatusView(BaseModel):
    """A status of a transmission."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    status: Labelled
    at: datetime = Field(description="MDT-78")
    recorded_at: datetime
    issuer_name: str = Field(description="MDT-39")
    reasons: tuple[ReportReason, ...]


class ReportView(BaseModel):
    """An e-reporting transmission on its own line: handed over, acknowledged, answered."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: UUID
    number: str = Field(description="TT-1")
    kind: str = Field(description="TT-4: IN initial, RE replacing")
    period_from: str = Field(description="First day reported, YYYYMMDD")
    period_to: str = Field(description="Last day reported, YYYYMMDD")
    flow_id: UUID
    flow_type: str
    processing_rule: str
    tracking_id: str | None
    registered_at: datetime
    deliveries: tuple[Delivery, ...] = Field(description="Attempts to hand it over, with the platform’s answer")
    statuses: tuple[ReportStatusView, ...] = Field(description="What the public portal said, by date")


class ReportPage(BaseModel):
    """Some transmissions, the newest first."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reports: tuple[ReportView, ...]
    next_cursor: str | None = Field(description="Give it back as `cursor` for the next page; null on the last one")


@dataclass(frozen=True, slots=True)
class ReportsApiContext:
    """What the routes need; `authenticate` is a FastAPI dependency that says who calls or raises a GatewayError."""

    database: Database
    clock: Clock
    authenticate: Callable[..., Any]


def router(context: ReportsApiContext) -> APIRouter:
    """The routes; their errors are GatewayErrors, which the assembly says as problem details."""
    routes = APIRouter(prefix="/api/v1/reports", tags=["E-reporting"], responses=problems(401, 403, 404, 422))
    caller = Annotated[Principal, Depends(context.authenticate)]

    @routes.get("", summary="E-reporting transmissions, the newest first")
    def reports(
        principal: caller,
        cursor: Annotated[str | None, Query(max_length=500, description="`next_cursor` of the page before.")] = None,
        limit: Annotated[int, Query(ge=1, le=LONGEST_PAGE)] = 50,
    ) -> ReportPage:
        _require_everything(principal)
        with context.database.transaction(principal.organisation_id) as session:
            page = fetch_page(session, select(EReport), _NEWEST_FIRST, cursor=cursor, limit=limit, descending=True)
            return ReportPage(reports=_views(session, page.items, context.clock()), next_cursor=page.next_cursor)

    @routes.get("/{report_id}", summary="An e-reporting transmission and where it stands")
    def report(principal: caller, report_id: UUID) -> ReportView:
        _require_everything(principal)
        with context.database.transaction(principal.organisation_id) as session:
            found = session.get(EReport, report_id)
            if found is None:
                raise ReportNotFoundError(report_id)
            return _views(session, [found], context.clock())[0]

    return routes


def _require_everything(principal: Principal) -> None:
    """Raises LimitedViewError: a transmission adds up what every agency did."""
    if not principal.scope.is_everything:
        raise LimitedViewError


def _views(session: Session, reports: Sequence[EReport], now: datetime) -> tuple[ReportView, ...]:
    wanted = [report.flow_id for report in reports]
    flows = {flow.id: flow for flow in session.exec(select(Flow).where(col(Flow.id).in_(wanted)))}
    messages = session.exec(
        select(OutboxMessage)
        .where(OutboxMessage.kind == PLATFORM_FLOW, col(OutboxMessage.subject_id).in_(wanted))
        .order_by(col(OutboxMessage.created_at), col(OutboxMessage.idempotency_key))
    ).all()
    tries = tries_of(session, [message.id for message in messages])
    statuses = statuses_of(session, [report.number for report in reports])
    return tuple(
        ReportView(
            **report.model_dump(include=set(ReportView.model_fields)),
            flow_type=flows[report.flow_id].flow_type or "",
            processing_rule=flows[report.flow_id].processing_rule or "",
            tracking_id=flows[report.flow_id].tracking_id,
            deliveries=build_deliveries(
                [message for message in messages if message.subject_id == report.flow_id], (), now, tries
            ).transmission,
            statuses=tuple(map(_status, statuses.get(report.number, ()))),
        )
        for report in reports
    )


def _status(row: EReportStatus) -> ReportStatusView:
    return ReportStatusView(
        status=labelled_status(row.status, paris_date(row.status_at)),
        at=row.status_at,
        recorded_at=row.recorded_at,
        issuer_name=row.issuer_name,
        reasons=tuple(ReportReason(**each) for each in row.reasons),
    )
