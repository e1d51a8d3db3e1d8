"""A token opens a route only when the gateway signed it, for itself, for a live client, and its time has come."""

import base64
import hmac
import json
from datetime import timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey

from gateway.access import service
from gateway.access.errors import InvalidTokenError
from gateway.access.signing_keys import CLOCK_SKEW, private_key, rotate, signing_key
from gateway.access.tokens import TOKEN_TYPE, authenticate_token, issue_token
from gateway.kernel.settings import load_settings
from tests.conftest import SELLER_SIREN, START, add_organisation, fresh_database

NOWHERE = "https://elsewhere.example"


def encoded(part):
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def decoded(segment):
    return json.loads(base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))


class World:
    """One client, its good token, and the key that signed it."""

    def __init__(self, database):
        self.database, self.settings = database, load_settings()
        with database.transaction(add_organisation(database, SELLER_SIREN, "Comptoir")) as session:
            self.made = service.create_client(session, name="ERP", scopes=["flows:read"], now=START)
        self.token = self.issue()
        with database.system_transaction() as session:
            self.row = signing_key(session, self.settings, START)
        self.key = private_key(self.row, self.settings)
        header, claims, _ = self.token.split(".")
        self.header, self.claims = decoded(header), decoded(claims)

    def issue(self):
        with self.database.system_transaction() as session:
            return issue_token(
                session,
                self.settings,
                client_id=self.made.client.client_id,
                secret=self.made.secret,
                scopes=frozenset(),
                now=START,
            ).token

    def signed(self, claims=None, header=None, key=None, leave_out=None):
        """The good token with something changed, signed with the gateway's own key unless another is given."""
        content = {name: value for name, value in (self.claims | (claims or {})).items() if name != leave_out}
        head = self.header | (header or {})
        return jwt.encode(head, content, key or self.key, algorithms=[head["alg"]], default_type=None)

    def ask(self, token, settings=None, now=START):
        with self.database.system_transaction() as session:
            return authenticate_token(session, settings or self.settings, token, now)


@pytest.fixture(scope="module")
def world(server_url):
    """A world that tests only look at."""
    with fresh_database(server_url) as database:
        yield World(database)


@pytest.fixture
def own_world(database):
    """A world that a test may change."""
    return World(database)


def test_what_is_signed_again_unchanged_is_good(world):
    assert world.ask(world.token).name == world.ask(world.signed()).name == "ERP"


def test_a_token_says_what_rfc_9068_wants(world):
    assert world.header == {"typ": "at+jwt", "alg": "ES256", "kid": world.row.kid}
    assert world.claims["iss"] == world.claims["aud"] == "http://127.0.0.1:8000"
    assert world.claims["sub"] == world.claims["client_id"] == world.made.client.client_id
    assert (world.claims["org"], world.claims["scope"]) == (str(world.made.client.organisation_id), "flows:read")
    assert world.claims["exp"] - world.claims["iat"] == 3600
    assert world.claims["jti"] != decoded(world.issue().split(".")[1])["jti"]


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": NOWHERE},
        {"aud": NOWHERE},
        {"aud": [NOWHERE]},
        {"sub": "gw-another"},
        {"org": str(uuid4())},
        {"secret_version": 0},
        {"secret_version": 2},
        {"exp": "tomorrow"},
        {"client_id": ["a", "list"]},
        {"client_id": "nul\x00"},
        {"client_id": "gw-unknown"},
    ],
)
def test_a_claim_that_is_not_ours_opens_nothing_even_well_signed(world, claims):
    with pytest.raises(InvalidTokenError):
        world.ask(world.signed(claims))


@pytest.mark.parametrize(
    "claim", ["iss", "aud", "sub", "client_id", "org", "scope", "secret_version", "iat", "exp", "jti"]
)
def test_a_claim_left_out_opens_nothing(world, claim):
    with pytest.raises(InvalidTokenError):
        world.ask(world.signed(leave_out=claim))


@pytest.mark.parametrize(("late", "good"), [(timedelta(seconds=-1), True), (timedelta(0), False)])
def test_a_token_is_over_to_the_second_whatever_the_skew(world, late, good):
    then = START + world.settings.token_length + late
    if good:
        assert world.ask(world.token, now=then)
    else:
        with pytest.raises(InvalidTokenError):
            world.ask(world.token, now=then)


@pytest.mark.parametrize("claim", ["iat", "nbf"])
def test_a_token_from_the_future_passes_within_the_skew_between_machines_only(world, claim):
    edge = world.claims["iat"] + int(CLOCK_SKEW.total_seconds())
    assert world.ask(world.signed({claim: edge}))
    with pytest.raises(InvalidTokenError):
        world.ask(world.signed({claim: edge + 1}))


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE"])
def test_a_token_without_signature_opens_nothing(world, algorithm):
    for signature in ("", world.token.split(".")[2]):
        with pytest.raises(InvalidTokenError):
            world.ask(f"{encoded(world.header | {'alg': algorithm})}.{encoded(world.claims)}.{signature}")


