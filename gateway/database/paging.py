"""Long lists, a page at a time, by keyset: the cursor names the last row seen, so pages neither slow down nor skip."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, SQLColumnExpression, tuple_
from sqlmodel import Session
from sqlmodel.sql.expression import SelectOfScalar

from gateway.database.errors import InvalidCursorError

LONGEST_PAGE = 500
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some rows of a list, and the cursor of the rows after them, None at the end."""

    items: list[T]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class SortKey:
    """One column of the order of a list, never null, and how to read its value back from a cursor."""

    expression: SQLColumnExpression[Any]
    read: Callable[[Any], Any]


def fetch_page(
    session: Session,
    statement: SelectOfScalar[T],
    order: Sequence[SortKey],
    *,
    cursor: str | None = None,
    limit: int = 50,
    descending: bool = False,
) -> Page[T]:
    """The rows of `statement` after `cursor`, in `order`, whose last key makes it total (an identifier).

    At most `limit` rows, between 1 and LONGEST_PAGE. Raises InvalidCursorError for a cursor of another list.
    """
    limit = max(1, min(limit, LONGEST_PAGE))
    keys = [key.expression for key in order]
    if cursor is not None:
        statement = statement.where(after_cursor(order, cursor, descending=descending))
    directed = [key.desc() for key in keys] if descending else keys
    named: list[ColumnElement[Any]] = [key.label(f"sort_key_{number}") for number, key in enumerate(keys)]
    rows = session.execute(statement.add_columns(*named).order_by(*directed).limit(limit + 1)).all()
    shown = rows[:limit]
    return Page([row[0] for row in shown], _encode(shown[-1][1:]) if len(rows) > limit else None)


def after_cursor(order: Sequence[SortKey], cursor: str, *, descending: bool = False) -> ColumnElement[bool]:
    """True for the rows after `cursor`. Raises InvalidCursorError for a cursor of another list."""
    position, seen = tuple_(*(key.expression for key in order)), tuple_(*_decode(cursor, order))
    return position < seen if descending else position > seen


def _encode(values: Sequence[object]) -> str:
    written = [
        value.isoformat() if isinstance(value, date) else str(value) if isinstance(value, UUID) else value
        for value in values
    ]
    return urlsafe_b64encode(json.dumps(written, separators=(",", ":")).encode()).decode().rstrip("=")


def _decode(cursor: str, order: Sequence[SortKey]) -> list[Any]:
    try:
        values = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        return [key.read(value) for key, value in zip(order, values, strict=True)]
    except (ValueError, TypeError, AttributeError) as error:
        raise InvalidCursorError(cursor) from error
