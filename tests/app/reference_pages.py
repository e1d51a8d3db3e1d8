"""The parts of docs/reference that are written from the code: `python tests/app/reference_pages.py` renews them."""

import importlib
import inspect
import pkgutil
from pathlib import Path

import gateway
from gateway.cli.service import settings_table
from gateway.kernel.errors import GatewayError

REFERENCE = Path(__file__).resolve().parents[2] / "docs" / "reference"
SETTINGS = """# Settings

Each setting is an environment variable, or the same name without `GATEWAY_` in lower case in `gateway.toml` (or the
file that `GATEWAY_CONFIG` names). The environment wins. An unknown or wrong setting is refused at start, by its name.

{table}
"""
ERRORS = """# Errors

Every error has a code that never changes its meaning, and says what is wrong, where, and how to fix it, in French and
English. `Status` is the HTTP status with which an HTTP client sees it.

{table}
"""


def errors_table() -> str:
    """Every error class that has a code of its own, by room."""
    for module in pkgutil.walk_packages(gateway.__path__, "gateway."):
        if module.name.endswith(".errors"):
            importlib.import_module(module.name)
    rows = {_row(error) for error in _subclasses(GatewayError) if _is_ours(error)}
    return "\n".join(["| Room | Code | Status | Meaning |", "|---|---|---|---|", *sorted(rows)])


def _is_ours(error: type[GatewayError]) -> bool:
    """It has a code of its own, and it is not one that a test made up."""
    return "code" in vars(error) and error.__module__.startswith("gateway.")


def _row(error: type[GatewayError]) -> str:
    room = error.__module__.split(".")[1]
    meaning = " ".join((inspect.getdoc(error) or "").split("\n\n")[0].split()).replace("|", "\\|")
    return f"| {room} | `{error.code}` | {error.status} | {meaning} |"


def _subclasses(of: type[GatewayError]) -> set[type[GatewayError]]:
    direct = set(of.__subclasses__())
    return direct.union(*(_subclasses(each) for each in direct)) if direct else direct


def pages() -> dict[Path, str]:
    """What each generated page must hold."""
    return {
        REFERENCE / "settings.md": SETTINGS.format(table=settings_table()),
        REFERENCE / "errors.md": ERRORS.format(table=errors_table()),
    }


if __name__ == "__main__":
    for path, text in pages().items():
        path.write_text(text)
