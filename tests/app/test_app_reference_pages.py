"""The reference says what the code does: settings, errors and commands."""

import importlib.util
from pathlib import Path

import pytest

from gateway.cli import COMMANDS
from gateway.kernel.errors import GatewayError

_spec = importlib.util.spec_from_file_location("reference_pages", Path(__file__).with_name("reference_pages.py"))
assert _spec is not None
assert _spec.loader is not None
reference_pages = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(reference_pages)


@pytest.mark.parametrize("page", sorted(reference_pages.pages()), ids=lambda page: page.name)
def test_a_generated_page_is_up_to_date(page):
    assert page.read_text() == reference_pages.pages()[page], "run: python tests/app/reference_pages.py"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_in_the_reference(command):
    assert f"`gateway {command}" in (reference_pages.REFERENCE / "commands.md").read_text()


def test_no_two_errors_share_a_code_with_another_meaning():
    seen: dict[str, type[GatewayError]] = {}
    for error in reference_pages._subclasses(GatewayError):
        if "code" in vars(error) and error.__module__.startswith("gateway."):
            other = seen.setdefault(error.code, error)
            assert other.status == error.status, (error, other)
