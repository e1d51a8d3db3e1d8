"""The official descriptions of XP Z12-013 (OpenAPI), which are not ours to publish: where tests find them.

`XP_Z12_013_OPENAPI` names the folder that holds them; without it, a folder `xp-z12-013` is looked for beside the
checkout, at most two folders deep.
"""

import os
from pathlib import Path

import pytest

VARIABLE = "XP_Z12_013_OPENAPI"
FOLDER = "xp-z12-013"
_BESIDE = Path(__file__).resolve().parents[3]


def official_description(service: str) -> Path | None:
    """The newest description of a service (`flow-service`, `directory-service`) that is there."""
    given = os.environ.get(VARIABLE)
    folders = [Path(given)] if given else [found for depth in ("", "*/", "*/*/") for found in _found(depth)]
    versions = [file for folder in folders for file in folder.glob(f"{service}-*.json")]
    return max(versions, default=None, key=lambda file: file.name)


def _found(depth: str) -> list[Path]:
    try:
        return sorted(_BESIDE.glob(f"{depth}{FOLDER}"))
    except OSError:  # a folder beside the checkout that may not be read
        return []


def how_to_give(service: str) -> str:
    """Why a test is skipped, and what runs it."""
    return (
        f"no official description {service}-*.json: set {VARIABLE} to its folder, or put {FOLDER}/ beside the checkout"
    )


def read_description(service: str) -> str:
    """Its text; the test that asks is skipped where it is not there."""
    found = official_description(service)
    if found is None:
        pytest.skip(how_to_give(service))
    return found.read_text(encoding="utf-8")
