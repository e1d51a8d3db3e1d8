"""`gateway letters`: letterhead and texts are shown, stored and refused by name; a reminder is read beforehand."""

import json

import pytest
from sqlmodel import func, select
from typer.testing import CliRunner

from gateway.access.scope import Scope
from gateway.app.services import build_services
from gateway.cli import app, working
from gateway.collection.confirming import refuse
from gateway.collection.errors import ReminderNotFoundError
from gateway.collection.messages.errors import InvalidLetterheadError, InvalidTextsError
from gateway.kernel.clock import ManualClock
from gateway.ledger.model import Document
from tests.collection.owing import NOW, Collecting

PNG = b"\x89PNG\r\n\x1a\n" + b"x" * 20


@pytest.fixture
def house(database, organisation):
    return Collecting(database, organisation, ManualClock(NOW), automatic=False)


@pytest.fixture
def run(house, settings, monkeypatch):
    """Runs a command of `gateway` on the test's own database; errors come through as they are."""
    services = build_services(settings, clock=house.clock, database=house.database)
    monkeypatch.setattr(working, "build_services", lambda _settings: services)
    monkeypatch.setattr(house.database, "close", lambda: None)

    def call(*arguments, code=0):
        result = CliRunner().invoke(app, ["letters", *map(str, arguments)], catch_exceptions=False)
        assert result.exit_code == code, result.output
        return result.output

    yield call
    monkeypatch.undo()


def test_the_letterhead_is_stored_from_a_file_with_its_logo_and_shown(run, tmp_path):
    file, logo = tmp_path / "head.toml", tmp_path / "logo.png"
    file.write_text('name = "Négoce Valbrune"\naddress = ["4 quai des Bateliers"]\n')
    logo.write_bytes(PNG)
    stored = json.loads(run("head", "--from", file, "--logo", logo))
    assert stored["name"] == "Négoce Valbrune"
    assert json.loads(run("head")) == stored
    assert stored["logo"]


@pytest.mark.parametrize(
    ("content", "where"),
    [('name = "X"\niban = "FR7630006000011234567890188"', "iban"), ("name =", "head.toml"), ('nom = "X"', "name")],
)
def test_a_letterhead_that_would_mislead_is_refused_by_its_place_and_the_one_before_stays(
    run, tmp_path, content, where
):
    file = tmp_path / "head.toml"
    file.write_text(content)
    before = run("head")
    with pytest.raises(InvalidLetterheadError) as refused:
        run("head", "--from", file)
    assert refused.value.where == where
    assert run("head") == before


def test_texts_are_printed_changed_and_stored_and_the_original_ones_stay_at_hand(run, tmp_path):
    default, file = run("texts", "--default"), tmp_path / "texts.json"
    file.write_text(default.replace("Rappel : {total} échus", "Petit rappel : {total}"))
    stored = run("texts", "--from", file, "--comment", "Plus court.")
    assert "Petit rappel : {total}" in stored
    assert json.loads(run("texts")) == json.loads(stored)
    assert run("texts", "--default") == default
    file.write_text(default.replace("{total} échus", "{tout}"))
    with pytest.raises(InvalidTextsError) as refused:
        run("texts", "--from", file)
    assert refused.value.where.startswith("text[")


def test_a_reminder_is_read_beforehand_with_its_papers_and_nothing_is_kept(house, run, tmp_path):
    house.owe("F1")
    house.run()
    (reminder,) = house.reminders()
    said = run("preview", reminder.id, "--to", tmp_path / "preview")
    assert "F1" in said
    assert {each.name for each in (tmp_path / "preview").iterdir()} == {"message.html", "Relevé de compte.pdf"}
    with house.database.transaction(house.organisation) as session:
        assert session.exec(select(func.count()).select_from(Document)).one() == 0


def test_what_would_not_leave_says_why_and_what_is_unknown_is_refused(house, run):
    owing = house.owe("F1")
    house.run()
    (reminder,) = house.reminders()
    house.pay(owing)
    assert "Rien ne partirait : Payée" in run("preview", reminder.id, code=1)
    with house.database.transaction(house.organisation) as session:
        refuse(session, Scope.everything(), reminder.id, by="user:1", reason="x", now=house.clock())
    with pytest.raises(ReminderNotFoundError):
        run("preview", owing.id)
