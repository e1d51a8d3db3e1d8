"""Use cases of access: organisations, agencies, people and programs. Sign-in is in `sign_in`, tokens in `tokens`."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

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
    UnknownClientError,
    UnlimitableScopeError,
)
from gateway.access.model import (
    Agency,
    ApiClient,
    ApiClientAgency,
    ApiClientGrant,
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
    known = _agencies(session, agencies)
    for siren in key_accounts:
        _require_siren(siren)
    session.exec(delete(UserAgency).where(col(UserAgency.user_id) == user.id))
    session.exec(delete(UserKeyAccount).where(col(UserKeyAccount.user_id) == user.id))
    owner = {"organisation_id": user.organisation_id, "user_id": user.id}
    session.add_all(UserAgency(**owner, agency_id=agency) for agency in known)
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


def create_client(
    session: Session, *, name: str, scopes: Sequence[str], now: datetime, agencies: Sequence[str] = ()
) -> NewClient:
    """A new program of the session's organisation, with its secret, limited to `agencies` (SIRET) if any.

    Raises InvalidScopeError, UnlimitableScopeError or UnknownAgencyError.
    """
    unknown = sorted(set(scopes) - set(ApiScope))
    if unknown or not scopes:
        raise InvalidScopeError(" ".join(unknown) or "∅", " ".join(ApiScope))
    whole = sorted(scope for scope in set(scopes) if agencies and ApiScope(scope).shows_everything)
    if whole:
        raise UnlimitableScopeError(" ".join(whole))
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
    session.add_all(
        ApiClientAgency(organisation_id=client.organisation_id, api_client_id=client.id, agency_id=agency)
        for agency in _agencies(session, agencies)
    )
    session.flush()
    return NewClient(client, secret)


def grant_organisations(session: Session, client: ApiClient, organisations: Sequence[UUID]) -> None:
    """Let a program act for further organisations too (system session: it is the operator who grants)."""
    session.add_all(
        ApiClientGrant(api_client_id=client.id, granted_organisation_id=organisation)
        for organisation in sorted(set(organisations) - {client.organisation_id})
    )
    session.flush()


def rotate_client_secret(session: Session, client_id: str) -> NewClient:
    """A new secret for a program; the old one and its tokens are void at once (system session).

    Raises UnknownClientError.
    """
    client = _active_client(session, client_id)
    secret = new_secret()
    client.secret_hash, client.secret_version = hash_secret(secret), client.secret_version + 1
    return NewClient(client, secret)


def revoke_client(session: Session, client_id: str) -> ApiClient:
    """Close a program's access at once and for good (system session). Raises UnknownClientError."""
    client = _active_client(session, client_id)
    client.is_active = False
    return client


def forget_expired(session: Session, *, now: datetime, attempts_window: timedelta) -> None:
    """Delete sessions and counted attempts that are over (system session; the clock calls it)."""
    session.exec(delete(UserSession).where(col(UserSession.expires_at) <= now))
    session.exec(delete(SignInAttempt).where(col(SignInAttempt.at) <= now - attempts_window))


def normal_email(email: str) -> str:
    """Lower case, without surrounding spaces. Raises InvalidEmailError."""
    address = email.strip().lower()
    if not (_EMAIL.fullmatch(address) and address.isprintable()):
        raise InvalidEmailError(email)
    return address


def _agencies(session: Session, sirets: Sequence[str]) -> list[UUID]:
    """Identifiers of agencies of the session's organisation. Raises UnknownAgencyError."""
    known = repository.agencies_by_siret(session, list(sirets))
    for siret in sirets:
        if siret not in known:
            raise UnknownAgencyError(siret)
    return list(known.values())


def _active_client(session: Session, client_id: str) -> ApiClient:
    """The program, locked until the transaction ends: two new secrets at once must be two versions."""
    client = repository.client_by_client_id(session, client_id, lock=True)
    if client is None or not client.is_active:
        raise UnknownClientError(client_id)
    return client


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
