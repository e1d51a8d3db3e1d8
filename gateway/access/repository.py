"""Queries of access. Those that take a token or an e-mail address run before the organisation is known."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, func
from sqlalchemy.orm import Mapped
from sqlmodel import Session, col, delete, select

from gateway.access.model import (
    AccessToken,
    Agency,
    ApiClient,
    Organisation,
    SignInAttempt,
    User,
    UserAgency,
    UserKeyAccount,
    UserSession,
)
from gateway.access.scope import Scope
from gateway.database.engine import Database

_UserId = UUID | Mapped[UUID]


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A browser session with the person behind it and what the person is limited to."""

    session: UserSession
    user: User
    scope: Scope


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


def client_by_client_id(session: Session, client_id: str) -> ApiClient | None:
    """An API client, whatever the organisation (system session)."""
    return session.exec(select(ApiClient).where(ApiClient.client_id == client_id)).one_or_none()


def live_token(session: Session, token_hash: str, now: datetime) -> tuple[AccessToken, ApiClient] | None:
    """A bearer token that has not expired, with its active client (system session, one query)."""
    return session.exec(
        select(AccessToken, ApiClient)
        .join(ApiClient, col(ApiClient.id) == col(AccessToken.api_client_id))
        .where(AccessToken.token_hash == token_hash, col(AccessToken.expires_at) > now, col(ApiClient.is_active))
    ).one_or_none()


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
