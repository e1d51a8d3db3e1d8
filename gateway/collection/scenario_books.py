"""An organisation's own scenarios: stored from a day on, never changed. Without any, the default book holds."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlmodel import Session, col, select

from gateway.access.errors import PermissionDeniedError
from gateway.access.scope import Scope
from gateway.collection.model import ScenarioBookRow
from gateway.collection.scenarios import ScenarioBook, default_book, read_book
from gateway.database.engine import organisation_of
from gateway.ledger.service import append


def book_in_force(session: Session, on: date) -> ScenarioBook:
    """The scenarios that hold on a day (Europe/Paris): the organisation's latest, else the default ones."""
    row = session.exec(
        select(ScenarioBookRow)
        .where(ScenarioBookRow.valid_from <= on)
        .order_by(col(ScenarioBookRow.valid_from).desc(), col(ScenarioBookRow.stored_at).desc())
        .limit(1)
    ).first()
    return default_book(on) if row is None else read_book(row.content)


def stored_books(session: Session) -> Sequence[ScenarioBookRow]:
    """Every book the organisation has stored, the latest first."""
    return session.exec(
        select(ScenarioBookRow).order_by(col(ScenarioBookRow.valid_from).desc(), col(ScenarioBookRow.stored_at).desc())
    ).all()


def store_book(
    session: Session,
    scope: Scope,
    content: Mapping[str, Any],
    *,
    valid_from: date,
    comment: str,
    by: str,
    now: datetime,
) -> ScenarioBookRow:
    """Follow these scenarios from a day on (Europe/Paris); the day may be past, what was sent stays sent.

    `content`: a book as TOML or JSON tells it. Raises InvalidScenariosError, which names each fault, and
    PermissionDeniedError to whoever sees a part of the organisation only: scenarios are for all its customers.
    """
    if not scope.is_everything:
        raise PermissionDeniedError
    book = read_book(content)
    row = ScenarioBookRow(
        organisation_id=organisation_of(session),
        valid_from=valid_from,
        content=book_content(book),
        comment=comment,
        stored_at=now,
        stored_by=by,
    )
    session.add(row)
    append(
        session,
        at=now,
        kind="scenarios.stored",
        subject=f"scenario_book:{row.id}",
        content={"valid_from": valid_from.isoformat(), "comment": comment, "by": by, "book": row.content},
    )
    return row


def book_content(book: ScenarioBook) -> dict[str, Any]:
    """A book as JSON, which `read_book` reads back."""
    return book.model_dump(mode="json", by_alias=True, exclude_defaults=True)
