"""Tables of an organisation's platforms: its connections, which one takes what, and whether each is asked now."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field

from gateway.database.columns import IdentifiedRow, OrganisationRow, UtcDateTime
from gateway.flows.platforms.breaker import BreakerState


class PlatformConnection(IdentifiedRow, table=True):
    """One account at one accredited platform. Its secret is not here: `secret_reference` names where it is."""

    __tablename__ = "platform_connection"
    __table_args__ = (
        UniqueConstraint("organisation_id", "name"),
        Index("uq_platform_default", "organisation_id", unique=True, postgresql_where="is_default"),
    )

    name: str = Field(description="As flows, routes and people call it; never another account’s afterwards.")
    kind: str = Field(description="A platform of schemas/platforms.toml.")
    flow_url: str = Field(description="Flow Service with its version: https://…/flow-service/v1.")
    directory_url: str | None = Field(default=None, description="Directory Service with its version.")
    token_url: str
    client_id: str
    secret_reference: str = Field(description="env:NAME or file:/path.")
    remote_organisation: str | None = Field(default=None, description="Organization-Id at the platform.")
    number: str | None = Field(default=None, description="Number of the platform in the directory (scheme 0238).")
    is_active: bool = True
    is_default: bool = Field(default=False, description="Takes what no route names.")
    created_at: datetime = Field(sa_type=UtcDateTime)


class PlatformRoute(IdentifiedRow, table=True):
    """Documents of one kind go to one connection. What is None does not matter."""

    __tablename__ = "platform_route"
    __table_args__ = (
        Index(
            "uq_platform_route",
            "organisation_id",
            "seller_siren",
            "agency_id",
            "processing_rule",
            unique=True,
            postgresql_nulls_not_distinct=True,
        ),
    )

    connection_id: UUID = Field(foreign_key="platform_connection.id", index=True)
    seller_siren: str | None = Field(default=None, max_length=9)
    agency_id: UUID | None = Field(default=None, foreign_key="agency.id")
    processing_rule: str | None = None
    created_at: datetime = Field(sa_type=UtcDateTime)


class PlatformBreaker(OrganisationRow, table=True):
    """The circuit breaker of a connection, shared by every process."""

    __tablename__ = "platform_breaker"

    connection_id: UUID = Field(primary_key=True, foreign_key="platform_connection.id")
    state: str = Field(default=BreakerState.CLOSED.value)
    failures: int = 0
    openings: int = 0
    until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    last_error: str | None = None
    changed_at: datetime = Field(sa_type=UtcDateTime)
