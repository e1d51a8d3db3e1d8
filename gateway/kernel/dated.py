"""Dated data files of `schemas/`: facts that change by law or by release, read once, asked for a date."""

import tomllib
from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from gateway.kernel.text import Text

_FOLDER = Path(__file__).resolve().parents[2] / "schemas"

Table = Mapping[str, Any]


@cache
def data_file(name: str) -> Table:
    """The content of `schemas/<name>`, a TOML file shipped with the gateway."""
    return tomllib.loads((_FOLDER / name).read_text(encoding="utf-8"))


def in_force(entry: Table | list[Table] | None, on: date | None = None) -> Table | None:
    """The version of a dated entry in force `on` a day, or its latest version when no day is asked.

    An entry is one table, or a list of tables with `valid_from` and `valid_until` (both included). None when the entry
    does not exist or was not in force that day.
    """
    versions = [] if entry is None else entry if isinstance(entry, list) else [entry]
    valid = [
        version
        for version in versions
        if on is None or version.get("valid_from", date.min) <= on <= version.get("valid_until", date.max)
    ]
    return max(valid, key=lambda version: version.get("valid_from", date.min), default=None)


def text_of(table: Table) -> Text:
    """The `fr` and `en` keys of a table as one `Text`."""
    return Text(table["fr"], table["en"])
