"""Tables of the ledger. The database refuses update and delete on entries and documents (trigger and privileges)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import Field

from gateway.database.columns import Big, Json, OrganisationRow, UtcDateTime


class Document(OrganisationRow, table=True):
    """A file as received or sent, kept under the sha256 of its bytes; the bytes are in the document store."""

    __tablename__ = "document"

    sha256: str = Field(primary_key=True, max_length=64)
    organisation_id: UUID = Field(primary_key=True, foreign_key="organisation.id")
    media_type: str
    size: int = Field(description="Bytes.")
    stored_at: datetime = Field(sa_type=UtcDateTime)


class LedgerEntry(OrganisationRow, table=True):
    """One fact, chained to the one before it in the same organisation."""

    __tablename__ = "ledger_entry"

    organisation_id: UUID = Field(primary_key=True, foreign_key="organisation.id")
    position: int = Field(primary_key=True, sa_type=Big, description="1, 2, 3… without a gap in one organisation.")
    at: datetime = Field(sa_type=UtcDateTime)
    kind: str = Field(description="What happened, such as flow.received or lifecycle.event.")
    subject: str = Field(index=True, description="What it is about, such as invoice:<number>/<siren>/<year>.")
    content: dict[str, Any] = Field(sa_type=Json)
    documents: list[str] = Field(sa_type=Json, description="sha256 of the documents behind the fact.")
    previous_hash: str = Field(max_length=64)
    hash: str = Field(max_length=64)


class LedgerHead(OrganisationRow, table=True):
    """The last position and hash of an organisation's chain; its row lock orders the writers."""

    __tablename__ = "ledger_head"

    organisation_id: UUID = Field(primary_key=True, foreign_key="organisation.id")
    position: int = Field(sa_type=Big)
    hash: str = Field(max_length=64)
