"""The operator's commands: from an empty database to the first administrator and the first program."""

from datetime import timedelta

import pytest
from typer.testing import CliRunner

from gateway.access.errors import (
    ForeignOrganisationError,
    InvalidClientError,
    InvalidTokenError,
    UnknownAgencyError,
    UnknownClientError,
    UnknownOrganisationError,
    UnknownUserError,
    UnlimitableScopeError,
    WeakPasswordError,
)
from gateway.access.sign_in import sign_in
from gateway.access.tokens import authenticate_token, issue_token
from gateway.cli import COMMANDS, access, app, clients
from tests.conftest import add_organisation

PASSWORD = "une phrase de passe assez longue"
ADMINISTRATOR = ["users", "add", "claire@comptoir.example", "--role", "administrator", "--name", "Claire Moreau"]


@pytest.fixture
def run(database, monkeypatch, clock):
    """Call `gateway …` on the test's database; errors come through as they are."""
    monkeypatch.setattr(access, "open_database", lambda settings: database)
    monkeypatch.setattr(clients, "system_clock", clock)

    def call(*arguments, stdin=""):
        result = CliRunner().invoke(app, arguments, input=stdin, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.output

    return call


def test_the_first_administrator_is_made_by_command_and_signs_in(run, database, settings, clock):
    run("organisations", "add", "732829320", "Comptoir des Matériaux")
    run(*ADMINISTRATOR, "--password-stdin", stdin=PASSWORD + "\n")
    signed_in = sign_in(
        database, settings, email="claire@comptoir.example", password=PASSWORD, address="192.0.2.1", now=clock()
    )
    assert signed_in.principal.name == "Claire Moreau"
    assert "732829320  Comptoir des Matériaux" in run("organisations", "list")


def test_a_password_asked_on_the_terminal_is_not_shown(run, organisation):
    output = run(*ADMINISTRATOR, stdin=f"{PASSWORD}\n{PASSWORD}\n")
    assert "claire@comptoir.example" in output
    assert PASSWORD not in output


def test_a_collector_is_limited_to_agencies_and_key_accounts_by_command(run, database, organisation, settings, clock):
    run("agencies", "add", "73282932000074", "Lyon", "--code", "LYON")
    run(
        "users", "add", "karim@comptoir.example", "--role", "collector", "--name", "Karim",
        "--agency", "73282932000074", "--key-account", "552100554", "--password-stdin", stdin=PASSWORD,
    )  # fmt: skip
    scope = sign_in(
        database, settings, email="karim@comptoir.example", password=PASSWORD, address="192.0.2.1", now=clock()
    ).principal.scope
    assert len(scope.agencies) == 1
    assert scope.key_accounts == {"552100554"}
    assert "73282932000074  LYON  Lyon" in run("agencies", "list")


def test_a_forgotten_password_is_changed_and_a_leaver_is_locked_out(run, database, organisation, settings, clock):
    run(*ADMINISTRATOR, "--password-stdin", stdin=PASSWORD)
    run("users", "password", "claire@comptoir.example", "--password-stdin", stdin="une phrase toute nouvelle")
    credentials = {"email": "claire@comptoir.example", "password": "une phrase toute nouvelle", "address": "192.0.2.1"}
    assert sign_in(database, settings, **credentials, now=clock())
    run("users", "deactivate", "claire@comptoir.example")
    with pytest.raises(Exception, match="Wrong e-mail address or password"):
        sign_in(database, settings, **credentials, now=clock())


def printed(output):
    return dict(line.split(maxsplit=1) for line in output.splitlines())


def token(database, settings, clock, shown):
    with database.system_transaction() as session:
        return issue_token(
            session,
            settings,
            client_id=shown["client_id"],
            secret=shown["client_secret"],
            scopes=frozenset(),
            now=clock(),
        )


def principal_of(database, settings, clock, issued, asked=None):
    with database.system_transaction() as session:
        return authenticate_token(session, settings, issued.token, clock(), asked=asked)


def test_a_programs_secret_is_printed_once_and_opens_a_token(run, database, organisation, settings, clock):
    shown = printed(run("clients", "add", "ERP", "--scope", "flows:write"))
    assert token(database, settings, clock, shown).scopes == ("flows:write",)
    listed = run("clients", "list")
    assert shown["client_id"] in listed
    assert shown["client_secret"] not in listed


def test_a_new_secret_replaces_the_old_one_and_a_revoked_program_is_listed_as_such(
    run, database, organisation, settings, clock
):
    old = printed(run("clients", "add", "ERP"))
    new = printed(run("clients", "rotate-secret", old["client_id"]))
    assert new["client_id"] == old["client_id"]
    with pytest.raises(InvalidClientError):
        token(database, settings, clock, old)
    assert token(database, settings, clock, new)
    assert "actif / active" in run("clients", "list")
    run("clients", "revoke", old["client_id"])
    with pytest.raises(InvalidClientError):
        token(database, settings, clock, new)
    assert "révoqué / revoked" in run("clients", "list")


def test_a_program_of_several_organisations_acts_for_the_one_asked_and_no_third(
    run, database, organisation, other_organisation, settings, clock
):
    third = add_organisation(database, "167981018", "Troisième Maison")
    issued = token(
        database,
        settings,
        clock,
        printed(run("clients", "add", "ERP", "--organisation", "732829320", "--organisation", "552100554")),
    )
    for asked, served in (
        (None, organisation),
        ("732829320", organisation),
        (str(organisation), organisation),
        ("552100554", other_organisation),
        (str(other_organisation), other_organisation),
    ):
        assert principal_of(database, settings, clock, issued, asked).organisation_id == served
    for asked in ("167981018", str(third), "", "nobody", "nul\x00"):
        with pytest.raises(ForeignOrganisationError):
            principal_of(database, settings, clock, issued, asked)
    assert "organisations  732829320 552100554" in run("clients", "list")


def test_a_program_limited_to_an_agency_holds_only_what_can_be_narrowed(run, database, organisation, settings, clock):
    run("agencies", "add", "73282932000074", "Lyon")
    limited = ["clients", "add", "Agence de Lyon", "--agency", "73282932000074"]
    issued = token(database, settings, clock, printed(run(*limited)))
    principal = principal_of(database, settings, clock, issued)
    assert len(principal.scope.agencies) == 1
    assert principal.scope.key_accounts == frozenset()
    assert {"flows:write", "invoices:read"} <= principal.scopes
    assert not {"flows:read", "events:read", "webhooks:manage"} & principal.scopes
    assert "agencies       73282932000074" in run("clients", "list")
    with pytest.raises(UnlimitableScopeError, match="events:read"):
        run(*limited, "--scope", "events:read")


def test_signing_keys_are_rotated_and_listed_by_command(run, database, organisation, settings, clock):
    issued = token(database, settings, clock, printed(run("clients", "add", "ERP")))
    assert "signe / signs" in run("clients", "keys", "list")
    clock.advance(timedelta(seconds=1))
    new = run("clients", "keys", "rotate").strip()
    first, second = run("clients", "keys", "list").splitlines()
    assert (first.split()[0], "→" in second) == (new, True)
    assert principal_of(database, settings, clock, issued)
    run("clients", "keys", "rotate", "--void-previous")
    assert len(run("clients", "keys", "list").splitlines()) == 1
    with pytest.raises(InvalidTokenError):
        principal_of(database, settings, clock, issued)


@pytest.mark.parametrize("command", [*COMMANDS, "clients keys"])
def test_the_help_of_a_command_offers_nothing_but_its_own(command):
    output = CliRunner().invoke(app, [*command.split(), "--help"], catch_exceptions=False).output
    assert "--help" in output
    assert "--install-completion" not in output


@pytest.mark.parametrize(
    ("arguments", "stdin", "error"),
    [
        (["clients", "add", "ERP", "--organisation", "552100554"], "", UnknownOrganisationError),
        (["clients", "add", "ERP", "--agency", "73282932000074"], "", UnknownAgencyError),
        (["clients", "rotate-secret", "gw-unknown"], "", UnknownClientError),
        (["clients", "revoke", "gw-unknown"], "", UnknownClientError),
        (["users", "password", "personne@comptoir.example"], "", UnknownUserError),
        ([*ADMINISTRATOR, "--password-stdin"], "court", WeakPasswordError),
    ],
)
def test_what_cannot_be_done_is_a_named_error(run, organisation, arguments, stdin, error):
    with pytest.raises(error):
        run(*arguments, stdin=stdin)


def test_with_two_organisations_the_command_wants_one_named(run, organisation, other_organisation):
    with pytest.raises(UnknownOrganisationError, match="must be named"):
        run("clients", "add", "ERP")
    assert "client_id" in run("clients", "add", "ERP", "--organisation", "552100554")
