"""`gateway validate`: documents in order, one report each, and an exit code that scripts can rely on."""

import io
import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from rich.console import Console
from typer.testing import CliRunner, Result

from gateway import cli
from gateway.cli import app
from gateway.cli import validate as command
from gateway.kernel.errors import GatewayError
from gateway.kernel.settings import Settings, SettingsError
from gateway.schematron.errors import UnsupportedConstructError
from gateway.validation import batch
from gateway.validation.batch import Inputs, Order, find_inputs, validate_path, validate_paths
from gateway.validation.errors import ArtefactMissingError, UnknownOwnCheckError, WorkerDiedError
from gateway.validation.options import ValidationOptions
from gateway.validation.rendering import render
from gateway.validation.report import Report, Verdict
from gateway.validation.service import validate
from gateway.validation.settings import options_from

Valid = Callable[..., bytes]
Broken = Callable[[bytes, str, str | None], bytes]


def _run(*arguments: object, stdin: bytes | None = None) -> Result:
    return CliRunner().invoke(app, ["validate", *map(str, arguments)], input=stdin)


@pytest.fixture
def folder(tmp_path: Path, valid: Valid, broken: Broken) -> Path:
    """A valid and an invalid invoice in nested folders, and a file that is no document."""
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "valid.XML").write_bytes(valid("UBL"))
    (tmp_path / "a.xml").write_bytes(broken(valid("UBL"), "IssueDate", "hier"))
    (tmp_path / "index.json").write_text("{}")
    return tmp_path


def test_the_exit_code_tells_the_worst_verdict(folder: Path) -> None:
    assert _run(folder / "b" / "valid.XML").exit_code == 0
    assert _run(folder / "a.xml", folder / "b").exit_code == 1
    assert _run(folder / "a.xml", folder / "index.json").exit_code == 2


def test_folders_are_searched_below_in_order_and_say_what_they_ignore(folder: Path) -> None:
    result = _run("--format", "jsonl", folder)
    reports = [json.loads(line) for line in result.stdout.splitlines()]
    assert [Path(report["path"]).name for report in reports] == ["a.xml", "valid.XML"]
    assert [report["verdict"] for report in reports] == ["invalid", "valid"]
    assert "1 fichier(s) ignoré(s)" in result.stderr


def test_json_is_one_array_of_the_same_reports(folder: Path) -> None:
    reports = json.loads(_run("--format", "json", folder).stdout)
    assert [report["verdict"] for report in reports] == ["invalid", "valid"]


def test_standard_input_is_read_as_one_document(valid: Valid) -> None:
    result = _run("--format", "jsonl", "-", stdin=valid("UBL"))
    assert json.loads(result.stdout)["path"] == "<stdin>"
    assert result.exit_code == 0


@pytest.mark.parametrize("name", ["absent.xml", "nul\0.xml"])
def test_a_file_that_cannot_be_opened_is_reported_as_unreadable(name: str, tmp_path: Path) -> None:
    report = validate_path(str(tmp_path / name), Order())
    assert report.verdict is Verdict.UNREADABLE
    assert report.findings[0].rule == "UNOPENABLE_FILE"
    assert "\0" not in report.path


def test_a_broken_link_in_a_folder_is_reported_and_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "link.xml").symlink_to(tmp_path / "absent.xml")
    os.mkfifo(tmp_path / "pipe.xml")
    assert find_inputs([str(tmp_path)]) == Inputs((str(tmp_path / "link.xml"),), 1)


def test_a_folder_without_documents_is_bad_usage(tmp_path: Path) -> None:
    result = _run(tmp_path)
    assert result.exit_code == 2
    assert "Aucun document" in result.stderr


def test_an_unknown_rule_name_ends_in_one_line_and_code_2(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["gateway", "validate", "--rules", "xds", str(folder)])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert stopped.value.code == 2
    assert "UNKNOWN_RULES" in capsys.readouterr().err


