"""Take e-reporting transmissions and the portal's statuses down, in the caller's transaction."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from gateway.database.engine import organisation_of
from gateway.flows.model import Flow
from gateway.flows.reports.errors import ReportConflictError
from gateway.flows.reports.model import EReport, EReportStatus
from gateway.flows.reports.reading import TransmissionReport
from gateway.jobs.model import OutboxMessage
from gateway.kernel.identifiers import new_id
from gateway.ledger.service import append, take_turn
from gateway.lifecycle.cdar.model import CdarMessage
from gateway.lifecycle.deliveries import PLATFORM_FLOW
from gateway.lifecycle.events import StatusEvent, events_of
from gateway.lifecycle.statuses import status

#: What the statuses of transmissions speak of (`Status.object`).
_OBJECT = "e_reporting"


def register_report(session: Session, flow: Flow, report: TransmissionReport, *, now: datetime) -> bool:
    """Follow a transmission of ours; False when its file came before by another way. Raises ReportConflictError."""
    take_turn(session)
    known = session.exec(select(EReport).where(EReport.number == report.number)).one_or_none()
    if known is not None:
        same = session.get_one(Flow, known.flow_id).document_sha256 == flow.document_sha256
        if not same:
            raise ReportConflictError(report.number)
        return False
    first, last = report.period
    session.add(
        EReport(
            organisation_id=organisation_of(session),
            number=report.number,
            kind=report.kind,
            period_from=first,
            period_to=last,
            flow_id=flow.id,
            registered_at=now,
        )
    )
    session.flush()
    append(
        session,
        at=now,
        kind="e_report.registered",
        subject=f"e_report:{report.number}",
        content={"kind": report.kind, "period": list(report.period), "flow_type": report.flow_type.value},
        documents=[flow.document_sha256] if flow.document_sha256 else [],
    )
    return True


def is_about_reports(message: CdarMessage) -> bool:
    """True when each status of a message is one of an e-reporting transmission."""
    objects = {status(document.status_code).object for document in message.documents}
    return objects == {_OBJECT}


def record_statuses(session: Session, flow: Flow, message: CdarMessage, *, now: datetime) -> list[EReportStatus]:
    """Keep the statuses of a message about transmissions; those that are new. An unknown transmission is kept too."""
    take_turn(session)
    return [row for event in events_of(message, now) if (row := _record(session, flow, event, now)) is not None]


def delivery_of_report(session: Session, number: str) -> OutboxMessage | None:
    """The delivery of the transmission of that number; None when it is not known here."""
    return session.exec(
        select(OutboxMessage)
        .join(EReport, col(EReport.flow_id) == col(OutboxMessage.subject_id))
        .where(EReport.number == number, OutboxMessage.kind == PLATFORM_FLOW)
        .order_by(col(OutboxMessage.created_at).desc(), col(OutboxMessage.id))
        .limit(1)
    ).first()


def report_of_flow(session: Session, flow_id: UUID) -> EReport | None:
    """The transmission that a flow brought."""
    return session.exec(select(EReport).where(EReport.flow_id == flow_id)).one_or_none()


def statuses_of(session: Session, numbers: Sequence[str]) -> dict[str, list[EReportStatus]]:
    """The statuses of transmissions, by their dates."""
    rows = session.exec(
        select(EReportStatus)
        .where(col(EReportStatus.number).in_(numbers))
        .order_by(col(EReportStatus.status_at), col(EReportStatus.recorded_at), col(EReportStatus.id))
    )
    found: dict[str, list[EReportStatus]] = {}
    for row in rows:
        found.setdefault(row.number, []).append(row)
    return found


def _record(session: Session, flow: Flow, event: StatusEvent, now: datetime) -> EReportStatus | None:
    reasons = [
        {"code": each.reason_code, "comment": " ".join(note.content for note in each.notes if note.content)}
        for each in event.own_details
        if each.reason_code or each.notes
    ]
    row = EReportStatus(
        id=new_id(),
        organisation_id=organisation_of(session),
        fingerprint=event.fingerprint,
        number=event.key.number,
        status=event.code,
        status_at=event.status_at,
        recorded_at=now,
        issuer_name=event.issuer_name,
        reasons=reasons,
        document_sha256=flow.document_sha256,
        flow_id=flow.id,
    )
    added = insert(EReportStatus).values(row.model_dump()).on_conflict_do_nothing().returning(col(EReportStatus.id))
    if session.execute(added).first() is None:
        return None
    append(
        session,
        at=now,
        kind="e_report.status",
        subject=f"e_report:{row.number}",
        content={"status": row.status, "status_at": row.status_at.isoformat(), "reasons": reasons},
        documents=[row.document_sha256] if row.document_sha256 else [],
    )
    return row
