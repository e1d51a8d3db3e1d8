"""`POST /oauth2/token`, and the check of bearer tokens that every API route depends on."""

import binascii
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import unquote_plus

from fastapi import APIRouter, Form, Request
from starlette.responses import JSONResponse

from gateway.access.errors import InvalidClientError, InvalidScopeError, InvalidTokenError, MissingScopeError
from gateway.access.principal import Principal
from gateway.access.roles import ApiScope
from gateway.access.tokens import authenticate_token, issue_token
from gateway.database.engine import Database
from gateway.kernel.clock import Clock
from gateway.kernel.settings import Settings

_NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}


@dataclass(frozen=True, slots=True)
class AccessContext:
    """What the routes of access need."""

    database: Database
    settings: Settings
    clock: Clock


def router(context: AccessContext) -> APIRouter:
    """Route `POST /oauth2/token`: client credentials by Basic or in the body; errors as RFC 6749, 5.2 says."""
    routes = APIRouter(tags=["OAuth2"])

    @routes.post("/oauth2/token", summary="Access token for a program (client credentials)")
    def token(
        request: Request,
        grant_type: Annotated[str, Form()] = "",
        client_id: Annotated[str, Form()] = "",
        client_secret: Annotated[str, Form()] = "",
        scope: Annotated[str, Form(description="Scopes, separated by spaces; all those of the client if empty.")] = "",
    ) -> JSONResponse:
        if not grant_type:
            return _refusal(400, "invalid_request", "grant_type is missing")
        if grant_type != "client_credentials":
            return _refusal(400, "unsupported_grant_type", "only client_credentials is supported")
        try:
            known_by = _basic_credentials(request) or (client_id, client_secret)
            with context.database.system_transaction() as session:
                issued = issue_token(
                    session,
                    context.settings,
                    client_id=known_by[0],
                    secret=known_by[1],
                    scopes=frozenset(scope.split()),
                    now=context.clock(),
                )
        except InvalidClientError as error:
            return _refusal(401, "invalid_client", str(error), {"WWW-Authenticate": 'Basic realm="gateway"'})
        except InvalidScopeError as error:
            return _refusal(400, "invalid_scope", str(error))
        return JSONResponse(
            {
                "access_token": issued.token,
                "token_type": "Bearer",
                "expires_in": issued.expires_in,
                "scope": " ".join(issued.scopes),
            },
            headers=_NO_STORE,
        )

    return routes


def client_authentication(context: AccessContext, scope: ApiScope | None = None) -> Callable[[Request], Principal]:
    """A dependency that gives the program behind a request's bearer token, which must hold `scope`.

    It raises InvalidTokenError (401) or MissingScopeError (403).
    """

    def authenticate_client(request: Request) -> Principal:
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer" or not token.strip():
            raise InvalidTokenError
        with context.database.system_transaction() as session:
            principal = authenticate_token(session, token.strip(), context.clock())
        if scope is not None and scope.value not in principal.scopes:
            raise MissingScopeError(scope.value)
        return principal

    return authenticate_client


def _basic_credentials(request: Request) -> tuple[str, str] | None:
    """Identifier and secret of an `Authorization: Basic` header, None without one. Raises InvalidClientError."""
    kind, _, encoded = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "basic":
        return None
    try:
        client_id, colon, secret = b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise InvalidClientError from error
    if not colon:
        raise InvalidClientError
    return unquote_plus(client_id), unquote_plus(secret)


def _refusal(status: int, error: str, description: str, headers: dict[str, str] | None = None) -> JSONResponse:
    body = {"error": error, "error_description": description}
    return JSONResponse(body, status_code=status, headers=_NO_STORE | (headers or {}))
