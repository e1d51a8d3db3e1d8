"""Bearer tokens of programs: OAuth2 client credentials (RFC 6749, 4.4), opaque, kept as hashes, short-lived."""

from dataclasses import dataclass
from datetime import datetime
from hmac import compare_digest

from sqlmodel import Session

from gateway.access import repository
from gateway.access.errors import InvalidClientError, InvalidScopeError, InvalidTokenError
from gateway.access.model import AccessToken
from gateway.access.passwords import hash_secret, new_secret
from gateway.access.principal import Principal
from gateway.access.scope import Scope
from gateway.kernel.settings import Settings


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A token just issued; `expires_in` is in seconds."""

    token: str
    expires_in: int
    scopes: tuple[str, ...]


def issue_token(
    session: Session, settings: Settings, *, client_id: str, secret: str, scopes: frozenset[str], now: datetime
) -> IssuedToken:
    """A token with `scopes`, or all those of the client when none is asked for (system session).

    Raises InvalidClientError or InvalidScopeError.
    """
    client = repository.client_by_client_id(session, client_id) if client_id.isprintable() else None
    if client is None or not client.is_active or not compare_digest(client.secret_hash, hash_secret(secret)):
        raise InvalidClientError
    held = frozenset(client.scopes)
    if not scopes <= held:
        raise InvalidScopeError(" ".join(sorted(scopes - held)), " ".join(sorted(held)))
    granted = sorted(scopes or held)
    token = new_secret()
    session.add(
        AccessToken(
            organisation_id=client.organisation_id,
            api_client_id=client.id,
            token_hash=hash_secret(token),
            scopes=granted,
            created_at=now,
            expires_at=now + settings.token_length,
        )
    )
    return IssuedToken(token, int(settings.token_length.total_seconds()), tuple(granted))


def authenticate_token(session: Session, token: str, now: datetime) -> Principal:
    """The program of a bearer token (system session). Raises InvalidTokenError."""
    found = repository.live_token(session, hash_secret(token), now)
    if found is None:
        raise InvalidTokenError
    access, client = found
    return Principal(
        organisation_id=client.organisation_id,
        kind="client",
        id=client.id,
        name=client.name,
        scopes=frozenset(access.scopes),
        role=None,
        scope=Scope.everything(),
    )
