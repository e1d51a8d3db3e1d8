"""The reference of the settings is the settings."""

from pathlib import Path

from gateway.cli.service import settings_table

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "settings.md"


def test_the_page_lists_every_setting_with_its_default_and_meaning():
    assert settings_table() in PAGE.read_text()
