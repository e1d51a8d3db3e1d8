"""The operator's commands: from an empty database to the first administrator and the first program."""

import pytest
from typer.testing import CliRunner

from gateway.access.errors import UnknownOrganisationError, UnknownUserError, WeakPasswordError
from gateway.access.sign_in import sign_in
from gateway.access.tokens import issue_token
from gateway.cli import access, app

PASSWORD = "une phrase de passe assez longue"
ADMINISTRATOR = ["users", "add", "claire@comptoir.example", "--role", "administrator", "--name", "Claire Moreau"]


@pytest.fixture
def run(database, monkeypatch):
    """Call `gateway …` on the test's database; errors come through as they are."""
    monkeypatch.setattr(access, "open_database", lambda settings: database)

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


def test_a_programs_secret_is_printed_once_and_opens_a_token(run, database, organisation, settings, clock):
    printed = dict(
        line.split(maxsplit=1) for line in run("clients", "add", "ERP", "--scope", "flows:write").splitlines()
    )
    with database.system_transaction() as session:
        issued = issue_token(
            session,
            settings,
            client_id=printed["client_id"],
            secret=printed["client_secret"],
            scopes=frozenset(),
            now=clock(),
        )
    assert issued.scopes == ("flows:write",)


@pytest.mark.parametrize(
    ("arguments", "stdin", "error"),
    [
        (["clients", "add", "ERP", "--organisation", "552100554"], "", UnknownOrganisationError),
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
