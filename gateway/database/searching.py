"""Look for what a person typed: as it was typed, or whatever its case and accents."""

import unicodedata

from sqlalchemy import ColumnElement, func, or_
from sqlmodel import Session, col, select


def containing(text: str, *columns: str | None) -> ColumnElement[bool]:
    """True where one of the columns holds `text`, in any case; % and _ mean themselves."""
    return or_(*(col(column).icontains(text.strip(), autoescape=True) for column in columns))


def held_values(session: Session, column: str | None) -> list[str]:
    """The values that a column holds in the organisation, each once: from each, an index that begins with the
    organisation and the column gives the next. It costs what there are of values, not of rows.
    """
    first = select(func.min(column).label("value")).cte("held", recursive=True)
    following = select(func.min(column)).where(col(column) > first.c.value).scalar_subquery()
    held = first.union_all(select(following).where(first.c.value.is_not(None)))
    return list(session.execute(select(held.c.value).where(held.c.value.is_not(None))).scalars())


def alike(text: str, among: list[str]) -> list[str]:
    """Those in which `text` is found, whatever the case and the accents of either."""
    sought = _plain(text.strip())
    return [each for each in among if sought in _plain(each)]


def _plain(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text.casefold())
    return "".join(each for each in letters if not unicodedata.combining(each))
