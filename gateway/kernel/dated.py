"""Dated data files of `schemas/`: facts that change by law or by release, read once, asked for a date."""

import tomllib
from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from gateway.kernel.errors import OwnDataError
from gateway.kernel.text import Text

_FOLDER = Path(__file__).resolve().parents[2] / "schemas"

Table = Mapping[str, Any]
#: What an installation has laid over a shipped file, by its name.
_laid_over: dict[str, Table] = {}


def data_file(name: str) -> Table:
    """The content of `schemas/<name>`, with what the installation has laid over it."""
    return _laid_over.get(name) or shipped_file(name)


@cache
def shipped_file(name: str) -> Table:
    """The content of `schemas/<name>`, a TOML file shipped with the gateway."""
    return tomllib.loads((_FOLDER / name).read_text(encoding="utf-8"))


def lay_over(name: str, content: Table | None) -> None:
    """From now on in this process `data_file(name)` is `content`; None: as shipped."""
    _laid_over.pop(name, None)
    if content is not None:
        _laid_over[name] = content


def own_file(path: Path) -> Table:
    """The content of a file of the installation's own. Raises OwnDataError when it cannot be read."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        reason = Text(f"il ne s’ouvre pas ({error.strerror})", f"it cannot be opened ({error.strerror})")
        raise OwnDataError(path, reason) from error
    except ValueError as error:
        raise OwnDataError(path, Text(f"ce n’est pas du TOML ({error})", f"it is not TOML ({error})")) from error


def merged(shipped: Table, own: Table) -> Table:
    """`own` laid over `shipped`: a table key by key, anything else as a whole."""
    result = dict(shipped)
    for key, value in own.items():
        known = shipped.get(key)
        result[key] = merged(known, value) if isinstance(known, dict) and isinstance(value, dict) else value
    return result


def overlaid(shipped: Any, given: Any) -> Any:
    """`given` over `shipped`: tables merged, lists of dated entries put first, so that they win on the same day."""
    if isinstance(shipped, Mapping) and isinstance(given, Mapping):
        both = {name: overlaid(shipped[name], given[name]) for name in shipped.keys() & given.keys()}
        return {**shipped, **given, **both}
    if isinstance(shipped, list) and isinstance(given, list) and all(isinstance(each, dict) for each in given):
        return [*given, *shipped]
    return given


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
