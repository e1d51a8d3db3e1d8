"""Table of what the directory said of an address, kept for a while."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import Field

from gateway.database.columns import Json, OrganisationRow, UtcDateTime


class DirectoryLookup(OrganisationRow, table=True):
    """The last answer of one directory about one address, so that a thousand invoices to a buyer ask once."""

    __tablename__ = "directory_lookup"

    organisation_id: UUID = Field(primary_key=True, foreign_key="organisation.id")
    directory: str = Field(primary_key=True, description="Name of the platform whose directory answered.")
    address: str = Field(primary_key=True, max_length=125, description="Scheme 0225, such as SIREN_SIRET.")
    answer: dict[str, Any] = Field(sa_type=Json, description="A `gateway.flows.directory.checking.Lookup`.")
    asked_at: datetime = Field(sa_type=UtcDateTime, index=True)
