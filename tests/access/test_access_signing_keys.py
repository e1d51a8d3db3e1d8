"""Signing keys: made when first needed, rotated by the clock, published, and of use to nobody else."""

from datetime import timedelta

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet
from sqlalchemy.exc import ProgrammingError
from sqlmodel import select

from gateway.access import service
from gateway.access.api import AccessContext
from gateway.access.errors import UnreadableSigningKeyError
from gateway.access.model import SigningKey
from gateway.access.oauth2 import router
from gateway.access.signing_keys import CLOCK_SKEW, keep_keys, known_keys, private_key, rotate, signing_key
from gateway.access.tokens import authenticate_token, issue_token


@pytest.fixture
def issue(database, settings, clock, organisation):
    with database.transaction(organisation) as session:
        made = service.create_client(session, name="ERP", scopes=["flows:read"], now=clock())

    def call(with_settings=settings):
        with database.system_transaction() as session:
            return issue_token(
                session,
                with_settings,
                client_id=made.client.client_id,
                secret=made.secret,
                scopes=frozenset(),
                now=clock(),
            ).token

    return call


@pytest.fixture
def system(database, settings, clock):
    """Call a function of keys as the system does."""

    def call(function, *rest, **named):
        with database.system_transaction() as session:
            return function(session, settings, clock(), *rest, **named)

    return call


def accepted(database, settings, clock, token):
    with database.system_transaction() as session:
        return authenticate_token(session, settings, token, clock()).name == "ERP"


def test_the_first_key_is_made_once(system, issue, database, clock):
    issue()
    issue()
    with database.system_transaction() as session:
        assert [key.kid for key in known_keys(session, clock())] == [system(signing_key).kid]


def test_processes_that_need_the_first_key_at_once_share_one(database, settings, clock):
    from concurrent.futures import ThreadPoolExecutor

    def first(_):
        with database.system_transaction() as session:
            return signing_key(session, settings, clock()).kid

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(first, range(4)))) == 1


def test_tokens_of_the_previous_key_live_until_they_expire(system, issue, database, settings, clock):
    old = issue()
    first = system(signing_key).kid
    assert system(rotate).kid != first
    new = issue()
    assert jwt.decode(new, KeySet.import_key_set(published(database, clock))).header["kid"] != first
    clock.advance(settings.token_length - timedelta(seconds=1))
    assert accepted(database, settings, clock, old)
    assert accepted(database, settings, clock, new)


def test_the_clock_rotates_an_old_key_once_and_drops_it_when_its_last_token_is_over(
    system, issue, database, settings, clock
):
    issue()
    first = system(signing_key)
    clock.advance(settings.signing_key_life - timedelta(seconds=1))
    system(keep_keys)
    assert system(signing_key).kid == first.kid
    clock.advance(timedelta(seconds=1))
    system(keep_keys)
    system(keep_keys)
    second = system(signing_key)
    assert second.kid != first.kid
    clock.advance(settings.token_length + CLOCK_SKEW - timedelta(seconds=1))
    system(keep_keys)
    assert kids(database) == {first.kid, second.kid}
    clock.advance(timedelta(seconds=1))
    system(keep_keys)
    assert kids(database) == {second.kid}


def test_the_clock_makes_no_key_that_nobody_needs(system, database):
    system(keep_keys)
    assert kids(database) == set()


def test_what_is_published_verifies_a_token_and_holds_no_private_part(issue, database, settings, clock, client_of):
    from fastapi import FastAPI

    app = FastAPI()
    app.include_router(router(AccessContext(database, settings, clock)))
    http = client_of(app)
    token = issue()
    metadata = http.get("/.well-known/oauth-authorization-server").json()
    assert metadata["issuer"] == "http://127.0.0.1:8000"
    assert metadata["token_endpoint"] == "http://127.0.0.1:8000/oauth2/token"
    assert "directory:read" in metadata["scopes_supported"]
    keys = http.get(metadata["jwks_uri"].removeprefix(metadata["issuer"])).json()
    assert jwt.decode(token, KeySet.import_key_set(keys)).claims["iss"] == metadata["issuer"]
    assert [set(key) for key in keys["keys"]] == [{"kty", "crv", "x", "y", "use", "alg", "kid"}]


def test_a_request_cannot_read_the_keys(database, organisation):
    with pytest.raises(ProgrammingError, match="permission denied"), database.transaction(organisation) as session:
        session.exec(select(SigningKey)).all()


def test_with_a_secret_the_database_alone_cannot_sign(database, settings, clock, issue):
    """A copy of the database is worth nothing without the secret; a changed secret is said and mended by a new key."""
    sealed = settings.model_copy(update={"signing_key_secret": secret("un secret de longueur honnête")})
    token = issue(sealed)
    with database.system_transaction() as session:
        row = signing_key(session, sealed, clock())
        assert row.private_key.startswith("-----BEGIN ENCRYPTED PRIVATE KEY-----")
        for wrong in (settings, settings.model_copy(update={"signing_key_secret": secret("un autre")})):
            with pytest.raises(UnreadableSigningKeyError):
                private_key(row, wrong)
    with pytest.raises(UnreadableSigningKeyError):
        issue()
    assert accepted(database, settings, clock, token)
    with database.system_transaction() as session:
        rotate(session, settings, clock())
    assert accepted(database, settings, clock, issue())


def secret(text):
    from pydantic import SecretStr

    return SecretStr(text)


def kids(database):
    with database.system_transaction() as session:
        return set(session.exec(select(SigningKey.kid)).all())


def published(database, clock):
    with database.system_transaction() as session:
        return {"keys": [key.public_key for key in known_keys(session, clock())]}
