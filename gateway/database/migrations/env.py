"""Alembic's entry: runs the revisions on the connection that `gateway.database.migrating` hands over."""

from typing import Any, Literal

from alembic import context
from sqlalchemy import TypeDecorator
from sqlmodel import SQLModel


def _render(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Write plain SQLAlchemy types: a revision must not change when our own types do."""
    if kind == "type" and isinstance(item, TypeDecorator):
        return f"sa.{item.impl_instance!r}"
    return False


def _include(name: str | None, kind: str, _parents: Any) -> bool:
    """Leave the job engine's own tables alone."""
    return not (kind == "table" and name is not None and name.startswith("procrastinate_"))


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    render_item=_render,
    include_name=_include,
    file_template="%%(year)d-%%(month).2d-%%(day).2d_%%(rev)s_%%(slug)s",
)
context.run_migrations()
