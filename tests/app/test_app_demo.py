"""The demonstration as a newcomer lives it: started, killed in the middle, started again, looked at in a browser."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
CHROMIUM_OPTIONS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
#: Statuses of the scenarios that end an invoice's story, and the one of those that stay silent.
ENDS = {"200", "210", "212", "213"}
SLOWEST_PAGE_SECONDS = 0.3


@dataclass
class Demo:
    address: str
    facts: dict[str, Any]
    statuses_before_kill: int


def start(data_dir: Path, port: int) -> subprocess.Popen[str]:
    environment = {**os.environ, "GATEWAY_DATA_DIR": str(data_dir)}
    return subprocess.Popen(
        [str(Path(sys.executable).with_name("gateway")), "demo", "--json", "--port", str(port)],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="gateway-demo-test-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        first = start(Path(folder), port)
        before = wait_for_progress(first)
        first.send_signal(signal.SIGKILL)
        first.wait(30)
        assert first.stdout is not None
        first.stdout.close()
        again = start(Path(folder), port)
        try:
            yield Demo(f"http://127.0.0.1:{port}", wait_for_end(again), before)
        finally:
            again.terminate()
            assert again.stdout is not None
            again.stdout.close()
            assert again.wait(60) == 0, "a stop is clean"


def wait_for_progress(process: subprocess.Popen[str]) -> int:
    """Let the story run until statuses have come in, and say how many there were."""
    assert process.stdout is not None
    for line in process.stdout:
        if "statuts" in line and " 0 statuts" not in line:
            return int(line.split("·")[1].split()[0])
    raise AssertionError("the demonstration ended before anything happened")


def wait_for_end(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("{"):
            facts: dict[str, Any] = json.loads(line)
            return facts
    raise AssertionError("the demonstration ended without its facts")


def test_a_kill_in_the_middle_loses_nothing_and_doubles_nothing(demo):
    assert 0 < demo.statuses_before_kill < sum(demo.facts["statuses"].values()), "the kill fell in the middle"
    assert demo.facts["invoices"] == 60
    assert demo.facts["flows"]["Error"] == 2  # the broken files, each refused once
    assert "Pending" not in demo.facts["flows"]
    assert set(demo.facts["current"]) == ENDS
    assert sum(demo.facts["current"].values()) == 60
    # Every invoice that was paid has each of its seven statuses exactly once: 200 to 205, 211 where announced, 212.
    statuses = demo.facts["statuses"]
    assert statuses["212"] == demo.facts["current"]["212"]
    assert statuses["200"] == 60 - statuses["213"]
    assert statuses["202"] == statuses["203"] == statuses["200"] - demo.facts["current"]["200"]


def test_every_alert_has_exactly_one_action(demo):
    assert sum(demo.facts["alerts"].values()) == sum(demo.facts["actions"].values())
    assert demo.facts["alerts"]["open"] == demo.facts["actions"]["todo"]
    conditions = demo.facts["alerts_by_condition"]
    assert conditions["invoice.rejected"] == demo.facts["statuses"]["213"]
    assert conditions["invoice.refused"] == demo.facts["statuses"]["210"]


def test_the_ledger_holds_after_a_kill(demo):
    assert demo.facts["ledger_holds"] is True
    assert demo.facts["ledger_entries"] > 400


@pytest.mark.parametrize("path", ["/", "/alerts", "/invoices", "/worklist", "/quarantine", "/notifications"])
def test_every_page_answers_quickly_on_the_demo_data(demo, path):
    with httpx.Client(base_url=demo.address) as http:
        http.get(path)  # the first look compiles the page
        durations = []
        for _ in range(3):
            started = time.perf_counter()
            assert http.get(path).status_code == 200
            durations.append(time.perf_counter() - started)
    assert min(durations) < SLOWEST_PAGE_SECONDS


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed: the pages were NOT looked at in a browser")
def test_a_person_goes_from_an_alert_to_the_invoice_and_closes_the_action(demo):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(CHROMIUM_OPTIONS))
        page = browser.new_page()
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))

        page.goto(f"{demo.address}/alerts")
        assert "Mode démonstration" in page.inner_text("body")
        page.get_by_role("link", name="rejetée").first.click()
        body = page.inner_text("body")
        assert "Rejetée" in body
        assert "Négoce Valbrune" in body

        page.goto(f"{demo.address}/worklist")
        todo = page.locator("form[action*='/complete']").count()
        assert todo == demo.facts["actions"]["todo"]

        page.goto(f"{demo.address}/invoices")
        page.get_by_role("searchbox").fill("F2610")
        with page.expect_navigation():
            page.keyboard.press("Enter")
        assert "F2610" in page.inner_text("table")
        assert "F2611" not in page.inner_text("table")
        browser.close()
    assert complaints == []