def test_rules_and_date_reach_the_validation(folder: Path) -> None:
    document = folder / "b" / "valid.XML"
    result = _run("--format", "jsonl", "--rules", "xsd", "--on", "2026-08-31", document)
    report = json.loads(result.stdout)
    assert report["on"] == "2026-08-31"
    assert [layer["status"] for layer in report["layers"]] == ["passed", "passed", "not_run", "not_run", "not_run"]


def test_settings_are_loaded_only_where_there_are_any_and_say_the_same_when_all_are_at_their_defaults(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    assert (Settings().language, options_from(Settings())) == ("fr", ValidationOptions())
    home = tmp_path_factory.mktemp("home")
    code = (
        "import sys; from gateway.cli import app\n"
        f"app(['validate', {str(folder / 'b')!r}, '--rules', 'xsd'], standalone_mode=False)\n"
        "print('pydantic_settings' in sys.modules)"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")}
    said = []
    for configuration in (None, "max_xml_depth = 65"):
        if configuration:
            (home / "gateway.toml").write_text(configuration)
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=home, env=environment, capture_output=True, text=True, check=True
        )
        said.append(done.stdout.splitlines()[-1])
    assert said == ["False", "True"]


def test_a_setting_limits_what_is_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_MAX_FILE_BYTES", "1024")
    result = _run("--format", "jsonl", folder / "b" / "valid.XML")
    assert json.loads(result.stdout)["findings"][0]["rule"] == "FILE_TOO_LARGE"


def test_settings_switch_an_own_check_off_and_an_unknown_one_is_refused(
    tmp_path: Path, valid: Valid, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = tmp_path / "a.xml"
    root = etree.fromstring(valid("UBL"))
    next(note for note in root.iter("{*}Note") if (note.text or "").startswith("#PMT#")).text = "#PMT#n/a"
    document.write_bytes(etree.tostring(root))
    found = json.loads(_run("--format", "jsonl", document).stdout)["findings"]
    assert [finding["rule"] for finding in found] == ["GW-06"]
    monkeypatch.setenv("GATEWAY_OWN_CHECKS_OFF", "GW-01,GW-06")
    assert json.loads(_run("--format", "jsonl", document).stdout)["findings"] == []
    monkeypatch.setenv("GATEWAY_OWN_CHECKS_OFF", "GW-99")
    assert isinstance(_run(document).exception, UnknownOwnCheckError)
    monkeypatch.setenv("GATEWAY_OWN_CHECKS_OFF", "everything")
    assert isinstance(_run(document).exception, SettingsError)


def test_text_names_what_where_and_who_mends_it_in_the_language_asked_for(folder: Path) -> None:
    french = _run(folder / "a.xml").stdout
    assert french.startswith("invalide")
    assert "BT-2" in french
    assert "La valeur « hier » de « IssueDate » n’est pas admise." in french
    assert "ligne " in french
    assert "À faire : Corrigez" in french
    english = _run("--lang", "en", folder / "a.xml").stdout
    assert english.startswith("invalid ")
    assert "The value 'hier' of 'IssueDate' is not allowed." in english


def test_the_place_of_an_unreadable_document_is_said_once() -> None:
    console = Console(file=io.StringIO(), width=500)
    console.print(render(validate(b"\n<!DOCTYPE a><a/>"), "en"))
    assert console.file.getvalue().count("line 2") == 1  # type: ignore[attr-defined]


def test_values_of_a_document_are_never_read_as_markup(valid: Valid, broken: Broken) -> None:
    report = validate(broken(valid("UBL"), "IssueDate", "[red]x[/red]"), path="[bold]a.xml")
    console = Console(file=io.StringIO(), width=500)
    console.print(render(report, "fr"))
    printed = console.file.getvalue()  # type: ignore[attr-defined]
    assert "[red]x[/red]" in printed
    assert "[bold]a.xml" in printed


def test_control_characters_of_a_file_name_do_not_reach_the_terminal(tmp_path: Path, valid: Valid) -> None:
    path = tmp_path / "a\x1b[31m\n.xml"
    path.write_bytes(valid("UBL"))
    assert validate_path(str(path), Order()).path.endswith("a\\x1b[31m\\n.xml")


def test_many_documents_are_shared_out_over_processes_in_order(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "WORTH_PROCESSES", 4)
    paths = [str(folder / "a.xml"), str(folder / "b" / "valid.XML"), str(folder / "index.json")] * 8
    alone = [(report.path, report.verdict) for report in validate_paths(paths, Order(), jobs=1)]
    shared = [(report.path, report.verdict) for report in validate_paths(paths, Order(), jobs=2)]
    assert shared == alone
    assert {verdict for _, verdict in alone} == set(Verdict)


def test_a_pipe_among_many_documents_is_read_once(folder: Path, monkeypatch: pytest.MonkeyPatch, valid: Valid) -> None:
    monkeypatch.setattr(batch, "WORTH_PROCESSES", 4)
    pipe = folder / "pipe"
    os.mkfifo(pipe)
    with ThreadPoolExecutor(1) as threads:
        written = threads.submit(pipe.write_bytes, valid("CII"))
        reports = list(validate_paths([str(pipe), *[str(folder / "a.xml")] * 5], Order(), jobs=2))
        assert written.result() > 0
    assert [report.verdict for report in reports] == [Verdict.VALID] + [Verdict.INVALID] * 5


def test_documents_go_through_the_layers_together_only_until_they_are_large(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    together: list[int] = []
    validated = batch.validate_together

    def counted(documents: list[tuple[str, bytes]], **options: Any) -> list[Report]:
        together.append(len(documents))
        return validated(documents, **options)

    monkeypatch.setattr(batch, "validate_together", counted)
    monkeypatch.setattr(batch, "TOGETHER_BYTES", 2 * (folder / "a.xml").stat().st_size)
    batch._presented([str(folder / "a.xml")] * 5, Order(), str)
    assert together == [2, 2, 1]


def test_no_more_than_one_byte_over_the_limit_is_read_from_a_file() -> None:
    stream = io.BytesIO(b"x" * 200_000)
    assert batch._at_most(150_000, stream) == b"x" * 150_000
    assert stream.tell() == 150_000
    assert batch._at_most(150_000, stream) == b"x" * 50_000


@pytest.mark.parametrize(
    "error", [ArtefactMissingError("xsd", "/absent"), UnsupportedConstructError("id()", "BR-01"), WorkerDiedError()]
)
def test_a_named_error_of_a_process_arrives_with_its_name_and_all_it_says(error: GatewayError) -> None:
    arrived = pickle.loads(pickle.dumps(error))
    assert type(arrived) is type(error)
    assert (arrived.code, str(arrived), arrived.args) == (error.code, str(error), error.args)
    assert vars(arrived) == vars(error)


class _Stderr(io.StringIO):
    def __init__(self, terminal: bool) -> None:
        super().__init__()
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


@pytest.mark.parametrize(("terminal", "documents", "shown"), [(True, 60, True), (True, 2, False), (False, 60, False)])
def test_a_progress_bar_shows_on_a_terminal_and_on_long_runs_only(
    terminal: bool, documents: int, shown: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    stderr = _Stderr(terminal)
    monkeypatch.setattr(sys, "stderr", stderr)
    reports: list[command.Shown] = [(Verdict.VALID, "report")] * documents
    assert list(command._tracked(iter(reports), documents, "fr")) == reports
    assert ("Validation" in stderr.getvalue()) is shown


def test_a_process_that_ends_at_once_has_printed_everything(folder: Path) -> None:
    command_line = [sys.executable, "-c", "from gateway.cli import main; main()", "validate", "--format", "jsonl"]
    done = subprocess.run([*command_line, str(folder)], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert [json.loads(line)["verdict"] for line in done.stdout.splitlines()] == ["invalid", "valid"]
    assert "ignoré" in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no device that is always full")
def test_what_cannot_be_printed_is_no_success(folder: Path) -> None:
    command_line = [sys.executable, "-c", "from gateway.cli import main; main()", "validate", "--format", "jsonl"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*command_line, str(folder / "b")], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 2
    assert done.stderr.startswith("OUTPUT_LOST: ")
    assert "No space left" in done.stderr
    assert "Traceback" not in done.stderr
