"""The JSON Schemas of `schemas/`, which the service publishes for the programs that read what it sends."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).resolve().parents[2] / "schemas"

#: Where the service answers with them; the name of the file follows.
SCHEMAS_PATH = "/schemas"


@cache
def json_schemas() -> Mapping[str, bytes]:
    """Each published JSON Schema by its file name, which is its `$id` too."""
    return {file.name: file.read_bytes() for file in sorted(_FOLDER.glob("*.schema.json"))}


def schema_address(name: str, public_url: str) -> str:
    """The absolute address of a published JSON Schema, for a service that is reached at `public_url`."""
    return f"{public_url.rstrip('/')}{SCHEMAS_PATH}/{name}"
