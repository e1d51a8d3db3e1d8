"""`gateway ingest` takes files as a billing system would push them, and says what becomes of each."""

import io
import json
import os
import sys
from types import SimpleNamespace

import pytest
import typer
from structlog.testing import capture_logs
from typer.testing import CliRunner

from fixtures.broken import broken_samples
from gateway.app import services as assembly
from gateway.cli import ingest
from gateway.flows.model import Flow, FlowState
from gateway.jobs.model import OutboxMessage, OutboxState
from gateway.kernel.settings import load_settings
from gateway.lifecycle.model import InvoiceRecord


@pytest.fixture
def command(world, tmp_path, monkeypatch):
    """Runs the command on the test's database; returns exit code, standard output and standard error."""
    settings = load_settings(data_dir=tmp_path / "data", worker_concurrency=1, log_level="error")

    def services(_settings):
        return assembly.build_services(settings, database=world.database, clock=world.clock)

    monkeypatch.setattr(ingest, "build_services", services)
    monkeypatch.setattr(ingest, "load_settings", lambda: settings)
    monkeypatch.setattr(ingest, "configure_logs", lambda _: None)
    app = typer.Typer()
    app.command()(ingest.ingest_command)

    def run(*arguments: object, stdin: bytes = b"") -> SimpleNamespace:
        with capture_logs():
            result = CliRunner().invoke(app, [str(each) for each in arguments], input=stdin)
        return SimpleNamespace(code=result.exit_code, out=result.stdout, err=result.stderr, raised=result.exception)

    return run


@pytest.fixture
def folder(tmp_path, invoice):
    """A folder with two valid invoices and a file of another kind."""
    path = tmp_path / "exports"
    path.mkdir()
    for number in ("F1", "F2"):
        (path / f"{number}.xml").write_bytes(invoice(number))
    (path / "notes.txt").write_text("rien")
    return path


def test_a_folder_of_valid_invoices_is_taken_processed_sent_and_told_as_json(command, folder, world):
    result = command(folder, "--format", "json")
    assert result.code == 0, result.raised
    told = json.loads(result.out)
    assert [each["path"] for each in told] == [str(folder / "F1.xml"), str(folder / "F2.xml")]
    assert [(each["verdict"], each["acknowledgement"]) for each in told] == [("valid", "Ok")] * 2
    assert [each["invoices"] for each in told] == [[{"number": n, "status": None}] for n in ("F1", "F2")]
    assert {each["flow"] for each in told} == {str(flow.id) for flow in world.rows(Flow)}
    assert [message.state for message in world.rows(OutboxMessage)] == [OutboxState.SENT] * 2


def test_taken_again_nothing_changes_and_it_says_so(command, folder, world):
    command(folder)
    result = command(folder, "--format", "json")
    assert result.code == 0
    assert all(each["already_known"] for each in json.loads(result.out))
    assert len(world.rows(Flow)) == len(world.rows(InvoiceRecord)) == 2


def test_a_refused_invoice_is_code_1_with_its_findings_and_its_alert(command, folder, tmp_path):
    broken = next(each.data for each in broken_samples() if each.name == "xsd-decimal-comma-ubl")
    (folder / "broken.xml").write_bytes(broken)
    result = command(folder, "--lang", "en")
    assert result.code == 1, result.raised
    assert "invalid" in result.out
    assert "1250,00" in result.out
    assert "alert : " in result.out


def test_what_cannot_be_read_is_code_2_and_the_others_go_on(command, folder, tmp_path, world):
    (folder / "text.xml").write_text("bonjour")
    result = command(folder, tmp_path / "missing.xml", "--format", "json")
    assert result.code == 2
    told = {each["path"].rsplit("/", 1)[1]: each for each in json.loads(result.out)}
    assert told["missing.xml"]["error"]["code"] == "UNOPENABLE_FILE"
    assert told["text.xml"]["verdict"] == "unreadable"
    assert len(world.rows(InvoiceRecord)) == 2


def test_a_file_name_that_is_no_text_is_taken_under_a_name_that_can_be_kept_and_shown(
    command, invoice, tmp_path, world
):
    named = os.fsencode(tmp_path) + b"/facture_\xe9t\xe9\x1b[2J.xml"  # Latin-1, and an order to the terminal
    with open(named, "wb") as file:
        file.write(invoice("F1"))
    for format in ("json", "text"):
        result = command(os.fsdecode(named), "--format", format)
        assert result.code == 0, result.raised
        assert "\x1b[2J" not in result.out
    assert [flow.name for flow in world.rows(Flow)] == [r"facture_\xe9t\xe9\x1b[2J.xml"]


def test_standard_input_is_read(command, invoice, world):
    result = command("-", stdin=invoice("F1"))
    assert result.code == 0, result.raised
    assert [(flow.name, flow.source) for flow in world.rows(Flow)] == [("stdin", "file")]


def test_no_wait_only_stores(command, folder, world):
    result = command(folder, "--no-wait", "--format", "json")
    assert result.code == 0
    assert [flow.state for flow in world.rows(Flow)] == [FlowState.RECEIVED] * 2
    assert [each["verdict"] for each in json.loads(result.out)] == [None, None]


def test_with_several_organisations_one_must_be_named(command, folder, world, seller, other_organisation):
    result = command(folder)
    assert "--organisation" in str(result.raised)
    assert world.rows(Flow) == []
    assert command(folder, "--organisation", seller.siren).code == 0


def test_a_file_over_the_limit_is_refused_without_reading_it_whole(monkeypatch):
    endless = SimpleNamespace(buffer=io.BytesIO(b"x" * 100))
    monkeypatch.setattr(sys, "stdin", endless)
    with pytest.raises(ingest.FileSizeExceededError):
        ingest._read("-", 50)
    assert endless.buffer.tell() == 51
