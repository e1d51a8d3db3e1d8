"""The check of bearer tokens that every route of programs depends on: who calls, for which organisation, how often."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from fastapi import Request
from sqlmodel import select

from gateway.access.errors import (
    ForeignOrganisationError,
    InvalidTokenError,
    MissingScopeError,
    TooManyRequestsError,
)
from gateway.access.model import Organisation
from gateway.access.principal import Principal
from gateway.access.rate_limits import RateLimit, RateLimiter
from gateway.access.roles import ApiScope
from gateway.access.tokens import authenticate_token
from gateway.database.engine import Database
from gateway.kernel.clock import Clock
from gateway.kernel.settings import Settings

#: Header by which a program that acts for several organisations says for which (XP Z12-013).
ORGANISATION_HEADER = "organization-id"


@dataclass(frozen=True, slots=True)
class AccessContext:
    """What the routes of access need, and the counts of requests that they share.

    Attributes:
        requests: of each API client, on every route of programs.
        token_requests: of each network address, to `POST /oauth2/token`.
    """

    database: Database
    settings: Settings
    clock: Clock
    requests: RateLimiter = field(init=False)
    token_requests: RateLimiter = field(init=False)

    def __post_init__(self) -> None:
        """Start the counts."""
        settings = self.settings
        clients = _limit(settings.rate_limit_per_minute, settings.rate_limit_burst)
        addresses = _limit(settings.token_limit_per_minute, settings.token_limit_per_minute)
        object.__setattr__(self, "requests", RateLimiter(clients))
        object.__setattr__(self, "token_requests", RateLimiter(addresses))


def client_authentication(context: AccessContext, scope: ApiScope | None = None) -> Callable[[Request], Principal]:
    """A dependency that gives the program behind a request's bearer token, which must hold `scope`.

    It raises InvalidTokenError (401), ForeignOrganisationError or MissingScopeError (403), TooManyRequestsError (429).
    """

    def authenticate_client(request: Request) -> Principal:
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer" or not token.strip():
            raise InvalidTokenError
        now, asked = context.clock(), request.headers.get(ORGANISATION_HEADER)
        with context.database.system_transaction() as session:
            principal = authenticate_token(session, context.settings, token.strip(), now, asked=asked)
        wait = context.requests.count(principal.id, now)
        if wait > timedelta(0):
            raise TooManyRequestsError(wait)
        if scope is not None and scope.value not in principal.scopes:
            raise MissingScopeError(scope.value)
        return principal

    return authenticate_client


def person_acting(context: AccessContext, request: Request, person: Principal) -> Principal:
    """A signed-in person who calls a route of programs: the header may only name the person's own organisation.

    Raises ForeignOrganisationError.
    """
    asked = request.headers.get(ORGANISATION_HEADER)
    if asked is not None and asked != str(person.organisation_id):
        with context.database.transaction(person.organisation_id) as session:
            if asked != session.exec(select(Organisation.siren)).one():
                raise ForeignOrganisationError
    return person


def _limit(per_minute: int, burst: int) -> RateLimit | None:
    return RateLimit(per_minute, burst) if per_minute else None
