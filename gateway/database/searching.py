"""Look for what a person typed, as it was typed."""

from sqlalchemy import ColumnElement, or_
from sqlmodel import col


def containing(text: str, *columns: str | None) -> ColumnElement[bool]:
    """True where one of the columns holds `text`, in any case; % and _ mean themselves."""
    return or_(*(col(column).icontains(text.strip(), autoescape=True) for column in columns))
