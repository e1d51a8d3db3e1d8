"""How a platform speaks the standard, as data: `schemas/platforms.toml`."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, timedelta
from typing import Any, Literal

from gateway.flows.platforms.errors import UnknownPlatformKindError
from gateway.kernel.dated import data_file, in_force, text_of
from gateway.kernel.text import Text

#: The platform that departs from the standard in nothing.
STANDARD = "standard"


@dataclass(frozen=True, slots=True)
class PlatformProfile:
    """One platform's way of speaking XP Z12-013; the entries are explained in `schemas/platforms.toml`."""

    label: Text
    token_auth: Literal["basic", "body", "json"]
    scope: str
    audience: str
    paging: Literal["cursor", "updated_after"]
    page_limit: int
    tracking_id_search: bool
    listed_directions: list[str]
    visible_within_seconds: float
    original: str
    max_file_bytes: int
    statuses: Mapping[str, list[str]]
    flow_url: str | None = None
    directory_url: str | None = None
    token_url: str | None = None

    @property
    def visible_within(self) -> timedelta:
        """How long after its submission a flow may be missing from a search."""
        return timedelta(seconds=self.visible_within_seconds)

    def takes_status(self, code: str, processing_rule: str | None) -> bool:
        """Whether it takes a lifecycle status (MDT-105) on an invoice under that processing rule."""
        allowed = self.statuses.get(processing_rule or "")
        return allowed is None or code in allowed


def platform_kinds() -> list[str]:
    """The platforms that are known, in the order of the file."""
    return list(data_file("platforms.toml")["platform"])


def platform_profile(kind: str, on: date | None = None) -> PlatformProfile:
    """The profile of a platform on a day, or its newest. Raises UnknownPlatformKindError."""
    data = data_file("platforms.toml")
    entry = in_force(data["platform"].get(kind), on)
    if entry is None:
        raise UnknownPlatformKindError(kind, platform_kinds())
    known = {field.name for field in fields(PlatformProfile)}
    values: dict[str, Any] = {name: value for name, value in {**data["standard"], **entry}.items() if name in known}
    return PlatformProfile(label=text_of(entry), **values)
