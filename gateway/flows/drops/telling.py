"""Tell a drop what became of its files: an acknowledgement each, and the lifecycle messages about their invoices.

A file is written first and remembered then: after a crash between the two it is written again, the same.
"""

import re
from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import ColumnElement, and_
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from gateway.database.engine import organisation_of
from gateway.flows.context import FlowsContext
from gateway.flows.drops.places import Folder, Place
from gateway.flows.drops.taking import DROP_SOURCE
from gateway.flows.model import DropCursor, Flow
from gateway.flows.representation import flow_view
from gateway.flows.terms import AckStatus
from gateway.kernel.settings import DropSettings
from gateway.lifecycle.model import InvoiceRecord, LifecycleEvent

_OUTSIDE_FILE_NAMES = re.compile(r"[^A-Za-z0-9+_.-]")


def tell_acknowledgements(context: FlowsContext, organisation_id: UUID, drop: DropSettings, place: Place) -> int:
    """Write the acknowledgement of each flow that has one and was not told; how many.

    With that of an invoice go the messages about it that the feed of the drop has passed already: they came before it.
    """
    with context.database.transaction(organisation_id) as session:
        passed = _passed(session, drop)
        flows = session.exec(
            select(Flow)
            .where(
                Flow.source == DROP_SOURCE + drop.name,
                col(Flow.told_at).is_(None),
                Flow.ack_status != AckStatus.PENDING.value,
            )
            .order_by(col(Flow.submitted_at), col(Flow.id))
            .limit(context.settings.batch_size)
            .with_for_update(skip_locked=True)
        ).all()
        for flow in flows:
            view = flow_view(flow).model_dump_json(by_alias=True, exclude_none=True, indent=2)
            place.write(Folder.OUT, f"{_file_name(flow.name)}.{str(flow.id)[:8]}.ack.json", view.encode() + b"\n")
            flow.told_at = context.clock()
            earlier = col(LifecycleEvent.sequence) <= passed
            _write(context, place, _events(session, Flow.id == flow.id, earlier, limit=None))
    return len(flows)


def tell_statuses(context: FlowsContext, organisation_id: UUID, drop: DropSettings, place: Place) -> int:
    """Write the messages recorded since the last time about invoices that came by this drop and are told; how many.

    In the order of the feed of events.
    """
    with context.database.transaction(organisation_id) as session:
        told = and_(col(Flow.source) == DROP_SOURCE + drop.name, col(Flow.told_at).is_not(None))
        later = col(LifecycleEvent.sequence) > _passed(session, drop)
        events = _events(session, told, later, limit=context.settings.batch_size)
        _write(context, place, events)
        if events:
            _move(session, drop, events[-1].sequence or 0)
    return len(events)


def _passed(session: Session, drop: DropSettings) -> int:
    """How far the feed of events was told to a drop."""
    cursor = session.get(DropCursor, (organisation_of(session), drop.name))
    return cursor.sequence if cursor else 0


def _write(context: FlowsContext, place: Place, events: Iterable[LifecycleEvent]) -> None:
    for event in events:
        if event.document_sha256 is not None:
            name = f"{_file_name(event.number)}_{_file_name(event.status)}_{event.sequence}.xml"
            place.write(Folder.OUT, name, context.store.get(event.document_sha256))


def _events(session: Session, *which: ColumnElement[bool] | bool, limit: int | None) -> list[LifecycleEvent]:
    """The events about the invoices of some flows, in the order of the feed."""
    about = and_(
        *(
            getattr(InvoiceRecord, part) == getattr(LifecycleEvent, part)
            for part in ("direction", "number", "seller_siren", "year")
        )
    )
    return list(
        session.exec(
            select(LifecycleEvent)
            .join(InvoiceRecord, about)
            .join(Flow, col(Flow.id) == col(InvoiceRecord.flow_id))
            .where(*which)
            .order_by(col(LifecycleEvent.sequence))
            .limit(limit)
        )
    )


def _move(session: Session, drop: DropSettings, sequence: int) -> None:
    mark = insert(DropCursor).values(organisation_id=organisation_of(session), drop=drop.name, sequence=sequence)
    session.execute(mark.on_conflict_do_update(index_elements=["organisation_id", "drop"], set_={"sequence": sequence}))


def _file_name(text: str) -> str:
    return _OUTSIDE_FILE_NAMES.sub("_", text)[:120]
