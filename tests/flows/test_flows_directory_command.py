"""`gateway directory check`: the answer, its exit code, and no organisation needed beside the only one."""

import json

import pytest
from typer.testing import CliRunner

from gateway.app.services import build_services
from gateway.cli import directory
from gateway.flows.directory.errors import DirectoryTimeoutError, PastDayError
from gateway.flows.directory.simulated import SimulatedDirectory

GOOD, UPCOMING = "166909655", "166909655_COMPTA"


@pytest.fixture
def run(database, settings, clock, organisation, monkeypatch):
    """Runs the command on the database of the test."""
    monkeypatch.setattr(directory, "load_settings", lambda: settings)
    monkeypatch.setattr(directory, "configure_logs", lambda _: None)
    monkeypatch.setattr(directory, "build_services", lambda _: build_services(settings, clock=clock, database=database))
    return lambda *arguments: CliRunner().invoke(directory.directory_app, ["check", *arguments])


def test_a_good_address_is_said_in_words_and_exits_with_0(run):
    done = run(GOOD)
    assert done.exit_code == 0
    assert done.output.startswith(f"{GOOD}  addressable  Plomberie Escarbielle SA\n  L’adresse {GOOD} reçoit")


def test_one_bad_address_among_others_exits_with_1_and_each_has_its_line_of_json(run):
    done = run("--format", "json", GOOD, UPCOMING)
    assert done.exit_code == 1
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(each["address"], each["addressable"]) for each in answers] == [(GOOD, True), (UPCOMING, False)]
    assert answers[1]["effective_from"] == "2027-01-01"


def test_a_day_to_come_is_asked_for_and_one_that_has_passed_is_refused(run):
    done = run("--format", "json", "--on", "2027-01-01", UPCOMING)
    assert done.exit_code == 0
    told = json.loads(done.stdout)
    assert (told["on"], told["addressable"], told["verdict"]) == ("2027-01-01", True, "addressable")
    assert isinstance(run("--on", "2020-01-01", GOOD).exception, PastDayError)


def test_a_silent_directory_exits_with_2(run, monkeypatch):
    def silent(*_: object) -> None:
        raise DirectoryTimeoutError

    monkeypatch.setattr(SimulatedDirectory, "search", silent)
    done = run("--format", "json", GOOD)
    assert done.exit_code == 2
    assert json.loads(done.stdout.splitlines()[-1])["addressable"] is None


def test_nothing_in_an_address_acts_on_the_terminal(run):
    done = run("a\x1b[2J")
    assert done.exit_code == 1
    assert "\x1b" not in done.output
