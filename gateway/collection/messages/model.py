"""Tables of what an organisation writes with: its letterhead and its own texts. The latest row of each holds."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlmodel import Field

from gateway.database.columns import IdentifiedRow, Json, UtcDateTime


class LetterheadRow(IdentifiedRow, table=True):
    """A letterhead. Never changed, never deleted: a later one replaces it."""

    __tablename__ = "letterhead"
    __table_args__ = (Index("ix_letterhead", "organisation_id", "stored_at"),)

    content: dict[str, Any] = Field(sa_type=Json, description="As `read_letterhead` reads it")
    stored_at: datetime = Field(sa_type=UtcDateTime)
    stored_by: str = Field(description="user:<id>, client:<id> or operator")


class TextBookRow(IdentifiedRow, table=True):
    """The organisation's own texts. Never changed, never deleted: a later book replaces them."""

    __tablename__ = "text_book"
    __table_args__ = (Index("ix_text_book", "organisation_id", "stored_at"),)

    content: dict[str, Any] = Field(sa_type=Json, description="As `read_texts` reads it")
    comment: str
    stored_at: datetime = Field(sa_type=UtcDateTime)
    stored_by: str = Field(description="user:<id>, client:<id> or operator")
