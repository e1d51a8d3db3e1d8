"""`gateway validate` when its surroundings fail it: stopped half-way, streams that are closed or lack characters."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Valid = Callable[..., bytes]

_COMMAND = [sys.executable, "-c", "from gateway.cli import main; main()", "validate", "--format", "jsonl"]
#: Documents whose reports fill a pipe that nobody reads: the command is stopped in the middle, however quick it is.
_MANY = 200


@pytest.fixture
def invoice(tmp_path: Path, valid: Valid) -> str:
    """A valid invoice on disk."""
    (tmp_path / "invoice.xml").write_bytes(valid("UBL"))
    return str(tmp_path / "invoice.xml")


def _started(invoice: str) -> "subprocess.Popen[bytes]":
    """The command on many documents in two processes, after its first report."""
    process = subprocess.Popen(
        [*_COMMAND, "--jobs", "2", *[invoice] * _MANY],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith(b"{")
    return process


def _ended(process: "subprocess.Popen[bytes]") -> tuple[int, bytes]:
    """The exit code and the errors said, once nobody holds the streams: the command's own processes hold them too."""
    try:
        _, said = process.communicate(timeout=30)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        pytest.fail("a process outlived the command")
    return process.returncode, said


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGKILL])
def test_processes_end_with_the_command_that_started_them(invoice: str, stop: signal.Signals) -> None:
    process = _started(invoice)
    process.send_signal(stop)
    assert _ended(process)[0] == -stop


def test_an_interruption_from_the_keyboard_ends_all_processes_without_a_traceback(invoice: str) -> None:
    process = _started(invoice)
    os.killpg(process.pid, signal.SIGINT)
    code, said = _ended(process)
    assert (code, b"Traceback" in said) == (130, False)


def test_a_reader_that_leaves_early_leaves_no_process_behind(invoice: str) -> None:
    process = _started(invoice)
    assert process.stdout is not None
    process.stdout.close()
    process.stdout = None
    code, said = _ended(process)
    assert (code, b"Traceback" in said) == (1, False)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_characters_that_an_encoding_lacks_are_escaped_so_that_json_stays_json(
    encoding: str, invoice: str, tmp_path: Path
) -> None:
    named = Path(invoice).rename(tmp_path / "é ✓ 😀.xml")
    done = subprocess.run(
        [*_COMMAND, str(named)],
        capture_output=True,
        check=False,
        env=os.environ | {"PYTHONIOENCODING": encoding},
    )
    report = json.loads(done.stdout.decode(encoding))
    assert (done.returncode, Path(report["path"]).name) == (0, named.name)


def test_a_report_for_people_is_printed_in_any_encoding(invoice: str) -> None:
    done = subprocess.run(
        [*_COMMAND, "--format", "text", invoice],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONIOENCODING": "ascii"},
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "\\u2713 XSD" in done.stdout


def test_a_closed_standard_input_is_an_empty_document_and_a_closed_output_takes_nothing(invoice: str) -> None:
    shell = ["sh", "-c"]
    closed = subprocess.run([*shell, 'exec "$@" - <&-', "sh", *_COMMAND], capture_output=True, text=True, check=False)
    assert (closed.returncode, json.loads(closed.stdout)["findings"][0]["rule"]) == (2, "EMPTY_FILE")
    silent = subprocess.run([*shell, 'exec "$@" >&-', "sh", *_COMMAND, invoice], capture_output=True, check=False)
    assert (silent.returncode, silent.stderr) == (0, b"")
