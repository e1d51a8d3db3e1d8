"""Column types and mixins shared by the tables of every room."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Numeric, TypeDecorator
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from gateway.kernel.identifiers import new_id


class UtcDateTime(TypeDecorator[datetime]):
    """timestamptz that only takes aware instants and gives back UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        """Refuse naive instants: they are ambiguous."""
        if value is not None and value.tzinfo is None:
            raise ValueError(f"naive datetime: {value!r}")
        return value

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        """Always UTC, whatever the session's zone."""
        return value.astimezone(UTC) if value is not None else None


class Amount(TypeDecorator[Decimal]):
    """An amount of money: exact, up to 19 digits and 6 decimals, so that nothing received is rounded away."""

    impl = Numeric(25, 6)
    cache_ok = True

    def process_result_value(self, value: Decimal | None, dialect: Any) -> Decimal | None:
        """Drop the zeros that only the column's scale added, but keep cents."""
        if value is None:
            return None
        cents = value.quantize(Decimal("0.01"))
        return cents if cents == value else value.normalize()


Json = JSONB(none_as_null=True)
Big = BigInteger


class OrganisationRow(SQLModel):
    """A business row: it belongs to one organisation, and the database lets no other see it (row-level security)."""

    organisation_id: UUID = Field(index=True, foreign_key="organisation.id")


class IdentifiedRow(OrganisationRow):
    """A business row with a random identifier of its own."""

    id: UUID = Field(default_factory=new_id, primary_key=True)