def test_the_public_key_is_no_shared_secret(world):
    """The classic confusion: HMAC keyed with the published key."""
    body = f"{encoded(world.header | {'alg': 'HS256'})}.{encoded(world.claims)}"
    for public in (world.key.as_pem(private=False), json.dumps(world.row.public_key).encode()):
        mac = base64.urlsafe_b64encode(hmac.digest(public, body.encode(), "sha256")).rstrip(b"=").decode()
        with pytest.raises(InvalidTokenError):
            world.ask(f"{body}.{mac}")


@pytest.mark.parametrize(
    ("algorithm", "key"),
    [
        ("ES256", ECKey.generate_key("P-256")),
        ("ES384", ECKey.generate_key("P-384")),
        ("Ed25519", OKPKey.generate_key("Ed25519")),
    ],
)
def test_another_key_under_the_identifier_of_ours_opens_nothing(world, algorithm, key):
    with pytest.raises(InvalidTokenError):
        world.ask(world.signed(header={"alg": algorithm}, key=key))


@pytest.mark.parametrize("carried", ["jwk", "jku", "x5u"])
def test_a_key_that_a_token_brings_along_is_not_looked_at(world, carried):
    mine = ECKey.generate_key("P-256")
    value = mine.as_dict(private=False) if carried == "jwk" else f"{NOWHERE}/keys.json"
    with pytest.raises(InvalidTokenError):
        world.ask(world.signed(header={carried: value}, key=mine))


@pytest.mark.parametrize("header", [{"kid": "unknown"}, {"kid": "nul\x00"}, {"kid": "' OR 1=1"}, {"typ": "JWT"}])
def test_an_unknown_key_or_another_kind_of_token_opens_nothing(world, header):
    with pytest.raises(InvalidTokenError):
        world.ask(world.signed(header=header))


def test_the_type_of_an_access_token_is_asked_for(world):
    assert world.header["typ"] == TOKEN_TYPE
    header = {name: value for name, value in world.header.items() if name != "typ"}
    with pytest.raises(InvalidTokenError):
        world.ask(jwt.encode(header, world.claims, world.key, algorithms=["ES256"], default_type=None))


@pytest.mark.parametrize("claims", [{"scope": "flows:read flows:write"}, {"exp": 2**40}, {"client_id": "gw-other"}])
def test_changed_claims_break_the_signature(world, claims):
    header, _, signature = world.token.split(".")
    with pytest.raises(InvalidTokenError):
        world.ask(f"{header}.{encoded(world.claims | claims)}.{signature}")


def test_a_scope_that_the_client_does_not_hold_is_worth_nothing(world):
    assert world.ask(world.signed({"scope": "flows:read flows:write"})).scopes == {"flows:read"}


def test_another_installation_does_not_take_the_token(world, tmp_path):
    with pytest.raises(InvalidTokenError):
        world.ask(world.token, load_settings(data_dir=tmp_path, public_url="https://other.example"))


def test_a_dropped_key_ends_its_tokens(own_world):
    with own_world.database.system_transaction() as session:
        rotate(session, own_world.settings, START, void_previous=True)
    with pytest.raises(InvalidTokenError):
        own_world.ask(own_world.token)
    assert own_world.ask(own_world.issue())


def test_a_new_secret_or_a_revocation_ends_the_tokens_at_once(own_world):
    client_id = own_world.made.client.client_id
    with own_world.database.system_transaction() as session:
        renewed = service.rotate_client_secret(session, client_id)
        own_world.made = service.NewClient(own_world.made.client, renewed.secret)
    with pytest.raises(InvalidTokenError):
        own_world.ask(own_world.token)
    token = own_world.issue()
    assert own_world.ask(token)
    with own_world.database.system_transaction() as session:
        service.revoke_client(session, client_id)
    with pytest.raises(InvalidTokenError):
        own_world.ask(token)


@given(st.one_of(st.text(), st.from_regex(r"[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*", fullmatch=True)))
def test_no_text_makes_anything_but_a_refusal(world, text):
    with pytest.raises(InvalidTokenError):
        world.ask(text)


@pytest.mark.parametrize("payload", ["[" * 50_000, "[1]", '{"client_id": "\\ud800"}', "null", '{"client_id": NaN}'])
def test_strange_json_is_a_refusal(world, payload):
    body = base64.urlsafe_b64encode(payload.encode()).rstrip(b"=").decode()
    with pytest.raises(InvalidTokenError):
        world.ask(f"{encoded({'alg': 'ES256', 'kid': 'k'})}.{body}.c2ln")
