"""Access tokens of programs: OAuth2 client credentials (RFC 6749, 4.4), as signed JWT (RFC 9068), short-lived.

A good signature is not enough: each request also looks the client up, so that a revoked client or one with a new
secret is refused at once.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from hmac import compare_digest
from typing import Any
from uuid import UUID, uuid4

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey
from sqlmodel import Session

from gateway.access import repository
from gateway.access.errors import (
    ForeignOrganisationError,
    InvalidClientError,
    InvalidScopeError,
    InvalidTokenError,
)
from gateway.access.passwords import hash_secret
from gateway.access.principal import Principal
from gateway.access.repository import ClientRow
from gateway.access.scope import Scope
from gateway.access.signing_keys import ALGORITHM, CLOCK_SKEW, private_key, signing_key
from gateway.kernel.settings import Settings

#: Type of an access token (RFC 9068, 2.1): no other signed JWT passes for one.
TOKEN_TYPE = "at+jwt"


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

    Raises InvalidClientError, InvalidScopeError or UnreadableSigningKeyError.
    """
    client = repository.client_by_client_id(session, client_id) if client_id.isprintable() else None
    if client is None or not client.is_active or not compare_digest(client.secret_hash, hash_secret(secret)):
        raise InvalidClientError
    held = frozenset(client.scopes)
    if not scopes <= held:
        raise InvalidScopeError(" ".join(sorted(scopes - held)), " ".join(sorted(held)))
    granted = sorted(scopes or held)
    lifetime = int(settings.token_length.total_seconds())
    issued_at = int(now.timestamp())
    claims = {
        "iss": settings.issuer,
        "aud": settings.issuer,
        "sub": client.client_id,
        "client_id": client.client_id,
        "org": str(client.organisation_id),
        "scope": " ".join(granted),
        "secret_version": client.secret_version,
        "iat": issued_at,
        "exp": issued_at + lifetime,
        "jti": str(uuid4()),
    }
    key = signing_key(session, settings, now)
    header = {"alg": ALGORITHM, "kid": key.kid}
    token = jwt.encode(header, claims, private_key(key, settings), algorithms=[ALGORITHM], default_type=TOKEN_TYPE)
    return IssuedToken(token, lifetime, tuple(granted))


def authenticate_token(
    session: Session, settings: Settings, token: str, now: datetime, *, asked: str | None = None
) -> Principal:
    """The program of a bearer token (system session), acting for the organisation `asked` by SIREN or identifier.

    Without `asked` it acts for its own. Raises InvalidTokenError or ForeignOrganisationError.
    """
    row = _client_of(session, token, now)
    claims = _verified_claims(token, row, settings, now)
    client = row.client
    if claims["secret_version"] != client.secret_version:
        raise InvalidTokenError
    return Principal(
        organisation_id=_organisation(session, row, asked),
        kind="client",
        id=client.id,
        name=client.name,
        scopes=frozenset(claims["scope"].split()) & frozenset(client.scopes),
        role=None,
        scope=Scope.limited_to(row.agencies, ()),
    )


def _client_of(session: Session, token: str, now: datetime) -> ClientRow:
    """The client that a token claims to be of, with the key it claims to be signed with. Nothing is proved yet."""
    try:
        unproved = jws.extract_compact(token.encode())
        kid, client_id = unproved.headers()["kid"], json.loads(unproved.payload)["client_id"]
        is_text = f"{kid}{client_id}".isprintable() and isinstance(kid, str) and isinstance(client_id, str)
    except (JoseError, ValueError, LookupError, TypeError, RecursionError) as error:
        raise InvalidTokenError from error
    row = repository.client_and_key(session, client_id, kid, now) if is_text else None
    if row is None:
        raise InvalidTokenError
    return row


def _verified_claims(token: str, row: ClientRow, settings: Settings, now: datetime) -> dict[str, Any]:
    """The claims, once signature, type, issuer, audience, client and times hold. Raises InvalidTokenError."""
    essential: jwt.ClaimsOption = {"essential": True}
    rules = jwt.JWTClaimsRegistry(
        now=int(now.timestamp()),
        leeway=int(CLOCK_SKEW.total_seconds()),
        iss={"essential": True, "value": settings.issuer},
        aud={"essential": True, "value": settings.issuer},
        sub={"essential": True, "value": row.client.client_id},
        client_id={"essential": True, "value": row.client.client_id},
        org={"essential": True, "value": str(row.client.organisation_id)},
        scope=essential,
        secret_version=essential,
        iat=essential,
        exp=essential,
        jti=essential,
    )
    try:
        proved = jwt.decode(token, ECKey.import_key(row.public_key), algorithms=[ALGORITHM])
        rules.validate(proved.claims)
    except (JoseError, ValueError) as error:
        raise InvalidTokenError from error
    # The skew between machines excuses a token from the future, never one that is over.
    if proved.header.get("typ") != TOKEN_TYPE or proved.claims["exp"] <= now.timestamp():
        raise InvalidTokenError
    return proved.claims


def _organisation(session: Session, row: ClientRow, asked: str | None) -> UUID:
    own = row.client.organisation_id
    if asked in (None, row.siren, str(own)):
        return own
    granted = repository.organisation_granted(session, row.client, asked) if asked and asked.isprintable() else None
    if granted is None:
        raise ForeignOrganisationError
    return granted
