"""What happened to a promise, a dispute or a plan: a line of its history and an entry of the ledger, together."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func
from sqlmodel import Session, col, select

from gateway.collection.agreements.errors import WithoutWordsError
from gateway.collection.agreements.model import AgreementKind, AgreementLine, Step
from gateway.database.engine import organisation_of
from gateway.ledger.service import append

#: Who acts when no person and no program does.
GATEWAY = "gateway"


def note(
    session: Session,
    kind: AgreementKind,
    agreement_id: UUID,
    step: Step,
    *,
    by: str,
    now: datetime,
    text: str = "",
    event_id: UUID | None = None,
    facts: dict[str, Any] | None = None,
) -> AgreementLine:
    """Add what happened; `facts` are told to the ledger besides. The caller holds its turn on the ledger."""
    session.flush()
    last = session.exec(select(func.max(AgreementLine.number)).where(AgreementLine.agreement_id == agreement_id)).one()
    line = AgreementLine(
        organisation_id=organisation_of(session),
        agreement_id=agreement_id,
        number=(last or 0) + 1,
        kind=kind.value,
        step=step.value,
        text=text,
        at=now,
        by=by,
        event_id=event_id,
    )
    session.add(line)
    content = {"by": by, "text": text, **({"event_id": str(event_id)} if event_id else {}), **(facts or {})}
    append(session, at=now, kind=f"{kind.value}.{step.value}", subject=f"{kind.value}:{agreement_id}", content=content)
    return line


def words(text: str) -> str:
    """What a person wrote, trimmed. Raises WithoutWordsError when that is nothing."""
    if not text.strip():
        raise WithoutWordsError
    return text.strip()


def lines_of(session: Session, agreement_ids: Collection[UUID]) -> dict[UUID, list[AgreementLine]]:
    """The history of each, the oldest line first."""
    rows: Sequence[AgreementLine] = session.exec(
        select(AgreementLine)
        .where(col(AgreementLine.agreement_id) == func.any(list(agreement_ids)))
        .order_by(col(AgreementLine.number))
    ).all()
    found: dict[UUID, list[AgreementLine]] = {}
    for row in rows:
        found.setdefault(row.agreement_id, []).append(row)
    return found
