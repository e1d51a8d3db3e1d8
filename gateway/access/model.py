"""Tables of access: organisations, agencies, people and programs."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, UniqueConstraint
from sqlmodel import Field, SQLModel

from gateway.database.columns import IdentifiedRow, Json, OrganisationRow, UtcDateTime
from gateway.kernel.identifiers import new_id


class Organisation(SQLModel, table=True):
    """A legal entity, known by its SIREN. Everything else belongs to one."""

    __tablename__ = "organisation"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    siren: str = Field(unique=True, max_length=9)
    name: str
    created_at: datetime = Field(sa_type=UtcDateTime)


class Agency(IdentifiedRow, table=True):
    """An establishment of the organisation, known by its SIRET."""

    __tablename__ = "agency"
    __table_args__ = (UniqueConstraint("organisation_id", "siret"), UniqueConstraint("organisation_id", "id"))

    siret: str = Field(max_length=14)
    code: str
    name: str


class User(IdentifiedRow, table=True):
    """A person who signs in. One e-mail address is one person in one organisation."""

    __tablename__ = "app_user"
    __table_args__ = (UniqueConstraint("organisation_id", "id"),)

    email: str = Field(unique=True, description="Lower case.")
    name: str
    password_hash: str = Field(description="argon2id.")
    role: str = Field(description="A `gateway.access.roles.Role`.")
    language: str = "fr"
    is_active: bool = True
    created_at: datetime = Field(sa_type=UtcDateTime)


class UserAgency(OrganisationRow, table=True):
    """An agency a person is limited to. A person with no such row and no key account sees every agency."""

    __tablename__ = "user_agency"
    __table_args__ = (
        ForeignKeyConstraint(["organisation_id", "user_id"], ["app_user.organisation_id", "app_user.id"]),
        ForeignKeyConstraint(["organisation_id", "agency_id"], ["agency.organisation_id", "agency.id"]),
    )

    user_id: UUID = Field(primary_key=True)
    agency_id: UUID = Field(primary_key=True)


class UserKeyAccount(OrganisationRow, table=True):
    """A customer (by SIREN) that a person follows whatever the agency."""

    __tablename__ = "user_key_account"
    __table_args__ = (
        ForeignKeyConstraint(["organisation_id", "user_id"], ["app_user.organisation_id", "app_user.id"]),
    )

    user_id: UUID = Field(primary_key=True)
    customer_siren: str = Field(primary_key=True, max_length=9)


class UserSession(IdentifiedRow, table=True):
    """A signed-in browser. The cookie holds a secret of which only the hash is kept."""

    __tablename__ = "user_session"
    __table_args__ = (
        ForeignKeyConstraint(["organisation_id", "user_id"], ["app_user.organisation_id", "app_user.id"]),
    )

    user_id: UUID
    token_hash: str = Field(unique=True)
    csrf_token: str
    created_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime, index=True)


class ApiClient(IdentifiedRow, table=True):
    """A program (a billing system, a treasury system) that calls the API."""

    __tablename__ = "api_client"
    __table_args__ = (UniqueConstraint("organisation_id", "id"),)

    client_id: str = Field(unique=True)
    name: str
    secret_hash: str = Field(description="sha256 of 256 random bits.")
    secret_version: int = Field(default=1, description="Grows with each new secret; tokens of an older one are void.")
    scopes: list[str] = Field(sa_type=Json)
    is_active: bool = True
    created_at: datetime = Field(sa_type=UtcDateTime)


class ApiClientAgency(OrganisationRow, table=True):
    """An agency an API client is limited to. A client with no such row sees every agency."""

    __tablename__ = "api_client_agency"
    __table_args__ = (
        ForeignKeyConstraint(["organisation_id", "api_client_id"], ["api_client.organisation_id", "api_client.id"]),
        ForeignKeyConstraint(["organisation_id", "agency_id"], ["agency.organisation_id", "agency.id"]),
    )

    api_client_id: UUID = Field(primary_key=True)
    agency_id: UUID = Field(primary_key=True)


class ApiClientGrant(SQLModel, table=True):
    """A further organisation that an API client acts for. It touches two organisations: only the operator writes it."""

    __tablename__ = "api_client_grant"

    api_client_id: UUID = Field(primary_key=True, foreign_key="api_client.id")
    granted_organisation_id: UUID = Field(primary_key=True, foreign_key="organisation.id")


class SigningKey(SQLModel, table=True):
    """A key pair that signs access tokens. It serves every organisation: requests do not reach it."""

    __tablename__ = "signing_key"

    kid: str = Field(primary_key=True, description="JWK thumbprint of the public key (RFC 7638).")
    private_key: str = Field(description="PKCS#8 in PEM, encrypted when the setting signing_key_secret is given.")
    public_key: dict[str, str | list[str]] = Field(sa_type=Json, description="JWK (RFC 7517), as published.")
    created_at: datetime = Field(sa_type=UtcDateTime)
    valid_until: datetime | None = Field(
        default=None, sa_type=UtcDateTime, description="When its last token ends; null: it signs."
    )


class SignInAttempt(SQLModel, table=True):
    """A failed sign-in, counted to slow guessing. Before sign-in there is no organisation: only the owner reads it."""

    __tablename__ = "sign_in_attempt"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    subject: str = Field(index=True, description="`email:<hash>` or `address:<network address>`.")
    at: datetime = Field(sa_type=UtcDateTime, index=True)
