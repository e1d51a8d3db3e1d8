"""`POST /oauth2/token`, and what other systems find out about it: the public keys and the metadata (RFC 8414)."""

import binascii
from base64 import b64decode
from datetime import timedelta
from math import ceil
from typing import Annotated, Any
from urllib.parse import unquote_plus

from fastapi import APIRouter, Form, Request
from starlette.responses import JSONResponse

from gateway.access.api import AccessContext
from gateway.access.errors import InvalidClientError, InvalidScopeError
from gateway.access.roles import ApiScope
from gateway.access.signing_keys import known_keys
from gateway.access.tokens import issue_token

TOKEN_PATH, KEYS_PATH = "/oauth2/token", "/.well-known/jwks.json"
_NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}
_CACHED = {"Cache-Control": "public, max-age=300"}


def router(context: AccessContext) -> APIRouter:
    """The routes: `POST /oauth2/token` takes client credentials by Basic or in the body; errors as RFC 6749, 5.2."""
    routes = APIRouter(tags=["OAuth2"])

    @routes.post(TOKEN_PATH, summary="Access token for a program (client credentials)")
    def token(
        request: Request,
        grant_type: Annotated[str, Form()] = "",
        client_id: Annotated[str, Form()] = "",
        client_secret: Annotated[str, Form()] = "",
        scope: Annotated[str, Form(description="Scopes, separated by spaces; all those of the client if empty.")] = "",
    ) -> JSONResponse:
        address = request.client.host if request.client else "unknown"
        wait = context.token_requests.count(address, context.clock())
        if wait > timedelta(0):
            headers = {"Retry-After": str(ceil(wait.total_seconds()))}
            return _refusal(429, "temporarily_unavailable", "too many requests from this address", headers)
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

    @routes.get(KEYS_PATH, summary="Public keys of the access tokens (RFC 7517)")
    def keys() -> JSONResponse:
        with context.database.system_transaction() as session:
            known = [key.public_key for key in known_keys(session, context.clock())]
        return JSONResponse({"keys": known}, headers=_CACHED)

    @routes.get("/.well-known/oauth-authorization-server", summary="Metadata of the token service (RFC 8414)")
    def metadata() -> JSONResponse:
        return JSONResponse(_metadata(context.settings.issuer), headers=_CACHED)

    return routes


def _metadata(issuer: str) -> dict[str, Any]:
    return {
        "issuer": issuer,
        "token_endpoint": issuer + TOKEN_PATH,
        "jwks_uri": issuer + KEYS_PATH,
        "scopes_supported": [scope.value for scope in ApiScope],
        "response_types_supported": [],
        "grant_types_supported": ["client_credentials"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
    }


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
