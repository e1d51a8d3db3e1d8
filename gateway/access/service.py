"""Use cases of access: organisations, agencies, people and programs. Sign-in is in `sign_in`, tokens in `tokens`."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, delete, select

from gateway.access import repository
from gateway.access.errors import (
    AlreadyExistsError,
    InvalidEmailError,
    InvalidScopeError,
    InvalidSirenError,
    InvalidSiretError,
    UnknownAgencyError,
)
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
from gateway.access.passwords import hash_password, hash_secret, new_secret
from gateway.access.roles import ApiScope, Role
from gateway.database.engine import organisation_of
from gateway.kernel.identifiers import is_siren, is_siret, new_id
from gateway.kernel.text import Language

_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@.]+|[^\s@]+@localhost")


@dataclass(frozen=True, slots=True)
class NewClient:
    """An API client just created. `secret` is shown now and never again: only its hash is kept."""

    client: ApiClient
    secret: str


def create_organisation(session: Session, *, siren: str, name: str, now: datetime) -> Organisation:
    """A new legal entity (system session). Raises InvalidSirenError or AlreadyExistsError."""
    _require_siren(siren)
    organisation = Organisation(siren=siren, name=name, created_at=now)
    _insert(session, organisation, siren)
    return organisation


def create_agency(session: Session, *, siret: str, code: str, name: str) -> Agency:
    """A new establishment of the session's organisation. Raises InvalidSiretError or AlreadyExistsError."""
    organisation = session.exec(select(Organisation)).one()
    if not is_siret(siret) or not siret.startswith(organisation.siren):
        raise InvalidSiretError(siret, organisation.siren)
    agency = Agency(organisation_id=organisation.id, siret=siret, code=code, name=name)
    _insert(session, agency, siret)
    return agency


def create_user(
    session: Session,
    *,
    email: str,
    name: str,
    password: str,
    role: Role,
    now: datetime,
    agencies: Sequence[str] = (),
    key_accounts: Sequence[str] = (),
    language: Language = "fr",
) -> User:
    """A new person of the session's organisation, limited to `agencies` (SIRET) and `key_accounts` (SIREN) if any.

    Raises InvalidEmailError, WeakPasswordError, UnknownAgencyError, InvalidSirenError or AlreadyExistsError.
    """
    address = normal_email(email)
    user = User(
        organisation_id=organisation_of(session),
        email=address,
        name=name,
        password_hash=hash_password(password, email=address),
        role=role.value,
        language=language,
        created_at=now,
    )
    _insert(session, user, address)
    limit_user(session, user, agencies=agencies, key_accounts=key_accounts)
    return user


def limit_user(session: Session, user: User, *, agencies: Sequence[str], key_accounts: Sequence[str]) -> None:
    """Replace a person's limits; with none of either the person sees the whole organisation.

    Raises UnknownAgencyError or InvalidSirenError.
    """
    known = repository.agencies_by_siret(session, list(agencies))
    for siret in agencies:
        if siret not in known:
            raise UnknownAgencyError(siret)
    for siren in key_accounts:
        _require_siren(siren)
    session.exec(delete(UserAgency).where(col(UserAgency.user_id) == user.id))
    session.exec(delete(UserKeyAccount).where(col(UserKeyAccount.user_id) == user.id))
    owner = {"organisation_id": user.organisation_id, "user_id": user.id}
    session.add_all(UserAgency(**owner, agency_id=agency) for agency in known.values())
    session.add_all(UserKeyAccount(**owner, customer_siren=siren) for siren in set(key_accounts))
    session.flush()


def change_password(session: Session, user: User, password: str) -> None:
    """Set a new password and sign the person out everywhere. Raises WeakPasswordError."""
    user.password_hash = hash_password(password, email=user.email)
    session.add(user)
    repository.delete_sessions_of(session, user.id)


def deactivate_user(session: Session, user: User) -> None:
    """Close a person's access at once: no sign-in any more, and every open session ends."""
    user.is_active = False
    session.add(user)
    repository.delete_sessions_of(session, user.id)


def create_client(session: Session, *, name: str, scopes: Sequence[str], now: datetime) -> NewClient:
    """A new program of the session's organisation with its identifier and secret. Raises InvalidScopeError."""
    unknown = sorted(set(scopes) - set(ApiScope))
    if unknown or not scopes:
        raise InvalidScopeError(" ".join(unknown) or "∅", " ".join(ApiScope))
    secret = new_secret()
    client = ApiClient(
        organisation_id=organisation_of(session),
        client_id=f"gw-{new_id().hex[:20]}",
        name=name,
        secret_hash=hash_secret(secret),
        scopes=sorted(set(scopes)),
        created_at=now,
    )
    _insert(session, client, name)
    return NewClient(client, secret)


def forget_expired(session: Session, *, now: datetime, attempts_window: timedelta) -> None:
    """Delete sessions, tokens and counted attempts that are over (system session; the clock calls it)."""
    session.exec(delete(UserSession).where(col(UserSession.expires_at) <= now))
    session.exec(delete(AccessToken).where(col(AccessToken.expires_at) <= now))
    session.exec(delete(SignInAttempt).where(col(SignInAttempt.at) <= now - attempts_window))


def normal_email(email: str) -> str:
    """Lower case, without surrounding spaces. Raises InvalidEmailError."""
    address = email.strip().lower()
    if not (_EMAIL.fullmatch(address) and address.isprintable()):
        raise InvalidEmailError(email)
    return address


def _require_siren(siren: str) -> None:
    if not is_siren(siren):
        raise InvalidSirenError(siren)


def _insert(session: Session, row: Organisation | Agency | User | ApiClient, identifier: str) -> None:
    """Insert, and name the row that exists already. The database decides: it sees other organisations' e-mails too."""
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError as error:
        raise AlreadyExistsError(identifier) from error
