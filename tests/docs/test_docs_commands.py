"""Every command of the README and of docs/ runs as written, each page from an empty folder, several pages at a time."""

import os
import re
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
SHELL_BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)#\s]+)[^)]*\)")
#: A page of forty commands on a busy machine with two cores.
PATIENCE_SECONDS = 400
PORT = re.compile(r"\b81\d{2}\b")
MAKE_ONLY = re.compile(r"^(make \w+ +#.*\n)+$")


def shell_blocks(page: Path) -> list[str]:
    return [block for block in SHELL_BLOCK.findall(page.read_text()) if not MAKE_ONLY.match(block)]


PAGES_WITH_COMMANDS = [page for page in PAGES if shell_blocks(page)]


@pytest.mark.parametrize("page", PAGES_WITH_COMMANDS, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_commands_of_a_page_run_as_written(page, tmp_path):
    tmp_path.chmod(0o755)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    script = "set -eu -o pipefail\n" + "\n".join(shell_blocks(page))
    with (tmp_path / "output").open("w") as output:
        process = subprocess.Popen(
            ["bash", "-c", script], cwd=tmp_path, env=environment, stdout=output, stderr=output, start_new_session=True
        )
        try:
            code = process.wait(PATIENCE_SECONDS)
        finally:  # a page may leave its service running
            _stop_group(process.pid)
    assert code == 0, (tmp_path / "output").read_text()[-3000:]


def test_no_two_pages_serve_on_one_port():
    ports = Counter(port for page in PAGES_WITH_COMMANDS for port in set(PORT.findall("\n".join(shell_blocks(page)))))
    assert [port for port, pages in ports.items() if pages > 1] == []


def test_the_two_commands_of_the_readme_are_targets_of_the_makefile():
    readme = (ROOT / "README.md").read_text()
    makefile = (ROOT / "Makefile").read_text()
    for target, runs in {"demo": "gateway demo", "test": "pytest"}.items():
        assert f"make {target} " in readme
        recipe = makefile.split(f"\n{target}: ")[1].split("\n\n")[0]
        assert runs in recipe


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_between_pages_leads_somewhere(page):
    links = [link for link in LINK.findall(page.read_text()) if not link.startswith(("http://", "https://", "mailto:"))]
    assert [link for link in links if not (page.parent / link).exists()] == []


def _stop_group(group: int) -> None:
    try:
        os.killpg(group, signal.SIGTERM)
    except ProcessLookupError:
        return
