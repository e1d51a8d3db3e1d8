"""Queries of access. Those that take a token or an e-mail address run before the organisation is known."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, String, bindparam, cast, func
from sqlalchemy.orm import Mapped
from sqlmodel import Session, col, delete, select
from sqlmodel.sql.expression import Select

from gateway.access.model import (
    Agency,
    ApiClient,
    ApiClientAgency,
    ApiClientGrant,
    Organisation,
    SignInAttempt,
    SigningKey,
    User,
    UserAgency,
    UserKeyAccount,
    UserSession,
)
from gateway.access.scope import Scope
from gateway.database.columns import UtcDateTime
from gateway.database.engine import Database

_UserId = UUID | Mapped[UUID]


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A browser session with the person behind it and what the person is limited to."""

    session: UserSession
    user: User
    scope: Scope


@dataclass(frozen=True, slots=True)
class ClientRow:
    """An API client, the SIREN of its organisation, its agencies (none: all), and the key of its token (JWK)."""

    client: ApiClient
    siren: str
    agencies: list[UUID]
    public_key: dict[str, str | list[str]]


@dataclass(frozen=True, slots=True)
class ListedClient:
    """An API client, the SIREN of every organisation it acts for (its own first), the SIRET it is limited to."""

    client: ApiClient
    organisations: tuple[str, ...]
    agencies: tuple[str, ...]


def organisations(database: Database) -> list[Organisation]:
    """Every organisation, by name: the first look-up of commands, workers and the clock."""
    with database.system_transaction() as session:
        return list(session.exec(select(Organisation).order_by(Organisation.name)).all())


def user_by_email(session: Session, email: str) -> User | None:
    """The person of a lower-case e-mail address, whatever the organisation (system session)."""
    return session.exec(select(User).where(User.email == email)).one_or_none()


def agencies(session: Session) -> list[Agency]:
    """The organisation's agencies, by name."""
    return list(session.exec(select(Agency).order_by(Agency.name)).all())


def agencies_by_siret(session: Session, sirets: list[str]) -> dict[str, UUID]:
    """Identifiers of the organisation's agencies among `sirets`."""
    rows = session.exec(select(Agency).where(col(Agency.siret).in_(sirets))).all()
    return {agency.siret: agency.id for agency in rows}


def scope_of(session: Session, user_id: UUID) -> Scope:
    """What a person is limited to; with no limit recorded, everything."""
    limits = session.exec(select(_agencies_of(user_id), _key_accounts_of(user_id))).one()
    return Scope.limited_to(*limits)


def live_session(session: Session, token_hash: str, now: datetime) -> SessionRow | None:
    """The session of a cookie, when it has not expired and its person is active (system session, one query)."""
    found = session.exec(
        select(UserSession, User, _agencies_of(col(User.id)), _key_accounts_of(col(User.id)))
        .join(User, col(User.id) == col(UserSession.user_id))
        .where(UserSession.token_hash == token_hash, col(UserSession.expires_at) > now, col(User.is_active))
    ).one_or_none()
    return SessionRow(found[0], found[1], Scope.limited_to(found[2], found[3])) if found else None


def client_by_client_id(session: Session, client_id: str, *, lock: bool = False) -> ApiClient | None:
    """An API client, whatever the organisation (system session), locked when it is about to change."""
    wanted = select(ApiClient).where(ApiClient.client_id == client_id)
    return session.exec(wanted.with_for_update() if lock else wanted).one_or_none()


def client_and_key(session: Session, client_id: str, kid: str, now: datetime) -> ClientRow | None:
    """An active client with the public key that is to verify its token (system session, one query)."""
    wanted = {"client_id": client_id, "kid": kid, "now": now}
    found = session.exec(_CLIENT_AND_KEY, params=wanted).one_or_none()
    return ClientRow(*found[:3], dict(found[3])) if found else None


def organisation_granted(session: Session, client: ApiClient, asked: str) -> UUID | None:
    """The further organisation, by SIREN or identifier, when the client acts for it too (system session)."""
    return session.exec(
        select(Organisation.id)
        .join(ApiClientGrant, col(ApiClientGrant.granted_organisation_id) == col(Organisation.id))
        .where(
            ApiClientGrant.api_client_id == client.id,
            (col(Organisation.siren) == asked) | (cast(col(Organisation.id), String) == asked),
        )
    ).one_or_none()


def clients(session: Session) -> list[ListedClient]:
    """Every API client with what it acts for and is limited to, by organisation and name (system session)."""
    granted = (
        select(Organisation.siren)
        .join(ApiClientGrant, col(ApiClientGrant.granted_organisation_id) == col(Organisation.id))
        .where(col(ApiClientGrant.api_client_id) == col(ApiClient.id))
        .order_by(Organisation.siren)
    )
    limits = (
        select(Agency.siret)
        .join(ApiClientAgency, col(ApiClientAgency.agency_id) == col(Agency.id))
        .where(col(ApiClientAgency.api_client_id) == col(ApiClient.id))
        .order_by(Agency.siret)
    )
    rows = session.exec(
        select(
            ApiClient, Organisation.siren, func.array(granted.scalar_subquery()), func.array(limits.scalar_subquery())
        )
        .join(Organisation, col(Organisation.id) == col(ApiClient.organisation_id))
        .order_by(Organisation.siren, ApiClient.name, ApiClient.client_id)
    ).all()
    return [ListedClient(client, (siren, *others), tuple(agencies)) for client, siren, others, agencies in rows]


def count_attempts(session: Session, subject: str, since: datetime) -> int:
    """Failed or pending sign-ins of one subject after `since` (system session)."""
    return session.exec(
        select(func.count()).where(SignInAttempt.subject == subject, col(SignInAttempt.at) > since)
    ).one()


def delete_sessions_of(session: Session, user_id: UUID) -> None:
    """Sign a person out of every browser."""
    session.exec(delete(UserSession).where(col(UserSession.user_id) == user_id))


def _agencies_of(user_id: _UserId) -> ColumnElement[list[UUID]]:
    limits = select(UserAgency.agency_id).where(col(UserAgency.user_id) == user_id)
    return func.array(limits.scalar_subquery())


def _key_accounts_of(user_id: _UserId) -> ColumnElement[list[str]]:
    limits = select(UserKeyAccount.customer_siren).where(col(UserKeyAccount.user_id) == user_id)
    return func.array(limits.scalar_subquery())


def _client_and_key() -> Select[ApiClient, str, list[UUID], Any]:
    limits = select(ApiClientAgency.agency_id).where(col(ApiClientAgency.api_client_id) == col(ApiClient.id))
    in_use = col(SigningKey.valid_until).is_(None) | (col(SigningKey.valid_until) > bindparam("now", type_=UtcDateTime))
    agencies: ColumnElement[list[UUID]] = func.array(limits.scalar_subquery())
    return (
        select(ApiClient, Organisation.siren, agencies, SigningKey.public_key)
        .join(Organisation, col(Organisation.id) == col(ApiClient.organisation_id))
        .join(SigningKey, (col(SigningKey.kid) == bindparam("kid")) & in_use)
        .where(col(ApiClient.client_id) == bindparam("client_id"), col(ApiClient.is_active))
    )


#: Built once: every request of a program runs it.
_CLIENT_AND_KEY = _client_and_key()
