"""An operator connects, routes and suspends platforms, and settles deliveries, from the terminal."""

from uuid import uuid4

import pytest
from sqlmodel import select
from typer.testing import CliRunner

from gateway.access.service import create_agency
from gateway.cli import access, app
from gateway.flows.platforms.errors import InvalidConnectionError, SecretUnavailableError
from gateway.flows.platforms.model import PlatformConnection
from gateway.jobs.errors import DeliveryNotFoundError, DeliveryNotSettledByPersonError
from gateway.jobs.model import DeliveryTry, OutboxMessage, OutboxState
from gateway.jobs.outbox import put_in_outbox
from gateway.ledger.model import LedgerEntry

ADD = ("platforms", "add", "--platform", "standard", "--client-id", "id", "--secret", "env:ABSENT_SECRET")
HERE = ("--flow-url", "http://127.0.0.1:9/flow-service/v1", "--token-url", "http://127.0.0.1:9/token")


@pytest.fixture
def run(database, organisation, monkeypatch):
    """Runs a command of `gateway` on the test's own database."""
    monkeypatch.setattr(access, "open_database", lambda _settings: database)
    monkeypatch.setattr(database, "close", lambda: None)

    def call(*arguments: str) -> str:
        result = CliRunner().invoke(app, arguments, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.output

    yield call
    monkeypatch.undo()


@pytest.fixture
def rows(database, organisation):
    def of(table: type) -> list:
        with database.transaction(organisation) as session:
            return list(session.exec(select(table)))

    return of


def test_platforms_are_connected_routed_and_listed_without_their_secrets(run, database, organisation):
    with database.transaction(organisation) as session:
        create_agency(session, siret="73282932000074", code="00074", name="Siège")
    assert "par défaut" in run(*ADD, *HERE, "one")
    assert "par défaut" not in run(*ADD, *HERE, "two")
    route = run("platforms", "route", "two", "--agency", "73282932000074", "--rule", "B2B").split()[0]
    listed = run("platforms", "list")
    assert "B2B -> two" in listed
    assert "ABSENT_SECRET" not in listed
    run("platforms", "unroute", route)
    run("platforms", "default", "two")
    assert "désactivée" in run("platforms", "disable", "one")
    listed = run("platforms", "list")
    assert "->" not in listed
    assert [line.split()[0] for line in listed.splitlines() if "par défaut" in line] == ["two"]
    assert "désactivée" not in run("platforms", "enable", "one")


def test_credentials_and_number_of_a_connection_change(run, rows):
    run(*ADD, *HERE, "one")
    run("platforms", "credentials", "one", "--client-id", "new", "--secret", "file:/run/secret")
    run("platforms", "number", "one", "0042")
    [row] = rows(PlatformConnection)
    assert (row.client_id, row.secret_reference, row.number) == ("new", "file:/run/secret", "0042")
    with pytest.raises(InvalidConnectionError):
        run("platforms", "number", "one", "42")


def test_the_addresses_that_are_given_change_and_the_others_stay(run, rows):
    run(*ADD, *HERE, "one")
    run("platforms", "addresses", "one", "--flow-url", "https://pa.example/flow-service/v1/")
    run("platforms", "addresses", "one", "--directory-url", "https://pa.example/directory-service/v1")
    [row] = rows(PlatformConnection)
    assert (row.flow_url, row.directory_url, row.token_url) == (
        "https://pa.example/flow-service/v1",
        "https://pa.example/directory-service/v1",
        "http://127.0.0.1:9/token",
    )
    for refused in (("--token-url", "http://pa.example/token"), ()):
        with pytest.raises(InvalidConnectionError):
            run("platforms", "addresses", "one", *refused)
    assert [entry.content["directory_url"] for entry in rows(LedgerEntry) if "directory_url" in entry.content] == [
        "https://pa.example/directory-service/v1"
    ]


def test_a_test_of_a_platform_says_what_fails_and_the_list_remembers(run):
    run(*ADD, *HERE, "one")
    with pytest.raises(SecretUnavailableError):
        run("platforms", "test", "one")
    assert "ABSENT_SECRET" in run("platforms", "list")


@pytest.fixture
def stuck(database, organisation, clock):
    """A delivery that waits for a person."""
    with database.transaction(organisation) as session:
        payload = {"platform": "one", "name": "invoice.xml"}
        put_in_outbox(session, kind="platform.flow", idempotency_key="k", payload=payload, now=clock())
        message = session.exec(select(OutboxMessage)).one()
        message.state, message.attempts, message.last_error = OutboxState.AMBIGUOUS.value, 3, "nobody can tell"
        session.add(message)
        return message.id


def test_a_delivery_that_waits_for_a_person_is_listed_with_its_reason(run, stuck):
    listed = run("deliveries", "list")
    assert all(word in listed for word in (str(stuck), "ambiguous", "one", "invoice.xml", "nobody can tell"))


def test_each_of_its_tries_is_listed_under_it(run, stuck, database, organisation, clock):
    with database.transaction(organisation) as session:
        for number, outcome, reason in ((1, "failed", "HTTP 503"), (2, "in_doubt", "no answer")):
            tried = {"started_at": clock(), "ended_at": clock(), "outcome": outcome, "reason": reason}
            session.add(DeliveryTry(organisation_id=organisation, delivery_id=stuck, number=number, **tried))
    lines = [line.strip() for line in run("deliveries", "list").splitlines()]
    assert lines[-2:] == [
        "1.  2026-10-05 10:00:00  Échec  HTTP 503",
        "2.  2026-10-05 10:00:00  Issue inconnue  no answer",
    ]


def test_a_person_has_it_sent_again(run, stuck, rows):
    run("deliveries", "again", str(stuck))
    [message] = rows(OutboxMessage)
    assert (message.state, message.attempts) == (OutboxState.PENDING, 0)
    assert "delivery.sent_again" in [entry.kind for entry in rows(LedgerEntry)]
    assert run("deliveries", "list") == ""


def test_a_person_records_that_it_arrived(run, stuck, rows):
    run("deliveries", "arrived", str(stuck), "--remote-id", "F-1")
    [message] = rows(OutboxMessage)
    assert (message.state, message.remote_id, message.last_error) == (OutboxState.SENT, "F-1", None)
    assert message.sent_at is not None
    assert "delivery.found_arrived" in [entry.kind for entry in rows(LedgerEntry)]


def test_only_a_delivery_that_waits_for_a_person_is_settled(run, stuck):
    run("deliveries", "arrived", str(stuck))
    for decision in ("again", "arrived"):
        with pytest.raises(DeliveryNotSettledByPersonError):
            run("deliveries", decision, str(stuck))
        with pytest.raises(DeliveryNotFoundError):
            run("deliveries", decision, str(uuid4()))
